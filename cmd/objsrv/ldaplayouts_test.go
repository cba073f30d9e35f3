package main

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/test/identity/ldapserver"
)

// ldapSettings are what all layouts of a directory have in common.
func ldapSettings(s *ldapserver.Server, more environ) environ {
	env := environ{
		"MINIO_ROOT_PASSWORD":                        testPassword,
		"MINIO_IDENTITY_LDAP_SERVER_ADDR":            s.TLSAddr,
		"OBJSRV_IDENTITY_LDAP_CA_FILE":               s.CAFile,
		"MINIO_IDENTITY_LDAP_LOOKUP_BIND_DN":         s.LookupDN,
		"MINIO_IDENTITY_LDAP_LOOKUP_BIND_PASSWORD":   s.Lookup,
		"MINIO_IDENTITY_LDAP_USER_DN_SEARCH_BASE_DN": "ou=people," + s.Base,
		"MINIO_IDENTITY_LDAP_USER_DN_SEARCH_FILTER":  "(uid=%s)",
		"MINIO_IDENTITY_LDAP_GROUP_SEARCH_BASE_DN":   "ou=groups," + s.Base,
		"MINIO_IDENTITY_LDAP_GROUP_SEARCH_FILTER":    "(&(objectClass=groupOfNames)(member=%d))",
	}
	maps.Copy(env, more)
	return env
}

// adSettings are those of Active Directory: either form of a name, enabled accounts only, and groups
// in groups by the rule of that directory.
func adSettings(s *ldapserver.Server, more environ) environ {
	env := ldapSettings(s, environ{
		"MINIO_IDENTITY_LDAP_USER_DN_SEARCH_BASE_DN": s.Base,
		"MINIO_IDENTITY_LDAP_USER_DN_SEARCH_FILTER":  "(&(objectClass=user)(|(sAMAccountName=%s)(userPrincipalName=%s)))",
		"MINIO_IDENTITY_LDAP_GROUP_SEARCH_FILTER":    "(&(objectClass=group)(member:1.2.840.113556.1.4.1941:=%d))",
	})
	maps.Copy(env, more)
	return env
}

// startTLS are the settings of a directory whose connections begin in clear.
func startTLS(s *ldapserver.Server) environ {
	return environ{"MINIO_IDENTITY_LDAP_SERVER_ADDR": s.Addr, "MINIO_IDENTITY_LDAP_SERVER_STARTTLS": "on"}
}

// withGroup gives a group of the directory, by its name below the base, the policy readwrite.
func withGroup(t *testing.T, p *Program, s *ldapserver.Server, rdn string) {
	t.Helper()
	name := iam.QualifiedName(iam.SourceLDAP, rdn+","+s.Base)
	if _, err := p.services.iam.CreateGroup(t.Context(), iam.NewGroup{Name: name, Policies: []string{"readwrite"}}); err != nil {
		t.Fatal(err)
	}
}

// directoryLogin logs somebody in, as minio-go does, and returns an S3 client, or the code and the message
// of the refusal.
func directoryLogin(t *testing.T, p *Program, name, password string) (client *minio.Client, refusal string) {
	t.Helper()
	address := p.Addr().String()
	c, err := credentials.NewLDAPIdentity("http://"+address, name, password)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.GetWithContext(&credentials.CredContext{Client: http.DefaultClient}); err != nil {
		var r credentials.ErrorResponse
		if !errors.As(err, &r) {
			t.Fatal(err)
		}
		return nil, r.STSError.Code + ": " + r.STSError.Message
	}
	client, err = minio.New(address, &minio.Options{Creds: c, Region: "us-east-1", MaxRetries: 1})
	if err != nil {
		t.Fatal(err)
	}
	return client, ""
}

func putThing(ctx context.Context, c *minio.Client) error {
	_, err := c.PutObject(ctx, "data", "k", bytes.NewReader([]byte("x")), 1, minio.PutObjectOptions{})
	return err
}

// layout is a way in which a directory keeps people and groups.
type layout struct {
	name    string
	env     environ
	group   string               // has the policy
	in, out map[string][2]string // names and passwords of who gets in, and of who has no right
	refused map[string][2]string // of whom the answer must tell nothing
}

