package loadgen

import "strings"

// keysOf returns the keys of a listing. They are ones that this package made, so that no
// escape sequence can occur in them.
func keysOf(body []byte) []string {
	var keys []string
	rest := string(body)
	for {
		_, after, ok := strings.Cut(rest, "<Key>")
		if !ok {
			return keys
		}
		key, tail, ok := strings.Cut(after, "</Key>")
		if !ok {
			return keys
		}
		keys = append(keys, key)
		rest = tail
	}
}
