package adminapi

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/iam/config"
	"github.com/objsrv/objsrv/iam/store/mem"
	"github.com/objsrv/objsrv/internal/live"
	"github.com/objsrv/objsrv/internal/reqlog"
)

// testHost is a Host with nothing behind it but what tests set.
type testHost struct {
	requests  live.Feed[live.Trace]
	log       live.Log
	history   *live.History
	settings  *config.Service
	quotas    map[string]int64
	objects   int64 // the quota of all buckets
	restarted int
	owned     map[string][]string
	ran       int // lifecycle runs asked for
	checked   []string
}

func newTestHost(t *testing.T) *testHost {
	t.Helper()
	st := mem.Open()
	t.Cleanup(func() { st.Close() })
	return &testHost{
		history: live.NewHistory(func() live.Gauges { return live.Gauges{Memory: 5, DiskFree: 6} }, nil),
		quotas:  map[string]int64{"public": 0},
		settings: config.New(st, []config.Subsystem{{Name: "site", Description: "the site", Keys: []config.Key{
			{Name: "region", Type: "string", Description: "its region", Default: "us-east-1", Check: func(v string) error {
				if strings.Contains(v, "!") {
					return errors.New("not a region")
				}
				return nil
			}},
			{Name: "name", Type: "string", Description: "its name"},
		}}}, map[string]config.Override{"site name": {From: "OBJSRV_SITE_NAME", Value: "given"}}),
	}
}

func (h *testHost) Server(context.Context) (Server, error) {
	return Server{Version: "v1", Domains: []string{}, Settings: []Setting{}, Warnings: []string{}}, nil
}
func (h *testHost) History() *live.History           { return h.history }
func (h *testHost) Requests() *live.Feed[live.Trace] { return &h.requests }
func (h *testHost) Log() *live.Log                   { return &h.log }
func (h *testHost) Settings() *config.Service        { return h.settings }
func (h *testHost) Restart()                         { h.restarted++ }

func (h *testHost) BucketsOf(_ context.Context, account string) ([]string, error) {
	return append([]string{}, h.owned[account]...), nil
}

func (h *testHost) Usage(context.Context) ([]BucketUsage, error) {
	return []BucketUsage{{Name: "a", Objects: 1, Versions: 2, DeleteMarkers: 3, Bytes: 4}, {Name: "b", Objects: 10, Versions: 20, DeleteMarkers: 30, Bytes: 40, Quota: 100}}, nil
}

func (h *testHost) PrefixUsage(_ context.Context, bucket, prefix string) (PrefixUsage, error) {
	if bucket == "broken" {
		return PrefixUsage{}, errors.New("secret detail")
	}
	return PrefixUsage{Bucket: bucket, Prefix: prefix, Children: []ChildUsage{}}, nil
}

func (h *testHost) Quota(_ context.Context, bucket string) (Quota, error) {
	quota, ok := h.quotas[bucket]
	if !ok {
		return Quota{}, &Refusal{Status: 404, Code: "NoSuchBucket", Message: "It does not exist."}
	}
	return Quota{bucket, quota, 7, h.objects, 3}, nil
}

func (h *testHost) SetQuota(ctx context.Context, bucket string, q SetQuota) error {
	if _, err := h.Quota(ctx, bucket); err != nil {
		return err
	}
	if q.Quota != nil {
		h.quotas[bucket] = *q.Quota
	}
	if q.Objects != nil {
		h.objects = *q.Objects
	}
	return nil
}

func (h *testHost) LifecycleStatus(_ context.Context, bucket string) (*LifecycleStatus, error) {
	if bucket != "public" {
		return nil, &Refusal{Status: 404, Code: "NoSuchLifecycleConfiguration", Message: "It has none."}
	}
	return &LifecycleStatus{Bucket: bucket, Rules: []LifecycleRule{{ID: "r", Enabled: true, Expired: int64(h.ran)}}}, nil
}

func (h *testHost) LifecyclePreview(_ context.Context, in LifecycleQuery) (*LifecyclePreview, error) {
	return &LifecyclePreview{Planned: []LifecyclePlan{{Key: in.Cursor, Size: int64(in.Limit), Due: in.Until}}, Next: "more"}, nil
}

func (h *testHost) LifecycleRun(context.Context, string) error { h.ran++; return nil }

func (h *testHost) Providers() []Provider {
	return []Provider{
		{ID: "ldap", Kind: "ldap", Settings: []ProviderSetting{}, State: ProviderUnused}, {ID: "openid:corp", Kind: "openid", Settings: []ProviderSetting{}, State: ProviderOK},
	}
}

