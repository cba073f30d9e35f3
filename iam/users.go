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

// User is what may be shown of a user: everything but secrets.
type User struct {
	Name       string    `json:"name"` // qualified, see QualifiedName
	ID         string    `json:"id"`
	Account    string    `json:"account"`
	ARN        string    `json:"arn"`
	Source     string    `json:"source,omitempty"` // "" for a local user
	Enabled    bool      `json:"enabled"`
	Policies   []string  `json:"policies"`   // attached to the user itself, in byte order
	Groups     []string  `json:"groups"`     // qualified, in byte order
	AccessKeys []string  `json:"accessKeys"` // its own, then service keys in byte order
	Created    time.Time `json:"created"`
	Updated    time.Time `json:"updated"`
	// Damaged says why the record can't be read; then all but Name is unknown.
	Damaged string `json:"damaged,omitempty"`
}

// NewUser describes a user to create.
type NewUser struct {
	Name     string // also its access key, as in MinIO, unless it is external; see CheckUserName
	Secret   string // see CheckSecret; "" makes one
	Account  string // 12 digits, of an account that was made; "" means the deployment's
	Policies []string
	Disabled bool
}

// UserUpdate changes a user; nil fields stay as they are.
type UserUpdate struct {
	Enabled  *bool
	Secret   *string // of the user's first access key
	Policies *[]string
	// Attach and Detach are applied after Policies. Attaching what is attached and
	// detaching what is not are no errors.
	Attach, Detach []string
}

// attempts bounds the repetitions of a change that met another one.
const attempts = 100

// CreateUser makes a user with one access key, which bears its name, and returns it with
// the secret. An external user has no key of its own, and the Credential is empty. Errors:
// ErrInvalid, ErrReserved for root's name in any spelling, ErrExists, ErrNoSuchPolicy, ErrNoSuchAccount.
func (s *Service) CreateUser(ctx context.Context, n NewUser) (User, Credential, error) {
	fail := func(err error) (User, Credential, error) {
		return User{}, Credential{}, fmt.Errorf("create user: %w", err)
	}
	policies, err := s.checkNewUser(&n)
	if err != nil {
		return fail(err)
	}
	u, cred, changes, err := s.newUser(&n, newID(userID), policies)
	if err != nil {
		return fail(err)
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
		if err = s.commit(ctx, slices.Concat(changes, checks, joined)...); err == nil {
			return s.snap.Load().publicUser(&u), cred, nil
		}
		if !errors.Is(err, store.ErrConflict) {
			return fail(err)
		}
		if err := s.taken(ctx, u.Name); err != nil {
			return fail(err)
		}
	}
	return fail(ErrUnavailable)
}

// newUser makes the records of a user that checkNewUser has found good.
func (s *Service) newUser(n *NewUser, id string, policies []string) (u userRecord, cred Credential, changes []store.Change, err error) {
	now := s.now().UTC()
	u = userRecord{
		header: header{formatVersion, n.Account}, ID: id, Name: n.Name, Disabled: n.Disabled,
		Policies: policies, Created: now, Updated: now,
	}
	if source, _ := SplitName(n.Name); source == SourceLocal {
		u.Keys = []string{n.Name}
		k := keyRecord{
			header: u.header, AccessKey: n.Name, Secret: n.Secret, UserID: u.ID, UserName: u.Name, Created: now,
		}
		if changes, err = appendPut(changes, kindKey, k.AccessKey, 0, k); err != nil {
			return u, cred, nil, err
		}
		id := &Identity{Account: u.Account, ID: u.ID, Name: u.Name, ARN: principalARN(u.Account, u.ID, u.Name), AccessKey: k.AccessKey}
		cred = Credential{AccessKey: k.AccessKey, Secret: k.Secret, Identity: id}
	}
	changes, err = appendPut(changes, kindUser, u.Name, 0, u)
	return u, cred, changes, err
}

// checkNewUser judges and completes n, and returns its policies in order.
func (s *Service) checkNewUser(n *NewUser) ([]string, error) {
	if err := CheckUserName(n.Name); err != nil {
		return nil, err
	}
	source, name := SplitName(n.Name)
	if s.isRootName(n.Name) || s.isRootName(name) {
		return nil, fmt.Errorf("%w: it is root's", ErrReserved)
	}
	switch {
	case source != SourceLocal && n.Secret != "":
		return nil, fmt.Errorf("%w: an external user has no secret key", ErrInvalid)
	case source == SourceLocal && n.Secret == "":
		n.Secret = NewSecret()
	case source == SourceLocal:
		if err := CheckSecret(n.Secret); err != nil {
			return nil, err
		}
	}
	if n.Account == "" {
		n.Account = s.account
	}
	if err := CheckAccount(n.Account); err != nil {
		return nil, err
	}
	return s.normalPolicies(n.Account, n.Policies)
}

