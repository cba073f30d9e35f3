package iamzip

import (
	"slices"
	"testing"

	"github.com/objsrv/objsrv/iam"
)

// TestOtherAccounts is S-089 and S-231: an archive is about the deployment's account. What another one has under a name of
// the archive stays as it is, its root above all, and the entry is refused.
func TestOtherAccounts(t *testing.T) {
	svc, ctx := newService(t), t.Context()
	account, _, err := svc.CreateAccount(ctx, iam.NewAccount{Name: "finance", Root: "finance-root", Secret: secret})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := svc.CreateUser(ctx, iam.NewUser{Name: "clerk", Secret: secret, Account: account.ID, Policies: []string{"readonly"}}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := svc.CreateAccessKey(ctx, iam.NewAccessKey{Parent: "clerk", AccessKey: "CLERKSKEY", Secret: secret}); err != nil {
		t.Fatal(err)
	}
	if _, err := svc.CreateGroup(ctx, iam.NewGroup{Name: "cashiers", Account: account.ID, Policies: []string{"readonly"}}); err != nil {
		t.Fatal(err)
	}
	if err := svc.AddMembers(ctx, "cashiers", "clerk"); err != nil {
		t.Fatal(err)
	}
	entry := `{"secretKey":"a chosen secret","status":"disabled"}`
	r := apply(t, Importer{IAM: svc, By: importer(t, svc)}, pack(t, map[string]string{
		"users":          `{"finance-root":` + entry + `,"clerk":` + entry + `,"fine":` + entry + `}`,
		"groups":         `{"cashiers":{"version":1,"status":"disabled","members":["fine","clerk"]},"ours":{"version":1,"status":"enabled","members":["fine","clerk"]}}`,
		"user_mappings":  `{"clerk":{"policy":"consoleAdmin"},"finance-root":{"policy":"consoleAdmin"}}`,
		"group_mappings": `{"cashiers":{"policy":"consoleAdmin"}}`,
		"svcaccts":       key("BACKDOOR", "finance-root", ""),
	}))
	again := apply(t, Importer{IAM: svc}, pack(t, map[string]string{"svcaccts": key("CLERKSKEY", "clerk", "")}))
	if !slices.Equal(r.Added.Users, []string{"fine"}) || len(r.Failed.Users) != 2 || !slices.Equal(r.Added.Groups, []string{"ours"}) || len(r.Failed.Groups) != 1 ||
		len(r.Failed.UserPolicies) != 2 || len(r.Failed.GroupPolicies) != 1 || len(r.Failed.ServiceAccounts) != 1 || len(again.Failed.ServiceAccounts) != 1 {
		t.Errorf("%+v %+v", r, again)
	}
	for _, name := range []string{"finance-root", "clerk", "CLERKSKEY"} {
		if c, err := svc.Credential(name, ""); err != nil || c.Secret != secret {
			t.Errorf("%s: %v", name, err)
		}
	}
	g, err := svc.Group("cashiers")
	if err != nil || !g.Enabled || !slices.Equal(g.Members, []string{"clerk"}) || !slices.Equal(g.Policies, []string{"readonly"}) {
		t.Errorf("%+v %v", g, err)
	}
	if u, err := svc.User("clerk"); err != nil || !slices.Equal(u.Policies, []string{"readonly"}) || !slices.Equal(u.Groups, []string{"cashiers"}) {
		t.Errorf("%+v %v", u, err)
	}
	if g, err := svc.Group("ours"); err != nil || !slices.Equal(g.Members, []string{"fine"}) {
		t.Errorf("%+v %v", g, err)
	}
}