func (h *testHost) CheckProvider(_ context.Context, id string) error {
	if !slices.ContainsFunc(h.Providers(), func(p Provider) bool { return p.ID == id }) {
		return &Refusal{Status: 404, Code: "NoSuchProvider", Message: "none"}
	}
	h.checked = append(h.checked, id)
	return nil
}

// ask sends a request as root and decodes the answer.
func (s *server) ask(t *testing.T, method, path, body string, status int, v any) {
	t.Helper()
	w := s.send(root, method, path, body)
	if w.Code != status {
		t.Fatalf("%s %s %s: %d %s", method, path, body, w.Code, w.Body)
	}
	if v != nil {
		if err := json.Unmarshal(w.Body.Bytes(), v); err != nil {
			t.Fatalf("%s: %v in %s", path, err, w.Body)
		}
	}
}

func TestServerAndUsage(t *testing.T) {
	s := newServer(t)
	s.user(t, "alice")
	s.session(t, "alice", nil)
	var srv Server
	if s.ask(t, "GET", "server", "", 200, &srv); srv.Version != "v1" || srv.Identities.Users != 1 || srv.Identities.Sessions != 1 || srv.Identities.Keys != 1 || srv.Identities.Policies < 5 {
		t.Errorf("%+v", srv)
	}
	var u Usage
	if s.ask(t, "GET", "usage", "", 200, &u); u.Objects != 11 || u.Versions != 22 || u.DeleteMarkers != 33 || u.Bytes != 44 || len(u.Buckets) != 2 {
		t.Errorf("%+v", u)
	}
	var p PrefixUsage
	if s.ask(t, "GET", "usage?bucket=b&prefix=a%2F", "", 200, &p); p.Bucket != "b" || p.Prefix != "a/" {
		t.Errorf("%+v", p)
	}
	for path, code := range map[string]string{
		"usage?prefix=a": "InvalidArgument", "usage?bucket=": "InvalidArgument", "usage?bucket=broken": "InternalError", "usage?bucket=a&bucket=b": "InvalidArgument",
		"metrics/history?minutes=0": "InvalidArgument", "metrics/history?minutes=1441": "InvalidArgument", "metrics/history?minutes=x": "InvalidArgument",
		"log?last=1001": "InvalidArgument", "log?last=-1": "InvalidArgument", "log?level=debug": "InvalidArgument", "log?follow=yes": "InvalidArgument",
		"trace?status=9xx": "InvalidArgument", "trace?status=4x": "InvalidArgument", "trace?status=-1x": "InvalidArgument", "trace?status=4xxx": "InvalidArgument", "trace?status=700": "InvalidArgument",
		"trace?slow=fast": "InvalidArgument", "trace?slow=-1": "InvalidArgument", "trace?slow=NaN": "InvalidArgument", "trace?errors=1": "InvalidArgument", "trace?headers=": "InvalidArgument", "trace?all=true": "InvalidArgument",
		"config/none": "NoSuchSubsystem", "providers/none": "NoSuchProvider", "buckets/none/quota": "NoSuchBucket",
	} {
		wantError(t, s.send(root, "GET", path, ""), code)
	}
	s.ask(t, "POST", "restart", "{}", 202, nil)
	s.ask(t, "POST", "restart", "", 202, nil)
	wantError(t, s.send(root, "POST", "restart", `{"now":true}`), "MalformedJSON")
	if s.host.restarted != 2 {
		t.Errorf("restarted %d times", s.host.restarted)
	}
}

func TestHistoryRoute(t *testing.T) {
	s := newServer(t)
	now := time.Now()
	s.host.history.Add(&reqlog.Event{Op: "GetObject", Status: 404, Start: now.Add(-100 * time.Millisecond), BytesIn: 2, BytesOut: 3})
	var h History
	s.ask(t, "GET", "metrics/history?minutes=2", "", 200, &h)
	if len(h.Samples) != 1 || h.Samples[0].Requests != 1 || h.Samples[0].Errors4xx != 1 || h.Samples[0].BytesOut != 3 || h.Samples[0].P99ms < 100 || h.Samples[0].MemoryBytes != 5 || h.Interval != 60 {
		t.Errorf("%+v", h)
	}
}

