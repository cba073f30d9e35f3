package s3api

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/objsrv/objsrv/internal/events"
	"github.com/objsrv/objsrv/internal/lifecycle"
	"github.com/objsrv/objsrv/internal/reqlog"
	"github.com/objsrv/objsrv/storage"
)

// docLifecycle names the LifecycleConfiguration among a bucket's documents, as it is answered; docLifecycleSize the
// value of sizeHeader that came with it, and docLifecycleTime when.
const (
	docLifecycle     = storage.DocLifecycle
	docLifecycleSize = "lifecycle-minimum-size"
	docLifecycleTime = "lifecycle-updated"
)

// The time is told to MinIO's clients that ask for it.
const (
	updatedParam  = "withUpdatedAt"
	updatedHeader = "X-Minio-Lifecycleconfig-Updatedat"
	updatedForm   = "20060102T150405Z"
)

// sizeHeader says which objects are too small for a transition. There are none of those here, so it is kept and told
// again, which Terraform waits for.
const (
	sizeHeader  = "X-Amz-Transition-Default-Minimum-Object-Size"
	sizeDefault = "all_storage_classes_128K"
	sizeVaries  = "varies_by_storage_class"
)

// lifecycleRules are the rules of a bucket that has the document.
type lifecycleRules struct {
	rules      *lifecycle.Rules
	unreadable bool
}

func getBucketLifecycle(c *call) error {
	b, err := c.needBucket()
	if err != nil {
		return err
	}
	if b.Docs[docLifecycle] != nil {
		size := string(b.Docs[docLifecycleSize])
		if size == "" {
			size = sizeDefault
		}
		c.w.Header().Set(sizeHeader, size)
		if c.query.Has(updatedParam) {
			c.w.Header().Set(updatedHeader, string(b.Docs[docLifecycleTime]))
		}
	}
	return c.replyDoc(docLifecycle, "NoSuchLifecycleConfiguration")
}

func putBucketLifecycle(c *call) error {
	if _, err := c.needBucket(); err != nil {
		return err
	}
	size := c.r.Header.Get(sizeHeader)
	if size != "" && size != sizeDefault && size != sizeVaries {
		return errorf("InvalidArgument", "%s is %s or %s.", sizeHeader, sizeDefault, sizeVaries).with("ArgumentName", sizeHeader).with("ArgumentValue", size)
	}
	data, err := c.readBody(maxXML, false)
	if err != nil {
		return err
	}
	if err := c.s.setLifecycle(c.ctx, c.bucket, data, size); err != nil {
		return err
	}
	return c.reply(http.StatusOK)
}

func deleteBucketLifecycle(c *call) error {
	if _, err := c.needBucket(); err != nil {
		return err
	}
	if c.b.Docs[docLifecycle] == nil {
		return c.reply(http.StatusNoContent)
	}
	if err := c.s.dropLifecycle(c.ctx, c.bucket); err != nil {
		return err
	}
	return c.reply(http.StatusNoContent)
}

