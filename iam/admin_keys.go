package iam

import (
	"context"
	"fmt"
	"slices"
)

// AccessKey is Service.AccessKey.
func (a *Admin) AccessKey(accessKey string) (AccessKey, error) {
	k, err := a.s.AccessKey(accessKey)
	if outside(a.within, k.Account, err) {
		return AccessKey{}, ErrNoSuchKey
	}
	return k, err
}

// AccessKeys is Service.AccessKeys.
func (a *Admin) AccessKeys(parent string) []AccessKey {
	return slices.DeleteFunc(a.s.AccessKeys(parent), func(k AccessKey) bool { return outside(a.within, k.Account, nil) })
}

// CreateAccessKey is Service.CreateAccessKey.
func (a *Admin) CreateAccessKey(ctx context.Context, n NewAccessKey) (AccessKey, Credential, error) {
	if err := a.rootsOnly(n.Parent); err != nil {
		return AccessKey{}, Credential{}, fmt.Errorf("create access key: %w", err)
	}
	k, cred, err := a.s.createAccessKey(ctx, a.within, n)
	return k, cred, a.taken(err)
}

// UpdateAccessKey is Service.UpdateAccessKey.
func (a *Admin) UpdateAccessKey(ctx context.Context, accessKey string, up AccessKeyUpdate) (AccessKey, error) {
	if err := a.rootsKey(accessKey); err != nil {
		return AccessKey{}, fmt.Errorf("update access key: %w", err)
	}
	return a.s.updateAccessKey(ctx, a.within, accessKey, up)
}

// DeleteAccessKey is Service.DeleteAccessKey.
func (a *Admin) DeleteAccessKey(ctx context.Context, accessKey string) error {
	if err := a.rootsKey(accessKey); err != nil {
		return fmt.Errorf("delete access key: %w", err)
	}
	return a.s.deleteAccessKey(ctx, a.within, accessKey)
}

// rootsKey is rootsOnly for an access key.
func (a *Admin) rootsKey(accessKey string) error {
	k, err := a.s.AccessKey(accessKey)
	if err != nil {
		return nil // the change finds out
	}
	return a.rootsOnly(k.Parent)
}

// Session is Service.Session.
func (a *Admin) Session(accessKey string) (Session, error) {
	ss, err := a.s.Session(accessKey)
	if outside(a.within, ss.Account, err) {
		return Session{}, ErrNoSuchKey
	}
	return ss, err
}

// Sessions is Service.Sessions.
func (a *Admin) Sessions(parent string) []Session {
	return slices.DeleteFunc(a.s.Sessions(parent), func(ss Session) bool { return outside(a.within, ss.Account, nil) })
}

// SessionsOf is Service.SessionsOf.
func (a *Admin) SessionsOf(provider string) []Session {
	return slices.DeleteFunc(a.s.SessionsOf(provider), func(ss Session) bool { return outside(a.within, ss.Account, nil) })
}

// RevokeSession is Service.RevokeSession.
func (a *Admin) RevokeSession(ctx context.Context, accessKey string) error {
	if a.Bounded() {
		ss, err := a.Session(accessKey)
		if err == nil {
			err = a.rootsOnly(ss.Parent)
		}
		if err != nil {
			return fmt.Errorf("revoke session: %w", err)
		}
	}
	return a.s.RevokeSession(ctx, accessKey)
}

// RevokeSessions is Service.RevokeSessions.
func (a *Admin) RevokeSessions(ctx context.Context, parent, revokeType string) (int, error) {
	err := a.rootsOnly(parent)
	if err == nil && a.Bounded() {
		_, err = a.s.userWithin(a.within, parent)
	}
	if err != nil {
		return 0, fmt.Errorf("revoke sessions: %w", err)
	}
	return a.s.RevokeSessions(ctx, parent, revokeType)
}

// RevokeProvider is Service.RevokeProvider, for the deployment, whose the people of identity providers are.
func (a *Admin) RevokeProvider(ctx context.Context, provider string) (int, error) {
	if a.Bounded() {
		return 0, fmt.Errorf("revoke sessions of a provider: %w", ErrNotAccounts)
	}
	return a.s.RevokeProvider(ctx, provider)
}
