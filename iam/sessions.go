package iam

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/objsrv/objsrv/iam/store"
)

// Session is a temporary credential as it is shown.
type Session struct {
	AccessKey  string `json:"accessKey"`
	Parent     string `json:"parent"`             // qualified user name, or root's access key
	Provider   string `json:"provider,omitempty"` // of the person, see ProviderOf; "" for local users
	Account    string `json:"account"`
	ARN        string `json:"arn,omitempty"` // of the session itself
	Name       string `json:"name,omitempty"`
	Via        string `json:"via,omitempty"` // the service key that asked for it
	RevokeType string `json:"revokeType,omitempty"`
	Remote     string `json:"remote,omitempty"`
	Restricted bool   `json:"restricted"`
	// Policy is the session policy that it was issued with, or that of whoever asked for it.
	Policy  json.RawMessage `json:"policy,omitempty"`
	Grants  *Grants         `json:"grants,omitempty"`
	Created time.Time       `json:"created"`
	Expires time.Time       `json:"expires"`
}

// NewSession describes a session to create.
type NewSession struct {
	By         *Identity       // whose rights it has, cut down by what restricts By
	External   string          // instead of By: an external user, who is made with the first session
	Policy     json.RawMessage // session policy, at most MaxSessionPolicy characters
	Policies   []string        // managed policies that together with Policy bound the session
	Duration   time.Duration   // MinSession to MaxSession
	NotAfter   time.Time       // unless zero, the session ends then at the latest, be it sooner than MinSession
	Name       string          // RoleSessionName, for the lists
	ARN        string          // of the session itself, for GetCallerIdentity
	RevokeType string          // MinIO's TokenRevokeType
	Remote     string          // address of the client
	Grants     *Grants         // beside those of By
}

// Limits of sessions, as MinIO's: AWS ends a session of a role after 12 hours.
const (
	MinSession  = 15 * time.Minute
	MaxSession  = 365 * 24 * time.Hour
	MaxSessions = 100_000 // live ones of one user, each less than a kilobyte
)

// CreateSession issues a temporary credential with the rights of By. It is durable when it is
// returned, and gone with its user, with the service key that asked for it, when it is revoked or
// expires. Errors: ErrInvalid, ErrFull beyond MaxSessions, ErrNoSuchPolicy, a
// *policy.SyntaxError, ErrNoSuchKey when By has gone meanwhile, ErrDisabled for an external user.
func (s *Service) CreateSession(ctx context.Context, n NewSession) (Session, Credential, error) {
	fail := func(err error) (Session, Credential, error) {
		return Session{}, Credential{}, fmt.Errorf("create session: %w", err)
	}
	var err error
	for i := range attempts {
		var ss *session
		var token string
		if ss, token, err = s.issue(ctx, &n, i > 0); err == nil {
			return s.publicSession(ss), Credential{AccessKey: ss.AccessKey, Secret: ss.Secret, SessionToken: token, Identity: &ss.identity}, nil
		}
		if !errors.Is(err, store.ErrConflict) {
			break
		}
	}
	return fail(err)
}

// issue writes one session. ErrConflict means that its user or a policy was changed meanwhile, or was
// unlike what is in memory: again says to ask the store.
func (s *Service) issue(ctx context.Context, n *NewSession, again bool) (*session, string, error) {
	r, changes, err := s.newSession(ctx, n, again)
	if err != nil {
		return nil, "", err
	}
	parent := r.UserName
	if parent == "" {
		parent = n.By.Name // root's
	}
	token, err := signToken(s.tokenKey, &tokenClaims{
		AccessKey: r.AccessKey, Parent: parent, Issued: r.Created.Unix(), Expires: r.Expires.Unix(), ID: random32(16),
	})
	if err != nil {
		return nil, "", err
	}
	hash := sha256.Sum256([]byte(token))
	r.TokenHash = string(hash[:])
	value, err := r.encode()
	if err != nil {
		return nil, "", err
	}
	changes = append(changes, store.Change{Kind: kindSession, Name: r.AccessKey, Value: value, Expires: r.Expires})
	if err := s.commit(ctx, changes...); err != nil {
		return nil, "", err
	}
	ss, ok := s.snap.Load().sessions.get(r.AccessKey)
	if !ok {
		return nil, "", ErrNoSuchKey // it was revoked in the same moment
	}
	return ss, token, nil
}

