package iam

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/objsrv/objsrv/iam/store"
	"github.com/objsrv/objsrv/iam/store/bolt"
	"github.com/objsrv/objsrv/iam/store/mem"
)

// identity creates a user with policies and returns its identity.
func identity(t testing.TB, s *Service, name string, policies ...string) *Identity {
	t.Helper()
	_, cred, err := s.CreateUser(context.Background(), NewUser{Name: name, Policies: policies})
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Credential(name, "")
	if err != nil || *got.Identity != *cred.Identity {
		t.Fatalf("credential %+v, %v, want %+v", got, err, cred)
	}
	return got.Identity
}

func bucketPolicy(effect, principal string) []byte {
	return []byte(fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Sid":"S","Effect":%q,"Principal":%s,"Action":"s3:*","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"]}]}`, effect, principal))
}

// TestAuthorize is the table of how policies of identity and bucket combine.
func TestAuthorize(t *testing.T) {
	s := open(t)
	const account = "123456789012"
	root, err := s.Credential(rootUser, "")
	if err != nil {
		t.Fatal(err)
	}
	deny := []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:GetObject","Resource":"*"}]}`)
	if _, err := s.SetPolicy(t.Context(), "never", deny); err != nil {
		t.Fatal(err)
	}
	none, reader, writer := identity(t, s, "none"), identity(t, s, "reader", "readonly"), identity(t, s, "writer", "readwrite")
	denied := identity(t, s, "denied", "readwrite", "never")
	everybody, nobody := bucketPolicy("Allow", `"*"`), bucketPolicy("Deny", `"*"`)
	toAccount := bucketPolicy("Allow", `{"AWS":"`+account+`"}`)
	toNone := bucketPolicy("Allow", `{"AWS":"arn:aws:iam::`+account+`:user/none"}`)
	toNoneID := bucketPolicy("Allow", `{"AWS":"`+none.ID+`"}`)
	againstWriter := bucketPolicy("Deny", `{"AWS":"arn:aws:iam::`+account+`:user/writer"}`)
	stranger := &Identity{Account: "999988887777", ID: "999988887777", Root: true}
	tests := []struct {
		name    string
		id      *Identity
		action  string
		policy  []byte
		owner   string
		allowed bool
		by      string
	}{
		{"anonymous", nil, "s3:GetObject", nil, account, false, ""},
		{"anonymous by policy", nil, "s3:GetObject", everybody, account, true, "bucket policy[0] S"},
		{"anonymous by account", nil, "s3:GetObject", toAccount, account, false, ""},
		{"no policy", none, "s3:GetObject", nil, account, false, ""},
		{"no policy, no owner", none, "s3:GetObject", nil, "", false, ""},
		{"reader reads", reader, "s3:GetObject", nil, account, true, "readonly[0]"},
		{"reader lists", reader, "s3:ListBucket", nil, account, false, ""},
		{"unknown action by name", reader, "s3:NoSuchAction", nil, account, false, ""},
		{"unknown action by wildcard", writer, "s3:NoSuchAction", nil, account, true, "readwrite[0]"},
		{"admin action", writer, "admin:CreateUser", nil, "", false, ""},
		{"S-218 deny beside allow", denied, "s3:GetObject", nil, account, false, "never[0]"},
		{"S-218 deny beside bucket allow", denied, "s3:GetObject", everybody, account, false, "never[0]"},
		{"S-218 deny of another action", denied, "s3:PutObject", nil, account, true, "readwrite[0]"},
		{"S-218 bucket deny", writer, "s3:GetObject", nobody, account, false, "bucket policy[0] S"},
		{"S-218 bucket deny by name", writer, "s3:GetObject", againstWriter, account, false, "bucket policy[0] S"},
		{"bucket deny of another", reader, "s3:GetObject", againstWriter, account, true, "readonly[0]"},
		{"bucket allow everybody", none, "s3:GetObject", everybody, account, true, "bucket policy[0] S"},
		{"bucket allow user", none, "s3:GetObject", toNone, account, true, "bucket policy[0] S"},
		{"bucket allow id", none, "s3:GetObject", toNoneID, account, true, "bucket policy[0] S"},
		{"bucket allow another", reader, "s3:PutObject", toNone, account, false, ""},
		{"bucket allow account delegates", none, "s3:GetObject", toAccount, account, false, "bucket policy[0] S"},
		{"bucket allow account with identity", reader, "s3:GetObject", toAccount, account, true, "readonly[0]"},
		{"other account's bucket", writer, "s3:GetObject", nil, "999988887777", false, "readwrite[0]"},
		{"other account's bucket admits", writer, "s3:GetObject", toAccount, "999988887777", true, "bucket policy[0] S"},
		{"other account's bucket admits, identity does not", none, "s3:GetObject", everybody, "999988887777", false, "bucket policy[0] S"},
		{"root", root.Identity, "s3:GetObject", nil, account, true, "root"},
		{"root against deny", root.Identity, "s3:GetObject", nobody, account, true, "root"},
		{"root unknown action", root.Identity, "any:Thing", nil, "", true, "root"},
		{"root's id is not enough", &Identity{Account: account, ID: account}, "s3:GetObject", nil, account, false, "identity is gone"},
		{"foreign root", stranger, "s3:GetObject", everybody, account, false, "identity is gone"},
		{"unreadable bucket policy", writer, "s3:GetObject", []byte(`{"Statement":[]}`), account, false, "bucket policy is unreadable"},
		{"unreadable bucket policy, root", root.Identity, "s3:GetObject", []byte(`{`), account, true, "root"},
		{"identity policy on a bucket", writer, "s3:GetObject", deny, account, false, "bucket policy is unreadable"},
	}
	for _, tt := range tests {
		for range 2 { // compiled, then from the cache
			d := s.Authorize(&Request{Identity: tt.id, Action: tt.action, Bucket: "b", Key: "k", Policy: tt.policy, Owner: tt.owner})
			if d.Allowed != tt.allowed || d.Statement != tt.by {
				t.Errorf("%s: %+v, want %v by %q", tt.name, d, tt.allowed, tt.by)
			}
		}
	}
}

// TestAuthorizeACL is the table of how access control lists add to policies.
func TestAuthorizeACL(t *testing.T) {
	s := open(t)
	const account, other = "123456789012", "999988887777"
	none, writer := identity(t, s, "none"), identity(t, s, "writer", "readwrite")
	makeAccount(t, s, other)
	if _, _, err := s.CreateUser(t.Context(), NewUser{Name: "guest", Account: other, Policies: []string{"readwrite"}}); err != nil {
		t.Fatal(err)
	}
	cred, err := s.Credential("guest", "")
	if err != nil {
		t.Fatal(err)
	}
	guest := cred.Identity
	everybody, nobody := bucketPolicy("Allow", `"*"`), bucketPolicy("Deny", `"*"`)
	public, granted, nothing := ACL{Grant: PublicGrant}, ACL{Grant: AccountGrant}, ACL{}
	foreign := func(g Grant) ACL { return ACL{Grant: g, Owner: other} }
	const list = "access control list"
	tests := []struct {
		name    string
		id      *Identity
		policy  []byte
		acl     ACL
		allowed bool
		by      string
	}{
		{"anonymous, public", nil, nil, public, true, list},
		{"anonymous, nothing", nil, nil, nothing, false, ""},
		{"S-137 anonymous, public but denied", nil, nobody, public, false, "bucket policy[0] S"},
		{"no policy, public", none, nil, public, true, list},
		{"no policy, account", none, nil, granted, false, list},
		{"own policy, nothing", writer, nil, nothing, true, "readwrite[0]"},
		{"S-137 own policy, public but denied", writer, nobody, public, false, "bucket policy[0] S"},
		{"other account, nothing", guest, nil, nothing, false, "readwrite[0]"},
		{"other account, granted", guest, nil, granted, true, list},
		{"other account, public", guest, nil, public, true, list},
		{"other account, by policy", guest, everybody, nothing, true, "bucket policy[0] S"},
		{"S-137 other account, granted but denied", guest, nobody, granted, false, "bucket policy[0] S"},
		{"owner of the resource", guest, nil, foreign(NoGrant), true, "readwrite[0]"},
		{"another's resource", writer, nil, foreign(NoGrant), false, "readwrite[0]"},
		{"another's resource, granted", writer, nil, foreign(AccountGrant), true, list},
		{"another's resource, granted, no policy", none, nil, foreign(AccountGrant), false, list},
		{"another's resource, bucket allows", writer, everybody, foreign(NoGrant), false, "readwrite[0]"},
		{"another's resource, anonymous, bucket allows", nil, everybody, foreign(NoGrant), false, ""},
		{"owner of the resource, bucket denies", guest, nobody, foreign(NoGrant), false, "bucket policy[0] S"},
	}
	for _, tt := range tests {
		asked := 0
		d := s.Authorize(&Request{Identity: tt.id, Action: "s3:GetObject", Bucket: "b", Key: "k", Policy: tt.policy, Owner: account,
			ACL: func() ACL { asked++; return tt.acl }})
		if d.Allowed != tt.allowed || d.Statement != tt.by {
			t.Errorf("%s: %+v, want %v by %q", tt.name, d, tt.allowed, tt.by)
		}
		if denied := d.Statement == "bucket policy[0] S" && !d.Allowed; denied != (asked == 0) {
			t.Errorf("%s: the list was asked %d times", tt.name, asked)
		}
	}
	root, err := s.Credential(rootUser, "")
	if err != nil {
		t.Fatal(err)
	}
	s.Authorize(&Request{Identity: root.Identity, Action: "s3:GetObject", Bucket: "b", ACL: func() ACL { t.Error("asked for root"); return ACL{} }})
}

// TestCredential has what must not yield a credential.
func TestCredential(t *testing.T) {
	s := open(t)
	identity(t, s, "alice")
	tests := []struct {
		key, token string
		want       error
	}{
		{"", "", ErrNoSuchKey}, {"nobody", "", ErrNoSuchKey}, {"ALICE", "", ErrNoSuchKey}, {"alice ", "", ErrNoSuchKey},
		{"alice", "token", ErrInvalidToken}, {rootUser, "token", ErrInvalidToken}, {strings.ToUpper(rootUser), "", ErrNoSuchKey},
	}
	for _, tt := range tests {
		if c, err := s.Credential(tt.key, tt.token); !errors.Is(err, tt.want) || c != (Credential{}) {
			t.Errorf("%q with token %q: %+v, %v, want %v", tt.key, tt.token, c, err, tt.want)
		}
	}
	if c, err := s.Credential(rootUser, ""); err != nil || c.Secret != rootSecret || !c.Identity.Root {
		t.Errorf("root: %+v, %v", c, err)
	}
}

// TestRootName is the list of names that could be taken for root's.
func TestRootName(t *testing.T) {
	s := open(t)
	for _, name := range []string{rootUser, "OBJROOT", "objRoot", "root", "ROOT", "objroot ", " objroot", "objroot\u200b", "objroot\x00"} {
		if _, _, err := s.CreateUser(t.Context(), NewUser{Name: name}); !errors.Is(err, ErrReserved) && !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, f := range []func() error{
		func() error { return s.DeleteUser(t.Context(), rootUser) },
		func() error { _, err := s.SetStatus(t.Context(), rootUser, false); return err },
		func() error { _, err := s.AttachPolicy(t.Context(), rootUser, "readonly"); return err },
	} {
		if err := f(); !errors.Is(err, ErrReserved) {
			t.Errorf("change of root: %v", err)
		}
	}
	if len(s.Users()) != 0 {
		t.Errorf("users %+v", s.Users())
	}
}

// TestDurable reopens: what was acknowledged is there, with the same ids and account.
func TestDurable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "iam.db")
	var id *Identity
	var account string
	for range 3 {
		db, err := bolt.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Open(db, Options{RootUser: rootUser, RootPassword: rootSecret, Report: func(err error) { t.Error(err) }})
		if err != nil {
			t.Fatal(err)
		}
		if id == nil {
			id, account = identity(t, s, "alice", "readonly"), s.Account()
		}
		c, err := s.Credential("alice", "")
		if err != nil || *c.Identity != *id || s.Account() != account || CheckAccount(account) != nil {
			t.Errorf("%+v, %v in account %s, want %+v in %s", c, err, s.Account(), id, account)
		}
		s.Close()
		db.Close()
	}
	db, err := bolt.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := Open(db, Options{RootUser: rootUser, RootPassword: rootSecret, AccountID: "000000000001"}); !errors.Is(err, ErrInvalid) {
		t.Errorf("the store of another account: %v", err)
	}
}

