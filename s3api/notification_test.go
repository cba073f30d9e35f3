package s3api

import (
	"context"
	"crypto/md5"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/objsrv/objsrv/internal/events"
	"github.com/objsrv/objsrv/internal/lifecycle"
	"github.com/objsrv/objsrv/internal/notify"
	"github.com/objsrv/objsrv/storage"
)

// sink is a target that keeps what it gets.
type sink struct {
	mu   sync.Mutex
	got  []string
	more chan struct{}
}

func (s *sink) Send(_ context.Context, list []notify.Message) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range list {
		s.got = append(s.got, fmt.Sprintf("%s %s %d", m.Event.Name, m.Key(), m.Event.Size))
	}
	select {
	case s.more <- struct{}{}:
	default:
	}
	return len(list), nil
}
func (s *sink) Check(context.Context) error { return nil }
func (s *sink) Addresses() []string         { return nil }
func (s *sink) Close() error                { return nil }

// wait returns what has come once those are n events.
func (s *sink) wait(t *testing.T, n int) []string {
	t.Helper()
	for {
		s.mu.Lock()
		got := slices.Clone(s.got)
		s.mu.Unlock()
		if len(got) >= n {
			return got
		}
		select {
		case <-s.more:
		case <-t.Context().Done():
			t.Fatal("the server has stopped")
		}
	}
}