// setLifecycle judges a configuration and gives it to a bucket.
func (s *Server) setLifecycle(ctx context.Context, bucket string, data []byte, size string) error {
	conf, _, err := parseLifecycle(data, rand.Text)
	if err != nil {
		return err
	}
	if s.Lifecycle == nil {
		return errorf("NotImplemented", "This server has no lifecycle: it stands before another one. Put the rules into the bucket of that one.")
	}
	s.ruling.Lock()
	defer s.ruling.Unlock()
	err = s.Backend.UpdateBucket(ctx, bucket, func(b *storage.Bucket) error {
		lifecycle.SetRules(b, conf.write())
		b.Docs[docLifecycleTime] = []byte(s.Now().UTC().Format(updatedForm))
		delete(b.Docs, docLifecycleSize)
		if size != "" && size != sizeDefault {
			b.Docs[docLifecycleSize] = []byte(size)
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.Lifecycle.Changed()
	return nil
}

// dropLifecycle takes the configuration of a bucket away.
func (s *Server) dropLifecycle(ctx context.Context, bucket string) error {
	s.ruling.Lock()
	defer s.ruling.Unlock()
	err := s.Backend.UpdateBucket(ctx, bucket, func(b *storage.Bucket) error {
		lifecycle.SetRules(b, nil)
		delete(b.Docs, docLifecycleSize)
		delete(b.Docs, docLifecycleTime)
		return nil
	})
	if err != nil {
		return err
	}
	if cal, ok := s.Backend.(storage.Calendar); ok {
		const never = 1 << 40
		if err := cal.DropNotes(ctx, bucket, never); err != nil {
			return err
		}
	}
	if s.Lifecycle != nil {
		s.Lifecycle.Changed()
	}
	return nil
}

// readLifecycle reads a stored configuration.
func readLifecycle(doc []byte) lifecycleRules {
	n := 0
	_, rules, err := parseLifecycle(doc, func() string { n++; return fmt.Sprint("rule-", n) })
	return lifecycleRules{rules: rules, unreadable: err != nil}
}

// LifecycleRules returns the rules of a bucket that has any. Nothing is deleted by what can't be read.
func (s *Server) LifecycleRules(b *storage.Bucket) (*lifecycle.Rules, error) {
	l := s.settings(b).lifecycle
	if l.unreadable {
		return nil, errors.New("the lifecycle configuration can't be read; put it again")
	}
	if l.rules == nil {
		return &lifecycle.Rules{}, nil
	}
	return l.rules, nil
}

// Locked tells whether retention or a legal hold keeps a version from being deleted at a time, and until when; the zero
// time for as long as the hold is on.
func Locked(o *storage.Object, now time.Time) (until time.Time, locked bool) {
	l := lockOf(o)
	switch {
	case l.hold:
		return time.Time{}, true
	case l.mode != "" && l.until.After(now):
		return l.until, true
	}
	return time.Time{}, false
}

// setExpiration tells when the current version of an object will expire.
func (c *call) setExpiration(b *storage.Bucket, o *storage.Object) {
	if b.Docs[docLifecycle] == nil || !o.Latest {
		return
	}
	if rules := c.s.settings(b).lifecycle.rules; rules != nil {
		if due, id, ok := rules.Expiration(o); ok {
			c.w.Header().Set("X-Amz-Expiration", fmt.Sprintf("expiry-date=%q, rule-id=%q", httpTime(due), url.PathEscape(id)))
		}
	}
}

// setAbort tells when an upload will be ended.
func (c *call) setAbort(b *storage.Bucket, u *storage.Upload) {
	if b.Docs[docLifecycle] == nil {
		return
	}
	if rules := c.s.settings(b).lifecycle.rules; rules != nil {
		if due, id, ok := rules.Abort(u.Key, u.Begun); ok {
			c.w.Header().Set("X-Amz-Abort-Date", httpTime(due))
			c.w.Header().Set("X-Amz-Abort-Rule-Id", url.PathEscape(id))
		}
	}
}

// AnnounceLifecycle notes for the targets of a bucket what rules are about to delete. Listeners and targets learn of each
// removal under the name that AWS has for it and under that of MinIO, which is the one of a request.
func (s *Server) AnnounceLifecycle(_ context.Context, b *storage.Bucket, list []lifecycle.Removal) (lifecycle.Announced, error) {
	a := &announced{call: call{s: s, ev: &reqlog.Event{UserAgent: "objsrv lifecycle"}}, b: b, list: list}
	if len(s.notificationRules(b)) == 0 {
		return a, nil
	}
	var about []aboutTo
	for i := range list {
		in, ok := a.input(i)
		if !ok {
			continue
		}
		r := removes(b, &in)
		for _, name := range expiries(r.name == events.RemovedDeleteMarker) {
			about = append(about, aboutTo{name, r.key, r.version})
		}
	}
	return a, a.expect(b, about...)
}

// announced are removals by rules; it implements lifecycle.Announced. Its call has no request.
type announced struct {
	call
	b    *storage.Bucket
	list []lifecycle.Removal
}

// input is a removal as a request would ask for it; ok is false for one that nobody is told of.
func (a *announced) input(i int) (in storage.DeleteInput, ok bool) {
	r := &a.list[i]
	in.Key = r.Object.Key
	if r.Action != lifecycle.Expire {
		in.Version = r.Object.VersionID
	}
	return in, r.Action != lifecycle.AbortUpload
}

func expiries(marker bool) [2]events.Name {
	if marker {
		return [2]events.Name{events.ExpiredDeleteMarker, events.RemovedDeleteMarker}
	}
	return [2]events.Name{events.ExpiredDelete, events.RemovedDelete}
}

// Removed implements lifecycle.Announced.
func (a *announced) Removed(i int, marker string) {
	in, ok := a.input(i)
	if !ok {
		return
	}
	o := storage.Object{Key: in.Key, VersionID: a.list[i].Object.VersionID}
	if marker != "" {
		o.VersionID = marker
	}
	for _, name := range expiries(marker != "") {
		a.happenedTo(name, a.b, &o, in.Version)
	}
}

// End implements lifecycle.Announced.
func (a *announced) End(unknown bool) {
	if a.expected.by != nil {
		a.expected.by.End(unknown)
	}
}
