package storage

import (
	"errors"
	"time"
)

// The errors that callers branch on, with errors.Is. Implementations wrap them with
// what was tried. Their S3 codes are assigned in package s3api.
var (
	ErrNoSuchBucket   = errors.New("no such bucket")
	ErrBucketExists   = errors.New("bucket exists")
	ErrBucketNotEmpty = errors.New("bucket not empty")
	ErrNoSuchKey      = errors.New("no such key")
	ErrNoSuchVersion  = errors.New("no such version")
	ErrMarker         = errors.New("the version is a delete marker")
	ErrNoSuchUpload   = errors.New("no such upload")
	ErrInvalidPart    = errors.New("part missing or changed")
	ErrPartOrder      = errors.New("parts not in ascending order")
	ErrPartTooSmall   = errors.New("part too small")
	ErrOffset         = errors.New("offset is not the object's size")
	ErrTooManyParts   = errors.New("object has too many parts")
	ErrPrecondition   = errors.New("precondition failed")
	ErrDamaged        = errors.New("stored data is damaged")  // checksum or identity mismatch, or bytes missing
	ErrFull           = errors.New("no space left")           // nothing was written; reads and deletes still work
	ErrUnavailable    = errors.New("store unavailable")       // a log write failed; needs a restart
	ErrClosed         = errors.New("store closed")            // Close was called
	ErrSize           = errors.New("body has another length") // Body and Size disagree
	ErrNotSupported   = errors.New("not supported by this backend")
)

// MarkerError says that the version asked for is a delete marker. It Is ErrNoSuchKey
// when the current version was asked for, ErrMarker when the marker was named.
type MarkerError struct {
	VersionID string
	Modified  time.Time
	Named     bool
}

// Error implements error.
func (e *MarkerError) Error() string { return "delete marker " + e.VersionID }

// Is tells which sentinel e stands for.
func (e *MarkerError) Is(target error) bool {
	if e.Named {
		return target == ErrMarker
	}
	return target == ErrNoSuchKey
}
