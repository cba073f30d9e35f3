package sigv4

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// scratch is the working space of one verification; Verifiers pool it.
type scratch struct {
	canonical []byte
	toSign    []byte
	mac       []byte
	name      []byte
	pairBytes []byte
	pairs     []queryPair
	asSent    bool // these two: see appendQuery
	repeats   bool
}

// appendCanonical appends the canonical request of r to dst, as S3 defines it: the path
// decoded once and encoded anew, never normalised.
func (s *scratch) appendCanonical(dst []byte, r *http.Request, mode Mode, signedHeaders, payload string) []byte {
	dst = append(dst, r.Method...)
	dst = append(dst, '\n')
	dst = appendPath(dst, r.URL.Path)
	dst = append(dst, '\n')
	dst = s.appendQuery(dst, r.URL.RawQuery, mode == Presigned)
	dst = append(dst, '\n')
	for rest, more := signedHeaders, true; more; {
		var name string
		name, rest, more = strings.Cut(rest, ";")
		dst = append(dst, name...)
		dst = append(dst, ':')
		dst = s.appendHeader(dst, r, name)
		dst = append(dst, '\n')
	}
	dst = append(dst, '\n')
	dst = append(dst, signedHeaders...)
	dst = append(dst, '\n')
	return append(dst, payload...)
}

func appendPath(dst []byte, path string) []byte {
	if path == "" {
		return append(dst, '/')
	}
	for i := range len(path) {
		if path[i] == '/' {
			dst = append(dst, '/')
		} else {
			dst = appendEscaped(dst, path[i])
		}
	}
	return dst
}

// appendHeader appends the canonical value of a signed header; nothing when it was not
// sent. Some headers net/http takes out of the map.
func (s *scratch) appendHeader(dst []byte, r *http.Request, name string) []byte {
	switch name {
	case "host":
		return appendTrimmed(dst, r.Host)
	case "content-length":
		if r.ContentLength >= 0 {
			return strconv.AppendInt(dst, r.ContentLength, 10)
		}
		return dst
	case "transfer-encoding":
		return append(dst, strings.Join(r.TransferEncoding, ",")...)
	}
	values := r.Header[string(s.canonicalName(name))]
	if len(values) == 0 && name == "expect" && r.ProtoMajor > 1 {
		return append(dst, "100-continue"...)
	}
	for i, value := range values {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendTrimmed(dst, value)
	}
	return dst
}

// canonicalName returns name as http.Header has it, without allocating.
func (s *scratch) canonicalName(name string) []byte {
	s.name = s.name[:0]
	upper := true
	for i := range len(name) {
		c := name[i]
		if upper && 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		upper = c == '-'
		s.name = append(s.name, c)
	}
	return s.name
}

// appendTrimmed appends value without white space around it and with each run of white
// space inside it as one space.
func appendTrimmed(dst []byte, value string) []byte {
	pending, start := false, len(dst)
	for i := range len(value) {
		c := value[i]
		if c == ' ' || c == '\t' {
			pending = len(dst) > start
			continue
		}
		if pending {
			dst = append(dst, ' ')
			pending = false
		}
		dst = append(dst, c)
	}
	return dst
}

// appendToSign appends the string to sign of a request whose canonical form hashes to sum.
func appendToSign(dst []byte, amzDate, scope string, canonical []byte) []byte {
	sum := sha256.Sum256(canonical)
	dst = append(dst, algorithm...)
	dst = append(dst, '\n')
	dst = append(dst, amzDate...)
	dst = append(dst, '\n')
	dst = append(dst, scope...)
	dst = append(dst, '\n')
	return hex.AppendEncode(dst, sum[:])
}

// mustSign reports whether a request with the header name has to sign it: every x-amz-* but
// x-amz-content-sha256, whose value is the last line of the canonical request, and
// x-amz-cf-id, which CloudFront adds.
func mustSign(name string) bool {
	return isAmz(name) && !strings.EqualFold(name, "x-amz-content-sha256") && !strings.EqualFold(name, "x-amz-cf-id")
}

// unsignedHeaders returns the names, sorted and joined as S3 does, of the headers that must
// be signed and are not in signedHeaders: host and those of mustSign. What counts is membership
// in the list: a value says nothing about what was signed.
func (s *scratch) unsignedHeaders(h http.Header, signedHeaders string) string {
	// Nearly every request signs all, so it is enough to count.
	present, signed, host := 0, 0, false
	for name := range h {
		if mustSign(name) {
			present++
		}
	}
	for rest, more := signedHeaders, true; more; {
		var name string
		name, rest, more = strings.Cut(rest, ";")
		if name == "host" {
			host = true
		} else if mustSign(name) && len(h[string(s.canonicalName(name))]) > 0 {
			signed++
		}
	}
	if host && present == signed {
		return ""
	}
	var missing []string
	if !host {
		missing = append(missing, "host")
	}
	for name := range h {
		lower := strings.ToLower(name)
		// A name that is not in canonical form would not be found when it is signed.
		if mustSign(name) && (!listed(signedHeaders, lower) || string(s.canonicalName(lower)) != name || len(h[name]) == 0) {
			missing = append(missing, lower)
		}
	}
	slices.Sort(missing)
	return strings.Join(missing, ", ")
}

// listed reports whether name, in lower case, is in the list.
func listed(signedHeaders, name string) bool {
	for more := true; more; {
		var s string
		s, signedHeaders, more = strings.Cut(signedHeaders, ";")
		if s == name {
			return true
		}
	}
	return false
}
