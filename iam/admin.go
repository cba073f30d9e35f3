package iam

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Admin is a Service as one caller administers it: an administrator of the deployment has everything, one of another
// account what belongs to that account, and what is of others is not there. The root of the account is to it what the
// server's root is to the deployment: none of the users, and changed by itself alone. Whether the caller may do a thing at
// all is for Authorize to say. Errors of its methods are those of Service's, and ErrNotAccounts.
type Admin struct {
	s      *Service
	by     *Identity
	within string // the caller's account; anyAccount for the deployment's
}

// ErrNotAccounts means that only administrators of the deployment may do a thing.
var ErrNotAccounts = errors.New("administrators of the deployment do this, not those of an account")

// Admin returns the service as by, who has proven itself, administers it.
func (s *Service) Admin(by *Identity) *Admin {
	a := &Admin{s, by, by.Account}
	if by.Account == s.account {
		a.within = anyAccount
	}
	return a
}

// accountActions are the administrative actions on what belongs to an account: its users, groups, policies, access keys and
// sessions. Whoever is allowed one has it in its own account;
// all others are the deployment's.
var accountActions = map[string]bool{
	"admin:ListUsers": true, "admin:GetUser": true, "admin:CreateUser": true, "admin:DeleteUser": true,
	"admin:EnableUser": true, "admin:DisableUser": true,
	"admin:ListGroups": true, "admin:GetGroup": true, "admin:AddUserToGroup": true, "admin:RemoveUserFromGroup": true,
	"admin:EnableGroup": true, "admin:DisableGroup": true,
	"admin:AttachUserOrGroupPolicy": true, "admin:UpdatePolicyAssociation": true,
	"admin:ListUserPolicies": true, "admin:GetPolicy": true, "admin:CreatePolicy": true, "admin:DeletePolicy": true,
	"admin:ListServiceAccounts": true, "admin:CreateServiceAccount": true, "admin:UpdateServiceAccount": true,
	"admin:RemoveServiceAccount": true, "admin:ListTemporaryAccounts": true,
}

// AccountActions returns all actions of the root of an account, patterns among them, in byte order.
func AccountActions() []string {
	return slices.Sorted(slices.Values(slices.AppendSeq([]string{"s3:*", "sts:*"}, maps.Keys(accountActions))))
}

// anyAccount bounds a change to no account.
const anyAccount = ""

// outside tells whether what belongs to account, or is damaged and may belong to any, lies outside of the account within.
func outside(within, account string, err error) bool {
	return within != anyAccount && (err == nil && account != within || errors.Is(err, ErrDamaged))
}

// Account returns the account that is administered, 12 digits.
func (a *Admin) Account() string { return a.by.Account }

// Bounded tells whether one account is administered that is not the deployment's.
func (a *Admin) Bounded() bool { return a.within != anyAccount }

// RootUser returns the access key of the root of the account.
func (a *Admin) RootUser() string {
	if !a.Bounded() {
		return a.s.RootUser()
	}
	if r, ok := a.s.snap.Load().settings.get(a.within); ok {
		return r.RootName
	}
	return ""
}

// ByRoot tells whether the caller is the root of the account, or has a credential of it.
func (a *Admin) ByRoot() bool { return a.by.OfRoot() }

// Refuses says why the caller's account has no such action at all: an error that Is ErrNotAccounts, or nil.
func (a *Admin) Refuses(action string) error {
	if !a.Bounded() || accountActions[action] {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrNotAccounts, action)
}

// Accounts is Service.Accounts: its own.
func (a *Admin) Accounts() []Account {
	return slices.DeleteFunc(a.s.Accounts(), func(x Account) bool { return outside(a.within, x.ID, nil) })
}

// AccountInfo is Service.AccountInfo.
func (a *Admin) AccountInfo(id string) (Account, error) {
	if outside(a.within, id, nil) {
		return Account{}, ErrNoSuchAccount
	}
	return a.s.AccountInfo(id)
}

// CreateAccount is Service.CreateAccount, for the deployment.
func (a *Admin) CreateAccount(ctx context.Context, n NewAccount) (Account, Credential, error) {
	if a.Bounded() {
		return Account{}, Credential{}, fmt.Errorf("create account: %w", ErrNotAccounts)
	}
	return a.s.CreateAccount(ctx, n)
}

// DeleteAccount is Service.DeleteAccount, for the deployment.
func (a *Admin) DeleteAccount(ctx context.Context, id string) error {
	if a.Bounded() {
		return fmt.Errorf("delete account: %w", ErrNotAccounts)
	}
	return a.s.DeleteAccount(ctx, id)
}

// own refuses users of identity providers, and other accounts, for what is made: a person who logs in would become a user
// of whoever was there first.
func (a *Admin) own(name string, account *string) error {
	source, _ := SplitName(name)
	switch {
	case !a.Bounded():
		return nil
	case source != SourceLocal:
		return fmt.Errorf("%w: people and groups of identity providers", ErrNotAccounts)
	case *account != "" && *account != a.within:
		return ErrNoSuchAccount
	}
	*account = a.within
	return nil
}

// taken says of a name that is the server's root's no more than of any that somebody outside has.
func (a *Admin) taken(err error) error {
	if a.Bounded() && errors.Is(err, ErrReserved) {
		return ErrExists
	}
	return err
}

