package s3api

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/objsrv/objsrv/internal/events"
	"github.com/objsrv/objsrv/internal/live"
	"github.com/objsrv/objsrv/storage"
)

// Events is who learns what happens to objects; *live.Feed[events.Event] is one.
type Events interface {
	// Active tells whether anybody listens: no event is made for nobody.
	Active() bool
	// Publish never waits.
	Publish(events.Event)
	// Watch begins a stream of those that keep takes; live.ErrTooMany refuses it.
	Watch(owner string, keep func(*events.Event) bool) (*live.Watcher[events.Event], error)
}

// happened tells listeners, and the targets of the bucket, what has been done to o, once it is durable and before the
// client is told.
func (c *call) happened(name events.Name, b *storage.Bucket, o *storage.Object) {
	c.happenedTo(name, b, o, c.ev.Version)
}

// happenedTo is happened of a version that the request names otherwise than by its query.
func (c *call) happenedTo(name events.Name, b *storage.Bucket, o *storage.Object, version string) {
	listened := c.s.Events != nil && c.s.Events.Active()
	rules := c.s.notificationRules(b)
	if !listened && len(rules) == 0 {
		return
	}
	e := c.event(b)
	e.Name, e.Sequence = name, c.s.sequence.next(e.Time)
	describe(&e, b, o)
	if listened {
		c.s.Events.Publish(e)
	}
	if len(rules) > 0 {
		c.tell(rules, &e, version)
	}
}

// event returns what all events of the request have.
func (c *call) event(b *storage.Bucket) events.Event {
	e := events.Event{Time: c.s.Now(), Region: c.s.Region, Remote: c.ev.Remote, RequestID: c.ev.ID, UserAgent: c.ev.UserAgent,
		Bucket: b.Name, Owner: b.Owner, Deployment: c.s.Deployment}
	if c.id != nil {
		e.Principal = c.id.ID
	}
	if c.r != nil {
		e.Origin = "http://" + c.r.Host
		if c.ev.TLS {
			e.Origin = "https://" + c.r.Host
		}
	}
	return e
}

// describe adds to an event what it is about.
func describe(e *events.Event, b *storage.Bucket, o *storage.Object) {
	e.Key, e.Size, e.ETag, e.Version = o.Key, o.Size, o.ETag, ""
	if b.Versioning != storage.VersioningUnset {
		e.Version = o.VersionID
	}
	if o.ETag != "" {
		e.ContentType = defaultType // as readers are told
	}
	for _, a := range o.Attrs {
		switch {
		case a.Name == "content-type":
			e.ContentType = a.Value
		case strings.HasPrefix(a.Name, "x-amz-meta-"):
			if e.Metadata == nil {
				e.Metadata = map[string]string{}
			}
			e.Metadata[a.Name] = a.Value
		}
	}
}

// removed is happened for a deletion. One that found nothing to delete is told as well: the store does not say which.
func (c *call) removed(b *storage.Bucket, in *storage.DeleteInput, r *storage.DeleteResult) {
	name := events.RemovedDelete
	if r.DeleteMarker && in.Version == "" {
		name = events.RemovedDeleteMarker
	}
	c.happenedTo(name, b, &storage.Object{Key: in.Key, VersionID: r.VersionID}, in.Version)
}

// removes is what a deletion is about to do.
func removes(b *storage.Bucket, in *storage.DeleteInput) aboutTo {
	if b.Versioning != storage.VersioningUnset && in.Version == "" {
		return aboutTo{events.RemovedDeleteMarker, in.Key, ""}
	}
	return aboutTo{events.RemovedDelete, in.Key, in.Version}
}

// listenAlive is how often a stream without events sends a space, which readers of JSON lines skip:
// proxies keep the connection, and one that is gone shows. The parameter ping, which minio-go sends,
// asks for another number of seconds.
const (
	listenAlive = 5 * time.Second
	maxPing     = 3600
)

func (c *call) ping() (time.Duration, error) {
	v := c.query.Get("ping")
	if v == "" {
		return listenAlive, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 || n > maxPing {
		return 0, errorf("InvalidArgument", "ping is a number of seconds from 1 to %d.", maxPing).with("ArgumentName", "ping").with("ArgumentValue", v)
	}
	return time.Duration(n) * time.Second, nil
}

// listen streams the events of one bucket, or of all that are the caller's account's when the request names none, as MinIO
// does: one message in a line, until the client goes, may listen no longer, or the server stops.
func listen(c *call) error {
	f := events.Filter{Bucket: c.bucket, Prefix: c.query.Get("prefix"), Suffix: c.query.Get("suffix")}
	if c.bucket != "" {
		if _, err := c.needBucket(); err != nil {
			return err
		}
	}
	for _, v := range c.query["events"] {
		p, ok := events.ParsePattern(v)
		if !ok {
			return errorf("InvalidArgument", "A specified event is not supported for notifications.").with("ArgumentName", "events").with("ArgumentValue", v)
		}
		f.Names = append(f.Names, p)
	}
	alive, err := c.ping()
	if err != nil {
		return err
	}
	if c.s.Events == nil {
		return errorf("NotImplemented", "This server sends no events.")
	}
	owner := "" // anonymous listeners, whom a bucket policy let in, are one
	if c.id != nil {
		owner = c.id.Account + "/" + c.id.ID
	}
	keep := f.Match
	if c.bucket == "" && c.id != nil && !c.id.Root {
		account := c.id.Account
		keep = func(e *events.Event) bool { return e.Owner == account && f.Match(e) }
	}
	w, err := c.s.Events.Watch(owner, keep)
	if errors.Is(err, live.ErrTooMany) {
		return errorf("SlowDown", "You listen to too many streams already; end one of them.")
	}
	if err != nil {
		return err
	}
	defer w.Close()
	return c.sendEvents(w, alive)
}

// sendEvents is the stream itself, with a sign of life at least so often.
func (c *call) sendEvents(w *live.Watcher[events.Event], alive time.Duration) error {
	h := c.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("Connection", "close") // the end of a stream is the end of its connection
	c.ev.Status = http.StatusOK
	c.w.WriteHeader(http.StatusOK)
	out := json.NewEncoder(c.w)
	control := http.NewResponseController(c.w)
	tick := time.NewTicker(alive)
	defer tick.Stop()
	for {
		if len(w.Entries()) == 0 && control.Flush() != nil {
			return nil
		}
		select {
		case e, ok := <-w.Entries():
			if !ok || !c.listens() || out.Encode(e.Message()) != nil {
				return nil
			}
		case <-tick.C:
			if !c.listens() {
				return nil
			}
			if _, err := c.w.Write([]byte{' '}); err != nil {
				return nil
			}
		case <-c.ctx.Done():
			return nil
		}
	}
}

// listens tells whether the caller may still listen: since the stream began its credential, its rights and the bucket
// with its policy may have gone, and the name of the bucket may be another account's now.
func (c *call) listens() bool {
	id, err := c.s.IAM.Renewed(c.id)
	if err != nil {
		return false
	}
	if c.id = id; c.bucket == "" {
		return c.may("s3:ListenNotification", nil, storage.Ref{})
	}
	b, err := c.s.Backend.Bucket(c.ctx, c.bucket)
	return err == nil && c.may("s3:ListenBucketNotification", b, storage.Ref{Bucket: c.bucket})
}
