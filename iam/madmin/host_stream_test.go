package madmin

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/objsrv/objsrv/internal/live"
	"github.com/objsrv/objsrv/internal/reqlog"
)

// open begins a stream as a user over a real connection and returns its lines.
func (s *server) open(srv *httptest.Server, as, path string) (*json.Decoder, *http.Response, context.CancelFunc) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 30*time.Second)
	s.t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, get, srv.URL+Root+"admin/v3/"+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("X-Test-User", as)
	resp, err := srv.Client().Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { resp.Body.Close() })
	return json.NewDecoder(bufio.NewReader(resp.Body)), resp, cancel
}

func until(t *testing.T, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !f(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("not yet: " + what)
		}
	}
}

func event(uri string, status int) live.Trace {
	start := time.Unix(1000, 0)
	op := "GetObject"
	if uri == "/minio/health/live" {
		op = "Health"
	}
	return live.NewTrace(&reqlog.Event{Start: start, Method: "GET", Host: "h", URI: uri, Op: op, Status: status, BytesIn: 1, BytesOut: 2, Remote: "1.2.3.4",
		Header: http.Header{"Authorization": {"AWS4-HMAC-SHA256 secret"}, "Range": {"bytes=0-1"}}, Answered: start.Add(time.Millisecond)}, start.Add(5*time.Millisecond))
}

func TestTrace(t *testing.T) {
	s, host := newHostServer(t)
	srv := httptest.NewServer(s.h)
	defer srv.Close()
	all, resp, _ := s.open(srv, "objroot", "trace?s3=true&internal=true&storage=false&err=false&threshold=0s")
	failed, _, _ := s.open(srv, "objroot", "trace?s3=true&err=true&threshold=1ms")
	none, _, _ := s.open(srv, "objroot", "trace?s3=true&threshold=1h")
	if resp.StatusCode != 200 {
		t.Fatal(resp.Status)
	}
	host.requests.Publish(event("/b/a%20k?X-Amz-Signature=secret&x=1", 200))
	host.requests.Publish(event("/minio/health/live", 200))
	host.requests.Publish(event("/b/missing", 404))
	host.requests.Close()
	var got []traceInfo
	for all.More() {
		var v traceInfo
		if err := all.Decode(&v); err != nil {
			t.Fatal(err)
		}
		got = append(got, v)
	}
	if len(got) != 3 || got[0].Type != traceS3 || got[1].Type != traceInternal || got[1].FuncName != "internal.Health" {
		t.Fatalf("%+v", got)
	}
	v := got[0]
	if v.FuncName != "s3.GetObject" || v.Path != "/b/a k" || v.Took != 5*time.Millisecond || v.Bytes != 3 || v.NodeName != "127.0.0.1:9000" ||
		v.HTTP.Stats.FirstByte != time.Millisecond || v.HTTP.Request.Client != "1.2.3.4" || v.HTTP.Response.StatusCode != 200 {
		t.Errorf("%+v", v)
	}
	if h := v.HTTP.Request.Headers; h.Get("Authorization") != reqlog.Masked || h.Get("Range") != "bytes=0-1" || h.Get("Host") != "h" ||
		v.HTTP.Request.RawQuery != "X-Amz-Signature=***&x=1" {
		t.Errorf("S-250: %v %s", h, v.HTTP.Request.RawQuery)
	}
	var f traceInfo
	if err := failed.Decode(&f); err != nil || f.Path != "/b/missing" || failed.More() {
		t.Errorf("errors only: %+v, %v", f, err)
	}
	if none.More() {
		t.Error("a request is shown that was faster than asked for")
	}
	for _, q := range []string{"s3=perhaps", "threshold=fast", "threshold=-1s", "err=x", "everything=true"} {
		if status, body := s.send(request{as: "objroot", method: get, path: "trace", query: q}); status != 400 {
			t.Errorf("%s: %d %s", q, status, body)
		}
	}
}

