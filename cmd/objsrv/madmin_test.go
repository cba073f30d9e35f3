package main

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/iam/madmin"
	storemem "github.com/objsrv/objsrv/iam/store/mem"
	"github.com/objsrv/objsrv/s3api"
	"github.com/objsrv/objsrv/sigv4"
	"github.com/objsrv/objsrv/storage/mem"
)

// newMadminServer is MinIO's admin API behind real signatures.
func newMadminServer(t *testing.T) (*iam.Service, string) {
	t.Helper()
	st := storemem.Open()
	svc, err := iam.Open(st, iam.Options{RootUser: "objroot", RootPassword: "a long root secret"})
	if err != nil {
		t.Fatal(err)
	}
	backend := mem.New(mem.Options{})
	s := &services{
		config: &Config{},
		iam:    svc, backend: backend, root: rootCredentials{User: "objroot", Password: "a long root secret"},
		s3: s3api.New(s3api.Config{Backend: backend, IAM: svc, Region: "eu-west-1"}),
	}
	srv := httptest.NewServer(newMadmin(s, &host{services: s, ending: make(chan bool, 1)}))
	t.Cleanup(func() { srv.Close(); svc.Close(); st.Close() })
	return svc, srv.URL
}

// sampleURL returns an address of a route.
func sampleURL(base string, rt *madmin.Route) string {
	path := strings.NewReplacer("{prefix...}", "a/b", "{", "", "}", "").Replace(rt.Path)
	var query []string
	for _, f := range strings.Fields(rt.Query) {
		if !strings.Contains(f, "=") {
			f += "=alice"
		}
		query = append(query, f)
	}
	return base + madmin.Root + path + "?" + strings.Join(query, "&")
}

