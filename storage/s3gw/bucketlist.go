package s3gw

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/objsrv/objsrv/storage"
)

// created returns when a bucket without a record was made, which only the list of buckets tells. It is the zero time
// when the upstream's key may not list it.
func (s *Store) created(ctx context.Context, name string) (time.Time, error) {
	at, err := s.client.at(name)
	if err != nil {
		return time.Time{}, err
	}
	all, err := s.listUpstream(ctx)
	if err != nil && !isStatus(err, http.StatusForbidden) {
		return time.Time{}, err
	}
	return all[at.bucket], nil
}

// listUpstream returns when each of the upstream's buckets was made.
func (s *Store) listUpstream(ctx context.Context) (map[string]time.Time, error) {
	all := map[string]time.Time{}
	query := url.Values{}
	for {
		resp, err := s.client.read(ctx, &request{method: http.MethodGet, query: query})
		if err != nil {
			return nil, err
		}
		var v struct {
			Buckets []struct {
				Name    string    `xml:"Name"`
				Created time.Time `xml:"CreationDate"`
			} `xml:"Buckets>Bucket"`
			Next string `xml:"ContinuationToken"`
		}
		if err := decode(resp, &v); err != nil {
			return nil, err
		}
		for _, b := range v.Buckets {
			if !strings.HasPrefix(b.Name, probePrefix) {
				all[b.Name] = b.Created
			}
		}
		if v.Next == "" || v.Next == query.Get("continuation-token") {
			return all, nil
		}
		query = url.Values{"continuation-token": {v.Next}, "max-buckets": {"10000"}}
	}
}

// list returns the buckets that there are, in order of their names: the upstream's, those that the map names, and
// those that were made below its prefix for all others.
func (s *Store) list(ctx context.Context) ([]*storage.Bucket, error) {
	m := s.o.Map
	upstream, err := s.listUpstream(ctx)
	refused := isStatus(err, http.StatusForbidden)
	if err != nil && (!refused || m == nil) {
		return nil, err
	}
	var all []*storage.Bucket
	for bucket, created := range upstream {
		if name := m.local(bucket); name != "" {
			all = append(all, &storage.Bucket{Name: name, Created: created})
		}
	}
	if m != nil {
		for name, at := range m.entries {
			created, there := upstream[at.bucket]
			if !at.own && there || refused {
				all = append(all, &storage.Bucket{Name: name, Created: created})
			}
		}
		for _, name := range s.o.Records.Names() {
			if at, ok := m.place(name); ok && at.made {
				all = append(all, &storage.Bucket{Name: name})
			}
		}
	}
	slices.SortFunc(all, func(a, b *storage.Bucket) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// ListBuckets implements storage.Buckets. Versioning and object lock are as last set through a gateway.
func (s *Store) ListBuckets(ctx context.Context, prefix, after string, limit int) (list []*storage.Bucket, more bool, err error) {
	done, err := s.begin()
	if err != nil {
		return nil, false, err
	}
	defer done()
	all, err := s.list(ctx)
	if err != nil {
		return nil, false, wrap("list buckets", err)
	}
	for _, b := range all {
		if !strings.HasPrefix(b.Name, prefix) || b.Name <= after {
			continue
		}
		if len(list) == limit {
			return list, true, nil
		}
		created := b.Created
		b.Owner = s.o.Owner
		if value, revision := s.o.Records.Record(b.Name); revision != 0 {
			err := s.fill(b, value)
			if errors.Is(err, errMoved) {
				continue // whoever asks for it is told
			}
			if err != nil {
				return nil, false, err
			}
		}
		if b.Created.IsZero() {
			b.Created = created
		}
		list = append(list, b)
	}
	return list, false, nil
}
