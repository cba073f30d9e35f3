package iam

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/objsrv/objsrv/iam/policy"
	"github.com/objsrv/objsrv/iam/store"
)

// Policy is a policy as it is shown.
type Policy struct {
	Name     string          `json:"name"`              // see policyName
	Account  string          `json:"account,omitempty"` // whose it is; "" for canned ones and those of the deployment
	Canned   bool            `json:"canned"`
	Document json.RawMessage `json:"document,omitempty"`
	Created  *time.Time      `json:"created,omitempty"`
	Updated  *time.Time      `json:"updated,omitempty"`
	// Damaged says why the record can't be read; then there is no document.
	Damaged string `json:"damaged,omitempty"`
}

// Policy returns one of the policies that all accounts share, or ErrNoSuchPolicy.
func (s *Service) Policy(name string) (Policy, error) {
	if account, _ := splitPolicy(name); account != "" {
		return Policy{}, ErrNoSuchPolicy
	}
	return s.anyPolicy(name)
}

// anyPolicy is Policy for one of an account as well.
func (s *Service) anyPolicy(name string) (Policy, error) {
	if sl, ok := s.snap.Load().policies.get(name); ok {
		if st := sl.current.Load(); st != nil {
			return st.public(name), nil
		}
	}
	return Policy{}, ErrNoSuchPolicy
}

