package iam

import (
	"errors"
	"slices"
	"testing"
)

// TestPolicyOfDeployment is S-231 for the names of policies: what an account has called its own never stands in for what
// the deployment attaches, to the account's root above all.
func TestPolicyOfDeployment(t *testing.T) { eachStore(t, policyOfDeployment) }

func policyOfDeployment(t *testing.T, open opener) {
	s, ctx := newTenants(t, open), t.Context()
	a := s.Admin(s.root)
	server, err := s.Credential(s.RootUser(), "")
	if err != nil {
		t.Fatal(err)
	}
	deployment := s.Admin(server.Identity)
	document := func(effect string) []byte {
		return []byte(`{"Statement":[{"Effect":"` + effect + `","Action":"s3:*","Resource":"*"}]}`)
	}
	if _, err := a.SetPolicy(ctx, "guardrail", document("Allow")); err != nil {
		t.Fatal(err)
	}
	if _, err := deployment.SetPolicy(ctx, "guardrail", document("Deny")); err != nil {
		t.Fatal(err)
	}
	reads := func(id *Identity) bool {
		return s.Authorize(&Request{Identity: id, Action: "s3:GetObject", Bucket: "b", Key: "k", Owner: id.Account}).Allowed
	}
	root, err := deployment.UpdateUser(ctx, a.RootUser(), UserUpdate{Attach: []string{"guardrail"}})
	if err != nil || !slices.Equal(root.Policies, []string{"guardrail"}) || reads(s.root) {
		t.Fatalf("the deployment's policy does not count: %+v %v", root, err)
	}
	if root, err = deployment.UpdateUser(ctx, a.RootUser(), UserUpdate{Detach: []string{"guardrail"}}); err != nil || len(root.Policies) > 0 || !reads(s.root) {
		t.Fatalf("%+v %v", root, err)
	}
	if _, err := a.CreateGroup(ctx, NewGroup{Name: "guarded"}); err != nil {
		t.Fatal(err)
	}
	g, err := deployment.UpdateGroup(ctx, "guarded", GroupUpdate{Attach: []string{"guardrail"}})
	if err != nil || !slices.Equal(g.Policies, []string{"guardrail"}) {
		t.Fatalf("%+v %v", g, err)
	}
	// The account means its own, and what it detaches is gone under both.
	if g, err = a.UpdateGroup(ctx, "guarded", GroupUpdate{Attach: []string{"guardrail"}}); err != nil || !slices.Equal(g.Policies, []string{"guardrail", "guardrail"}) {
		t.Fatalf("%+v %v", g, err)
	}
	if g, err := a.UpdateGroup(ctx, "guarded", GroupUpdate{Detach: []string{"guardrail"}}); err != nil || len(g.Policies) > 0 {
		t.Fatalf("%+v %v", g, err)
	}
	u, _, err := deployment.CreateUser(ctx, NewUser{Name: "hired", Account: a.Account(), Policies: []string{"guardrail"}})
	if err != nil || !slices.Equal(u.Policies, []string{"guardrail"}) {
		t.Fatalf("%+v %v", u, err)
	}
}

// TestNameOfServersRoot is S-018 for accounts: that a name is the server's root's is not told to those of an account.
func TestNameOfServersRoot(t *testing.T) {
	s, ctx := newTenants(t, open), t.Context()
	a := s.Admin(s.root)
	for _, name := range []string{s.RootUser(), "Root", "beta-user"} {
		if _, _, err := a.CreateUser(ctx, NewUser{Name: name}); !errors.Is(err, ErrExists) || errors.Is(err, ErrReserved) {
			t.Errorf("%s: %v", name, err)
		}
		_, _, err := a.CreateAccessKey(ctx, NewAccessKey{Parent: "alpha-user", AccessKey: name})
		if !errors.Is(err, ErrExists) || errors.Is(err, ErrReserved) {
			t.Errorf("key %s: %v", name, err)
		}
	}
}
