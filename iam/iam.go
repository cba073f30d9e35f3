// Package iam decides who may do what: credentials to identities, identities to
// permissions, one Authorize for every face of the server. It imports iam/policy and
// iam/store, never storage or net/http. Its rules are AWS's ("Policy evaluation logic",
// "IAM identifiers") with MinIO's canned policies.
package iam

import (
	"errors"
	"fmt"
)

// Errors that callers branch on, with errors.Is.
var (
	ErrNoSuchKey    = errors.New("no such access key")
	ErrInvalidToken = errors.New("session token invalid")
	ErrExpired      = errors.New("credential expired")
	// ErrDisabled Is ErrNoSuchKey: to the client a disabled key is an unknown one.
	ErrDisabled = fmt.Errorf("%w that is enabled", ErrNoSuchKey)

	ErrNoSuchUser   = errors.New("no such user")
	ErrNoSuchGroup  = errors.New("no such group")
	ErrNoSuchPolicy = errors.New("no such policy")
	// ErrNoSuchAccount means that nobody has made the account.
	ErrNoSuchAccount = errors.New("no such account")
	// ErrAccountUsed means that an account has groups, or users besides its root.
	ErrAccountUsed = errors.New("account has users or groups")
	ErrNotEmpty    = errors.New("group has members")
	ErrExists      = errors.New("name is taken")
	ErrInUse       = errors.New("policy is attached")
	ErrReserved    = errors.New("name is reserved")
	ErrInvalid     = errors.New("invalid argument")
	// ErrDamaged means that what is stored about the principal can't be read; nothing is
	// granted, and nothing is claimed to be absent.
	ErrDamaged = errors.New("identity record is damaged")
	// ErrUnavailable means that the store can't be written; a change may have happened or not.
	ErrUnavailable = errors.New("identity store unavailable")
	ErrFull        = errors.New("identity store is full")
)

// CredentialKind tells how an identity has proven itself.
type CredentialKind uint8

// The kinds of credentials.
const (
	OwnKey     CredentialKind = iota // the key of a user or of root
	ServiceKey                       // a further access key: MinIO's service account
	SessionKey                       // temporary, with a session token
)

// Identity is an authenticated principal. The zero of *Identity, nil, is the anonymous one.
type Identity struct {
	Account   string // 12 digits
	ID        string // unique id, never reused
	Name      string // qualified user name, see QualifiedName
	ARN       string
	AccessKey string
	Root      bool           // the server's root, or a credential that was derived from it
	Kind      CredentialKind // of the credential
	scope     *scope         // nil for a credential that has the user's rights as they are
}

// OfRoot tells whether it is the root of an account, the server's among them, or was derived from it: its id is the account's.
func (id *Identity) OfRoot() bool { return id.ID == id.Account }

// Restricted tells whether policies of its own bound the credential below its user's rights.
// Such a credential may not change what the user owns: it could make itself a better one.
func (id *Identity) Restricted() bool { return id.scope != nil && len(id.scope.bounds) > 0 }

// Grants returns what the credential has beside its user's policies and groups, nil for nothing. It must not
// be changed.
func (id *Identity) Grants() *Grants {
	if id.scope == nil {
		return nil
	}
	return id.scope.grants
}

// Credential is an access key with its secret and whom it stands for.
type Credential struct {
	AccessKey    string
	Secret       string
	SessionToken string // of a session, when it is made
	Identity     *Identity
}

// Conditions answers condition keys ("s3:prefix", "aws:sourceip", ...) of one request,
// lower-case, from what the server knows; ok is false for a key that is absent. Keys that
// speak of the caller or of the time are answered by Authorize itself and never asked here.
type Conditions interface {
	Values(key string) (values []string, ok bool)
}

// Request is a question to Authorize.
type Request struct {
	Identity   *Identity // nil for anonymous
	Action     string    // "s3:GetObject"
	Bucket     string    // "" for service-level actions
	Key        string    // "" for bucket-level actions
	KMSKey     string    // the name of the key that a kms: action is about, "" for none
	Policy     []byte    // the bucket's policy document, or nil
	Owner      string    // account that owns the bucket; "" means the deployment's own
	Conditions Conditions
	// ACL answers what the access control lists say; nil where they are disabled. It is asked
	// only when neither root nor a Deny has decided.
	ACL func() ACL
	// NoAllow says that the action needs no Allow, since only a Deny counts (Decision.Explicit); then
	// nothing but that is kept as a refusal.
	NoAllow bool
	// RequestID, when it is not empty, has a refusal kept under it, with Remote.
	RequestID string
	Remote    string // address of the client
}

// ACL is what access control lists say of one Request.
type ACL struct {
	Grant Grant
	// Owner is the account that owns the resource of the action when it is not the bucket's,
	// else "". What the bucket's policy allows does not count for such a resource.
	Owner string
}

// Grant is how far an access control list allows a request.
type Grant uint8

// The grants.
const (
	NoGrant      Grant = iota
	AccountGrant       // to the caller's account: its users need an identity policy as well
	PublicGrant        // to a group that the caller is in
)

// Decision is the answer of Authorize.
type Decision struct {
	Allowed   bool
	Statement string // policy and statement that decided, or "" when none matched
	Explicit  bool   // a Deny decided
}
