package mem_test

import (
	"testing"
	"time"

	"github.com/objsrv/objsrv/storage"
	"github.com/objsrv/objsrv/storage/mem"
	"github.com/objsrv/objsrv/storage/storagetest"
)

func TestConformance(t *testing.T) {
	open := func(t *testing.T) storage.Backend {
		s := mem.New(mem.Options{})
		t.Cleanup(func() { s.Close() })
		return s
	}
	storagetest.Run(t, open, storagetest.Options{Thresholds: []int64{64 << 10}})
}

func TestPrograms(t *testing.T) {
	storagetest.Programs(t, storagetest.ProgramOptions{
		Open:   func(*testing.T) storage.Backend { return mem.New(mem.Options{}) },
		Reopen: func(_ *testing.T, b storage.Backend) storage.Backend { return b.(*mem.Store).Clone() },
	})
}

func TestClock(t *testing.T) {
	storagetest.Clock(t, func(t *testing.T, now func() time.Time) storage.Backend {
		return mem.New(mem.Options{Now: now})
	})
}

func TestCalendar(t *testing.T) {
	storagetest.Calendar(t, func(_ *testing.T, now func() time.Time) storage.Backend { return mem.New(mem.Options{Now: now}) })
}
