//go:build !unix

package fs

import "errors"

// ownerOnly needs modes of files.
func ownerOnly(uintptr) error { return errors.ErrUnsupported }
