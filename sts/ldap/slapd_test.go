package ldap

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/objsrv/objsrv/sts"
	"github.com/objsrv/objsrv/test/identity/ldapserver"
)

// settingsFor are those of slapd's tree, over LDAPS.
func settingsFor(s *ldapserver.Server) Config {
	return Config{
		Address: s.TLSAddr, CAFile: s.CAFile, LookupDN: s.LookupDN, LookupPassword: s.Lookup,
		UserBases: []string{"ou=people," + s.Base}, UserFilter: "(uid=%s)", Attributes: []string{"mail", "departmentNumber", "jpegPhoto"},
		GroupBases: []string{"ou=groups," + s.Base}, GroupFilter: "(&(objectClass=groupOfNames)(member=%d))",
	}
}

func directory(t *testing.T, c Config) *Directory {
	t.Helper()
	d, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// over returns settings for the other transports.
func over(s *ldapserver.Server, transport Transport) Config {
	c := settingsFor(s)
	if c.Transport = transport; transport != LDAPS {
		c.Address = s.Addr
	}
	if transport == Plain {
		c.CAFile = ""
	}
	return c
}

func TestSlapdLogin(t *testing.T) {
	s := ldapserver.Slapd(t, ldapserver.Good)
	people := map[string]sts.DirectoryEntry{
		"alice":           {DN: "uid=alice,ou=people,dc=example,dc=test", Groups: []string{"cn=all (of us),ou=groups,dc=example,dc=test", "cn=storage-admins,ou=groups,dc=example,dc=test"}},
		"ALICE":           {DN: "uid=alice,ou=people,dc=example,dc=test", Groups: []string{"cn=all (of us),ou=groups,dc=example,dc=test", "cn=storage-admins,ou=groups,dc=example,dc=test"}},
		"carol (ext), x*": {DN: `uid=carol (ext)\, x*,ou=people,dc=example,dc=test`, Groups: []string{"cn=storage-readers,ou=groups,dc=example,dc=test"}},
		"Ärger":           {DN: `uid=\c3\84rger,ou=people,dc=example,dc=test`, Groups: []string{"cn=storage-readers,ou=groups,dc=example,dc=test"}},
	}
	for name, transport := range map[string]Transport{"LDAPS": LDAPS, "StartTLS": StartTLS, "plain": Plain} {
		d := directory(t, over(s, transport))
		for login, want := range people {
			password := login + "-secret"
			if login == "ALICE" {
				password = "alice-secret"
			}
			e, err := d.Login(t.Context(), login, password)
			if err != nil {
				t.Errorf("%s, %s: %v", name, login, err)
				continue
			}
			if e.DN != want.DN || e.Name != login || !slices.Equal(e.Groups, want.Groups) {
				t.Errorf("%s, %s: %+v", name, login, e)
			}
			if login == "alice" && (!slices.Equal(e.Attributes["mail"], []string{"alice@example.test"}) || len(e.Attributes["departmentNumber"]) != 2 || len(e.Attributes) != 2) {
				t.Errorf("%s: %v", name, e.Attributes)
			}
		}
	}
	c := settingsFor(s)
	if e, err := directory(t, c).Find(t.Context(), "alice"); err != nil || e.DN != people["alice"].DN || !slices.Equal(e.Groups, people["alice"].Groups) {
		t.Errorf("found for an administrator: %+v, %v", e, err)
	}
	for _, name := range []string{"nobody", "*", "a\nb", ""} {
		if e, err := directory(t, c).Find(t.Context(), name); !errors.Is(err, sts.ErrWrongLogin) {
			t.Errorf("found for an administrator: %q is %+v, %v", name, e, err)
		}
	}
	c.GroupFilter = "(&(objectClass=posixGroup)(memberUid=%s))"
	if e, err := directory(t, c).Login(t.Context(), "alice", "alice-secret"); err != nil || !slices.Equal(e.Groups, []string{"cn=unix-storage,ou=groups,dc=example,dc=test"}) {
		t.Errorf("groups by login name: %+v, %v", e, err)
	}
	c.GroupFilter, c.GroupBases, c.UserBases = "", nil, []string{"ou=services," + s.Base, "OU=People, " + s.Base, s.Base}
	if e, err := directory(t, c).Login(t.Context(), "bob", "bob-secret"); err != nil || len(e.Groups) != 0 {
		t.Errorf("several bases, one below the other: %+v, %v", e, err)
	}
	c.UserBases, c.LookupDN = []string{"ou=odd," + s.Base}, ""
	if _, err := directory(t, c).Login(t.Context(), "twin", "twin-secret"); !errors.Is(err, sts.ErrWrongLogin) || !strings.Contains(err.Error(), "several people") {
		t.Errorf("S-215 two entries, found anonymously: %v", err)
	}
	// Entries under different names that are found below different bases are two as well.
	c = settingsFor(s)
	c.UserBases, c.UserFilter = []string{"ou=people," + s.Base, "ou=odd," + s.Base}, "(|(uid=%s)(uid=passwordless))"
	if _, err := directory(t, c).Login(t.Context(), "alice", "alice-secret"); !errors.Is(err, sts.ErrWrongLogin) || !strings.Contains(err.Error(), "several people") {
		t.Errorf("S-215 two entries below two bases: %v", err)
	}
}

// TestSlapdRefuses: S-029, S-140, S-210; every refusal is the same error after the same time.
func TestSlapdRefuses(t *testing.T) {
	s := ldapserver.Slapd(t, ldapserver.Good)
	c := settingsFor(s)
	c.UserBases = append(c.UserBases, "ou=odd,"+s.Base)
	d := directory(t, c)
	binds := func() int { return strings.Count(s.Log(), " BIND dn=") }
	for _, tt := range []struct {
		what, name, password string
		asked                bool
	}{
		{"wrong password", "alice", "wrong", true},
		{"unknown user", "nobody", "alice-secret", true},
		{"somebody else's password", "alice", "bob-secret", true},
		{"the person has none", "passwordless", "anything", true},
		{"S-140 star", "*", "alice-secret", true},
		{"S-140 prefix", "a*", "alice-secret", true},
		{"S-140 injection", "*)(uid=*", "alice-secret", true},
		{"S-140 escape", `\2a`, "alice-secret", true},
		{"S-140 or", ")(|(uid=*))", "alice-secret", true},
		{"S-140 a name", "uid=alice,ou=people,dc=example,dc=test", "alice-secret", true},
		{"S-140 NUL", "alice\x00", "alice-secret", false},
		{"S-140 64 KiB", strings.Repeat("a", 64<<10), "alice-secret", false},
		{"space behind", "alice ", "alice-secret", false},
		{"S-210 empty", "alice", "", false},
		{"S-210 blank", "alice", "  \t", false},
		{"S-210 NUL first", "alice", "\x00alice-secret", false},
		{"S-210 NUL", "alice", "alice-secret\x00", false},
	} {
		before, begin := binds(), time.Now()
		e, err := d.Login(t.Context(), tt.name, tt.password)
		if !errors.Is(err, sts.ErrWrongLogin) || e != nil {
			t.Errorf("%s: %+v, %v", tt.what, e, err)
		}
		if took := time.Since(begin); took < refusalTime {
			t.Errorf("%s: refused after %v", tt.what, took)
		}
		if asked := binds() > before; asked != tt.asked {
			t.Errorf("%s: the directory was asked: %v", tt.what, asked)
		}
	}
	for _, want := range []string{`filter="(uid=\2A\29\28uid=\2A)"`, `filter="(uid=\2A)"`} {
		if !strings.Contains(strings.ToUpper(s.Log()), strings.ToUpper(want)) {
			t.Errorf("S-140: the directory's log has no %s", want)
		}
	}
	if strings.Contains(s.Log(), "filter=\"(uid=*)\"") {
		t.Error("S-140: a name has become a wildcard")
	}
}

// TestSlapdRefusalTime: S-029, an unknown name shows neither in the answer nor in its time.
func TestSlapdRefusalTime(t *testing.T) {
	s := ldapserver.Slapd(t, ldapserver.Good)
	d := directory(t, settingsFor(s))
	const rounds = 40
	median := func(name string) time.Duration {
		took := make([]time.Duration, rounds)
		var wg sync.WaitGroup
		slots := make(chan struct{}, 4)
		for i := range took {
			slots <- struct{}{}
			wg.Go(func() {
				defer func() { <-slots }()
				begin := time.Now()
				if _, err := d.Login(t.Context(), name, "wrong"); !errors.Is(err, sts.ErrWrongLogin) {
					t.Error(err)
				}
				took[i] = time.Since(begin)
			})
		}
		wg.Wait()
		slices.Sort(took)
		return took[rounds/2]
	}
	known, unknown := median("alice"), median("nobody")
	t.Logf("wrong password %v, unknown user %v", known, unknown)
	if diff := (known - unknown).Abs(); diff > known/20 {
		t.Errorf("wrong password takes %v, an unknown user %v", known, unknown)
	}
}

// TestSlapdTrouble: what is wrong with the directory is never taken for a wrong password.
func TestSlapdTrouble(t *testing.T) {
	s := ldapserver.Slapd(t, ldapserver.Good)
	for name, edit := range map[string]func(*Config){
		"lookup password": func(c *Config) { c.LookupPassword = "wrong" },
		"no such base":    func(c *Config) { c.UserBases = []string{"ou=none," + s.Base} },
		"no right":        func(c *Config) { c.LookupDN = "" },
		"no group base":   func(c *Config) { c.GroupBases = []string{"ou=none," + s.Base} },
		"nobody listens":  func(c *Config) { c.Address = "127.0.0.1:1" },
		"not TLS":         func(c *Config) { c.Address = s.Addr },
	} {
		c := settingsFor(s)
		edit(&c)
		if _, err := directory(t, c).Login(t.Context(), "alice", "alice-secret"); err == nil || errors.Is(err, sts.ErrWrongLogin) {
			t.Errorf("%s: %v", name, err)
		}
	}
	d := directory(t, settingsFor(s))
	s.Stop()
	if _, err := d.Login(t.Context(), "alice", "alice-secret"); err == nil || errors.Is(err, sts.ErrWrongLogin) {
		t.Errorf("down: %v", err)
	}
	s.Start()
	if _, err := d.Login(t.Context(), "alice", "alice-secret"); err != nil {
		t.Errorf("up again: %v", err)
	}
}

// TestSlapdManyGroups: S-215, thousands of groups are refused, not kept.
func TestSlapdManyGroups(t *testing.T) {
	s := ldapserver.Slapd(t, ldapserver.Good)
	add := func(from, to int) {
		entries := make([]ldapserver.Entry, 0, to-from)
		for i := from; i < to; i++ {
			entries = append(entries, ldapserver.Entry{RDN: fmt.Sprintf("cn=g%d,ou=groups", i), Attributes: map[string][]string{
				"objectClass": {"groupOfNames"}, "cn": {fmt.Sprint("g", i)}, "member": {"uid=bob,ou=people," + s.Base}}})
		}
		s.Add(entries...)
	}
	d := directory(t, settingsFor(s))
	add(0, maxGroups-2) // bob is in two more
	if e, err := d.Login(t.Context(), "bob", "bob-secret"); err != nil || len(e.Groups) != maxGroups {
		t.Fatalf("as many as may be: %v", err)
	}
	add(maxGroups-2, maxGroups-1)
	if _, err := d.Login(t.Context(), "bob", "bob-secret"); !errors.Is(err, sts.ErrTooManyGroups) {
		t.Errorf("one more: %v", err)
	}
}

// TestSlapdReview: S-216, who has gone is told from who can't be asked for.
func TestSlapdReview(t *testing.T) {
	s := ldapserver.Slapd(t, ldapserver.Good)
	d := directory(t, settingsFor(s))
	people := []sts.DirectoryEntry{
		{DN: "uid=alice,ou=people," + s.Base, Name: "alice"},
		{DN: "UID=Bob,OU=people," + s.Base},                          // made by an administrator
		{DN: "uid=gone,ou=people," + s.Base, Name: "gone"},           // never there
		{DN: "uid=alice,ou=people," + s.Base, Name: "somebody else"}, // the entry is not found by the name any more
		{DN: "cn=storage-admins,ou=groups," + s.Base},                // no person
		{DN: `uid=carol (ext)\, x*,ou=people,` + s.Base, Name: "carol (ext), x*"},
	}
	for range reviewed { // so many that it takes several connections
		people = append(people, people[0])
	}
	review := func() (there []bool, groups int, err error) {
		there = make([]bool, len(people))
		err = d.Review(t.Context(), people, func(i int, now *sts.DirectoryEntry) error {
			if there[i] = now != nil; now != nil && i == 0 {
				groups = len(now.Groups)
			}
			return nil
		})
		return there, groups, err
	}
	there, groups, err := review()
	if err != nil || groups != 2 || !slices.Equal(there[:6], []bool{true, true, false, false, false, true}) || slices.Contains(there[6:], false) {
		t.Errorf("%v, %d groups, %v", there[:6], groups, err)
	}
	s.Delete("uid=alice,ou=people")
	if there, _, err = review(); err != nil || there[0] || there[len(people)-1] || !there[1] {
		t.Errorf("after one has gone: %v, %v", there[:6], err)
	}
	stop := errors.New("stop")
	if err := d.Review(t.Context(), people, func(int, *sts.DirectoryEntry) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("an error of each: %v", err)
	}
	c := settingsFor(s)
	c.LookupDN = "" // may see nothing below people
	calls := 0
	if err := directory(t, c).Review(t.Context(), people, func(int, *sts.DirectoryEntry) error { calls++; return nil }); err == nil || calls != 0 {
		t.Errorf("without the right to read: %v, %d people judged", err, calls)
	}
	s.Stop()
	if err := d.Review(t.Context(), people, func(int, *sts.DirectoryEntry) error { calls++; return nil }); err == nil || calls != 0 {
		t.Errorf("down: %v, %d people judged", err, calls)
	}
}
