package main

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/objsrv/objsrv/iam/adminapi"
	"github.com/objsrv/objsrv/storage"
)

// Limits of counting what is below a prefix.
const (
	maxCounted  = 200_000
	maxChildren = 10_000
	maxCounting = 5 * time.Second
	maxCounters = 4 // at the same time
	countPage   = 1000
)

// counters are the counts that are running.
type counters struct{ running atomic.Int32 }

// PrefixUsage implements adminapi.Usages.
func (h adminHost) PrefixUsage(ctx context.Context, bucket, prefix string) (adminapi.PrefixUsage, error) {
	defer h.counting.running.Add(-1)
	if h.counting.running.Add(1) > maxCounters {
		return adminapi.PrefixUsage{}, &adminapi.Refusal{Status: http.StatusServiceUnavailable, Code: "SlowDown", Message: "The usage of several prefixes is being counted already. Try again."}
	}
	u, err := prefixUsage(ctx, h.services.backend, bucket, prefix, maxCounted, time.Now().Add(maxCounting))
	return u, adminRefusal(err)
}

// prefixUsage counts the current versions below a prefix, at most limit of them and not beyond the deadline.
func prefixUsage(ctx context.Context, list storage.Lister, bucket, prefix string, limit int64, deadline time.Time) (adminapi.PrefixUsage, error) {
	u := adminapi.PrefixUsage{Bucket: bucket, Prefix: prefix, Children: []adminapi.ChildUsage{}}
	in := storage.ListInput{Bucket: bucket, Prefix: prefix, Limit: countPage}
	for {
		in.Limit = int(min(countPage, limit-u.Counted))
		page, err := list.ListObjects(ctx, in)
		if err != nil {
			return u, err
		}
		for i := range page.Objects {
			o := &page.Objects[i]
			if len(u.Children) == maxChildren && child(&u, o.Key) == nil {
				u.Cut = true // there are more children than anybody looks at
				return u, nil
			}
			u.Last = o.Key
			count(&u, o)
		}
		in.After = page.NextAfter
		switch {
		case !page.Truncated:
			u.Last = ""
			return u, nil
		case u.Counted >= limit || time.Now().After(deadline):
			u.Cut = true
			if c := child(&u, u.Last); c != nil {
				c.Partly = true
			}
			return u, nil
		}
	}
}

// count adds one object.
func count(u *adminapi.PrefixUsage, o *storage.Object) {
	u.Counted++
	u.Objects++
	u.Bytes += o.Size
	rest := o.Key[len(u.Prefix):]
	i := strings.IndexByte(rest, '/')
	if i < 0 {
		u.Here.Objects++
		u.Here.Bytes += o.Size
		return
	}
	c := child(u, o.Key)
	if c == nil {
		u.Children = append(u.Children, adminapi.ChildUsage{Prefix: u.Prefix + rest[:i+1]})
		c = &u.Children[len(u.Children)-1]
	}
	c.Objects++
	c.Bytes += o.Size
}

// child returns the last child if the key is below it, else nil: keys come in order.
func child(u *adminapi.PrefixUsage, key string) *adminapi.ChildUsage {
	if n := len(u.Children); n > 0 && strings.HasPrefix(key, u.Children[n-1].Prefix) {
		return &u.Children[n-1]
	}
	return nil
}