// isRootName tells whether a name could be taken for root's.
func (s *Service) isRootName(name string) bool {
	return shadows(name, s.root.AccessKey) || strings.EqualFold(name, "root")
}

// taken returns ErrExists when a user or an access key has the name; nil when a conflict was about something else.
func (s *Service) taken(ctx context.Context, name string) error {
	for _, kind := range []string{kindUser, kindKey} {
		_, err := s.store.Get(ctx, kind, name)
		if err == nil {
			return ErrExists
		}
		if !errors.Is(err, store.ErrNotFound) {
			return domainError(err)
		}
	}
	return nil
}

// UpdateUser changes a user. Errors: ErrInvalid, ErrNoSuchUser, ErrNoSuchPolicy,
// ErrReserved for root, ErrDamaged.
func (s *Service) UpdateUser(ctx context.Context, name string, up UserUpdate) (User, error) {
	return s.updateUser(ctx, anyAccount, name, up)
}

func (s *Service) updateUser(ctx context.Context, within, name string, up UserUpdate) (User, error) {
	if up.Secret != nil {
		if err := CheckSecret(*up.Secret); err != nil {
			return User{}, fmt.Errorf("update user: %w", err)
		}
	}
	var out userRecord
	err := s.changeUser(ctx, within, name, func(u *userRecord) ([]store.Change, error) {
		changes, err := s.applyUpdate(ctx, u, &up)
		out = *u
		return changes, err
	})
	if err != nil {
		return User{}, fmt.Errorf("update user: %w", err)
	}
	return s.snap.Load().publicUser(&out), nil
}

// applyUpdate changes u and returns what must be committed with it.
func (s *Service) applyUpdate(ctx context.Context, u *userRecord, up *UserUpdate) ([]store.Change, error) {
	var changes []store.Change
	if up.Enabled != nil {
		u.Disabled = !*up.Enabled
	}
	var err error
	if u.Policies, changes, err = s.newPolicies(ctx, u.Account, u.Policies, up.Policies, up.Attach, up.Detach); err != nil {
		return nil, err
	}
	if up.Secret != nil {
		if len(u.Keys) == 0 {
			return nil, fmt.Errorf("%w: the user has no access key", ErrInvalid)
		}
		c, err := s.newSecret(ctx, u, u.Keys[0], *up.Secret)
		if err != nil {
			return nil, err
		}
		changes = append(changes, c)
	}
	return changes, nil
}

