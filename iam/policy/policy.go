// Package policy is the policy language: it parses, prints, compiles and evaluates policy
// documents as AWS defines them ("IAM JSON policy reference", "Policy evaluation
// logic"). It is made of pure functions over its arguments and imports the standard
// library only.
//
// What this package does not know is refused by Parse with the place in the document,
// never ignored: a condition that is skipped would make a Deny weaker than its author
// believes.
package policy

import "fmt"

// Kind tells where a document is attached, and so which elements it may have.
type Kind uint8

// The kinds of documents.
const (
	Identity Kind = iota // attached to a user, group, role, key or session: no Principal
	Resource             // attached to a bucket: Principal or NotPrincipal in each statement
)

// Versions of the language. Policy variables need Version2012.
const (
	Version2012 = "2012-10-17"
	Version2008 = "2008-10-17"
)

// Limits of documents, in bytes. Parse enforces those of Resource documents and
// MaxDocument; the others are for those who know what a document is for.
const (
	// MaxBucketDocument is AWS's for bucket policies, 20 KB (IAM user guide, S3 quotas).
	MaxBucketDocument = 20480
	// MaxManagedDocument is MinIO's for named policies. AWS has 6 144 characters without
	// white space, which is less.
	MaxManagedDocument = 20480
	// MaxEmbeddedDocument is MinIO's for the policy of an access key.
	MaxEmbeddedDocument = 4096
	// MaxSessionDocument is that of the Policy parameter of AssumeRole, in characters (STS API
	// reference), and MinIO's in bytes.
	MaxSessionDocument = 2048
	// MaxDocument bounds what is read at all.
	MaxDocument = 1 << 18

	maxStatements = 1000
	maxValues     = 2000 // of one list
)

// Effect is what a statement does when it matches.
type Effect uint8

// The effects; the zero is not one, so that a forgotten effect never allows.
const (
	NoEffect Effect = iota
	Allow
	Deny
)

// String returns the word of the language.
func (e Effect) String() string {
	switch e {
	case Allow:
		return "Allow"
	case Deny:
		return "Deny"
	}
	return "none"
}

// Document is a policy as it is written. Parse makes it, MarshalJSON prints it.
type Document struct {
	Version    string // Version2012, Version2008, or "" which means Version2008
	ID         string
	Statements []Statement
}

// Statement is one rule. Exactly one of Actions and NotActions is set, at most one of
// Resources and NotResources, and, in resource policies, exactly one of the principals.
type Statement struct {
	Sid          string
	Effect       Effect
	Principal    *Principals
	NotPrincipal *Principals
	Actions      []string
	NotActions   []string
	Resources    []string
	NotResources []string
	Conditions   []Condition // all must hold
}

// Principals is the value of Principal or NotPrincipal.
type Principals struct {
	Everyone bool     // "*", or "AWS": "*"
	AWS      []string // account ids, ARNs of root or of users, unique ids
}

// Condition is one operator with one key and its values, any of which may match.
type Condition struct {
	Operator string // as written, "ForAnyValue:StringLikeIfExists"
	Key      string // as written; compared without regard to case
	Values   []string
}

// SyntaxError is a refusal of Parse.
type SyntaxError struct {
	Path   string // place in the document, "Statement[2].Condition.StringLike"
	Line   int    // from 1
	Column int    // in bytes, from 1
	Reason string
}

// Error implements error.
func (e *SyntaxError) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("policy line %d column %d: %s", e.Line, e.Column, e.Reason)
	}
	return fmt.Sprintf("policy line %d column %d, %s: %s", e.Line, e.Column, e.Path, e.Reason)
}