// Policies returns all policies, those of accounts among them, in byte order of their names.
func (s *Service) Policies() []Policy {
	var out []Policy
	s.snap.Load().policies.all(func(name string, sl *policySlot) bool {
		if st := sl.current.Load(); st != nil {
			out = append(out, st.public(name))
		}
		return true
	})
	slices.SortFunc(out, func(a, b Policy) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func (st *policyState) public(name string) Policy {
	p := Policy{Name: name, Canned: st.canned, Document: slices.Clone(st.document)}
	p.Account, _ = splitPolicy(name)
	if st.err != nil {
		p.Damaged = st.err.Error()
	}
	if !st.canned && st.err == nil {
		p.Created, p.Updated = &st.created, &st.updated
	}
	return p
}

// policyName is the name of a policy of an account other than the deployment's, which the account itself calls name:
// ACCOUNT/name. Names that all accounts share have no account before them.
func policyName(account, name string) string { return account + "/" + name }

// splitPolicy returns the account of a policy, "" for one that is shared, and its name there.
func splitPolicy(name string) (account, own string) {
	account, own, ok := strings.Cut(name, "/")
	if !ok || CheckAccount(account) != nil {
		return "", name
	}
	return account, own
}

// namedPolicy returns the policy that somebody of an account means by a name: the account's own, or a shared one. The
// deployment's administrators mean a shared one, so that what an account calls its own never stands in for it.
func (s *Service) namedPolicy(account, name string) string {
	if own := policyName(account, name); account != s.account {
		if sl, ok := s.snap.Load().policies.get(own); ok && sl.current.Load() != nil {
			return own
		}
	}
	return name
}

// namedPolicies is namedPolicy of several.
func (s *Service) namedPolicies(account string, names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = s.namedPolicy(account, n)
	}
	return out
}

// normalPolicies returns policies for somebody of an account, in order. Those of other accounts are refused: who writes them would write the rights of others.
func (s *Service) normalPolicies(account string, names []string) ([]string, error) {
	out := make([]string, 0, len(names))
	for _, n := range names {
		of, own := splitPolicy(n)
		if err := CheckPolicyName(own); err != nil {
			return nil, err
		}
		if of != "" && (of != account || of == s.account) {
			return nil, fmt.Errorf("%w: the policy %s is another account's", ErrInvalid, n)
		}
		out = append(out, n)
	}
	return sortedPolicies(out)
}

// sortedPolicies sorts names and drops repetitions.
func sortedPolicies(names []string) ([]string, error) {
	out := slices.Compact(slices.Sorted(slices.Values(names)))
	if len(out) > MaxPolicies {
		return nil, fmt.Errorf("%w: a user or group has at most %d policies", ErrInvalid, MaxPolicies)
	}
	return out, nil
}

// policyChecks returns the checks that the named policies exist when the commit happens.
// Canned ones always do.
func (s *Service) policyChecks(ctx context.Context, names []string) ([]store.Change, error) {
	var out []store.Change
	for _, n := range names {
		if isCanned(n) {
			continue
		}
		r, err := s.store.Get(ctx, kindPolicy, n)
		if errors.Is(err, store.ErrNotFound) {
			return nil, fmt.Errorf("%w: %s", ErrNoSuchPolicy, n)
		}
		if err != nil {
			return nil, domainError(err)
		}
		out = append(out, store.Change{Op: store.Check, Kind: kindPolicy, Name: n, Revision: r.Revision})
	}
	return out, nil
}

func isCanned(name string) bool {
	return slices.ContainsFunc(policy.CannedPolicies(), func(c policy.Canned) bool { return c.Name == name })
}

// SetPolicy creates or replaces a policy. Errors: ErrInvalid, a *policy.SyntaxError that
// says where the document is wrong, ErrReserved for a canned policy's name.
func (s *Service) SetPolicy(ctx context.Context, name string, document []byte) (Policy, error) {
	return s.setPolicy(ctx, s.account, name, document)
}

// setPolicy is SetPolicy for one of an account, by the name that it has there. ErrExists when it is that of a shared one.
func (s *Service) setPolicy(ctx context.Context, account, name string, document []byte) (Policy, error) {
	fail := func(err error) (Policy, error) { return Policy{}, fmt.Errorf("set policy: %w", err) }
	if of, _ := splitPolicy(name); of != "" {
		return fail(fmt.Errorf("%w: %s is written by the administrators of account %s", ErrInvalid, name, of))
	}
	if err := CheckPolicyName(name); err != nil {
		return fail(err)
	}
	if isCanned(name) {
		return fail(fmt.Errorf("%w: it is a canned policy", ErrReserved))
	}
	if account != s.account {
		if _, err := s.Policy(name); err == nil {
			return fail(fmt.Errorf("%w: a policy of the deployment has it, which all accounts share", ErrExists))
		}
		name = policyName(account, name)
	}
	if len(document) > policy.MaxBucketDocument {
		return fail(fmt.Errorf("%w: a policy has at most %d bytes", ErrInvalid, policy.MaxBucketDocument))
	}
	if _, err := policy.Parse(document, policy.Identity); err != nil {
		return fail(err)
	}
	for range attempts {
		p := policyRecord{header: header{formatVersion, account}, Name: name, Document: document, Updated: s.now().UTC()}
		p.Created = p.Updated
		var rev uint64
		switch r, err := s.store.Get(ctx, kindPolicy, name); {
		case err == nil:
			var old policyRecord
			if rev = r.Revision; decode(r.Value, &old, &old.header) == nil {
				p.Created = old.Created
			}
		case errors.Is(err, store.ErrDamaged):
			rev = store.Any // writing it anew is how it is healed
		case !errors.Is(err, store.ErrNotFound):
			return fail(domainError(err))
		}
		joined, err := s.joinAccount(ctx, account)
		if err != nil {
			return fail(err)
		}
		changes, err := appendPut(joined, kindPolicy, name, rev, p)
		if err != nil {
			return fail(err)
		}
		if err = s.commit(ctx, changes...); err == nil {
			return s.anyPolicy(name)
		}
		if !errors.Is(err, store.ErrConflict) {
			return fail(err)
		}
	}
	return fail(store.ErrConflict)
}

// DeletePolicy removes a policy, also one of an account by its whole name. Errors: ErrNoSuchPolicy, ErrReserved for a canned one,
// ErrInUse while a user or a group has it. A user to whom it is attached in the same moment is
// denied everything until it is detached.
func (s *Service) DeletePolicy(ctx context.Context, name string) error {
	fail := func(err error) error { return fmt.Errorf("delete policy: %w", err) }
	if isCanned(name) {
		return fail(fmt.Errorf("%w: it is a canned policy", ErrReserved))
	}
	if _, own := splitPolicy(name); CheckPolicyName(own) != nil {
		return fail(ErrNoSuchPolicy)
	}
	rev := store.Any
	switch r, err := s.store.Get(ctx, kindPolicy, name); {
	case err == nil:
		rev = r.Revision
	case errors.Is(err, store.ErrNotFound):
		return fail(ErrNoSuchPolicy)
	case !errors.Is(err, store.ErrDamaged):
		return fail(domainError(err))
	}
	if s.snap.Load().inUse(name) {
		return fail(ErrInUse)
	}
	if err := s.commit(ctx, store.Change{Op: store.Delete, Kind: kindPolicy, Name: name, Revision: rev}); err != nil {
		return fail(err)
	}
	return nil
}

// inUse tells whether a policy is attached to somebody.
func (sn *snapshot) inUse(name string) (used bool) {
	sn.users.all(func(_ string, u *user) bool {
		used = slices.Contains(u.Policies, name)
		return !used
	})
	if used {
		return true
	}
	sn.groups.all(func(_ string, sl *groupSlot) bool {
		g := sl.current.Load()
		used = g != nil && slices.Contains(g.Policies, name)
		return !used
	})
	return used
}

// newPolicies returns the policies of somebody of an account after a change of those in list, and the checks that
// those which are new exist when it is committed.
func (s *Service) newPolicies(ctx context.Context, account string, list []string, all *[]string, attach, detach []string) ([]string, []store.Change, error) {
	if all == nil && len(attach) == 0 && len(detach) == 0 {
		return list, nil, nil
	}
	next := list
	if all != nil {
		next = *all
	}
	next = slices.DeleteFunc(slices.Concat(next, attach), func(p string) bool { return slices.Contains(detach, p) })
	next, err := s.normalPolicies(account, next)
	if err != nil {
		return nil, nil, err
	}
	added := slices.DeleteFunc(slices.Clone(next), func(p string) bool { return slices.Contains(list, p) })
	changes, err := s.policyChecks(ctx, added)
	return next, changes, err
}
