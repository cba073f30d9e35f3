package sts

import (
	"crypto/sha256"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7/pkg/signer"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/iam/store/mem"
)

const (
	rootUser   = "objroot"
	rootSecret = "a-very-long-root-secret"
	account    = "123456789012"
)

type server struct {
	*iam.Service
	url string
	t   *testing.T
}

func start(t *testing.T, c Config) *server {
	t.Helper()
	st := mem.Open()
	svc, err := iam.Open(st, iam.Options{RootUser: rootUser, RootPassword: rootSecret, AccountID: account})
	if err != nil {
		t.Fatal(err)
	}
	c.IAM, c.Region = svc, "us-east-1"
	h := httptest.NewServer(New(c))
	t.Cleanup(func() { h.Close(); svc.Close(); st.Close() })
	return &server{Service: svc, url: h.URL, t: t}
}

func (s *server) user(name string, policies ...string) iam.Credential {
	s.t.Helper()
	_, cred, err := s.CreateUser(s.t.Context(), iam.NewUser{Name: name, Policies: policies})
	if err != nil {
		s.t.Fatal(err)
	}
	return cred
}

// answer is whatever STS sends.
type answer struct {
	status int
	body   string
	Code   string `xml:"Error>Code"`
	Creds  struct {
		AccessKeyID     string `xml:"AccessKeyId"`
		SecretAccessKey string
		SessionToken    string
		Expiration      time.Time
	} `xml:"-"`
}