func TestConfigRoutes(t *testing.T) {
	s := newServer(t)
	var list SettingsList
	s.ask(t, "GET", "config", "", 200, &list)
	if len(list.Subsystems) != 1 || list.Subsystems[0].Keys[0].Default != "us-east-1" || list.Subsystems[0].Keys[1].Override.Value != "given" {
		t.Errorf("%+v", list)
	}
	value := func(key string) string {
		t.Helper()
		var sub Subsystem
		s.ask(t, "GET", "config/site", "", 200, &sub)
		for _, k := range sub.Keys {
			if k.Key == key {
				return k.Value
			}
		}
		t.Fatalf("no key %s", key)
		return ""
	}
	var changed ChangedConfig
	s.ask(t, "PUT", "config/site", `{"values":{"region":"eu 'x' =1","comment":"why"}}`, 200, &changed)
	if !changed.Restart || value("region") != "eu 'x' =1" || value("comment") != "why" || value("name") != "" {
		t.Errorf("%+v", changed)
	}
	for _, body := range []string{`{}`, `{"values":{}}`, `{"values":{"region":"a!"}}`, `{"values":{"none":"x"}}`, `{"values":{"region":"a\"b"}}`, `{"values":{"region":"a\nb"}}`, `{"values":{"region":7}}`, `{"values":{"region":"b","comment":"a\u0000"}}`} {
		if w := s.send(root, "PUT", "config/site", body); w.Code != 400 {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
	}
	if value("region") != "eu 'x' =1" {
		t.Error("a refused change has an effect")
	}
	// What is set here is what mc shows and its history brings back.
	if text, err := s.host.settings.Text(t.Context(), "site"); err != nil || !strings.Contains(text, `region="eu 'x' =1"`) {
		t.Errorf("%s, %v", text, err)
	}
	s.ask(t, "DELETE", "config/site?key=comment", "", 200, nil)
	if value("region") == "" || value("comment") != "" {
		t.Error("one key is reset")
	}
	s.ask(t, "PUT", "config/site", `{"values":{"name":"x"}}`, 200, nil)
	s.ask(t, "DELETE", "config/site", "", 200, nil)
	if value("region")+value("name") != "" {
		t.Error("all is reset")
	}
	history, err := s.host.settings.History(t.Context(), 0)
	if err != nil || len(history) != 2 {
		t.Fatalf("%+v, %v", history, err)
	}
	if err := s.host.settings.Restore(t.Context(), history[0].ID); err != nil || value("region") != "eu 'x' =1" {
		t.Errorf("restored %q, %v", value("region"), err)
	}
	wantError(t, s.send(root, "DELETE", "config/site?key=none", ""), "InvalidArgument")
	wantError(t, s.send(root, "DELETE", "config/site?key=", ""), "InvalidArgument")
	wantError(t, s.send(root, "PUT", "config/none", `{"values":{"a":"b"}}`), "NoSuchSubsystem")
}

func TestLifecycle(t *testing.T) {
	s := newServer(t)
	var st LifecycleStatus
	if s.ask(t, "GET", "lifecycle/public", "", 200, &st); st.Bucket != "public" || st.Rules[0].Expired != 0 {
		t.Errorf("%+v", st)
	}
	if s.ask(t, "POST", "lifecycle/public", "", 200, &st); st.Rules[0].Expired != 1 || s.host.ran != 1 {
		t.Errorf("%+v", st)
	}
	wantError(t, s.send(root, "GET", "lifecycle/other", ""), "NoSuchLifecycleConfiguration")
	wantError(t, s.send(root, "POST", "lifecycle/public", "{}"), "MalformedJSON")
	var p LifecyclePreview
	s.ask(t, "GET", "lifecycle/public/dry-run?until=2030-01-02T00:00:00Z&cursor=x&limit=7", "", 200, &p)
	if e := p.Planned[0]; e.Key != "x" || e.Size != 7 || e.Due.Day() != 2 || p.Next != "more" {
		t.Errorf("%+v", p)
	}
	for _, q := range []string{"limit=0", "limit=10001", "limit=x", "until=tomorrow", "other=1"} {
		wantError(t, s.send(root, "GET", "lifecycle/public/dry-run?"+q, ""), "InvalidArgument")
	}
}

func TestQuotaAndProviders(t *testing.T) {
	s := newServer(t)
	var q Quota
	if s.ask(t, "PUT", "buckets/public/quota", `{"quota":1000}`, 200, &q); q != (Quota{"public", 1000, 7, 0, 3}) {
		t.Errorf("%+v", q)
	}
	if s.ask(t, "PUT", "buckets/public/quota", `{"objects":5}`, 200, &q); q != (Quota{"public", 1000, 7, 5, 3}) {
		t.Errorf("%+v", q)
	}
	for _, body := range []string{`{"quota":0}`, `{"quota":-1}`, `{"quota":1.5}`, `{}`, `{"objects":0}`, `{"quota":5,"objects":-1}`, `{"quota":1,"type":"hard"}`, `{"quota":9223372036854775808}`} {
		if w := s.send(root, "PUT", "buckets/public/quota", body); w.Code != 400 || s.host.quotas["public"] != 1000 {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
	}
	for _, of := range []string{"of=", "of=bytes", "of=quota&of=objects", "or=quota"} {
		wantError(t, s.send(root, "DELETE", "buckets/public/quota?"+of, ""), "InvalidArgument")
	}
	if s.ask(t, "DELETE", "buckets/public/quota?of=objects", "", 200, &q); q != (Quota{"public", 1000, 7, 0, 3}) {
		t.Errorf("%+v", q)
	}
	s.ask(t, "PUT", "buckets/public/quota", `{"objects":5}`, 200, &q)
	if s.ask(t, "DELETE", "buckets/public/quota?of=quota", "", 200, &q); q != (Quota{"public", 0, 7, 5, 3}) {
		t.Errorf("%+v", q)
	}
	s.ask(t, "PUT", "buckets/public/quota", `{"quota":1000}`, 200, &q)
	q = Quota{}
	if s.ask(t, "DELETE", "buckets/public/quota", "", 200, &q); q != (Quota{"public", 0, 7, 0, 3}) {
		t.Errorf("%+v", q)
	}
	for i, provider := range []string{"corp", "corp", ""} {
		if _, _, err := s.svc.CreateSession(t.Context(), iam.NewSession{External: "openid:" + string(rune('a'+i)), Duration: time.Hour, Grants: &iam.Grants{Provider: provider}}); err != nil {
			t.Fatal(err)
		}
	}
	var list ProviderList
	s.ask(t, "GET", "providers", "", 200, &list)
	if len(list.Providers) != 2 || list.Providers[0].Sessions != 0 || list.Providers[1].Sessions != 3 {
		t.Errorf("%+v", list)
	}
	var p Provider
	if s.ask(t, "POST", "providers/openid%3Acorp/check", "{}", 200, &p); p.ID != "openid:corp" || !slices.Equal(s.host.checked, []string{"openid:corp"}) {
		t.Errorf("%+v, checked %v", p, s.host.checked)
	}
	wantError(t, s.send(root, "POST", "providers/none/check", "{}"), "NoSuchProvider")
	wantError(t, s.send(root, "POST", "providers/ldap/check", `{"x":1}`), "MalformedJSON")
}

// stream opens a stream as root over real HTTP.
func (s *server) stream(t *testing.T, srv *httptest.Server, path string) (*bufio.Scanner, *http.Response, context.CancelFunc) {
	t.Helper()
	return s.streamAs(t, srv, root, path)
}

func (s *server) streamAs(t *testing.T, srv *httptest.Server, user, path string) (*bufio.Scanner, *http.Response, context.CancelFunc) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, "GET", srv.URL+Prefix+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Test-User", user)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return bufio.NewScanner(resp.Body), resp, cancel
}

func TestTrace(t *testing.T) {
	s := newServer(t)
	s.host = newTestHost(t)
	s.h.(*handler).config.Host = s.host
	srv := httptest.NewServer(s.h)
	defer srv.Close()
	defer s.host.requests.Close() // before the server's
	begun := time.Now().Add(-time.Second)
	event := func(op, bucket, key, who string, status int) {
		s.host.requests.Publish(live.NewTrace(&reqlog.Event{
			ID: "R", Start: begun, Op: op, Method: "GET", URI: "/" + bucket + "/k?X-Amz-Signature=secret", Bucket: bucket, AccessKey: key, Principal: who, Status: status,
			Header: http.Header{"Authorization": {"secret"}, "Range": {"bytes=0-1"}}, Answer: http.Header{"Etag": {"x"}}, BytesOut: 3,
		}, begun.Add(20*time.Millisecond)))
	}
	type open struct {
		lines *bufio.Scanner
		want  []string
	}
	streams := map[string]open{}
	for query, want := range map[string][]string{
		"": {"GetObject", "PutObject", "STS:AssumeRole"}, "?internal=true": {"GetObject", "PutObject", "AdminListUsers", "STS:AssumeRole"}, "?op=GetObject": {"GetObject"}, "?op=P*": {"PutObject"},
		"?status=4xx": {"PutObject"}, "?status=200&bucket=b": {"GetObject"}, "?user=ali": {"GetObject"}, "?errors=true&slow=20": {"PutObject"},
	} {
		lines, resp, _ := s.stream(t, srv, "trace"+query)
		if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "application/x-ndjson" || !lines.Scan() || lines.Text() != `{"trace":"begins"}` {
			t.Fatalf("%s: %s %s", query, resp.Status, lines.Text())
		}
		streams[query] = open{lines, want}
	}
	event("GetObject", "b", "alice", "arn:aws:iam::1:user/alice", 200)
	event("PutObject", "c", "bob", "arn:aws:iam::1:user/bob", 403)
	event("AdminListUsers", "", "bob", "", 200)
	event("STS:AssumeRole", "", "carol", "", 200)
	s.host.requests.Close()
	for query, st := range streams {
		var got []string
		for st.lines.Scan() {
			var e TraceEntry
			if err := json.Unmarshal(st.lines.Bytes(), &e); err != nil {
				t.Fatalf("%s: %v in %s", query, err, st.lines.Text())
			}
			got = append(got, e.Op)
			if strings.Contains(st.lines.Text(), "secret") || e.Request != nil || e.Milliseconds != 20 {
				t.Errorf("S-250: %s", st.lines.Text())
			}
		}
		if !slices.Equal(got, st.want) {
			t.Errorf("%s: %v, want %v", query, got, st.want)
		}
	}
}

// TestStreamLimits is S-209: a user has few streams, one that the client leaves is free again, and who reads too
// slowly loses entries and is told so, while nobody waits for him.
func TestStreamLimits(t *testing.T) {
	s := newServer(t)
	s.host = newTestHost(t)
	s.h.(*handler).config.Host = s.host
	srv := httptest.NewServer(s.h)
	defer srv.Close()
	defer srv.CloseClientConnections() // which wait for readers
	defer s.host.requests.Close()
	defer s.host.log.Close()
	var leave context.CancelFunc
	for range live.MaxOfOne {
		_, resp, cancel := s.stream(t, srv, "trace?headers=true")
		if leave = cancel; resp.StatusCode != 200 {
			t.Fatal(resp.Status)
		}
	}
	wantError(t, s.send(root, "GET", "trace", ""), "SlowDown")
	if _, resp, _ := s.stream(t, srv, "log?follow=true"); resp.StatusCode != 200 {
		t.Errorf("another feed: %s", resp.Status)
	}
	leave()
	var slow *bufio.Scanner
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		lines, resp, _ := s.stream(t, srv, "trace?headers=true")
		if resp.StatusCode == 200 {
			slow = lines
			break
		}
		resp.Body.Close()
		if time.Now().After(deadline) {
			t.Fatal("a stream without client does not end")
		}
	}
	// 64 MiB for a reader that reads nothing: sockets take a part, the queue 1024 entries, the rest is dropped.
	big := http.Header{"X-Large": {strings.Repeat("x", 2000), strings.Repeat("y", 2000)}}
	for range 16000 {
		s.host.requests.Publish(live.NewTrace(&reqlog.Event{Op: "GetObject", Status: 200, Start: time.Now(), Header: big}, time.Now()))
	}
	if s.host.requests.Dropped() == 0 {
		t.Error("nothing is dropped for a reader that does not read")
	}
	slow.Buffer(nil, 1<<20)
	entries, dropped := int64(0), int64(0)
	for entries+dropped < 16000 && slow.Scan() {
		var line struct {
			Op      string
			Dropped int64
		}
		if err := json.Unmarshal(slow.Bytes(), &line); err != nil {
			continue // the first line, or none
		}
		if dropped += line.Dropped; line.Op != "" {
			entries++
		}
	}
	if dropped == 0 || entries+dropped != 16000 {
		t.Errorf("%d entries and %d dropped of 16000", entries, dropped)
	}
}

