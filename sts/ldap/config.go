// Package ldap asks a directory, OpenLDAP or Active Directory, who somebody is: it finds the
// person's entry, proves the password by a bind, and finds groups. It is the only user of go-ldap,
// and imports sts for the words of its answers; it never sees iam: what a person or a group may do
// is not its business. Its rules are those of RFC 4511 to 4515; the names of its settings and what
// they mean are MinIO's.
package ldap

import (
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/objsrv/objsrv/internal/values"
)

// Transport is how a connection is protected.
type Transport int

// The transports.
const (
	LDAPS    Transport = iota // TLS from the first byte
	StartTLS                  // TLS before anything else is said (RFC 4511, section 4.14)
	Plain                     // everybody on the way reads passwords
)

// Config are the settings of the directory.
type Config struct {
	Address        string // host:port, or with SRV the name to look up
	SRV            string // "ldap", "ldaps", "on" for an Address that is the whole name of the record, or ""
	Transport      Transport
	SkipVerify     bool   // the server's certificate is not looked at
	CAFile         string // certificates that vouch for the server; "" for the system's
	LookupDN       string // the account that searches; "" for nobody
	LookupPassword string
	UserBases      []string // people are below them
	UserFilter     string   // %s is the login name
	Attributes     []string // of the person's entry, for policies
	GroupBases     []string // groups are below them
	GroupFilter    string   // %s is the login name, %d the distinguished name; "" for no groups
	Interval       time.Duration
	Comment        string
}

// DefaultInterval is how often the directory is asked whether people are still there.
const DefaultInterval = 10 * time.Minute

// Keys returns the names of all settings as they stand in variables behind IDENTITY_LDAP_,
// among them those that MinIO had once, which are refused.
func Keys() []string {
	keys := []string{
		"ENABLE", "COMMENT", "SERVER_ADDR", "SRV_RECORD_NAME", "LOOKUP_BIND_DN", "LOOKUP_BIND_PASSWORD",
		"USER_DN_SEARCH_BASE_DN", "USER_DN_SEARCH_FILTER", "USER_DN_ATTRIBUTES", "GROUP_SEARCH_BASE_DN", "GROUP_SEARCH_FILTER",
		"TLS_SKIP_VERIFY", "SERVER_INSECURE", "SERVER_STARTTLS",
		// MinIO does not have these.
		"CA_FILE", "LOOKUP_ANONYMOUS", "CHECK_INTERVAL",
	}
	for _, r := range removed {
		keys = append(keys, r.key)
	}
	return keys
}

// removed are settings that MinIO had once.
var removed = []struct{ key, why string }{
	{"STS_EXPIRY", "has no meaning any more: clients ask for DurationSeconds, and OBJSRV_STS_DURATION sets it for all sessions"},
	{"USERNAME_FORMAT", "has no meaning any more: people are found by USER_DN_SEARCH_BASE_DN and USER_DN_SEARCH_FILTER"},
	{"USERNAME_SEARCH_FILTER", "has no meaning any more: it is USER_DN_SEARCH_FILTER now"},
	{"USERNAME_SEARCH_BASE_DN", "has no meaning any more: it is USER_DN_SEARCH_BASE_DN now"},
	{"GROUP_NAME_ATTRIBUTE", "has no meaning any more: groups have their distinguished names"},
}

