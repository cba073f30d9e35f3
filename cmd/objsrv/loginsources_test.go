package main

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/test/identity/ldapserver"
)

// logsIn runs a login command and wants credentials that list buckets.
func logsIn(t *testing.T, args string) {
	t.Helper()
	code, out, errs := loginRunOf(strings.Fields(args)...)
	var doc loginDocument
	if err := json.Unmarshal([]byte(out), &doc); code != 0 || err != nil || doc.Credentials.SessionToken == "" || errs != "" {
		t.Errorf("%s: %d %s %s", args, code, out, errs)
	}
}

// refusesLogin runs a login command and wants a sentence that has nothing of the secret.
func refusesLogin(t *testing.T, args, says, secret string) {
	t.Helper()
	if code, out, errs := loginRunOf(strings.Fields(args)...); code != exitFailure || out != "" || !strings.Contains(errs, says) || strings.Contains(errs, secret) {
		t.Errorf("%s: %d %s %s", args, code, out, errs)
	}
}

// TestLoginLDAP: objsrv ldap with a real OpenLDAP.
func TestLoginLDAP(t *testing.T) {
	directory := ldapserver.Slapd(t, ldapserver.Good)
	cleanLogin(t)
	p, _, _ := start(t, environ{
		"OBJSRV_ROOT_PASSWORD":                        testPassword,
		"OBJSRV_IDENTITY_LDAP_SERVER_ADDR":            directory.TLSAddr,
		"OBJSRV_IDENTITY_LDAP_CA_FILE":                directory.CAFile,
		"OBJSRV_IDENTITY_LDAP_LOOKUP_BIND_DN":         directory.LookupDN,
		"OBJSRV_IDENTITY_LDAP_LOOKUP_BIND_PASSWORD":   directory.Lookup,
		"OBJSRV_IDENTITY_LDAP_USER_DN_SEARCH_BASE_DN": "ou=people," + directory.Base,
		"OBJSRV_IDENTITY_LDAP_USER_DN_SEARCH_FILTER":  "(uid=%s)",
		"OBJSRV_IDENTITY_LDAP_GROUP_SEARCH_BASE_DN":   "ou=groups," + directory.Base,
		"OBJSRV_IDENTITY_LDAP_GROUP_SEARCH_FILTER":    "(&(objectClass=groupOfNames)(member=%d))",
	}, t.TempDir())
	group := iam.QualifiedName(iam.SourceLDAP, "cn=storage-admins,ou=groups,"+directory.Base)
	if _, err := p.services.iam.CreateGroup(t.Context(), iam.NewGroup{Name: group, Policies: []string{"readwrite"}}); err != nil {
		t.Fatal(err)
	}
	t.Setenv("OBJSRV_ENDPOINT", "http://"+p.Addr().String())
	t.Setenv("OBJSRV_LDAP_PASSWORD", "alice-secret")
	logsIn(t, "ldap --user alice")
	t.Setenv("OBJSRV_LDAP_PASSWORD", "")
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("alice-secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("OBJSRV_LDAP_PASSWORD_FILE", file)
	logsIn(t, "ldap --user alice")
	code, first, errs := loginRunOf("credential-process", "ldap", "--user", "alice")
	if code != 0 {
		t.Fatal(errs)
	}
	// Kept credentials need neither the password nor the directory; somebody else's are not alice's.
	directory.Stop()
	t.Setenv("OBJSRV_LDAP_PASSWORD_FILE", "")
	if code, again, errs := loginRunOf("credential-process", "ldap", "--user", "alice"); code != 0 || again != first {
		t.Errorf("%d %s", code, errs)
	}
	if code, out, errs := loginRunOf("credential-process", "ldap", "--user", "bob"); code != exitUsage || out != "" || !strings.Contains(errs, "no password") {
		t.Errorf("%d %s %s", code, out, errs)
	}
	directory.Start()
	t.Setenv("OBJSRV_LDAP_PASSWORD", "a-wrong-password")
	refusesLogin(t, "ldap --user alice", "AssumeRoleWithLDAPIdentity: ", "a-wrong-password")
}

// TestLoginCertificate: objsrv certificate with a server that verifies it.
func TestLoginCertificate(t *testing.T) {
	cleanLogin(t)
	certs := t.TempDir()
	writeTestCert(t, certs, "localhost")
	issue := newClientCA(t, certs)
	p, _, _ := start(t, environ{"OBJSRV_ROOT_PASSWORD": testPassword, "OBJSRV_IDENTITY_TLS_ENABLE": "on"}, t.TempDir(), "--certs-dir", certs)
	_, port, _ := strings.Cut(p.Addr().String(), ":")
	t.Setenv("OBJSRV_ENDPOINT", "https://localhost:"+port)
	t.Setenv("OBJSRV_CA_FILE", filepath.Join(certs, "public.crt"))
	files := func(cn string) string {
		c, dir := issue(cn), t.TempDir()
		key, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
		if err != nil {
			t.Fatal(err)
		}
		for name, block := range map[string]*pem.Block{"c": {Type: "CERTIFICATE", Bytes: c.Certificate[0]}, "k": {Type: "PRIVATE KEY", Bytes: key}} {
			if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return "certificate --cert " + dir + "/c --key " + dir + "/k"
	}
	logsIn(t, files("readwrite"))
	refusesLogin(t, files("nothing"), "no policy", "PRIVATE")
}

// TestLoginCustomToken: objsrv custom-token with a plugin that answers.
func TestLoginCustomToken(t *testing.T) {
	cleanLogin(t)
	plugin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("token") != "good-token" {
			w.WriteHeader(http.StatusForbidden)
			io.WriteString(w, `{"reason":"nobody has it"}`)
			return
		}
		io.WriteString(w, `{"user":"ann","maxValiditySeconds":1800}`)
	}))
	defer plugin.Close()
	p, _, _ := start(t, environ{"OBJSRV_ROOT_PASSWORD": testPassword, "OBJSRV_IDENTITY_PLUGIN_URL": plugin.URL, "OBJSRV_IDENTITY_PLUGIN_ROLE_POLICY": "readwrite",
		"OBJSRV_IDENTITY_PLUGIN_ROLE_ID": "people"}, t.TempDir())
	t.Setenv("OBJSRV_ENDPOINT", "http://"+p.Addr().String())
	const command = "custom-token --role-arn arn:minio:iam:us-east-1::role/idmp-people"
	t.Setenv("OBJSRV_CUSTOM_TOKEN", "good-token")
	logsIn(t, command)
	t.Setenv("OBJSRV_CUSTOM_TOKEN", "wrong-token")
	refusesLogin(t, command, "AssumeRoleWithCustomToken: ", "wrong-token")
}
