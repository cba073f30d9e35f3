package iam

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"

	"github.com/objsrv/objsrv/iam/store"
	"github.com/objsrv/objsrv/iam/store/mem"
)

func TestPublicAccess(t *testing.T) {
	st := mem.Open()
	defer st.Close()
	reopen := func(report func(error)) *Service {
		s, err := Open(st, Options{RootUser: rootUser, RootPassword: rootSecret, Report: report})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	s := reopen(func(err error) { t.Error(err) })
	const other = "210987654321"
	want := func(s *Service, account string, p PublicAccess, set bool) {
		t.Helper()
		if got, ok := s.PublicAccess(account); got != p || ok != set {
			t.Errorf("%s: %+v %v, want %+v %v", account, got, ok, p, set)
		}
	}
	set := func(account string, p *PublicAccess) {
		t.Helper()
		if err := s.SetPublicAccess(t.Context(), account, p); err != nil {
			t.Fatal(err)
		}
	}
	want(s, s.Account(), PublicAccess{}, false)
	policies := PublicAccess{BlockPublicPolicy: true, RestrictPublicBuckets: true}
	set(s.Account(), &policies)
	set(other, &PublicAccess{})
	want(s, s.Account(), policies, true)
	want(s, other, PublicAccess{}, true)
	want(reopen(nil), s.Account(), policies, true)
	set(s.Account(), &PublicAccess{IgnorePublicAcls: true})
	want(s, s.Account(), PublicAccess{IgnorePublicAcls: true}, true)
	set(s.Account(), nil)
	set(s.Account(), nil)
	want(s, s.Account(), PublicAccess{}, false)
	for _, account := range []string{"", "12345", "1234567890123", "12345678901x", "../../654321"} {
		if err := s.SetPublicAccess(t.Context(), account, nil); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %v", account, err)
		}
	}
	s.Close()
	// A record that can't be read blocks everything, until it is written anew.
	for _, value := range []string{"{", `{"v":1,"account":"` + s.Account() + `"}`, `{"v":99,"account":"` + other + `"}`, `{"v":1,"account":"` + other + `","more":1}`} {
		if _, err := st.Commit(t.Context(), store.Change{Kind: kindAccount, Name: other, Value: []byte(value), Revision: store.Any}); err != nil {
			t.Fatal(err)
		}
		reported := 0
		damaged := reopen(func(error) { reported++ })
		want(damaged, other, PublicAccess{true, true, true, true}, true)
		if reported != 1 {
			t.Errorf("%s is reported %d times", value, reported)
		}
		if err := damaged.SetPublicAccess(t.Context(), other, &policies); err != nil {
			t.Fatal(err)
		}
		want(damaged, other, policies, true)
	}
}

// makeAccount makes an account whose root user is root-ID, and returns who that is.
func makeAccount(t testing.TB, s *Service, id string) *Identity {
	t.Helper()
	_, cred, err := s.CreateAccount(context.Background(), NewAccount{ID: id, Name: "account-" + id, Root: "root-" + id})
	if err != nil {
		t.Fatal(err)
	}
	return cred.Identity
}

// TestAccounts has another account than the deployment's, from its beginning to its end.
func TestAccounts(t *testing.T) { eachStore(t, testAccounts) }

