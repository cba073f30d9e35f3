package policy

import (
	"strconv"
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
	KMSKey string // the name of the key that a kms: action is about, "" for none

	Caller Caller
	// Time is that of the request; zero means now.
	Time time.Time
	// Conditions answers the keys of FaceKeys; nil answers none. It is asked for no other.
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
	// Attributes answers what the caller's credentials carry: aws:groups, aws:FederatedProvider,
	// aws:SourceIdentity, aws:TokenIssueTime, aws:MultiFactorAuthPresent, aws:PrincipalTag/*, jwt:*
	// and ldap:*; nil answers none. Names behind the prefix are compared without regard to case, so
	// that where two claims or tags differ in case only it answers the values of both.
	Attributes Conditions
}

// values returns the values of a lower-case key, and whether it is present. buf is used
// for values that need a slice.
func (q *Query) values(key string, from origin, buf *[1]string) ([]string, bool) {
	var conditions Conditions
	switch from {
	case fromQuery:
		v, ok := q.own(key)
		if !ok {
			return nil, false
		}
		buf[0] = v
		return buf[:], true
	case fromCaller:
		conditions = q.Caller.Attributes
	case fromFace:
		conditions = q.Conditions
	}
	if conditions == nil {
		return nil, false
	}
	v, ok := conditions.Values(key)
	return v, ok && len(v) > 0
}

// anonymous is the id and the account of the anonymous caller in conditions.
const anonymous = "anonymous"

// own answers the keys of queryKeys.
func (q *Query) own(key string) (string, bool) {
	c := &q.Caller
	switch key {
	case "aws:username":
		return c.Name, c.Name != "" && !c.Root
	case "aws:userid":
		if c.ID == "" {
			return anonymous, true
		}
		return c.ID, true
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
		if c.ID == "" {
			return anonymous, true
		}
		return c.Account, c.Account != ""
	case "aws:principalisawsservice": // no service of AWS calls this server
		return "false", c.ID != ""
	case "aws:viaawsservice":
		return "false", true
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
func (q *Query) variable(e *elem) (string, bool) {
	var buf [1]string
	v, ok := q.values(e.lit, e.from, &buf)
	if !ok || len(v) != 1 || v[0] == "" {
		return "", false
	}
	return v[0], true
}