func TestLogRoute(t *testing.T) {
	s := newServer(t)
	s.host = newTestHost(t)
	s.h.(*handler).config.Host = s.host
	srv := httptest.NewServer(s.h)
	defer srv.Close()
	defer s.host.log.Close()
	log := slog.New(s.host.log.Handler(everything{}))
	log.Info("one")
	log.Warn("two", "secret", "hidden")
	log.Error("three", "error", errors.New("broken"), "request", "R1")
	read := func(lines *bufio.Scanner, n int) (out []string) {
		for i := 0; (n < 0 || i < n) && lines.Scan(); i++ {
			var l LogLine
			if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
				t.Fatalf("%v in %s", err, lines.Text())
			}
			out = append(out, l.Level+" "+l.Message+" "+l.Attrs["error"])
			if strings.Contains(lines.Text(), "hidden") {
				t.Errorf("S-250: %s", lines.Text())
			}
		}
		return out
	}
	for query, want := range map[string][]string{
		"": {"info one ", "warn two ", "error three broken"}, "?last=2": {"warn two ", "error three broken"}, "?last=0": nil, "?level=warn": {"warn two ", "error three broken"}, "?level=error&last=5": {"error three broken"},
	} {
		lines, _, _ := s.stream(t, srv, "log"+query)
		if got := read(lines, -1); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	lines, _, _ := s.stream(t, srv, "log?last=1&follow=true")
	if got := read(lines, 1); !slices.Equal(got, []string{"error three broken"}) {
		t.Errorf("%q", got)
	}
	log.Info("four")
	if got := read(lines, 1); !slices.Equal(got, []string{"info four "}) {
		t.Errorf("%q", got)
	}
}

