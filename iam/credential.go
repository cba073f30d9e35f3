package iam

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"

	"github.com/objsrv/objsrv/iam/store"
)

// Credential returns the secret behind an access key and whom it stands for. Errors:
// ErrNoSuchKey when there is none (ErrDisabled among them, and a session without its token),
// ErrInvalidToken for a session token that does not belong to the key (a long-term key has
// none), ErrExpired, ErrDamaged when its records can't be read, ErrUnavailable where the store is shared
// and can't be reached.
func (s *Service) Credential(accessKey, sessionToken string) (Credential, error) {
	if accessKey == s.root.AccessKey {
		if sessionToken != "" {
			return Credential{}, ErrInvalidToken
		}
		return s.root, nil
	}
	if err := s.shared.trusted(); err != nil {
		return Credential{}, err
	}
	sn := s.snap.Load()
	k, ok := sn.keys.get(accessKey)
	if !ok {
		if ss, ok := sn.sessions.get(accessKey); ok {
			return s.sessionCredential(sn, ss, sessionToken)
		}
		if sessionToken != "" {
			return s.otherSession(sn, accessKey, sessionToken)
		}
		return s.otherKey(sn, accessKey)
	}
	return s.keyCredential(sn, k, sessionToken)
}

// otherKey is Credential for a long-term key that memory does not have.
func (s *Service) otherKey(sn *snapshot, accessKey string) (Credential, error) {
	switch found, err := s.fetchKey(accessKey); {
	case err != nil:
		return Credential{}, err
	case found:
		sn = s.snap.Load()
		if k, ok := sn.keys.get(accessKey); ok {
			return s.keyCredential(sn, k, "")
		}
	}
	return Credential{}, sn.absent(kindKey, accessKey, ErrNoSuchKey)
}

func (s *Service) keyCredential(sn *snapshot, k *accessKey, sessionToken string) (Credential, error) {
	if err := sn.usable(k.UserID, k.UserName); err != nil {
		return Credential{}, err
	}
	switch {
	case sessionToken != "":
		return Credential{}, ErrInvalidToken
	case k.Disabled:
		return Credential{}, ErrDisabled
	case !k.Expires.IsZero() && !s.now().Before(k.Expires):
		return Credential{}, ErrExpired
	}
	return Credential{AccessKey: k.AccessKey, Secret: k.Secret, Identity: k.identity}, nil
}

// usable tells why nobody can act for a user, nil for root and for a user that is enabled.
func (sn *snapshot) usable(userID, userName string) error {
	if userID == sn.root.ID {
		return nil
	}
	u, ok := sn.ids.get(userID)
	switch {
	case !ok:
		return sn.absent(kindUser, userName, ErrNoSuchKey)
	case u.Disabled:
		return ErrDisabled
	}
	return nil
}

func (s *Service) sessionCredential(sn *snapshot, ss *session, token string) (Credential, error) {
	if token == "" {
		return Credential{}, ErrNoSuchKey
	}
	hash := sha256.Sum256([]byte(token))
	if subtle.ConstantTimeCompare(hash[:], []byte(ss.TokenHash)) == 0 {
		return Credential{}, ErrInvalidToken
	}
	if err := s.liveSession(sn, ss); err != nil {
		return Credential{}, err
	}
	return Credential{AccessKey: ss.AccessKey, Secret: ss.Secret, SessionToken: token, Identity: &ss.identity}, nil
}

// liveSession tells why a session whose token is right is over, nil for one that is not.
func (s *Service) liveSession(sn *snapshot, ss *session) error {
	if !s.now().Before(ss.Expires) {
		return ErrExpired
	}
	if err := sn.usable(ss.UserID, ss.UserName); err != nil {
		return err
	}
	if ss.Via != "" {
		k, ok := sn.keys.get(ss.Via)
		switch {
		case !ok || k.ID != ss.ViaID:
			return sn.absent(kindKey, ss.Via, ErrNoSuchKey)
		case k.Disabled:
			return ErrDisabled
		}
	}
	return nil
}

// Renewed returns the identity of a credential that has proven itself as id, as it is now, for what goes on after its
// request was let in, such as a stream. The anonymous one, nil, stays. Errors are those of Credential, and ErrNoSuchKey for
// a key that was given to somebody else.
func (s *Service) Renewed(id *Identity) (*Identity, error) {
	if id == nil || id.AccessKey == s.root.AccessKey {
		return id, nil
	}
	if err := s.shared.trusted(); err != nil {
		return nil, err
	}
	sn := s.snap.Load()
	if id.Kind == SessionKey {
		ss, ok := sn.sessions.get(id.AccessKey)
		if !ok {
			return nil, sn.absent(kindSession, id.AccessKey, ErrNoSuchKey)
		}
		return &ss.identity, s.liveSession(sn, ss)
	}
	k, ok := sn.keys.get(id.AccessKey)
	if !ok || k.UserID != id.ID {
		return nil, sn.absent(kindKey, id.AccessKey, ErrNoSuchKey)
	}
	_, err := s.keyCredential(sn, k, "")
	return k.identity, err
}

// otherSession is Credential for a key that memory does not have. A token of ours that is in time may have
// been issued by another process a moment ago.
func (s *Service) otherSession(sn *snapshot, accessKey, token string) (Credential, error) {
	why := s.noSession(sn, accessKey, token)
	if s.shared == nil || !errors.Is(why, errUnknownSession) {
		return Credential{}, why
	}
	switch err := s.fetchSession(accessKey); {
	case errors.Is(err, store.ErrNotFound):
		return Credential{}, why
	case err != nil:
		return Credential{}, err
	}
	sn = s.snap.Load()
	if ss, ok := sn.sessions.get(accessKey); ok {
		return s.sessionCredential(sn, ss, token)
	}
	return Credential{}, s.noSession(sn, accessKey, token)
}

// noSession is the error for a token whose session memory does not have: one of ours that has expired is told from one that
// was revoked or never issued.
func (s *Service) noSession(sn *snapshot, accessKey, token string) error {
	if err := sn.absent(kindSession, accessKey, nil); err != nil {
		return err
	}
	return s.judgeToken(accessKey, token)
}

// Secret returns the secret of a long-term access key, of one that is disabled or has expired, too:
// for the export of identities. Errors: ErrNoSuchKey, for root's own as well, and ErrDamaged.
func (s *Service) Secret(accessKey string) (string, error) {
	sn := s.snap.Load()
	k, ok := sn.keys.get(accessKey)
	if !ok {
		return "", sn.absent(kindKey, accessKey, ErrNoSuchKey)
	}
	return k.Secret, nil
}
