package fs

import (
	"bytes"
	"context"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/objsrv/objsrv/storage"
)

// maxListHint limits the memory that is made for a page before it is known how many
// entries it has.
const maxListHint = 1000

// lister makes one page by the rules of storage.ListInput.
type lister struct {
	in   *storage.ListInput
	n    int // entries and common prefixes so far
	skip string
	a    arena

	prefixes  []string
	truncated bool
	nextAfter string
	nextID    string
}

func newLister(in *storage.ListInput) *lister {
	l := &lister{in: in, a: arena{chunk: 32 << 10}}
	if in.After != "" && l.commonPrefix([]byte(in.After)) == len(in.After) {
		l.skip = in.After
	}
	return l
}

// commonPrefix is the length of the common prefix that key is rolled up into, or 0. The
// key has the listing's prefix, or else is not rolled up.
func (l *lister) commonPrefix(key []byte) int {
	if l.in.Delimiter == "" || len(key) < len(l.in.Prefix) || string(key[:len(l.in.Prefix)]) != l.in.Prefix {
		return 0
	}
	rest := key[len(l.in.Prefix):]
	i := -1
	if len(l.in.Delimiter) == 1 {
		i = bytes.IndexByte(rest, l.in.Delimiter[0])
	} else {
		i = bytes.Index(rest, []byte(l.in.Delimiter))
	}
	if i < 0 {
		return 0
	}
	return len(l.in.Prefix) + i + len(l.in.Delimiter)
}

// full tells whether the page has no room for one more entry, and if so marks it.
func (l *lister) full() bool {
	l.truncated = l.n >= l.in.Limit
	return l.truncated
}

// roll takes a key into its common prefix. skip is the length of the prefix that the
// listing goes on behind, 0 when the key is an entry of its own; done is set when the
// page is full.
func (l *lister) roll(key []byte) (skip int, done bool) {
	n := l.commonPrefix(key)
	if n == 0 {
		return 0, l.full()
	}
	if l.skip != "" && l.skip == string(key[:n]) {
		return n, false
	}
	if l.full() {
		return n, true
	}
	cp := l.a.str(key[:n])
	l.prefixes = append(l.prefixes, cp)
	l.n++
	l.nextAfter, l.nextID = cp, ""
	return n, false
}

// start is the key that the listing begins at, and whether that key itself belongs to it.
func (l *lister) start() (key string, inclusive bool) {
	switch {
	case l.in.After == "" || l.in.After < l.in.Prefix:
		return l.in.Prefix, true
	case l.in.AfterID != "":
		return l.in.After, true
	}
	return l.in.After, false
}

// page returns the common prefixes of the page, and where the next one begins, when there is one.
func (l *lister) page() (prefixes []string, truncated bool, after, id string) {
	if !l.truncated {
		return l.prefixes, false, "", ""
	}
	return l.prefixes, true, l.nextAfter, l.nextID
}

// list begins a page of a bucket and has fill make it, unless it has room for nothing.
func (s *Store) list(what string, in *storage.ListInput, fill func(*bucket, *lister) error) (*lister, error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	defer s.leave()
	bk, err := s.bucket(in.Bucket)
	if err != nil {
		return nil, err
	}
	if in.Limit <= 0 {
		return &lister{}, nil
	}
	if in.After == "" {
		in.AfterID = ""
	}
	l := newLister(in)
	if err := fill(bk, l); err != nil {
		return nil, s.noteDamage(fmt.Errorf("list %s%s: %w", what, in.Bucket, err))
	}
	return l, nil
}

// seekPast moves the iterator behind all keys that begin with prefix. A listing of many
// common prefixes ends when its caller has gone.
func seekPast(ctx context.Context, it *pebble.Iterator, prefix []byte) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	next := successor(prefix)
	if next == nil {
		return false, nil
	}
	return it.SeekGE(next), nil
}

// ListObjects implements storage.Lister.
func (s *Store) ListObjects(ctx context.Context, in storage.ListInput) (*storage.ListPage, error) {
	in.AfterID = ""
	p := &storage.ListPage{}
	l, err := s.list("", &in, func(bk *bucket, l *lister) error { return s.listObjects(ctx, bk, l, p) })
	if err != nil {
		return nil, err
	}
	p.Prefixes, p.Truncated, p.NextAfter, p.NextID = l.page()
	return p, nil
}

