package iam

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/objsrv/objsrv/iam/policy"
)

// Limits of the policies that a credential carries.
const (
	MaxKeyPolicy     = 4096 // bytes of an access key's policy, as in MinIO
	MaxSessionPolicy = 2048 // characters of a session policy (STS API reference, AssumeRole)
	maxBounds        = 8    // restrictions on top of each other
)

// scope is what a credential has of its own: what it may at most, whatever its user may, and
// what it may beside its user. It is immutable but for the slots of policies and groups.
type scope struct {
	*terms
	issued *time.Time // of a session; nil for a key
}

// terms are restrictions and grants.
type terms struct {
	bounds []bound
	slots  []*policySlot // of Grants
	groups []*groupSlot
	grants *Grants
}

// Grants are what a credential has beside its user's policies and groups: what an identity
// provider has said of the person. Claims are values by lower-case condition key, such as
// "jwt:sub" or "ldap:user". Who has a credential with grants hands them on to those made with it.
type Grants struct {
	Provider string              `json:"provider,omitempty"` // of OpenID Connect, as it is configured
	Policies []string            `json:"policies,omitempty"`
	Groups   []string            `json:"groups,omitempty"` // qualified; what does not exist grants nothing
	Claims   map[string][]string `json:"claims,omitempty"`
}

// joined returns what both say; a claim of both is that of second.
func joined(first, second *Grants) *Grants {
	if first == nil {
		return second
	}
	out := &Grants{
		Provider: cmp.Or(second.Provider, first.Provider), Policies: slices.Concat(first.Policies, second.Policies),
		Groups: slices.Concat(first.Groups, second.Groups), Claims: maps.Clone(first.Claims),
	}
	if out.Claims == nil {
		out.Claims = map[string][]string{}
	}
	maps.Copy(out.Claims, second.Claims)
	return out
}

// Limits of grants.
const (
	maxClaims     = 100
	maxClaimBytes = 64 << 10 // names of hundreds of groups of a directory
)

// check judges and orders grants. Policies need not exist: an identity provider names more than this
// server has.
func (g *Grants) check() (err error) {
	if g == nil {
		return nil
	}
	if err := checkText(g.Provider, 64); err != nil {
		return fmt.Errorf("%w: the name of a provider has at most 64 printable characters", ErrInvalid)
	}
	for _, n := range g.Policies {
		if err := CheckPolicyName(n); err != nil {
			return err
		}
	}
	if g.Policies, err = sortedPolicies(g.Policies); err != nil {
		return err
	}
	for _, n := range g.Groups {
		if err := CheckGroupName(n); err != nil {
			return err
		}
	}
	if len(g.Groups) > MaxGroups {
		return fmt.Errorf("%w: a credential has at most %d groups", ErrInvalid, MaxGroups)
	}
	size := 0
	for k, values := range g.Claims {
		if !policy.KnownKey(k) || k != strings.ToLower(k) {
			return fmt.Errorf("%w: %q is no condition key", ErrInvalid, k)
		}
		size += len(k)
		for _, v := range values {
			size += len(v)
		}
	}
	if len(g.Claims) > maxClaims || size > maxClaimBytes {
		return fmt.Errorf("%w: the claims of a credential are more than %d or longer than %d bytes", ErrInvalid, maxClaims, maxClaimBytes)
	}
	return nil
}

// bound is one compiled restriction.
type bound struct {
	name  string
	own   *policy.Policy // nil without a document
	slots []*policySlot
}

// Values implements policy.Conditions: what is known of the credential.
func (sc *scope) Values(key string) ([]string, bool) {
	if sc.grants != nil {
		if v, ok := sc.grants.Claims[key]; ok {
			return v, true
		}
	}
	switch {
	case sc.issued == nil:
	case key == "aws:tokenissuetime":
		return []string{sc.issued.UTC().Format(time.RFC3339)}, true
	case key == "aws:multifactorauthpresent":
		return []string{"false"}, true
	}
	return nil, false
}

