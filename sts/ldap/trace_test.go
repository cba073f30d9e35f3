package ldap

import (
	"slices"
	"strings"
	"testing"

	"github.com/objsrv/objsrv/test/identity/ldapserver"
)

// TestSlapdTrace: each step is told, and the first that fails with its reason.
func TestSlapdTrace(t *testing.T) {
	s := ldapserver.Slapd(t, ldapserver.Good)
	trace := func(c Config, name string) (names []string, last Step, found bool) {
		t.Helper()
		steps, e := directory(t, c).Trace(t.Context(), name)
		for i, st := range steps {
			names = append(names, st.Name)
			if st.Failed && i < len(steps)-1 {
				t.Errorf("%s has failed, and more follows", st.Name)
			}
		}
		last = steps[len(steps)-1]
		if last.Failed != (e == nil) {
			t.Errorf("%+v, and an entry: %v", last, e != nil)
		}
		return names, last, e != nil
	}
	names, last, found := trace(settingsFor(s), "alice")
	if want := []string{"connect", "lookup", "person", "attribute", "attribute", "attribute", "groups", "group", "group"}; !slices.Equal(names, want) || !found || last.Result != "cn=storage-admins,ou=groups,dc=example,dc=test" {
		t.Errorf("%v, %+v", names, last)
	}
	for _, tt := range []struct {
		step, says string
		name       string
		edit       func(*Config)
	}{
		{"connect", "connection refused", "alice", func(c *Config) { c.Address = "127.0.0.1:1" }},
		{"lookup", "Invalid Credentials", "alice", func(c *Config) { c.LookupPassword = "wrong" }},
		{"person", "(uid=nobody) below ou=people,dc=example,dc=test", "nobody", func(*Config) {}},
		{"person", `(uid=\2a) below`, "*", func(*Config) {}},
		{"person", "not printable", "a\nb", func(*Config) {}},
		{"person", "No Such Object", "alice", func(c *Config) { c.UserBases = []string{"ou=none," + s.Base} }},
		{"person", "several people", "twin", func(c *Config) { c.UserBases = []string{"ou=odd," + s.Base} }},
		{"groups", "No Such Object", "alice", func(c *Config) { c.GroupBases = []string{"ou=none," + s.Base} }},
	} {
		c := settingsFor(s)
		tt.edit(&c)
		if _, last, found := trace(c, tt.name); found || last.Name != tt.step || !strings.Contains(last.Result, tt.says) {
			t.Errorf("%s, %s: %+v", tt.step, tt.says, last)
		}
	}
	for transport, want := range map[Transport]string{LDAPS: "with TLS 1.3, the certificate is right", StartTLS: "with TLS 1.3, the certificate is right", Plain: "without TLS"} {
		c := over(s, transport)
		c.GroupFilter = ""
		steps, e := directory(t, c).Trace(t.Context(), "alice")
		if e == nil || !strings.HasSuffix(steps[0].Result, want) {
			t.Errorf("%+v", steps)
		}
	}
}

// TestSlapdCheck: an administrator learns whether the directory is there and takes the lookup account.
func TestSlapdCheck(t *testing.T) {
	s := ldapserver.Slapd(t, ldapserver.Good)
	for says, edit := range map[string]func(*Config){
		"":                    func(*Config) {},
		"connection refused":  func(c *Config) { c.Address = "127.0.0.1:1" },
		"Invalid Credentials": func(c *Config) { c.LookupPassword = "wrong" },
	} {
		c := settingsFor(s)
		edit(&c)
		err := directory(t, c).Check(t.Context())
		if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", says, err)
		}
	}
}
