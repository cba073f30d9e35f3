package s3api

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/sigv4"
)

// session makes a session of a user's.
func (a *accounts) session(user string, policy string) iam.Credential {
	a.t.Helper()
	cred, err := a.svc.Credential(user, "")
	if err != nil {
		a.t.Fatal(err)
	}
	n := iam.NewSession{By: cred.Identity, Duration: time.Hour, Name: "test"}
	if policy != "" {
		n.Policy = []byte(policy)
	}
	_, made, err := a.svc.CreateSession(a.t.Context(), n)
	if err != nil {
		a.t.Fatal(err)
	}
	return made
}

// with sends a request signed with a credential; the token goes into the header.
func (a *accounts) with(c iam.Credential, method, target, body string, headers ...string) *answered {
	a.t.Helper()
	r := a.request(method, target, body, headers...)
	sum := sha256.Sum256([]byte(body))
	s := sigv4.Signer{AccessKey: c.AccessKey, Secret: c.Secret, SessionToken: c.SessionToken, Region: "us-east-1", Service: "s3"}
	s.SignHeader(r, hex.EncodeToString(sum[:]), a.now)
	return a.send(r)
}

// presigned is a request whose signature, with the token, is in its query.
func (a *accounts) presigned(c iam.Credential, method, target, body string) *http.Request {
	a.t.Helper()
	r := a.request(method, target, body)
	s := sigv4.Signer{AccessKey: c.AccessKey, Secret: c.Secret, SessionToken: c.SessionToken, Region: "us-east-1", Service: "s3"}
	s.Presign(r, 12*time.Hour, a.now)
	return r
}

// form sends a POST form signed with a credential, whose token is in the form, and in its policy when listed is set.
func (a *accounts) form(c iam.Credential, bucket, key string, listed bool) *answered {
	a.t.Helper()
	return a.formOf(c, bucket, [][2]string{{"key", key}}, listed)
}

// formOf is form with more fields, all of which the policy names.
func (a *accounts) formOf(c iam.Credential, bucket string, fields [][2]string, listed bool) *answered {
	a.t.Helper()
	s := sigv4.Signer{AccessKey: c.AccessKey, Secret: c.Secret, SessionToken: c.SessionToken, Region: "us-east-1", Service: "s3"}
	conditions := []string{fmt.Sprintf(`{"bucket":%q}`, bucket)}
	for _, f := range fields {
		conditions = append(conditions, fmt.Sprintf(`{%q:%q}`, f[0], f[1]))
	}
	for name, value := range s.PostFields(a.now) {
		if listed || name != "x-amz-security-token" {
			conditions = append(conditions, fmt.Sprintf(`{%q:%q}`, name, value))
		}
	}
	policy := fmt.Sprintf(`{"expiration":%q,"conditions":[%s]}`, a.now.Add(time.Hour).UTC().Format(time.RFC3339), strings.Join(conditions, ","))
	f := postForm{filename: "f", content: "content", fields: fields}
	for name, value := range s.SignPostPolicy([]byte(policy), a.now) {
		f.fields = append(f.fields, [2]string{name, value})
	}
	body, contentType := f.encode(a.t)
	return a.send(a.request("POST", "/"+bucket, body, "Content-Type: "+contentType))
}

