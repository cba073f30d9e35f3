package reqlog

import "strconv"

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