// tryLayout wants the people of a layout to write by the right of their group, the others to hear why
// they can't, and whoever proves nothing to hear one and the same.
func tryLayout(t *testing.T, s *ldapserver.Server, l layout) {
	p, _, _ := start(t, l.env, t.TempDir())
	if err := s3Client(t, p).MakeBucket(t.Context(), "data", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	withGroup(t, p, s, l.group)
	for what, who := range l.in {
		c, refusal := directoryLogin(t, p, who[0], who[1])
		if refusal != "" {
			t.Errorf("%s: %s", what, refusal)
		} else if err := putThing(t.Context(), c); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	for what, who := range l.out {
		if _, refusal := directoryLogin(t, p, who[0], who[1]); !strings.HasPrefix(refusal, "AccessDenied: ") || !strings.Contains(refusal, "polic") {
			t.Errorf("%s: %q", what, refusal)
		}
	}
	for what, who := range l.refused {
		if _, refusal := directoryLogin(t, p, who[0], who[1]); refusal != "AccessDenied: The user name or the password is wrong." {
			t.Errorf("%s: %q", what, refusal)
		}
	}
}

// TestLDAPSlapdLayouts: OpenLDAP's ways to keep groups, over each transport, through the server.
func TestLDAPSlapdLayouts(t *testing.T) {
	s := ldapserver.Slapd(t, ldapserver.Good)
	refused := map[string][2]string{
		"wrong password": {"alice", "wrong"}, "unknown": {"nobody", "alice-secret"}, "somebody else's password": {"alice", "bob-secret"}, "S-140 star": {"a*", "alice-secret"},
	}
	in := map[string][2]string{"alice": {"alice", "alice-secret"}, "other case": {"ALICE", "alice-secret"}}
	out := map[string][2]string{"bob, of other groups": {"bob", "bob-secret"}}
	escaped := map[string][2]string{"a name with brackets": {"carol (ext), x*", "carol (ext), x*-secret"}, "beyond ASCII": {"Ärger", "Ärger-secret"}, "bob": {"bob", "bob-secret"}}
	for _, l := range []layout{
		{"groupOfNames, LDAPS", ldapSettings(s, nil), "cn=storage-admins,ou=groups", in, out, refused},
		{"groupOfNames, StartTLS", ldapSettings(s, startTLS(s)), "cn=storage-admins,ou=groups", in, out, refused},
		{"groupOfNames, in clear", ldapSettings(s, environ{"MINIO_IDENTITY_LDAP_SERVER_ADDR": s.Addr, "MINIO_IDENTITY_LDAP_SERVER_INSECURE": "on", "OBJSRV_IDENTITY_LDAP_CA_FILE": ""}),
			"cn=storage-admins,ou=groups", in, out, refused},
		{"groupOfNames, names to escape", ldapSettings(s, nil), "cn=storage-readers,ou=groups", escaped, map[string][2]string{"alice": {"alice", "alice-secret"}}, nil},
		{"posixGroup by login name", ldapSettings(s, environ{"MINIO_IDENTITY_LDAP_GROUP_SEARCH_FILTER": "(&(objectClass=posixGroup)(memberUid=%s))"}),
			"cn=unix-storage,ou=groups", map[string][2]string{"alice": {"alice", "alice-secret"}}, out, refused},
		{"several bases", ldapSettings(s, environ{"MINIO_IDENTITY_LDAP_USER_DN_SEARCH_BASE_DN": "ou=odd," + s.Base + ";ou=people," + s.Base}),
			"cn=storage-admins,ou=groups", in, out, map[string][2]string{"S-215 two entries": {"twin", "twin-secret"}, "no password": {"passwordless", "passwordless-secret"}}},
	} {
		t.Run(l.name, func(t *testing.T) { tryLayout(t, s, l) })
	}
}

// TestLDAPActiveDirectoryLayouts: Active Directory through the server. Its account that is disabled
// gets the answer of a wrong password, and one that is disabled later loses its sessions.
func TestLDAPActiveDirectoryLayouts(t *testing.T) {
	s := ldapserver.AD(t)
	secret := func(name string) string { return name + ldapserver.ADSecret }
	refused := map[string][2]string{
		"wrong password": {"alice", "wrong"}, "unknown": {"nobody", secret("alice")}, "disabled": {"dora", secret("dora")}, "disabled, wrong password": {"dora", "wrong"},
	}
	in := map[string][2]string{"alice, two groups deep": {"alice", secret("alice")}, "by principal name": {"alice@ad.example.test", secret("alice")}, "bob, a name with brackets": {"bob", secret("bob")}}
	for _, l := range []layout{
		{"groups in groups, LDAPS", adSettings(s, nil), "CN=everyone,OU=Groups", in, nil, refused},
		{"groups in groups, StartTLS", adSettings(s, startTLS(s)), "CN=everyone,OU=Groups", in, nil, refused},
		{"groups in a circle", adSettings(s, nil), "CN=loop-b,OU=Groups", map[string][2]string{"alice": {"alice", secret("alice")}}, map[string][2]string{"bob": {"bob", secret("bob")}}, refused},
		{"direct groups alone", adSettings(s, environ{"MINIO_IDENTITY_LDAP_GROUP_SEARCH_FILTER": "(&(objectClass=group)(member=%d))"}), "CN=storage-readers,OU=Groups",
			map[string][2]string{"bob": {"bob", secret("bob")}}, map[string][2]string{"alice": {"alice", secret("alice")}}, refused},
	} {
		t.Run(l.name, func(t *testing.T) { tryLayout(t, s, l) })
	}
	t.Run("disabled later", func(t *testing.T) {
		env := adSettings(s, environ{"MINIO_IDENTITY_LDAP_USER_DN_SEARCH_FILTER": "(&(objectClass=user)(sAMAccountName=%s)(!(userAccountControl:1.2.840.113556.1.4.803:=2)))"})
		dir := t.TempDir()
		p, _, _ := start(t, env, dir)
		if err := s3Client(t, p).MakeBucket(t.Context(), "data", minio.MakeBucketOptions{}); err != nil {
			t.Fatal(err)
		}
		withGroup(t, p, s, "CN=everyone,OU=Groups")
		alice, refusal := directoryLogin(t, p, "alice", secret("alice"))
		bob, refusal2 := directoryLogin(t, p, "bob", secret("bob"))
		if refusal+refusal2 != "" {
			t.Fatal(refusal, refusal2)
		}
		s.Modify("CN=Alice Archer,OU=Staff", map[string][]string{"userAccountControl": {"514"}})
		if _, refusal := directoryLogin(t, p, "alice", secret("alice")); refusal != "AccessDenied: The user name or the password is wrong." {
			t.Errorf("a login: %q", refusal)
		}
		// The directory is asked when the server starts, and every CHECK_INTERVAL.
		address := p.Addr().String()
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		start(t, env, dir, "--address", address)
		for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
			err := putThing(t.Context(), alice)
			if minio.ToErrorResponse(err).Code == "InvalidToken" {
				break
			}
			if err != nil || time.Now().After(end) {
				t.Fatalf("the session goes on: %v", err)
			}
		}
		if err := putThing(t.Context(), bob); err != nil {
			t.Errorf("bob is not concerned: %v", err)
		}
	})
}

// TestLDAPDown: S-214 and S-216 through the server: it starts without its directory, says so to who
// logs in, and finds it when it is there; one that can't prove who it is stays unknown.
func TestLDAPDown(t *testing.T) {
	s := ldapserver.Slapd(t, ldapserver.Good)
	s.Stop()
	p, _, _ := start(t, ldapSettings(s, nil), t.TempDir())
	root := s3Client(t, p)
	if err := root.MakeBucket(t.Context(), "data", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	withGroup(t, p, s, "cn=storage-admins,ou=groups")
	if _, refusal := directoryLogin(t, p, "alice", "alice-secret"); !strings.Contains(refusal, "can't be asked now") {
		t.Errorf("while it is down: %q", refusal)
	}
	if err := putThing(t.Context(), root); err != nil {
		t.Errorf("others are not concerned: %v", err)
	}
	s.Start()
	c, refusal := directoryLogin(t, p, "alice", "alice-secret")
	if refusal != "" {
		t.Fatalf("when it is back: %s", refusal)
	}
	if err := putThing(t.Context(), c); err != nil {
		t.Error(err)
	}
	foreign := ldapserver.Slapd(t, ldapserver.Foreign)
	for name, more := range map[string]environ{"LDAPS": nil, "StartTLS": startTLS(foreign)} {
		before := strings.Count(foreign.Log(), " BIND dn=")
		q, _, _ := start(t, ldapSettings(foreign, more), t.TempDir())
		if _, refusal := directoryLogin(t, q, "alice", "alice-secret"); !strings.Contains(refusal, "can't be asked now") {
			t.Errorf("%s, a certificate of somebody unknown: %q", name, refusal)
		}
		if strings.Count(foreign.Log(), " BIND dn=") != before {
			t.Errorf("%s: a password was sent", name)
		}
	}
}
