package ldapserver

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// slapdSecret is the password of slapd's administrator.
const slapdSecret = "admin-secret"

// Slapd starts an OpenLDAP server with a small tree: people alice, bob, "carol (ext), x*" and
// Ärger below ou=people with passwords NAME-secret, groups of them below ou=groups, and what is
// strange below ou=odd: twin, who is there twice, and passwordless. Plain connections may read all
// of it without a password below ou=odd only. It logs each operation.
func Slapd(t testing.TB, certificate Certificate) *Server {
	t.Helper()
	program := find(t, "slapd")
	dir := t.TempDir()
	issue(t, dir, certificate, net.IPv4(127, 0, 0, 1))
	s := &Server{
		Addr: freeAddress(t), TLSAddr: freeAddress(t), CAFile: filepath.Join(dir, "ca.crt"), Base: "dc=example,dc=test",
		LookupDN: "uid=lookup,ou=services,dc=example,dc=test", Lookup: "lookup-secret",
		t: t, dir: dir, admin: "cn=admin,dc=example,dc=test", adminsSecret: slapdSecret, program: program,
	}
	config := filepath.Join(dir, "slapd.conf")
	text := fmt.Sprintf(`include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile %[1]s/pid
argsfile %[1]s/args
allow bind_anon_cred bind_anon_dn
TLSCACertificateFile %[1]s/ca.crt
TLSCertificateFile %[1]s/server.crt
TLSCertificateKeyFile %[1]s/server.key
TLSVerifyClient never
sizelimit 5000
database mdb
suffix "%[2]s"
rootdn "%[3]s"
rootpw %[4]s
directory %[1]s
maxsize 67108864
dbnosync
index objectClass,uid,cn,member eq
access to attrs=userPassword by anonymous auth by * none
access to dn.subtree="ou=odd,%[2]s" by * read
access to * by dn.exact="%[5]s" read by self read by * none
`, dir, s.Base, s.admin, slapdSecret, s.LookupDN)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s.args = []string{"-d", "256", "-f", config, "-h", "ldap://" + s.Addr + " ldaps://" + s.TLSAddr}
	s.Start()
	t.Cleanup(s.Stop)
	s.Add(Entry{"", map[string][]string{"objectClass": {"dcObject", "organization"}, "o": {"Example"}, "dc": {"example"}}})
	for _, ou := range []string{"people", "groups", "services", "odd"} {
		s.Add(Entry{"ou=" + ou, map[string][]string{"objectClass": {"organizationalUnit"}, "ou": {ou}}})
	}
	s.Add(Entry{"uid=lookup,ou=services", map[string][]string{"objectClass": {"account", "simpleSecurityObject"}, "uid": {"lookup"}, "userPassword": {s.Lookup}}})
	for _, p := range [][2]string{{"alice", "alice"}, {"bob", "bob"}, {"carol (ext), x*", `carol (ext)\, x*`}, {"Ärger", "Ärger"}} {
		s.Add(Person("uid="+p[1]+",ou=people", p[0]))
	}
	s.Add(Person("uid=twin,ou=odd", "twin"), Person("cn=twin,ou=odd", "twin"))
	none := Person("uid=passwordless,ou=odd", "passwordless")
	delete(none.Attributes, "userPassword")
	s.Add(none)
	for name, members := range map[string][]string{
		"storage-admins": {"uid=alice"}, "storage-readers": {"uid=bob", `uid=carol (ext)\, x*`, "uid=Ärger"}, "all (of us)": {"uid=alice", "uid=bob"},
	} {
		e := Entry{"cn=" + name + ",ou=groups", map[string][]string{"objectClass": {"groupOfNames"}, "cn": {name}}}
		for _, m := range members {
			e.Attributes["member"] = append(e.Attributes["member"], m+",ou=people,"+s.Base)
		}
		s.Add(e)
	}
	s.Add(Entry{"cn=unix-storage,ou=groups", map[string][]string{"objectClass": {"posixGroup"}, "cn": {"unix-storage"}, "gidNumber": {"5000"}, "memberUid": {"alice"}}})
	return s
}

// Person is an entry with the password NAME-secret.
func Person(rdn, uid string) Entry {
	// Addresses have letters of ASCII only.
	mail := strings.Map(func(r rune) rune {
		if r > '~' {
			return 'x'
		}
		return r
	}, uid) + "@example.test"
	return Entry{rdn, map[string][]string{
		"objectClass": {"inetOrgPerson"}, "uid": {uid}, "cn": {uid}, "sn": {uid}, "mail": {mail}, "userPassword": {uid + "-secret"},
		"departmentNumber": {"17", "42"},
	}}
}
