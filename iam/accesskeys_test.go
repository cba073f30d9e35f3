package iam

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/objsrv/objsrv/iam/policy"
	"github.com/objsrv/objsrv/iam/store/mem"
)

const onlyList = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:ListBucket","Resource":"*"}]}`

// newKey makes an access key and returns its identity.
func newKey(t *testing.T, s *Service, n NewAccessKey) *Identity {
	t.Helper()
	k, cred, err := s.CreateAccessKey(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Credential(k.AccessKey, "")
	if err != nil || got.Secret != cred.Secret || *got.Identity != *cred.Identity {
		t.Fatalf("%+v, %v, want %+v", got, err, cred)
	}
	return got.Identity
}

func TestAccessKeys(t *testing.T) {
	s, ctx := open(t), t.Context()
	alice := identity(t, s, "alice", "readwrite")
	whole := newKey(t, s, NewAccessKey{Parent: "alice"})
	narrow := newKey(t, s, NewAccessKey{Parent: "alice", AccessKey: "list-only", Policy: json.RawMessage(onlyList), Name: "lister"})
	if whole.ID != alice.ID || whole.Kind != ServiceKey || whole.Restricted() || !narrow.Restricted() || alice.Restricted() {
		t.Errorf("%+v, %+v", whole, narrow)
	}
	if !may(s, whole, "s3:GetObject", "b", "k") || may(s, narrow, "s3:GetObject", "b", "k") || !may(s, narrow, "s3:ListBucket", "b", "") {
		t.Error("the rights of the keys are wrong")
	}
	if _, err := s.DetachPolicy(ctx, "alice", "readwrite"); err != nil || may(s, whole, "s3:GetObject", "b", "k") || may(s, narrow, "s3:ListBucket", "b", "") {
		t.Error("S-228: keys outlive the rights of their user:", err)
	}
	if _, err := s.AttachPolicy(ctx, "alice", "readwrite"); err != nil {
		t.Fatal(err)
	}
	empty, off := json.RawMessage(nil), false
	k, err := s.UpdateAccessKey(ctx, "list-only", AccessKeyUpdate{Policy: &empty})
	if err != nil || k.Policy != nil || k.Name != "lister" {
		t.Errorf("%+v, %v", k, err)
	}
	if got, err := s.Credential("list-only", ""); err != nil || got.Identity.Restricted() || !may(s, got.Identity, "s3:GetObject", "b", "k") {
		t.Error("the key is still bounded:", err)
	}
	if _, err := s.UpdateAccessKey(ctx, "list-only", AccessKeyUpdate{Enabled: &off}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Credential("list-only", ""); !errors.Is(err, ErrDisabled) {
		t.Error("a disabled key:", err)
	}
	if list := s.AccessKeys("alice"); len(list) != 3 || !list[1].Own && !list[2].Own && !list[0].Own {
		t.Errorf("%+v", list)
	}
	if err := s.DeleteAccessKey(ctx, whole.AccessKey); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Credential(whole.AccessKey, ""); !errors.Is(err, ErrNoSuchKey) {
		t.Error("S-228: a deleted key:", err)
	}
	if err := s.DeleteUser(ctx, "alice"); err != nil {
		t.Fatal(err)
	}
	if list := s.AccessKeys(""); len(list) != 0 {
		t.Errorf("keys of a user that is gone: %+v", list)
	}
}

func TestAccessKeyRefusals(t *testing.T) {
	s, ctx := open(t), t.Context()
	identity(t, s, "alice")
	for _, tt := range []struct {
		name string
		n    NewAccessKey
		want error
	}{
		{"no parent", NewAccessKey{}, ErrNoSuchUser},
		{"unknown parent", NewAccessKey{Parent: "nobody"}, ErrNoSuchUser},
		{"S-018 root's name", NewAccessKey{Parent: "alice", AccessKey: rootUser}, ErrReserved},
		{"S-018 root's name in other case", NewAccessKey{Parent: "alice", AccessKey: strings.ToUpper(rootUser)}, ErrReserved},
		{"a user's name", NewAccessKey{Parent: "alice", AccessKey: "alice"}, ErrExists},
		{"S-230 a path", NewAccessKey{Parent: "alice", AccessKey: "../root"}, ErrInvalid},
		{"short secret", NewAccessKey{Parent: "alice", Secret: "short"}, ErrInvalid},
		{"long name", NewAccessKey{Parent: "alice", Name: strings.Repeat("n", 65)}, ErrInvalid},
		{"control character", NewAccessKey{Parent: "alice", Description: "a\nb"}, ErrInvalid},
		{"past", NewAccessKey{Parent: "alice", Expires: time.Unix(1, 0)}, ErrInvalid},
		{"large policy", NewAccessKey{Parent: "alice", Policy: json.RawMessage(onlyList + strings.Repeat(" ", MaxKeyPolicy))}, ErrInvalid},
	} {
		if _, _, err := s.CreateAccessKey(ctx, tt.n); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	var syntax *policy.SyntaxError
	if _, _, err := s.CreateAccessKey(ctx, NewAccessKey{Parent: "alice", Policy: json.RawMessage(`{}`)}); !errors.As(err, &syntax) {
		t.Error("a policy that is none:", err)
	}
	if len(s.AccessKeys("alice")) != 1 {
		t.Error("a refused key was made")
	}
	if err := s.DeleteAccessKey(ctx, "alice"); !errors.Is(err, ErrInvalid) {
		t.Error("the user's own key is deleted:", err)
	}
	if err := s.DeleteAccessKey(ctx, rootUser); !errors.Is(err, ErrReserved) {
		t.Error("root's key is deleted:", err)
	}
	name := "x"
	if _, err := s.UpdateAccessKey(ctx, "alice", AccessKeyUpdate{Name: &name}); !errors.Is(err, ErrInvalid) {
		t.Error("the user's own key has a name:", err)
	}
}

// TestRootKeys: a key of root may what root may, or what its policy leaves of it.
func TestRootKeys(t *testing.T) {
	s := open(t)
	whole := newKey(t, s, NewAccessKey{Parent: rootUser})
	narrow := newKey(t, s, NewAccessKey{Parent: rootUser, Policy: json.RawMessage(onlyList)})
	nobody := bucketPolicy("Deny", `"*"`)
	ask := func(id *Identity, action string) Decision {
		return s.Authorize(&Request{Identity: id, Action: action, Bucket: "b", Key: "k", Policy: nobody})
	}
	if !ask(whole, "admin:CreateUser").Allowed || !ask(whole, "s3:GetObject").Allowed || !ask(narrow, "s3:ListBucket").Allowed {
		t.Error("root's keys are refused")
	}
	if d := ask(narrow, "s3:GetObject"); d.Allowed || !strings.Contains(d.Statement, "allows it nowhere") {
		t.Errorf("%+v", d)
	}
	if list := s.AccessKeys(rootUser); len(list) != 2 || list[0].Parent != rootUser {
		t.Errorf("%+v", list)
	}
}

// TestRestrictedMaker is S-027 and S-076: what a restricted credential makes is as restricted.
func TestRestrictedMaker(t *testing.T) {
	s, ctx := open(t), t.Context()
	identity(t, s, "alice", "readwrite")
	narrow := newKey(t, s, NewAccessKey{Parent: "alice", Policy: json.RawMessage(onlyList)})
	child := newKey(t, s, NewAccessKey{By: narrow, Parent: "alice"})
	if !child.Restricted() || may(s, child, "s3:GetObject", "b", "k") || !may(s, child, "s3:ListBucket", "b", "") {
		t.Error("the child has other rights than its maker")
	}
	empty := json.RawMessage(nil)
	if _, err := s.UpdateAccessKey(ctx, child.AccessKey, AccessKeyUpdate{Policy: &empty}); err != nil {
		t.Fatal(err)
	}
	cred, err := s.Credential(child.AccessKey, "")
	if err != nil || may(s, cred.Identity, "s3:GetObject", "b", "k") {
		t.Error("S-022: without a policy of its own the child has more rights than its maker:", err)
	}
	// The maker may lose its restriction, or itself: the child keeps what it was born with.
	if err := s.DeleteAccessKey(ctx, narrow.AccessKey); err != nil {
		t.Fatal(err)
	}
	if may(s, cred.Identity, "s3:GetObject", "b", "k") {
		t.Error("the child is free")
	}
	if _, _, err := s.CreateAccessKey(ctx, NewAccessKey{By: narrow, Parent: "alice"}); !errors.Is(err, ErrNoSuchKey) {
		t.Error("a deleted key makes another:", err)
	}
}

func TestAccessKeyExpiry(t *testing.T) {
	st, now := mem.Open(), time.Unix(1_700_000_000, 0)
	s, err := Open(st, Options{RootUser: rootUser, RootPassword: rootSecret, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(); st.Close() })
	identity(t, s, "alice", "readwrite")
	k := newKey(t, s, NewAccessKey{Parent: "alice", Expires: now.Add(time.Hour)})
	now = now.Add(time.Hour)
	if _, err := s.Credential(k.AccessKey, ""); !errors.Is(err, ErrExpired) {
		t.Error(err)
	}
	later := now.Add(time.Hour)
	if _, err := s.UpdateAccessKey(t.Context(), k.AccessKey, AccessKeyUpdate{Expires: &later}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Credential(k.AccessKey, ""); err != nil {
		t.Error("S-228 the other way round: a key with a new expiry is refused:", err)
	}
}

// TestChildNeverMore is the property that no credential may what its parent may not, for random
// policies, chains of credentials and requests.
func TestChildNeverMore(t *testing.T) {
	s, ctx := open(t), t.Context()
	r := rand.New(rand.NewPCG(1, 2))
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	action := func() string {
		return pick("s3:GetObject", "s3:PutObject", "s3:*", "s3:Get*", "s3:ListBucket", "s3:DeleteObject", "*")
	}
	resource := func() string {
		return pick("*", "arn:aws:s3:::b/*", "arn:aws:s3:::b", "arn:aws:s3:::b/a*", "arn:aws:s3:::c/*", "arn:aws:s3:::${aws:username}/*")
	}
	document := func() json.RawMessage {
		var list []string
		for range 1 + r.IntN(3) {
			list = append(list, `{"Effect":"`+pick("Allow", "Allow", "Deny")+`","`+pick("Action", "Action", "NotAction")+
				`":"`+action()+`","`+pick("Resource", "Resource", "NotResource")+`":"`+resource()+`"}`)
		}
		return json.RawMessage(`{"Version":"2012-10-17","Statement":[` + strings.Join(list, ",") + `]}`)
	}
	questions := func() (out []Request) {
		for _, a := range []string{"s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket", "s3:DeleteBucket", "admin:CreateUser"} {
			for _, res := range []string{"b/a", "b/x", "c/a", "u/a", "b/"} {
				b, k, _ := strings.Cut(res, "/")
				out = append(out, Request{Action: a, Bucket: b, Key: k})
			}
		}
		return out
	}
	denied, allowed := 0, 0
	for i := range 60 {
		name := "user" + string(rune('a'+i%26)) + string(rune('a'+i/26))
		if _, err := s.SetPolicy(ctx, name, document()); err != nil {
			t.Fatal(err)
		}
		chain := []*Identity{identity(t, s, name, name)}
		if i%10 == 0 {
			chain[0] = s.root.Identity
			name = rootUser
		}
		for depth := range 4 {
			by := chain[depth]
			if r.IntN(2) == 0 {
				n := NewAccessKey{By: by, Parent: name}
				if r.IntN(3) > 0 {
					n.Policy = document()
				}
				chain = append(chain, newKey(t, s, n))
				continue
			}
			n := NewSession{By: by, Duration: time.Hour}
			if r.IntN(3) > 0 {
				n.Policy = document()
			}
			if r.IntN(3) == 0 {
				n.Policies = []string{pick("readonly", "readwrite", "writeonly")}
			}
			_, cred, err := s.CreateSession(ctx, n)
			if err != nil {
				t.Fatal(err)
			}
			chain = append(chain, cred.Identity)
		}
		for _, q := range questions() {
			parent := true
			for depth, id := range chain {
				q.Identity = id
				d := s.Authorize(&q)
				if d.Allowed && !parent {
					t.Fatalf("user %d: %s on %s/%s: credential %d may what its parent may not: %s", i, q.Action, q.Bucket, q.Key, depth, d.Statement)
				}
				if parent = d.Allowed; parent {
					allowed++
				} else {
					denied++
				}
			}
		}
	}
	t.Logf("%d allowed, %d denied", allowed, denied)
	if allowed < 500 || denied < 500 {
		t.Error("the policies are too much of one kind to show anything")
	}
}
