package iam

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/objsrv/objsrv/iam/store/bolt"
	"github.com/objsrv/objsrv/iam/store/mem"
)

// clocked opens a service whose clock is *now.
func clocked(t *testing.T, now *time.Time) *Service {
	t.Helper()
	st := mem.Open()
	s, err := Open(st, Options{RootUser: rootUser, RootPassword: rootSecret, Now: func() time.Time { return *now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(); st.Close() })
	return s
}

func newSession(t *testing.T, s *Service, n NewSession) Credential {
	t.Helper()
	if n.Duration == 0 {
		n.Duration = time.Hour
	}
	_, cred, err := s.CreateSession(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	return cred
}

func TestSession(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	s := clocked(t, &now)
	alice := identity(t, s, "alice", "readwrite")
	cred := newSession(t, s, NewSession{By: alice, Policy: json.RawMessage(onlyList), Name: "job"})
	got, err := s.Credential(cred.AccessKey, cred.SessionToken)
	if err != nil || got.Secret != cred.Secret || got.Identity.Kind != SessionKey || !got.Identity.Restricted() {
		t.Fatalf("%+v, %v", got, err)
	}
	if may(s, got.Identity, "s3:GetObject", "b", "k") || !may(s, got.Identity, "s3:ListBucket", "b", "") {
		t.Error("the session has the wrong rights")
	}
	other := newSession(t, s, NewSession{By: alice})
	for name, tt := range map[string]struct {
		key, token string
		want       error
	}{
		"S-187 without token":             {cred.AccessKey, "", ErrNoSuchKey},
		"S-187 another session's token":   {cred.AccessKey, other.SessionToken, ErrInvalidToken},
		"S-187 a token for a user's key":  {"alice", cred.SessionToken, ErrInvalidToken},
		"S-187 a token for root":          {rootUser, cred.SessionToken, ErrInvalidToken},
		"an unknown key with a token":     {"ASIAAAAAAAAAAAAAAAAA", cred.SessionToken, ErrInvalidToken},
		"an unknown key with a long text": {"ASIAAAAAAAAAAAAAAAAA", strings.Repeat(".", 1<<20), ErrInvalidToken},
	} {
		if _, err := s.Credential(tt.key, tt.token); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if list := s.Sessions("alice"); len(list) != 2 || list[0].Parent != "alice" {
		t.Errorf("%+v", list)
	}
	now = now.Add(time.Hour)
	if _, err := s.Credential(cred.AccessKey, cred.SessionToken); !errors.Is(err, ErrExpired) {
		t.Error("S-188: an expired session:", err)
	}
	if len(s.Sessions("")) != 0 {
		t.Error("an expired session is listed")
	}
	newSession(t, s, NewSession{By: alice}) // sweeps the memory
	if n := s.snap.Load().sessions.n; n != 1 {
		t.Errorf("%d sessions are in memory", n)
	}
	if _, err := s.Credential(cred.AccessKey, cred.SessionToken); !errors.Is(err, ErrExpired) {
		t.Error("an expired session that is forgotten:", err)
	}
	if _, err := s.Credential(cred.AccessKey, cred.SessionToken[:len(cred.SessionToken)-2]+"AA"); !errors.Is(err, ErrInvalidToken) {
		t.Error("a forged token of one that is forgotten:", err)
	}
}

// TestTokenMutants is S-070 and S-107: every single bit of a token counts.
func TestTokenMutants(t *testing.T) {
	s := open(t)
	cred := newSession(t, s, NewSession{By: identity(t, s, "alice", "readwrite")})
	n := 0
	for i := range len(cred.SessionToken) {
		for bit := range 8 {
			mutant := []byte(cred.SessionToken)
			mutant[i] ^= 1 << bit
			if _, err := s.Credential(cred.AccessKey, string(mutant)); !errors.Is(err, ErrInvalidToken) {
				t.Fatalf("byte %d bit %d: %v", i, bit, err)
			}
			n++
		}
	}
	parts := strings.Split(cred.SessionToken, ".")
	for _, m := range []string{
		parts[0] + "." + parts[1], parts[0] + "." + parts[1] + ".", parts[1] + "." + parts[0] + "." + parts[2],
		cred.SessionToken + "A", cred.SessionToken + ".", " " + cred.SessionToken, cred.SessionToken[1:],
		"eyJhbGciOiJub25lIn0." + parts[1] + ".", "eyJhbGciOiJub25lIn0." + parts[1] + "." + parts[2],
	} {
		if _, err := s.Credential(cred.AccessKey, m); !errors.Is(err, ErrInvalidToken) {
			t.Errorf("%s: %v", m, err)
		}
		n++
	}
	t.Logf("%d mutants", n)
	for what, secret := range map[string]string{"root's secret": rootSecret, "its own secret": cred.Secret} {
		forged, err := signToken([]byte(secret), &tokenClaims{AccessKey: cred.AccessKey, Expires: time.Now().Add(time.Hour).Unix()})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Credential(cred.AccessKey, forged); !errors.Is(err, ErrInvalidToken) {
			t.Errorf("a token signed with %s: %v", what, err)
		}
	}
}

// TestSessionEnds: a session dies at once with whatever it hangs on (S-228).
func TestSessionEnds(t *testing.T) {
	off := false
	tests := map[string]func(s *Service, cred Credential, key string) error{
		"revoked": func(s *Service, cred Credential, _ string) error { return s.RevokeSession(t.Context(), cred.AccessKey) },
		"all revoked": func(s *Service, _ Credential, _ string) error {
			n, err := s.RevokeSessions(t.Context(), "alice", "")
			if n != 1 {
				t.Errorf("%d sessions revoked", n)
			}
			return err
		},
		"user disabled": func(s *Service, _ Credential, _ string) error {
			_, err := s.SetStatus(t.Context(), "alice", false)
			return err
		},
		"user deleted": func(s *Service, _ Credential, _ string) error { return s.DeleteUser(t.Context(), "alice") },
		"key deleted":  func(s *Service, _ Credential, key string) error { return s.DeleteAccessKey(t.Context(), key) },
		"key disabled": func(s *Service, _ Credential, key string) error {
			_, err := s.UpdateAccessKey(t.Context(), key, AccessKeyUpdate{Enabled: &off})
			return err
		},
		"key made anew": func(s *Service, _ Credential, key string) error {
			if err := s.DeleteAccessKey(t.Context(), key); err != nil {
				return err
			}
			_, _, err := s.CreateAccessKey(t.Context(), NewAccessKey{Parent: "alice", AccessKey: key})
			return err
		},
	}
	for name, end := range tests {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			identity(t, s, "alice", "readwrite")
			key := newKey(t, s, NewAccessKey{Parent: "alice"})
			cred := newSession(t, s, NewSession{By: key})
			if _, err := s.Credential(cred.AccessKey, cred.SessionToken); err != nil {
				t.Fatal(err)
			}
			if err := end(s, cred, key.AccessKey); err != nil {
				t.Fatal(err)
			}
			if got, err := s.Credential(cred.AccessKey, cred.SessionToken); err == nil {
				t.Errorf("the session goes on: %+v", got)
			}
		})
	}
}

func TestSessionRefusals(t *testing.T) {
	s := open(t)
	alice := identity(t, s, "alice")
	for name, n := range map[string]NewSession{
		"nobody's":       {Duration: time.Hour},
		"S-191 short":    {By: alice, Duration: 899 * time.Second},
		"S-191 long":     {By: alice, Duration: MaxSession + time.Second},
		"long policy":    {By: alice, Duration: time.Hour, Policy: json.RawMessage(onlyList + strings.Repeat(" ", MaxSessionPolicy))},
		"unknown policy": {By: alice, Duration: time.Hour, Policies: []string{"no-such-policy"}},
		"long name":      {By: alice, Duration: time.Hour, Name: strings.Repeat("n", 65)},
	} {
		if _, _, err := s.CreateSession(t.Context(), n); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if len(s.Sessions("")) != 0 {
		t.Error("a refused session is there")
	}
}

// TestSessionSurvives: a session is there after a restart with another root secret, which signs
// nothing (S-107).
func TestSessionSurvives(t *testing.T) {
	path := filepath.Join(t.TempDir(), "iam.db")
	var cred Credential
	for round, secret := range []string{rootSecret, "another-long-root-secret"} {
		st, err := bolt.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Open(st, Options{RootUser: rootUser, RootPassword: secret})
		if err != nil {
			t.Fatal(err)
		}
		if round == 0 {
			cred = newSession(t, s, NewSession{By: identity(t, s, "alice", "readwrite"), Policies: []string{"readonly"}})
		}
		got, err := s.Credential(cred.AccessKey, cred.SessionToken)
		if err != nil || !may(s, got.Identity, "s3:GetObject", "b", "k") || may(s, got.Identity, "s3:PutObject", "b", "k") {
			t.Errorf("round %d: %+v, %v", round, got, err)
		}
		s.Close()
		st.Close()
	}
}

// TestSessionsAreBounded is S-194: one user's sessions have a limit.
func TestSessionsAreBounded(t *testing.T) {
	s := open(t)
	alice := identity(t, s, "alice")
	sn := *s.snap.Load()
	set := newTrie[void]()
	for i := range MaxSessions {
		set = set.with(strconv.Itoa(i), void{})
	}
	sn.issued = sn.issued.with(alice.ID, set)
	s.publish(&sn)
	if _, _, err := s.CreateSession(t.Context(), NewSession{By: alice, Duration: time.Hour}); !errors.Is(err, ErrFull) {
		t.Error(err)
	}
}
