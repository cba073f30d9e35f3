package iam

import (
	"context"
	"errors"
	"testing"
	"time"
)

// tenants is a deployment with two accounts: alpha, whose administrators try things, and beta.
type tenants struct {
	*Service
	root, admin, betaRoot *Identity // of alpha its root and a user with every policy
	session               string    // of a user of beta
}

func newTenants(t *testing.T, open opener) *tenants {
	t.Helper()
	s, ctx := open(t), t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	out := &tenants{Service: s, root: makeAccount(t, s, "111111111111"), betaRoot: makeAccount(t, s, "222222222222")}
	for name, account := range map[string]string{"alpha-user": "111111111111", "alpha-admin": "111111111111", "beta-user": "222222222222", "local": ""} {
		n := NewUser{Name: name, Account: account}
		if name == "alpha-admin" {
			n.Policies = []string{"consoleAdmin"}
		}
		_, cred, err := s.CreateUser(ctx, n)
		must(err)
		if name == "alpha-admin" {
			out.admin = cred.Identity
		}
		_, _, err = s.CreateAccessKey(ctx, NewAccessKey{Parent: name, AccessKey: "KEY-" + name})
		must(err)
	}
	for name, account := range map[string]string{"alpha-crew": "111111111111", "beta-crew": "222222222222", "crew": ""} {
		_, err := s.CreateGroup(ctx, NewGroup{Name: name, Account: account})
		must(err)
	}
	_, _, err := s.CreateUser(ctx, NewUser{Name: "ldap:cn=ann"})
	must(err)
	_, _, err = s.CreateAccessKey(ctx, NewAccessKey{Parent: out.root.Name, AccessKey: "KEY-root"})
	must(err)
	_, err = s.SetPolicy(ctx, "shared", []byte(`{"Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`))
	must(err)
	_, err = s.Admin(out.betaRoot).SetPolicy(ctx, "theirs", []byte(`{"Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`))
	must(err)
	user, err := s.Credential("beta-user", "")
	must(err)
	_, ss, err := s.CreateSession(ctx, NewSession{By: user.Identity, Duration: time.Hour})
	must(err)
	out.session = ss.AccessKey
	return out
}

// TestEscalation is the table of what the root of an account, and a user of it with every policy, try to get at what is not the
// account's, or above themselves: S-014, S-018, S-022, S-084, S-098, S-231. Nothing changes.
func TestEscalation(t *testing.T) { eachStore(t, escalation) }

