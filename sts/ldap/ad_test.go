package ldap

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/objsrv/objsrv/sts"
	"github.com/objsrv/objsrv/test/identity/ldapserver"
)

// TestActiveDirectory logs in as people of a real domain, with groups in groups.
func TestActiveDirectory(t *testing.T) {
	s := ldapserver.AD(t)
	settings := Config{
		Address: s.TLSAddr, CAFile: s.CAFile, LookupDN: s.LookupDN, LookupPassword: s.Lookup,
		UserBases: []string{s.Base}, UserFilter: "(&(objectClass=user)(|(sAMAccountName=%s)(userPrincipalName=%s)))", Attributes: []string{"mail", "objectGUID"},
		GroupBases: []string{"OU=Groups," + s.Base}, GroupFilter: "(&(objectClass=group)(member:1.2.840.113556.1.4.1941:=%d))",
	}
	group := func(names ...string) []string {
		for i, n := range names {
			names[i] = "cn=" + n + ",ou=Groups,dc=ad,dc=example,dc=test"
		}
		return names
	}
	nested := group("everyone", "loop-a", "loop-b", "storage-readers", "team-a")
	for _, transport := range []Transport{LDAPS, StartTLS} {
		c := settings
		if c.Transport = transport; transport == StartTLS {
			c.Address = s.Addr
		}
		d := directory(t, c)
		for _, login := range []string{"alice", "Alice", "alice@ad.example.test"} {
			e, err := d.Login(t.Context(), login, "alice"+ldapserver.ADSecret)
			if err != nil {
				t.Fatalf("%v, %s: %v", transport, login, err)
			}
			if e.DN != "cn=Alice Archer,ou=Staff,dc=ad,dc=example,dc=test" || e.Name != login || !slices.Equal(e.Groups, nested) {
				t.Errorf("%v, %s: %+v", transport, login, e)
			}
			if !slices.Equal(e.Attributes["mail"], []string{"alice@ad.example.test"}) {
				t.Errorf("%v", e.Attributes)
			}
		}
		e, err := d.Login(t.Context(), "bob", "bob"+ldapserver.ADSecret)
		if err != nil || len(e.Groups) != 2 || e.DN != "cn=Bob (Ops) Baker,ou=Staff,dc=ad,dc=example,dc=test" {
			t.Errorf("a name with brackets: %+v, %v", e, err)
		}
		for what, p := range map[string][2]string{
			"wrong password": {"alice", "wrong"}, "unknown": {"nobody", "alice" + ldapserver.ADSecret}, "disabled account": {"dora", "dora" + ldapserver.ADSecret},
			"S-210 empty": {"alice", ""}, "S-140 star": {"a*", "alice" + ldapserver.ADSecret}, "the domain's form of a name": {`EXAD\alice`, "alice" + ldapserver.ADSecret},
		} {
			if _, err := d.Login(t.Context(), p[0], p[1]); !errors.Is(err, sts.ErrWrongLogin) {
				t.Errorf("%v, %s: %v", transport, what, err)
			}
		}
	}
	direct := settings
	direct.GroupFilter = "(&(objectClass=group)(member=%d))"
	if e, err := directory(t, direct).Login(t.Context(), "alice", "alice"+ldapserver.ADSecret); err != nil || len(e.Groups) != 2 {
		t.Errorf("direct groups: %+v, %v", e, err)
	}
	plain := settings
	plain.Transport, plain.Address, plain.CAFile = Plain, s.Addr, ""
	if _, err := directory(t, plain).Login(t.Context(), "alice", "alice"+ldapserver.ADSecret); err == nil || errors.Is(err, sts.ErrWrongLogin) || !strings.Contains(err.Error(), "bind as") {
		t.Errorf("a domain wants TLS: %v", err)
	}
	// An account that is disabled shows in a review when the filter leaves such accounts out.
	active := settings
	active.UserFilter = "(&(objectClass=user)(sAMAccountName=%s)(!(userAccountControl:1.2.840.113556.1.4.803:=2)))"
	people := []sts.DirectoryEntry{{DN: "cn=alice archer,ou=staff,dc=ad,dc=example,dc=test", Name: "alice"}, {DN: "CN=Dora Disabled,OU=Staff," + s.Base, Name: "dora"}, {DN: "CN=Dora Disabled,OU=Staff," + s.Base}}
	there, groups := make([]bool, len(people)), 0
	err := directory(t, active).Review(t.Context(), people, func(i int, now *sts.DirectoryEntry) error {
		if there[i] = now != nil; i == 0 && now != nil {
			groups = len(now.Groups)
		}
		return nil
	})
	if err != nil || !slices.Equal(there, []bool{true, false, false}) || groups != 5 {
		t.Errorf("review: %v, %d groups, %v", there, groups, err)
	}
}
