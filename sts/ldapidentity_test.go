package sts

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/objsrv/objsrv/iam"
)

// book is a Directory that knows people by name; the password is name-secret. The real ones are
// asked by the tests of package ldap and of the program.
type book struct {
	mu     sync.Mutex
	people map[string]DirectoryEntry
	down   error
	asked  int
}

func (b *book) Login(_ context.Context, name, password string) (*DirectoryEntry, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked++
	e, ok := b.people[name]
	switch {
	case b.down != nil:
		return nil, b.down
	case !ok:
		return nil, fmt.Errorf("%w: nobody", ErrWrongLogin)
	case password != name+"-secret":
		return nil, fmt.Errorf("%w: bind", ErrWrongLogin)
	}
	e.Name = name
	return &e, nil
}

func (b *book) Review(_ context.Context, people []DirectoryEntry, each func(int, *DirectoryEntry) error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked++
	if b.down != nil {
		return b.down
	}
	for i, p := range people {
		var now *DirectoryEntry
		for _, e := range b.people {
			if e.DN == p.DN {
				now = &DirectoryEntry{DN: e.DN, Name: p.Name, Groups: e.Groups}
			}
		}
		if err := each(i, now); err != nil {
			return err
		}
	}
	return nil
}

func (b *book) set(name string, e *DirectoryEntry) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e == nil {
		delete(b.people, name)
	} else {
		b.people[name] = *e
	}
}

const (
	aliceDN = "uid=Alice,ou=people,dc=test"
	staffDN = "cn=Staff,ou=groups,dc=test"
)

func newBook() *book {
	return &book{people: map[string]DirectoryEntry{
		"alice": {DN: aliceDN, Groups: []string{staffDN, "cn=other,dc=test"}, Attributes: map[string][]string{"Mail": {"a@test"}, "departmentNumber": {"17", "42"}}},
		"bob":   {DN: "uid=bob,dc=test"},
		"carl!": {DN: "uid=carl!,dc=test", Groups: []string{staffDN}},
		"long":  {DN: "uid=" + strings.Repeat("x", 800) + ",dc=test", Groups: []string{staffDN}},
		"many":  {DN: "uid=many,dc=test", Groups: slices.Repeat([]string{staffDN}, 3)},
	}}
}

