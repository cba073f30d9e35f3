package iam

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
)

// Policies are shared by all accounts when the deployment has made them, or belong to an account, for whose users and
// groups alone they count. An account calls its own by plain names, which are none of the shared ones.

// nameFor returns the name that a policy has for an account: its own have no account before them.
func nameFor(account, name string) string {
	if of, own := splitPolicy(name); of == account {
		return own
	}
	return name
}

// rename gives policies the names that they have for the account.
func (a *Admin) rename(policies []string) {
	if !a.Bounded() {
		return
	}
	for i, name := range policies {
		policies[i] = nameFor(a.within, name)
	}
	slices.Sort(policies)
}

// meant returns the policies that the caller means by names.
func (a *Admin) meant(names []string) []string {
	if !a.Bounded() {
		return names
	}
	return a.s.namedPolicies(a.within, names)
}

// meantAll is meant of a list that may be absent.
func (a *Admin) meantAll(names *[]string) *[]string {
	if names == nil {
		return nil
	}
	list := a.meant(*names)
	return &list
}

// detached is meant of what is taken away: of two with a name both.
func (a *Admin) detached(names []string) []string {
	if !a.Bounded() {
		return names
	}
	return slices.Concat(names, a.meant(names))
}

// Policy returns a policy that is shared or the account's, or ErrNoSuchPolicy. The deployment names those of accounts
// ACCOUNT/name.
func (a *Admin) Policy(name string) (Policy, error) {
	if !a.Bounded() {
		return a.s.anyPolicy(name)
	}
	if CheckPolicyName(name) != nil {
		return Policy{}, ErrNoSuchPolicy
	}
	p, err := a.s.anyPolicy(a.s.namedPolicy(a.within, name))
	p.Name = nameFor(a.within, p.Name)
	return p, err
}

// Policies is Service.Policies: those that are shared and the account's.
func (a *Admin) Policies() []Policy {
	list := a.s.Policies()
	if !a.Bounded() {
		return list
	}
	list = slices.DeleteFunc(list, func(p Policy) bool { return p.Account != "" && p.Account != a.within })
	for i := range list {
		list[i].Name = nameFor(a.within, list[i].Name)
	}
	// Of two with a name, since the deployment has made one that an account had, the account means its own.
	slices.SortFunc(list, func(a, b Policy) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(b.Account, a.Account))
	})
	return slices.CompactFunc(list, func(a, b Policy) bool { return a.Name == b.Name })
}

// SetPolicy is Service.SetPolicy, of one of the account. ErrExists when it has the name of a shared one.
func (a *Admin) SetPolicy(ctx context.Context, name string, document []byte) (Policy, error) {
	if !a.Bounded() {
		return a.s.SetPolicy(ctx, name, document)
	}
	p, err := a.s.setPolicy(ctx, a.within, name, document)
	p.Name = nameFor(a.within, p.Name)
	return p, err
}

// DeletePolicy is Service.DeletePolicy, of one of the account; shared ones are the deployment's.
func (a *Admin) DeletePolicy(ctx context.Context, name string) error {
	if !a.Bounded() {
		return a.s.DeletePolicy(ctx, name)
	}
	switch p, err := a.Policy(name); {
	case err != nil:
		return fmt.Errorf("delete policy: %w", err)
	case p.Account == "":
		return fmt.Errorf("delete policy: %w: %s is shared by all", ErrNotAccounts, name)
	}
	return a.s.DeletePolicy(ctx, policyName(a.within, name))
}