// exchange sends a request and returns status and body.
func exchange(t *testing.T, r *http.Request) (int, string) {
	t.Helper()
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// TestMadminSignatures is S-002, S-008 and S-170: every admin route takes a signature in the
// Authorization header that covers the body's hash, and nothing else: no other scheme, no form, no
// presigned URL, no secret but the right one. Nothing is done.
func TestMadminSignatures(t *testing.T) {
	svc, base := newMadminServer(t)
	if _, _, err := svc.CreateUser(t.Context(), iam.NewUser{Name: "alice", Secret: "a secret of alice"}); err != nil {
		t.Fatal(err)
	}
	root := &sigv4.Signer{AccessKey: "objroot", Secret: "a long root secret", Service: "s3", Region: "eu-west-1"}
	wrong := &sigv4.Signer{AccessKey: "objroot", Secret: "another secret", Service: "s3"}
	other := &sigv4.Signer{AccessKey: "objroot", Secret: "a long root secret", Service: "sts"}
	now := time.Now()
	ways := map[string]func(*http.Request){
		"nothing":             func(*http.Request) {},
		"bearer":              func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") },
		"basic":               func(r *http.Request) { r.SetBasicAuth("objroot", "a long root secret") },
		"form":                func(r *http.Request) { r.Header.Set("Content-Type", "multipart/form-data; boundary=x") },
		"anonymous streaming": func(r *http.Request) { r.Header.Set("X-Amz-Content-Sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER") },
		"signed streaming":    func(r *http.Request) { root.SignHeader(r, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", now) },
		"unsigned body":       func(r *http.Request) { root.SignHeader(r, "UNSIGNED-PAYLOAD", now) },
		"presigned":           func(r *http.Request) { root.Presign(r, time.Hour, now) },
		"version 2":           func(r *http.Request) { r.Header.Set("Authorization", "AWS objroot:c2lnbmF0dXJl") },
		"wrong secret":        func(r *http.Request) { wrong.SignHeader(r, "", now) },
		"other service":       func(r *http.Request) { other.SignHeader(r, "", now) },
		"old":                 func(r *http.Request) { root.SignHeader(r, "", now.Add(-time.Hour)) },
	}
	for _, rt := range madmin.Routes() {
		for name, sign := range ways {
			r, err := http.NewRequestWithContext(t.Context(), rt.Method, sampleURL(base, &rt), nil)
			if err != nil {
				t.Fatal(err)
			}
			sign(r)
			got, body := exchange(t, r)
			if got != http.StatusForbidden && got != http.StatusBadRequest || strings.Contains(body, "InternalError") {
				t.Errorf("%s %s with %s: %d %s", rt.Method, rt.Path, name, got, body)
			}
			if want := map[string]string{"nothing": "AccessDenied", "presigned": "AccessDenied", "wrong secret": "SignatureDoesNotMatch"}[name]; !strings.Contains(body, want) {
				t.Errorf("%s %s with %s: %s, want %s", rt.Method, rt.Path, name, body, want)
			}
		}
	}
	if u, err := svc.User("alice"); err != nil || !u.Enabled {
		t.Errorf("%+v %v", u, err)
	}
	// Clients of MinIO's administration sign for an empty region, others for any.
	for _, region := range []string{"", "us-east-1", "eu-west-1"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+madmin.Root+"admin/v3/user-info?accessKey=alice", nil)
		if err != nil {
			t.Fatal(err)
		}
		(&sigv4.Signer{AccessKey: "objroot", Secret: "a long root secret", Service: "s3", Region: region}).SignHeader(r, "", now)
		if got, body := exchange(t, r); got != http.StatusOK {
			t.Errorf("region %q: %d %s", region, got, body)
		}
	}
}

// TestMadminReplay is S-112: the signature of one request is good for no other: not another
// route, method, query, or body.
func TestMadminReplay(t *testing.T) {
	svc, base := newMadminServer(t)
	if _, _, err := svc.CreateUser(t.Context(), iam.NewUser{Name: "alice", Secret: "a secret of alice"}); err != nil {
		t.Fatal(err)
	}
	signer := &sigv4.Signer{AccessKey: "objroot", Secret: "a long root secret", Service: "s3"}
	const body = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`
	sum := sha256.Sum256([]byte(body))
	send := func(method, path, body string, header http.Header) int {
		r, err := http.NewRequestWithContext(t.Context(), method, base+madmin.Root+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if r.Header = header; header == nil {
			r.Header = http.Header{}
			signer.SignHeader(r, hex.EncodeToString(sum[:]), time.Now())
			header = r.Header.Clone()
		}
		got, _ := exchange(t, r)
		if got != http.StatusOK {
			return got
		}
		for _, again := range []struct{ method, path, body string }{
			{"PUT", "admin/v3/add-canned-policy?name=q", body},
			{"PUT", "admin/v3/add-canned-policy?name=p&v=2", body},
			{"PUT", "admin/v3/add-canned-policy?name=p", strings.Replace(body, "Get", "Put", 1)},
			{"PUT", "admin/v3/add-canned-policy?name=p", ""},
			{"PUT", "admin/v3/set-user-status?accessKey=alice&status=disabled", ""},
			{"DELETE", "admin/v3/remove-user?accessKey=alice", ""},
			{"GET", "admin/v3/info-canned-policy?name=p", ""},
		} {
			r, err := http.NewRequestWithContext(t.Context(), again.method, base+madmin.Root+again.path, strings.NewReader(again.body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header = header.Clone()
			if got, answer := exchange(t, r); got != http.StatusForbidden && got != http.StatusBadRequest {
				t.Errorf("%s %s: %d %s", again.method, again.path, got, answer)
			}
		}
		return got
	}
	if got := send("PUT", "admin/v3/add-canned-policy?name=p", body, nil); got != http.StatusOK {
		t.Fatalf("the request itself: %d", got)
	}
	p, err := svc.Policy("p")
	if err != nil || string(p.Document) != body {
		t.Errorf("%s %v", p.Document, err)
	}
	if u, err := svc.User("alice"); err != nil || !u.Enabled {
		t.Errorf("%+v %v", u, err)
	}
	if _, err := svc.Policy("q"); err == nil {
		t.Error("a replayed signature has made a policy")
	}
}