func (s *server) do(cred iam.Credential, form string, edit func(*http.Request)) answer {
	s.t.Helper()
	r, err := http.NewRequest("POST", s.url+"/", strings.NewReader(form))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if cred.AccessKey != "" {
		sum := sha(form)
		r.Header.Set("X-Amz-Content-Sha256", sum)
		if cred.SessionToken != "" {
			r.Header.Set("X-Amz-Security-Token", cred.SessionToken)
		}
		r = signer.SignV4STS(*r, cred.AccessKey, cred.Secret, "us-east-1")
	}
	if edit != nil {
		edit(r)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	out := answer{status: resp.StatusCode, body: string(data)}
	if err := xml.Unmarshal(data, &out); err != nil {
		s.t.Fatalf("%v: %s", err, data)
	}
	for _, action := range ops {
		if i := strings.Index(out.body, "<Credentials>"); i > 0 && strings.Contains(out.body, action.name+"Result") {
			part := out.body[i : strings.Index(out.body, "</Credentials>")+len("</Credentials>")]
			if err := xml.Unmarshal([]byte(part), &out.Creds); err != nil {
				s.t.Fatal(err)
			}
		}
	}
	return out
}

// credential checks an issued one and returns it.
func (s *server) credential(a answer) iam.Credential {
	s.t.Helper()
	if a.status != 200 {
		s.t.Fatalf("%d %s", a.status, a.body)
	}
	cred, err := s.Credential(a.Creds.AccessKeyID, a.Creds.SessionToken)
	if err != nil || cred.Secret != a.Creds.SecretAccessKey {
		s.t.Fatalf("%+v, %v", cred, err)
	}
	return cred
}

func form(action string, pairs ...string) string {
	v := url.Values{"Action": {action}, "Version": {Version}}
	for i := 0; i < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	return v.Encode()
}

func (s *server) may(c iam.Credential, action, bucket, key string) bool {
	return s.Authorize(&iam.Request{Identity: c.Identity, Action: action, Bucket: bucket, Key: key}).Allowed
}

func TestAssumeRole(t *testing.T) {
	s := start(t, Config{})
	alice := s.user("alice", "readwrite")
	a := s.do(alice, form("AssumeRole", "RoleArn", "arn:aws:iam::123456789012:role/any/thing", "RoleSessionName", "job",
		"DurationSeconds", "1800", "Policy", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}]}`), nil)
	cred := s.credential(a)
	if !s.may(cred, "s3:GetObject", "b", "k") || s.may(cred, "s3:GetObject", "c", "k") || s.may(cred, "s3:PutObject", "b", "k") {
		t.Error("the session has the wrong rights")
	}
	if d := time.Until(a.Creds.Expiration); d < 29*time.Minute || d > 30*time.Minute {
		t.Errorf("it expires in %v", d)
	}
	if want := "<Arn>arn:aws:sts::123456789012:assumed-role/thing/job</Arn>"; !strings.Contains(a.body, want) {
		t.Errorf("no %s in %s", want, a.body)
	}
	who := s.do(cred, form("GetCallerIdentity"), nil)
	if !strings.Contains(who.body, "<Arn>arn:aws:sts::123456789012:assumed-role/thing/job</Arn><UserId>"+alice.Identity.ID+":job</UserId><Account>"+account+"</Account>") {
		t.Error(who.body)
	}
	if list := s.Sessions("alice"); len(list) != 1 || list[0].Name != "job" || !list[0].Restricted {
		t.Errorf("%+v", list)
	}
	plain := s.do(alice, form("AssumeRole"), nil) // as MinIO's clients do without a role
	if c := s.credential(plain); !s.may(c, "s3:PutObject", "b", "k") || time.Until(plain.Creds.Expiration) < 59*time.Minute {
		t.Error("a plain session has the wrong rights or duration")
	}
	arns := s.credential(s.do(alice, form("AssumeRole", "PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/readonly"), nil))
	if !s.may(arns, "s3:GetObject", "b", "k") || s.may(arns, "s3:PutObject", "b", "k") {
		t.Error("PolicyArns do not bound the session")
	}
}

func TestDurationIsConfigured(t *testing.T) {
	s := start(t, Config{Duration: 2 * time.Hour})
	a := s.do(s.user("alice"), form("AssumeRole", "DurationSeconds", "900"), nil)
	if d := time.Until(a.Creds.Expiration); d < 119*time.Minute || d > 2*time.Hour {
		t.Errorf("it expires in %v", d)
	}
}

// TestRefusals: nothing is issued for what is malformed, and the message says what is wrong.
func TestRefusals(t *testing.T) {
	s := start(t, Config{})
	alice := s.user("alice", "readwrite")
	session := s.credential(s.do(alice, form("GetSessionToken"), nil))
	_, key, err := s.CreateAccessKey(t.Context(), iam.NewAccessKey{Parent: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	wrong := alice
	wrong.Secret = "not-the-secret-at-all"
	long := strings.Repeat(" ", 2048)
	for name, tt := range map[string]struct {
		cred   iam.Credential
		form   string
		status int
		code   string
	}{
		"S-193 unsigned":                    {iam.Credential{}, form("AssumeRole"), 403, "MissingAuthenticationToken"},
		"S-008 wrong secret":                {wrong, form("AssumeRole"), 403, "SignatureDoesNotMatch"},
		"unknown key":                       {iam.Credential{AccessKey: "nobody", Secret: "some-secret"}, form("AssumeRole"), 403, "InvalidClientTokenId"},
		"S-193 two actions":                 {alice, form("AssumeRole") + "&Action=GetCallerIdentity", 400, "ValidationError"},
		"no action":                         {alice, "Version=" + Version, 400, "MissingAction"},
		"no version":                        {alice, "Action=AssumeRole", 400, "ValidationError"},
		"unknown action":                    {alice, form("AssumeEverything"), 400, "InvalidAction"},
		"not implemented":                   {alice, form("AssumeRoleWithSAML"), 501, "NotImplemented"},
		"unknown parameter":                 {alice, form("AssumeRole", "Polcy", "{}"), 400, "ValidationError"},
		"S-191 zero":                        {alice, form("AssumeRole", "DurationSeconds", "0"), 400, "ValidationError"},
		"S-191 899":                         {alice, form("AssumeRole", "DurationSeconds", "899"), 400, "ValidationError"},
		"S-191 negative":                    {alice, form("AssumeRole", "DurationSeconds", "-1"), 400, "ValidationError"},
		"S-191 text":                        {alice, form("AssumeRole", "DurationSeconds", "abc"), 400, "ValidationError"},
		"S-191 empty":                       {alice, form("AssumeRole", "DurationSeconds", ""), 400, "ValidationError"},
		"S-191 366 days":                    {alice, form("AssumeRole", "DurationSeconds", "31622400"), 400, "ValidationError"},
		"S-191 beyond 36 hours":             {alice, form("GetSessionToken", "DurationSeconds", "129601"), 400, "ValidationError"},
		"bad session name":                  {alice, form("AssumeRole", "RoleSessionName", "a/b"), 400, "ValidationError"},
		"bad role":                          {alice, form("AssumeRole", "RoleArn", "role"), 400, "ValidationError"},
		"bad policy":                        {alice, form("AssumeRole", "Policy", `{"Version":"2012-10-17"}`), 400, "MalformedPolicyDocument"},
		"empty policy":                      {alice, form("AssumeRole", "Policy", ""), 400, "ValidationError"},
		"long policy":                       {alice, form("AssumeRole", "Policy", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`+long), 400, "ValidationError"},
		"unknown managed policy":            {alice, form("AssumeRole", "PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/nothing"), 400, "ValidationError"},
		"PolicyArns from 2":                 {alice, form("AssumeRole", "PolicyArns.member.2.arn", "arn:aws:iam::aws:policy/readonly"), 400, "ValidationError"},
		"tags without the right":            {alice, form("AssumeRole", "Tags.member.1.Key", "team", "Tags.member.1.Value", "x"), 403, "AccessDenied"},
		"source identity without the right": {alice, form("AssumeRole", "SourceIdentity", "bob"), 403, "AccessDenied"},
		"a session assumes":                 {session, form("AssumeRole"), 403, "AccessDenied"},
		"a session gets a token":            {session, form("GetSessionToken"), 403, "AccessDenied"},
		"S-187 session without token":       {iam.Credential{AccessKey: session.AccessKey, Secret: session.Secret}, form("GetCallerIdentity"), 403, "InvalidClientTokenId"},
		"S-187 key with a session's token":  {iam.Credential{AccessKey: key.AccessKey, Secret: key.Secret, SessionToken: session.SessionToken}, form("GetCallerIdentity"), 403, "InvalidClientTokenId"},
		"federation without the right":      {alice, form("GetFederationToken", "Name", "bob"), 403, "AccessDenied"},
		"key info without the right":        {alice, form("GetAccessKeyInfo", "AccessKeyId", "alice"), 403, "AccessDenied"},
		"S-007 a gigantic form":             {alice, form("AssumeRole", "Policy", strings.Repeat("x", maxBody)), 413, "RequestEntityTooLarge"},
	} {
		before := len(s.Sessions(""))
		a := s.do(tt.cred, tt.form, nil)
		if a.status != tt.status || a.Code != tt.code {
			t.Errorf("%s: %d %s, want %d %s", name, a.status, a.body, tt.status, tt.code)
		}
		if len(s.Sessions("")) != before {
			t.Errorf("%s: a session was issued", name)
		}
	}
	if a := s.do(alice, form("AssumeRole"), func(r *http.Request) {
		r.Body = io.NopCloser(strings.NewReader(form("AssumeRole", "Policy", "{}")[:r.ContentLength]))
	}); a.Code != "SignatureDoesNotMatch" {
		t.Errorf("another body under the signature: %s", a.body)
	}
	r, err := http.Get(s.url + "/?" + form("GetCallerIdentity"))
	if err != nil || r.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("S-193 GET: %v, %v", r, err)
	}
}

