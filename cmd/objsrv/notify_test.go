package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/notification"

	"github.com/objsrv/objsrv/iam/adminapi"
	"github.com/objsrv/objsrv/internal/events"
)

// hook is a webhook that keeps the keys of what it gets; while it is down it answers 503, and to a key that is bad 400.
type hook struct {
	url  string
	down atomic.Bool
	bad  atomic.Value

	mu   sync.Mutex
	keys map[string]int
}

func newHook(t *testing.T) *hook {
	h := &hook{keys: map[string]int{}}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var log events.Log
		if h.down.Load() || err != nil || json.Unmarshal(body, &log) != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		if log.Key != "" && log.Key == h.bad.Load() {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		h.keys[log.Key]++
	}))
	t.Cleanup(srv.Close)
	h.url = srv.URL
	return h
}

func (h *hook) count(key string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.keys[key]
}

// notifyAll has the bucket send everything that is created to the webhook T.
func notifyAll(t *testing.T, c *minio.Client, bucket string) {
	t.Helper()
	conf := notification.NewConfig(notification.NewArn("minio", "sqs", "", "T", "webhook"))
	conf.AddEvents(notification.ObjectCreatedAll)
	var all notification.Configuration
	all.AddQueue(conf)
	if err := c.SetBucketNotification(t.Context(), bucket, all); err != nil {
		t.Fatal(err)
	}
}

// TestNotifyKill is R-042: of each upload that was acknowledged the target gets an event, although the server is killed
// again and again and the target is down now and then.
func TestNotifyKill(t *testing.T) {
	h := newHook(t)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	link := filepath.Join(dir, "objsrv")
	if err := os.Symlink(exe, link); err != nil {
		t.Fatal(err)
	}
	acked := map[string]bool{}
	var mu sync.Mutex
	begin := func() (*exec.Cmd, *minio.Client) {
		p := &process{t: t, stdout: &output{}, cmd: exec.Command(link, "server", filepath.Join(dir, "data"), "--address", "127.0.0.1:0", "--notify-allow", "127.0.0.1")}
		p.cmd.Env = bareEnviron("OBJSRV_ROOT_PASSWORD="+testPassword, "MINIO_NOTIFY_WEBHOOK_ENABLE_T=on", "MINIO_NOTIFY_WEBHOOK_ENDPOINT_T="+h.url)
		p.cmd.Stdout, p.cmd.Stderr = p.stdout, p.stdout
		if err := p.cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { p.cmd.Process.Kill() })
		c, err := minio.New(p.address(1), &minio.Options{Creds: credentials.NewStaticV4("admin", testPassword, ""), Region: "us-east-1", MaxRetries: 1})
		if err != nil {
			t.Fatal(err)
		}
		return p.cmd, c
	}
	for round := range 4 {
		cmd, c := begin()
		if round == 0 {
			if err := c.MakeBucket(t.Context(), "bkt", minio.MakeBucketOptions{}); err != nil {
				t.Fatal(err)
			}
			notifyAll(t, c, "bkt")
		}
		h.down.Store(round%2 == 0)
		var writers sync.WaitGroup
		var n atomic.Int64
		ctx, cancel := context.WithCancel(t.Context())
		for w := range 4 {
			writers.Go(func() {
				for i := 0; ctx.Err() == nil; i++ {
					key := fmt.Sprintf("%d/%d/%d", round, w, i)
					if _, err := c.PutObject(ctx, "bkt", key, strings.NewReader("x"), 1, minio.PutObjectOptions{}); err != nil {
						return // killed
					}
					mu.Lock()
					acked["bkt/"+key] = true
					mu.Unlock()
					n.Add(1)
				}
			})
		}
		waitFor(t, func() bool { return n.Load() >= 50 })
		cmd.Process.Kill()
		cmd.Wait()
		cancel()
		writers.Wait()
	}
	h.down.Store(false)
	begin()
	waitFor(t, func() bool {
		for key := range acked {
			if h.count(key) == 0 {
				return false
			}
		}
		return true
	})
}

