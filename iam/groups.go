package iam

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/objsrv/objsrv/iam/store"
)

// Group is a group as it is shown.
type Group struct {
	Name     string    `json:"name"` // qualified
	ID       string    `json:"id"`
	Account  string    `json:"account"`
	ARN      string    `json:"arn"`
	Source   string    `json:"source,omitempty"`
	Enabled  bool      `json:"enabled"`  // else its members may nothing at all
	Policies []string  `json:"policies"` // in byte order
	Members  []string  `json:"members"`  // qualified user names in byte order
	Created  time.Time `json:"created"`
	Updated  time.Time `json:"updated"`
	// Damaged says why the record can't be read; then all but Name is unknown.
	Damaged string `json:"damaged,omitempty"`
}

// NewGroup describes a group to create.
type NewGroup struct {
	Name     string // see CheckGroupName
	Account  string // 12 digits, of an account that was made; "" means the deployment's
	Policies []string
	Disabled bool
}

// GroupUpdate changes a group; nil fields stay as they are. See UserUpdate.
type GroupUpdate struct {
	Enabled        *bool
	Policies       *[]string
	Attach, Detach []string
}

// MaxGroups is how many groups one user may be in.
const MaxGroups = 100

// CreateGroup makes a group without members. Errors: ErrInvalid, ErrExists, ErrNoSuchPolicy, ErrNoSuchAccount.
func (s *Service) CreateGroup(ctx context.Context, n NewGroup) (Group, error) {
	fail := func(err error) (Group, error) { return Group{}, fmt.Errorf("create group: %w", err) }
	policies, err := s.checkNewGroup(&n)
	if err != nil {
		return fail(err)
	}
	now := s.now().UTC()
	g := groupRecord{
		header: header{formatVersion, n.Account}, ID: newID(groupID), Name: n.Name, Disabled: n.Disabled,
		Policies: policies, Created: now, Updated: now,
	}
	for range attempts {
		checks, err := s.policyChecks(ctx, policies)
		if err != nil {
			return fail(err)
		}
		joined, err := s.joinAccount(ctx, n.Account)
		if err != nil {
			return fail(err)
		}
		changes, err := appendPut(slices.Concat(checks, joined), kindGroup, g.Name, 0, g)
		if err != nil {
			return fail(err)
		}
		if err = s.commit(ctx, changes...); err == nil {
			return s.Group(g.Name)
		}
		if !errors.Is(err, store.ErrConflict) {
			return fail(err)
		}
		if _, err = s.store.Get(ctx, kindGroup, g.Name); err == nil || errors.Is(err, store.ErrDamaged) {
			return fail(ErrExists)
		}
	}
	return fail(ErrUnavailable)
}

// checkNewGroup judges and completes n, and returns its policies in order.
func (s *Service) checkNewGroup(n *NewGroup) ([]string, error) {
	if err := CheckGroupName(n.Name); err != nil {
		return nil, err
	}
	if n.Account == "" {
		n.Account = s.account
	}
	if err := CheckAccount(n.Account); err != nil {
		return nil, err
	}
	if source, _ := SplitName(n.Name); source != SourceLocal && n.Account != s.account {
		return nil, fmt.Errorf("%w: groups of identity providers belong to the deployment's account", ErrInvalid)
	}
	return s.normalPolicies(n.Account, n.Policies)
}

// UpdateGroup changes a group. Errors: ErrInvalid, ErrNoSuchGroup, ErrNoSuchPolicy, ErrDamaged.
func (s *Service) UpdateGroup(ctx context.Context, name string, up GroupUpdate) (Group, error) {
	return s.updateGroup(ctx, anyAccount, name, up)
}

func (s *Service) updateGroup(ctx context.Context, within, name string, up GroupUpdate) (Group, error) {
	var err error
	for range attempts {
		var g groupRecord
		var rev uint64
		if g, rev, err = s.readGroup(ctx, within, name); err != nil {
			break
		}
		if up.Enabled != nil {
			g.Disabled = !*up.Enabled
		}
		var changes []store.Change
		if g.Policies, changes, err = s.newPolicies(ctx, g.Account, g.Policies, up.Policies, up.Attach, up.Detach); err != nil {
			break
		}
		g.Updated = s.now().UTC()
		if changes, err = appendPut(changes, kindGroup, name, rev, g); err != nil {
			break
		}
		if err = s.commit(ctx, changes...); !errors.Is(err, store.ErrConflict) {
			break
		}
	}
	if err != nil {
		return Group{}, fmt.Errorf("update group: %w", err)
	}
	return s.Group(name)
}

// DeleteGroup removes a group for ever: a group of the same name is another one. Errors:
// ErrNoSuchGroup, ErrNotEmpty while it has members. A damaged group is removed too.
func (s *Service) DeleteGroup(ctx context.Context, name string) error {
	return s.deleteGroup(ctx, anyAccount, name)
}

func (s *Service) deleteGroup(ctx context.Context, within, name string) error {
	var err error
	for range attempts {
		rev := uint64(store.Any)
		if _, rev, err = s.readGroup(ctx, within, name); err != nil {
			if !errors.Is(err, ErrDamaged) {
				break
			}
			rev = store.Any
		} else if len(s.snap.Load().memberNames(name)) > 0 {
			err = ErrNotEmpty
			break
		}
		if err = s.commit(ctx, store.Change{Op: store.Delete, Kind: kindGroup, Name: name, Revision: rev}); !errors.Is(err, store.ErrConflict) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("delete group: %w", err)
	}
	return nil
}

// AddMembers puts users into a group, which is created when it is missing, as MinIO does. Who is
// a member already stays one; the root of an account is in no group. Errors: ErrInvalid, ErrNoSuchUser, before anything
// is written.
func (s *Service) AddMembers(ctx context.Context, group string, users ...string) error {
	return s.addMembers(ctx, anyAccount, group, users)
}

