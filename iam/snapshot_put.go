package iam

import (
	"crypto/sha256"
	"errors"
	"slices"
	"sync"

	"github.com/objsrv/objsrv/iam/policy"
	"github.com/objsrv/objsrv/iam/store"
)

// put applies a written record. A record that can't be understood leaves its place
// marked as damaged and returns the reason.
func (sn *snapshot) put(r *store.Record) error {
	sn.remove(r.Kind, r.Name)
	return sn.add(r)
}

// add is put where no record of that name is there.
func (sn *snapshot) add(r *store.Record) error {
	var err error
	switch r.Kind {
	case kindUser:
		err = sn.putUser(r)
	case kindGroup:
		err = sn.putGroup(r)
	case kindKey:
		err = sn.putKey(r)
	case kindSession:
		err = sn.putSession(r)
	case kindPolicy:
		err = sn.putPolicy(r)
	case kindAccount:
		err = sn.putAccount(r)
	case kindDeployment, kindConfig, kindBucket:
	default:
		err = errors.New("kind is not known")
	}
	if err != nil {
		err = sn.unreadable(r, err)
	}
	return err
}

// unreadable marks a record that can't be understood.
func (sn *snapshot) unreadable(r *store.Record, why error) error {
	err := &store.DamageError{Kind: r.Kind, Name: r.Name, Reason: why.Error()}
	sn.damage(r.Kind, r.Name, err)
	return err
}

// damage marks a record as unreadable.
func (sn *snapshot) damage(kind, name string, err error) {
	sn.remove(kind, name)
	sn.damaged = sn.damaged.with(damageKey(kind, name), err)
	switch kind {
	case kindPolicy:
		sn.slot(name).current.Store(&policyState{err: err})
	case kindGroup:
		sn.groupSlot(name).current.Store(&group{err: err})
	}
}

// remove takes a record out, and the mark of its damage.
func (sn *snapshot) remove(kind, name string) {
	if sn.damaged.n > 0 {
		sn.damaged = sn.damaged.without(damageKey(kind, name))
	}
	switch kind {
	case kindUser:
		if u, ok := sn.users.get(name); ok {
			sn.users, sn.ids = sn.users.without(name), sn.ids.without(u.ID)
			for _, g := range u.Groups {
				sn.members = unlink(sn.members, g.Name, u.Name)
			}
			sn.count(u.Account, -1, 0)
		}
	case kindGroup:
		if sl, ok := sn.groups.get(name); ok {
			sl.current.Store(nil)
		}
	case kindKey:
		if k, ok := sn.keys.get(name); ok {
			sn.keys = sn.keys.without(name)
			if k.Service {
				sn.children = unlink(sn.children, k.UserID, k.AccessKey)
			}
		}
	case kindSession:
		if ss, ok := sn.sessions.get(name); ok {
			sn.sessions = sn.sessions.without(name)
			sn.issued = unlink(sn.issued, ss.UserID, ss.AccessKey)
		}
	case kindPolicy:
		if sl, ok := sn.policies.get(name); ok {
			sl.current.Store(nil)
		}
	case kindAccount:
		if a, ok := sn.settings.get(name); ok && a.made() {
			sn.count(a.Account, 0, -1)
		}
		sn.settings = sn.settings.without(name)
	}
}

func (sn *snapshot) putUser(r *store.Record) error {
	u := &user{revision: r.Revision}
	if err := decode(r.Value, &u.userRecord, &u.header); err != nil {
		return err
	}
	if u.Name != r.Name || u.ID == "" {
		return errors.New("it describes another user")
	}
	u.arn = principalARN(u.Account, u.ID, u.Name)
	u.slots = sn.slots(u.Policies)
	for _, g := range u.Groups {
		u.groups = append(u.groups, sn.groupSlot(g.Name))
		sn.members = link(sn.members, g.Name, u.Name)
	}
	sn.users = sn.users.with(u.Name, u)
	sn.ids = sn.ids.with(u.ID, u)
	sn.count(u.Account, 1, 0)
	return nil
}

// count adds to the users of an account, and to the records that made it.
func (sn *snapshot) count(account string, users, made int) {
	id := CanonicalID(account)
	use, _ := sn.accounts.get(id)
	use.account = account
	use.users, use.made = use.users+users, use.made+made
	if use.users > 0 || use.made > 0 {
		sn.accounts = sn.accounts.with(id, use)
	} else {
		sn.accounts = sn.accounts.without(id)
	}
}

