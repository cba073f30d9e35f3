package main

import (
	"errors"
	"fmt"
	"net/http"
	"syscall"
	"testing"

	"github.com/objsrv/objsrv/iam/adminapi"
	"github.com/objsrv/objsrv/iam/madmin"
	"github.com/objsrv/objsrv/storage"
)

// TestFullDiskIsTold: who administers a server on a full disk learns that, whatever has met it.
func TestFullDiskIsTold(t *testing.T) {
	for _, err := range []error{storage.ErrFull, &fsError{syscall.ENOSPC}, syscall.EDQUOT} {
		err = fmt.Errorf("write: %w", err)
		for name, told := range map[string]error{"quota": adminRefusal(err), "key": keyRefusal("k", err)} {
			var r *adminapi.Refusal
			if !errors.As(told, &r) || r.Status != http.StatusInsufficientStorage || r.Code != "InsufficientStorage" {
				t.Errorf("%s: %v is told as %v", name, err, told)
			}
		}
		var r *madmin.Refusal
		if told := bucketRefusal(err); !errors.As(told, &r) || r.Status != http.StatusInsufficientStorage {
			t.Errorf("%v is told as %v", err, told)
		}
	}
	other := errors.New("another")
	if adminRefusal(other) != other || keyRefusal("k", other) != other || bucketRefusal(other) != other || adminRefusal(nil) != nil {
		t.Error("what has nothing to do with the disk is told as something else")
	}
}

type fsError struct{ error }

func (e *fsError) Unwrap() error { return e.error }