func TestDenied(t *testing.T) {
	s := start(t, Config{})
	doc := `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"sts:*","Resource":"*"}]}`
	if _, err := s.SetPolicy(t.Context(), "no-sts", []byte(doc)); err != nil {
		t.Fatal(err)
	}
	bob := s.user("bob", "readwrite", "no-sts")
	for _, action := range []string{"AssumeRole", "GetSessionToken"} {
		if a := s.do(bob, form(action), nil); a.Code != "AccessDenied" {
			t.Errorf("S-194 %s: %s", action, a.body)
		}
	}
	if a := s.do(bob, form("GetCallerIdentity"), nil); a.status != 200 || !strings.Contains(a.body, "<Arn>arn:aws:iam::123456789012:user/bob</Arn>") {
		t.Errorf("GetCallerIdentity can't be denied: %s", a.body)
	}
}

func TestFederationToken(t *testing.T) {
	s := start(t, Config{})
	doc := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sts:GetFederationToken","sts:GetAccessKeyInfo","s3:*"],"Resource":"*"}]}`
	if _, err := s.SetPolicy(t.Context(), "broker", []byte(doc)); err != nil {
		t.Fatal(err)
	}
	alice := s.user("alice", "broker")
	nothing := s.credential(s.do(alice, form("GetFederationToken", "Name", "bob"), nil))
	if s.may(nothing, "s3:GetObject", "b", "k") {
		t.Error("without a policy the session may something")
	}
	a := s.do(alice, form("GetFederationToken", "Name", "bob", "PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/readonly"), nil)
	reader := s.credential(a)
	if !s.may(reader, "s3:GetObject", "b", "k") || s.may(reader, "s3:PutObject", "b", "k") || !strings.Contains(a.body, "federated-user/bob") {
		t.Error("the session has the wrong rights")
	}
	for _, key := range []string{"alice", rootUser, reader.AccessKey} {
		if a := s.do(alice, form("GetAccessKeyInfo", "AccessKeyId", key), nil); !strings.Contains(a.body, "<Account>"+account+"</Account>") {
			t.Errorf("%s: %s", key, a.body)
		}
	}
	if a := s.do(alice, form("GetAccessKeyInfo", "AccessKeyId", "AKIANOBODYNOBODYNOBO"), nil); a.Code != "ValidationError" {
		t.Error(a.body)
	}
}