// TestSessionTokens binds a session's key to its token, wherever that travels (S-187).
func TestSessionTokens(t *testing.T) {
	a := newAccounts(t, "")
	path := a.newBucket()
	a.wants(200, "", "owner", "PUT", path+"/k", "content")
	first, second := a.session("owner", ""), a.session("owner", "")
	root := a.session("root-key", "")
	long := func(user string) iam.Credential {
		c, err := a.svc.Credential(user, "")
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	token := func(c iam.Credential, token string) iam.Credential { c.SessionToken = token; return c }
	flipped := []byte(first.SessionToken)
	flipped[len(flipped)/2] ^= 1
	rows := []struct {
		name   string
		c      iam.Credential
		status int
		code   string
	}{
		{"session", first, 200, ""},
		{"other session", second, 200, ""},
		{"session of root", root, 200, ""},
		{"without token", token(first, ""), 403, "InvalidAccessKeyId"},
		{"token of the other session", token(first, second.SessionToken), 400, "InvalidToken"},
		{"token changed", token(first, string(flipped)), 400, "InvalidToken"},
		{"token cut", token(first, first.SessionToken[:len(first.SessionToken)-1]), 400, "InvalidToken"},
		{"token longer", token(first, first.SessionToken+"A"), 400, "InvalidToken"},
		{"no token at all", token(first, "x"), 400, "InvalidToken"},
		{"long-term key with a token", token(long("owner"), first.SessionToken), 400, "InvalidToken"},
		{"root with a token", token(long("root-key"), root.SessionToken), 400, "InvalidToken"},
		{"unknown key with a token", token(iam.Credential{AccessKey: "ASIAUNKNOWN", Secret: "unknown-secret"}, first.SessionToken), 400, "InvalidToken"},
		{"unknown key", iam.Credential{AccessKey: "ASIAUNKNOWN", Secret: "unknown-secret"}, 403, "InvalidAccessKeyId"},
		{"other secret", iam.Credential{AccessKey: first.AccessKey, Secret: second.Secret, SessionToken: first.SessionToken}, 403, "SignatureDoesNotMatch"},
	}
	for _, row := range rows {
		if got := a.with(row.c, "GET", path+"/k", ""); got.status != row.status || got.code() != row.code {
			t.Errorf("%s, header: %d %s", row.name, got.status, got.body)
		}
		if got := a.send(a.presigned(row.c, "GET", path+"/k", "")); got.status != row.status || got.code() != row.code {
			t.Errorf("%s, presigned: %d %s", row.name, got.status, got.body)
		}
		want := row.status
		if want == 200 {
			want = 204
		}
		key := "by form of " + row.name
		if got := a.form(row.c, path[1:], key, true); got.status != want || got.code() != row.code {
			t.Errorf("%s, form: %d %s", row.name, got.status, got.body)
		}
		if got := a.as("owner", "HEAD", path+"/"+strings.ReplaceAll(key, " ", "%20"), "").status == 200; got != (want == 204) {
			t.Errorf("%s: the form has stored: %v", row.name, got)
		}
	}
	// A token that the policy of a form does not name is none that was signed (S-183).
	if got := a.form(first, path[1:], "unlisted", false); got.status != 403 || got.code() != "AccessDenied" {
		t.Errorf("token beside the policy: %d %s", got.status, got.body)
	}
	// The token in the query and in a header.
	r := a.presigned(first, "GET", path+"/k", "")
	r.Header.Set("X-Amz-Security-Token", first.SessionToken)
	if got := a.send(r); got.status != 400 && got.status != 403 {
		t.Errorf("token twice: %d %s", got.status, got.body)
	}
	// A token that was added after the signature.
	r = a.request("GET", path+"/k", "")
	s := sigv4.Signer{AccessKey: first.AccessKey, Secret: first.Secret, Region: "us-east-1", Service: "s3"}
	s.SignHeader(r, "UNSIGNED-PAYLOAD", a.now)
	r.Header.Set("X-Amz-Security-Token", first.SessionToken)
	if got := a.send(r); got.status != 403 || got.code() != "AccessDenied" {
		t.Errorf("unsigned token: %d %s", got.status, got.body)
	}
}

// TestExpiredSession ends with its expiry, also what was presigned for longer (S-188).
func TestExpiredSession(t *testing.T) {
	a := newAccounts(t, "")
	path := a.newBucket()
	a.wants(200, "", "owner", "PUT", path+"/k", "content")
	c := a.session("owner", "")
	link := func() *http.Request { return a.presigned(c, "GET", path+"/k", "") }
	early := link()
	a.now = a.now.Add(time.Hour - time.Second)
	for _, got := range []*answered{a.with(c, "GET", path+"/k", ""), a.send(early), a.send(link())} {
		if got.status != 200 {
			t.Fatalf("a second before: %d %s", got.status, got.body)
		}
	}
	early = link()
	a.now = a.now.Add(2 * time.Second)
	for name, got := range map[string]*answered{"header": a.with(c, "GET", path+"/k", ""), "presigned before": a.send(early), "presigned after": a.send(link()),
		"form": a.form(c, path[1:], "late", true)} {
		if got.status != 400 || got.code() != "ExpiredToken" {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	a.wants(404, "NoSuchKey", "owner", "GET", path+"/late", "")
}

// TestSessionPolicyBounds: a session may what its user and its policy both allow (S-218).
func TestSessionPolicyBounds(t *testing.T) {
	a := newAccounts(t, "")
	path := a.newBucket()
	a.wants(200, "", "owner", "PUT", path+"/in/k", "content")
	a.wants(200, "", "owner", "PUT", path+"/out/k", "content")
	allow := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::` + path[1:] + `/in/*"}]}`
	for _, user := range []string{"owner", "bare", "root-key"} {
		c := a.session(user, allow)
		in, out := 200, 403
		if user == "bare" {
			in = 403
		}
		for target, status := range map[string]int{"/in/k": in, "/out/k": out, "": 403, "?policy": 403} {
			if got := a.with(c, "GET", path+target, ""); got.status != status {
				t.Errorf("session of %s, %s: %d %s", user, target, got.status, got.body)
			}
		}
		for source, status := range map[string]int{"/in/k": in, "/out/k": 403} {
			if got := a.with(c, "PUT", path+"/in/copy", "", "x-amz-copy-source: "+path+source); got.status != status {
				t.Errorf("session of %s, copy of %s: %d %s", user, source, got.status, got.body)
			}
		}
	}
}

// TestRevocation: whatever ends a credential ends all that was made with it, for the next request (S-228).
func TestRevocation(t *testing.T) {
	a := newAccounts(t, "")
	path := a.newBucket()
	a.wants(200, "", "owner", "PUT", path+"/k", "content")
	ctx := t.Context()
	rows := []struct {
		name                string
		do                  func(key, session iam.Credential) error
		user, service, sess int
	}{
		{"nothing", func(_, _ iam.Credential) error { return nil }, 200, 200, 200},
		{"disable the user", func(_, _ iam.Credential) error { _, err := a.svc.SetStatus(ctx, "victim", false); return err }, 403, 403, 403},
		{"delete the user", func(_, _ iam.Credential) error { return a.svc.DeleteUser(ctx, "victim") }, 403, 403, 400},
		{"detach the policy", func(_, _ iam.Credential) error { _, err := a.svc.DetachPolicy(ctx, "victim", "readwrite"); return err }, 403, 403, 403},
		{"change the secret", func(_, _ iam.Credential) error {
			secret := "another-secret-0815"
			_, err := a.svc.UpdateUser(ctx, "victim", iam.UserUpdate{Secret: &secret})
			return err
		}, 403, 200, 200},
		{"delete the service key", func(key, _ iam.Credential) error { return a.svc.DeleteAccessKey(ctx, key.AccessKey) }, 200, 403, 200},
		{"disable the service key", func(key, _ iam.Credential) error {
			enabled := false
			_, err := a.svc.UpdateAccessKey(ctx, key.AccessKey, iam.AccessKeyUpdate{Enabled: &enabled})
			return err
		}, 200, 403, 200},
		{"revoke the session", func(_, session iam.Credential) error { return a.svc.RevokeSession(ctx, session.AccessKey) }, 200, 200, 400},
		{"bucket policy denies", func(_, _ iam.Credential) error {
			a.wants(204, "", "owner", "PUT", path+"?policy", fmt.Sprintf(`{"Statement":[{"Effect":"Deny","Principal":{"AWS":"arn:aws:iam::%s:user/victim"},"Action":"s3:*","Resource":["arn:aws:s3:::%s","arn:aws:s3:::%[2]s/*"]}]}`, ownAccount, path[1:]))
			return nil
		}, 403, 403, 403},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			a.user("victim", ownAccount, "readwrite")
			defer func() {
				a.svc.DeleteUser(ctx, "victim")
				a.as("owner", "DELETE", path+"?policy", "")
			}()
			user, err := a.svc.Credential("victim", "")
			if err != nil {
				t.Fatal(err)
			}
			_, key, err := a.svc.CreateAccessKey(ctx, iam.NewAccessKey{Parent: "victim"})
			if err != nil {
				t.Fatal(err)
			}
			session := a.session("victim", "")
			links := []*http.Request{a.presigned(user, "GET", path+"/k", ""), a.presigned(key, "GET", path+"/k", ""), a.presigned(session, "GET", path+"/k", "")}
			id := a.with(key, "POST", path+"/mp?uploads", "").element("UploadId")
			if id == "" {
				t.Fatal("no upload")
			}
			if err := row.do(key, session); err != nil {
				t.Fatal(err)
			}
			wants := []int{row.user, row.service, row.sess}
			for i, c := range []iam.Credential{user, key, session} {
				if got := a.with(c, "GET", path+"/k", ""); got.status != wants[i] {
					t.Errorf("credential %d: %d %s, want %d", i, got.status, got.body, wants[i])
				}
				if got := a.send(links[i]); got.status != wants[i] {
					t.Errorf("link %d: %d %s, want %d", i, got.status, got.body, wants[i])
				}
				part := a.with(c, "PUT", path+"/mp?partNumber=1&uploadId="+id, "part")
				if part.status != wants[i] {
					t.Errorf("part by %d: %d %s, want %d", i, part.status, part.body, wants[i])
				}
			}
		})
	}
}

// TestSignatureAge: a policy can refuse links that were signed long ago, although they are still good (S-172).
func TestSignatureAge(t *testing.T) {
	a := newAccounts(t, "")
	path := a.newBucket()
	a.wants(200, "", "owner", "PUT", path+"/k", "content")
	a.wants(204, "", "owner", "PUT", path+"?policy", `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::`+path[1:]+`/*",`+
		`"Condition":{"NumericGreaterThan":{"s3:signatureAge":"600000"}}}]}`)
	owner := iam.Credential{AccessKey: "owner", Secret: "owner-key-secret"}
	young, old := a.presigned(owner, "GET", path+"/k", ""), a.presigned(owner, "GET", path+"/k", "")
	a.now = a.now.Add(9 * time.Minute)
	if got := a.send(young); got.status != 200 {
		t.Errorf("after 9 minutes: %d %s", got.status, got.body)
	}
	a.now = a.now.Add(11 * time.Minute)
	if got := a.send(old); got.status != 403 || got.code() != "AccessDenied" {
		t.Errorf("after 20 minutes: %d %s", got.status, got.body)
	}
	a.wants(200, "", "owner", "GET", path+"/k", "") // headers have no age
}