func (s *Store) listObjects(ctx context.Context, bk *bucket, l *lister, p *storage.ListPage) error {
	from, inclusive := l.start()
	lower := objectKey(bk.id, from)
	if !inclusive {
		lower = append(lower, 0)
	}
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: successor(objectKey(bk.id, l.in.Prefix))})
	if err != nil {
		return indexError(err)
	}
	durable := s.commits.barrier()
	p.Objects = make([]storage.Object, 0, min(l.in.Limit, maxListHint))
	var r record
	for ok := it.First(); ok; {
		key := it.Key()[9:]
		skip, done := l.roll(key)
		if done {
			break
		}
		if skip > 0 {
			if ok, err = seekPast(ctx, it, it.Key()[:9+skip]); err != nil {
				break
			}
			continue
		}
		v, verr := it.ValueAndErr()
		if verr != nil {
			err = indexError(verr)
			break
		}
		if err = decodeRecordAt(&r, v, it.Key()[1:], &l.a, false); err != nil {
			break
		}
		p.Objects = append(p.Objects, storage.Object{})
		o := &p.Objects[len(p.Objects)-1]
		r.fill(o, l.a.str(key), true, &l.a)
		l.added(o.Key, "")
		ok = it.Next()
	}
	return ended(it, durable, err)
}

// added counts an entry of the page.
func (l *lister) added(key, id string) {
	l.n++
	l.nextAfter, l.nextID = key, id
}

// ended closes an iterator after a walk that has stopped with err, and returns when all that it has seen is durable.
func ended(it *pebble.Iterator, durable []*generation, err error) error {
	if err == nil && it.Error() != nil {
		err = indexError(it.Error())
	}
	if cerr := it.Close(); err == nil && cerr != nil {
		err = indexError(cerr)
	}
	wait(durable)
	return err
}

// ListUploads implements storage.Lister.
func (s *Store) ListUploads(ctx context.Context, in storage.ListInput) (*storage.UploadPage, error) {
	p := &storage.UploadPage{}
	l, err := s.list("uploads of ", &in, func(bk *bucket, l *lister) error { return s.listUploads(ctx, bk, l, p) })
	if err != nil {
		return nil, err
	}
	p.Prefixes, p.Truncated, p.NextAfter, p.NextID = l.page()
	return p, nil
}

func (s *Store) listUploads(ctx context.Context, bk *bucket, l *lister, p *storage.UploadPage) error {
	from, inclusive := l.start()
	var lower []byte
	switch seq, _, ok := parseID(l.in.AfterID); {
	case !inclusive:
		lower = successor(escapedKey(rangeUpload, bk.id, from))
	case from == l.in.After && ok:
		lower = append(uploadKey(bk.id, from, seq), 0)
	default:
		lower = appendEscapedPrefix(keyOf(rangeUpload, bk.id), from)
	}
	it, err := s.db.NewIter(&pebble.IterOptions{
		LowerBound: lower, UpperBound: successor(appendEscapedPrefix(keyOf(rangeUpload, bk.id), l.in.Prefix)),
	})
	if err != nil {
		return indexError(err)
	}
	durable := s.commits.barrier()
	var key []byte
	for ok := it.First(); ok; {
		var seq uint64
		if key, seq, err = splitEscaped(key[:0], it.Key()); err != nil {
			err = indexError(err)
			break
		}
		skip, done := l.roll(key)
		if done {
			break
		}
		if skip > 0 {
			if ok, err = seekPast(ctx, it, appendEscapedPrefix(keyOf(rangeUpload, bk.id), string(key[:skip]))); err != nil {
				break
			}
			continue
		}
		v, verr := it.ValueAndErr()
		if verr != nil {
			err = indexError(verr)
			break
		}
		var u *uploadRecord
		if u, err = decodeUpload(it.Key(), v, l.in.Bucket, string(key), seq, false); err != nil {
			break
		}
		p.Uploads = append(p.Uploads, u.Upload)
		l.added(u.Key, u.ID)
		ok = it.Next()
	}
	return ended(it, durable, err)
}
