package s3api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/sigv4"
	"github.com/objsrv/objsrv/storage"
	"github.com/objsrv/objsrv/storage/mem"
)

// testAccount owns the buckets of tests.
const testAccount = "000000000001"

// iamRequest is what is asked of IAM.
type iamRequest = iam.Request

// fakeIAM knows users by their access key; the secret is the key and "secret". deny, when it
// answers true, refuses.
type fakeIAM struct {
	deny    func(*iam.Request) bool
	refused []iam.Refusal
}

func (f *fakeIAM) Credential(accessKey, _ string) (iam.Credential, error) {
	if !strings.HasPrefix(accessKey, "AK") {
		return iam.Credential{}, iam.ErrNoSuchKey
	}
	return iam.Credential{AccessKey: accessKey, Secret: accessKey + "secret", Identity: &iam.Identity{
		Account: testAccount, ID: accessKey, Name: accessKey, ARN: "arn:aws:iam::" + testAccount + ":user/" + accessKey, AccessKey: accessKey}}, nil
}

// Renewed returns every credential as it is.
func (f *fakeIAM) Renewed(id *iam.Identity) (*iam.Identity, error) { return id, nil }

func (f *fakeIAM) Authorize(r *iam.Request) iam.Decision {
	return iam.Decision{Allowed: f.deny == nil || !f.deny(r)}
}

// CanonicalAccount knows two accounts.
func (f *fakeIAM) CanonicalAccount(id string) (string, bool) {
	for _, account := range []string{testAccount, "000000000002"} {
		if iam.CanonicalID(account) == id {
			return account, true
		}
	}
	return "", false
}

// PrincipalID knows the users whose keys it knows; their ids are their names.
func (f *fakeIAM) PrincipalID(arn string) (string, bool) {
	return strings.CutPrefix(arn, "arn:aws:iam::"+testAccount+":user/AK")
}

// PrincipalARN is the reverse of PrincipalID.
func (f *fakeIAM) PrincipalARN(id string) (string, bool) {
	return "arn:aws:iam::" + testAccount + ":user/AK" + id, !strings.HasPrefix(id, "AIDAGONE")
}

// PublicAccess knows no settings of accounts.
func (f *fakeIAM) PublicAccess(string) (iam.PublicAccess, bool) { return iam.PublicAccess{}, false }

// SetPublicAccess keeps nothing.
func (f *fakeIAM) SetPublicAccess(context.Context, string, *iam.PublicAccess) error {
	return iam.ErrUnavailable
}

// Refuse records what was refused beside Authorize.
func (f *fakeIAM) Refuse(r iam.Refusal) { f.refused = append(f.refused, r) }

// denyActions refuses the actions named, to everyone.
func denyActions(actions ...string) func(*iam.Request) bool {
	return func(r *iam.Request) bool {
		for _, a := range actions {
			if a == r.Action {
				return true
			}
		}
		return false
	}
}

// env is a server with the bucket "bkt", and its clock.
type env struct {
	t   testing.TB
	s   *Server
	iam *fakeIAM
	srv *httptest.Server
	now time.Time
}

func newEnv(t testing.TB) *env {
	e := &env{t: t, iam: &fakeIAM{}, now: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)}
	clock := func() time.Time { return e.now }
	e.s = New(Config{Backend: mem.New(mem.Options{Now: clock}), IAM: e.iam, Now: clock})
	e.srv = httptest.NewServer(e.s)
	e.srv.Client().Transport.(*http.Transport).DisableCompression = true
	t.Cleanup(e.srv.Close)
	e.bucket("bkt", storage.VersioningUnset)
	return e
}

func (e *env) bucket(name string, v storage.Versioning) {
	e.t.Helper()
	b := storage.Bucket{Name: name, Owner: testAccount, Versioning: v, Docs: map[string][]byte{}}
	if err := e.s.Backend.CreateBucket(context.Background(), b); err != nil {
		e.t.Fatal(err)
	}
}

// answered is an answer with its body read.
type answered struct {
	status int
	http.Header
	body string
}

// code returns the S3 error code of an answer, "" when it has none.
func (a *answered) code() string {
	var doc struct {
		XMLName xml.Name `xml:"Error"`
		Code    string   `xml:"Code"`
	}
	if xml.Unmarshal([]byte(a.body), &doc); doc.Code != "" {
		return doc.Code
	}
	var control struct {
		XMLName xml.Name `xml:"ErrorResponse"`
		Code    string   `xml:"Error>Code"`
	}
	xml.Unmarshal([]byte(a.body), &control)
	return control.Code
}

// do sends a request signed by AKtest. headers are "name: value" lines.
func (e *env) do(method, target, body string, headers ...string) *answered {
	e.t.Helper()
	r := e.request(method, target, body, headers...)
	sum := sha256.Sum256([]byte(body))
	e.signer().SignHeader(r, hex.EncodeToString(sum[:]), e.now)
	return e.send(r)
}

// anonymous sends a request without a signature.
func (e *env) anonymous(method, target, body string, headers ...string) *answered {
	e.t.Helper()
	return e.send(e.request(method, target, body, headers...))
}

func (e *env) signer() *sigv4.Signer {
	return &sigv4.Signer{AccessKey: "AKtest", Secret: "AKtestsecret", Region: "us-east-1", Service: "s3"}
}

func (e *env) request(method, target, body string, headers ...string) *http.Request {
	e.t.Helper()
	r, err := http.NewRequest(method, e.srv.URL+target, strings.NewReader(body))
	if err != nil {
		e.t.Fatal(err)
	}
	for _, h := range headers {
		name, value, ok := strings.Cut(h, ":")
		if !ok {
			e.t.Fatalf("header %q", h)
		}
		r.Header.Add(name, strings.TrimSpace(value))
	}
	return r
}

func (e *env) send(r *http.Request) *answered {
	e.t.Helper()
	res, err := e.srv.Client().Transport.RoundTrip(r)
	if err != nil {
		e.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		e.t.Fatalf("%s %s: read body: %v", r.Method, r.URL, err)
	}
	return &answered{res.StatusCode, res.Header, string(body)}
}

// must is do that fails unless the status is the one given.
func (e *env) must(status int, method, target, body string, headers ...string) *answered {
	e.t.Helper()
	a := e.do(method, target, body, headers...)
	if a.status != status {
		e.t.Fatalf("%s %s: status %d, want %d: %s", method, target, a.status, status, a.body)
	}
	return a
}

// refused is do that fails unless the answer is this error.
func (e *env) refused(status int, code, method, target, body string, headers ...string) *answered {
	e.t.Helper()
	a := e.must(status, method, target, body, headers...)
	if method != http.MethodHead && a.code() != code {
		e.t.Fatalf("%s %s: code %q, want %q: %s", method, target, a.code(), code, a.body)
	}
	return a
}

// wantHeader compares one header of an answer.
func (e *env) wantHeader(a *answered, name, want string) {
	e.t.Helper()
	if got := a.Get(name); got != want {
		e.t.Errorf("%s: %q, want %q", name, got, want)
	}
}

// element returns the text of the first element of that name.
func (a *answered) element(name string) string {
	_, rest, ok := strings.Cut(a.body, "<"+name+">")
	if !ok {
		return ""
	}
	text, _, _ := strings.Cut(rest, "</"+name+">")
	return text
}
