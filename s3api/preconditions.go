package s3api

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/objsrv/objsrv/storage"
)

// readConditions are the four headers of a conditional read, or of the source of a copy.
type readConditions struct{ match, noneMatch, modified, unmodified string }

var (
	getConditions  = readConditions{"If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"}
	copyConditions = readConditions{"X-Amz-Copy-Source-If-Match", "X-Amz-Copy-Source-If-None-Match",
		"X-Amz-Copy-Source-If-Modified-Since", "X-Amz-Copy-Source-If-Unmodified-Since"}
)

// check evaluates the conditions for an object, in the order of RFC 9110 section 13.2.2:
// an ETag condition makes the date condition of its kind void. failed names the header that
// asks for 412, unchanged the one that says that the client has this version.
func (rc *readConditions) check(header http.Header, o *storage.Object) (failed, unchanged string) {
	modified := o.Modified.Truncate(time.Second)
	if v := header[rc.match]; len(v) > 0 {
		if !etagListed(v, o.ETag) {
			return rc.match, ""
		}
	} else if v := header[rc.unmodified]; len(v) > 0 {
		if t, err := http.ParseTime(v[0]); err == nil && modified.After(t) {
			return rc.unmodified, ""
		}
	}
	if v := header[rc.noneMatch]; len(v) > 0 {
		if etagListed(v, o.ETag) {
			return "", rc.noneMatch
		}
	} else if v := header[rc.modified]; len(v) > 0 {
		if t, err := http.ParseTime(v[0]); err == nil && !modified.After(t) {
			return "", rc.modified
		}
	}
	return "", ""
}

// etagListed tells whether the lines of an If-Match or If-None-Match header name etag.
func etagListed(lines []string, etag string) bool {
	for _, line := range lines {
		for item := range strings.SplitSeq(line, ",") {
			if item = strings.TrimSpace(item); item == "*" || unquoteETag(item) == etag {
				return true
			}
		}
	}
	return false
}

func errPrecondition(condition string) error {
	return errorf("PreconditionFailed", "At least one of the pre-conditions you specified did not hold").with("Condition", condition)
}

// writeConditions reads the conditions of a write (S3 user guide, "How to prevent object
// overwrites with conditional writes"). AWS takes no If-None-Match but *; one entity tag is a
// promise that the store can keep too, a list is not.
func writeConditions(header http.Header) (storage.Conditions, error) {
	var c storage.Conditions
	if v := header["If-Match"]; len(v) > 0 {
		c.IfMatch = unquoteETag(v[0])
		if len(v) > 1 || c.IfMatch == "" || strings.Contains(c.IfMatch, ",") {
			return c, errorf("InvalidArgument", "If-Match takes one entity tag.").with("ArgumentName", "If-Match").with("ArgumentValue", v[0])
		}
	}
	if v := header["If-None-Match"]; len(v) > 0 {
		c.IfNoneMatch = unquoteETag(v[0])
		if len(v) > 1 || c.IfNoneMatch == "" || strings.Contains(c.IfNoneMatch, ",") {
			return c, errorf("NotImplemented", "A header you provided implies functionality that is not implemented: a list in If-None-Match.").with("Header", "If-None-Match")
		}
	}
	return c, nil
}

// deleteConditions reads the conditions of a DeleteObject.
func deleteConditions(header http.Header) (storage.Conditions, error) {
	c, err := writeConditions(header)
	if err != nil {
		return c, err
	}
	if c.IfNoneMatch != "" {
		return c, errorf("NotImplemented", "A header you provided implies functionality that is not implemented: If-None-Match.").with("Header", "If-None-Match")
	}
	if v := header.Get("X-Amz-If-Match-Size"); v != "" {
		if c.IfMatchSize, err = parseSize(v); err != nil {
			return c, errorf("InvalidArgument", "Invalid value for x-amz-if-match-size.").with("ArgumentName", "x-amz-if-match-size").with("ArgumentValue", v)
		}
		c.HasSize = true
	}
	if v := header.Get("X-Amz-If-Match-Last-Modified-Time"); v != "" {
		if c.IfMatchModified, err = parseTime(v); err != nil {
			return c, errorf("InvalidArgument", "Invalid value for x-amz-if-match-last-modified-time.").with("ArgumentName", "x-amz-if-match-last-modified-time").with("ArgumentValue", v)
		}
	}
	return c, nil
}

// parseSize reads a number of bytes; signs and fractions are refused.
func parseSize(s string) (int64, error) {
	n, err := strconv.ParseUint(s, 10, 63)
	return int64(n), err
}

// parseTime reads a time in whole seconds, in the form of HTTP or of ISO 8601.
func parseTime(s string) (time.Time, error) {
	t, err := http.ParseTime(s)
	if err != nil {
		t, err = time.Parse(time.RFC3339, s)
	}
	return t.UTC().Truncate(time.Second), err
}

// conditionError names the condition that a write failed on.
func conditionError(err error, c *storage.Conditions) error {
	if !errors.Is(err, storage.ErrPrecondition) {
		return err
	}
	switch {
	case c.IfNoneMatch != "":
		return errPrecondition("If-None-Match")
	case c.IfMatch != "":
		return errPrecondition("If-Match")
	case c.HasSize:
		return errPrecondition("x-amz-if-match-size")
	case !c.IfMatchModified.IsZero():
		return errPrecondition("x-amz-if-match-last-modified-time")
	}
	return err
}
