package main

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/objsrv/objsrv/s3api"
	"github.com/objsrv/objsrv/sigv4"
)

func TestLimitSettings(t *testing.T) {
	c, _, err := parseServer(t, environ{"MINIO_API_REQUESTS_MAX": "auto", "MINIO_API_REQUESTS_DEADLINE": "3s", "OBJSRV_API_REQUESTS_PER_ADDRESS": "7"}, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if want := (s3api.Limits{Wait: 3e9, PerAddress: 7}); c.Limits != want {
		t.Errorf("%+v", c.Limits)
	}
	for _, env := range []environ{{"OBJSRV_API_REQUESTS_MAX": "-1"}, {"OBJSRV_API_REQUESTS_MAX": "many"}, {"OBJSRV_API_REQUESTS_DEADLINE": "10"}, {"OBJSRV_API_REQUESTS_PER_ADDRESS": "1.5"}} {
		if _, _, err := parseServer(t, env, t.TempDir()); err == nil {
			t.Errorf("%v is taken", env)
		}
	}
}

// TestLimitsByClient: who comes through a trusted proxy is counted by the address that the proxy tells, and probes,
// metrics and administration are not counted.
func TestLimitsByClient(t *testing.T) {
	p, _, _ := start(t, environ{"OBJSRV_ROOT_PASSWORD": testPassword, "OBJSRV_METRICS_PUBLIC": "on"}, t.TempDir(),
		"--api-requests-per-address", "1", "--api-requests-max", "2", "--api-requests-deadline", "0s", "--trusted-proxies", "127.0.0.1")
	base := "http://" + p.Addr().String()
	// A body that does not come holds its request.
	hold := func(from string) (release func()) {
		body := &held{begun: make(chan struct{}), end: make(chan struct{})}
		r, err := http.NewRequest("PUT", base+"/bucket/k", body)
		if err != nil {
			t.Fatal(err)
		}
		r.ContentLength = 10
		r.Header.Set("X-Forwarded-For", from)
		root := p.services.root
		(&sigv4.Signer{AccessKey: root.User, Secret: root.Password, Region: p.Config.Region, Service: "s3"}).SignHeader(r, "UNSIGNED-PAYLOAD", time.Now())
		done := make(chan struct{})
		go func() {
			defer close(done)
			if res, err := http.DefaultClient.Do(r); err == nil {
				res.Body.Close()
			}
		}()
		<-body.begun
		return func() { close(body.end); <-done }
	}
	get := func(path, from string) int {
		t.Helper()
		r, err := http.NewRequest("GET", base+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Forwarded-For", from)
		signRequest(r, p.services.root, p.Config.Region)
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode
	}
	r, err := http.NewRequest("PUT", base+"/bucket", strings.NewReader(""))
	if err != nil {
		t.Fatal(err)
	}
	signRequest(r, p.services.root, p.Config.Region)
	if res, err := http.DefaultClient.Do(r); err != nil || res.StatusCode != 200 {
		t.Fatal(res, err)
	}
	releaseOne := hold("192.0.2.1")
	waitFor(t, func() bool { return get("/", "192.0.2.1") == 503 })
	if code := get("/", "192.0.2.2"); code != 200 {
		t.Errorf("another client: %d", code)
	}
	releaseTwo := hold("192.0.2.3")
	waitFor(t, func() bool { return get("/", "192.0.2.2") == 503 })
	for _, path := range []string{"/-/health/live", "/-/health/ready", "/minio/health/live", "/-/metrics", "/minio/admin/v3/info"} {
		if code := get(path, "192.0.2.1"); code != 200 {
			t.Errorf("%s: %d", path, code)
		}
	}
	releaseOne()
	releaseTwo()
	waitFor(t, func() bool { return get("/", "192.0.2.1") == 200 })
}

// held is a body that does not come.
type held struct {
	begun, end chan struct{}
	once       sync.Once
}

func (h *held) Read([]byte) (int, error) {
	h.once.Do(func() { close(h.begun) })
	<-h.end
	return 0, http.ErrBodyReadAfterClose
}
