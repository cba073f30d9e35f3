package s3api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/objsrv/objsrv/internal/events"
	"github.com/objsrv/objsrv/storage"
)

// expected is what a request has told the targets of its bucket that it is about to do.
type expected struct {
	by     events.Expected // nil when nobody was to be told
	list   []events.Addressed
	over   []bool // it has happened
	cursor int    // behind the last one that was found
}

// aboutTo is one thing that a request is about to do.
type aboutTo struct {
	name         events.Name
	key, version string // version that the request names
}

// expect notes, for the targets of the bucket, what the request is about to do. Nothing of it may be done when expect
// fails, and all of it is told by happened. Buckets that notify nobody pay for one look at a map.
func (c *call) expect(b *storage.Bucket, list ...aboutTo) error {
	rules := c.s.notificationRules(b)
	if len(rules) == 0 {
		if c.s.Notifier != nil && c.s.settings(b).notifyErr != nil {
			return &Error{Code: "InternalError", Message: "The bucket's notification configuration can't be read; nothing is written without it.", cause: c.s.settings(b).notifyErr}
		}
		return nil
	}
	e := c.event(b)
	var all []events.Addressed
	for _, a := range list {
		e.Name, e.Key, e.Version = a.name, a.key, a.version
		all = append(all, c.s.route(rules, &e)...)
	}
	if len(all) == 0 {
		return nil
	}
	by, err := c.s.Notifier.Expect(all)
	if err != nil {
		return &Error{Code: "ServiceUnavailable", Message: "The queue of the bucket's notifications can't be written; nothing was done.", cause: err}
	}
	c.expected = expected{by: by, list: all, over: make([]bool, len(all))}
	return nil
}

// route is events.Route without the targets that there are not, or not any more.
func (s *Server) route(rules []events.Rule, e *events.Event) []events.Addressed {
	all := events.Route(rules, e)
	out := all[:0]
	for _, a := range all {
		if s.Notifier.Known(a.Target) {
			out = append(out, a)
		}
	}
	return out
}

// find returns the place of what was expected for a target, -1 for none.
func (x *expected) find(a *events.Addressed, version string) int {
	for n := range x.list {
		i := (x.cursor + n) % len(x.list) // they come in their order
		w := &x.list[i]
		if !x.over[i] && w.Event.Key == a.Event.Key && w.Target == a.Target && w.Event.Name == a.Event.Name && w.Event.Version == version {
			x.over[i], x.cursor = true, i+1
			return i
		}
	}
	return -1
}

// tell hands an event to the targets of its bucket. version is that which the request named.
func (c *call) tell(rules []events.Rule, e *events.Event, version string) {
	for _, a := range c.s.route(rules, e) {
		if i := c.expected.find(&a, version); i >= 0 {
			c.expected.by.Happened(i, a.Event)
			continue
		}
		// What can't be kept is counted and logged as dropped: it has been done.
		_ = c.s.Notifier.Send(a, !e.Name.Reads())
	}
}

// endExpected forgets what was expected and has not happened, as the request has ended with err.
func (c *call) endExpected(err error) {
	if c.expected.by == nil {
		return
	}
	e := (*Error)(nil)
	if err != nil {
		e = toError(err)
	}
	unknown := e != nil && (e.status() >= 500 && e.status() != http.StatusNotImplemented || errors.Is(err, context.Canceled))
	c.expected.by.End(unknown)
}

// lookBack is how much older than the request its object may seem: an upstream has a clock of its own, and whole seconds.
const lookBack = time.Minute

// Expected finds out what has become of an event that was expected, by looking at what is stored: it returns the events to send,
// which may be more than there were, since those who get them may get them twice. Errors are those of storage.Backend.
func (s *Server) Expected(ctx context.Context, e events.Event) ([]events.Event, error) {
	b, err := s.Backend.Bucket(ctx, e.Bucket)
	if errors.Is(err, storage.ErrNoSuchBucket) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var found []storage.Object
	switch e.Name {
	case events.CreatedPut, events.CreatedPost, events.CreatedCopy, events.CreatedComplete,
		events.RemovedDelete, events.RemovedDeleteMarker, events.ExpiredDelete, events.ExpiredDeleteMarker:
		found, err = s.changed(ctx, b, &e)
	default: // of an object that is there: whether it has been done does not show
		var o *storage.Object
		if o, err = s.Backend.StatObject(ctx, storage.Ref{Bucket: e.Bucket, Key: e.Key, Version: e.Version}); err == nil {
			found = append(found, *o)
		}
	}
	if errors.Is(err, storage.ErrNoSuchKey) || errors.Is(err, storage.ErrNoSuchVersion) {
		err = nil
	}
	out := make([]events.Event, 0, len(found))
	for i := range found {
		x := e
		x.Sequence = s.sequence.next(s.Now())
		describe(&x, b, &found[i])
		out = append(out, x)
	}
	return out, err
}

// changed returns what a write or a deletion may have made, or the object that is gone.
func (s *Server) changed(ctx context.Context, b *storage.Bucket, e *events.Event) (found []storage.Object, err error) {
	since := e.Time.Add(-lookBack)
	removed, any := e.Name.Removes(), false
	for in := (storage.ListInput{Bucket: e.Bucket, Prefix: e.Key, Limit: 1000}); ; {
		page, err := s.Backend.ListVersions(ctx, in)
		if err != nil {
			return nil, err
		}
		for _, o := range page.Objects {
			if o.Key != e.Key {
				return s.without(e, found, removed, any), nil
			}
			any = any || e.Version == "" && o.Latest && !o.DeleteMarker || e.Version != "" && o.VersionID == e.Version
			if o.DeleteMarker == removed && !o.Modified.Before(since) && (removed || e.Version == "") {
				found = append(found, o)
			} else if e.Name == events.CreatedCopy && o.Latest && !o.DeleteMarker { // a renaming keeps the time
				full, err := s.Backend.StatObject(ctx, storage.Ref{Bucket: e.Bucket, Key: e.Key, Version: o.VersionID})
				if err != nil && !gone(err) {
					return nil, err
				}
				if err == nil && !renamedAt(full).Before(since) {
					found = append(found, o)
				}
			}
		}
		if !page.Truncated {
			return s.without(e, found, removed, any), nil
		}
		in.After, in.AfterID = page.NextAfter, page.NextID
	}
}

// without adds what was deleted for good, which is no version any more.
func (s *Server) without(e *events.Event, found []storage.Object, removed, any bool) []storage.Object {
	if removed && e.Name != events.RemovedDeleteMarker && e.Name != events.ExpiredDeleteMarker && !any {
		return []storage.Object{{Key: e.Key, VersionID: e.Version}}
	}
	return found
}
