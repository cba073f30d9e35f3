package iam

import (
	"context"
	"errors"
	"fmt"

	"github.com/objsrv/objsrv/iam/store"
)

// removeOrphans removes the service keys and sessions of users that are gone, and the policies of accounts that are. Nobody
// can use them any more; they only take room and names.
func (s *Service) removeOrphans(ctx context.Context) error {
	sn := s.snap.Load()
	known := func(id string) bool {
		_, ok := sn.ids.get(id)
		return ok || id == s.root.Identity.ID
	}
	gone := func(id, userName string) bool { return !known(id) && sn.absent(kindUser, userName, nil) == nil }
	var keys, sessions []string
	sn.children.all(func(id string, set trie[void]) bool {
		if known(id) {
			return true // not one by one: there may be many
		}
		for _, name := range set.sorted() {
			if k, ok := sn.keys.get(name); ok && gone(id, k.UserName) {
				keys = append(keys, name)
			}
		}
		return true
	})
	sn.issued.all(func(id string, set trie[void]) bool {
		if known(id) {
			return true
		}
		for _, name := range set.sorted() {
			if ss, ok := sn.sessions.get(name); ok && gone(id, ss.UserName) {
				sessions = append(sessions, name)
			}
		}
		return true
	})
	for _, name := range keys {
		r, err := s.store.Get(ctx, kindKey, name)
		var k keyRecord
		if err != nil || decode(r.Value, &k, &k.header) != nil || !gone(k.UserID, k.UserName) {
			continue // it has changed meanwhile: another key of the same name
		}
		err = s.commit(ctx, store.Change{Op: store.Delete, Kind: kindKey, Name: name, Revision: r.Revision})
		if err != nil && !errors.Is(err, store.ErrConflict) {
			return fmt.Errorf("remove keys of users that are gone: %w", err)
		}
	}
	if err := s.deleteAll(ctx, kindSession, sessions); err != nil {
		return fmt.Errorf("remove sessions of users that are gone: %w", err)
	}
	if err := s.deleteAll(ctx, kindPolicy, sn.orphanPolicies()); err != nil {
		return fmt.Errorf("remove policies of accounts that are gone: %w", err)
	}
	return nil
}

// orphanPolicies returns the policies of accounts that were deleted, whose ids nobody gets again.
func (sn *snapshot) orphanPolicies() (names []string) {
	sn.policies.all(func(name string, sl *policySlot) bool {
		if account, _ := splitPolicy(name); account != "" && sl.current.Load() != nil {
			if a, ok := sn.settings.get(account); ok && !a.Deleted.IsZero() {
				names = append(names, name)
			}
		}
		return true
	})
	return names
}
