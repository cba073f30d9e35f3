package iam

import (
	"errors"
	"fmt"
	"slices"

	"github.com/objsrv/objsrv/iam/policy"
)

// Limits of the policies that a credential carries.
const (
	MaxKeyPolicy     = 4096 // bytes of an access key's policy, as in MinIO
	MaxSessionPolicy = 2048 // characters of a session policy (STS API reference, AssumeRole)
	maxBounds        = 8    // restrictions on top of each other
)

// scope is what a credential may at most, whatever its user may. It is immutable but for
// the slots of named policies.
type scope struct {
	bounds []bound
	claims claims // of a session; nil for a key
}

// bound is one compiled restriction.
type bound struct {
	name  string
	own   *policy.Policy // nil without a document
	slots []*policySlot
}

// claims are what a session's credential says of its caller, by lower-case condition key.
type claims map[string][]string

// Values implements policy.Conditions.
func (c claims) Values(key string) ([]string, bool) {
	v, ok := c[key]
	return v, ok
}

// Values implements policy.Conditions: what is known of every credential of the user.
func (u *user) Values(key string) ([]string, bool) {
	if key != "aws:groups" {
		return nil, false
	}
	var names []string
	for i, sl := range u.groups {
		if g := sl.current.Load(); g != nil && g.ID == u.Groups[i].ID && !g.Disabled {
			names = append(names, g.Name)
		}
	}
	return names, len(names) > 0
}

// attributes are those of a session of a user.
type attributes struct {
	u *user
	claims
}

// Values implements policy.Conditions.
func (a attributes) Values(key string) ([]string, bool) {
	if v, ok := a.claims[key]; ok {
		return v, true
	}
	return a.u.Values(key)
}

// newScope compiles the restrictions of a record; nil when there are none.
func (sn *snapshot) newScope(name string, list []bounds) (*scope, error) {
	if len(list) == 0 {
		return nil, nil
	}
	sc := &scope{bounds: make([]bound, len(list))}
	for i := range list {
		b := &sc.bounds[i]
		b.name = name
		if len(list[i].Document) > 0 {
			p, err := policy.Compile(name, list[i].Document, policy.Identity)
			if err != nil {
				return nil, err
			}
			b.own = p
		}
		for _, p := range list[i].Policies {
			b.slots = append(b.slots, sn.slot(p))
		}
		if b.own == nil && len(b.slots) == 0 {
			return nil, errors.New("a restriction is empty")
		}
	}
	return sc, nil
}

// evaluate tells what the restrictions leave of q: the Decision that refuses, or ok.
func (sc *scope) evaluate(q *policy.Query) (d Decision, ok bool) {
	if sc == nil {
		return d, true
	}
	for i := range sc.bounds {
		b := &sc.bounds[i]
		res, sound := evaluateSlots(b.slots, q)
		if !sound {
			return Decision{Statement: res.Statement}, false
		}
		if b.own != nil && res.Effect != policy.Deny {
			if one := b.own.Evaluate(q); one.Effect != policy.NoEffect {
				res = one
			}
		}
		switch res.Effect {
		case policy.Deny:
			return Decision{Statement: res.Statement, Explicit: true}, false
		case policy.NoEffect:
			return Decision{Statement: b.name + " allows it nowhere"}, false
		}
	}
	return d, true
}

// inherited returns the restrictions of the credential that asks for another one.
func (s *Service) inherited(by *Identity) ([]bounds, error) {
	if by == nil || !by.Restricted() {
		return nil, nil
	}
	sn := s.snap.Load()
	var list []bounds
	switch by.Kind {
	case ServiceKey:
		k, ok := sn.keys.get(by.AccessKey)
		if !ok || k.identity.scope != by.scope {
			return nil, ErrNoSuchKey
		}
		list = k.restrictions()
	case SessionKey:
		ss, ok := sn.sessions.get(by.AccessKey)
		if !ok || ss.identity.scope != by.scope {
			return nil, ErrNoSuchKey
		}
		list = ss.Bounds
	}
	if len(list) == 0 {
		return nil, ErrNoSuchKey // it was restricted a moment ago
	}
	return slices.Clone(list), nil
}

// restrictions are those of the key's maker, then its own.
func (k *keyRecord) restrictions() []bounds {
	if len(k.Policy) == 0 {
		return k.Bounds
	}
	return append(slices.Clone(k.Bounds), bounds{Document: k.Policy})
}

// checkBounds refuses a chain of restrictions that would never end.
func checkBounds(list []bounds) error {
	if len(list) > maxBounds {
		return fmt.Errorf("%w: credentials that were made by restricted ones have at most %d restrictions", ErrInvalid, maxBounds)
	}
	return nil
}

// checkEmbedded judges a policy that a credential carries.
func checkEmbedded(name string, doc []byte, limit int) error {
	if len(doc) > limit {
		return fmt.Errorf("%w: a %s has at most %d bytes", ErrInvalid, name, limit)
	}
	_, err := policy.Compile(name, doc, policy.Identity)
	return err
}
