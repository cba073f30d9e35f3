package main

import (
	"bytes"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/spf13/pflag"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/sts/ldap"
	"github.com/objsrv/objsrv/test/identity/ldapserver"
)

// TestLDAPVariables: what is set under which names, and what is refused before anything is served.
func TestLDAPVariables(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("from-a-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	good := environ{
		"MINIO_IDENTITY_LDAP_SERVER_ADDR": "ldap.example.test:636", "MINIO_IDENTITY_LDAP_LOOKUP_BIND_DN": "cn=lookup,dc=test", "MINIO_IDENTITY_LDAP_LOOKUP_BIND_PASSWORD": "secret",
		"MINIO_IDENTITY_LDAP_USER_DN_SEARCH_BASE_DN": "dc=test", "MINIO_IDENTITY_LDAP_USER_DN_SEARCH_FILTER": "(uid=%s)",
	}
	with := func(more environ) environ { e := maps.Clone(good); maps.Copy(e, more); return e }
	for name, tt := range map[string]struct {
		env  environ
		want string // address and password of the directory
		says string // of the error
	}{
		"none":            {environ{}, "", ""},
		"MinIO's":         {good, "ldap.example.test:636 secret", ""},
		"switched off":    {with(environ{"OBJSRV_IDENTITY_LDAP_ENABLE": "off"}), "", ""},
		"both, the same":  {with(environ{"OBJSRV_IDENTITY_LDAP_SERVER_ADDR": "ldap.example.test:636"}), "ldap.example.test:636 secret", ""},
		"both, differ":    {with(environ{"OBJSRV_IDENTITY_LDAP_SERVER_ADDR": "other:636"}), "", "OBJSRV_IDENTITY_LDAP_SERVER_ADDR and MINIO_IDENTITY_LDAP_SERVER_ADDR are both set and differ"},
		"from a file":     {with(environ{"MINIO_IDENTITY_LDAP_LOOKUP_BIND_PASSWORD": "", "OBJSRV_IDENTITY_LDAP_LOOKUP_BIND_PASSWORD_FILE": secret}), "ldap.example.test:636 from-a-file", ""},
		"no such file":    {with(environ{"MINIO_IDENTITY_LDAP_LOOKUP_BIND_PASSWORD_FILE": secret + ".not"}), "", "MINIO_IDENTITY_LDAP_LOOKUP_BIND_PASSWORD_FILE"},
		"a slip":          {with(environ{"MINIO_IDENTITY_LDAP_GROUP_SEARCH": "x"}), "", "unknown variable MINIO_IDENTITY_LDAP_GROUP_SEARCH"},
		"our slip":        {environ{"OBJSRV_IDENTITY_LDAP_X": "x"}, "", "unknown variable OBJSRV_IDENTITY_LDAP_X"},
		"removed":         {with(environ{"MINIO_IDENTITY_LDAP_USERNAME_FORMAT": "uid=%s"}), "", "LDAP directory: MINIO_IDENTITY_LDAP_USERNAME_FORMAT has no meaning any more"},
		"S-211 no lookup": {with(environ{"MINIO_IDENTITY_LDAP_LOOKUP_BIND_DN": ""}), "", "MINIO_IDENTITY_LDAP_LOOKUP_BIND_DN is missing"},
		"a missing CA":    {with(environ{"OBJSRV_IDENTITY_LDAP_CA_FILE": secret + ".not"}), "", "CA_FILE"},
	} {
		fs := pflag.NewFlagSet("server", pflag.ContinueOnError)
		addFlags(fs)
		c, ignored, err := readConfig(fs, tt.env, []string{"/data"})
		if tt.says != "" {
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		got := ""
		if err == nil && c.LDAP != nil {
			got = c.LDAP.Address + " " + c.LDAP.LookupPassword
		}
		if err != nil || len(ignored) > 0 || got != tt.want {
			t.Errorf("%s: %q, %v, ignored %v", name, got, err, ignored)
		}
	}
	// Each of MinIO's settings is one of ours.
	for _, key := range ldap.Keys() {
		_, _, err := readConfig(pflagSet(), environ{"MINIO_IDENTITY_LDAP_" + key: "on"}, []string{"/data"})
		if err == nil || strings.Contains(err.Error(), "unknown") {
			t.Errorf("%s: %v", key, err)
		}
	}
}

func pflagSet() *pflag.FlagSet {
	fs := pflag.NewFlagSet("server", pflag.ContinueOnError)
	addFlags(fs)
	return fs
}

// TestLDAPLogin: a person of a real OpenLDAP becomes credentials that minio-go works with, with the
// rights of the group and no others, until the directory has the person no more.
func TestLDAPLogin(t *testing.T) {
	directory := ldapserver.Slapd(t, ldapserver.Good)
	dir := t.TempDir()
	env := environ{
		"MINIO_ROOT_PASSWORD":                        testPassword,
		"MINIO_IDENTITY_LDAP_SERVER_ADDR":            directory.Addr,
		"MINIO_IDENTITY_LDAP_SERVER_STARTTLS":        "on",
		"OBJSRV_IDENTITY_LDAP_CA_FILE":               directory.CAFile,
		"MINIO_IDENTITY_LDAP_LOOKUP_BIND_DN":         directory.LookupDN,
		"MINIO_IDENTITY_LDAP_LOOKUP_BIND_PASSWORD":   directory.Lookup,
		"MINIO_IDENTITY_LDAP_USER_DN_SEARCH_BASE_DN": "ou=people," + directory.Base,
		"MINIO_IDENTITY_LDAP_USER_DN_SEARCH_FILTER":  "(uid=%s)",
		"MINIO_IDENTITY_LDAP_GROUP_SEARCH_BASE_DN":   "ou=groups," + directory.Base,
		"MINIO_IDENTITY_LDAP_GROUP_SEARCH_FILTER":    "(&(objectClass=groupOfNames)(member=%d))",
	}
	p, stdout, stderr := start(t, env, dir)
	if want := "LDAP:     " + directory.Addr + "\n"; !strings.Contains(stdout.String(), want) {
		t.Errorf("no %q in %s", want, stdout)
	}
	ctx := t.Context()
	root := s3Client(t, p)
	if err := root.MakeBucket(ctx, "data", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	endpoint := func() string { return "http://" + p.Addr().String() }
	retrieve := func(name, password string, opts ...credentials.LDAPIdentityOpt) (*credentials.Credentials, error) {
		c, err := credentials.NewLDAPIdentity(endpoint(), name, password, opts...)
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.GetWithContext(&credentials.CredContext{Client: http.DefaultClient})
		return c, err
	}
	if _, err := retrieve("alice", "alice-secret"); err == nil || !strings.Contains(err.Error(), "cn=storage-admins,ou=groups,dc=example,dc=test") {
		t.Errorf("without a policy: %v", err)
	}
	// As an administrator may write it: S-212.
	group := iam.QualifiedName(iam.SourceLDAP, "CN=Storage-Admins, OU=groups,DC=Example,DC=test")
	if _, err := p.services.iam.CreateGroup(ctx, iam.NewGroup{Name: group, Policies: []string{"readwrite"}}); err != nil {
		t.Fatal(err)
	}
	creds, err := retrieve("alice", "alice-secret", credentials.LDAPIdentityExpiryOpt(15*time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	client := func(c *credentials.Credentials) *minio.Client {
		m, err := minio.New(p.Addr().String(), &minio.Options{Creds: c, Region: "us-east-1"})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	put := func(c *minio.Client) error {
		_, err := c.PutObject(ctx, "data", "k", bytes.NewReader([]byte("x")), 1, minio.PutObjectOptions{})
		return err
	}
	if err := put(client(creds)); err != nil {
		t.Errorf("with the group's policy: %v", err)
	}
	bounded, err := retrieve("alice", "alice-secret", credentials.LDAPIdentityPolicyOpt(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if err := put(client(bounded)); minio.ToErrorResponse(err).Code != "AccessDenied" {
		t.Errorf("with a session policy: %v", err)
	}
	for what, pair := range map[string][2]string{"wrong password": {"alice", "wrong"}, "unknown": {"nobody", "wrong"}, "S-140 star": {"*", "alice-secret"}} {
		if _, err := retrieve(pair[0], pair[1]); err == nil || !strings.Contains(err.Error(), "The user name or the password is wrong.") {
			t.Errorf("%s: %v", what, err)
		}
	}
	resp, err := http.Post(endpoint()+"/?"+url.Values{"Action": {"AssumeRoleWithLDAPIdentity"}, "Version": {"2011-06-15"}, "LDAPUsername": {"alice"}, "LDAPPassword": {"alice-secret"}}.Encode(), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("in the query: %d", resp.StatusCode)
	}
	var shown bytes.Buffer
	cmd := newRoot(environ{})
	cmd.SetOut(&shown)
	cmd.SetArgs([]string{"admin", "ldap", "test", "alice", "--endpoint", endpoint(), "--access-key", p.services.root.User, "--secret-key", testPassword})
	if err := cmd.ExecuteContext(ctx); err != nil {
		t.Error(err)
	}
	for _, want := range []string{"the certificate is right", "(uid=alice) finds uid=alice,ou=people,dc=example,dc=test", "with the policies readwrite", "a login with the right password succeeds"} {
		if !strings.Contains(shown.String(), want) {
			t.Errorf("no %q in %s", want, shown.String())
		}
	}
	// S-216: after a restart the session lives on while the directory is down, and ends when it tells
	// that the person has gone.
	restart := func() {
		t.Helper()
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		p, _, stderr = start(t, env, dir)
	}
	directory.Stop()
	restart()
	if err := put(client(creds)); err != nil {
		t.Errorf("while the directory is down: %v", err)
	}
	if _, err := retrieve("alice", "alice-secret"); err == nil || !strings.Contains(err.Error(), "can't be asked now") {
		t.Errorf("a login while it is down: %v", err)
	}
	for _, want := range []string{"request failed", "connection refused", "credentials stay as they are"} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("no %q in %s", want, stderr)
		}
	}
	directory.Start()
	directory.Delete("uid=alice,ou=people")
	restart()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if err = put(client(creds)); err != nil || time.Now().After(end) {
			break
		}
	}
	var refused minio.ErrorResponse
	if !errors.As(err, &refused) || refused.Code != "InvalidToken" {
		t.Errorf("who has gone goes on: %v", err)
	}
}