// newSession judges n and makes the record, and the checks that its user and policies are
// there when it is committed.
func (s *Service) newSession(ctx context.Context, n *NewSession, again bool) (r sessionRecord, changes []store.Change, err error) {
	var made []store.Change
	by := n.By
	if n.External != "" {
		if by, made, err = s.external(ctx, n.External); err != nil {
			return r, nil, err
		}
	}
	if by == nil {
		return r, nil, fmt.Errorf("%w: a session has a user", ErrInvalid)
	}
	if n.Duration < MinSession || n.Duration > MaxSession {
		return r, nil, fmt.Errorf("%w: a session lasts from %d to %d seconds", ErrInvalid, int(MinSession.Seconds()), int(MaxSession.Seconds()))
	}
	if err := errors.Join(checkText(n.Name, 64), checkText(n.RevokeType, 64)); err != nil {
		return r, nil, fmt.Errorf("%w: names have at most 64 printable characters", ErrInvalid)
	}
	now := s.now().UTC()
	r = sessionRecord{
		Account: by.Account, AccessKey: newSessionKey(now), Secret: NewSecret(),
		UserID: by.ID, Name: n.Name, ARN: n.ARN, Revoke: n.RevokeType, Remote: n.Remote, Created: now,
		// Whole seconds, as the answer tells the expiry.
		Expires: now.Add(n.Duration).Truncate(time.Second),
	}
	if !n.NotAfter.IsZero() {
		r.Expires = minTime(r.Expires, n.NotAfter.UTC().Truncate(time.Second))
	}
	if !now.Before(r.Expires) {
		return r, nil, fmt.Errorf("%w: the session would have ended already", ErrInvalid)
	}
	if err := s.bind(&r, by, n); err != nil {
		return r, nil, err
	}
	if set, _ := s.snap.Load().issued.get(by.ID); set.n >= MaxSessions {
		return r, nil, fmt.Errorf("%w: the user has %d sessions; revoke some or wait until they expire", ErrFull, MaxSessions)
	}
	if changes, err = s.policyChecks(ctx, n.Policies); err != nil {
		return r, nil, err
	}
	if by.ID == s.root.Identity.ID {
		return r, changes, nil
	}
	r.UserName = by.Name
	if made != nil {
		return r, append(changes, made...), nil
	}
	rev, err := s.userRevision(ctx, by, again)
	if err != nil {
		return r, nil, errors.Join(ErrNoSuchKey, err)
	}
	return r, append(changes, store.Change{Op: store.Check, Kind: kindUser, Name: by.Name, Revision: rev}), nil
}

// userRevision returns the revision of the record of the user behind by, from memory unless stored says
// to read it. One that has changed since is found out by the commit that checks it.
func (s *Service) userRevision(ctx context.Context, by *Identity, stored bool) (uint64, error) {
	if u, ok := s.snap.Load().users.get(by.Name); ok && u.ID == by.ID && !stored {
		return u.revision, nil
	}
	u, rev, err := s.readUser(ctx, anyAccount, by.Name)
	if err == nil && u.ID != by.ID {
		err = ErrNoSuchUser
	}
	return rev, err
}

// bind sets what restricts the session and whose end is its end.
func (s *Service) bind(r *sessionRecord, by *Identity, n *NewSession) (err error) {
	if r.Bounds, r.Grants, err = s.inherited(by); err != nil {
		return err
	}
	if n.Grants != nil {
		r.Grants = joined(r.Grants, n.Grants)
	}
	if err := r.Grants.check(); err != nil {
		return err
	}
	if len(n.Policy) > 0 {
		if utf8.RuneCount(n.Policy) > MaxSessionPolicy {
			return fmt.Errorf("%w: a session policy has at most %d characters", ErrInvalid, MaxSessionPolicy)
		}
		if err := checkEmbedded("session policy", n.Policy, MaxSessionPolicy*utf8.UTFMax); err != nil {
			return err
		}
	}
	if n.Policies, err = s.normalPolicies(by.Account, s.namedPolicies(by.Account, n.Policies)); err != nil {
		return err
	}
	if len(n.Policy) > 0 || len(n.Policies) > 0 {
		r.Bounds = append(r.Bounds, bounds{Document: n.Policy, Policies: n.Policies})
	}
	if err := checkBounds(r.Bounds); err != nil {
		return err
	}
	sn := s.snap.Load()
	switch by.Kind {
	case ServiceKey:
		k, ok := sn.keys.get(by.AccessKey)
		if !ok {
			return ErrNoSuchKey
		}
		r.Via, r.ViaID = k.AccessKey, k.ID
		if !k.Expires.IsZero() && k.Expires.Before(r.Expires) {
			r.Expires = k.Expires.Truncate(time.Second)
		}
	case SessionKey:
		ss, ok := sn.sessions.get(by.AccessKey)
		if !ok {
			return ErrNoSuchKey
		}
		r.Via, r.ViaID, r.Expires = ss.Via, ss.ViaID, minTime(r.Expires, ss.Expires)
	}
	return nil
}

