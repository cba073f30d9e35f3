package iam

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/objsrv/objsrv/iam/policy"
)

// TestRootIdentity is who the root of an account is: as AWS has it, and after a restart as well.
func TestRootIdentity(t *testing.T) {
	s, ctx := open(t), t.Context()
	const account = "999988887777"
	root := makeAccount(t, s, account)
	_, key, err := s.CreateAccessKey(ctx, NewAccessKey{Parent: root.Name})
	if err != nil {
		t.Fatal(err)
	}
	_, ss, err := s.CreateSession(ctx, NewSession{By: root, Duration: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	own, err := s.Credential(root.Name, "")
	if err != nil {
		t.Fatal(err)
	}
	const arn = "arn:aws:iam::" + account + ":root"
	for _, id := range []*Identity{root, own.Identity, key.Identity, ss.Identity} {
		if id.ARN != arn || id.ID != account || !id.OfRoot() || id.Root || id.Name != "root-"+account {
			t.Errorf("%+v", id)
		}
	}
	if u, err := s.User(root.Name); err != nil || u.ARN != arn || u.ID != account {
		t.Errorf("%+v %v", u, err)
	}
	if got, ok := RootAccount(arn); !ok || got != account {
		t.Error(got, ok)
	}
	for _, other := range []string{"", ":root", "arn:aws:iam:::root", userARN(account, "root"), "arn:aws:iam::12:root", account} {
		if got, ok := RootAccount(other); ok {
			t.Errorf("%s is the root of %s", other, got)
		}
	}
	if id, ok := s.PrincipalID(userARN(account, root.Name)); ok {
		t.Errorf("the root is named as the user %s", id)
	}
	// What policies see.
	for key, want := range map[string]string{
		"aws:PrincipalArn": arn, "aws:userid": account, "aws:PrincipalType": "Account", "aws:PrincipalAccount": account, "aws:username": "",
	} {
		condition := `{"StringEquals":{"` + key + `":"` + want + `"}}`
		if want == "" {
			condition = `{"Null":{"` + key + `":"true"}}`
		}
		doc := []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":` + condition + `}]}`)
		for _, id := range []*Identity{own.Identity, newKeyOf(t, s, root.Name)} {
			if d := s.Authorize(&Request{Identity: id, Action: "s3:GetObject", Bucket: "b", Key: "k", Owner: s.Account(), Policy: doc}); !d.Allowed {
				t.Errorf("%s is not %q: %+v", key, want, d)
			}
		}
	}
	// A principal that is the account, or its root's ARN, is the root itself; the ARN of a user of its name is nobody.
	for principal, want := range map[string]bool{account: true, arn: true, userARN(account, root.Name): false, "arn:aws:iam::111122223333:root": false} {
		d := s.Authorize(&Request{Identity: root, Action: "s3:GetObject", Bucket: "b", Key: "k", Owner: s.Account(), Policy: bucketPolicy("Allow", `{"AWS":"`+principal+`"}`)})
		if d.Allowed != want {
			t.Errorf("%s: %+v", principal, d)
		}
	}
}

// newKeyOf makes one more access key.
func newKeyOf(t *testing.T, s *Service, parent string) *Identity {
	t.Helper()
	_, c, err := s.CreateAccessKey(context.Background(), NewAccessKey{Parent: parent})
	if err != nil {
		t.Fatal(err)
	}
	return c.Identity
}

// TestAccountActions: what accounts have are actions that there are, and none that touches the server.
func TestAccountActions(t *testing.T) {
	for a := range accountActions {
		if !policy.KnownAction(a) {
			t.Error(a, "is no action")
		}
	}
	s := open(t)
	root := makeAccount(t, s, "999988887777")
	if _, _, err := s.CreateUser(t.Context(), NewUser{Name: "everything", Account: root.Account, Policies: []string{"consoleAdmin"}}); err != nil {
		t.Fatal(err)
	}
	admin, err := s.Credential("everything", "")
	if err != nil {
		t.Fatal(err)
	}
	own := AccountActions()
	for _, action := range policy.Actions() {
		if len(action) < 6 || action[:6] != "admin:" && action[:4] != "kms:" {
			continue
		}
		for _, id := range []*Identity{root, admin.Identity} {
			d := s.Authorize(&Request{Identity: id, Action: action})
			if want := slices.Contains(own, action); d.Allowed != want {
				t.Errorf("S-231 %s by %s: %+v, want %v", action, id.Name, d, want)
			}
			if err := s.Admin(id).Refuses(action); errors.Is(err, ErrNotAccounts) == slices.Contains(own, action) {
				t.Errorf("%s: %v", action, err)
			}
		}
	}
}

// TestAdminSees: administrators of an account see what is the account's, and those of the deployment everything.
func TestAdminSees(t *testing.T) {
	s := newTenants(t, open)
	names := func(a *Admin) (users, groups, keys, sessions, accounts []string) {
		for _, u := range a.Users() {
			users = append(users, u.Name)
		}
		for _, g := range a.Groups() {
			groups = append(groups, g.Name)
		}
		for _, k := range a.AccessKeys("") {
			keys = append(keys, k.AccessKey)
		}
		for _, ss := range a.Sessions("") {
			sessions = append(sessions, ss.Parent)
		}
		for _, x := range a.Accounts() {
			accounts = append(accounts, x.ID)
		}
		return users, groups, keys, sessions, accounts
	}
	equal := func(what string, got []string, want ...string) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	for _, by := range []*Identity{s.root, s.admin} {
		a := s.Admin(by)
		users, groups, keys, sessions, accounts := names(a)
		equal("users", users, "alpha-admin", "alpha-user")
		equal("groups", groups, "alpha-crew")
		equal("keys", keys, "KEY-alpha-admin", "KEY-alpha-user", "KEY-root", "alpha-admin", "alpha-user", s.root.Name)
		equal("sessions", sessions)
		equal("accounts", accounts, "111111111111")
		for _, name := range []string{"beta-user", "local", "ldap:cn=ann", s.root.Name, s.RootUser(), "nobody"} {
			if _, err := a.User(name); !errors.Is(err, ErrNoSuchUser) {
				t.Errorf("%s is seen: %v", name, err)
			}
		}
		for _, parent := range []string{"beta-user", s.RootUser()} {
			equal("keys of "+parent, func() (out []string) {
				for _, k := range a.AccessKeys(parent) {
					out = append(out, k.AccessKey)
				}
				return out
			}())
		}
		if _, err := a.AccessKey("KEY-beta-user"); !errors.Is(err, ErrNoSuchKey) {
			t.Error(err)
		}
		if _, err := a.Session(s.session); !errors.Is(err, ErrNoSuchKey) {
			t.Error(err)
		}
		if a.RootUser() != s.root.Name || a.ByRoot() != (by == s.root) || !a.Bounded() {
			t.Errorf("%s %v", a.RootUser(), a.ByRoot())
		}
	}
	server, err := s.Credential(s.RootUser(), "")
	if err != nil {
		t.Fatal(err)
	}
	users, groups, _, sessions, accounts := names(s.Admin(server.Identity))
	equal("users", users, "alpha-admin", "alpha-user", "beta-user", "ldap:cn=ann", "local", s.root.Name, s.betaRoot.Name)
	equal("groups", groups, "alpha-crew", "beta-crew", "crew")
	equal("sessions", sessions, "beta-user")
	equal("accounts", accounts, s.Account(), "111111111111", "222222222222")
}

// TestAccountAdministers: the root of an account makes a user, a group and a key, and what it attaches counts in the account.
func TestAccountAdministers(t *testing.T) { eachStore(t, testAccountAdministers) }

func testAccountAdministers(t *testing.T, open opener) {
	s, ctx := newTenants(t, open), t.Context()
	a := s.Admin(s.root)
	u, cred, err := a.CreateUser(ctx, NewUser{Name: "worker", Policies: []string{"shared"}})
	if err != nil || u.Account != "111111111111" || u.ARN != "arn:aws:iam::111111111111:user/worker" {
		t.Fatalf("%+v %v", u, err)
	}
	may := func(action, owner string) bool {
		return s.Authorize(&Request{Identity: cred.Identity, Action: action, Bucket: "b", Key: "k", Owner: owner}).Allowed
	}
	if !may("s3:GetObject", "111111111111") || may("s3:PutObject", "111111111111") || may("s3:GetObject", "222222222222") || may("s3:GetObject", "") {
		t.Error("the policy counts wrongly")
	}
	if err := a.AddMembers(ctx, "writers", "worker"); err != nil {
		t.Fatal(err)
	}
	if g, err := a.UpdateGroup(ctx, "writers", GroupUpdate{Attach: []string{"readwrite"}}); err != nil || g.Account != "111111111111" {
		t.Fatalf("%+v %v", g, err)
	}
	if !may("s3:PutObject", "111111111111") || may("s3:PutObject", "222222222222") || may("s3:PutObject", "") {
		t.Error("the group counts wrongly")
	}
	// A credential of a person of the deployment that claims the group's name has nothing of it.
	stranger, err := s.Credential("local", "")
	if err != nil {
		t.Fatal(err)
	}
	_, ss, err := s.CreateSession(ctx, NewSession{By: stranger.Identity, Duration: time.Hour, Grants: &Grants{Groups: []string{"writers"}}})
	if err != nil {
		t.Fatal(err)
	}
	if s.Authorize(&Request{Identity: ss.Identity, Action: "s3:PutObject", Bucket: "b", Key: "k"}).Allowed {
		t.Error("a group of an account counts in another")
	}
	if _, groups := s.Held(ss.Identity); len(groups) > 0 {
		t.Error(groups)
	}
	// A group of a provider counts wherever its people are.
	if _, err := s.CreateGroup(ctx, NewGroup{Name: "ldap:cn=staff", Policies: []string{"writeonly"}}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.CreateUser(ctx, NewUser{Name: "ldap:cn=eve", Account: "222222222222"}); err != nil {
		t.Fatal(err)
	}
	_, ss, err = s.CreateSession(ctx, NewSession{External: "ldap:cn=eve", Duration: time.Hour, Grants: &Grants{Groups: []string{"ldap:cn=staff", "writers"}}})
	if err != nil {
		t.Fatal(err)
	}
	for owner, want := range map[string]bool{"222222222222": true, "111111111111": false, "": false} {
		if d := s.Authorize(&Request{Identity: ss.Identity, Action: "s3:PutObject", Bucket: "b", Key: "k", Owner: owner}); d.Allowed != want {
			t.Errorf("a person of the directory in a bucket of %q: %+v", owner, d)
		}
	}
	if _, err := a.SetStatus(ctx, "worker", false); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Credential("worker", ""); !errors.Is(err, ErrDisabled) {
		t.Error(err)
	}
	if err := errors.Join(a.RemoveMembers(ctx, "writers", "worker"), a.DeleteGroup(ctx, "writers"), a.DeleteUser(ctx, "worker")); err != nil {
		t.Error(err)
	}
}

// TestAccountPolicies: an account has policies of its own, which count for its users and groups and nobody else, and
// under plain names beside those that all share.
func TestAccountPolicies(t *testing.T) { eachStore(t, accountPolicies) }

func accountPolicies(t *testing.T, open opener) {
	s, ctx := newTenants(t, open), t.Context()
	a, b := s.Admin(s.root), s.Admin(s.betaRoot)
	server, err := s.Credential(s.RootUser(), "")
	if err != nil {
		t.Fatal(err)
	}
	deployment := s.Admin(server.Identity)
	document := func(action string) []byte {
		return []byte(`{"Statement":[{"Effect":"Allow","Action":"` + action + `","Resource":"*"}]}`)
	}
	for admin, action := range map[*Admin]string{a: "s3:PutObject", b: "s3:DeleteObject"} { // of one name, in two accounts
		if p, err := admin.SetPolicy(ctx, "mine", document(action)); err != nil || p.Name != "mine" || p.Account != admin.Account() {
			t.Fatalf("%+v %v", p, err)
		}
	}
	for admin, user := range map[*Admin]string{a: "alpha-user", b: "beta-user"} {
		if u, err := admin.UpdateUser(ctx, user, UserUpdate{Attach: []string{"mine", "shared"}}); err != nil || !slices.Equal(u.Policies, []string{"mine", "shared"}) {
			t.Fatalf("%+v %v", u, err)
		}
		if u, err := admin.User(user); err != nil || !slices.Equal(u.Policies, []string{"mine", "shared"}) {
			t.Errorf("%+v %v", u, err)
		}
	}
	may := func(name, action string) bool {
		cred, err := s.Credential(name, "")
		if err != nil {
			t.Fatal(err)
		}
		return s.Authorize(&Request{Identity: cred.Identity, Action: action, Bucket: "b", Key: "k", Owner: cred.Identity.Account}).Allowed
	}
	if !may("alpha-user", "s3:PutObject") || may("alpha-user", "s3:DeleteObject") || may("beta-user", "s3:PutObject") || !may("beta-user", "s3:DeleteObject") {
		t.Error("the policies of two accounts are mixed up")
	}
	names := func(admin *Admin) (out []string) {
		for _, p := range admin.Policies() {
			if !p.Canned {
				out = append(out, p.Name)
			}
		}
		return out
	}
	if got := names(a); !slices.Equal(got, []string{"mine", "shared"}) {
		t.Errorf("%q", got)
	}
	if got := names(deployment); !slices.Equal(got, []string{"111111111111/mine", "222222222222/mine", "222222222222/theirs", "shared"}) {
		t.Errorf("%q", got)
	}
	// It is nothing to the deployment's own users, not by its whole name, and not when a provider grants it.
	if _, err := s.AttachPolicy(ctx, "local", "111111111111/mine"); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
	if _, err := s.AttachPolicy(ctx, "local", "mine"); !errors.Is(err, ErrNoSuchPolicy) {
		t.Error(err)
	}
	if err := (&Grants{Policies: []string{"111111111111/mine"}}).check(); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
	if _, err := s.Policy("111111111111/mine"); !errors.Is(err, ErrNoSuchPolicy) {
		t.Error(err)
	}
	// A policy that allows everything administers the account, and nothing else.
	if _, err := a.SetPolicy(ctx, "all", document("*")); err != nil {
		t.Fatal(err)
	}
	if _, err := a.UpdateUser(ctx, "alpha-user", UserUpdate{Attach: []string{"all"}}); err != nil {
		t.Fatal(err)
	}
	if !may("alpha-user", "admin:CreateUser") || may("alpha-user", "admin:ServerInfo") || may("alpha-user", "kms:CreateKey") {
		t.Error("S-231 a policy of an account reaches beyond it")
	}
	// A session may be bound by it.
	user, err := s.Credential("alpha-user", "")
	if err != nil {
		t.Fatal(err)
	}
	_, ss, err := s.CreateSession(ctx, NewSession{By: user.Identity, Duration: time.Hour, Policies: []string{"mine"}})
	if err != nil || s.Authorize(&Request{Identity: ss.Identity, Action: "s3:GetObject", Bucket: "b", Key: "k", Owner: "111111111111"}).Allowed {
		t.Error("the policy does not bind the session", err)
	}
	// What the deployment calls so later is another one.
	if _, err := s.SetPolicy(ctx, "mine", document("s3:*")); err != nil {
		t.Fatal(err)
	}
	if may("beta-user", "s3:PutObject") {
		t.Error("a policy of the deployment takes the place of an account's")
	}
	if got := names(a); !slices.Equal(got, []string{"all", "mine", "shared"}) {
		t.Errorf("%q", got)
	}
	if err := a.DeletePolicy(ctx, "mine"); !errors.Is(err, ErrInUse) {
		t.Error(err)
	}
	if _, err := a.UpdateUser(ctx, "alpha-user", UserUpdate{Detach: []string{"mine", "all"}}); err != nil {
		t.Fatal(err)
	}
	if err := a.DeletePolicy(ctx, "mine"); err != nil || may("alpha-user", "s3:PutObject") {
		t.Error(err)
	}
	// They go with the account.
	for _, name := range []string{"beta-user"} {
		if err := b.DeleteUser(ctx, name); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(b.DeleteGroup(ctx, "beta-crew"), s.DeleteAccount(ctx, "222222222222")); err != nil {
		t.Fatal(err)
	}
	if got := names(deployment); !slices.Equal(got, []string{"111111111111/all", "mine", "shared"}) {
		t.Errorf("%q", got)
	}
	if _, err := b.SetPolicy(ctx, "late", document("s3:*")); !errors.Is(err, ErrNoSuchAccount) {
		t.Error("a policy of an account that is gone:", err)
	}
}