// TestDamagedRecords writes records that can't be read: nothing becomes weaker, nothing
// is called absent, and an administrator can heal it.
func TestDamagedRecords(t *testing.T) {
	st := mem.Open()
	reports := 0
	var mu sync.Mutex
	s, err := Open(st, Options{RootUser: rootUser, RootPassword: rootSecret, Report: func(error) { mu.Lock(); reports++; mu.Unlock() }})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { s.Close() }()
	doc := []byte(`{"Statement":[{"Effect":"Deny","Action":"s3:DeleteObject","Resource":"*"}]}`)
	if _, err := s.SetPolicy(t.Context(), "guard", doc); err != nil {
		t.Fatal(err)
	}
	alice, bob := identity(t, s, "alice", "readwrite", "guard"), identity(t, s, "bob", "readwrite")
	identity(t, s, "carol", "readwrite")
	spoil := func(kind, name, value string) {
		t.Helper()
		if err := s.commit(t.Context(), store.Change{Kind: kind, Name: name, Value: []byte(value), Revision: store.Any}); err != nil {
			t.Fatal(err)
		}
	}
	may := func(id *Identity) bool {
		return s.Authorize(&Request{Identity: id, Action: "s3:GetObject", Bucket: "b", Key: "k"}).Allowed
	}
	spoil(kindPolicy, "guard", `{"v":2}`)
	spoil(kindUser, "bob", `{"v":1,"account":"123456789012","id":"x","name":"bob","boundary":"strict"}`)
	spoil(kindKey, "carol", `garbage`)
	for round := range 2 { // as seen by the watcher, then by a fresh start
		if may(alice) {
			t.Error("a damaged policy is as good as none")
		}
		if d := s.Authorize(&Request{Identity: alice, Action: "s3:GetObject", Bucket: "b", Key: "k"}); !strings.Contains(d.Statement, "guard") {
			t.Errorf("the decision does not name the policy: %+v", d)
		}
		if may(bob) {
			t.Error("a damaged user is allowed")
		}
		for _, key := range []string{"bob", "carol"} {
			if _, err := s.Credential(key, ""); !errors.Is(err, ErrDamaged) || errors.Is(err, ErrNoSuchKey) {
				t.Errorf("credential %s: %v", key, err)
			}
		}
		if _, err := s.User("bob"); !errors.Is(err, ErrDamaged) {
			t.Errorf("user: %v", err)
		}
		if us := s.Users(); len(us) != 3 || us[1].Name != "bob" || us[1].Damaged == "" {
			t.Errorf("users %+v", us)
		}
		if p, err := s.Policy("guard"); err != nil || p.Damaged == "" {
			t.Errorf("policy %+v, %v", p, err)
		}
		if round == 0 {
			s.Close()
			if s, err = Open(st, Options{RootUser: rootUser, RootPassword: rootSecret, Report: func(error) { mu.Lock(); reports++; mu.Unlock() }}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if reports != 6 {
		t.Errorf("%d reports, want 6", reports)
	}
	if _, _, err := s.CreateUser(t.Context(), NewUser{Name: "bob"}); !errors.Is(err, ErrExists) {
		t.Errorf("create over a damaged user: %v", err)
	}
	if err := s.DeleteUser(t.Context(), "bob"); err != nil {
		t.Error(err)
	}
	if _, err := s.Credential("bob", ""); !errors.Is(err, ErrNoSuchKey) {
		t.Errorf("after deletion: %v", err)
	}
	if _, err := s.SetPolicy(t.Context(), "guard", doc); err != nil || !may(alice) {
		t.Errorf("after healing: %v", err)
	}
}

// TestForeignKey has a user whose record names a key of another: it is neither changed
// nor deleted through the wrong user.
func TestForeignKey(t *testing.T) {
	s := open(t)
	identity(t, s, "alice")
	identity(t, s, "bob")
	bob, err := s.Credential("bob", "")
	if err != nil {
		t.Fatal(err)
	}
	u, rev, err := s.readUser(t.Context(), anyAccount, "alice")
	if err != nil {
		t.Fatal(err)
	}
	u.Keys = []string{"bob"}
	changes, err := appendPut(nil, kindUser, "alice", rev, u)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.commit(t.Context(), changes...); err != nil {
		t.Fatal(err)
	}
	secret := "a secret for alice"
	if _, err := s.UpdateUser(t.Context(), "alice", UserUpdate{Secret: &secret}); !errors.Is(err, ErrDamaged) {
		t.Errorf("update: %v", err)
	}
	if err := s.DeleteUser(t.Context(), "alice"); err != nil {
		t.Error(err)
	}
	if c, err := s.Credential("bob", ""); err != nil || c.Secret != bob.Secret {
		t.Errorf("bob's credential %+v, %v", c, err)
	}
}

// TestVanishedPolicy removes an attached policy behind the service's back.
func TestVanishedPolicy(t *testing.T) {
	s := open(t)
	doc := []byte(`{"Statement":[{"Effect":"Deny","Action":"s3:DeleteObject","Resource":"*"}]}`)
	if _, err := s.SetPolicy(t.Context(), "guard", doc); err != nil {
		t.Fatal(err)
	}
	alice := identity(t, s, "alice", "readwrite", "guard")
	if err := s.DeletePolicy(t.Context(), "guard"); !errors.Is(err, ErrInUse) {
		t.Errorf("delete: %v", err)
	}
	if err := s.commit(t.Context(), store.Change{Op: store.Delete, Kind: kindPolicy, Name: "guard", Revision: store.Any}); err != nil {
		t.Fatal(err)
	}
	if s.Authorize(&Request{Identity: alice, Action: "s3:GetObject", Bucket: "b", Key: "k"}).Allowed {
		t.Error("without its guard the user may more than before")
	}
	if _, err := s.DetachPolicy(t.Context(), "alice", "guard"); err != nil {
		t.Fatal(err)
	}
	if !s.Authorize(&Request{Identity: alice, Action: "s3:GetObject", Bucket: "b", Key: "k"}).Allowed {
		t.Error("detached, the policy still blocks")
	}
}

// TestPolicyChange is S-228: a changed policy is in force for everybody who has it.
func TestPolicyChange(t *testing.T) {
	s := open(t)
	set := func(effect string) {
		t.Helper()
		doc := fmt.Sprintf(`{"Statement":[{"Effect":%q,"Action":"s3:GetObject","Resource":"*"}]}`, effect)
		if _, err := s.SetPolicy(t.Context(), "p", []byte(doc)); err != nil {
			t.Fatal(err)
		}
	}
	set("Allow")
	alice := identity(t, s, "alice", "p")
	for _, effect := range []string{"Deny", "Allow", "Deny"} {
		set(effect)
		if got := s.Authorize(&Request{Identity: alice, Action: "s3:GetObject", Bucket: "b", Key: "k"}).Allowed; got != (effect == "Allow") {
			t.Errorf("after %s: %v", effect, got)
		}
	}
}

// TestConcurrentChanges has many administrators attach policies to one user and create
// the same user: nothing is lost, and one creation wins.
func TestConcurrentChanges(t *testing.T) {
	s := open(t)
	identity(t, s, "alice")
	var wg sync.WaitGroup
	var created, exists int
	var mu sync.Mutex
	for i := range 16 {
		name := fmt.Sprint("p", i)
		if _, err := s.SetPolicy(t.Context(), name, []byte(`{"Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`)); err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			if _, err := s.AttachPolicy(t.Context(), "alice", name); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() {
			_, _, err := s.CreateUser(t.Context(), NewUser{Name: "bob"})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				created++
			case errors.Is(err, ErrExists):
				exists++
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if u, err := s.User("alice"); err != nil || len(u.Policies) != 16 {
		t.Errorf("%+v, %v", u, err)
	}
	if created != 1 || exists != 15 {
		t.Errorf("%d created, %d exist", created, exists)
	}
}

// TestTwoServices has two services over one store, as two gateways: what one
// acknowledges the other applies.
func TestTwoServices(t *testing.T) {
	st := mem.Open()
	o := Options{RootUser: rootUser, RootPassword: rootSecret, Report: func(err error) { t.Error(err) }}
	a, err := Open(st, o)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	b, err := Open(st, o)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if a.Account() != b.Account() {
		t.Fatalf("accounts %s and %s", a.Account(), b.Account())
	}
	identity(t, a, "alice")
	// b's own next change comes after alice, so it has seen her when that is acknowledged.
	identity(t, b, "bob")
	if _, err := b.Credential("alice", ""); err != nil {
		t.Error(err)
	}
	if _, _, err := b.CreateUser(t.Context(), NewUser{Name: "alice"}); !errors.Is(err, ErrExists) {
		t.Error(err)
	}
}

// laggingStore has watchers that fail once, as one that was too slow does.
type laggingStore struct {
	store.Store
	mu     sync.Mutex
	lagged int
}

type laggingWatcher struct {
	store.Watcher
	s *laggingStore
}

func (s *laggingStore) Watch(ctx context.Context) (store.Watcher, error) {
	w, err := s.Store.Watch(ctx)
	return laggingWatcher{w, s}, err
}

// Next loses the event that it should deliver, three times.
func (w laggingWatcher) Next(ctx context.Context) (store.Event, error) {
	ev, err := w.Watcher.Next(ctx)
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	if err == nil && w.s.lagged < 3 {
		w.s.lagged++
		return store.Event{}, store.ErrLagged
	}
	return ev, err
}

// TestLagging loses events: the service reads everything anew and misses no change.
func TestLagging(t *testing.T) {
	st := mem.Open()
	ls := &laggingStore{Store: st}
	s, err := Open(ls, Options{RootUser: rootUser, RootPassword: rootSecret})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for i := range 6 {
		id := identity(t, s, fmt.Sprint("user", i), "readonly")
		if i%2 == 0 {
			if err := s.DeleteUser(t.Context(), id.Name); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(s.Users()) != 3 || ls.lagged != 3 {
		t.Errorf("%d users after %d losses", len(s.Users()), ls.lagged)
	}
}

// TestClosed has changes fail after Close, while requests are still answered.
func TestClosed(t *testing.T) {
	st := mem.Open()
	s, err := Open(st, Options{RootUser: rootUser, RootPassword: rootSecret})
	if err != nil {
		t.Fatal(err)
	}
	identity(t, s, "alice")
	st.Close()
	s.Close()
	if _, _, err := s.CreateUser(t.Context(), NewUser{Name: "bob"}); !errors.Is(err, ErrUnavailable) {
		t.Errorf("create: %v", err)
	}
	if _, err := s.Credential("alice", ""); err != nil {
		t.Errorf("credential: %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, o := range []Options{
		{}, {RootUser: "ab", RootPassword: rootSecret}, {RootUser: rootUser, RootPassword: "short"},
		{RootUser: "a b", RootPassword: rootSecret}, {RootUser: rootUser, RootPassword: rootSecret, AccountID: "12"},
	} {
		st := mem.Open()
		if s, err := Open(st, o); !errors.Is(err, ErrInvalid) {
			t.Errorf("%+v: %v", o, err)
			s.Close()
		}
	}
}

// population is a service with 10 000 users.
func population(b *testing.B) (*Service, []string) {
	s := open(b)
	names := make([]string, 10000)
	var changes []store.Change
	var err error
	for i := range names {
		names[i] = fmt.Sprintf("user-%05d", i)
		h := header{formatVersion, s.account}
		u := userRecord{header: h, ID: newID(userID), Name: names[i], Policies: []string{"readwrite"}, Keys: []string{names[i]}}
		k := keyRecord{header: h, AccessKey: names[i], Secret: "a secret of some length", UserID: u.ID, UserName: names[i]}
		if changes, err = appendPut(changes, kindUser, u.Name, 0, u); err != nil {
			b.Fatal(err)
		}
		if changes, err = appendPut(changes, kindKey, k.AccessKey, 0, k); err != nil {
			b.Fatal(err)
		}
	}
	if err := s.commit(b.Context(), changes...); err != nil {
		b.Fatal(err)
	}
	return s, names
}

func BenchmarkOpen(b *testing.B) {
	s, _ := population(b)
	b.ReportAllocs()
	for b.Loop() {
		again, err := Open(s.store, Options{RootUser: rootUser, RootPassword: rootSecret})
		if err != nil {
			b.Fatal(err)
		}
		again.Close()
	}
}

func BenchmarkCredential(b *testing.B) {
	s, names := population(b)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if _, err := s.Credential(names[i%len(names)], ""); err != nil {
			b.Fatal(err)
		}
		i += 7919
	}
}

func BenchmarkAuthorize(b *testing.B) {
	s, names := population(b)
	root, err := s.Credential(rootUser, "")
	if err != nil {
		b.Fatal(err)
	}
	ids := make([]*Identity, len(names))
	for i, n := range names {
		c, err := s.Credential(n, "")
		if err != nil {
			b.Fatal(err)
		}
		ids[i] = c.Identity
	}
	run := func(name string, policy []byte, id func(i int) *Identity) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if !s.Authorize(&Request{Identity: id(i), Action: "s3:GetObject", Bucket: "b", Key: "some/key", Policy: policy}).Allowed {
					b.Fatal("denied")
				}
				i += 7919
			}
		})
	}
	everybody := bucketPolicy("Allow", `"*"`)
	run("root", nil, func(int) *Identity { return root.Identity })
	run("one-user", nil, func(int) *Identity { return ids[0] })
	run("10000-users", nil, func(i int) *Identity { return ids[i%len(ids)] })
	run("bucket-policy", everybody, func(i int) *Identity { return ids[i%len(ids)] })
	run("anonymous", everybody, func(int) *Identity { return nil })
}

func BenchmarkCreateUser(b *testing.B) {
	s, _ := population(b)
	i := 0
	for b.Loop() {
		if _, _, err := s.CreateUser(b.Context(), NewUser{Name: fmt.Sprint("new-", i)}); err != nil {
			b.Fatal(err)
		}
		i++
	}
}
