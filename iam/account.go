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

// Account is an account as it is shown. The deployment's own is one of them, with the server's root as its root.
type Account struct {
	ID          string    `json:"id"`          // 12 digits
	Name        string    `json:"name"`        // for people; "" for the deployment's
	CanonicalID string    `json:"canonicalId"` // see CanonicalID
	Root        string    `json:"root"`        // name of its root user
	Users       int       `json:"users"`       // root is not counted
	Deployment  bool      `json:"deployment"`
	Created     time.Time `json:"created,omitzero"`
}

// NewAccount describes an account to create.
type NewAccount struct {
	ID     string // 12 digits; "" makes one
	Name   string // as a policy's, see CheckPolicyName
	Root   string // name of its root user, a local one that does not exist yet
	Secret string // of the root user; "" makes one
}

// accountRecord is an account that was made, or what is set for one, or what is left of one that was deleted: grants and
// policies of others may still name it, so that its id is not given again. One of which there is none of this has no record.
type accountRecord struct {
	header
	Name         string        `json:"name,omitempty"`
	RootName     string        `json:"root,omitempty"`
	RootID       string        `json:"rootId,omitempty"`
	Created      time.Time     `json:"created,omitzero"`
	Deleted      time.Time     `json:"deleted,omitzero"` // its id is not given again
	PublicAccess *PublicAccess `json:"publicAccess,omitempty"`
}

// made tells whether the account exists; else the record has settings only.
func (a *accountRecord) made() bool { return a.RootID != "" }

// isAccountRoot tells whether u is the root user of an account other than the deployment's.
func (sn *snapshot) isAccountRoot(u *userRecord) bool {
	if u.Account == sn.root.Account {
		return false
	}
	a, ok := sn.settings.get(u.Account)
	return ok && a.RootID == u.ID
}

