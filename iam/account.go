package iam

import (
	"context"
	"errors"
	"fmt"

	"github.com/objsrv/objsrv/iam/store"
)

// PublicAccess is the public access block of an account: what it forbids in all buckets of the account (S3 user
// guide, "Blocking public access to your Amazon S3 storage"). It is kept here because accounts are.
type PublicAccess struct {
	BlockPublicAcls       bool `json:"blockPublicAcls,omitempty"`
	IgnorePublicAcls      bool `json:"ignorePublicAcls,omitempty"`
	BlockPublicPolicy     bool `json:"blockPublicPolicy,omitempty"`
	RestrictPublicBuckets bool `json:"restrictPublicBuckets,omitempty"`
}

// accountRecord is what is set for an account; one without settings has no record.
type accountRecord struct {
	header
	PublicAccess *PublicAccess `json:"publicAccess,omitempty"`
}

// PublicAccess returns the public access block of an account; ok is false when it has none. One that can't
// be read blocks everything.
func (s *Service) PublicAccess(account string) (p PublicAccess, ok bool) {
	sn := s.snap.Load()
	if a, ok := sn.settings.get(account); ok && a.PublicAccess != nil {
		return *a.PublicAccess, true
	}
	if sn.absent(kindAccount, account, nil) != nil {
		return PublicAccess{true, true, true, true}, true
	}
	return PublicAccess{}, false
}

// SetPublicAccess sets the public access block of an account, and removes it for nil, which heals one that is
// damaged. The account need not have users. Errors: ErrInvalid when it is no account id, ErrUnavailable, ErrFull.
func (s *Service) SetPublicAccess(ctx context.Context, account string, p *PublicAccess) error {
	fail := func(err error) error { return fmt.Errorf("set public access block: %w", err) }
	if err := CheckAccount(account); err != nil {
		return fail(err)
	}
	change := store.Change{Op: store.Delete, Kind: kindAccount, Name: account, Revision: store.Any}
	if p != nil {
		value, err := encode(accountRecord{header: header{formatVersion, account}, PublicAccess: p})
		if err != nil {
			return fail(err)
		}
		change.Op, change.Value = store.Put, value
	}
	if err := s.commit(ctx, change); err != nil {
		return fail(err)
	}
	return nil
}

func (sn *snapshot) putAccount(r *store.Record) error {
	a := &accountRecord{}
	if err := decode(r.Value, a, &a.header); err != nil {
		return err
	}
	if a.Account != r.Name {
		return errors.New("it describes another account")
	}
	sn.settings = sn.settings.with(a.Account, a)
	return nil
}