func escalation(t *testing.T, open opener) {
	s := newTenants(t, open)
	on, policies := true, []string{"consoleAdmin"}
	secret := "a secret of mallory"
	up := UserUpdate{Secret: &secret}
	everything := []byte(`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)
	for _, tt := range []struct {
		name string
		want error
		try  func(ctx context.Context, s *tenants, a *Admin) error
	}{
		{"a user of the deployment", ErrNoSuchAccount, func(ctx context.Context, s *tenants, a *Admin) error {
			_, _, err := a.CreateUser(ctx, NewUser{Name: "mallory", Account: s.Account(), Policies: policies})
			return err
		}},
		{"a user of another account", ErrNoSuchAccount, func(ctx context.Context, _ *tenants, a *Admin) error {
			_, _, err := a.CreateUser(ctx, NewUser{Name: "mallory", Account: "222222222222"})
			return err
		}},
		{"a user of an account that is not there", ErrNoSuchAccount, func(ctx context.Context, _ *tenants, a *Admin) error {
			_, _, err := a.CreateUser(ctx, NewUser{Name: "mallory", Account: "333333333333"})
			return err
		}},
		{"S-018 the server's root", ErrExists, func(ctx context.Context, s *tenants, a *Admin) error {
			_, _, err := a.CreateUser(ctx, NewUser{Name: s.RootUser()})
			return err
		}},
		{"a name that is taken elsewhere", ErrExists, func(ctx context.Context, _ *tenants, a *Admin) error {
			_, _, err := a.CreateUser(ctx, NewUser{Name: "beta-user"})
			return err
		}},
		{"a person of the directory who has not come yet", ErrNotAccounts, func(ctx context.Context, _ *tenants, a *Admin) error {
			_, _, err := a.CreateUser(ctx, NewUser{Name: "ldap:cn=bob"})
			return err
		}},
		{"a person of a provider", ErrNotAccounts, func(ctx context.Context, _ *tenants, a *Admin) error {
			_, _, err := a.CreateUser(ctx, NewUser{Name: "openid:abc"})
			return err
		}},
		{"the rights of another's user", ErrNoSuchUser, func(ctx context.Context, _ *tenants, a *Admin) error {
			_, err := a.UpdateUser(ctx, "beta-user", UserUpdate{Policies: &policies})
			return err
		}},
		{"the secret of a user of the deployment", ErrNoSuchUser, func(ctx context.Context, _ *tenants, a *Admin) error {
			_, err := a.UpdateUser(ctx, "local", up)
			return err
		}},
		{"the secret of the server's root", ErrNoSuchUser, func(ctx context.Context, s *tenants, a *Admin) error {
			_, err := a.UpdateUser(ctx, s.RootUser(), up)
			return err
		}},
		{"the secret of another's root", ErrNoSuchUser, func(ctx context.Context, s *tenants, a *Admin) error {
			_, err := a.UpdateUser(ctx, s.betaRoot.Name, up)
			return err
		}},
		{"policies of its own root", ErrReserved, func(ctx context.Context, s *tenants, a *Admin) error {
			_, err := a.UpdateUser(ctx, s.root.Name, UserUpdate{Attach: policies})
			return err
		}},
		{"its own root enabled, when the deployment has disabled it", ErrReserved, func(ctx context.Context, s *tenants, a *Admin) error {
			_, err := a.UpdateUser(ctx, s.root.Name, UserUpdate{Enabled: &on})
			return err
		}},
		{"another's user disabled", ErrNoSuchUser, func(ctx context.Context, _ *tenants, a *Admin) error {
			_, err := a.SetStatus(ctx, "beta-user", false)
			return err
		}},
		{"another's user deleted", ErrNoSuchUser, func(ctx context.Context, _ *tenants, a *Admin) error { return a.DeleteUser(ctx, "local") }},
		{"its root deleted", ErrReserved, func(ctx context.Context, s *tenants, a *Admin) error { return a.DeleteUser(ctx, s.root.Name) }},
		{"S-098 a key of another's user", ErrNoSuchUser, func(ctx context.Context, _ *tenants, a *Admin) error {
			_, _, err := a.CreateAccessKey(ctx, NewAccessKey{By: a.by, Parent: "beta-user"})
			return err
		}},
		{"S-098 a key of the server's root", ErrNoSuchUser, func(ctx context.Context, s *tenants, a *Admin) error {
			_, _, err := a.CreateAccessKey(ctx, NewAccessKey{By: a.by, Parent: s.RootUser()})
			return err
		}},
		{"S-098 a key of a person of the directory", ErrNoSuchUser, func(ctx context.Context, _ *tenants, a *Admin) error {
			_, _, err := a.CreateAccessKey(ctx, NewAccessKey{By: a.by, Parent: "ldap:cn=ann"})
			return err
		}},
		{"a key with another's name", ErrExists, func(ctx context.Context, s *tenants, a *Admin) error {
			_, _, err := a.CreateAccessKey(ctx, NewAccessKey{By: a.by, Parent: "alpha-user", AccessKey: "beta-user"})
			return err
		}},
		{"the grants of a group of the directory", nil, func(ctx context.Context, s *tenants, a *Admin) error {
			_, cred, err := a.CreateAccessKey(ctx, NewAccessKey{By: a.by, Parent: "alpha-user", Grants: &Grants{Groups: []string{"crew"}, Policies: policies}})
			if err == nil && s.Authorize(&Request{Identity: cred.Identity, Action: "admin:ServerInfo"}).Allowed {
				return errors.New("it administers the server")
			}
			return err
		}},
		{"S-084 another's key changed", ErrNoSuchKey, func(ctx context.Context, _ *tenants, a *Admin) error {
			_, err := a.UpdateAccessKey(ctx, "KEY-beta-user", AccessKeyUpdate{Secret: &secret})
			return err
		}},
		{"another's key deleted", ErrNoSuchKey, func(ctx context.Context, _ *tenants, a *Admin) error { return a.DeleteAccessKey(ctx, "KEY-local") }},
		{"another's session ended", ErrNoSuchKey, func(ctx context.Context, s *tenants, a *Admin) error { return a.RevokeSession(ctx, s.session) }},
		{"another's sessions ended", ErrNoSuchUser, func(ctx context.Context, _ *tenants, a *Admin) error {
			_, err := a.RevokeSessions(ctx, "beta-user", "")
			return err
		}},
		{"the sessions of the server's root ended", ErrNoSuchUser, func(ctx context.Context, s *tenants, a *Admin) error {
			_, err := a.RevokeSessions(ctx, s.RootUser(), "")
			return err
		}},
		{"the sessions of a provider ended", ErrNotAccounts, func(ctx context.Context, _ *tenants, a *Admin) error {
			_, err := a.RevokeProvider(ctx, "ldap")
			return err
		}},
		{"a group of the directory", ErrNotAccounts, func(ctx context.Context, _ *tenants, a *Admin) error {
			_, err := a.CreateGroup(ctx, NewGroup{Name: "ldap:cn=admins", Policies: policies})
			return err
		}},
		{"a group of the directory, with its first member", ErrNotAccounts, func(ctx context.Context, _ *tenants, a *Admin) error {
			return a.AddMembers(ctx, "ldap:cn=admins", "alpha-user")
		}},
		{"a group of another account", ErrNoSuchAccount, func(ctx context.Context, _ *tenants, a *Admin) error {
			_, err := a.CreateGroup(ctx, NewGroup{Name: "mallory", Account: "222222222222"})
			return err
		}},
		{"a group whose name is taken elsewhere", ErrExists, func(ctx context.Context, _ *tenants, a *Admin) error {
			return a.AddMembers(ctx, "crew", "alpha-user")
		}},
		{"another's user in its group", ErrNoSuchUser, func(ctx context.Context, _ *tenants, a *Admin) error {
			return a.AddMembers(ctx, "alpha-crew", "beta-user")
		}},
		{"another's user in a new group", ErrNoSuchUser, func(ctx context.Context, _ *tenants, a *Admin) error {
			return a.AddMembers(ctx, "mallory", "local")
		}},
		{"its root in a group", ErrInvalid, func(ctx context.Context, s *tenants, a *Admin) error {
			return a.AddMembers(ctx, "alpha-crew", s.root.Name)
		}},
		{"another's group changed", ErrNoSuchGroup, func(ctx context.Context, _ *tenants, a *Admin) error {
			_, err := a.UpdateGroup(ctx, "crew", GroupUpdate{Attach: policies})
			return err
		}},
		{"members of another's group", ErrNoSuchGroup, func(ctx context.Context, _ *tenants, a *Admin) error {
			return a.RemoveMembers(ctx, "beta-crew", "alpha-user")
		}},
		{"another's group deleted", ErrNoSuchGroup, func(ctx context.Context, _ *tenants, a *Admin) error { return a.DeleteGroup(ctx, "beta-crew") }},
		{"a policy that others have", ErrExists, func(ctx context.Context, _ *tenants, a *Admin) error {
			_, err := a.SetPolicy(ctx, "shared", everything)
			return err
		}},
		{"a canned policy", ErrReserved, func(ctx context.Context, _ *tenants, a *Admin) error {
			_, err := a.SetPolicy(ctx, "readonly", everything)
			return err
		}},
		{"another's policy", ErrInvalid, func(ctx context.Context, _ *tenants, a *Admin) error {
			_, err := a.SetPolicy(ctx, "222222222222/theirs", everything)
			return err
		}},
		{"another's policy seen", ErrNoSuchPolicy, func(_ context.Context, _ *tenants, a *Admin) error {
			_, err := a.Policy("222222222222/theirs")
			return err
		}},
		{"another's policy by its plain name", ErrNoSuchPolicy, func(ctx context.Context, _ *tenants, a *Admin) error {
			_, err := a.UpdateUser(ctx, "alpha-user", UserUpdate{Attach: []string{"theirs"}})
			return err
		}},
		{"another's policy attached", ErrInvalid, func(ctx context.Context, _ *tenants, a *Admin) error {
			_, err := a.UpdateUser(ctx, "alpha-user", UserUpdate{Attach: []string{"222222222222/theirs"}})
			return err
		}},
		{"another's policy in a group", ErrInvalid, func(ctx context.Context, _ *tenants, a *Admin) error {
			_, err := a.UpdateGroup(ctx, "alpha-crew", GroupUpdate{Attach: []string{"222222222222/theirs"}})
			return err
		}},
		{"a shared policy deleted", ErrNotAccounts, func(ctx context.Context, _ *tenants, a *Admin) error { return a.DeletePolicy(ctx, "shared") }},
		{"another's policy deleted", ErrNoSuchPolicy, func(ctx context.Context, _ *tenants, a *Admin) error {
			return a.DeletePolicy(ctx, "222222222222/theirs")
		}},
		{"an account", ErrNotAccounts, func(ctx context.Context, _ *tenants, a *Admin) error {
			_, _, err := a.CreateAccount(ctx, NewAccount{Name: "mallory", Root: "mallory"})
			return err
		}},
		{"an account deleted", ErrNotAccounts, func(ctx context.Context, _ *tenants, a *Admin) error { return a.DeleteAccount(ctx, "222222222222") }},
		{"another account seen", ErrNoSuchAccount, func(_ context.Context, _ *tenants, a *Admin) error {
			_, err := a.AccountInfo("222222222222")
			return err
		}},
		{"the deployment seen", ErrNoSuchAccount, func(_ context.Context, s *tenants, a *Admin) error {
			_, err := a.AccountInfo(s.Account())
			return err
		}},
	} {
		for _, by := range []*Identity{s.root, s.admin} {
			before := s.snap.Load().revision
			err := tt.try(t.Context(), s, s.Admin(by))
			if !errors.Is(err, tt.want) {
				t.Errorf("%s, by %s: %v, want %v", tt.name, by.Name, err, tt.want)
			}
			if tt.want != nil && s.snap.Load().revision != before {
				t.Errorf("%s, by %s: something has changed", tt.name, by.Name)
			}
		}
	}
}

// TestRootsOwn: what is the root's of an account is its alone, as what is the server's root's.
func TestRootsOwn(t *testing.T) {
	secret := "another secret"
	for name, try := range map[string]func(ctx context.Context, s *tenants, a *Admin) error{
		"S-022 secret": func(ctx context.Context, s *tenants, a *Admin) error {
			_, err := a.UpdateUser(ctx, s.root.Name, UserUpdate{Secret: &secret})
			return err
		},
		"S-022 secret, by the key": func(ctx context.Context, s *tenants, a *Admin) error {
			_, err := a.UpdateAccessKey(ctx, s.root.Name, AccessKeyUpdate{Secret: &secret})
			return err
		},
		"S-014 new key": func(ctx context.Context, s *tenants, a *Admin) error {
			_, _, err := a.CreateAccessKey(ctx, NewAccessKey{By: a.by, Parent: s.root.Name})
			return err
		},
		"sessions": func(ctx context.Context, s *tenants, a *Admin) error {
			_, err := a.RevokeSessions(ctx, s.root.Name, "")
			return err
		},
		"key deleted": func(ctx context.Context, _ *tenants, a *Admin) error { return a.DeleteAccessKey(ctx, "KEY-root") },
	} {
		s := newTenants(t, open)
		if err := try(t.Context(), s, s.Admin(s.admin)); !errors.Is(err, ErrReserved) {
			t.Errorf("%s, by another administrator: %v", name, err)
		}
		if err := try(t.Context(), s, s.Admin(s.root)); err != nil {
			t.Errorf("%s, by itself: %v", name, err)
		}
	}
}
