package iam

import (
	"fmt"

	"github.com/objsrv/objsrv/iam/policy"
)

// Traced is what one statement says of a simulated request.
type Traced struct {
	// Of says whose statement it is: "user", "group NAME", "provider" for what an identity provider has
	// granted, "credential" for what bounds the credential, "bucket".
	Of string
	policy.StatementTrace
}

// Trace tells of every statement that Simulate would look at, or would if none before it
// decided, whether it matches and why not. Root has none but its credential's. Policies that
// can't be read, and disabled groups, are left out: Simulate's Decision names them. Errors are those of
// Simulate.
func (s *Service) Trace(principal string, r Request) ([]Traced, error) {
	id, err := s.principal(principal)
	if err != nil {
		return nil, fmt.Errorf("trace: %w", err)
	}
	q := policy.Query{Action: r.Action, Bucket: r.Bucket, Key: r.Key, KMSKey: r.KMSKey, Conditions: r.Conditions}
	t := tracer{q: &q, out: []Traced{}}
	switch {
	case id == nil:
	case id.Root:
		q.Caller = rootCaller(id)
	default:
		u, ok := s.snap.Load().ids.get(id.ID)
		if !ok {
			return t.out, nil
		}
		q.Caller = u.caller(id)
		t.user(u, id.scope)
	}
	root := id != nil && id.Root
	if bucket := s.bucketPolicy(&r); bucket != nil && !root {
		t.policy("bucket", bucket)
	}
	if id != nil && id.scope != nil {
		for _, b := range id.scope.bounds {
			t.slots("credential", b.slots)
			if b.own != nil {
				t.policy("credential", b.own)
			}
		}
	}
	return t.out, nil
}

// bucketPolicy returns the compiled policy of a request's bucket; nil when there is none, or
// when it can't be read.
func (s *Service) bucketPolicy(r *Request) *policy.Policy {
	if len(r.Policy) == 0 || r.Bucket == "" {
		return nil
	}
	return s.compiled.get(r.Policy)
}

// tracer collects what the statements of policies say to q.
type tracer struct {
	q   *policy.Query
	out []Traced
}

func (t *tracer) policy(of string, p *policy.Policy) {
	for _, st := range p.Trace(t.q) {
		t.out = append(t.out, Traced{Of: of, StatementTrace: st})
	}
}

func (t *tracer) slots(of string, slots []*policySlot) {
	for _, sl := range slots {
		if st := sl.current.Load(); st != nil && st.err == nil {
			t.policy(of, st.compiled)
		}
	}
}

func (t *tracer) group(sl *groupSlot, id string) {
	if g := sl.current.Load(); g != nil && g.err == nil && !g.Disabled && g.is(id, t.q.Caller.Account) {
		t.slots("group "+sl.name, g.slots)
	}
}

// user traces the policies of a user, of its groups, and what its credential has beside them.
func (t *tracer) user(u *user, sc *scope) {
	t.slots("user", u.slots)
	for i, sl := range u.groups {
		t.group(sl, u.Groups[i].ID)
	}
	if sc == nil {
		return
	}
	t.slots("provider", sc.slots)
	for _, sl := range sc.groups {
		t.group(sl, "")
	}
}