// Parse reads the settings, by Keys; empty values count as absent. ok is false for a directory that
// is switched off or not set at all. An error names the key it is about.
func Parse(given map[string]string) (c Config, ok bool, err error) {
	s := &settings{values.Reader{Values: given}}
	enabled := s.Yes("ENABLE", true)
	if s.Err == nil && (!enabled || s.Empty()) {
		return c, false, nil
	}
	for _, r := range removed {
		if s.Text(r.key) != "" {
			s.Fail(r.key, "%s: unset it", r.why)
		}
	}
	c = Config{
		SRV: strings.ToLower(s.Text("SRV_RECORD_NAME")), SkipVerify: s.Yes("TLS_SKIP_VERIFY", false), CAFile: s.Text("CA_FILE"),
		LookupDN: s.Text("LOOKUP_BIND_DN"), LookupPassword: given["LOOKUP_BIND_PASSWORD"],
		UserBases: s.bases("USER_DN_SEARCH_BASE_DN"), UserFilter: s.Text("USER_DN_SEARCH_FILTER"), Attributes: s.attributes("USER_DN_ATTRIBUTES"),
		GroupBases: s.bases("GROUP_SEARCH_BASE_DN"), GroupFilter: s.Text("GROUP_SEARCH_FILTER"), Interval: DefaultInterval, Comment: s.Text("COMMENT"),
	}
	s.transport(&c)
	s.address(&c)
	s.lookup(&c)
	s.searches(&c)
	if v := s.Text("CHECK_INTERVAL"); v != "" {
		c.Interval, err = time.ParseDuration(v)
		if err != nil || c.Interval < time.Minute || c.Interval > 24*time.Hour {
			s.Fail("CHECK_INTERVAL", "is a duration from 1m to 24h: %q", v)
		}
	}
	return c, s.Err == nil, s.Err
}

// settings reads values and keeps the first error.
type settings struct{ values.Reader }

// bases reads distinguished names that are separated by semicolons.
func (s *settings) bases(key string) []string {
	if s.Text(key) == "" {
		return nil
	}
	var out []string
	for v := range strings.SplitSeq(s.Text(key), ";") {
		v = strings.TrimSpace(v)
		if dn, err := ldap.ParseDN(v); err != nil || len(dn.RDNs) == 0 {
			s.Fail(key, "has %q, which is no distinguished name; several are separated by semicolons", v)
		}
		out = append(out, v)
	}
	return out
}

// attributes reads the names of attributes that are separated by commas.
func (s *settings) attributes(key string) []string {
	if s.Text(key) == "" {
		return nil
	}
	var out []string
	for v := range strings.SplitSeq(s.Text(key), ",") {
		v = strings.TrimSpace(v)
		if v == "" || strings.Trim(strings.ToLower(v), "abcdefghijklmnopqrstuvwxyz0123456789-.;") != "" {
			s.Fail(key, "has %q, which is no name of an attribute; several are separated by commas", v)
		}
		out = append(out, v)
	}
	if len(out) > maxAttributes {
		s.Fail(key, "has more than %d attributes", maxAttributes)
	}
	return out
}

// transport refuses what would send passwords in clear without being told to, and what contradicts
// itself.
func (s *settings) transport(c *Config) {
	insecure, start := s.Yes("SERVER_INSECURE", false), s.Yes("SERVER_STARTTLS", false)
	switch {
	case insecure && start:
		s.Fail("SERVER_INSECURE", "sends passwords unencrypted, SERVER_STARTTLS encrypts them: unset one of them")
	case insecure && (c.SkipVerify || c.CAFile != ""):
		s.Fail("SERVER_INSECURE", "uses no certificate, so TLS_SKIP_VERIFY and CA_FILE would have no effect: unset it or them")
	case c.SkipVerify && c.CAFile != "":
		s.Fail("TLS_SKIP_VERIFY", "looks at no certificate, so CA_FILE would have no effect: unset one of them")
	case insecure:
		c.Transport = Plain
	case start:
		c.Transport = StartTLS
	}
}

func (s *settings) address(c *Config) {
	addr := s.Text("SERVER_ADDR")
	switch {
	case addr == "":
		s.Fail("SERVER_ADDR", "is missing: it is the host and port of the directory; ENABLE=off switches it off")
	case strings.Contains(addr, "://"):
		s.Fail("SERVER_ADDR", "is host:port, not a URL: TLS is the default, SERVER_STARTTLS and SERVER_INSECURE are the alternatives")
	case c.SRV == "":
		s.hostPort(c, addr)
		return
	case c.SRV != "ldap" && c.SRV != "ldaps" && c.SRV != "on":
		s.Fail("SRV_RECORD_NAME", "is none of ldap, ldaps and on: %q", c.SRV)
	case strings.ContainsAny(addr, ":/ "):
		s.Fail("SERVER_ADDR", "is a domain without a port when SRV_RECORD_NAME is set: the record has the port")
	case c.SRV == "ldaps" && c.Transport != LDAPS:
		s.Fail("SRV_RECORD_NAME", "finds servers that speak TLS from the first byte: unset SERVER_STARTTLS and SERVER_INSECURE")
	case c.SRV == "ldap" && c.Transport == LDAPS:
		s.Fail("SRV_RECORD_NAME", "finds servers that do not speak TLS from the first byte: set SERVER_STARTTLS=on, or SRV_RECORD_NAME=ldaps")
	}
	c.Address = addr
}