// Values implements policy.Conditions: what is known of every credential of the user.
func (u *user) Values(key string) ([]string, bool) {
	if key != "aws:groups" {
		return nil, false
	}
	var names []string
	for i, sl := range u.groups {
		if g := sl.current.Load(); g != nil && g.is(u.Groups[i].ID, u.Account) && !g.Disabled {
			names = append(names, g.Name)
		}
	}
	return names, len(names) > 0
}

// attributes are those of a credential with a scope.
type attributes struct {
	u  *user
	sc *scope
}

// Values implements policy.Conditions.
func (a attributes) Values(key string) ([]string, bool) {
	if v, ok := a.sc.Values(key); ok {
		return v, true
	}
	names, ok := a.u.Values(key)
	if key == "aws:groups" {
		for _, sl := range a.sc.groups {
			if g := sl.current.Load(); g != nil && g.err == nil && g.is("", a.u.Account) && !g.Disabled && !slices.Contains(names, g.Name) {
				names, ok = append(names, g.Name), true
			}
		}
	}
	return names, ok
}

// newScope is the scope of a credential that is no session's; nil when it has nothing of its own.
func (sn *snapshot) newScope(name string, list []bounds, g *Grants) (*scope, error) {
	tm, err := sn.newTerms(name, list, g)
	if tm == nil {
		return nil, err
	}
	return &scope{terms: tm}, nil
}

// newTerms compiles what a record says of its credential; nil when it says nothing.
func (sn *snapshot) newTerms(name string, list []bounds, g *Grants) (*terms, error) {
	if len(list) == 0 && g == nil {
		return nil, nil
	}
	tm := &terms{bounds: make([]bound, len(list))}
	if g != nil {
		tm.grants, tm.slots = g, sn.slots(g.Policies)
		for _, n := range g.Groups {
			tm.groups = append(tm.groups, sn.groupSlot(n))
		}
	}
	for i := range list {
		b := &tm.bounds[i]
		b.name = name
		if len(list[i].Document) > 0 {
			p, err := policy.Compile(name, list[i].Document, policy.Identity)
			if err != nil {
				return nil, err
			}
			b.own = p
		}
		b.slots = sn.slots(list[i].Policies)
		if b.own == nil && len(b.slots) == 0 {
			return nil, errors.New("a restriction is empty")
		}
	}
	return tm, nil
}

// evaluateGrants decides by the grants alone. A policy or group that does not exist grants
// nothing; one that can't be read denies, and ok is false.
func (sc *scope) evaluateGrants(q *policy.Query) (res policy.Result, ok bool) {
	for _, sl := range sc.slots {
		st := sl.current.Load()
		if st == nil {
			continue
		}
		one, ok := evaluateState(sl.name, st, q)
		if !ok || one.Effect == policy.Deny {
			return one, ok
		}
		if res.Effect == policy.NoEffect {
			res = one
		}
	}
	for _, sl := range sc.groups {
		one, ok := sl.evaluate("", q)
		if !ok || one.Effect == policy.Deny {
			return one, ok
		}
		if res.Effect == policy.NoEffect {
			res = one
		}
	}
	return res, true
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

// inherited returns the restrictions and grants of the credential that asks for another one.
func (s *Service) inherited(by *Identity) ([]bounds, *Grants, error) {
	if by == nil || by.scope == nil {
		return nil, nil, nil
	}
	sn := s.snap.Load()
	var list []bounds
	switch by.Kind {
	case ServiceKey:
		k, ok := sn.keys.get(by.AccessKey)
		if !ok || k.identity.scope != by.scope {
			return nil, nil, ErrNoSuchKey
		}
		list = k.restrictions()
	case SessionKey:
		ss, ok := sn.sessions.get(by.AccessKey)
		if !ok || ss.identity.scope != by.scope {
			return nil, nil, ErrNoSuchKey
		}
		list = ss.Bounds
	}
	if len(list) != len(by.scope.bounds) {
		return nil, nil, ErrNoSuchKey // it was restricted otherwise a moment ago
	}
	return slices.Clone(list), by.scope.grants, nil
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
	_, err := policy.Parse(doc, policy.Identity)
	return err
}