// targets gives the server two targets, fake:1 and fake:2.
func (e *env) targets(t *testing.T) (*notify.Hub, []*sink) {
	t.Helper()
	var sinks []*sink
	var list []notify.Config
	for _, id := range []string{"1", "2"} {
		s := &sink{more: make(chan struct{}, 1)}
		sinks = append(sinks, s)
		list = append(list, notify.Config{Kind: "fake", ID: id, Target: s, Dir: t.TempDir() + "/q", Limit: 1000})
	}
	h, err := notify.Open(list, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	e.s.Notifier = h
	h.Start(t.Context(), e.s.Expected)
	return h, sinks
}

const fakeARN = "arn:minio:sqs::1:fake"

func queueXML(arn, more string, names ...string) string {
	var b strings.Builder
	b.WriteString("<QueueConfiguration><Queue>" + arn + "</Queue>")
	for _, n := range names {
		b.WriteString("<Event>" + n + "</Event>")
	}
	return b.String() + more + "</QueueConfiguration>"
}

func notificationXML(queues ...string) string {
	return "<NotificationConfiguration>" + strings.Join(queues, "") + "</NotificationConfiguration>"
}

func filterXML(rules ...string) string {
	var b strings.Builder
	for i := 0; i < len(rules); i += 2 {
		b.WriteString("<FilterRule><Name>" + rules[i] + "</Name><Value>" + rules[i+1] + "</Value></FilterRule>")
	}
	return "<Filter><S3Key>" + b.String() + "</S3Key></Filter>"
}

// TestNotificationConfiguration: what MinIO takes is taken, what it refuses is refused with its words; topics and
// functions, which it refuses too, are 501 here. S-240: 101 rules.
func TestNotificationConfiguration(t *testing.T) {
	e := newEnv(t)
	put := func(doc string) *answered { return e.do("PUT", "/bkt?notification", doc) }
	if a := put(notificationXML()); a.status != 200 {
		t.Errorf("the empty one without targets: %d %s", a.status, a.body)
	}
	if a := put(notificationXML(queueXML(fakeARN, "", "s3:ObjectCreated:*"))); a.code() != "InvalidArgument" {
		t.Errorf("a target where there are none: %s", a.body)
	}
	e.targets(t)
	const created, all = "s3:ObjectCreated:Put", "s3:ObjectCreated:*"
	var many []string
	for i := range maxNotificationRules + 1 {
		many = append(many, queueXML(fakeARN, filterXML("prefix", fmt.Sprint(i, "/")), created))
	}
	for _, row := range []struct{ doc, code string }{
		{notificationXML(queueXML(fakeARN, "", all)), ""},
		{notificationXML(queueXML("arn:minio:sqs:us-east-1:1:fake", "", all)), ""},
		{notificationXML(queueXML(fakeARN, "<Id>a</Id>"+filterXML("prefix", "in/", "suffix", ".jpg"), all, "s3:ObjectRemoved:*", "s3:ObjectAccessed:*")), ""},
		{notificationXML(queueXML(fakeARN, filterXML("Prefix", "in/"), all), queueXML(fakeARN, "", all)), ""}, // told once, as in MinIO
		{notificationXML(queueXML(fakeARN, "", all), queueXML("arn:minio:sqs::2:fake", "", all)), ""},
		{notificationXML(many[1:]...), ""},
		{notificationXML(many...), "MalformedXML"},
		{notificationXML(queueXML("arn:minio:sqs::3:fake", "", all)), "InvalidArgument"},
		{notificationXML(queueXML("arn:minio:sqs::1:none", "", all)), "InvalidArgument"},
		{notificationXML(queueXML("arn:minio:sqs:eu-west-1:1:fake", "", all)), "InvalidArgument"},
		{notificationXML(queueXML("arn:aws:sqs:us-east-1:123456789012:q", "", all)), "InvalidArgument"},
		{notificationXML(queueXML("", "", all)), "InvalidArgument"},
		{notificationXML(queueXML(fakeARN, "", "s3:Bogus:*")), "InvalidArgument"},
		{notificationXML(queueXML(fakeARN, "", "s3:Replication:*")), "InvalidArgument"}, // never sent
		{notificationXML(queueXML(fakeARN, "")), "MalformedXML"},
		{notificationXML(queueXML(fakeARN, "", created, created)), "InvalidArgument"},
		{notificationXML(queueXML(fakeARN, "", all, created)), "InvalidArgument"},
		{notificationXML(queueXML(fakeARN, "", all), queueXML(fakeARN, "", created)), "InvalidArgument"},
		{notificationXML(queueXML(fakeARN, "<Id>a</Id>", all), queueXML("arn:minio:sqs::2:fake", "<Id>a</Id>", all)), "InvalidArgument"},
		{notificationXML(queueXML(fakeARN, filterXML("prefix", "a", "prefix", "b"), all)), "InvalidArgument"},
		{notificationXML(queueXML(fakeARN, filterXML("infix", "a"), all)), "InvalidArgument"},
		{notificationXML(queueXML(fakeARN, filterXML("prefix", strings.Repeat("a", maxFilterValue+1)), all)), "InvalidArgument"},
		{notificationXML("<TopicConfiguration><Topic>" + fakeARN + "</Topic><Event>" + all + "</Event></TopicConfiguration>"), "NotImplemented"},
		{notificationXML("<CloudFunctionConfiguration><CloudFunction>" + fakeARN + "</CloudFunction><Event>" + all + "</Event></CloudFunctionConfiguration>"), "NotImplemented"},
		{notificationXML("<EventBridgeConfiguration/>"), "NotImplemented"},
		{"<NotificationConfiguration>", "MalformedXML"},
		{"<Other/>", "MalformedXML"},
	} {
		before := e.must(200, "GET", "/bkt?notification", "").body
		a := put(row.doc)
		if a.code() != row.code {
			t.Errorf("%.300s: %d %s", row.doc, a.status, a.body)
		}
		after := e.must(200, "GET", "/bkt?notification", "").body
		if row.code != "" && after != before {
			t.Errorf("%.300s: refused, and changed", row.doc)
		}
	}
	e.must(200, "PUT", "/bkt?notification", notificationXML(queueXML(fakeARN, "<Id>my &amp; id</Id>"+filterXML("SUFFIX", "&lt;x"), created)))
	const want = `<QueueConfiguration><Id>my &amp; id</Id><Queue>` + fakeARN + `</Queue><Event>s3:ObjectCreated:Put</Event><Filter><S3Key><FilterRule><Name>suffix</Name><Value>&lt;x</Value></FilterRule></S3Key></Filter></QueueConfiguration>`
	if got := e.must(200, "GET", "/bkt?notification", "").body; !strings.Contains(got, want) {
		t.Errorf("%s", got)
	}
	e.must(200, "PUT", "/bkt?notification", notificationXML())
	if got := e.must(200, "GET", "/bkt?notification", "").body; strings.Contains(got, "Queue") {
		t.Errorf("not removed: %s", got)
	}
	e.iam.deny = denyActions("s3:PutBucketNotification")
	e.refused(403, "AccessDenied", "PUT", "/bkt?notification", notificationXML())
	e.iam.deny = denyActions("s3:GetBucketNotification")
	e.refused(403, "AccessDenied", "GET", "/bkt?notification", "")
}

// TestNotifications does one of everything in a bucket with rules: each target has what its rules ask for, once, and
// nothing of what was refused.
func TestNotifications(t *testing.T) {
	e := newEnv(t)
	h, sinks := e.targets(t)
	e.bucket("ver", storage.VersioningEnabled)
	conf := notificationXML(
		queueXML(fakeARN, "", "s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:ObjectAccessed:Get", "s3:ObjectTagging:*"),
		queueXML(fakeARN, filterXML("prefix", "a"), "s3:ObjectCreated:*"),
		queueXML("arn:minio:sqs::2:fake", filterXML("suffix", ".txt"), "s3:ObjectCreated:PutTagging", "s3:ObjectCreated:Put"))
	e.must(200, "PUT", "/bkt?notification", conf)
	e.must(200, "PUT", "/ver?notification", conf)
	e.must(200, "PUT", "/bkt/a%20b.txt", "one")
	e.refused(412, "PreconditionFailed", "PUT", "/bkt/a%20b.txt", "two", "If-None-Match: *")
	e.must(200, "PUT", "/bkt/c", "", "X-Amz-Copy-Source: /bkt/a%20b.txt")
	e.must(200, "GET", "/bkt/c", "")
	e.must(200, "HEAD", "/bkt/c", "")
	e.must(200, "PUT", "/bkt/a%20b.txt?tagging", "<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>")
	e.refused(404, "NoSuchKey", "PUT", "/bkt/none.txt?tagging", "<Tagging><TagSet></TagSet></Tagging>")
	body := `<Delete><Object><Key>c</Key></Object><Object><Key>a b.txt</Key><ETag>"no"</ETag></Object></Delete>`
	sum := md5.Sum([]byte(body))
	e.must(200, "POST", "/bkt?delete", body, "Content-Md5: "+base64.StdEncoding.EncodeToString(sum[:]))
	v := e.must(200, "PUT", "/ver/k", "four").Get("X-Amz-Version-Id")
	e.must(204, "DELETE", "/ver/k", "")
	e.must(204, "DELETE", "/ver/k?versionId="+v, "")
	want := []string{"s3:ObjectCreated:Put bkt/a b.txt 3", "s3:ObjectCreated:Copy bkt/c 3", "s3:ObjectAccessed:Get bkt/c 3", "s3:ObjectTagging:Put bkt/a b.txt 3", "s3:ObjectRemoved:Delete bkt/c 0",
		"s3:ObjectCreated:Put ver/k 4", "s3:ObjectRemoved:DeleteMarkerCreated ver/k 0", "s3:ObjectRemoved:Delete ver/k 0"}
	if got := sinks[0].wait(t, len(want)); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if got := sinks[1].wait(t, 2); !slices.Equal(got, []string{want[0], "s3:ObjectCreated:PutTagging bkt/a b.txt 3"}) {
		t.Errorf("%q", got)
	}
	for _, s := range h.Status() {
		if s.Expected != 0 || s.Dropped != 0 {
			t.Errorf("%+v", s)
		}
	}
}

// deaf is a notifier whose queue can't be written.
type deaf struct{}

func (deaf) Known(string) bool                                  { return true }
func (deaf) Expect([]events.Addressed) (events.Expected, error) { return nil, errors.New("no disk") }
func (deaf) Send(events.Addressed, bool) error                  { return errors.New("no disk") }

// TestNotificationsOrNothing: what can't be promised to the targets of a bucket is not done.
func TestNotificationsOrNothing(t *testing.T) {
	e := newEnv(t)
	e.must(200, "PUT", "/bkt/k", "old")
	e.s.Notifier = deaf{}
	e.must(200, "PUT", "/bkt?notification", notificationXML(queueXML(fakeARN, "", "s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:ObjectAccessed:*")))
	e.refused(503, "ServiceUnavailable", "PUT", "/bkt/k", "new")
	e.refused(503, "ServiceUnavailable", "PUT", "/bkt/k2", "", "X-Amz-Copy-Source: /bkt/k")
	e.refused(503, "ServiceUnavailable", "DELETE", "/bkt/k", "")
	if got := e.must(200, "GET", "/bkt/k", "").body; got != "old" {
		t.Errorf("%q", got)
	}
	e.refused(404, "NoSuchKey", "GET", "/bkt/k2", "")
	e.bucket("other", storage.VersioningUnset)
	e.must(200, "PUT", "/other/k", "new")
}

// TestExpected: after a crash the store tells what has become of what was expected.
func TestExpected(t *testing.T) {
	e := newEnv(t)
	e.bucket("ver", storage.VersioningEnabled)
	e.must(200, "PUT", "/bkt/old", "x")
	e.must(200, "PUT", "/ver/gone", "x")
	kept := e.must(200, "PUT", "/ver/kept", "x").Get("X-Amz-Version-Id")
	e.now = e.now.Add(time.Hour)
	begin := e.now
	e.now = e.now.Add(time.Second)
	e.must(200, "PUT", "/bkt/new", "new")
	e.must(200, "PUT", "/bkt/newer", "x")
	first := e.must(200, "PUT", "/ver/k", "1").Get("X-Amz-Version-Id")
	second := e.must(200, "PUT", "/ver/k", "22").Get("X-Amz-Version-Id")
	marker := e.must(204, "DELETE", "/ver/gone", "").Get("X-Amz-Version-Id")
	for _, row := range []struct {
		name                 events.Name
		bucket, key, version string
		want                 []string // versions and sizes
	}{
		{events.CreatedPut, "bkt", "new", "", []string{" 3"}},
		{events.CreatedPut, "bkt", "old", "", nil},
		{events.CreatedPut, "bkt", "ne", "", nil},
		{events.CreatedCopy, "none", "k", "", nil},
		{events.CreatedComplete, "ver", "k", "", []string{second + " 2", first + " 1"}},
		{events.RemovedDelete, "bkt", "never", "", []string{" 0"}},
		{events.RemovedDelete, "bkt", "old", "", nil},
		{events.RemovedDelete, "ver", "kept", kept, nil},
		{events.RemovedDelete, "ver", "kept", "0000", []string{"0000 0"}},
		{events.RemovedDeleteMarker, "ver", "gone", "", []string{marker + " 0"}},
		{events.RemovedDeleteMarker, "ver", "kept", "", nil},
		{events.ExpiredDelete, "bkt", "never", "", []string{" 0"}},
		{events.ExpiredDelete, "bkt", "old", "", nil},
		{events.ExpiredDelete, "ver", "kept", kept, nil},
		{events.ExpiredDelete, "ver", "kept", "0000", []string{"0000 0"}},
		{events.ExpiredDeleteMarker, "ver", "gone", "", []string{marker + " 0"}},
		{events.ExpiredDeleteMarker, "ver", "kept", "", nil},
		{events.TaggingPut, "bkt", "old", "", []string{" 1"}},
		{events.TaggingPut, "bkt", "never", "", nil},
		{events.CreatedRetention, "ver", "kept", kept, []string{kept + " 1"}},
	} {
		list, err := e.s.Expected(t.Context(), events.Event{Name: row.name, Bucket: row.bucket, Key: row.key, Version: row.version, Time: begin})
		var got []string
		for _, e := range list {
			got = append(got, fmt.Sprint(e.Version, " ", e.Size))
		}
		if err != nil || !slices.Equal(got, row.want) {
			t.Errorf("%s %s/%s %s: %q, %v", row.name, row.bucket, row.key, row.version, got, err)
		}
	}
}

// TestLifecycleDies: a server that dies while rules delete, before or after the deletion, tells of it after the next start if
// it is done, and else not.
func TestLifecycleDies(t *testing.T) {
	e := newEnv(t)
	dir, s := t.TempDir(), &sink{more: make(chan struct{}, 1)}
	open := func() *notify.Hub {
		h, err := notify.Open([]notify.Config{{Kind: "fake", ID: "1", Target: s, Dir: dir + "/q", Limit: 1000}}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		e.s.Notifier = h
		return h
	}
	h := open()
	e.bucket("ver", storage.VersioningEnabled)
	for _, b := range []string{"bkt", "ver"} {
		e.must(200, "PUT", "/"+b+"?notification", notificationXML(queueXML("arn:minio:sqs::1:fake", "", "s3:LifecycleExpiration:*", "s3:ObjectRemoved:*")))
		e.must(200, "PUT", "/"+b+"/done", "x")
		e.must(200, "PUT", "/"+b+"/undone", "x")
	}
	e.now = e.now.Add(24 * time.Hour)
	for _, b := range []string{"bkt", "ver"} {
		bucket, err := e.s.Backend.Bucket(t.Context(), b)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.s.AnnounceLifecycle(t.Context(), bucket, []lifecycle.Removal{
			{Action: lifecycle.Expire, Object: storage.Object{Key: "done"}}, {Action: lifecycle.Expire, Object: storage.Object{Key: "undone"}}}); err != nil {
			t.Fatal(err)
		}
		if res, err := e.s.Backend.DeleteObjects(t.Context(), b, []storage.DeleteInput{{Key: "done"}}); err != nil || res[0].Err != nil {
			t.Fatal(res, err)
		}
	}
	if err := h.Close(); err != nil { // without a word about the removals
		t.Fatal(err)
	}
	h = open()
	defer h.Close()
	h.Start(t.Context(), e.s.Expected)
	got := s.wait(t, 4)
	slices.Sort(got)
	if want := []string{"s3:LifecycleExpiration:Delete bkt/done 0", "s3:LifecycleExpiration:DeleteMarkerCreated ver/done 0", "s3:ObjectRemoved:Delete bkt/done 0",
		"s3:ObjectRemoved:DeleteMarkerCreated ver/done 0"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if st := h.Status()[0]; st.Expected != 0 {
		t.Errorf("%+v", st)
	}
}