// rootsOnly refuses to change the root of the account by others than itself.
func (a *Admin) rootsOnly(name string) error {
	if a.Bounded() && name == a.RootUser() && !a.ByRoot() {
		return fmt.Errorf("%w: it is the root's of the account, who alone manages its credentials", ErrReserved)
	}
	return nil
}

// User is Service.User; root is none.
func (a *Admin) User(name string) (User, error) {
	u, err := a.s.userWithin(a.within, name)
	if a.Bounded() && err == nil && u.ID == u.Account {
		return User{}, ErrNoSuchUser
	}
	a.rename(u.Policies)
	return u, err
}

// Users is Service.Users.
func (a *Admin) Users() []User {
	list := a.s.Users()
	if a.Bounded() {
		list = slices.DeleteFunc(list, func(u User) bool { return u.Account != a.within || u.ID == u.Account })
	}
	for i := range list {
		a.rename(list[i].Policies)
	}
	return list
}

// CreateUser is Service.CreateUser, of local users in the account.
func (a *Admin) CreateUser(ctx context.Context, n NewUser) (User, Credential, error) {
	if err := a.own(n.Name, &n.Account); err != nil {
		return User{}, Credential{}, fmt.Errorf("create user: %w", err)
	}
	n.Policies = a.meant(n.Policies)
	u, cred, err := a.s.CreateUser(ctx, n)
	a.rename(u.Policies)
	return u, cred, a.taken(err)
}

// UpdateUser is Service.UpdateUser; of its root an account's administrator changes nothing, and root its secret.
func (a *Admin) UpdateUser(ctx context.Context, name string, up UserUpdate) (User, error) {
	err := a.rootsOnly(name)
	if err == nil && a.Bounded() && name == a.RootUser() && (up.Enabled != nil || up.Policies != nil || len(up.Attach)+len(up.Detach) > 0) {
		err = fmt.Errorf("%w: the root of an account is enabled and disabled, and has policies, by the deployment", ErrReserved)
	}
	if err != nil {
		return User{}, fmt.Errorf("update user: %w", err)
	}
	up.Policies, up.Attach, up.Detach = a.meantAll(up.Policies), a.meant(up.Attach), a.detached(up.Detach)
	u, err := a.s.updateUser(ctx, a.within, name, up)
	a.rename(u.Policies)
	return u, err
}

// SetStatus is Service.SetStatus.
func (a *Admin) SetStatus(ctx context.Context, name string, enabled bool) (User, error) {
	return a.UpdateUser(ctx, name, UserUpdate{Enabled: &enabled})
}

// DeleteUser is Service.DeleteUser.
func (a *Admin) DeleteUser(ctx context.Context, name string) error {
	return a.s.deleteUser(ctx, a.within, name)
}

// Group is Service.Group.
func (a *Admin) Group(name string) (Group, error) {
	return a.renamed(a.s.groupWithin(a.within, name))
}

// Groups is Service.Groups.
func (a *Admin) Groups() []Group {
	list := slices.DeleteFunc(a.s.Groups(), func(g Group) bool { return outside(a.within, g.Account, nil) })
	for i := range list {
		a.rename(list[i].Policies)
	}
	return list
}

// CreateGroup is Service.CreateGroup, of local groups in the account.
func (a *Admin) CreateGroup(ctx context.Context, n NewGroup) (Group, error) {
	if err := a.own(n.Name, &n.Account); err != nil {
		return Group{}, fmt.Errorf("create group: %w", err)
	}
	n.Policies = a.meant(n.Policies)
	return a.renamed(a.s.CreateGroup(ctx, n))
}

// UpdateGroup is Service.UpdateGroup.
func (a *Admin) UpdateGroup(ctx context.Context, name string, up GroupUpdate) (Group, error) {
	up.Policies, up.Attach, up.Detach = a.meantAll(up.Policies), a.meant(up.Attach), a.detached(up.Detach)
	return a.renamed(a.s.updateGroup(ctx, a.within, name, up))
}

func (a *Admin) renamed(g Group, err error) (Group, error) {
	a.rename(g.Policies)
	return g, err
}

// DeleteGroup is Service.DeleteGroup.
func (a *Admin) DeleteGroup(ctx context.Context, name string) error {
	return a.s.deleteGroup(ctx, a.within, name)
}

// AddMembers is Service.AddMembers.
func (a *Admin) AddMembers(ctx context.Context, group string, users ...string) error {
	account := ""
	if err := a.own(group, &account); err != nil {
		return fmt.Errorf("add members: %w", err)
	}
	return a.s.addMembers(ctx, a.within, group, users)
}

// RemoveMembers is Service.RemoveMembers.
func (a *Admin) RemoveMembers(ctx context.Context, group string, users ...string) error {
	return a.s.removeMembers(ctx, a.within, group, users)
}

// userWithin is User for one of an account, or of any.
func (s *Service) userWithin(within, name string) (User, error) {
	u, err := s.User(name)
	if outside(within, u.Account, err) {
		return User{}, ErrNoSuchUser
	}
	return u, err
}

// groupWithin is Group for one of an account, or of any.
func (s *Service) groupWithin(within, name string) (Group, error) {
	g, err := s.Group(name)
	if outside(within, g.Account, err) {
		return Group{}, ErrNoSuchGroup
	}
	return g, err
}