func sha(s string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(s))) }

// TestAccountRoot: the root of an account is the account (IAM user guide, "IAM identifiers"), and issues sessions without
// a policy, as root is limited to: an hour at most.
func TestAccountRoot(t *testing.T) {
	s := start(t, Config{})
	const tenant = "222222222222"
	_, root, err := s.CreateAccount(t.Context(), iam.NewAccount{ID: tenant, Name: "tenant", Root: "tenant-root"})
	if err != nil {
		t.Fatal(err)
	}
	// S-231: keys of others, the server's root's among them, are not there for it.
	s.user("alice")
	for key, want := range map[string]string{"tenant-root": "<Account>" + tenant + "</Account>", "alice": "ValidationError", rootUser: "ValidationError"} {
		if a := s.do(root, form("GetAccessKeyInfo", "AccessKeyId", key), nil); !strings.Contains(a.body, want) {
			t.Errorf("%s: %s", key, a.body)
		}
	}
	is := func(cred iam.Credential, arn, id string) {
		t.Helper()
		if a := s.do(cred, form("GetCallerIdentity"), nil); !strings.Contains(a.body, "<Arn>"+arn+"</Arn><UserId>"+id+"</UserId><Account>"+tenant+"</Account>") {
			t.Error(a.body)
		}
	}
	is(root, "arn:aws:iam::"+tenant+":root", tenant)
	token := s.do(root, form("GetSessionToken"), nil)
	is(s.credential(token), "arn:aws:iam::"+tenant+":root", tenant)
	if d := time.Until(token.Creds.Expiration); d > time.Hour {
		t.Errorf("it expires in %v", d)
	}
	is(s.credential(s.do(root, form("AssumeRole", "RoleArn", "arn:aws:iam::"+tenant+":role/thing", "RoleSessionName", "job"), nil)),
		"arn:aws:sts::"+tenant+":assumed-role/thing/job", tenant+":job")
	fed := s.do(root, form("GetFederationToken", "Name", "guest", "Policy", `{"Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`), nil)
	is(s.credential(fed), "arn:aws:sts::"+tenant+":federated-user/guest", tenant+":guest")
	if c := s.credential(fed); s.may(c, "s3:GetObject", "b", "k") || s.may(c, "admin:CreateUser", "", "") {
		t.Error("S-231 a session of another account may read the deployment's, or what its policy does not say")
	}
}
