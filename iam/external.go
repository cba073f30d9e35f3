package iam

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/objsrv/objsrv/iam/policy"
	"github.com/objsrv/objsrv/iam/store"
)

// Sources of identities. A local user's qualified name is its name; that of an external one
// begins with the source and a colon, which no local name contains.
const (
	SourceLocal  = ""
	SourceLDAP   = "ldap"   // the distinguished name follows, as NormalDN writes it
	SourceOpenID = "openid" // the hash of subject and issuer
	SourceTLS    = "tls"    // the certificate's common name
	SourceCustom = "custom" // the name that the plugin gave
)

// maxQualified bounds a qualified name, in bytes: a record's name has room for it.
const maxQualified = 768

// QualifiedName joins a source and a name. A distinguished name gets its normal form; what is
// none stays as it is, and no user or group can have it.
func QualifiedName(source, name string) string {
	switch source {
	case SourceLocal:
		return name
	case SourceLDAP:
		if dn, err := NormalDN(name); err == nil {
			name = dn
		}
	}
	return source + ":" + name
}

// SplitName splits a qualified name. A name with an unknown source is local.
func SplitName(qualified string) (source, name string) {
	source, name, ok := strings.Cut(qualified, ":")
	if ok && isSource(source) {
		return source, name
	}
	return SourceLocal, qualified
}

func isSource(s string) bool {
	switch s {
	case SourceLDAP, SourceOpenID, SourceTLS, SourceCustom:
		return true
	}
	return false
}

// CheckUserName returns an error that Is ErrInvalid unless s can be a qualified user name: a
// local one is an access key, an external one has printable characters after its source.
func CheckUserName(s string) error {
	source, name := SplitName(s)
	if source == SourceLocal {
		return CheckAccessKey(s)
	}
	return checkExternal(s, name)
}

// CheckGroupName returns an error that Is ErrInvalid unless s can be a qualified group name.
// A local one follows the rule of policy names.
func CheckGroupName(s string) error {
	source, name := SplitName(s)
	if source != SourceLocal {
		return checkExternal(s, name)
	}
	if err := CheckPolicyName(s); err != nil {
		return fmt.Errorf("%w: a group name consists of 1 to 128 letters, digits and _ . @ + = -", ErrInvalid)
	}
	return nil
}

func checkExternal(qualified, name string) error {
	if name == "" || len(qualified) > maxQualified || !utf8.ValidString(name) || name != strings.TrimSpace(name) {
		return fmt.Errorf("%w: the name of an external identity has up to %d bytes of UTF-8", ErrInvalid, maxQualified)
	}
	for _, r := range name {
		if !unicode.IsPrint(r) {
			return fmt.Errorf("%w: the name of an external identity has printable characters only", ErrInvalid)
		}
	}
	if source, _ := SplitName(qualified); source == SourceLDAP {
		dn, err := NormalDN(name)
		if err == nil && dn != name {
			err = fmt.Errorf("%w: a distinguished name is written in its normal form here: %s", ErrInvalid, dn)
		}
		return err
	}
	return nil
}

func groupARN(account, name string) string { return "arn:aws:iam::" + account + ":group/" + name }

// AuthorizeExternal decides r for an external user with grants, before a session of it is
// issued: the user need not exist yet, and nothing is written. r.Identity does not count. Errors:
// ErrInvalid, ErrDisabled, ErrDamaged.
func (s *Service) AuthorizeExternal(name string, g *Grants, r Request) (Decision, error) {
	fail := func(err error) (Decision, error) {
		return Decision{}, fmt.Errorf("authorize external user: %w", err)
	}
	if err := errors.Join(checkExternalUser(name), g.check()); err != nil {
		return fail(err)
	}
	sn := *s.snap.Load() // a copy: places of unknown policies are this question's own
	u, ok := sn.users.get(name)
	if !ok {
		if err := sn.absent(kindUser, name, nil); err != nil {
			return fail(err)
		}
		u = &user{userRecord: userRecord{header: header{formatVersion, s.account}, Name: name}, arn: userARN(s.account, name)}
	}
	if u.Disabled {
		return fail(ErrDisabled)
	}
	sc, err := sn.newScope(name, nil, g)
	if err != nil {
		return fail(err)
	}
	q := policy.Query{Action: r.Action, Bucket: r.Bucket, Key: r.Key, KMSKey: r.KMSKey, Conditions: r.Conditions}
	q.Caller = policy.Caller{ID: u.ID, Account: u.Account, Name: u.Name, ARN: u.arn, Session: true, Attributes: u}
	if sc != nil {
		q.Caller.Attributes = attributes{u, sc}
	}
	own, sound := u.evaluate(sc, &q)
	d := Decision{Allowed: sound && own.Effect == policy.Allow, Statement: own.Statement, Explicit: sound && own.Effect == policy.Deny}
	r.Identity = &Identity{ARN: u.arn}
	s.keepRefusal(&r, d)
	return d, nil
}

func checkExternalUser(name string) error {
	if source, _ := SplitName(name); source == SourceLocal {
		return fmt.Errorf("%w: %q is not the name of an external user", ErrInvalid, name)
	}
	return CheckUserName(name)
}

// external returns the identity of an external user, and what makes the user when it has none.
func (s *Service) external(ctx context.Context, name string) (*Identity, []store.Change, error) {
	if err := checkExternalUser(name); err != nil {
		return nil, nil, err
	}
	u, _, err := s.readUser(ctx, anyAccount, name)
	var changes []store.Change
	if errors.Is(err, ErrNoSuchUser) {
		n := NewUser{Name: name}
		if _, err := s.checkNewUser(&n); err != nil {
			return nil, nil, err
		}
		now := s.now().UTC()
		u = userRecord{header: header{formatVersion, n.Account}, ID: newID(userID), Name: name, Created: now, Updated: now}
		changes, err = appendPut(nil, kindUser, name, 0, u)
	}
	if err != nil {
		return nil, nil, err
	}
	if u.Disabled {
		return nil, nil, ErrDisabled
	}
	return &Identity{Account: u.Account, ID: u.ID, Name: u.Name, ARN: userARN(u.Account, u.Name)}, changes, nil
}