func (s *settings) hostPort(c *Config, addr string) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		host, port = strings.Trim(addr, "[]"), "636"
		if c.Transport != LDAPS {
			port = "389"
		}
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || host == "" || strings.ContainsAny(host, "/ []") {
		s.Fail("SERVER_ADDR", "is not host:port: %q", addr)
	}
	c.Address = net.JoinHostPort(host, port)
}

// lookup settles who searches. Nobody does so by mistake (S-211).
func (s *settings) lookup(c *Config) {
	anonymous := s.Yes("LOOKUP_ANONYMOUS", false)
	switch {
	case anonymous && (c.LookupDN != "" || c.LookupPassword != ""):
		s.Fail("LOOKUP_ANONYMOUS", "searches without an account, LOOKUP_BIND_DN and LOOKUP_BIND_PASSWORD are one: unset it or them")
	case anonymous:
	case c.LookupDN == "":
		s.Fail("LOOKUP_BIND_DN", "is missing: it is the account that searches for people; LOOKUP_ANONYMOUS=on searches without one, where the directory allows that")
	case strings.TrimSpace(c.LookupPassword) == "" || strings.ContainsRune(c.LookupPassword, 0):
		s.Fail("LOOKUP_BIND_PASSWORD", "is missing: a bind without a password proves nothing, and many directories take it for an anonymous one; "+
			"if that is meant, unset LOOKUP_BIND_DN and set LOOKUP_ANONYMOUS=on")
	}
}

// searches judges the filters.
func (s *settings) searches(c *Config) {
	switch {
	case len(c.UserBases) == 0:
		s.Fail("USER_DN_SEARCH_BASE_DN", "is missing: people are searched below it")
	case c.UserFilter == "":
		s.Fail("USER_DN_SEARCH_FILTER", "is missing: it finds a person by the login name, as in (uid=%%s) or (sAMAccountName=%%s)")
	case !strings.Contains(c.UserFilter, "%s"):
		s.Fail("USER_DN_SEARCH_FILTER", "has no %%s, the place of the login name: %q", c.UserFilter)
	case strings.Contains(c.UserFilter, "%d"):
		s.Fail("USER_DN_SEARCH_FILTER", "has %%d, the distinguished name, which it is to find: %q", c.UserFilter)
	case c.GroupFilter != "" && len(c.GroupBases) == 0:
		s.Fail("GROUP_SEARCH_BASE_DN", "is missing: GROUP_SEARCH_FILTER searches below it")
	case c.GroupFilter == "" && len(c.GroupBases) > 0:
		s.Fail("GROUP_SEARCH_FILTER", "is missing: it finds the groups of a person, as in (&(objectClass=groupOfNames)(member=%%d))")
	case c.GroupFilter != "" && !strings.Contains(c.GroupFilter, "%s") && !strings.Contains(c.GroupFilter, "%d"):
		s.Fail("GROUP_SEARCH_FILTER", "has neither %%s, the login name, nor %%d, the distinguished name, so everybody would be in the same groups: %q", c.GroupFilter)
	}
	for _, f := range []struct{ key, filter string }{{"USER_DN_SEARCH_FILTER", c.UserFilter}, {"GROUP_SEARCH_FILTER", c.GroupFilter}} {
		if f.filter == "" {
			continue
		}
		if _, err := ldap.CompileFilter(fill(f.filter, "name", "cn=name")); err != nil {
			s.Fail(f.key, "is no search filter of RFC 4515: %q: %v", f.filter, err)
		}
	}
}

// fill puts a login name and a distinguished name into a filter, escaped so that they are values
// whatever they hold (S-140).
func fill(filter, name, dn string) string {
	return strings.NewReplacer("%s", ldap.EscapeFilter(name), "%d", ldap.EscapeFilter(dn)).Replace(filter)
}
