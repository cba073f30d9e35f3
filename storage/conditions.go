package storage

import (
	"fmt"
	"time"
)

// Conditions of a write, checked against the current version in one step with the
// write itself. The zero value always holds. (S3 user guide, "Add preconditions to
// S3 operations with conditional requests".)
type Conditions struct {
	IfMatch     string // ETag without quotes, or "*" for any current version
	IfNoneMatch string // "*", or an ETag that the current version must not have
	// The following are of deletes only.
	IfMatchModified time.Time // whole seconds; zero for none
	IfMatchSize     int64     // counts when HasSize
	HasSize         bool
}

// Zero tells whether c asks for nothing.
func (c *Conditions) Zero() bool {
	return c.IfMatch == "" && c.IfNoneMatch == "" && c.IfMatchModified.IsZero() && !c.HasSize
}

// Check returns nil when the conditions hold for the version cur (nil when there is
// none or it is a delete marker). ErrNoSuchKey when a match is asked of a key that
// is not there, else ErrPrecondition.
func (c *Conditions) Check(cur *Object) error {
	if cur != nil && cur.DeleteMarker {
		cur = nil
	}
	if c.IfNoneMatch != "" && cur != nil && (c.IfNoneMatch == "*" || c.IfNoneMatch == cur.ETag) {
		return fmt.Errorf("If-None-Match: %w", ErrPrecondition)
	}
	if cur == nil {
		if c.IfMatch != "" || !c.IfMatchModified.IsZero() || c.HasSize {
			return fmt.Errorf("condition on a missing key: %w", ErrNoSuchKey)
		}
		return nil
	}
	switch {
	case c.IfMatch != "" && c.IfMatch != "*" && c.IfMatch != cur.ETag:
		return fmt.Errorf("If-Match: %w", ErrPrecondition)
	case c.HasSize && c.IfMatchSize != cur.Size:
		return fmt.Errorf("x-amz-if-match-size: %w", ErrPrecondition)
	case !c.IfMatchModified.IsZero() && !c.IfMatchModified.Equal(cur.Modified.Truncate(time.Second)):
		return fmt.Errorf("x-amz-if-match-last-modified-time: %w", ErrPrecondition)
	}
	return nil
}
