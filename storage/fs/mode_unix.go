//go:build unix

package fs

import "golang.org/x/sys/unix"

// ownerOnly lets nobody but the owner of an open file read or write it.
func ownerOnly(fd uintptr) error { return unix.Fchmod(int(fd), 0o600) }
