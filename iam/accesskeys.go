package iam

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/objsrv/objsrv/iam/store"
)

// AccessKey is an access key as it is shown: everything but its secret.
type AccessKey struct {
	AccessKey   string          `json:"accessKey"`
	Parent      string          `json:"parent"` // qualified user name, or root's access key
	Account     string          `json:"account"`
	Own         bool            `json:"own"` // the user's own; else a service key
	Enabled     bool            `json:"enabled"`
	Name        string          `json:"name,omitempty"`
	Description string          `json:"description,omitempty"`
	Policy      json.RawMessage `json:"policy,omitempty"` // embedded; without one it has the parent's rights
	Grants      *Grants         `json:"grants,omitempty"`
	Bounded     bool            `json:"bounded"` // the credential that made it was restricted: so is the key
	Expires     *time.Time      `json:"expires,omitempty"`
	Created     time.Time       `json:"created"`
	Updated     time.Time       `json:"updated"`
	// Damaged says why the record can't be read; then all but AccessKey is unknown.
	Damaged string `json:"damaged,omitempty"`
}

// NewAccessKey describes a service key to create.
type NewAccessKey struct {
	// By is who asks: a restricted credential hands its restrictions on. Nil is the server itself.
	// Whether By may make a key for Parent is for the caller to ask.
	By          *Identity
	Parent      string // qualified user name, or root's access key
	AccessKey   string // see CheckAccessKey; "" makes one
	Secret      string // see CheckSecret; "" makes one
	Name        string
	Description string
	Policy      json.RawMessage // at most MaxKeyPolicy bytes; empty for the parent's rights
	Expires     time.Time       // zero for never
	Disabled    bool
	Grants      *Grants // nil: those of By, if the key is for By's own user
}

// AccessKeyUpdate changes an access key; nil fields stay as they are. The user's own key takes
// Secret and Enabled only.
type AccessKeyUpdate struct {
	Secret            *string
	Policy            *json.RawMessage // empty removes it
	Name, Description *string
	Expires           *time.Time // zero for never
	Enabled           *bool
	Grants            *Grants // what an identity provider says of the person now
}

// Limits of access keys.
const (
	MaxKeyName        = 64    // characters, as in MinIO
	MaxKeyDescription = 256   // characters, as in MinIO
	MaxKeys           = 10000 // service keys of one user
)

// CreateAccessKey makes a service key of a user or of root. Errors: ErrInvalid, ErrReserved for
// root's name in any spelling, ErrExists, ErrNoSuchUser, ErrFull beyond MaxKeys, a
// *policy.SyntaxError, ErrNoSuchKey when By has gone meanwhile.
func (s *Service) CreateAccessKey(ctx context.Context, n NewAccessKey) (AccessKey, Credential, error) {
	return s.createAccessKey(ctx, anyAccount, n)
}

func (s *Service) createAccessKey(ctx context.Context, within string, n NewAccessKey) (AccessKey, Credential, error) {
	fail := func(err error) (AccessKey, Credential, error) {
		return AccessKey{}, Credential{}, fmt.Errorf("create access key: %w", err)
	}
	now := s.now().UTC()
	k, err := s.newKey(&n, now)
	if err != nil {
		return fail(err)
	}
	for range attempts {
		var changes []store.Change
		if changes, err = s.adopt(ctx, within, &k, n.Parent); err != nil {
			return fail(err)
		}
		if changes, err = appendPut(changes, kindKey, k.AccessKey, 0, k); err != nil {
			return fail(err)
		}
		if err = s.commit(ctx, changes...); err == nil {
			sn := s.snap.Load()
			got, ok := sn.keys.get(k.AccessKey)
			if !ok {
				return fail(ErrNoSuchKey) // it was deleted in the same moment
			}
			return s.publicKey(&k), Credential{AccessKey: k.AccessKey, Secret: k.Secret, Identity: got.identity}, nil
		}
		if !errors.Is(err, store.ErrConflict) {
			return fail(err)
		}
		if _, err := s.store.Get(ctx, kindKey, k.AccessKey); !errors.Is(err, store.ErrNotFound) {
			return fail(ErrExists)
		}
	}
	return fail(err)
}

