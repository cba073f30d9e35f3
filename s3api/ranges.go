package s3api

import (
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/objsrv/objsrv/storage"
)

// span is the part of an object's content that an answer carries.
type span struct {
	off, n  int64
	partial bool          // 206 with Content-Range
	part    *storage.Part // the part that was asked for by its number
}

// span finds what a read asks for: the whole object, one range of it, or one part.
func (c *call) span(o *storage.Object) (span, error) {
	whole := span{n: o.Size}
	number := 0
	if c.query.Has("partNumber") {
		var err error
		if number, err = c.partNumber(); err != nil {
			return whole, err
		}
	}
	ranges := c.r.Header["Range"]
	switch {
	case number > 0 && len(ranges) > 0:
		return whole, errorf("InvalidRequest", "Cannot specify both Range header and partNumber query parameter")
	case number > 0:
		return c.partSpan(o, number)
	case len(ranges) != 1 || !rangeStillMeant(c.r.Header["If-Range"], o):
		return whole, nil
	}
	first, last, ok := parseRange(ranges[0])
	if !ok {
		return whole, nil
	}
	s, ok := clip(first, last, o.Size)
	if !ok {
		return whole, errRange(ranges[0], o.Size)
	}
	return s, nil
}

func errRange(asked string, size int64) error {
	n := strconv.FormatInt(size, 10)
	return errorf("InvalidRange", "The requested range is not satisfiable").
		with("RangeRequested", asked).with("ActualObjectSize", n).header("Content-Range", "bytes */"+n)
}

// partNumber reads the parameter of that name.
func (c *call) partNumber() (int, error) {
	v := c.query.Get("partNumber")
	n, err := strconv.ParseUint(v, 10, 31)
	if err != nil || n < 1 || n > maxParts {
		return 0, errorf("InvalidArgument", "Part number must be an integer between 1 and %d, inclusive", maxParts).
			with("ArgumentName", "partNumber").with("ArgumentValue", v)
	}
	return int(n), nil
}

// partSpan finds a part of an object. An object that was put whole is its own first part.
func (c *call) partSpan(o *storage.Object, number int) (span, error) {
	if o.PartCount == 0 && number == 1 {
		return span{n: o.Size, partial: o.Size > 0}, nil
	}
	if number <= o.PartCount {
		parts, err := c.s.Backend.Parts(c.ctx, storage.Ref{Bucket: c.bucket, Key: c.key, Version: o.VersionID})
		if err != nil {
			return span{}, err
		}
		// AWS counts the parts of the finished object anew: gaps in the numbers that
		// they were uploaded with do not count.
		if number <= len(parts) {
			s := span{n: parts[number-1].Size, partial: true, part: &parts[number-1]}
			for i := range parts[:number-1] {
				s.off += parts[i].Size
			}
			s.partial = o.Size > 0
			return s, nil
		}
	}
	return span{}, &Error{Code: "InvalidPartNumber", Status: http.StatusRequestedRangeNotSatisfiable, Message: "The requested partnumber is not satisfiable"}
}

// rangeStillMeant evaluates If-Range (RFC 9110 section 13.1.5): a range of what the client
// has only makes sense while the object is the same.
func rangeStillMeant(ifRange []string, o *storage.Object) bool {
	if len(ifRange) == 0 {
		return true
	}
	v := strings.TrimSpace(ifRange[0])
	if t, err := http.ParseTime(v); err == nil {
		return t.Unix() == o.Modified.Unix()
	}
	return !strings.HasPrefix(v, "W/") && unquoteETag(v) == o.ETag
}

// parseRange reads a Range header of one range. first is -1 for a suffix of last bytes; last is
// math.MaxInt64 for an open end. ok is false for several ranges and for what is no range: S3
// answers both with the whole object.
func parseRange(s string) (first, last int64, ok bool) {
	unit, spec, found := strings.Cut(s, "=")
	if !found || !strings.EqualFold(strings.TrimSpace(unit), "bytes") {
		return 0, 0, false
	}
	a, b, found := strings.Cut(strings.TrimSpace(spec), "-")
	if !found {
		return 0, 0, false
	}
	first, last = -1, math.MaxInt64
	if a != "" {
		if first, ok = parseOffset(a); !ok {
			return 0, 0, false
		}
	}
	if b != "" {
		if last, ok = parseOffset(b); !ok {
			return 0, 0, false
		}
	}
	return first, last, (a != "" || b != "") && (first <= last)
}

// parseOffset reads a decimal number; one too large for an int64 counts as the largest.
func parseOffset(s string) (int64, bool) {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return math.MaxInt64, s != ""
	}
	return n, true
}

// clip fits a range of parseRange into an object of size bytes; ok is false when nothing is left.
func clip(first, last, size int64) (s span, ok bool) {
	if first < 0 {
		n := min(last, size)
		return span{off: size - n, n: n, partial: true}, n > 0
	}
	if first >= size {
		return span{}, false
	}
	return span{off: first, n: min(last, size-1) - first + 1, partial: true}, true
}
