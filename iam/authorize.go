package iam

import (
	"sync"
	"sync/atomic"

	"github.com/objsrv/objsrv/iam/policy"
)

// Credential returns the secret behind an access key and whom it stands for. Errors:
// ErrNoSuchKey when there is none (ErrDisabled among them), ErrInvalidToken for a session
// token that does not belong to the key (a long-term key has none), ErrExpired,
// ErrDamaged when its records can't be read.
func (s *Service) Credential(accessKey, sessionToken string) (Credential, error) {
	if accessKey == s.root.AccessKey {
		if sessionToken != "" {
			return Credential{}, ErrInvalidToken
		}
		return s.root, nil
	}
	sn := s.snap.Load()
	k, ok := sn.keys.get(accessKey)
	if !ok {
		return Credential{}, sn.absent(kindKey, accessKey, ErrNoSuchKey)
	}
	u, ok := sn.ids.get(k.UserID)
	switch {
	case !ok:
		return Credential{}, sn.absent(kindUser, k.UserName, ErrNoSuchKey)
	case sessionToken != "":
		return Credential{}, ErrInvalidToken
	case k.Disabled || u.Disabled:
		return Credential{}, ErrDisabled
	}
	return Credential{AccessKey: k.AccessKey, Secret: k.Secret, Identity: k.identity}, nil
}

// absent returns ErrDamaged when the record is there but unreadable, else otherwise.
func (sn *snapshot) absent(kind, name string, otherwise error) error {
	if sn.damaged.n == 0 {
		return otherwise
	}
	if _, ok := sn.damaged.get(damageKey(kind, name)); ok {
		return ErrDamaged
	}
	return otherwise
}

// Statements of decisions that no policy made.
const (
	byRoot       = "root"
	byGone       = "identity is gone"
	byDisabled   = "identity is disabled"
	byUnreadable = "bucket policy is unreadable"
	byACL        = "access control list"
)

// Authorize decides r. Root may do everything. Everybody else needs an Allow and no Deny
// of the identity's policies and the resource's side together; a principal of another account
// needs an Allow of both, the anonymous caller one of the resource's. The resource's side is the
// bucket's policy and the access control lists, which can only allow. A policy that is
// attached but missing or unreadable denies, since what it would have denied is unknown.
func (s *Service) Authorize(r *Request) Decision {
	id := r.Identity
	if id != nil && id.Root && id.ID == s.root.Identity.ID {
		return Decision{Allowed: true, Statement: byRoot}
	}
	q := policy.Query{Action: r.Action, Bucket: r.Bucket, Key: r.Key, Conditions: r.Conditions}
	var own policy.Result
	same := false // the caller's account owns the bucket
	if id != nil {
		u, ok := s.snap.Load().ids.get(id.ID)
		switch {
		case !ok || id.Root:
			return Decision{Statement: byGone}
		case u.Disabled:
			return Decision{Statement: byDisabled}
		}
		q.Caller = policy.Caller{ID: u.ID, Account: u.Account, Name: u.Name, ARN: u.arn}
		if own, ok = u.evaluate(&q); !ok || own.Effect == policy.Deny {
			return Decision{Statement: own.Statement}
		}
		same = u.Account == s.owner(r)
	}
	var res policy.Result
	if len(r.Policy) > 0 && r.Bucket != "" {
		bucket := s.compiled.get(r.Policy)
		if bucket == nil {
			return Decision{Statement: byUnreadable}
		}
		if res = bucket.Evaluate(&q); res.Effect == policy.Deny {
			return Decision{Statement: res.Statement}
		}
	}
	if r.ACL != nil {
		acl := r.ACL()
		if acl.Owner != "" {
			same, res = acl.Owner == q.Caller.Account, policy.Result{}
		}
		if acl.Grant != NoGrant && (res.Effect != policy.Allow || res.Account) {
			res = policy.Result{Effect: policy.Allow, Account: acl.Grant == AccountGrant, Statement: byACL}
		}
	}
	return combine(id != nil, same, own, res)
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

// evaluate combines the user's policies. ok is false when one of them is not available.
func (u *user) evaluate(q *policy.Query) (res policy.Result, ok bool) {
	for _, sl := range u.slots {
		st := sl.current.Load()
		if st == nil || st.err != nil {
			return policy.Result{Statement: "policy " + sl.name + " is unreadable"}, false
		}
		one := st.compiled.Evaluate(q)
		if one.Effect == policy.Deny {
			return one, true
		}
		if res.Effect == policy.NoEffect {
			res = one
		}
	}
	return res, true
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