// newKey judges n and makes the record, but for its user.
func (s *Service) newKey(n *NewAccessKey, now time.Time) (keyRecord, error) {
	if n.AccessKey == "" {
		n.AccessKey = NewAccessKeyName()
	}
	if n.Secret == "" {
		n.Secret = NewSecret()
	}
	k := keyRecord{
		AccessKey: n.AccessKey, Secret: n.Secret, Disabled: n.Disabled, Created: now, Service: true,
		ID: newID(keyID), Updated: now,
	}
	if err := errors.Join(CheckAccessKey(n.AccessKey), CheckSecret(n.Secret)); err != nil {
		return k, err
	}
	if s.isRootName(n.AccessKey) {
		return k, fmt.Errorf("%w: it is root's", ErrReserved)
	}
	if _, err := s.User(n.AccessKey); !errors.Is(err, ErrNoSuchUser) {
		return k, ErrExists
	}
	var err error
	if k.Bounds, k.Grants, err = s.inherited(n.By); err != nil {
		return k, err
	}
	if n.By != nil && n.By.Name != n.Parent {
		k.Grants = nil // they are of another person
	}
	if n.Grants != nil {
		k.Grants = n.Grants
	}
	if err := k.Grants.check(); err != nil {
		return k, err
	}
	err = s.changeKey(&k, &AccessKeyUpdate{Policy: &n.Policy, Name: &n.Name, Description: &n.Description, Expires: &n.Expires})
	return k, err
}

// adopt gives k to its user and returns the check that the user is there when it is committed.
func (s *Service) adopt(ctx context.Context, within string, k *keyRecord, parent string) ([]store.Change, error) {
	if parent == s.root.AccessKey && within == anyAccount {
		k.header, k.UserID, k.UserName = header{formatVersion, s.account}, s.root.Identity.ID, ""
		return nil, s.checkRoom(k.UserID)
	}
	u, rev, err := s.readUser(ctx, within, parent)
	if err != nil {
		return nil, err
	}
	k.header, k.UserID, k.UserName = header{formatVersion, u.Account}, u.ID, u.Name
	return []store.Change{{Op: store.Check, Kind: kindUser, Name: u.Name, Revision: rev}}, s.checkRoom(u.ID)
}

func (s *Service) checkRoom(userID string) error {
	if set, _ := s.snap.Load().children.get(userID); set.n >= MaxKeys {
		return fmt.Errorf("%w: the user has %d access keys; delete some", ErrFull, MaxKeys)
	}
	return nil
}

// changeKey applies an update to a record.
func (s *Service) changeKey(k *keyRecord, up *AccessKeyUpdate) error {
	if !k.Service && (up.Policy != nil || up.Name != nil || up.Description != nil || up.Expires != nil || up.Grants != nil) {
		return fmt.Errorf("%w: %s is the user's own key: it has a secret and a state only", ErrInvalid, k.AccessKey)
	}
	if up.Secret != nil {
		if err := CheckSecret(*up.Secret); err != nil {
			return err
		}
		k.Secret = *up.Secret
	}
	if up.Policy != nil {
		if k.Policy = nil; len(*up.Policy) > 0 {
			if err := checkEmbedded("policy of an access key", *up.Policy, MaxKeyPolicy); err != nil {
				return err
			}
			k.Policy = *up.Policy
		}
		if err := checkBounds(k.restrictions()); err != nil {
			return err
		}
	}
	for _, text := range []struct {
		to    *string
		from  *string
		limit int
		what  string
	}{{&k.Name, up.Name, MaxKeyName, "name"}, {&k.Description, up.Description, MaxKeyDescription, "description"}} {
		if text.from == nil {
			continue
		}
		if err := checkText(*text.from, text.limit); err != nil {
			return fmt.Errorf("%w: the %s of an access key has at most %d printable characters", ErrInvalid, text.what, text.limit)
		}
		*text.to = *text.from
	}
	if up.Expires != nil {
		if !up.Expires.IsZero() && !up.Expires.After(s.now()) {
			return fmt.Errorf("%w: the expiry of an access key lies in the future", ErrInvalid)
		}
		k.Expires = up.Expires.UTC()
	}
	if up.Enabled != nil {
		k.Disabled = !*up.Enabled
	}
	if up.Grants != nil {
		if err := up.Grants.check(); err != nil {
			return err
		}
		k.Grants = up.Grants
	}
	return nil
}

// UpdateAccessKey changes an access key. Errors: ErrNoSuchKey, ErrReserved for root's, ErrInvalid,
// a *policy.SyntaxError, ErrDamaged.
func (s *Service) UpdateAccessKey(ctx context.Context, accessKey string, up AccessKeyUpdate) (AccessKey, error) {
	return s.updateAccessKey(ctx, anyAccount, accessKey, up)
}

func (s *Service) updateAccessKey(ctx context.Context, within, accessKey string, up AccessKeyUpdate) (AccessKey, error) {
	fail := func(err error) (AccessKey, error) { return AccessKey{}, fmt.Errorf("update access key: %w", err) }
	var err error
	for range attempts {
		var k keyRecord
		var rev uint64
		if k, rev, err = s.readKey(ctx, within, accessKey); err != nil {
			return fail(err)
		}
		if err = s.changeKey(&k, &up); err != nil {
			return fail(err)
		}
		k.Updated = s.now().UTC()
		var changes []store.Change
		if changes, err = appendPut(nil, kindKey, accessKey, rev, k); err != nil {
			return fail(err)
		}
		if err = s.commit(ctx, changes...); err == nil {
			return s.publicKey(&k), nil
		}
		if !errors.Is(err, store.ErrConflict) {
			return fail(err)
		}
	}
	return fail(err)
}

