package sigv4

import (
	"bytes"
	"slices"
	"strings"
)

// param is the index of a query parameter that takes part in authentication.
type param int

const (
	qAlgorithm param = iota
	qCredential
	qDate
	qExpires
	qSignedHeaders
	qSignature
	qSecurityToken
	qContentSHA256
	qV2AccessKey
	qV2Signature
	numParams
)

var paramNames = [numParams]string{
	"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature",
	"X-Amz-Security-Token", "X-Amz-Content-Sha256", "AWSAccessKeyId", "Signature",
}

// authQuery holds the authentication parameters of a query.
type authQuery struct {
	value [numParams]string
	seen  [numParams]bool
}

// presigned reports whether any of the six parameters of a presigned URL is there.
func (q *authQuery) presigned() bool {
	return slices.Contains(q.seen[:qSecurityToken], true)
}

func (q *authQuery) sigV2() bool { return q.seen[qV2AccessKey] || q.seen[qV2Signature] }

// read finds the authentication parameters of a raw query. A parameter given twice, or in
// other case than AWS writes it, is refused: it must not be one thing here and another elsewhere.
func (q *authQuery) read(raw string) error {
	for raw != "" {
		var pair string
		pair, raw, _ = strings.Cut(raw, "&")
		name, value, _ := strings.Cut(pair, "=")
		name, ok := unescape(name)
		if !ok {
			return errURI()
		}
		p := paramOf(name)
		if p < 0 {
			if !validEscapes(value) {
				return errURI()
			}
			continue
		}
		value, ok = unescape(value)
		switch {
		case !ok:
			return errURI()
		case q.seen[p]:
			return errQuery("The query parameter " + paramNames[p] + " must not be specified more than once")
		case name != paramNames[p] && p != qContentSHA256:
			return errQuery("The query parameter " + name + " must be written " + paramNames[p])
		}
		q.seen[p], q.value[p] = true, value
	}
	return nil
}

func errURI() *Error { return newError("InvalidURI", "Couldn't parse the specified URI.") }

// paramOf returns the parameter of that name in any case, or -1. The two of version 2
// are common words, so their case counts.
func paramOf(name string) param {
	switch name {
	case "AWSAccessKeyId":
		return qV2AccessKey
	case "Signature":
		return qV2Signature
	}
	if len(name) < len("X-Amz-Date") || !strings.EqualFold(name[:len("X-Amz-")], "X-Amz-") {
		return -1
	}
	for p := range qV2AccessKey {
		if strings.EqualFold(name, paramNames[p]) {
			return p
		}
	}
	return -1
}

// validEscapes reports whether each '%' is followed by two hexadecimal digits.
func validEscapes(s string) bool {
	for {
		i := strings.IndexByte(s, '%')
		if i < 0 {
			return true
		}
		if len(s) < i+3 || !isHex(s[i+1]) || !isHex(s[i+2]) {
			return false
		}
		s = s[i+3:]
	}
}

// unescape decodes a name or value of a query: %XX, and '+' for a space.
func unescape(s string) (string, bool) {
	if strings.IndexByte(s, '%') < 0 && strings.IndexByte(s, '+') < 0 {
		return s, true
	}
	if !validEscapes(s) {
		return "", false
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch c {
		case '%':
			c = unhex(s[i+1])<<4 | unhex(s[i+2])
			i += 2
		case '+':
			c = ' '
		}
		b = append(b, c)
	}
	return string(b), true
}

// queryPair is a canonically encoded parameter in scratch.pairBytes.
type queryPair struct{ start, eq, end int }

// appendQuery appends the canonical query of raw to dst: every name and value decoded
// and encoded anew, sorted by name and then by value, without X-Amz-Signature when drop is set.
// With s.asSent the values of a name that is repeated stay in the order in which they came; s.repeats says whether one is.
// raw must have passed authQuery.read.
func (s *scratch) appendQuery(dst []byte, raw string, drop bool) []byte {
	if raw == "" {
		return dst
	}
	buf, pairs := s.pairBytes[:0], s.pairs[:0]
	for raw != "" {
		var pair string
		pair, raw, _ = strings.Cut(raw, "&")
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		start := len(buf)
		buf = appendReescaped(buf, name)
		if drop && string(buf[start:]) == "X-Amz-Signature" {
			buf = buf[:start]
			continue
		}
		eq := len(buf)
		buf = append(buf, '=')
		buf = appendReescaped(buf, value)
		pairs = append(pairs, queryPair{start, eq, len(buf)})
	}
	s.repeats = false
	if len(pairs) > 1 {
		slices.SortStableFunc(pairs, func(a, b queryPair) int {
			if c := bytes.Compare(buf[a.start:a.eq], buf[b.start:b.eq]); c != 0 {
				return c
			}
			s.repeats = true
			if s.asSent {
				return 0
			}
			return bytes.Compare(buf[a.eq:a.end], buf[b.eq:b.end])
		})
	}
	for i, p := range pairs {
		if i > 0 {
			dst = append(dst, '&')
		}
		dst = append(dst, buf[p.start:p.end]...)
	}
	s.pairBytes, s.pairs = buf, pairs
	return dst
}

// appendReescaped decodes s as unescape does and appends it in canonical encoding.
func appendReescaped(dst []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch c {
		case '%':
			c = unhex(s[i+1])<<4 | unhex(s[i+2])
			i += 2
		case '+':
			c = ' '
		}
		dst = appendEscaped(dst, c)
	}
	return dst
}

const upperHex = "0123456789ABCDEF"

// appendEscaped appends c as AWS's UriEncode has it: RFC 3986 unreserved characters
// as they are, everything else as %XX in upper case.
func appendEscaped(dst []byte, c byte) []byte {
	if unreserved(c) {
		return append(dst, c)
	}
	return append(dst, '%', upperHex[c>>4], upperHex[c&15])
}

func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '.' || c == '_' || c == '~'
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func unhex(c byte) byte {
	switch {
	case c <= '9':
		return c - '0'
	case c <= 'F':
		return c - 'A' + 10
	}
	return c - 'a' + 10
}

// isLowerHex reports whether s is n lower-case hexadecimal digits.
func isLowerHex(s string, n int) bool {
	if len(s) != n {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
