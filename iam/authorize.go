package iam

import (
	"strings"
	"sync"
	"sync/atomic"

	"github.com/objsrv/objsrv/iam/policy"
)

// Statements of decisions that no policy made.
const (
	byRoot       = "root"
	byOwnRoot    = "root of the account"
	byDeployment = "the action is the deployment's, and the caller is of another account"
	byGone       = "identity is gone"
	byDisabled   = "identity is disabled"
	byUnreadable = "bucket policy is unreadable"
	byACL        = "access control list"
)

// Authorize decides r. Root may do everything. The root of another account than the deployment's has an Allow of
// everything that accounts have, so that it may do all with what is its account's, and with another's what that lets
// it. Everybody else needs an Allow and no Deny
// of the identity's policies, its groups' and the resource's side together; a principal of another account
// needs an Allow of both, the anonymous caller one of the resource's. The resource's side is the
// bucket's policy and the access control lists, which can only allow. A policy that is
// attached but missing or unreadable denies, since what it would have denied is unknown. What
// is left is cut down to what the policies of the credential itself allow, root's too.
func (s *Service) Authorize(r *Request) Decision {
	d := s.decide(r)
	s.keepRefusal(r, d)
	return d
}

func (s *Service) keepRefusal(r *Request, d Decision) {
	if !d.Allowed && r.RequestID != "" && (d.Explicit || !r.NoAllow) {
		s.refusals.add(refusalOf(r, d, s.now()))
	}
}

func (s *Service) decide(r *Request) Decision {
	id := r.Identity
	q := policy.Query{Action: r.Action, Bucket: r.Bucket, Key: r.Key, KMSKey: r.KMSKey, Conditions: r.Conditions}
	if id != nil && id.Root && id.ID == s.root.Identity.ID {
		q.Caller = rootCaller(id)
		return bounded(Decision{Allowed: true, Statement: byRoot}, id, &q)
	}
	var own policy.Result
	same := false // the caller's account owns the bucket
	if id != nil {
		sn := s.snap.Load()
		u, ok := sn.ids.get(id.ID)
		switch {
		case !ok || id.Root:
			return Decision{Statement: byGone}
		case u.Disabled:
			return Decision{Statement: byDisabled}
		}
		q.Caller = u.caller(id)
		if own, ok = u.evaluate(id.scope, &q); !ok || own.Effect == policy.Deny {
			return Decision{Statement: own.Statement, Explicit: own.Effect == policy.Deny}
		}
		if u.Account != s.account && !ofAccounts(r.Action) {
			return Decision{Statement: byDeployment}
		}
		same = u.Account == s.owner(r) || ofCaller(r.Action)
		if sn.isAccountRoot(&u.userRecord) && ofAccounts(r.Action) {
			if own = (policy.Result{Effect: policy.Allow, Statement: byOwnRoot}); same && neverLost[r.Action] {
				return bounded(Decision{Allowed: true, Statement: byOwnRoot}, id, &q)
			}
		}
	}
	res, d := s.evaluateResource(r, &q, &same)
	if d.Statement != "" {
		return d
	}
	return bounded(combine(id != nil, same, own, res), id, &q)
}

// ofAccounts tells the actions on what belongs to an account. Keys of encryption and the server are the deployment's.
func ofAccounts(action string) bool {
	return strings.HasPrefix(action, "s3:") || ofCaller(action)
}

// ofCaller tells the actions that are always about the caller's own account: sessions, and its identities, whoever asks
// through Admin.
func ofCaller(action string) bool { return strings.HasPrefix(action, "sts:") || accountActions[action] }

// neverLost are the actions by which the root of an account always gets back into a bucket of the account, whatever its
// policy denies (S3 API reference, PutBucketPolicy).
var neverLost = map[string]bool{"s3:GetBucketPolicy": true, "s3:PutBucketPolicy": true, "s3:DeleteBucketPolicy": true}

// rootCaller is what policies see of root and of credentials derived from it.
func rootCaller(id *Identity) policy.Caller {
	c := policy.Caller{ID: id.ID, Account: id.Account, ARN: id.ARN, Root: true, Session: id.Kind == SessionKey}
	if id.scope != nil {
		c.Attributes = id.scope
	}
	return c
}

// caller is what policies see of a user behind one of its credentials.
func (u *user) caller(id *Identity) policy.Caller {
	c := policy.Caller{
		ID: u.ID, Account: u.Account, Name: u.Name, ARN: u.arn, Root: u.isRoot(), Session: id.Kind == SessionKey, Attributes: u,
	}
	if id.scope != nil {
		c.Attributes = attributes{u, id.scope}
	}
	return c
}

// bounded cuts d down to what the credential's own policies allow.
func bounded(d Decision, id *Identity, q *policy.Query) Decision {
	if !d.Allowed || id == nil || id.scope == nil {
		return d
	}
	if refused, ok := id.scope.evaluate(q); !ok {
		return refused
	}
	return d
}