// DeleteAccessKey removes a service key for ever, with the sessions that it asked for. Errors:
// ErrNoSuchKey, ErrReserved for root's own, ErrInvalid for a user's own, which goes with the user.
func (s *Service) DeleteAccessKey(ctx context.Context, accessKey string) error {
	return s.deleteAccessKey(ctx, anyAccount, accessKey)
}

func (s *Service) deleteAccessKey(ctx context.Context, within, accessKey string) error {
	var err error
	for range attempts {
		k, rev, rerr := s.readKey(ctx, within, accessKey)
		switch {
		case errors.Is(rerr, ErrDamaged):
			rev = store.Any
		case rerr != nil:
			return fmt.Errorf("delete access key: %w", rerr)
		case !k.Service:
			return fmt.Errorf("delete access key: %w: it is the user's own and goes with the user", ErrInvalid)
		}
		err = s.commit(ctx, store.Change{Op: store.Delete, Kind: kindKey, Name: accessKey, Revision: rev})
		if !errors.Is(err, store.ErrConflict) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("delete access key: %w", err)
	}
	return nil
}

// readKey reads an access key of an account, or of any, for a change, from the store.
func (s *Service) readKey(ctx context.Context, within, accessKey string) (k keyRecord, revision uint64, err error) {
	if accessKey == s.root.AccessKey && within == anyAccount {
		return k, 0, fmt.Errorf("%w: root's key is changed where it is set", ErrReserved)
	}
	if CheckAccessKey(accessKey) != nil {
		return k, 0, ErrNoSuchKey
	}
	revision, err = s.read(ctx, kindKey, accessKey, &k, &k.header, ErrNoSuchKey)
	if err == nil && k.AccessKey != accessKey {
		err = fmt.Errorf("%w: it describes another key", ErrDamaged)
	}
	if outside(within, k.Account, err) {
		err = ErrNoSuchKey
	}
	return k, revision, err
}

// AccessKey returns one access key, or ErrNoSuchKey (for root's own, too), or ErrDamaged.
func (s *Service) AccessKey(accessKey string) (AccessKey, error) {
	sn := s.snap.Load()
	k, ok := sn.keys.get(accessKey)
	if !ok {
		return AccessKey{}, sn.absent(kindKey, accessKey, ErrNoSuchKey)
	}
	return s.publicKey(&k.keyRecord), nil
}

// AccessKeys returns the access keys of a user by its qualified name, of root by its access key,
// or all for "", in byte order; damaged ones, which belong to nobody known, with all only.
func (s *Service) AccessKeys(parent string) []AccessKey {
	sn := s.snap.Load()
	out := []AccessKey{}
	add := func(name string) {
		if k, ok := sn.keys.get(name); ok {
			out = append(out, s.publicKey(&k.keyRecord))
		}
	}
	switch u, ok := sn.users.get(parent); {
	case parent == "":
		sn.keys.all(func(name string, _ *accessKey) bool { add(name); return true })
		sn.damaged.all(func(key string, err error) bool {
			if name, ok := strings.CutPrefix(key, kindKey+"/"); ok {
				out = append(out, AccessKey{AccessKey: name, Damaged: err.Error()})
			}
			return true
		})
	case ok:
		for _, name := range u.Keys {
			add(name)
		}
		children, _ := sn.children.get(u.ID)
		children.all(func(name string, _ void) bool { add(name); return true })
	case parent == s.root.AccessKey:
		children, _ := sn.children.get(s.root.Identity.ID)
		children.all(func(name string, _ void) bool { add(name); return true })
	}
	slices.SortFunc(out, func(a, b AccessKey) int { return strings.Compare(a.AccessKey, b.AccessKey) })
	return out
}

// publicKey returns what may be shown.
func (s *Service) publicKey(k *keyRecord) AccessKey {
	out := AccessKey{
		AccessKey: k.AccessKey, Parent: k.UserName, Account: k.Account, Own: !k.Service, Enabled: !k.Disabled,
		Name: k.Name, Description: k.Description, Policy: slices.Clone(k.Policy), Grants: k.Grants, Bounded: len(k.Bounds) > 0,
		Created: k.Created, Updated: k.Updated,
	}
	if k.UserID == s.root.Identity.ID {
		out.Parent = s.root.AccessKey
	}
	if !k.Expires.IsZero() {
		out.Expires = &k.Expires
	}
	if out.Updated.IsZero() {
		out.Updated = k.Created
	}
	return out
}
