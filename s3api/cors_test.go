package s3api

import (
	"context"
	"net/http/httptest"
	"testing"

	"github.com/objsrv/objsrv/storage"
	"github.com/objsrv/objsrv/storage/mem"
)

// newCORSEnv is newEnv with origins for all buckets, and the bucket "own" with a configuration of its own.
func newCORSEnv(t *testing.T, origins ...string) *env {
	e := newEnv(t)
	e.s = New(Config{Backend: mem.New(mem.Options{}), IAM: e.iam, Now: e.s.Now, CORSOrigins: origins})
	e.srv.Close()
	e.srv = httptest.NewServer(e.s)
	t.Cleanup(e.srv.Close)
	e.bucket("bkt", storage.VersioningUnset)
	e.bucket("own", storage.VersioningUnset)
	doc := "<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>https://own.example</AllowedOrigin></CORSRule></CORSConfiguration>"
	if err := e.s.SetBucketFile(context.Background(), importer(), "own", BucketFile{"cors.xml", []byte(doc)}); err != nil {
		t.Fatal(err)
	}
	return e
}

// TestCORSOrigins is S-091: the origins of the server count where a bucket has no configuration, and no
// origin that is merely reflected may send credentials.
func TestCORSOrigins(t *testing.T) {
	const app, evil = "https://app.example", "https://evil.example"
	for _, tt := range []struct {
		origins                            []string
		bucket, origin, allow, credentials string
	}{
		{nil, "bkt", evil, "", ""},
		{[]string{"*"}, "bkt", evil, "*", ""},
		{[]string{"*"}, "bkt", "null", "*", ""},
		{[]string{app}, "bkt", app, app, "true"},
		{[]string{app}, "bkt", evil, "", ""},
		{[]string{app}, "bkt", "null", "", ""},
		{[]string{"https://*.example.com"}, "bkt", "https://a.example.com", "https://a.example.com", "true"},
		{[]string{"https://*.example.com"}, "bkt", "https://example.com.evil", "", ""},
		{[]string{"*"}, "own", evil, "", ""},
		{[]string{"*"}, "own", "https://own.example", "https://own.example", "true"},
		{[]string{"*"}, "nothing", evil, "", ""},
	} {
		e := newCORSEnv(t, tt.origins...)
		for name, a := range map[string]*answered{
			"GET":       e.do("GET", "/"+tt.bucket+"/k", "", "Origin: "+tt.origin),
			"anonymous": e.anonymous("GET", "/"+tt.bucket+"/k", "", "Origin: "+tt.origin),
			"preflight": e.anonymous("OPTIONS", "/"+tt.bucket+"/k", "", "Origin: "+tt.origin, "Access-Control-Request-Method: GET"),
		} {
			if got, cred := a.Get("Access-Control-Allow-Origin"), a.Get("Access-Control-Allow-Credentials"); got != tt.allow || cred != tt.credentials {
				t.Errorf("%v, %s %s to %s: %q, %q", tt.origins, name, tt.origin, tt.bucket, got, cred)
			}
			if tt.allow != "" && a.Get("Vary") == "" {
				t.Errorf("%s: the answer depends on the origin and does not say so", name)
			}
			if name == "preflight" && (a.status == 200) != (tt.allow != "") {
				t.Errorf("%v, preflight from %s to %s: %d", tt.origins, tt.origin, tt.bucket, a.status)
			}
		}
	}
	e := newCORSEnv(t, app)
	a := e.anonymous("OPTIONS", "/bkt/k", "", "Origin: "+app, "Access-Control-Request-Method: PUT", "Access-Control-Request-Headers: x-amz-meta-a, content-type")
	if a.status != 200 || a.Get("Access-Control-Allow-Headers") != "x-amz-meta-a, content-type" || a.Get("Access-Control-Expose-Headers") == "" {
		t.Errorf("%d %v", a.status, a.Header)
	}
}

func TestCheckOrigin(t *testing.T) {
	for v, ok := range map[string]bool{
		"*": true, "https://app.example": true, "http://localhost:3000": true, "https://*.example.com": true, "*://app.example": true,
		"": false, "app.example": false, "https://": false, "://x": false, "https://a/": false, "https://a/b": false, "https://*.*": false, "**": false,
		"https://a b": false, "https://a\n": false, "https://u@a": false, "null": false, "https://a?b": false, "https://a,https://b": false,
	} {
		if err := CheckOrigin(v); (err == nil) != ok {
			t.Errorf("%q: %v", v, err)
		}
	}
}