// TestNotifyRefused: an event that the webhook refuses does not stop the next one; the commands show it and send it again,
// and the metrics count it.
func TestNotifyRefused(t *testing.T) {
	h := newHook(t)
	h.bad.Store("bkt/bad")
	p, _, _ := start(t, environ{"OBJSRV_ROOT_PASSWORD": testPassword, "OBJSRV_NOTIFY_ALLOW": "127.0.0.1", "MINIO_NOTIFY_WEBHOOK_ENABLE_T": "on", "MINIO_NOTIFY_WEBHOOK_ENDPOINT_T": h.url}, filepath.Join(t.TempDir(), "data"))
	c := s3Client(t, p)
	if err := c.MakeBucket(t.Context(), "bkt", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	notifyAll(t, c, "bkt")
	for _, key := range []string{"bad", "good"} {
		if _, err := c.PutObject(t.Context(), "bkt", key, strings.NewReader("x"), 1, minio.PutObjectOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	waitFor(t, func() bool { return h.count("bkt/good") > 0 })
	admin := func(args ...string) string {
		var out bytes.Buffer
		cmd := newRoot(environ{})
		cmd.SetOut(&out)
		cmd.SetArgs(append(append([]string{"admin", "notify"}, args...), "--endpoint", "http://"+p.Addr().String(), "--access-key", p.services.root.User, "--secret-key", testPassword))
		if err := cmd.ExecuteContext(t.Context()); err != nil {
			t.Error(args, err)
		}
		return out.String()
	}
	if out := admin("refused", "webhook:T"); !strings.Contains(out, "s3:ObjectCreated:Put") || !strings.Contains(out, "bkt/bad") || !strings.Contains(out, "it answered 400 Bad Request") {
		t.Error(out)
	}
	var list adminapi.NotificationList
	if err := json.Unmarshal([]byte(admin("targets", "--json")), &list); err != nil || list.Targets[0].Refused != 1 || list.Targets[0].Dropped != 0 {
		t.Errorf("%+v %v", list, err)
	}
	for _, f := range p.services.notifyFigures() {
		if strings.HasPrefix(f.Name, "events_refused") && f.Value != 1 {
			t.Errorf("%s is %v", f.Name, f.Value)
		}
	}
	h.bad.Store("")
	if out := admin("retry", "webhook:T"); out != "1 events wait for the target again.\n" {
		t.Error(out)
	}
	waitFor(t, func() bool { return h.count("bkt/bad") > 0 })
	if out := admin("discard", "webhook:T"); out != "0 events are forgotten.\n" {
		t.Error(out)
	}
}

// TestNotifySettings: MinIO's names and ours, what goes together, and what is refused (S-249: addresses of this machine).
func TestNotifySettings(t *testing.T) {
	const dir = "data"
	read := func(args []string, pairs ...string) (*Config, error) {
		c, _, err := parseServer(t, environment(pairs), append([]string{dir}, args...)...)
		return c, err
	}
	c, err := read(nil, "MINIO_NOTIFY_WEBHOOK_ENABLE_PRIMARY=on", "MINIO_NOTIFY_WEBHOOK_ENDPOINT_PRIMARY=https://example.com/x", "MINIO_NOTIFY_WEBHOOK_COMMENT_PRIMARY=mine",
		"OBJSRV_NOTIFY_WEBHOOK_ENABLE=on", "OBJSRV_NOTIFY_WEBHOOK_ENDPOINT=https://example.com/y", "OBJSRV_NOTIFY_WEBHOOK_QUEUE_DIR=/q", "OBJSRV_NOTIFY_WEBHOOK_QUEUE_LIMIT=5",
		"MINIO_NOTIFY_WEBHOOK_ENABLE_OFF=off", "MINIO_NOTIFY_WEBHOOK_ENDPOINT_OFF=nonsense")
	if err != nil || len(c.Notify) != 2 {
		t.Fatal(c, err)
	}
	if a := c.Notify[0]; a.name() != "webhook:PRIMARY" || a.dir != "data/notify/webhook-PRIMARY" || a.limit != defaultNotifyLimit || a.values["ENDPOINT"] != "https://example.com/x" {
		t.Errorf("%+v", a)
	}
	if a := c.Notify[1]; a.name() != "webhook:_" || a.dir != "/q/objsrv-webhook-_" || a.limit != 5 {
		t.Errorf("%+v", a)
	}
	if c, err = read([]string{"--notify-allow", "127.0.0.0/8,::1"}, "MINIO_NOTIFY_WEBHOOK_ENABLE=on", "MINIO_NOTIFY_WEBHOOK_ENDPOINT=http://localhost:1/"); err != nil || len(c.Notify) != 1 {
		t.Error(err)
	}
	for _, row := range [][]string{
		{"ENABLE_A is not set", "MINIO_NOTIFY_WEBHOOK_ENDPOINT_A=https://example.com/"},
		{"ENABLE is neither on nor off", "MINIO_NOTIFY_WEBHOOK_ENABLE_A=perhaps"},
		{"MINIO_NOTIFY_WEBHOOK_ENDPOINT is missing", "MINIO_NOTIFY_WEBHOOK_ENABLE_A=on"},
		{"QUEUE_LIMIT is not a number", "MINIO_NOTIFY_WEBHOOK_ENABLE_A=on", "MINIO_NOTIFY_WEBHOOK_ENDPOINT_A=https://example.com/", "MINIO_NOTIFY_WEBHOOK_QUEUE_LIMIT_A=0"},
		{"OBJSRV_NOTIFY_ALLOW must name it", "MINIO_NOTIFY_WEBHOOK_ENABLE_A=on", "MINIO_NOTIFY_WEBHOOK_ENDPOINT_A=http://127.0.0.1:9/"},
		{"OBJSRV_NOTIFY_ALLOW must name it", "MINIO_NOTIFY_WEBHOOK_ENABLE_A=on", "MINIO_NOTIFY_WEBHOOK_ENDPOINT_A=http://localhost/"},
		{"OBJSRV_NOTIFY_ALLOW must name it", "MINIO_NOTIFY_WEBHOOK_ENABLE_A=on", "MINIO_NOTIFY_WEBHOOK_ENDPOINT_A=http://169.254.169.254/latest/"},
		{"no such setting", "MINIO_NOTIFY_WEBHOOK_ENDPONT_A=https://example.com/"},
		{"this kind of target is not implemented", "MINIO_NOTIFY_NSQ_ENABLE=on"},
		{"at most 64 letters", "MINIO_NOTIFY_WEBHOOK_ENABLE_a.b=on"},
		{"are both set and differ", "MINIO_NOTIFY_WEBHOOK_ENABLE_A=on", "OBJSRV_NOTIFY_WEBHOOK_ENABLE_A=off"},
		{"is no network", "OBJSRV_NOTIFY_ALLOW=home"},
	} {
		if _, err := read(nil, row[1:]...); err == nil || !strings.Contains(err.Error(), row[0]) {
			t.Errorf("%q: %v, want %q", row[1:], err, row[0])
		}
	}
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("tok\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err = read(nil, "MINIO_NOTIFY_WEBHOOK_ENABLE_A=on", "MINIO_NOTIFY_WEBHOOK_ENDPOINT_A=https://example.com/", "OBJSRV_NOTIFY_WEBHOOK_AUTH_TOKEN_FILE_A="+secret)
	if err != nil || c.Notify[0].values["AUTH_TOKEN"] != "tok" {
		t.Error(c, err)
	}
}
