package iam

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/objsrv/objsrv/iam/policy"
	"github.com/objsrv/objsrv/iam/store"
)

// snapshot is everything that requests are answered from, as of one revision. It is
// immutable but for the slots of policies.
type snapshot struct {
	revision uint64
	users    trie[*user]       // by name
	ids      trie[*user]       // by unique id
	keys     trie[*accessKey]  // by access key
	policies trie[*policySlot] // by name, the canned ones among them
	damaged  trie[error]       // by kind and name
	accounts trie[accountUse]  // by canonical id, those that have a user
}

// accountUse is an account and the number of its users.
type accountUse struct {
	account string
	users   int
}

type user struct {
	userRecord
	arn   string
	slots []*policySlot // of Policies, in their order
}

type accessKey struct {
	keyRecord
	identity *Identity
}

// policySlot is the place of one policy name. Users point to it, so that a change of a
// policy reaches all of them at once; it stays when its policy goes.
type policySlot struct {
	name    string
	current atomic.Pointer[policyState]
}

// policyState is a policy at one time. An empty slot, or one with err, blocks everybody
// who has the policy attached: what it would have denied is unknown.
type policyState struct {
	compiled *policy.Policy
	document []byte
	canned   bool
	created  time.Time
	updated  time.Time
	err      error
}

// thaw makes changes cheap until freeze, which comes before anybody else sees the snapshot.
func (sn *snapshot) thaw() {
	sn.users, sn.ids, sn.keys = sn.users.thawed(), sn.ids.thawed(), sn.keys.thawed()
	sn.policies, sn.damaged, sn.accounts = sn.policies.thawed(), sn.damaged.thawed(), sn.accounts.thawed()
}

func (sn *snapshot) freeze() {
	sn.users, sn.ids, sn.keys = sn.users.frozen(), sn.ids.frozen(), sn.keys.frozen()
	sn.policies, sn.damaged, sn.accounts = sn.policies.frozen(), sn.damaged.frozen(), sn.accounts.frozen()
}

// newSnapshot returns a thawed snapshot with the canned policies.
func newSnapshot() (*snapshot, error) {
	sn := &snapshot{
		users: newTrie[*user](), ids: newTrie[*user](), keys: newTrie[*accessKey](),
		policies: newTrie[*policySlot](), damaged: newTrie[error](), accounts: newTrie[accountUse](),
	}
	sn.thaw()
	for _, c := range policy.CannedPolicies() {
		p, err := policy.Compile(c.Name, []byte(c.Document), policy.Identity)
		if err != nil {
			return nil, fmt.Errorf("compile policy %s: %w", c.Name, err)
		}
		sn.slot(c.Name).current.Store(&policyState{compiled: p, document: []byte(c.Document), canned: true})
	}
	return sn, nil
}

// slot returns the place of a policy name, new when there was none.
func (sn *snapshot) slot(name string) *policySlot {
	if sl, ok := sn.policies.get(name); ok {
		return sl
	}
	sl := &policySlot{name: name}
	sn.policies = sn.policies.with(name, sl)
	return sl
}

func damageKey(kind, name string) string { return kind + "/" + name }

// put applies a written record. A record that can't be understood leaves its place
// marked as damaged and returns the reason.
func (sn *snapshot) put(r *store.Record) error {
	sn.remove(r.Kind, r.Name)
	var err error
	switch r.Kind {
	case kindUser:
		err = sn.putUser(r)
	case kindKey:
		err = sn.putKey(r)
	case kindPolicy:
		err = sn.putPolicy(r)
	case kindDeployment:
	default:
		err = errors.New("kind is not known")
	}
	if err != nil {
		err = &store.DamageError{Kind: r.Kind, Name: r.Name, Reason: err.Error()}
		sn.damage(r.Kind, r.Name, err)
	}
	return err
}

// damage marks a record as unreadable.
func (sn *snapshot) damage(kind, name string, err error) {
	sn.remove(kind, name)
	sn.damaged = sn.damaged.with(damageKey(kind, name), err)
	if kind == kindPolicy {
		sn.slot(name).current.Store(&policyState{err: err})
	}
}

// remove takes a record out, and the mark of its damage.
func (sn *snapshot) remove(kind, name string) {
	sn.damaged = sn.damaged.without(damageKey(kind, name))
	switch kind {
	case kindUser:
		if u, ok := sn.users.get(name); ok {
			sn.users = sn.users.without(name)
			sn.ids = sn.ids.without(u.ID)
			sn.count(u.Account, -1)
		}
	case kindKey:
		sn.keys = sn.keys.without(name)
	case kindPolicy:
		if sl, ok := sn.policies.get(name); ok {
			sl.current.Store(nil)
		}
	}
}

func (sn *snapshot) putUser(r *store.Record) error {
	u := &user{}
	if err := decode(r.Value, &u.userRecord, &u.header); err != nil {
		return err
	}
	if u.Name != r.Name || u.ID == "" {
		return errors.New("it describes another user")
	}
	u.arn = userARN(u.Account, u.Name)
	for _, name := range u.Policies {
		u.slots = append(u.slots, sn.slot(name))
	}
	sn.users = sn.users.with(u.Name, u)
	sn.ids = sn.ids.with(u.ID, u)
	sn.count(u.Account, 1)
	return nil
}

// count adds n to the users of an account.
func (sn *snapshot) count(account string, n int) {
	id := CanonicalID(account)
	use, _ := sn.accounts.get(id)
	use.account = account
	if use.users += n; use.users > 0 {
		sn.accounts = sn.accounts.with(id, use)
	} else {
		sn.accounts = sn.accounts.without(id)
	}
}

func (sn *snapshot) putKey(r *store.Record) error {
	k := &accessKey{}
	if err := decode(r.Value, &k.keyRecord, &k.header); err != nil {
		return err
	}
	if k.AccessKey != r.Name || k.UserID == "" || k.Secret == "" {
		return errors.New("it describes another key")
	}
	k.identity = &Identity{
		Account: k.Account, ID: k.UserID, Name: k.UserName,
		ARN: userARN(k.Account, k.UserName), AccessKey: k.AccessKey,
	}
	sn.keys = sn.keys.with(k.AccessKey, k)
	return nil
}

func (sn *snapshot) putPolicy(r *store.Record) error {
	var p policyRecord
	if err := decode(r.Value, &p, &p.header); err != nil {
		return err
	}
	if p.Name != r.Name {
		return errors.New("it describes another policy")
	}
	compiled, err := policy.Compile(p.Name, p.Document, policy.Identity)
	if err != nil {
		return err
	}
	sn.slot(p.Name).current.Store(&policyState{
		compiled: compiled, document: slices.Clone([]byte(p.Document)), created: p.Created, updated: p.Updated,
	})
	return nil
}

func userARN(account, name string) string { return "arn:aws:iam::" + account + ":user/" + name }