func (s *Service) addMembers(ctx context.Context, within, group string, users []string) error {
	g, err := s.groupWithin(within, group)
	if errors.Is(err, ErrNoSuchGroup) {
		if err = s.checkUsers(within, users); err != nil {
			return fmt.Errorf("add members: %w", err)
		}
		if g, err = s.CreateGroup(ctx, NewGroup{Name: group, Account: within}); errors.Is(err, ErrExists) && within == anyAccount {
			g, err = s.Group(group)
		}
	}
	if err == nil {
		err = s.checkUsers(within, users)
	}
	if err != nil {
		return fmt.Errorf("add members: %w", err)
	}
	ref := groupRef{Name: g.Name, ID: g.ID}
	return s.changeMembers(ctx, within, "add members", users, func(u *userRecord) error {
		switch {
		case u.isRoot():
			return fmt.Errorf("%w: %s is the root of account %s, which is in no group", ErrInvalid, u.Name, u.Account)
		case u.Account != g.Account:
			return fmt.Errorf("%w: user %s belongs to another account than the group", ErrInvalid, u.Name)
		}
		u.Groups = slices.DeleteFunc(u.Groups, func(r groupRef) bool { return r.Name == group })
		u.Groups = append(u.Groups, ref)
		if len(u.Groups) > MaxGroups {
			return fmt.Errorf("%w: a user is in at most %d groups", ErrInvalid, MaxGroups)
		}
		slices.SortFunc(u.Groups, func(a, b groupRef) int { return strings.Compare(a.Name, b.Name) })
		return nil
	})
}

// RemoveMembers takes users out of a group. Who is no member is no error. Errors:
// ErrNoSuchGroup, ErrNoSuchUser, before anything is written.
func (s *Service) RemoveMembers(ctx context.Context, group string, users ...string) error {
	return s.removeMembers(ctx, anyAccount, group, users)
}

func (s *Service) removeMembers(ctx context.Context, within, group string, users []string) error {
	_, err := s.groupWithin(within, group)
	if err == nil {
		err = s.checkUsers(within, users)
	}
	if err != nil {
		return fmt.Errorf("remove members: %w", err)
	}
	return s.changeMembers(ctx, within, "remove members", users, func(u *userRecord) error {
		u.Groups = slices.DeleteFunc(u.Groups, func(r groupRef) bool { return r.Name == group })
		return nil
	})
}

func (s *Service) checkUsers(within string, names []string) error {
	for _, n := range names {
		if _, err := s.userWithin(within, n); err != nil {
			return fmt.Errorf("%w: %s", err, n)
		}
	}
	return nil
}

// changeMembers changes the memberships of users, one after the other.
func (s *Service) changeMembers(ctx context.Context, within, what string, users []string, change func(*userRecord) error) error {
	for _, name := range users {
		err := s.changeUser(ctx, within, name, func(u *userRecord) ([]store.Change, error) { return nil, change(u) })
		if err != nil {
			return fmt.Errorf("%s: user %s: %w", what, name, err)
		}
	}
	return nil
}

// readGroup reads a group of an account, or of any, for a change, from the store.
func (s *Service) readGroup(ctx context.Context, within, name string) (g groupRecord, revision uint64, err error) {
	if CheckGroupName(name) != nil {
		return g, 0, ErrNoSuchGroup
	}
	revision, err = s.read(ctx, kindGroup, name, &g, &g.header, ErrNoSuchGroup)
	if err == nil && g.Name != name {
		err = fmt.Errorf("%w: it describes another group", ErrDamaged)
	}
	if outside(within, g.Account, err) {
		err = ErrNoSuchGroup
	}
	return g, revision, err
}

// Group returns one group, or ErrNoSuchGroup, or ErrDamaged.
func (s *Service) Group(name string) (Group, error) {
	sn := s.snap.Load()
	g, ok := sn.group(name)
	if !ok {
		return Group{}, sn.absent(kindGroup, name, ErrNoSuchGroup)
	}
	return sn.publicGroup(g), nil
}

// Groups returns all groups in byte order of their names, damaged ones with the reason.
func (s *Service) Groups() []Group {
	sn := s.snap.Load()
	out := []Group{}
	sn.groups.all(func(name string, sl *groupSlot) bool {
		switch g := sl.current.Load(); {
		case g == nil:
		case g.err != nil:
			out = append(out, Group{Name: name, Policies: []string{}, Members: []string{}, Damaged: g.err.Error()})
		default:
			out = append(out, sn.publicGroup(g))
		}
		return true
	})
	slices.SortFunc(out, func(a, b Group) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func (sn *snapshot) publicGroup(g *group) Group {
	source, _ := SplitName(g.Name)
	return Group{
		Name: g.Name, ID: g.ID, Account: g.Account, ARN: groupARN(g.Account, g.Name), Source: source, Enabled: !g.Disabled,
		Policies: append([]string{}, g.Policies...), Members: append([]string{}, sn.memberNames(g.Name)...),
		Created: g.Created, Updated: g.Updated,
	}
}

// memberNames returns the users that are in the group as it is now.
func (sn *snapshot) memberNames(name string) []string {
	g, ok := sn.group(name)
	set, some := sn.members.get(name)
	if !ok || !some {
		return nil
	}
	var out []string
	set.all(func(user string, _ void) bool {
		u, ok := sn.users.get(user)
		if ok && slices.Contains(u.Groups, groupRef{Name: name, ID: g.ID}) {
			out = append(out, user)
		}
		return true
	})
	slices.Sort(out)
	return out
}
