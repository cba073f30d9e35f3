package ldapserver

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf16"
)

// Passwords of Samba's people, which satisfy Active Directory's rules.
const (
	adSecret = "Passw0rd.admin"
	ADSecret = "-Secret.1" // behind the login name
)

// AD starts an Active Directory domain controller with people alice, bob, and dora, who is
// disabled, below OU=Staff, and groups in groups below OU=Groups: alice is in team-a, which with bob
// is in storage-readers, which is in everyone. Two more, loop-a and loop-b, contain each other, and
// loop-a contains alice. Its ports can't be chosen, so that it takes root and an address of its own.
func AD(t testing.TB) *Server {
	t.Helper()
	program, tool := find(t, "samba"), find(t, "samba-tool")
	if os.Getuid() != 0 {
		t.Skip("Samba's ports are below 1024: its tests need root")
	}
	dir := t.TempDir()
	ip := net.IPv4(127, 101, byte(1+rand.IntN(250)), byte(1+rand.IntN(250)))
	issue(t, dir, Good, ip)
	const realm = "ad.example.test"
	s := &Server{
		Addr: ip.String() + ":389", TLSAddr: ip.String() + ":636", CAFile: filepath.Join(dir, "ca.crt"), Base: "DC=ad,DC=example,DC=test",
		LookupDN: "CN=Lookup Account,CN=Users,DC=ad,DC=example,DC=test", Lookup: "lookup" + ADSecret,
		t: t, dir: dir, admin: "administrator@" + realm, adminsSecret: adSecret, program: program,
	}
	// xattr_tdb keeps the ACLs of a share in a file, so that any file system will do.
	err := run(dir, tool, "domain", "provision", "--targetdir="+dir+"/dc", "--realm="+realm, "--domain=EXAD", "--server-role=dc", "--dns-backend=NONE",
		"--host-name=dc1", "--host-ip="+ip.String(), "--adminpass="+adSecret, "--option=interfaces="+ip.String()+"/8", "--option=bind interfaces only=yes",
		"--option=vfs objects=dfs_samba4 acl_xattr xattr_tdb")
	if err != nil {
		t.Skipf("samba-tool can't make a domain here, perhaps the package samba-ad-provision is missing: %v", err)
	}
	if err := os.MkdirAll(dir+"/dc/cache", 0o700); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "smb.conf")
	text := fmt.Sprintf(`[global]
server role = active directory domain controller
netbios name = DC1
workgroup = EXAD
realm = AD.EXAMPLE.TEST
interfaces = %[2]s/8
bind interfaces only = yes
server services = ldap
dcerpc endpoint servers = none
private dir = %[1]s/dc/private
state directory = %[1]s/dc/state
lock directory = %[1]s/dc
cache directory = %[1]s/dc/cache
binddns dir = %[1]s/dc/bind-dns
pid directory = %[1]s/pid
ncalrpc dir = %[1]s/ncalrpc
ntp signd socket directory = %[1]s/ntp
winbindd socket directory = %[1]s/winbind
tls enabled = yes
tls cafile = %[1]s/ca.crt
tls certfile = %[1]s/server.crt
tls keyfile = %[1]s/server.key
ldap server require strong auth = allow_sasl_over_tls
`, dir, ip)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s.args = []string{"-F", "-s", config, "--no-process-group", "--model=single", "--debug-stdout", "-d", "1"}
	s.Start()
	t.Cleanup(s.Stop)
	s.seedAD()
	return s
}

func (s *Server) seedAD() {
	for _, ou := range []string{"Staff", "Groups"} {
		s.Add(Entry{"OU=" + ou, map[string][]string{"objectClass": {"organizationalUnit"}}})
	}
	const enabled, disabled = "512", "514" // userAccountControl
	for _, p := range [][3]string{
		{"alice", "CN=Alice Archer,OU=Staff", enabled}, {"bob", "CN=Bob (Ops) Baker,OU=Staff", enabled},
		{"dora", "CN=Dora Disabled,OU=Staff", disabled}, {"lookup", "CN=Lookup Account,CN=Users", enabled},
	} {
		s.Add(Entry{p[1], map[string][]string{
			"objectClass": {"user"}, "sAMAccountName": {p[0]}, "userPrincipalName": {p[0] + "@ad.example.test"}, "mail": {p[0] + "@ad.example.test"},
			"unicodePwd": {unicodePassword(p[0] + ADSecret)}, "userAccountControl": {p[2]},
		}})
	}
	for _, g := range [][]string{
		{"team-a", "CN=Alice Archer,OU=Staff"}, {"storage-readers", "CN=team-a,OU=Groups", "CN=Bob (Ops) Baker,OU=Staff"},
		{"everyone", "CN=storage-readers,OU=Groups"}, {"loop-a", "CN=Alice Archer,OU=Staff"}, {"loop-b", "CN=loop-a,OU=Groups"},
	} {
		e := Entry{"CN=" + g[0] + ",OU=Groups", map[string][]string{"objectClass": {"group"}, "sAMAccountName": {g[0]}}}
		for _, m := range g[1:] {
			e.Attributes["member"] = append(e.Attributes["member"], m+","+s.Base)
		}
		s.Add(e)
	}
	s.Modify("CN=loop-a,OU=Groups", map[string][]string{"member": {"CN=Alice Archer,OU=Staff," + s.Base, "CN=loop-b,OU=Groups," + s.Base}})
}

// unicodePassword is a password as Active Directory takes it: quoted, in UTF-16.
func unicodePassword(s string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(`"` + s + `"`)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return string(b)
}
