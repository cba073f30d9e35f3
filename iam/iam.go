// Package iam decides who may do what: credentials to identities, identities to
// permissions, one Authorize for every face of the server.
package iam

import "errors"

// Errors that callers branch on.
var (
	ErrNoSuchKey    = errors.New("no such access key")
	ErrInvalidToken = errors.New("session token invalid")
	ErrExpired      = errors.New("credential expired")
)

// Identity is an authenticated principal. The zero of *Identity, nil, is the anonymous one.
type Identity struct {
	Account   string // 12 digits
	ID        string // unique id, never reused
	Name      string // user name
	ARN       string
	AccessKey string
	Root      bool
}

// Credential is an access key with its secret and whom it stands for.
type Credential struct {
	AccessKey string
	Secret    string
	Identity  *Identity
}

// Conditions answers condition keys ("s3:prefix", "aws:SourceIp", ...) of one request,
// lower-case, from what the server knows; ok is false for a key that is absent.
type Conditions interface {
	Values(key string) (values []string, ok bool)
}

// Request is a question to Authorize.
type Request struct {
	Identity   *Identity // nil for anonymous
	Action     string    // "s3:GetObject"
	Bucket     string    // "" for service-level actions
	Key        string    // "" for bucket-level actions
	Policy     []byte    // the bucket's policy document, or nil
	Owner      string    // account that owns the bucket
	Conditions Conditions
}

// Decision is the answer of Authorize.
type Decision struct {
	Allowed   bool
	Statement string // policy and statement that decided, or "" when none matched
}