// everything is a handler that takes all lines and drops them.
type everything struct{}

func (everything) Enabled(context.Context, slog.Level) bool  { return true }
func (everything) Handle(context.Context, slog.Record) error { return nil }
func (e everything) WithAttrs([]slog.Attr) slog.Handler      { return e }
func (e everything) WithGroup(string) slog.Handler           { return e }

func (h *testHost) Notifications() []NotificationTarget {
	return []NotificationTarget{{Name: "webhook:one", Kind: "webhook", State: "failing", Waiting: 3, LastError: "it is down"}}
}

func (h *testHost) CheckNotification(_ context.Context, target string) error {
	switch target {
	case "webhook:one":
		return nil
	case "webhook:two":
		return errors.New("it is down")
	}
	return &Refusal{Status: 404, Code: "NoSuchTarget", Message: "There is no target of this name."}
}

func (h *testHost) RefusedNotifications(target string, most int) ([]RefusedNotification, int, error) {
	if target != "webhook:one" {
		return nil, 0, &Refusal{Status: 404, Code: "NoSuchTarget", Message: "There is no target of this name."}
	}
	list := []RefusedNotification{{Key: "a"}, {Key: "b"}}
	return list[:min(most, 2)], 2, nil
}

func (h *testHost) RetryNotifications(target string) (int, error) {
	_, n, err := h.RefusedNotifications(target, 0)
	return n, err
}

