package main

import (
	"errors"
	"net/http"
	"syscall"

	"github.com/objsrv/objsrv/storage"
)

// diskRefusal tells administrators that the disk is in the way of what they want: as a status, 0 when it is not, a code, and
// what to do.
func diskRefusal(err error) (status int, code, message string) {
	switch {
	case errors.Is(err, storage.ErrFull), errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return http.StatusInsufficientStorage, "InsufficientStorage", "The server's disk is full. Delete objects or add space, then try again."
	case errors.Is(err, storage.ErrUnavailable):
		return http.StatusServiceUnavailable, "ServiceUnavailable", "The store can't be written now."
	}
	return 0, "", ""
}