func minTime(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// Sessions returns the live sessions of a user by its qualified name, of root by its access key,
// or all for "", in byte order of their access keys.
func (s *Service) Sessions(parent string) []Session {
	sn, now := s.snap.Load(), s.now()
	out := []Session{}
	add := func(ss *session) {
		if now.Before(ss.Expires) && sn.usable(ss.UserID, ss.UserName) == nil {
			out = append(out, s.publicSession(ss))
		}
	}
	if parent == "" {
		sn.sessions.all(func(_ string, ss *session) bool { add(ss); return true })
	} else {
		set, _ := sn.issued.get(s.userID(sn, parent))
		set.all(func(name string, _ void) bool {
			if ss, ok := sn.sessions.get(name); ok {
				add(ss)
			}
			return true
		})
	}
	slices.SortFunc(out, func(a, b Session) int { return strings.Compare(a.AccessKey, b.AccessKey) })
	return out
}

// userID returns the unique id behind a qualified user name or root's access key, or "".
func (s *Service) userID(sn *snapshot, name string) string {
	if name == s.root.AccessKey {
		return s.root.Identity.ID
	}
	if u, ok := sn.users.get(name); ok {
		return u.ID
	}
	return ""
}

// Session returns one live session, or ErrNoSuchKey.
func (s *Service) Session(accessKey string) (Session, error) {
	sn := s.snap.Load()
	ss, ok := sn.sessions.get(accessKey)
	if !ok || !s.now().Before(ss.Expires) {
		return Session{}, sn.absent(kindSession, accessKey, ErrNoSuchKey)
	}
	return s.publicSession(ss), nil
}

func (s *Service) publicSession(ss *session) Session {
	out := Session{
		AccessKey: ss.AccessKey, Parent: ss.UserName, Provider: ProviderOf(ss.UserName, ss.Grants), Account: ss.Account, ARN: ss.ARN, Name: ss.Name, Via: ss.Via, RevokeType: ss.Revoke,
		Remote: ss.Remote, Restricted: ss.identity.Restricted(), Grants: ss.Grants, Created: ss.Created, Expires: ss.Expires,
	}
	if n := len(ss.Bounds); n > 0 {
		out.Policy = slices.Clone(json.RawMessage(ss.Bounds[n-1].Document))
	}
	if ss.UserID == s.root.Identity.ID {
		out.Parent = s.root.AccessKey
	}
	return out
}

// RevokeSession ends a session at once. ErrNoSuchKey when there is none.
func (s *Service) RevokeSession(ctx context.Context, accessKey string) error {
	sn := s.snap.Load()
	if !sn.has(kindSession, accessKey) && !errors.Is(sn.absent(kindSession, accessKey, nil), ErrDamaged) {
		return fmt.Errorf("revoke session: %w", ErrNoSuchKey)
	}
	if err := s.commit(ctx, store.Change{Op: store.Delete, Kind: kindSession, Name: accessKey, Revision: store.Any}); err != nil {
		return fmt.Errorf("revoke session: %w", err)
	}
	return nil
}

// RevokeSessions ends the sessions of a user, of root by its access key, with one revoke type
// or, for "", all of them, and returns how many there were. ErrNoSuchUser for an unknown user.
func (s *Service) RevokeSessions(ctx context.Context, parent, revokeType string) (int, error) {
	sn := s.snap.Load()
	id := s.userID(sn, parent)
	if id == "" {
		return 0, fmt.Errorf("revoke sessions: %w", sn.absent(kindUser, parent, ErrNoSuchUser))
	}
	set, _ := sn.issued.get(id)
	names := slices.DeleteFunc(set.sorted(), func(name string) bool {
		ss, ok := sn.sessions.get(name)
		return !ok || revokeType != "" && ss.Revoke != revokeType
	})
	if err := s.deleteAll(ctx, kindSession, names); err != nil {
		return 0, fmt.Errorf("revoke sessions: %w", err)
	}
	return len(names), nil
}

// batch is how many records one commit removes: etcd takes no more than 128 operations.
const batch = 100

// deleteAll removes records whatever they hold.
func (s *Service) deleteAll(ctx context.Context, kind string, names []string) error {
	for part := range slices.Chunk(names, batch) {
		changes := make([]store.Change, len(part))
		for i, n := range part {
			changes[i] = store.Change{Op: store.Delete, Kind: kind, Name: n, Revision: store.Any}
		}
		if err := s.commit(ctx, changes...); err != nil {
			return err
		}
	}
	return nil
}

// checkText returns ErrInvalid unless s is at most n printable characters.
func checkText(s string, n int) error {
	if utf8.RuneCountInString(s) > n || !utf8.ValidString(s) {
		return ErrInvalid
	}
	for _, r := range s {
		if r < ' ' || r == 0x7f {
			return ErrInvalid
		}
	}
	return nil
}
