package fs_test

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/objsrv/objsrv/storage"
	"github.com/objsrv/objsrv/storage/fs"
	"github.com/objsrv/objsrv/storage/storagetest"
)

// openStore opens a store that must not find damage nor fail.
func openStore(t testing.TB, o fs.Options) *fs.Store {
	t.Helper()
	o.OnDamage = func(err error) { t.Errorf("damage: %v", err) }
	o.OnFatal = func(err error) { t.Errorf("fatal: %v", err) }
	o.OnError = func(err error) { t.Errorf("background: %v", err) }
	s, err := fs.Open(o)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	return s
}

// TestConformance runs the suite of storage.Backend, on the machine's file system and
// on one in memory, with a usual and with a tiny inline limit.
func TestConformance(t *testing.T) {
	for _, c := range []struct {
		name   string
		memory bool
		inline int
	}{{"disk", false, 0}, {"memory", true, 0}, {"all-in-files", true, 1}} {
		if testing.Short() && c.name != "memory" {
			continue // the long run has all three
		}
		t.Run(c.name, func(t *testing.T) {
			where := map[storage.Backend]fs.Options{}
			open := func(t *testing.T, o fs.Options) storage.Backend {
				s := openStore(t, o)
				where[s] = o
				t.Cleanup(func() { _ = s.Close() })
				return s
			}
			storagetest.Run(t, func(t *testing.T) storage.Backend {
				o := fs.Options{Dir: t.TempDir(), InlineLimit: c.inline}
				if c.memory {
					o.FS, o.Dir = vfs.NewMem(), "data"
				}
				return open(t, o)
			}, storagetest.Options{
				Thresholds: []int64{fs.DefaultInlineLimit, 64 << 10, 256 << 10},
				Reopen: func(t *testing.T, b storage.Backend) storage.Backend {
					if err := b.Close(); err != nil {
						t.Fatalf("Close: %v", err)
					}
					return open(t, where[b])
				},
			})
		})
	}
}
