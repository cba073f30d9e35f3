package policy

import (
	"strconv"
	"strings"
	"time"
)

// Conditions answers condition keys of one request from what the server knows, never
// from a header or a query that merely bears the key's name. Keys are lower-case. ok is
// false for a key that is absent.
type Conditions interface {
	Values(key string) (values []string, ok bool)
}

// Query is a question to Evaluate. It is read only and must not change meanwhile.
type Query struct {
	Action string // "s3:GetObject"
	Bucket string // "" for actions on no bucket
	Key    string // "" for actions on no object

	Caller Caller
	// Time is that of the request; zero means now.
	Time time.Time
	// Conditions answers every key that this package does not answer from the fields
	// above; nil answers none.
	Conditions Conditions
}

// Caller is who asks. The zero is the anonymous caller.
type Caller struct {
	ID      string // unique id, "" for the anonymous caller
	Account string // 12 digits
	Name    string // user name
	ARN     string
	Root    bool // the root of its account
	Session bool // temporary credentials
	// Attributes answers the keys that callerKeys and callerFamilies list; nil answers
	// none. Names behind the prefix are compared without regard to case, so that where
	// two claims or tags differ in case only it answers the values of both.
	Attributes Conditions
}

// ownKeys are the condition keys that Query answers itself, and those that Query.Caller
// answers with what its credentials carry. Whatever a face of the server says about either is
// never looked at: a header must not say who the caller is (S-036).
//
// The other known keys are those of the AWS Service Authorization Reference for S3 and
// of the AWS global condition keys which the faces of this server answer for every
// request that has them. A document that names any other key is refused: as a key that
// is always absent it would make a Deny void.
var ownKeys = map[string]bool{
	"aws:username":         true,
	"aws:userid":           true,
	"aws:principaltype":    true,
	"aws:principalarn":     true,
	"aws:principalaccount": true,
	"aws:currenttime":      true,
	"aws:epochtime":        true,
}

// callerKeys come from Caller.Attributes.
var callerKeys = map[string]bool{
	"aws:groups":            true, // MinIO's: names of the caller's groups, several values
	"aws:federatedprovider": true, // sessions of identity providers
	"aws:sourceidentity":    true, // sessions made with one
	"aws:tokenissuetime":    true, // sessions
	// Nobody has shown a second factor: absent with long-term keys, "false" in sessions.
	"aws:multifactorauthpresent": true,
	"aws:multifactorauthage":     true, // absent as on AWS where there was no second factor
}

// callerFamilies are the prefixes of caller keys whose rest names a tag, or what a token or
// a directory says. Which names there are is known to the identity provider alone.
var callerFamilies = []string{"aws:principaltag/", "jwt:", "ldap:"}

var faceKeys = map[string]bool{
	"aws:sourceip":        true,
	"aws:securetransport": true,
	"aws:useragent":       true,
	"aws:referer":         true,

	"s3:authtype":                 true,
	"s3:signatureversion":         true,
	"s3:signatureage":             true,
	"s3:resourceaccount":          true,
	"s3:prefix":                   true,
	"s3:delimiter":                true,
	"s3:max-keys":                 true,
	"s3:versionid":                true,
	"s3:if-match":                 true,
	"s3:if-none-match":            true,
	"s3:requestobjecttagkeys":     true,
	"s3:x-amz-acl":                true,
	"s3:x-amz-content-sha256":     true,
	"s3:x-amz-copy-source":        true,
	"s3:x-amz-grant-full-control": true,
	"s3:x-amz-grant-read":         true,
	"s3:x-amz-grant-read-acp":     true,
	"s3:x-amz-grant-write":        true,
	"s3:x-amz-grant-write-acp":    true,
	"s3:x-amz-metadata-directive": true,
	"s3:x-amz-object-ownership":   true,
	"s3:x-amz-storage-class":      true,

	"s3:x-amz-server-side-encryption":                    true,
	"s3:x-amz-server-side-encryption-aws-kms-key-id":     true,
	"s3:x-amz-server-side-encryption-customer-algorithm": true,
}

// familyKeys are the prefixes of keys that carry a tag's key.
var familyKeys = []string{"s3:existingobjecttag/", "s3:requestobjecttag/"}

// KnownKey tells whether documents may use a condition key, in any case of letters.
func KnownKey(key string) bool {
	key = lowerASCII(key)
	return ownKeys[key] || faceKeys[key] || inFamily(key, familyKeys) || isCallerKey(key)
}

// isCallerKey tells whether Caller.Attributes answers a lower-case key.
func isCallerKey(key string) bool { return callerKeys[key] || inFamily(key, callerFamilies) }

func inFamily(key string, families []string) bool {
	for _, f := range families {
		if strings.HasPrefix(key, f) && len(key) > len(f) {
			return true
		}
	}
	return false
}

// values returns the values of a lower-case key, and whether it is present. buf is used
// for values that need a slice.
func (q *Query) values(key string, buf *[1]string) ([]string, bool) {
	if ownKeys[key] {
		v, ok := q.own(key)
		if !ok {
			return nil, false
		}
		buf[0] = v
		return buf[:], true
	}
	from := q.Conditions
	if isCallerKey(key) {
		from = q.Caller.Attributes
	}
	if from == nil {
		return nil, false
	}
	v, ok := from.Values(key)
	return v, ok && len(v) > 0
}

// own answers the keys of ownKeys.
func (q *Query) own(key string) (string, bool) {
	c := &q.Caller
	switch key {
	case "aws:username":
		return c.Name, c.Name != "" && !c.Root
	case "aws:userid":
		return c.ID, c.ID != ""
	case "aws:principaltype":
		switch {
		case c.ID == "":
			return "Anonymous", true
		case c.Root:
			return "Account", true
		case c.Session:
			return "AssumedRole", true
		}
		return "User", true
	case "aws:principalarn":
		return c.ARN, c.ARN != ""
	case "aws:principalaccount":
		return c.Account, c.Account != ""
	case "aws:currenttime":
		return q.now().UTC().Format(time.RFC3339), true
	case "aws:epochtime":
		return strconv.FormatInt(q.now().Unix(), 10), true
	}
	return "", false
}

func (q *Query) now() time.Time {
	if q.Time.IsZero() {
		return time.Now()
	}
	return q.Time
}

// variable returns the value of a policy variable. A key that is absent, empty, or has
// several values has none.
func (q *Query) variable(key string) (string, bool) {
	var buf [1]string
	v, ok := q.values(key, &buf)
	if !ok || len(v) != 1 || v[0] == "" {
		return "", false
	}
	return v[0], true
}
