package s3api

import (
	"crypto/md5"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/objsrv/objsrv/iam"
	iammem "github.com/objsrv/objsrv/iam/store/mem"
	"github.com/objsrv/objsrv/internal/reqlog"
	"github.com/objsrv/objsrv/sigv4"
	"github.com/objsrv/objsrv/storage"
	"github.com/objsrv/objsrv/storage/mem"
)

// The accounts of these tests. The deployment's is ownAccount.
const (
	ownAccount   = "111111111111"
	otherAccount = "222222222222"
)

// accounts is a server with the real decisions and users of two accounts: "owner" and
// "stranger" may do everything that S3 has, "bare" and "strangerbare" have no policy.
type accounts struct {
	*env
	svc   *iam.Service
	event reqlog.Event // what the listener knows of requests
	n     int
}

func newAccounts(t *testing.T, ownership string) *accounts {
	t.Helper()
	a := &accounts{env: &env{t: t, now: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)}}
	svc, err := iam.Open(iammem.Open(), iam.Options{RootUser: "root-key", RootPassword: "root-key-secret", AccountID: ownAccount,
		Report: func(err error) { t.Error(err) }, Now: func() time.Time { return a.now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { svc.Close() })
	a.svc = svc
	a.user("owner", ownAccount, "readwrite")
	a.user("bare", ownAccount)
	a.user("stranger", otherAccount, "readwrite")
	a.user("strangerbare", otherAccount)
	clock := func() time.Time { return a.now }
	a.s = New(Config{Backend: mem.New(mem.Options{Now: clock}), IAM: svc, Now: clock, ObjectOwnership: ownership})
	a.srv = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ev := a.event
		ev.ID = r.Header.Get("Test-Request")
		if ev.TLS {
			r.TLS = &tls.ConnectionState{Version: tls.VersionTLS13}
		}
		a.s.ServeHTTP(w, r.WithContext(reqlog.With(r.Context(), &ev)))
	}))
	t.Cleanup(a.srv.Close)
	return a
}

func (a *accounts) user(name, account string, policies ...string) {
	a.t.Helper()
	if _, err := a.svc.AccountInfo(account); account != "" && errors.Is(err, iam.ErrNoSuchAccount) {
		if _, _, err := a.svc.CreateAccount(a.t.Context(), iam.NewAccount{ID: account, Name: "a" + account, Root: "root-of-" + account}); err != nil {
			a.t.Fatal(err)
		}
	}
	_, _, err := a.svc.CreateUser(a.t.Context(), iam.NewUser{Name: name, Secret: name + "-key-secret", Account: account, Policies: policies})
	if err != nil {
		a.t.Fatal(err)
	}
}

// grant gives a user a policy of its own.
func (a *accounts) grant(name, document string) {
	a.t.Helper()
	if _, err := a.svc.SetPolicy(a.t.Context(), name+"-policy", []byte(document)); err != nil {
		a.t.Fatal(err)
	}
	if _, err := a.svc.AttachPolicy(a.t.Context(), name, name+"-policy"); err != nil {
		a.t.Fatal(err)
	}
}

// as sends a request of a user; "" is the anonymous one.
func (a *accounts) as(user, method, target, body string, headers ...string) *answered {
	a.t.Helper()
	r := a.request(method, target, body, headers...)
	if user != "" {
		secret := user + "-key-secret"
		if user == "root-key" {
			secret = "root-key-secret"
		}
		sum := sha256.Sum256([]byte(body))
		s := &sigv4.Signer{AccessKey: user, Secret: secret, Region: "us-east-1", Service: "s3"}
		s.SignHeader(r, hex.EncodeToString(sum[:]), a.now)
	}
	return a.send(r)
}

// wants is as that fails unless the answer has this status and error code.
func (a *accounts) wants(status int, code, user, method, target, body string, headers ...string) *answered {
	a.t.Helper()
	got := a.as(user, method, target, body, headers...)
	if got.status != status || method != "HEAD" && got.code() != code {
		a.t.Fatalf("%q: %s %s %q: %d %s, want %d %s", user, method, target, headers, got.status, got.body, status, code)
	}
	return got
}

// newBucket makes a bucket of owner's and returns its path.
func (a *accounts) newBucket(headers ...string) string {
	a.t.Helper()
	a.n++
	path := fmt.Sprintf("/bucket-%d", a.n)
	a.wants(200, "", "owner", "PUT", path, "", headers...)
	return path
}

// hasOwner fails unless the first Owner element of an answer is this account's.
func (a *accounts) hasOwner(got *answered, account string) {
	a.t.Helper()
	if !strings.Contains(got.body, ownerXML(account)) {
		a.t.Fatalf("no owner %s in %s", account, got.body)
	}
}

func policyDoc(effect, action, path string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":%q,"Principal":"*","Action":%q,"Resource":["arn:aws:s3:::%[3]s","arn:aws:s3:::%[3]s/*"]}]}`,
		effect, action, path[1:])
}

func b64md5(b []byte) string {
	sum := md5.Sum(b)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// after is a backend that does something between the first look at a key and what follows.
type after struct {
	storage.Backend
	key  string
	then func()
}

// inGroup makes a group with a policy and a member.
func (a *accounts) inGroup(group, policy, user string) {
	a.t.Helper()
	if _, err := a.svc.CreateGroup(a.t.Context(), iam.NewGroup{Name: group, Policies: []string{policy}}); err != nil {
		a.t.Fatal(err)
	}
	if err := a.svc.AddMembers(a.t.Context(), group, user); err != nil {
		a.t.Fatal(err)
	}
}
