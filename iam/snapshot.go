package iam

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/objsrv/objsrv/iam/policy"
)

// snapshot is everything that requests are answered from, as of one revision. It is
// immutable but for the slots of policies and groups.
type snapshot struct {
	revision uint64
	root     *Identity
	users    trie[*user]          // by qualified name
	ids      trie[*user]          // by unique id
	groups   trie[*groupSlot]     // by qualified name
	keys     trie[*accessKey]     // by access key
	sessions trie[*session]       // by access key
	policies trie[*policySlot]    // by name, the canned ones among them
	damaged  trie[error]          // by kind and name
	accounts trie[accountUse]     // by canonical id, those that were made or have a user
	settings trie[*accountRecord] // by account id, of accounts that were made or have settings
	members  trie[trie[void]]     // user names by group name
	children trie[trie[void]]     // service keys by the user's id
	issued   trie[trie[void]]     // sessions by the user's id
	known    names                // of the users of sessions
	nothing  *terms               // of sessions that are not restricted and grant nothing
}

type void struct{}

// accountUse is an account with the numbers of its users and of records that made it.
type accountUse struct {
	account     string
	users, made int
}

type user struct {
	userRecord
	revision uint64
	arn      string
	slots    []*policySlot // of Policies, in their order
	groups   []*groupSlot  // of Groups, in their order
}

type accessKey struct {
	keyRecord
	identity *Identity
}

type session struct {
	sessionRecord
	identity Identity
	scope    scope // of identity
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

// groupSlot is the place of one group name, as policySlot is of a policy's.
type groupSlot struct {
	name    string
	current atomic.Pointer[group]
}

// group is a group at one time; one with err blocks its members.
type group struct {
	groupRecord
	external bool // of an identity provider
	slots    []*policySlot
	err      error
}

// thaw makes changes cheap until freeze, which comes before anybody else sees the snapshot.
func (sn *snapshot) thaw() {
	sn.users, sn.ids, sn.groups = sn.users.thawed(), sn.ids.thawed(), sn.groups.thawed()
	sn.keys, sn.sessions = sn.keys.thawed(), sn.sessions.thawed()
	sn.policies, sn.damaged, sn.accounts = sn.policies.thawed(), sn.damaged.thawed(), sn.accounts.thawed()
	sn.settings = sn.settings.thawed()
	sn.members, sn.children, sn.issued = sn.members.thawed(), sn.children.thawed(), sn.issued.thawed()
}

func (sn *snapshot) freeze() {
	sn.users, sn.ids, sn.groups = sn.users.frozen(), sn.ids.frozen(), sn.groups.frozen()
	sn.keys, sn.sessions = sn.keys.frozen(), sn.sessions.frozen()
	sn.policies, sn.damaged, sn.accounts = sn.policies.frozen(), sn.damaged.frozen(), sn.accounts.frozen()
	sn.settings = sn.settings.frozen()
	sn.members, sn.children, sn.issued = sn.members.frozen(), sn.children.frozen(), sn.issued.frozen()
}

// newSnapshot returns a thawed snapshot with the canned policies.
func newSnapshot(root *Identity) (*snapshot, error) {
	sn := &snapshot{
		root: root, users: newTrie[*user](), ids: newTrie[*user](), groups: newTrie[*groupSlot](),
		keys: newTrie[*accessKey](), sessions: newTrie[*session](),
		policies: newTrie[*policySlot](), damaged: newTrie[error](), accounts: newTrie[accountUse](), settings: newTrie[*accountRecord](),
		members: newTrie[trie[void]](), children: newTrie[trie[void]](), issued: newTrie[trie[void]](),
		known: names{}, nothing: &terms{},
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

// groupSlot returns the place of a group name, new when there was none.
func (sn *snapshot) groupSlot(name string) *groupSlot {
	if sl, ok := sn.groups.get(name); ok {
		return sl
	}
	sl := &groupSlot{name: name}
	sn.groups = sn.groups.with(name, sl)
	return sl
}

// slots returns the places of policy names, in their order.
func (sn *snapshot) slots(names []string) []*policySlot {
	if len(names) == 0 {
		return nil
	}
	out := make([]*policySlot, len(names))
	for i, n := range names {
		out[i] = sn.slot(n)
	}
	return out
}

func damageKey(kind, name string) string { return kind + "/" + name }

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

// has tells whether a sound record of this name is in the snapshot.
func (sn *snapshot) has(kind, name string) (ok bool) {
	switch kind {
	case kindUser:
		_, ok = sn.users.get(name)
	case kindKey:
		_, ok = sn.keys.get(name)
	case kindSession:
		_, ok = sn.sessions.get(name)
	case kindGroup:
		_, ok = sn.group(name)
	case kindAccount:
		_, ok = sn.settings.get(name)
	case kindPolicy:
		sl, known := sn.policies.get(name)
		ok = known && sl.current.Load() != nil
	}
	return ok
}

// group returns a group that is there and can be read.
func (sn *snapshot) group(name string) (*group, bool) {
	sl, ok := sn.groups.get(name)
	if !ok {
		return nil, false
	}
	g := sl.current.Load()
	return g, g != nil && g.err == nil
}

// link and unlink keep an index of names, such as the members of a group.
func link(index trie[trie[void]], key, name string) trie[trie[void]] {
	set, ok := index.get(key)
	if !ok {
		set = newTrie[void]()
	}
	set.owner = index.owner // a set that is filled in one go is changed in place
	set = set.with(name, void{})
	set.owner = nil
	return index.with(key, set)
}

func unlink(index trie[trie[void]], key, name string) trie[trie[void]] {
	set, ok := index.get(key)
	if !ok {
		return index
	}
	if set = set.without(name); set.n == 0 {
		return index.without(key)
	}
	return index.with(key, set)
}