// newSecret returns the change that gives a key of u another secret.
func (s *Service) newSecret(ctx context.Context, u *userRecord, accessKey, secret string) (store.Change, error) {
	r, err := s.store.Get(ctx, kindKey, accessKey)
	if err != nil {
		return store.Change{}, domainError(err)
	}
	var k keyRecord
	if err := decode(r.Value, &k, &k.header); err != nil {
		return store.Change{}, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if k.UserID != u.ID {
		return store.Change{}, fmt.Errorf("%w: key %s belongs to another user", ErrDamaged, accessKey)
	}
	k.Secret = secret
	value, err := encode(k)
	return store.Change{Kind: kindKey, Name: accessKey, Value: value, Revision: r.Revision}, err
}

// SetStatus enables or disables a user; a disabled user's keys are refused.
func (s *Service) SetStatus(ctx context.Context, name string, enabled bool) (User, error) {
	return s.UpdateUser(ctx, name, UserUpdate{Enabled: &enabled})
}

// AttachPolicy attaches policies to a user.
func (s *Service) AttachPolicy(ctx context.Context, name string, policies ...string) (User, error) {
	return s.UpdateUser(ctx, name, UserUpdate{Attach: policies})
}

// DetachPolicy detaches policies from a user.
func (s *Service) DetachPolicy(ctx context.Context, name string, policies ...string) (User, error) {
	return s.UpdateUser(ctx, name, UserUpdate{Detach: policies})
}

// DeleteUser removes a user with its keys and sessions, for ever: a user of the same name is
// another identity. A damaged user is removed too, with the key that bears its name. Errors:
// ErrNoSuchUser, ErrReserved for root, and for the root user of an account, who goes with it.
func (s *Service) DeleteUser(ctx context.Context, name string) error {
	return s.deleteUser(ctx, anyAccount, name)
}

func (s *Service) deleteUser(ctx context.Context, within, name string) error {
	var err error
	for range attempts {
		var changes []store.Change
		if changes, err = s.deletion(ctx, within, name, false); err != nil {
			break
		}
		if err = s.commit(ctx, changes...); !errors.Is(err, store.ErrConflict) {
			break
		}
	}
	if err == nil {
		err = s.removeOrphans(ctx)
	}
	if err != nil {
		return fmt.Errorf("delete user: %w", err)
	}
	return nil
}

// deletion returns what removes a user of an account, or of any; one that is root only with its account.
func (s *Service) deletion(ctx context.Context, within, name string, withAccount bool) ([]store.Change, error) {
	u, rev, err := s.readUser(ctx, within, name)
	if errors.Is(err, ErrDamaged) {
		return []store.Change{
			{Op: store.Delete, Kind: kindUser, Name: name, Revision: store.Any},
			{Op: store.Delete, Kind: kindKey, Name: name, Revision: store.Any},
		}, nil
	}
	if err != nil {
		return nil, err
	}
	if u.isRoot() && !withAccount {
		return nil, fmt.Errorf("%w: it is the root user of account %s and goes with it", ErrReserved, u.Account)
	}
	changes := []store.Change{{Op: store.Delete, Kind: kindUser, Name: name, Revision: rev}}
	for _, k := range u.Keys {
		r, err := s.store.Get(ctx, kindKey, k)
		switch {
		case errors.Is(err, store.ErrNotFound):
			continue
		case errors.Is(err, store.ErrDamaged):
			r.Revision = store.Any
		case err != nil:
			return nil, domainError(err)
		case !ownedBy(r.Value, u.ID):
			continue // another user's key is not ours to delete
		}
		changes = append(changes, store.Change{Op: store.Delete, Kind: kindKey, Name: k, Revision: r.Revision})
	}
	return changes, nil
}

// ownedBy tells whether a key's record is of the user, or can't be read.
func ownedBy(value []byte, userID string) bool {
	var k keyRecord
	return decode(value, &k, &k.header) != nil || k.UserID == userID
}

// readUser reads a user of an account, or of any, for a change, from the store.
func (s *Service) readUser(ctx context.Context, within, name string) (u userRecord, revision uint64, err error) {
	if name == s.root.AccessKey && within == anyAccount {
		return u, 0, fmt.Errorf("%w: root can't be changed here", ErrReserved)
	}
	if CheckUserName(name) != nil {
		return u, 0, ErrNoSuchUser
	}
	revision, err = s.read(ctx, kindUser, name, &u, &u.header, ErrNoSuchUser)
	if err == nil && u.Name != name {
		err = fmt.Errorf("%w: it describes another user", ErrDamaged)
	}
	if outside(within, u.Account, err) {
		err = ErrNoSuchUser
	}
	return u, revision, err
}

// changeUser reads a user, has it changed, and writes it with further changes, again
// when another change came between.
func (s *Service) changeUser(ctx context.Context, within, name string, change func(*userRecord) ([]store.Change, error)) error {
	var err error
	for range attempts {
		u, rev, err := s.readUser(ctx, within, name)
		if err != nil {
			return err
		}
		changes, err := change(&u)
		if err != nil {
			return err
		}
		u.Updated = s.now().UTC()
		if changes, err = appendPut(changes, kindUser, name, rev, u); err != nil {
			return err
		}
		if err = s.commit(ctx, changes...); !errors.Is(err, store.ErrConflict) {
			return err
		}
	}
	return err
}

// User returns one user, or ErrNoSuchUser, or ErrDamaged.
func (s *Service) User(name string) (User, error) {
	sn := s.snap.Load()
	u, ok := sn.users.get(name)
	if !ok {
		return User{}, sn.absent(kindUser, name, ErrNoSuchUser)
	}
	return sn.publicUser(&u.userRecord), nil
}

// Users returns all users in byte order of their names, damaged ones with the reason.
func (s *Service) Users() []User {
	sn := s.snap.Load()
	out := make([]User, 0, sn.users.n)
	sn.users.all(func(_ string, u *user) bool {
		out = append(out, sn.publicUser(&u.userRecord))
		return true
	})
	sn.damaged.all(func(key string, err error) bool {
		if name, ok := strings.CutPrefix(key, kindUser+"/"); ok {
			out = append(out, User{Name: name, Policies: []string{}, Groups: []string{}, AccessKeys: []string{}, Damaged: err.Error()})
		}
		return true
	})
	slices.SortFunc(out, func(a, b User) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// publicUser returns what may be shown. Slices are copies.
func (sn *snapshot) publicUser(u *userRecord) User {
	source, _ := SplitName(u.Name)
	out := User{
		Name: u.Name, ID: u.ID, Account: u.Account, ARN: principalARN(u.Account, u.ID, u.Name), Source: source, Enabled: !u.Disabled,
		Policies: append([]string{}, u.Policies...), Groups: []string{}, AccessKeys: append([]string{}, u.Keys...),
		Created: u.Created, Updated: u.Updated,
	}
	for _, r := range u.Groups {
		if g, ok := sn.group(r.Name); ok && g.ID == r.ID {
			out.Groups = append(out.Groups, r.Name)
		}
	}
	if set, ok := sn.children.get(u.ID); ok {
		out.AccessKeys = append(out.AccessKeys, set.sorted()...)
	}
	return out
}

func appendPut(changes []store.Change, kind, name string, revision uint64, v any) ([]store.Change, error) {
	value, err := encode(v)
	if err != nil {
		return nil, err
	}
	return append(changes, store.Change{Kind: kind, Name: name, Value: value, Revision: revision}), nil
}