func (h *testHost) DiscardNotifications(target string) (int, error) {
	_, n, err := h.RefusedNotifications(target, 0)
	return n + 1, err
}

func TestNotifications(t *testing.T) {
	s := newServer(t)
	var list NotificationList
	if s.ask(t, "GET", "notifications", "", 200, &list); len(list.Targets) != 1 || list.Targets[0].Waiting != 3 {
		t.Errorf("%+v", list)
	}
	var check NotificationCheck
	if s.ask(t, "POST", "notifications/webhook%3Aone/test", "", 200, &check); !check.OK || check.Error != "" {
		t.Errorf("%+v", check)
	}
	if s.ask(t, "POST", "notifications/webhook%3Atwo/test", "", 200, &check); check.OK || check.Error != "it is down" {
		t.Errorf("%+v", check)
	}
	wantError(t, s.send(root, "POST", "notifications/none/test", ""), "NoSuchTarget")
	wantError(t, s.send(root, "POST", "notifications/webhook%3Aone/test", `{"x":1}`), "MalformedJSON")
	var refused RefusedNotifications
	if s.ask(t, "GET", "notifications/webhook%3Aone/refused?limit=1", "", 200, &refused); refused.Count != 2 || len(refused.Events) != 1 || refused.Events[0].Key != "a" {
		t.Errorf("%+v", refused)
	}
	var moved MovedNotifications
	if s.ask(t, "POST", "notifications/webhook%3Aone/refused/retry", "", 200, &moved); moved.Count != 2 {
		t.Errorf("%+v", moved)
	}
	if s.ask(t, "DELETE", "notifications/webhook%3Aone/refused", "", 200, &moved); moved.Count != 3 {
		t.Errorf("%+v", moved)
	}
	wantError(t, s.send(root, "GET", "notifications/webhook%3Aone/refused?limit=0", ""), "InvalidArgument")
	wantError(t, s.send(root, "DELETE", "notifications/none/refused", ""), "NoSuchTarget")
}
