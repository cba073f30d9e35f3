package iam

import (
	"crypto/sha256"
	"encoding/hex"
)

// CanonicalID returns the canonical user id of an account, as ACLs and Owner elements
// name it: 64 hex digits that are the same on every server for the same account (S3 user guide,
// "Finding your canonical user ID").
func CanonicalID(account string) string {
	sum := sha256.Sum256([]byte("canonical user of account " + account))
	return hex.EncodeToString(sum[:])
}

// CanonicalAccount returns the account of a canonical user id: the deployment's, or one that
// has a user.
func (s *Service) CanonicalAccount(id string) (account string, ok bool) {
	if id == s.canonical {
		return s.account, true
	}
	use, ok := s.snap.Load().accounts.get(id)
	return use.account, ok
}