// evaluateResource asks the bucket's policy and the access control lists, which may say that
// the resource is another account's. A Decision with a Statement is final.
func (s *Service) evaluateResource(r *Request, q *policy.Query, same *bool) (res policy.Result, d Decision) {
	if len(r.Policy) > 0 && r.Bucket != "" {
		bucket := s.compiled.get(r.Policy)
		if bucket == nil {
			return res, Decision{Statement: byUnreadable}
		}
		if res = bucket.Evaluate(q); res.Effect == policy.Deny {
			return res, Decision{Statement: res.Statement, Explicit: true}
		}
	}
	if r.ACL != nil {
		acl := r.ACL()
		if acl.Owner != "" {
			*same, res = acl.Owner == q.Caller.Account, policy.Result{}
		}
		if acl.Grant != NoGrant && (res.Effect != policy.Allow || res.Account) {
			res = policy.Result{Effect: policy.Allow, Account: acl.Grant == AccountGrant, Statement: byACL}
		}
	}
	return res, d
}

// combine joins what the identity's side and the resource's side say, when neither denies.
func combine(known, same bool, own, res policy.Result) Decision {
	switch {
	case known && same:
		if own.Effect == policy.Allow || res.Effect == policy.NoEffect {
			return Decision{Allowed: own.Effect == policy.Allow, Statement: own.Statement}
		}
		return Decision{Allowed: !res.Account, Statement: res.Statement}
	case known && res.Effect == policy.NoEffect:
		return Decision{Statement: own.Statement}
	case known:
		return Decision{Allowed: own.Effect == policy.Allow, Statement: res.Statement}
	}
	return Decision{Allowed: res.Effect == policy.Allow, Statement: res.Statement}
}

// owner returns the account that owns what r is about.
func (s *Service) owner(r *Request) string {
	if r.Owner == "" {
		return s.account
	}
	return r.Owner
}

// evaluate combines the user's policies with those of its groups, and with the grants of its
// credential. ok is false when one of them is not available, or when a group is disabled: that
// locks its members out, as in MinIO.
func (u *user) evaluate(sc *scope, q *policy.Query) (res policy.Result, ok bool) {
	if res, ok = evaluateSlots(u.slots, q); !ok || res.Effect == policy.Deny {
		return res, ok
	}
	for i, sl := range u.groups {
		one, ok := sl.evaluate(u.Groups[i].ID, q)
		if !ok || one.Effect == policy.Deny {
			return one, ok
		}
		if res.Effect == policy.NoEffect {
			res = one
		}
	}
	if sc != nil {
		one, ok := sc.evaluateGrants(q)
		if !ok || one.Effect != policy.NoEffect && res.Effect == policy.NoEffect || one.Effect == policy.Deny {
			return one, ok
		}
	}
	return res, true
}

// is tells whether a group has the id, which is "" for any, and counts in the account: in its own, and in all when an identity
// provider's people are in it, whose groups are the deployment's.
func (g *group) is(id, account string) bool {
	return (id == "" || g.ID == id) && (g.external || g.Account == account)
}

// evaluate decides by the policies of a group while it is what is meant.
func (sl *groupSlot) evaluate(id string, q *policy.Query) (res policy.Result, ok bool) {
	switch g := sl.current.Load(); {
	case g == nil:
		return res, true
	case g.err != nil:
		return policy.Result{Statement: "group " + sl.name + " is unreadable"}, false
	case !g.is(id, q.Caller.Account):
		return res, true
	case g.Disabled:
		return policy.Result{Statement: "group " + sl.name + " is disabled"}, false
	default:
		return evaluateSlots(g.slots, q)
	}
}

// evaluateSlots combines policies. ok is false when one of them is not available.
func evaluateSlots(slots []*policySlot, q *policy.Query) (res policy.Result, ok bool) {
	for _, sl := range slots {
		one, ok := evaluateState(sl.name, sl.current.Load(), q)
		if !ok || one.Effect == policy.Deny {
			return one, ok
		}
		if res.Effect == policy.NoEffect {
			res = one
		}
	}
	return res, true
}

func evaluateState(name string, st *policyState, q *policy.Query) (res policy.Result, ok bool) {
	if st == nil || st.err != nil {
		return policy.Result{Statement: "policy " + name + " is unreadable"}, false
	}
	return st.compiled.Evaluate(q), true
}

// maxDocuments bounds the bucket policies that are kept compiled.
const maxDocuments = 1024

// documents caches compiled bucket policies by their text. The zero is empty.
type documents struct {
	current atomic.Pointer[map[string]*policy.Policy]
	mu      sync.Mutex
}

// get returns the compiled form of data, or nil when it is no bucket policy.
func (d *documents) get(data []byte) *policy.Policy {
	if m := d.current.Load(); m != nil {
		if p, ok := (*m)[string(data)]; ok {
			return p
		}
	}
	p, err := policy.Compile("bucket policy", data, policy.Resource)
	if err != nil {
		p = nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	next := make(map[string]*policy.Policy)
	if m := d.current.Load(); m != nil && len(*m) < maxDocuments {
		for k, v := range *m {
			next[k] = v
		}
	}
	next[string(data)] = p
	d.current.Store(&next)
	return p
}
