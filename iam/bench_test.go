package iam

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/objsrv/objsrv/iam/store"
	"github.com/objsrv/objsrv/iam/store/bolt"
)

// fill writes users with their keys, and policies, each user with one policy of its own choice and
// one group, in large commits.
func fill(tb testing.TB, st store.Store, users, policies, groups int) {
	tb.Helper()
	var changes []store.Change
	add := func(kind, name string, v any) {
		var err error
		if changes, err = appendPut(changes, kind, name, 0, v); err != nil {
			tb.Fatal(err)
		}
		if len(changes) >= 1000 {
			flush(tb, st, &changes)
		}
	}
	h := header{formatVersion, "123456789012"}
	for i := range policies {
		name := fmt.Sprintf("policy-%04d", i)
		doc := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::data%d/${aws:username}/*"},{"Effect":"Deny","Action":"s3:DeleteObject","Resource":"*"}]}`, i)
		add(kindPolicy, name, policyRecord{header: h, Name: name, Document: document(doc)})
	}
	for i := range groups {
		name := fmt.Sprintf("group-%04d", i)
		add(kindGroup, name, groupRecord{header: h, ID: groupID + name, Name: name, Policies: []string{"readonly"}})
	}
	for i := range users {
		name := fmt.Sprintf("user-%06d", i)
		u := userRecord{header: h, ID: userID + name, Name: name, Keys: []string{name}}
		if policies > 0 {
			u.Policies = []string{fmt.Sprintf("policy-%04d", i%policies)}
		}
		if groups > 0 {
			g := fmt.Sprintf("group-%04d", i%groups)
			u.Groups = []groupRef{{g, groupID + g}}
		}
		add(kindUser, name, u)
		add(kindKey, name, keyRecord{header: h, AccessKey: name, Secret: "a-secret-of-usual-length-that-has-40-char", UserID: u.ID, UserName: name})
	}
	flush(tb, st, &changes)
}

func flush(tb testing.TB, st store.Store, changes *[]store.Change) {
	tb.Helper()
	if _, err := st.Commit(tb.Context(), *changes...); err != nil {
		tb.Fatal(err)
	}
	*changes = nil
}

// BenchmarkStart is a start with 100 000 users.
func BenchmarkStart(b *testing.B) {
	path := filepath.Join(b.TempDir(), "iam.db")
	st, err := bolt.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	fill(b, st, 100_000, 1000, 100)
	st.Close()
	b.ReportAllocs()
	for b.Loop() {
		st, err := bolt.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		s, err := Open(st, Options{RootUser: rootUser, RootPassword: rootSecret, AccountID: "123456789012"})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.Credential("user-077777", ""); err != nil {
			b.Fatal(err)
		}
		s.Close()
		st.Close()
	}
}

// BenchmarkAuthorizeMany is the identity's part of a GET beside 10 000 users and 1 000 policies:
// the credential and the decision.
func BenchmarkAuthorizeMany(b *testing.B) {
	st, err := bolt.Open(filepath.Join(b.TempDir(), "iam.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer st.Close()
	fill(b, st, 10_000, 1000, 100)
	s, err := Open(st, Options{RootUser: rootUser, RootPassword: rootSecret, AccountID: "123456789012"})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	names := make([]string, 1000)
	for i := range names {
		names[i] = fmt.Sprintf("user-%06d", i*7)
	}
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		c, err := s.Credential(names[i%len(names)], "")
		if err != nil {
			b.Fatal(err)
		}
		if !s.Authorize(&Request{Identity: c.Identity, Action: "s3:GetObject", Bucket: "photos", Key: "2026/11/a.jpg", RequestID: "1"}).Allowed {
			b.Fatal("denied")
		}
		i++
	}
}

// BenchmarkSessions is what a live session takes in memory, as the metric B/session, and what a
// start with all of them takes for each.
func BenchmarkSessions(b *testing.B) {
	for _, sessions := range []int{100_000, 1_000_000} {
		b.Run(fmt.Sprint(sessions), func(b *testing.B) { benchmarkSessions(b, sessions) })
	}
}

func benchmarkSessions(b *testing.B, sessions int) {
	st, err := bolt.Open(filepath.Join(b.TempDir(), "iam.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer st.Close()
	fill(b, st, 100, 0, 0)
	fillSessions(b, st, sessions)
	used := func() float64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc)
	}
	before, each := used(), 0.0
	for b.Loop() {
		s, err := Open(st, Options{RootUser: rootUser, RootPassword: rootSecret, AccountID: "123456789012"})
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		each = (used() - before) / float64(sessions)
		s.Close()
		b.StartTimer()
	}
	b.ReportMetric(each, "B/session")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(sessions), "ns/session")
}

// fillSessions writes sessions of the first 100 users, all alike but for what must differ.
func fillSessions(tb testing.TB, st store.Store, sessions int) {
	tb.Helper()
	var changes []store.Change
	begin := time.Now()
	expires := begin.Add(time.Hour).Truncate(time.Second)
	for i := range sessions {
		name := fmt.Sprintf("user-%06d", i%100)
		r := sessionRecord{
			Account: "123456789012", AccessKey: newSessionKey(begin.Add(time.Duration(i) * 100 * time.Microsecond)), Secret: NewSecret(),
			TokenHash: strings.Repeat("x", 32), UserID: userID + name, UserName: name, Name: "job",
			ARN: "arn:aws:sts::123456789012:assumed-role/" + name + "/job", Remote: "192.0.2.1", Created: begin, Expires: expires,
		}
		value, err := r.encode()
		if err != nil {
			tb.Fatal(err)
		}
		changes = append(changes, store.Change{Kind: kindSession, Name: r.AccessKey, Value: value, Expires: expires})
		if len(changes) == 10_000 {
			flush(tb, st, &changes)
		}
	}
}
