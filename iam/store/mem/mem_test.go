package mem_test

import (
	"testing"

	"github.com/objsrv/objsrv/iam/store"
	"github.com/objsrv/objsrv/iam/store/mem"
	"github.com/objsrv/objsrv/iam/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(*testing.T) storetest.Factory {
		return storetest.Factory{Open: func(t *testing.T) store.Store { return mem.Open() }}
	})
}