// CreateAccount makes an account with its root user, who may do everything with what belongs to the account, and
// nothing else. Errors: ErrInvalid, ErrExists for the account, its name or its root user, ErrReserved, ErrFull.
func (s *Service) CreateAccount(ctx context.Context, n NewAccount) (Account, Credential, error) {
	fail := func(err error) (Account, Credential, error) {
		return Account{}, Credential{}, fmt.Errorf("create account: %w", err)
	}
	if n.ID == "" {
		n.ID = newAccount()
	}
	if source, _ := SplitName(n.Root); source != SourceLocal {
		return fail(fmt.Errorf("%w: the root user of an account is a local one", ErrInvalid))
	}
	if CheckPolicyName(n.Name) != nil {
		return fail(fmt.Errorf("%w: an account's name consists of 1 to 128 letters, digits and _ . @ + = -", ErrInvalid))
	}
	root := NewUser{Name: n.Root, Secret: n.Secret, Account: n.ID}
	if _, err := s.checkNewUser(&root); err != nil {
		return fail(err)
	}
	for _, a := range s.Accounts() {
		if a.ID == n.ID || a.Name == n.Name {
			return fail(ErrExists)
		}
	}
	u, cred, changes, err := s.newUser(&root, n.ID, nil)
	if err != nil {
		return fail(err)
	}
	for range attempts {
		a, rev, err := s.readAccount(ctx, n.ID)
		if err != nil && !errors.Is(err, ErrNoSuchAccount) {
			return fail(err)
		}
		if _, some := s.snap.Load().ids.get(n.ID); a.made() || some {
			return fail(ErrExists)
		}
		if !a.Deleted.IsZero() {
			return fail(fmt.Errorf("%w: an account with this id was deleted, and the id is not given again", ErrExists))
		}
		a.header, a.Name, a.RootName, a.RootID, a.Created = header{formatVersion, n.ID}, n.Name, u.Name, u.ID, u.Created
		all, err := appendPut(slices.Clip(changes), kindAccount, n.ID, rev, a)
		if err != nil {
			return fail(err)
		}
		if err = s.commit(ctx, all...); err == nil {
			return s.publicAccount(&a), cred, nil
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

// DeleteAccount removes an account with its root user, for ever: no other gets its id. What belongs to it besides is for the caller to look
// for first. Errors: ErrNoSuchAccount, ErrAccountUsed, ErrReserved for the deployment's.
func (s *Service) DeleteAccount(ctx context.Context, id string) error {
	fail := func(err error) error { return fmt.Errorf("delete account: %w", err) }
	if id == s.account {
		return fail(fmt.Errorf("%w: the account is the deployment's", ErrReserved))
	}
	for range attempts {
		a, rev, err := s.readAccount(ctx, id)
		if err == nil && !a.made() {
			err = ErrNoSuchAccount
		}
		if err == nil {
			err = s.await(ctx, rev) // until memory has the user with whom the record was written
		}
		if err != nil {
			return fail(err)
		}
		if s.publicAccount(&a).Users > 0 || s.snap.Load().hasGroups(id) {
			return fail(ErrAccountUsed)
		}
		changes, err := s.deletion(ctx, id, a.RootName, true)
		if err != nil && !errors.Is(err, ErrNoSuchUser) {
			return fail(err)
		}
		// Whoever makes a user writes the account's record, too: one that came between is a conflict.
		gone := accountRecord{header: header{formatVersion, id}, Deleted: s.now().UTC()}
		if changes, err = appendPut(changes, kindAccount, id, rev, gone); err != nil {
			return fail(err)
		}
		if err = s.commit(ctx, changes...); err == nil {
			err = s.removeOrphans(ctx)
		}
		if err == nil {
			return nil
		}
		if !errors.Is(err, store.ErrConflict) {
			return fail(err)
		}
	}
	return fail(ErrUnavailable)
}

// hasGroups tells whether a group belongs to an account.
func (sn *snapshot) hasGroups(account string) (found bool) {
	sn.groups.all(func(_ string, sl *groupSlot) bool {
		g := sl.current.Load()
		found = g != nil && g.err == nil && g.Account == account
		return !found
	})
	return found
}

// Accounts returns all accounts: the deployment's, then the others in the order of their ids.
func (s *Service) Accounts() []Account {
	sn := s.snap.Load()
	own := &accountRecord{header: header{formatVersion, s.account}}
	out := []Account{s.publicAccount(own)}
	sn.settings.all(func(id string, a *accountRecord) bool {
		if a.made() && id != s.account {
			out = append(out, s.publicAccount(a))
		}
		return true
	})
	slices.SortFunc(out[1:], func(a, b Account) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// AccountInfo returns one account, or ErrNoSuchAccount, or ErrDamaged.
func (s *Service) AccountInfo(id string) (Account, error) {
	for _, a := range s.Accounts() {
		if a.ID == id {
			return a, nil
		}
	}
	return Account{}, s.snap.Load().absent(kindAccount, id, ErrNoSuchAccount)
}

func (s *Service) publicAccount(a *accountRecord) Account {
	out := Account{ID: a.Account, Name: a.Name, CanonicalID: CanonicalID(a.Account), Root: a.RootName, Created: a.Created}
	sn := s.snap.Load()
	use, _ := sn.accounts.get(out.CanonicalID)
	out.Users = use.users
	if root, ok := sn.ids.get(a.RootID); ok && root.Account == a.Account {
		out.Users--
	}
	if a.Account == s.account {
		out.Deployment, out.Root = true, s.root.AccessKey
	}
	return out
}

// readAccount reads the record of an account for a change, from the store.
func (s *Service) readAccount(ctx context.Context, id string) (a accountRecord, revision uint64, err error) {
	revision, err = s.read(ctx, kindAccount, id, &a, &a.header, ErrNoSuchAccount)
	if err == nil && a.Account != id {
		err = fmt.Errorf("%w: it describes another account", ErrDamaged)
	}
	return a, revision, err
}

// joinAccount returns what is committed with a new user or group of an account: its record, written anew, so that the account
// is not deleted in the same moment.
func (s *Service) joinAccount(ctx context.Context, id string) ([]store.Change, error) {
	if id == s.account {
		return nil, nil
	}
	a, rev, err := s.readAccount(ctx, id)
	if err == nil && !a.made() {
		err = ErrNoSuchAccount
	}
	if err != nil {
		return nil, err
	}
	return appendPut(nil, kindAccount, id, rev, a)
}

// PublicAccess is the public access block of an account: what it forbids in all buckets of the account (S3 user
// guide, "Blocking public access to your Amazon S3 storage"). It is kept here because accounts are.
type PublicAccess struct {
	BlockPublicAcls       bool `json:"blockPublicAcls,omitempty"`
	IgnorePublicAcls      bool `json:"ignorePublicAcls,omitempty"`
	BlockPublicPolicy     bool `json:"blockPublicPolicy,omitempty"`
	RestrictPublicBuckets bool `json:"restrictPublicBuckets,omitempty"`
}

// PublicAccess returns the public access block of an account; ok is false when it has none. One that can't
// be read blocks everything.
func (s *Service) PublicAccess(account string) (p PublicAccess, ok bool) {
	sn := s.snap.Load()
	if a, ok := sn.settings.get(account); ok && a.PublicAccess != nil {
		return *a.PublicAccess, true
	}
	if sn.absent(kindAccount, account, nil) != nil {
		return PublicAccess{true, true, true, true}, true
	}
	return PublicAccess{}, false
}

// SetPublicAccess sets the public access block of an account, and removes it for nil, which heals one that is
// damaged. The account need not have users. Errors: ErrInvalid when it is no account id, ErrUnavailable, ErrFull.
func (s *Service) SetPublicAccess(ctx context.Context, account string, p *PublicAccess) error {
	fail := func(err error) error { return fmt.Errorf("set public access block: %w", err) }
	if err := CheckAccount(account); err != nil {
		return fail(err)
	}
	for range attempts {
		a, rev, err := s.readAccount(ctx, account)
		switch {
		case errors.Is(err, ErrDamaged):
			a, rev = accountRecord{}, store.Any
		case err != nil && !errors.Is(err, ErrNoSuchAccount):
			return fail(err)
		}
		a.header, a.PublicAccess = header{formatVersion, account}, p
		change := store.Change{Op: store.Delete, Kind: kindAccount, Name: account, Revision: rev}
		if a.made() || p != nil || !a.Deleted.IsZero() {
			change.Op = store.Put
			if change.Value, err = encode(a); err != nil {
				return fail(err)
			}
		} else if rev == 0 {
			return nil // there is none
		}
		if err = s.commit(ctx, change); !errors.Is(err, store.ErrConflict) {
			if err != nil {
				err = fail(err)
			}
			return err
		}
	}
	return fail(ErrUnavailable)
}

func (sn *snapshot) putAccount(r *store.Record) error {
	a := &accountRecord{}
	if err := decode(r.Value, a, &a.header); err != nil {
		return err
	}
	if a.Account != r.Name {
		return errors.New("it describes another account")
	}
	sn.settings = sn.settings.with(a.Account, a)
	if a.made() {
		sn.count(a.Account, 0, 1)
	}
	return nil
}
