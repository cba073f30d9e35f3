package iam

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// CanonicalID returns the canonical user id of an account, as ACLs and Owner elements
// name it: 64 hex digits that are the same on every server for the same account (S3 user guide,
// "Finding your canonical user ID").
func CanonicalID(account string) string {
	sum := sha256.Sum256([]byte("canonical user of account " + account))
	return hex.EncodeToString(sum[:])
}

// CanonicalAccount returns the account of a canonical user id: the deployment's, or one that
// was made or has a user.
func (s *Service) CanonicalAccount(id string) (account string, ok bool) {
	if id == s.canonical {
		return s.account, true
	}
	use, ok := s.snap.Load().accounts.get(id)
	return use.account, ok
}

// RootAccount returns the account of whose root an ARN is; ok is false for every other ARN.
func RootAccount(arn string) (account string, ok bool) {
	rest, _ := strings.CutPrefix(arn, arnPrefix)
	account, ok = strings.CutSuffix(rest, arnRoot)
	return account, ok && CheckAccount(account) == nil
}

// PrincipalID returns the unique id of the user that an ARN names, which a bucket policy keeps
// instead of it, so that a later user of the same name is another principal (IAM user guide,
// "AWS JSON policy elements: Principal"). ok is false when there is no such user; the root of an account is named by the
// account.
func (s *Service) PrincipalID(arn string) (id string, ok bool) {
	rest, ok := strings.CutPrefix(arn, "arn:aws:iam::")
	if !ok {
		return "", false
	}
	account, name, _ := strings.Cut(rest, ":user/")
	u, ok := s.snap.Load().users.get(name)
	if !ok || u.Account != account || u.isRoot() {
		return "", false
	}
	return u.ID, true
}

// PrincipalARN returns the ARN of the user with a unique id; ok is false when it is gone.
func (s *Service) PrincipalARN(id string) (arn string, ok bool) {
	u, ok := s.snap.Load().ids.get(id)
	if !ok {
		return "", false
	}
	return u.arn, true
}