func testAccounts(t *testing.T, open opener) {
	s, ctx := open(t), t.Context()
	const account, other = "123456789012", "999988887777"
	known := func(account string, want bool) {
		t.Helper()
		if got, ok := s.CanonicalAccount(CanonicalID(account)); ok != want || want && got != account {
			t.Errorf("account %s is %q, %v", account, got, ok)
		}
	}
	known(account, true)
	known(other, false)
	if _, _, err := s.CreateUser(ctx, NewUser{Name: "one", Account: other}); !errors.Is(err, ErrNoSuchAccount) {
		t.Error("a user of no account:", err)
	}
	// Settings do not make an account, and stay when it is made.
	blocked := PublicAccess{BlockPublicPolicy: true}
	if err := s.SetPublicAccess(ctx, other, &blocked); err != nil {
		t.Fatal(err)
	}
	known(other, false)
	a, cred, err := s.CreateAccount(ctx, NewAccount{ID: other, Name: "tenant", Root: "tenant-root"})
	if err != nil || a.ID != other || a.CanonicalID != CanonicalID(other) || a.Root != "tenant-root" || a.Users != 0 || a.Deployment || cred.Identity.Account != other || cred.Secret == "" {
		t.Fatalf("%+v %+v %v", a, cred, err)
	}
	known(other, true)
	if p, ok := s.PublicAccess(other); !ok || p != blocked {
		t.Error("the settings are gone")
	}
	for _, n := range []NewAccount{{ID: other, Name: "again", Root: "again"}, {Name: "tenant", Root: "again"}, {Name: "again", Root: "tenant-root"}, {ID: account, Name: "again", Root: "again"}} {
		if _, _, err := s.CreateAccount(ctx, n); !errors.Is(err, ErrExists) {
			t.Errorf("%+v: %v", n, err)
		}
	}
	for _, n := range []NewAccount{{ID: "12", Name: "a", Root: "abc"}, {Name: "", Root: "abc"}, {Name: "a b", Root: "abc"}, {Name: "a", Root: "x"}, {Name: "a", Root: "ldap:uid=ann"}, {Name: "a", Root: "abc", Secret: "short"}} {
		if _, _, err := s.CreateAccount(ctx, n); !errors.Is(err, ErrInvalid) {
			t.Errorf("%+v: %v", n, err)
		}
	}
	if _, _, err := s.CreateAccount(ctx, NewAccount{Name: "a", Root: rootUser}); !errors.Is(err, ErrReserved) {
		t.Error("S-018: an account's root has the name of the server's:", err)
	}
	u, cred, err := s.CreateUser(ctx, NewUser{Name: "one", Account: other, Policies: []string{"consoleAdmin"}})
	if err != nil || u.Account != other || u.ARN != "arn:aws:iam::"+other+":user/one" || cred.Identity.Account != other || cred.Identity.ARN != u.ARN {
		t.Fatalf("%+v, %+v, %v", u, cred.Identity, err)
	}
	// What is the deployment's stays with its own users.
	if d := s.Authorize(&Request{Identity: cred.Identity, Action: "admin:ServerInfo"}); d.Allowed || d.Statement != byDeployment {
		t.Errorf("an administrator of another account administers the deployment: %+v", d)
	}
	if a, err := s.AccountInfo(other); err != nil || a.Users != 1 {
		t.Errorf("%+v %v", a, err)
	}
	if list := s.Accounts(); len(list) != 2 || list[0].ID != account || !list[0].Deployment || list[0].Root != rootUser || list[1].ID != other {
		t.Errorf("%+v", list)
	}
	if err := s.DeleteUser(ctx, "tenant-root"); !errors.Is(err, ErrReserved) {
		t.Error("an account loses its root:", err)
	}
	if err := s.DeleteAccount(ctx, other); !errors.Is(err, ErrAccountUsed) {
		t.Error("an account with users is deleted:", err)
	}
	if err := s.DeleteAccount(ctx, account); !errors.Is(err, ErrReserved) {
		t.Error(err)
	}
	if err := s.DeleteUser(ctx, "one"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.CreateGroup(ctx, NewGroup{Name: "crew", Account: other}); err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteAccount(ctx, other); !errors.Is(err, ErrAccountUsed) {
		t.Error("an account with a group is deleted:", err)
	}
	if err := s.DeleteGroup(ctx, "crew"); err != nil {
		t.Fatal(err)
	}
	_, key, err := s.CreateAccessKey(ctx, NewAccessKey{Parent: "tenant-root"})
	if err != nil || key.Identity.Account != other {
		t.Fatal(key, err)
	}
	if err := s.DeleteAccount(ctx, other); err != nil {
		t.Fatal(err)
	}
	for _, k := range []string{key.AccessKey, "tenant-root"} {
		if _, err := s.Credential(k, ""); !errors.Is(err, ErrNoSuchKey) {
			t.Errorf("%s outlives its account: %v", k, err)
		}
	}
	known(other, false)
	// Policies and lists of others may still name it, so that its id is not given again.
	if _, _, err := s.CreateAccount(ctx, NewAccount{ID: other, Name: "heir", Root: "heir-root"}); !errors.Is(err, ErrExists) {
		t.Error("an account gets the id of one that was deleted:", err)
	}
	if err := s.SetPublicAccess(ctx, other, nil); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.CreateAccount(ctx, NewAccount{ID: other, Name: "heir", Root: "heir-root"}); !errors.Is(err, ErrExists) {
		t.Error("the same when its settings were removed:", err)
	}
	if err := s.DeleteAccount(ctx, other); !errors.Is(err, ErrNoSuchAccount) {
		t.Error(err)
	}
	if _, err := s.AccountInfo(other); !errors.Is(err, ErrNoSuchAccount) {
		t.Error(err)
	}
	if CanonicalID(account) == CanonicalID(other) || len(CanonicalID(other)) != 64 {
		t.Error("S-124: accounts share a canonical id")
	}
}

// TestAccountRaces makes users of an account while others delete it: there is never a user of no account.
func TestAccountRaces(t *testing.T) { eachStore(t, testAccountRaces) }

func testAccountRaces(t *testing.T, open opener) {
	s, ctx := open(t), t.Context()
	for i := range 20 {
		id := "99998888" + strconv.Itoa(7000+i)
		makeAccount(t, s, id)
		var wg sync.WaitGroup
		var made, deleted error
		wg.Go(func() { _, _, made = s.CreateUser(ctx, NewUser{Name: "user-" + id, Account: id}) })
		wg.Go(func() { deleted = s.DeleteAccount(ctx, id) })
		wg.Wait()
		if (made == nil) == (deleted == nil) {
			t.Fatalf("made %v, deleted %v", made, deleted)
		}
	}
}

// TestAccountRoot is the table of what the root of an account may do.
func TestAccountRoot(t *testing.T) {
	s, ctx := open(t), t.Context()
	const account, other, third = "123456789012", "999988887777", "111122223333"
	root := makeAccount(t, s, other)
	stranger := makeAccount(t, s, third)
	_, key, err := s.CreateAccessKey(ctx, NewAccessKey{Parent: root.Name})
	if err != nil {
		t.Fatal(err)
	}
	_, narrow, err := s.CreateAccessKey(ctx, NewAccessKey{Parent: root.Name, Policy: []byte(`{"Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`)})
	if err != nil {
		t.Fatal(err)
	}
	everybody, nobody := bucketPolicy("Allow", `"*"`), bucketPolicy("Deny", `"*"`)
	tests := []struct {
		name    string
		id      *Identity
		action  string
		owner   string
		policy  []byte
		allowed bool
	}{
		{"its bucket", root, "s3:GetObject", other, nil, true},
		{"what has no bucket", root, "s3:CreateBucket", other, nil, true},
		{"its bucket denies", root, "s3:GetObject", other, nobody, false},
		{"its bucket denies, the policy", root, "s3:PutBucketPolicy", other, nobody, true},
		{"another's bucket denies, the policy", root, "s3:PutBucketPolicy", account, nobody, false},
		{"S-231 the deployment's bucket", root, "s3:GetObject", account, nil, false},
		{"S-231 another's bucket", root, "s3:GetObject", third, nil, false},
		{"another's bucket admits", root, "s3:GetObject", third, everybody, true},
		{"a stranger's root", stranger, "s3:GetObject", other, nil, false},
		{"its key", key.Identity, "s3:PutObject", other, nil, true},
		{"its key, another's bucket", key.Identity, "s3:PutObject", account, nil, false},
		{"S-027 its restricted key", narrow.Identity, "s3:PutObject", other, nil, false},
		{"S-027 its restricted key, the policy", narrow.Identity, "s3:PutBucketPolicy", other, nobody, false},
		{"its restricted key reads", narrow.Identity, "s3:GetObject", other, nil, true},
		{"server", root, "admin:ServerInfo", "", nil, false},
		{"its users", root, "admin:CreateUser", "", nil, true},
		{"its users, by its key", key.Identity, "admin:CreateUser", "", nil, true},
		{"S-027 its users, by its restricted key", narrow.Identity, "admin:CreateUser", "", nil, false},
		{"its policies", root, "admin:CreatePolicy", "", nil, true},
		{"its sessions", root, "sts:GetFederationToken", "", nil, true},
		{"keys of encryption", root, "kms:CreateKey", other, nil, false},
	}
	for _, tt := range tests {
		if d := s.Authorize(&Request{Identity: tt.id, Action: tt.action, Bucket: "b", Key: "k", Policy: tt.policy, Owner: tt.owner}); d.Allowed != tt.allowed {
			t.Errorf("%s: %+v, want %v", tt.name, d, tt.allowed)
		}
	}
	// Its own policies can deny.
	if _, err := s.SetPolicy(ctx, "no-delete", []byte(`{"Statement":[{"Effect":"Deny","Action":"s3:DeleteObject","Resource":"*"}]}`)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.AttachPolicy(ctx, root.Name, "no-delete"); err != nil {
		t.Fatal(err)
	}
	if d := s.Authorize(&Request{Identity: root, Action: "s3:DeleteObject", Bucket: "b", Key: "k", Owner: other}); d.Allowed {
		t.Errorf("%+v", d)
	}
	// A session of it stays within the account, and within its policy.
	_, ss, err := s.CreateSession(ctx, NewSession{By: root, Duration: MinSession})
	if err != nil {
		t.Fatal(err)
	}
	if id := ss.Identity; id.Account != other ||
		!s.Authorize(&Request{Identity: id, Action: "s3:GetObject", Bucket: "b", Key: "k", Owner: other}).Allowed ||
		s.Authorize(&Request{Identity: id, Action: "s3:GetObject", Bucket: "b", Key: "k", Owner: account}).Allowed {
		t.Errorf("session: %+v", id)
	}
	// Disabled, it is nobody.
	if _, err := s.SetStatus(ctx, root.Name, false); err != nil {
		t.Fatal(err)
	}
	if s.Authorize(&Request{Identity: root, Action: "s3:GetObject", Bucket: "b", Key: "k", Owner: other}).Allowed {
		t.Error("a disabled root is allowed")
	}
}