func (sn *snapshot) putGroup(r *store.Record) error {
	g := &group{}
	if err := decode(r.Value, &g.groupRecord, &g.header); err != nil {
		return err
	}
	if g.Name != r.Name || g.ID == "" {
		return errors.New("it describes another group")
	}
	source, _ := SplitName(g.Name)
	g.slots, g.external = sn.slots(g.Policies), source != SourceLocal
	sn.groupSlot(g.Name).current.Store(g)
	return nil
}

func (sn *snapshot) putKey(r *store.Record) error {
	k := &accessKey{}
	if err := decode(r.Value, &k.keyRecord, &k.header); err != nil {
		return err
	}
	if k.AccessKey != r.Name || k.UserID == "" || k.Secret == "" {
		return errors.New("it describes another key")
	}
	sc, err := sn.newScope("policy of access key "+k.AccessKey, k.restrictions(), k.Grants)
	if err != nil {
		return err
	}
	id := sn.identity(k.Account, k.UserID, k.UserName, k.AccessKey)
	id.scope = sc
	k.identity = &id
	if k.Service {
		k.identity.Kind = ServiceKey
		sn.children = link(sn.children, k.UserID, k.AccessKey)
	}
	sn.keys = sn.keys.with(k.AccessKey, k)
	return nil
}

func (sn *snapshot) putSession(r *store.Record) error {
	ss, err := sn.readSession(r)
	if err != nil {
		return err
	}
	sn.sessions = sn.sessions.with(ss.AccessKey, ss)
	sn.issued = link(sn.issued, ss.UserID, ss.AccessKey)
	return nil
}

// putSessions puts all of a start at once: both indexes grow side by side.
func (sn *snapshot) putSessions(list []*session) {
	var wg sync.WaitGroup
	wg.Go(func() {
		for _, ss := range list {
			sn.issued = link(sn.issued, ss.UserID, ss.AccessKey)
		}
	})
	for _, ss := range list {
		sn.sessions = sn.sessions.with(ss.AccessKey, ss)
	}
	wg.Wait()
}

func (sn *snapshot) readSession(r *store.Record) (*session, error) {
	ss := &session{}
	if err := ss.decode(r.Value, sn.known); err != nil {
		return nil, err
	}
	if ss.AccessKey != r.Name || ss.UserID == "" || ss.Secret == "" || len(ss.TokenHash) != sha256.Size || !ss.Expires.Equal(r.Expires) {
		return nil, errors.New("it describes another session")
	}
	tm, err := sn.newTerms("policy of session "+ss.AccessKey, ss.Bounds, ss.Grants)
	if err != nil {
		return nil, err
	}
	if tm == nil {
		tm = sn.nothing
	}
	ss.scope = scope{terms: tm, issued: &ss.Created}
	ss.identity = sn.identity(ss.Account, ss.UserID, ss.UserName, ss.AccessKey)
	ss.identity.scope, ss.identity.Kind = &ss.scope, SessionKey
	return ss, nil
}

// identity is whom a key of a user, or of root, stands for.
func (sn *snapshot) identity(account, userID, userName, accessKey string) Identity {
	if userID == sn.root.ID {
		id := *sn.root
		id.AccessKey = accessKey
		return id
	}
	var b [128]byte
	arn := append(append(b[:0], arnPrefix...), account...)
	if userID == account {
		arn = append(arn, arnRoot...)
	} else {
		arn = append(append(arn, arnUser...), userName...)
	}
	return Identity{Account: account, ID: userID, Name: userName, ARN: sn.known.of(arn), AccessKey: accessKey}
}

func (sn *snapshot) putPolicy(r *store.Record) error {
	var p policyRecord
	if err := decode(r.Value, &p, &p.header); err != nil {
		return err
	}
	account, _ := splitPolicy(p.Name)
	if p.Name != r.Name || account != "" && account != p.Account {
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

const arnPrefix, arnUser, arnRoot = "arn:aws:iam::", ":user/", ":root"

func userARN(account, name string) string { return arnPrefix + account + arnUser + name }

// principalARN returns the ARN of a user, or of the root of its account, whose unique id is the account's.
func principalARN(account, id, name string) string {
	if id == account {
		return arnPrefix + account + arnRoot
	}
	return userARN(account, name)
}
