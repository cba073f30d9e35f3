package reqlog

import "strings"

// Internal tells whether the request was one of administration, of the console's own, or of a probe, and not one
// of S3 or STS: by its operation, since requests of S3 come through the console, too, and by its path when it has
// none.
func (e *Event) Internal() bool {
	switch {
	case strings.HasPrefix(e.Op, "Admin"), strings.HasPrefix(e.Op, "Console"), e.Op == "Metrics", e.Op == "Health", e.Op == "Fsck":
		return true
	case e.Op == "":
		return strings.HasPrefix(e.URI, "/-/") || strings.HasPrefix(e.URI, "/minio/")
	}
	return false
}