func (s *server) group(name string, policies ...string) {
	s.t.Helper()
	if _, err := s.CreateGroup(s.t.Context(), iam.NewGroup{Name: name, Policies: policies}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *server) ldap(name, password string, pairs ...string) answer {
	s.t.Helper()
	return s.do(iam.Credential{}, form("AssumeRoleWithLDAPIdentity", append([]string{"LDAPUsername", name, "LDAPPassword", password}, pairs...)...), nil)
}

func TestLDAPIdentity(t *testing.T) {
	b := newBook()
	s := start(t, Config{Directory: b})
	s.group("ldap:cn=staff,ou=groups,dc=test", "readwrite")
	byClaims := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::home/${ldap:username}/*",
		"Condition":{"StringEquals":{"ldap:user":"` + aliceDN + `","ldap:attrib_mail":"a@test"},"ForAnyValue:StringEquals":{"ldap:groups":"cn=other,dc=test","ldap:attrib_departmentnumber":"42"}}}]}`
	if _, err := s.SetPolicy(t.Context(), "home", []byte(byClaims)); err != nil {
		t.Fatal(err)
	}
	a := s.ldap("alice", "alice-secret", "TokenRevokeType", "console")
	cred := s.credential(a)
	if !s.may(cred, "s3:PutObject", "b", "k") || s.may(cred, "admin:CreateUser", "", "") {
		t.Error("the session has the wrong rights")
	}
	if d := time.Until(a.Creds.Expiration); d < 59*time.Minute || d > time.Hour {
		t.Errorf("it lasts %v", d)
	}
	const user = "ldap:uid=alice,ou=people,dc=test"
	list := s.Sessions(user)
	if len(list) != 1 || list[0].Name != "alice" || list[0].RevokeType != "console" || !slices.Equal(list[0].Grants.Groups, []string{"ldap:cn=staff,ou=groups,dc=test"}) {
		t.Fatalf("%+v", list)
	}
	if want := "assumed-role/ldap/alice</Arn><AssumedRoleId>" + cred.Identity.ID + ":alice<"; !strings.Contains(a.body, want) {
		t.Errorf("no %s in %s", want, a.body)
	}
	// What is attached to the person counts as well, and suffices.
	if _, err := s.UpdateGroup(t.Context(), "ldap:cn=staff,ou=groups,dc=test", iam.GroupUpdate{Detach: []string{"readwrite"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.AttachPolicy(t.Context(), user, "home"); err != nil {
		t.Fatal(err)
	}
	again := s.credential(s.ldap("alice", "alice-secret"))
	if again.Identity.ID != cred.Identity.ID || len(s.Users()) != 1 {
		t.Error("the second login is somebody else")
	}
	if !s.may(again, "s3:GetObject", "home", "alice/k") || s.may(again, "s3:GetObject", "home", "bob/k") {
		t.Error("policies by claims of the directory are decided wrongly")
	}
	if n, err := s.RevokeSessions(t.Context(), user, "console"); n != 1 || err != nil {
		t.Errorf("revoked %d, %v", n, err)
	}
	doc := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::other/*"}]}`
	if c := s.credential(s.ldap("alice", "alice-secret", "Policy", doc)); s.may(c, "s3:GetObject", "home", "alice/k") || s.may(c, "s3:GetObject", "other", "k") {
		t.Error("Policy does not bound the session")
	}
	if c := s.credential(s.ldap("alice", "alice-secret", "PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/writeonly", "DurationSeconds", "900")); s.may(c, "s3:GetObject", "home", "alice/k") {
		t.Error("PolicyArns do not bound the session")
	}
	if a := s.query(form("AssumeRoleWithLDAPIdentity", "LDAPUsername", "alice", "LDAPPassword", "alice-secret")); a.status != 200 {
		t.Errorf("in the query: %s", a.body)
	}
	if a := s.do(cred, form("AssumeRole"), nil); a.status == 200 {
		t.Error("the session assumes a role")
	}
	// S-140: a login name is a value in a policy, too.
	if _, err := s.SetPolicy(t.Context(), "by-name", []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::home/${ldap:username}/*"}]}`)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"*", "a*", "a?ice", "${aws:username}"} {
		b.set(name, &DirectoryEntry{DN: "uid=star,dc=test"})
		if _, err := s.User("ldap:uid=star,dc=test"); err != nil {
			if _, _, err := s.CreateUser(t.Context(), iam.NewUser{Name: "ldap:uid=star,dc=test", Policies: []string{"by-name"}}); err != nil {
				t.Fatal(err)
			}
		}
		if c := s.credential(s.ldap(name, name+"-secret")); s.may(c, "s3:GetObject", "home", "alice/k") || !s.may(c, "s3:GetObject", "home", name+"/k") {
			t.Errorf("S-140 the name %q is a pattern in a policy", name)
		}
	}
	// The name of the session is printable whatever the login name is.
	if _, _, err := s.CreateUser(t.Context(), iam.NewUser{Name: "ldap:uid=carl!,dc=test", Policies: []string{"readonly"}}); err != nil {
		t.Fatal(err)
	}
	if a := s.ldap("carl!", "carl!-secret"); !strings.Contains(a.body, "assumed-role/ldap/session</Arn>") {
		t.Error(a.body)
	}
}

// TestLDAPIdentityRefused: the right code, a sentence, nothing written, the reason for administrators.
func TestLDAPIdentityRefused(t *testing.T) {
	b := newBook()
	s := start(t, Config{Directory: b})
	doc := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"},{"Effect":"Deny","Action":"sts:AssumeRoleLDAPIdentity","Resource":"*"}]}`
	if _, err := s.SetPolicy(t.Context(), "no-ldap", []byte(doc)); err != nil {
		t.Fatal(err)
	}
	s.group("ldap:cn=staff,ou=groups,dc=test", "no-ldap")
	if _, _, err := s.CreateUser(t.Context(), iam.NewUser{Name: "ldap:uid=bob,dc=test", Policies: []string{"readwrite"}, Disabled: true}); err != nil {
		t.Fatal(err)
	}
	b.set("dave", &DirectoryEntry{DN: "uid=dave,dc=test"})
	s.group("ldap:cn=off,dc=test", "readwrite")
	off := false
	if _, err := s.UpdateGroup(t.Context(), "ldap:cn=off,dc=test", iam.GroupUpdate{Enabled: &off}); err != nil {
		t.Fatal(err)
	}
	b.set("frank", &DirectoryEntry{DN: "uid=frank,dc=test", Groups: []string{"CN=Off,dc=test", staffDN}})
	b.set("eve", &DirectoryEntry{DN: "uid=eve,dc=test", Groups: []string{"cn=one,dc=test", "cn=ünknown,dc=test"}})
	for name, tt := range map[string]struct {
		form   []string
		status int
		code   string
		says   string
		asked  bool
	}{
		"no name":           {[]string{"LDAPPassword", "x"}, 400, "ValidationError", "LDAPUsername", false},
		"empty name":        {[]string{"LDAPUsername", "", "LDAPPassword", "x"}, 400, "ValidationError", "LDAPUsername", false},
		"S-210 no password": {[]string{"LDAPUsername", "alice"}, 400, "ValidationError", "LDAPPassword", false},
		"S-210 empty":       {[]string{"LDAPUsername", "alice", "LDAPPassword", ""}, 400, "ValidationError", "LDAPPassword", false},
		"S-210 blank":       {[]string{"LDAPUsername", "alice", "LDAPPassword", " \t "}, 400, "ValidationError", "LDAPPassword", false},
		"S-210 NUL first":   {[]string{"LDAPUsername", "alice", "LDAPPassword", "\x00alice-secret"}, 400, "ValidationError", "LDAPPassword", false},
		"unknown parameter": {[]string{"LDAPUsername", "alice", "LDAPPassword", "alice-secret", "RoleArn", "x"}, 400, "ValidationError", "RoleArn", false},
		"S-191 899":         {[]string{"LDAPUsername", "alice", "LDAPPassword", "alice-secret", "DurationSeconds", "899"}, 400, "ValidationError", "900", false},
		"S-193 two names":   {[]string{"LDAPUsername", "alice", "LDAPPassword", "alice-secret", "LDAPUsername", "bob"}, 400, "ValidationError", "more than once", false},
		"wrong password":    {[]string{"LDAPUsername", "alice", "LDAPPassword", "x"}, 403, "AccessDenied", "The user name or the password is wrong.", true},
		"unknown":           {[]string{"LDAPUsername", "nobody", "LDAPPassword", "x"}, 403, "AccessDenied", "The user name or the password is wrong.", true},
		"disabled here":     {[]string{"LDAPUsername", "bob", "LDAPPassword", "bob-secret"}, 403, "AccessDenied", "disabled on this server", true},
		"a group disabled":  {[]string{"LDAPUsername", "frank", "LDAPPassword", "frank-secret"}, 403, "AccessDenied", "ldap:cn=off,dc=test", true},
		"no policy":         {[]string{"LDAPUsername", "dave", "LDAPPassword", "dave-secret"}, 403, "AccessDenied", `uid=dave,dc=test, and it is in no group`, true},
		"groups without":    {[]string{"LDAPUsername", "eve", "LDAPPassword", "eve-secret"}, 403, "AccessDenied", `uid=eve,dc=test or to one of its groups in the directory: cn=one,dc=test, &#34;cn=\u00fcnknown,dc=test&#34;.`, true},
		"a policy denies":   {[]string{"LDAPUsername", "alice", "LDAPPassword", "alice-secret"}, 403, "AccessDenied", "A policy denies sts:AssumeRoleLDAPIdentity", true},
		"a very long DN":    {[]string{"LDAPUsername", "long", "LDAPPassword", "long-secret"}, 403, "AccessDenied", "768", true},
	} {
		before := b.asked
		a := s.do(iam.Credential{}, form("AssumeRoleWithLDAPIdentity", tt.form...), nil)
		if a.status != tt.status || a.Code != tt.code || !strings.Contains(a.body, tt.says) {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
		if asked := b.asked > before; asked != tt.asked {
			t.Errorf("%s: the directory was asked: %v", name, asked)
		}
		if len(s.Sessions("")) != 0 || len(s.Users()) != 1 {
			t.Errorf("%s: something was written", name)
		}
	}
	// S-029: one and the same answer but for the request's id.
	sent := func(name string) string {
		body := s.ldap(name, "wrong").body
		i := strings.Index(body, "<RequestId>")
		return body[:max(i, 0)]
	}
	if one, other := sent("alice"), sent("nobody"); one != other || one == "" {
		t.Errorf("%q and %q", one, other)
	}
	b.down = errors.New("dial tcp: refused")
	if a := s.ldap("alice", "alice-secret"); a.status != 503 || a.Code != "ServiceUnavailable" || strings.Contains(a.body, "refused") {
		t.Errorf("down: %d %s", a.status, a.body)
	}
	b.down = fmt.Errorf("%w: 2000", ErrTooManyGroups)
	if a := s.ldap("alice", "alice-secret"); a.status != 403 || a.Code != "AccessDenied" {
		t.Errorf("S-215 too many groups: %d %s", a.status, a.body)
	}
	var why []string
	for _, r := range s.LastRefusals(100) {
		why = append(why, r.Principal+" "+r.Statement)
	}
	for _, want := range []string{`"alice" user name or password wrong: bind`, "wrong: nobody", "dial tcp: refused", "the user is disabled"} {
		if !strings.Contains(strings.Join(why, "\n"), want) {
			t.Errorf("administrators don't find %q in %q", want, why)
		}
	}
	if a := start(t, Config{}).ldap("alice", "alice-secret"); a.Code != "AccessDenied" || !strings.Contains(a.body, "no LDAP directory") {
		t.Errorf("without a directory: %s", a.body)
	}
}

// TestLDAPIdentityLimit: S-029, guesses from one address end in 429; right logins never do, and
// trouble of the directory does not count.
func TestLDAPIdentityLimit(t *testing.T) {
	b := newBook()
	s := start(t, Config{Directory: b, Now: func() time.Time { return time.Unix(1700000000, 0) }})
	s.group("ldap:cn=staff,ou=groups,dc=test", "readwrite")
	for range loginBurst + 5 {
		if a := s.ldap("carl!", "carl!-secret"); a.status != 200 {
			t.Fatal(a.body)
		}
	}
	b.down = errors.New("down")
	for range loginBurst + 5 {
		if a := s.ldap("carl!", "carl!-secret"); a.status != 503 {
			t.Fatal(a.body)
		}
	}
	b.down = nil
	for range loginBurst {
		if a := s.ldap("carl!", "guess"); a.status != 403 {
			t.Fatal(a.body)
		}
	}
	before := b.asked
	if a := s.ldap("carl!", "guess"); a.status != http.StatusTooManyRequests || a.Code != "Throttling" || b.asked != before {
		t.Errorf("%d %s", a.status, a.body)
	}
}
