package identity

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/objsrv/objsrv/test/identity/ldapserver"
)

// dex is a Dex of its test. It keeps its keys in memory, so that each start has new ones.
type dex struct {
	t       *testing.T
	binary  string
	port    string
	config  string
	process *exec.Cmd
}

// newDex configures a Dex with people of its own, or with those of a directory. Its own have what a
// claim can hold here: Dex issues no other ones than name, groups and federated_claims.
func newDex(t *testing.T, directory *ldapserver.Server) *dex {
	d := &dex{t: t, binary: need(t, "IDENTITY_DEX", "Dex (DEX=binary)"), port: freePort(t), config: filepath.Join(t.TempDir(), "dex.yaml")}
	people, connector := "connectors:\n- "+d.ldap(directory), "ldap"
	if directory == nil {
		people, connector = "enablePasswordDB: true\nstaticPasswords:\n"+
			d.person("alice", "readwrite", "readonly", "staff", "readonly")+
			d.person("carol", "readonly,diagnostics , writeonly", "carol")+
			d.person("grace", "grace", "grace", "guests")+
			d.person("nopol", "nopol", "nopol"), "local"
	}
	text := fmt.Sprintf(`issuer: %s
storage: {type: memory}
web: {http: '127.0.0.1:%s'}
oauth2: {skipApprovalScreen: true, passwordConnector: %s}
staticClients:
- {id: objsrv, name: objsrv, secret: objsrv-secret, public: true, redirectURIs: []}
%s
`, d.issuer(), d.port, connector, people)
	if err := os.WriteFile(d.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return d
}

// person is one of Dex's own, with the password NAME-secret.
func (d *dex) person(login, name, id string, groups ...string) string {
	hash, err := bcrypt.GenerateFromPassword([]byte(login+"-secret"), 10)
	if err != nil {
		d.t.Fatal(err)
	}
	return fmt.Sprintf("- {email: %s, username: '%s', userID: %s, hash: '%s', groups: [%s]}\n", login, name, id, hash, strings.Join(groups, ", "))
}

// ldap is the connector to a slapd, over TLS.
func (d *dex) ldap(s *ldapserver.Server) string {
	if s == nil {
		return ""
	}
	return fmt.Sprintf(`type: ldap
  id: ldap
  name: OpenLDAP
  config:
    host: %s
    rootCA: %s
    bindDN: %s
    bindPW: %s
    userSearch: {baseDN: 'ou=people,%[5]s', filter: (objectClass=inetOrgPerson), username: uid, idAttr: uid, emailAttr: mail, nameAttr: cn}
    groupSearch: {baseDN: 'ou=groups,%[5]s', filter: (objectClass=groupOfNames), userMatchers: [{userAttr: DN, groupAttr: member}], nameAttr: cn}`,
		s.TLSAddr, s.CAFile, s.LookupDN, s.Lookup, s.Base)
}

// start runs it until stop or the test's end.
func (d *dex) start() {
	d.t.Helper()
	log, err := os.Create(d.config + ".log")
	if err != nil {
		d.t.Fatal(err)
	}
	defer log.Close()
	d.process = exec.Command(d.binary, "serve", d.config)
	d.process.Stdout, d.process.Stderr = log, log
	if err := d.process.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(d.stop)
	await(d.t, time.Minute, "Dex answers", func() bool {
		resp, err := http.Get(d.configURL())
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

func (d *dex) stop() {
	if d.process != nil {
		d.process.Process.Kill()
		d.process.Wait()
		d.process = nil
		if d.t.Failed() {
			said, _ := os.ReadFile(d.config + ".log")
			d.t.Logf("Dex said:\n%s", said)
		}
	}
}

func (d *dex) issuer() string    { return "http://127.0.0.1:" + d.port + "/dex" }
func (d *dex) configURL() string { return d.issuer() + "/.well-known/openid-configuration" }

func (d *dex) settings(more ...string) []string {
	return append([]string{"MINIO_IDENTITY_OPENID_CONFIG_URL=" + d.configURL(), "MINIO_IDENTITY_OPENID_CLIENT_ID=objsrv",
		"MINIO_IDENTITY_OPENID_CLIENT_SECRET=objsrv-secret"}, more...)
}

func (d *dex) form(name, password string) url.Values {
	return url.Values{"grant_type": {"password"}, "scope": {"openid profile email groups federated:id"}, "client_id": {"objsrv"},
		"client_secret": {"objsrv-secret"}, "username": {name}, "password": {password}}
}

// user logs a person in.
func (d *dex) user(name string) tokens {
	d.t.Helper()
	return grant(d.t, d.issuer()+"/token", d.form(name, name+"-secret"))
}

// TestDexDirectory: people of a real OpenLDAP, by Dex's connector: groups of the directory are local
// groups, or everybody has the role's policy.
func TestDexDirectory(t *testing.T) {
	d := newDex(t, ldapserver.Slapd(t, ldapserver.Good))
	d.start()
	s := start(t, d.settings("OBJSRV_IDENTITY_OPENID_GROUPS_CLAIM=groups", "MINIO_IDENTITY_OPENID_SCOPES=openid,profile,groups")...)
	alice, bob := d.user("alice"), d.user("bob")
	if got := s.rights(alice, ""); !strings.HasPrefix(got, "IDPRejectedClaim: ") {
		t.Errorf("before there are such groups: %q", got)
	}
	s.admin("group", "add", "storage-admins", "--policy", "readwrite")
	s.admin("group", "add", "storage-readers", "--policy", "readonly")
	for name, tt := range map[string]struct {
		tokens
		want string
	}{"alice": {alice, "get put"}, "bob": {bob, "get"}} {
		if got := s.rights(tt.tokens, ""); got != tt.want {
			t.Errorf("%s: %q, want %q, with %v", name, got, tt.want, claims(t, tt.ID)["groups"])
		}
	}
	s.admin("group", "disable", "storage-readers")
	if got := s.rights(bob, ""); !strings.HasPrefix(got, "AccessDenied: ") {
		t.Errorf("a disabled group: %q", got)
	}
	for what, p := range map[string][2]string{"wrong password": {"alice", "wrong"}, "S-210 empty password": {"alice", ""}, "unknown": {"nobody", "nobody-secret"}} {
		if code := post(t, d.issuer()+"/token", "application/x-www-form-urlencoded", d.form(p[0], p[1]).Encode(), "", nil); code != http.StatusUnauthorized {
			t.Errorf("%s: Dex answers %d", what, code)
		}
	}
	byRole := start(t, d.settings("MINIO_IDENTITY_OPENID_ROLE_POLICY=readonly")...)
	for name, tok := range map[string]tokens{"alice": alice, "bob": bob} {
		if got := byRole.rights(tok, byRole.role()); got != "get" {
			t.Errorf("%s by role: %q", name, got)
		}
	}
}

// TestDexLogin: the sample client's login at Dex's page, with a person of the directory.
func TestDexLogin(t *testing.T) {
	d := newDex(t, ldapserver.Slapd(t, ldapserver.Good))
	d.start()
	s := start(t, d.settings("MINIO_IDENTITY_OPENID_CLAIM_NAME=groups")...)
	s.admin("policy", "set", "storage-admins", policyFile(t, "s3:GetObject", "s3:ListAllMyBuckets", "s3:ListBucket"))
	who := person{configURL: d.configURL(), client: "objsrv", scopes: "openid,groups", form: url.Values{"login": {"alice"}, "password": {"alice-secret"}}}
	printed, shown := loginAt(t, s, who)
	if got := s.allowed(credentialsIn(t, printed, shown)); got != "get" {
		t.Errorf("%q", got)
	}
	who.form = url.Values{"login": {"bob"}, "password": {"bob-secret"}}
	if said, _ := loginAt(t, s, who); !strings.Contains(said, `IDPRejectedClaim: The claim "groups" names the policies `) || !strings.Contains(said, `"all (of us)"`) {
		t.Errorf("without a policy: %s", said)
	}
}

// TestDexDown: the server starts without Dex, and lives on its keys when it is gone. After a restart
// Dex has other keys: tokens of the old ones are refused then, as soon as the server has asked.
func TestDexDown(t *testing.T) {
	d := newDex(t, nil)
	s := start(t, d.settings("MINIO_IDENTITY_OPENID_CLAIM_NAME=name")...)
	if got := s.rights(unsigned(d.issuer(), "objsrv"), ""); !strings.HasPrefix(got, "IDPCommunicationError: ") {
		t.Errorf("while it is down: %q", got)
	}
	d.start()
	old := d.user("alice")
	await(t, 90*time.Second, "Dex is found", func() bool { return s.rights(old, "") == "get put" })
	d.stop()
	if got := s.rights(old, ""); got != "get put" {
		t.Errorf("after it has gone: %q", got)
	}
	d.start()
	fresh := d.user("alice")
	await(t, 150*time.Second, "a token of the new key", func() bool { return s.rights(fresh, "") == "get put" })
	if got := s.rights(old, ""); !strings.HasPrefix(got, "InvalidIdentityToken: ") {
		t.Errorf("a token of the old key: %q", got)
	}
}
