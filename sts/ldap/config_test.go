package ldap

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/objsrv/objsrv/iam"
)

// complete are settings of a directory that lack nothing.
func complete(more ...string) map[string]string {
	m := map[string]string{
		"SERVER_ADDR": "ldap.example.test", "LOOKUP_BIND_DN": "cn=lookup,dc=example,dc=test", "LOOKUP_BIND_PASSWORD": "secret",
		"USER_DN_SEARCH_BASE_DN": "dc=example,dc=test", "USER_DN_SEARCH_FILTER": "(uid=%s)",
	}
	for i := 0; i < len(more); i += 2 {
		m[more[i]] = more[i+1]
	}
	return m
}

func TestParse(t *testing.T) {
	base := Config{
		Address: "ldap.example.test:636", LookupDN: "cn=lookup,dc=example,dc=test", LookupPassword: "secret",
		UserBases: []string{"dc=example,dc=test"}, UserFilter: "(uid=%s)", Interval: 10 * time.Minute,
	}
	for _, tt := range []struct {
		more []string
		want func(*Config)
	}{
		{nil, func(*Config) {}},
		{[]string{"ENABLE", "on", "COMMENT", "ours"}, func(c *Config) { c.Comment = "ours" }},
		{[]string{"SERVER_ADDR", "10.0.0.1:1636"}, func(c *Config) { c.Address = "10.0.0.1:1636" }},
		{[]string{"SERVER_ADDR", "[::1]"}, func(c *Config) { c.Address = "[::1]:636" }},
		{[]string{"SERVER_STARTTLS", "on"}, func(c *Config) { c.Address, c.Transport = "ldap.example.test:389", StartTLS }},
		{[]string{"SERVER_INSECURE", "true", "SERVER_ADDR", "h:1389"}, func(c *Config) { c.Address, c.Transport = "h:1389", Plain }},
		{[]string{"TLS_SKIP_VERIFY", "on"}, func(c *Config) { c.SkipVerify = true }},
		{[]string{"CA_FILE", "/ca"}, func(c *Config) { c.CAFile = "/ca" }},
		{[]string{"SRV_RECORD_NAME", "ldaps", "SERVER_ADDR", "example.test"}, func(c *Config) { c.SRV, c.Address = "ldaps", "example.test" }},
		{[]string{"SRV_RECORD_NAME", "ldap", "SERVER_ADDR", "example.test", "SERVER_STARTTLS", "1"}, func(c *Config) { c.SRV, c.Address, c.Transport = "ldap", "example.test", StartTLS }},
		{[]string{"SRV_RECORD_NAME", "on", "SERVER_ADDR", "_ldap._tcp.dc._msdcs.example.test"}, func(c *Config) { c.SRV, c.Address = "on", "_ldap._tcp.dc._msdcs.example.test" }},
		{[]string{"LOOKUP_ANONYMOUS", "on", "LOOKUP_BIND_DN", "", "LOOKUP_BIND_PASSWORD", ""}, func(c *Config) { c.LookupDN, c.LookupPassword = "", "" }},
		{[]string{"USER_DN_SEARCH_BASE_DN", "ou=a,dc=x; ou=b,dc=x"}, func(c *Config) { c.UserBases = []string{"ou=a,dc=x", "ou=b,dc=x"} }},
		{[]string{"USER_DN_ATTRIBUTES", "mail, departmentNumber"}, func(c *Config) { c.Attributes = []string{"mail", "departmentNumber"} }},
		{[]string{"GROUP_SEARCH_BASE_DN", "ou=g,dc=x", "GROUP_SEARCH_FILTER", "(member:1.2.840.113556.1.4.1941:=%d)"}, func(c *Config) {
			c.GroupBases, c.GroupFilter = []string{"ou=g,dc=x"}, "(member:1.2.840.113556.1.4.1941:=%d)"
		}},
		{[]string{"CHECK_INTERVAL", "1h"}, func(c *Config) { c.Interval = time.Hour }},
	} {
		want := base
		tt.want(&want)
		if got, ok, err := Parse(complete(tt.more...)); err != nil || !ok || !reflect.DeepEqual(got, want) {
			t.Errorf("%v: %+v, %v, %v", tt.more, got, ok, err)
		}
	}
	for _, off := range []map[string]string{{}, {"SERVER_ADDR": ""}, complete("ENABLE", "off"), {"ENABLE": "off", "STS_EXPIRY": "1h"}} {
		if _, ok, err := Parse(off); ok || err != nil {
			t.Errorf("%v: %v, %v", off, ok, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, tt := range []struct {
		says string
		more []string
	}{
		{"ENABLE is neither", []string{"ENABLE", "maybe"}},
		{"SERVER_ADDR is missing", []string{"SERVER_ADDR", ""}},
		{"SERVER_ADDR is host:port, not a URL", []string{"SERVER_ADDR", "ldaps://h"}},
		{"SERVER_ADDR is not host:port", []string{"SERVER_ADDR", "h:0"}},
		{"SERVER_ADDR is not host:port", []string{"SERVER_ADDR", "h:ldap"}},
		{"SERVER_ADDR is not host:port", []string{"SERVER_ADDR", "a b"}},
		{"SERVER_ADDR is a domain", []string{"SRV_RECORD_NAME", "on", "SERVER_ADDR", "h:636"}},
		{"SRV_RECORD_NAME is none of", []string{"SRV_RECORD_NAME", "yes"}},
		{"unset SERVER_STARTTLS", []string{"SRV_RECORD_NAME", "ldaps", "SERVER_STARTTLS", "on"}},
		{"set SERVER_STARTTLS=on", []string{"SRV_RECORD_NAME", "ldap"}},
		{"SERVER_INSECURE sends passwords", []string{"SERVER_INSECURE", "on", "SERVER_STARTTLS", "on"}},
		{"SERVER_INSECURE uses no certificate", []string{"SERVER_INSECURE", "on", "TLS_SKIP_VERIFY", "on"}},
		{"TLS_SKIP_VERIFY looks at no", []string{"TLS_SKIP_VERIFY", "on", "CA_FILE", "/x"}},
		{"TLS_SKIP_VERIFY is neither", []string{"TLS_SKIP_VERIFY", "x"}},
		{"LOOKUP_BIND_DN is missing", []string{"LOOKUP_BIND_DN", ""}},               // S-211
		{"LOOKUP_BIND_PASSWORD is missing", []string{"LOOKUP_BIND_PASSWORD", ""}},   // S-211
		{"LOOKUP_BIND_PASSWORD is missing", []string{"LOOKUP_BIND_PASSWORD", "  "}}, // S-211
		{"LOOKUP_ANONYMOUS searches", []string{"LOOKUP_ANONYMOUS", "on"}},
		{"USER_DN_SEARCH_BASE_DN is missing", []string{"USER_DN_SEARCH_BASE_DN", ""}},
		{"USER_DN_SEARCH_BASE_DN has", []string{"USER_DN_SEARCH_BASE_DN", "people"}},
		{"USER_DN_SEARCH_BASE_DN has", []string{"USER_DN_SEARCH_BASE_DN", "dc=a;"}},
		{"USER_DN_SEARCH_FILTER is missing", []string{"USER_DN_SEARCH_FILTER", ""}},
		{"USER_DN_SEARCH_FILTER has no %s", []string{"USER_DN_SEARCH_FILTER", "(uid=alice)"}},
		{"USER_DN_SEARCH_FILTER has %d", []string{"USER_DN_SEARCH_FILTER", "(&(uid=%s)(x=%d))"}},
		{"USER_DN_SEARCH_FILTER is no search filter", []string{"USER_DN_SEARCH_FILTER", "uid=%s"}},
		{"USER_DN_SEARCH_FILTER is no search filter", []string{"USER_DN_SEARCH_FILTER", "(uid=%s"}},
		{"USER_DN_ATTRIBUTES has", []string{"USER_DN_ATTRIBUTES", "mail,,sn"}},
		{"USER_DN_ATTRIBUTES has", []string{"USER_DN_ATTRIBUTES", "*"}},
		{"USER_DN_ATTRIBUTES has more", []string{"USER_DN_ATTRIBUTES", strings.Repeat("a,", maxAttributes) + "b"}},
		{"GROUP_SEARCH_BASE_DN is missing", []string{"GROUP_SEARCH_FILTER", "(member=%d)"}},
		{"GROUP_SEARCH_FILTER is missing", []string{"GROUP_SEARCH_BASE_DN", "dc=x"}},
		{"GROUP_SEARCH_FILTER has neither", []string{"GROUP_SEARCH_BASE_DN", "dc=x", "GROUP_SEARCH_FILTER", "(cn=all)"}},
		{"GROUP_SEARCH_FILTER is no search filter", []string{"GROUP_SEARCH_BASE_DN", "dc=x", "GROUP_SEARCH_FILTER", "(member=%d))"}},
		{"CHECK_INTERVAL is a duration", []string{"CHECK_INTERVAL", "5s"}},
		{"STS_EXPIRY has no meaning", []string{"STS_EXPIRY", "1h"}},
		{"USERNAME_FORMAT has no meaning", []string{"USERNAME_FORMAT", "uid=%s"}},
		{"it is USER_DN_SEARCH_FILTER now", []string{"USERNAME_SEARCH_FILTER", "(uid=%s)"}},
		{"it is USER_DN_SEARCH_BASE_DN now", []string{"USERNAME_SEARCH_BASE_DN", "dc=x"}},
		{"GROUP_NAME_ATTRIBUTE has no meaning", []string{"GROUP_NAME_ATTRIBUTE", "cn"}},
	} {
		values := complete(tt.more...)
		if _, ok, err := Parse(values); ok || err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%v: %v, %v; want %q", tt.more, ok, err, tt.says)
		}
		for key := range maps.Keys(values) {
			if !strings.Contains(" "+strings.Join(Keys(), " ")+" ", " "+key+" ") {
				t.Errorf("%s is not among Keys", key)
			}
		}
	}
	if _, _, err := Parse(map[string]string{"ENABLE": "on"}); err == nil {
		t.Error("ENABLE=on alone is nothing")
	}
	if _, err := New(Config{CAFile: t.TempDir() + "/none"}); err == nil {
		t.Error("a CA_FILE that is not there is taken")
	}
	if _, err := New(Config{CAFile: "config_test.go"}); err == nil {
		t.Error("a CA_FILE without a certificate is taken")
	}
}

// TestFill: S-140, what is put into a filter stays a value.
func TestFill(t *testing.T) {
	for _, in := range []string{"*", "a*", "*)(uid=*", `\2a`, ")(|(uid=*))", "\x00", "%d", "%s", "ä", `a\`, "(", ")"} {
		f, err := ldap.CompileFilter(fill("(uid=%s)", in, "never"))
		if err != nil {
			t.Errorf("%q: %v", in, err)
			continue
		}
		if f.Tag != ldap.FilterEqualityMatch || len(f.Children) != 2 || string(f.Children[1].Data.Bytes()) != in {
			t.Errorf("%q becomes something else than a value", in)
		}
	}
	if got := fill("(&(a=%s)(b=%d))", "%d", "cn=x(y)"); got != `(&(a=%d)(b=cn=x\28y\29))` {
		t.Error(got)
	}
}

func FuzzFill(f *testing.F) {
	for _, s := range []string{"*)(uid=*", `\`, "\x00", "%d"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		p, err := ldap.CompileFilter(fill("(&(a=%s)(member=%d))", in, in))
		if err != nil {
			t.Fatalf("%q: %v", in, err)
		}
		if len(p.Children) != 2 {
			t.Fatalf("%q adds conditions", in)
		}
		for _, c := range p.Children {
			if c.Tag != ldap.FilterEqualityMatch || string(c.Children[1].Data.Bytes()) != in {
				t.Fatalf("%q is not the value", in)
			}
		}
	})
}

func TestPlainName(t *testing.T) {
	for name, want := range map[string]bool{
		"alice": true, "carol (ext), x*": true, "*": true, "Ärger": true, "EXAD\\alice": true, "a@b": true, strings.Repeat("x", maxName): true,
		"": false, " ": false, " alice": false, "alice ": false, "a\x00": false, "a\nb": false, "\xff": false, "a\u200bb": false, strings.Repeat("x", 64<<10): false,
	} {
		if plainName(name) != want {
			t.Errorf("%.20q: %v", name, !want)
		}
	}
}

// FuzzSpelling: S-212, what go-ldap takes for the same name has the same normal form, and the normal
// form is the same name to it.
func FuzzSpelling(f *testing.F) {
	f.Add("uid=alice,dc=test", `UID=\41lice, DC=test`)
	f.Add("cn=a+uid=b,o=x", "uid=B+cn=A,O=X")
	f.Add(`cn=\ a\2c`, `cn=\20A\,`)
	f.Fuzz(func(t *testing.T, a, b string) {
		if strings.Contains(a+b, "#") {
			return // go-ldap takes any encoded value for text
		}
		na, aerr := iam.NormalDN(a)
		nb, berr := iam.NormalDN(b)
		pa, err := ldap.ParseDN(a)
		if aerr != nil || err != nil {
			return
		}
		if pn, err := ldap.ParseDN(na); err != nil || strings.ToValidUTF8(na, "") == na && !escaped(na) && !aliased(a) && !pn.EqualFold(pa) {
			t.Fatalf("%q becomes %q, %v", a, na, err)
		}
		pb, err := ldap.ParseDN(b)
		if berr != nil || err != nil || escaped(na) || escaped(nb) {
			return
		}
		if pa.EqualFold(pb) && na != nb {
			t.Fatalf("%q is %q to go-ldap, and %q, %q here", a, b, na, nb)
		}
		if na == nb && !aliased(a) && !aliased(b) && !pa.EqualFold(pb) {
			t.Fatalf("%q and %q are one name %q", a, b, na)
		}
	})
}

// escaped tells whether a normal form has bytes that are no text, which go-ldap compares otherwise.
func escaped(dn string) bool {
	for i := 0; i+2 < len(dn); i++ {
		if dn[i] == '\\' && strings.ContainsRune("0123456789abcdef", rune(dn[i+1])) {
			return true
		}
	}
	return false
}

// aliased tells whether a name may have other spellings of types, which go-ldap does not know.
func aliased(dn string) bool {
	low := strings.ToLower(dn)
	return slices.ContainsFunc([]string{".", "name", "id", "component", "address"}, func(s string) bool { return strings.Contains(low, s) })
}
