package migrate_test

import (
	"context"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/objsrv/objsrv/storage"
	"github.com/objsrv/objsrv/storage/fs"
	"github.com/objsrv/objsrv/storage/migrate"
	"github.com/objsrv/objsrv/storage/storagetest"
)

// TestConformance runs the suite of storage.Backend with a source that holds nothing: what is asked of a store is asked of
// one that moves in as well.
func TestConformance(t *testing.T) {
	type place struct {
		mem *vfs.MemFS
		old *source
	}
	where := map[storage.Backend]place{}
	open := func(t *testing.T, p place) storage.Backend {
		s, err := migrate.Open(context.Background(), migrate.Options{Local: openFS(t, p.mem), Source: keepOpen{p.old}, URL: "http://old"})
		if err != nil {
			t.Fatal(err)
		}
		s.Start(&settings{})
		where[s] = p
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	storagetest.Run(t, func(t *testing.T) storage.Backend {
		return open(t, place{vfs.NewMem(), &source{Store: openFS(t, vfs.NewMem())}})
	}, storagetest.Options{
		Thresholds: []int64{fs.DefaultInlineLimit},
		Reopen: func(t *testing.T, b storage.Backend) storage.Backend {
			if err := b.Close(); err != nil {
				t.Fatalf("Close: %v", err)
			}
			return open(t, where[b])
		},
	})
}
