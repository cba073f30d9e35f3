package httpd

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestFaces(t *testing.T) {
	face := func(name string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Face", name) })
	}
	f := &Faces{S3: face("s3"), Own: face("own"), Minio: face("minio"), STS: face("sts"), Page: face("page"), Domains: []string{"s3.example.com"}}
	for _, tc := range []struct {
		method, target, host string
		header               string
		want                 string
	}{
		{"GET", "/", "", "", "s3"},
		{"GET", "/bucket/-/x", "", "", "s3"},
		{"GET", "/bucket//../x", "", "", "s3"},
		{"GET", "/-/health/live", "", "", "own"},
		{"GET", "/-", "", "", "own"},
		{"GET", "/-x/y", "", "", "s3"},
		{"GET", "/minio/health/live", "", "", "minio"},
		{"GET", "/minio", "", "", "minio"},
		{"GET", "/minio-data/x", "", "", "s3"},
		{"GET", "//minio/x", "", "", "s3"},
		{"GET", "/-/x", "b.s3.example.com:9000", "", "s3"},
		{"GET", "/minio/x", "B.S3.Example.Com", "", "s3"},
		{"GET", "/-/x", "s3.example.com", "", "own"},
		{"GET", "/-/x", "evils3.example.com", "", "own"},
		{"GET", "/-/x", ".s3.example.com", "", "own"},
		{"POST", "/", "", "Content-Type: application/x-www-form-urlencoded; charset=utf-8", "sts"},
		{"POST", "/?Action=AssumeRole", "", "", "sts"},
		{"POST", "/", "", "Content-Type: multipart/form-data; boundary=x", "s3"},
		{"POST", "/", "b.s3.example.com", "Content-Type: application/x-www-form-urlencoded", "s3"},
		{"POST", "/bucket", "", "Content-Type: application/x-www-form-urlencoded", "s3"},
		{"GET", "/", "", "Accept: text/html,*/*", "page"},
		{"GET", "/?list-type=2", "", "Accept: text/html", "s3"},
		{"GET", "/", "b.s3.example.com", "Accept: text/html", "s3"},
	} {
		r := httptest.NewRequest(tc.method, tc.target, nil)
		if tc.host != "" {
			r.Host = tc.host
		}
		if name, value, ok := strings.Cut(tc.header, ": "); ok {
			r.Header.Set(name, value)
		}
		w := httptest.NewRecorder()
		f.ServeHTTP(w, r)
		if got := w.Header().Get("Face"); got != tc.want {
			t.Errorf("%s %s host %q %q: %s, want %s", tc.method, tc.target, tc.host, tc.header, got, tc.want)
		}
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Accept", "text/html")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 x")
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	if got := w.Header().Get("Face"); got != "s3" {
		t.Errorf("signed GET / goes to %s", got)
	}
}
