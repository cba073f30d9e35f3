package webui

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/sts/oidc"
)

// link shares an object and returns the answer.
func (b *browser) link(in shareRequest) (out shared) {
	b.s.t.Helper()
	if err := json.Unmarshal([]byte(b.want(200, b.post("share", in)).body), &out); err != nil {
		b.s.t.Fatal(err)
	}
	return out
}

// TestShare: a link opens its object for whoever has it, that object alone, after the login has ended; and not
// after its key is deleted, its time is over, or its user is disabled.
func TestShare(t *testing.T) {
	p := newIDP(t, person("policy", "readwrite"))
	s := newSite(t, options{providers: []oidc.Config{p.config("")}})
	b, stranger := s.browser(), s.browser()
	b.want(303, b.do("GET", b.begin("default", ""), ""))
	b.want(200, b.do("PUT", "s3/bucket", ""))
	const key = "a//b *$?{ä}"
	for _, k := range []string{key, "a//b xx{ä}", "other"} {
		b.want(200, b.do("PUT", "s3/bucket/"+url.PathEscape(k), "content of "+k, "Content-Type: text/html"))
	}
	got := b.link(shareRequest{Bucket: "bucket", Key: key, ExpiresIn: 600})
	if !strings.HasPrefix(got.URL, s.url+"/bucket/a//b%20") || got.Expires.Sub(s.clock.now()) > 10*time.Minute {
		t.Errorf("%+v", got)
	}
	stranger.want(200, stranger.do("GET", got.URL, ""), "content of "+key)
	secret := s.iam.AccessKeys(b.session().Login.QualifiedName)
	if len(secret) != 1 || secret[0].Name != "share: bucket/"+key || secret[0].AccessKey != got.AccessKey || secret[0].Expires == nil {
		t.Fatalf("%+v", secret)
	}
	// The key may nothing else: asked as Authorize is, since its secret is not told.
	cred, err := s.iam.Credential(got.AccessKey, "")
	if err != nil {
		t.Fatal(err)
	}
	for k, want := range map[string]bool{key: true, "a//b xx{ä}": false, "other": false, "a//b **{ä}": false} {
		for _, action := range []string{"s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:GetObjectVersion"} {
			if got := s.iam.Authorize(&iam.Request{Identity: cred.Identity, Action: action, Bucket: "bucket", Key: k}).Allowed; got != (want && action == "s3:GetObject") {
				t.Errorf("the key may %s of %q: %v", action, k, got)
			}
		}
	}
	b.want(200, b.do("POST", "logout", ""))
	stranger.want(200, stranger.do("GET", got.URL, ""))
	if _, err := s.iam.SetStatus(t.Context(), secret[0].Parent, false); err != nil {
		t.Fatal(err)
	}
	stranger.want(403, stranger.do("GET", got.URL, ""))
	if _, err := s.iam.SetStatus(t.Context(), secret[0].Parent, true); err != nil {
		t.Fatal(err)
	}
	b.want(303, b.do("GET", b.begin("default", ""), ""))
	b.want(204, b.do("DELETE", "admin/keys/"+got.AccessKey, ""))
	stranger.want(403, stranger.do("GET", got.URL, ""))

	short := b.link(shareRequest{Bucket: "bucket", Key: "other", ExpiresIn: 60, Download: true})
	if r := stranger.want(200, stranger.do("GET", short.URL, "")); r.Header.Get("Content-Disposition") != "attachment" {
		t.Error(r.Header)
	}
	s.clock.set(61 * time.Second)
	stranger.want(403, stranger.do("GET", short.URL, ""))
	b.link(shareRequest{Bucket: "bucket", Key: "other", ExpiresIn: 60})
	if keys := s.iam.AccessKeys(secret[0].Parent); len(keys) != 1 || keys[0].AccessKey == short.AccessKey {
		t.Errorf("keys of links that are over stay: %+v", keys)
	}
}

// TestShareVersion: a link to a version is of that version, whatever comes after it.
func TestShareVersion(t *testing.T) {
	s := newSite(t, options{})
	b := s.browser().login(rootUser, rootPassword)
	b.want(200, b.do("PUT", "s3/bucket", ""))
	b.want(200, b.do("PUT", "s3/bucket?versioning", "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>", "Content-Type: application/xml"))
	version := b.want(200, b.do("PUT", "s3/bucket/k", "first")).Header.Get("X-Amz-Version-Id")
	b.want(200, b.do("PUT", "s3/bucket/k", "second"))
	old, newest := b.link(shareRequest{Bucket: "bucket", Key: "k", VersionID: version, ExpiresIn: 60}), b.link(shareRequest{Bucket: "bucket", Key: "k", ExpiresIn: 60})
	stranger := s.browser()
	stranger.want(200, stranger.do("GET", old.URL, ""), "first")
	stranger.want(200, stranger.do("GET", newest.URL, ""), "second")
	b.want(204, b.do("DELETE", "s3/bucket/k?versionId="+version, ""))
	stranger.want(403, stranger.do("GET", old.URL, "")) // who may not list does not learn that it has gone
}

// TestShareRefused: nothing is made for what can't be shared.
func TestShareRefused(t *testing.T) {
	s := newSite(t, options{})
	s.user("ann", annPassword, "readonly")
	root := s.browser().login(rootUser, rootPassword)
	root.want(200, root.do("PUT", "s3/bucket", ""))
	root.want(200, root.do("PUT", "s3/bucket/k", "content"))
	good := shareRequest{Bucket: "bucket", Key: "k", ExpiresIn: 60}
	nobody := s.browser()
	nobody.want(401, nobody.post("share", good))
	ann := s.browser().login("ann", annPassword)
	for name, in := range map[string]shareRequest{
		"no time": {Bucket: "bucket", Key: "k"}, "too long": {Bucket: "bucket", Key: "k", ExpiresIn: 604801}, "past": {Bucket: "bucket", Key: "k", ExpiresIn: -1},
		"overflow": {Bucket: "bucket", Key: "k", ExpiresIn: 1 << 40}, "no key": {Bucket: "bucket", ExpiresIn: 60}, "no bucket": {Key: "k", ExpiresIn: 60}, "a path": {Bucket: "a/b", Key: "k", ExpiresIn: 60},
	} {
		if r := ann.post("share", in); r.StatusCode != 400 {
			t.Errorf("%s: %s %s", name, r.Status, r.body)
		}
	}
	// Who may not list does not learn whether there is something.
	ann.want(403, ann.post("share", shareRequest{Bucket: "bucket", Key: "missing", ExpiresIn: 60}))
	root.want(404, root.post("share", shareRequest{Bucket: "bucket", Key: "missing", ExpiresIn: 60}))
	root.want(404, root.post("share", shareRequest{Bucket: "nosuch", Key: "k", ExpiresIn: 60}))
	ann.want(400, ann.do("POST", "share", `{"bucket":"bucket","key":"k","expiresIn":60,"accessKey":"admin"}`, "Content-Type: application/json"))
	ann.want(200, ann.post("share", good))
	// A key with a policy of its own can't make itself another one.
	_, key, err := s.iam.CreateAccessKey(t.Context(), iam.NewAccessKey{Parent: "ann", Policy: []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`)})
	if err != nil {
		t.Fatal(err)
	}
	bound := s.browser().login(key.AccessKey, key.Secret)
	if !bound.session().Login.Restricted {
		t.Error("not told that it is restricted")
	}
	bound.want(403, bound.post("share", good), "policy of its own")
	if n := len(s.iam.AccessKeys("ann")); n != 3 { // her own, the link's, and the key with the policy
		t.Errorf("ann has %d keys", n)
	}
}
