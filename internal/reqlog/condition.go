package reqlog

import (
	"strconv"
	"time"
)

// Condition answers a condition key of AWS, lower-case, that speaks of the request as the listener
// knows it, or of what its client says of itself (AWS global condition keys: aws:SourceIp,
// aws:SecureTransport, aws:UserAgent, aws:Referer); "" for any other, and for one that is absent.
func (e *Event) Condition(key, referer string) string {
	switch key {
	case "aws:sourceip":
		return e.Remote
	case "aws:securetransport":
		return strconv.FormatBool(e.TLS)
	case "aws:useragent":
		return e.UserAgent
	case "aws:referer":
		return referer
	}
	return ""
}

// Conditions are the condition keys of a request of which a policy may ask no more than Condition
// tells.
type Conditions struct {
	*Event
	Referer string
}

// Values returns what the request has for a lower-case key; false when it has nothing.
func (c Conditions) Values(key string) ([]string, bool) {
	return one(c.Condition(key, c.Referer))
}

func one(v string) ([]string, bool) { return []string{v}, v != "" }

// SignedConditions are those of an administrative request, whose header carries its signature.
type SignedConditions struct {
	Conditions
	// Lifetime is how long a key that the request makes or changes will live, for
	// svc:DurationSeconds; 0 when it does neither.
	Lifetime time.Duration
}

// Values returns what the request has for a lower-case key; false when it has nothing.
func (c SignedConditions) Values(key string) ([]string, bool) {
	switch key {
	case "s3:authtype":
		return one("REST-HEADER")
	case "s3:signatureversion":
		return one("AWS4-HMAC-SHA256")
	case "svc:durationseconds":
		if c.Lifetime > 0 {
			return one(strconv.FormatInt(int64(c.Lifetime/time.Second), 10))
		}
	}
	return c.Conditions.Values(key)
}