// TestStreamLimits is S-209: a user has few streams; one that the client leaves is free again.
func TestStreamLimits(t *testing.T) {
	s, host := newHostServer(t)
	srv := httptest.NewServer(s.h)
	defer srv.Close()
	defer host.requests.Close()
	var leave context.CancelFunc
	for range live.MaxOfOne {
		_, resp, cancel := s.open(srv, "objroot", "trace?s3=true")
		if leave = cancel; resp.StatusCode != 200 {
			t.Fatal(resp.Status)
		}
	}
	if status, body := s.send(request{as: "objroot", method: get, path: "trace", query: "s3=true"}); status != http.StatusServiceUnavailable {
		t.Fatalf("one more: %d %s", status, body)
	}
	leave()
	until(t, "a stream without client ends", func() bool {
		w, err := host.requests.Watch(s.svc.Account(), nil)
		if err == nil {
			w.Close()
		}
		return err == nil
	})
}

func TestLogStream(t *testing.T) {
	s, host := newHostServer(t)
	srv := httptest.NewServer(s.h)
	defer srv.Close()
	log := slog.New(host.log.Handler(everything{}))
	log.Info("one")
	log.Warn("two")
	log.Error("request failed", "request", "R1", "op", "GetObject", "bucket", "b", "key", "k", "status", 500, "error", errors.New("broken"))
	last, _, _ := s.open(srv, "objroot", "log?node=&limit=2&logType=all")
	warnings, _, _ := s.open(srv, "objroot", "log?limit=0&logType=warning")
	log.Warn("three")
	host.log.Close()
	var got []logEntry
	for last.More() {
		var e logEntry
		if err := last.Decode(&e); err != nil {
			t.Fatal(err)
		}
		got = append(got, e)
	}
	if len(got) != 3 || got[0].Message != "two" || got[2].Message != "three" {
		t.Fatalf("%+v", got)
	}
	e := got[1]
	if e.DeploymentID == "" || e.Level != "ERROR" || e.Kind != "ERROR" || e.RequestID != "R1" || e.API == nil || e.API.Name != "GetObject" || e.API.Args.Object != "k" ||
		e.Error == nil || e.Error.Message != "broken" || e.Error.Variables["status"] != "500" {
		t.Errorf("%+v", e)
	}
	for _, want := range []string{"two", "three"} {
		var e logEntry
		if err := warnings.Decode(&e); err != nil || e.Message != want {
			t.Errorf("%+v, %v", e, err)
		}
	}
	for _, q := range []string{"limit=x", "limit=-1", "logType=debug", "node=other:9000"} {
		if status, body := s.send(request{as: "objroot", method: get, path: "log", query: q}); status != 400 {
			t.Errorf("%s: %d %s", q, status, body)
		}
	}
}

// everything is a handler that takes all levels and writes nothing.
type everything struct{ slog.Handler }

func (everything) Enabled(context.Context, slog.Level) bool  { return true }
func (everything) Handle(context.Context, slog.Record) error { return nil }

// TestStreamRevoked is S-228 for streams: who has lost the right to watch is shown nothing more.
func TestStreamRevoked(t *testing.T) {
	s, host := newHostServer(t)
	srv := httptest.NewServer(s.h)
	defer srv.Close()
	s.user("watcher", "admin:ServerTrace")
	key := s.key("watcher", "")
	own, resp, _ := s.open(srv, "watcher", "trace?s3=true")
	further, other, _ := s.open(srv, key, "trace?s3=true")
	if resp.StatusCode != 200 || other.StatusCode != 200 {
		t.Fatal(resp.Status, other.Status)
	}
	if err := s.svc.DeleteAccessKey(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	host.requests.Publish(event("/b/a", 200))
	var v traceInfo
	if err := own.Decode(&v); err != nil || v.Path != "/b/a" {
		t.Fatalf("%+v, %v", v, err)
	}
	if _, err := s.svc.SetStatus(t.Context(), "watcher", false); err != nil {
		t.Fatal(err)
	}
	host.requests.Publish(event("/b/b", 200))
	host.requests.Close()
	if own.More() || further.More() {
		t.Error("a stream goes on")
	}
}
