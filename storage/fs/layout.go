package fs

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Names in the directory.
const (
	formatName  = "format.json"
	lockName    = "lock"
	ballastName = "ballast"
	indexName   = "index"
	blobsName   = "blobs"
)

// FormatVersion is the newest format of the directory that this package reads, and the
// one that it writes.
const FormatVersion = 1

// format is what format.json holds.
type format struct {
	Format     int    `json:"format"`
	Deployment string `json:"deployment"`
	// State is "creating" until the index exists, so that a first start that was cut
	// off can be told from an index that was lost.
	State string `json:"state"`
}

const (
	stateCreating = "creating"
	stateReady    = "ready"
)

// Errors of Open and RebuildIndex that a person has to act on.
var (
	ErrInUse       = errors.New("the directory is in use by another process")
	ErrNewerFormat = errors.New("the directory was written by a newer version of this program; start that version")
	ErrForeign     = errors.New("the directory holds files that are not this store's; give an empty directory")
	ErrIndexLost   = errors.New("the directory has objects but no index; restore it from a backup, or restore the large objects with --rebuild-index")
)

// layout is an opened directory.
type layout struct {
	fs     vfs.FS
	dir    string
	lock   io.Closer
	format format
}

func (l *layout) path(elem ...string) string {
	return l.fs.PathJoin(append([]string{l.dir}, elem...)...)
}

// openLayout checks and locks the directory, and begins a new store in an empty one.
// known names entries of the directory that belong to the program and do not make it
// foreign.
func openLayout(fs vfs.FS, dir string, known []string) (*layout, error) {
	l := &layout{fs: fs, dir: dir}
	if err := fs.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make directory: %w", err)
	}
	fresh, err := l.inspect(known)
	if err != nil {
		return nil, err
	}
	if l.lock, err = fs.Lock(l.path(lockName)); err != nil {
		return nil, fmt.Errorf("lock %s: %w (%w)", dir, ErrInUse, err)
	}
	err = l.begin(fresh)
	if err == nil && l.format.State == stateCreating {
		err = l.syncParents()
	}
	if err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

// inspect looks at the directory without changing it and tells whether it is new.
func (l *layout) inspect(known []string) (fresh bool, err error) {
	names, err := l.fs.List(l.dir)
	if err != nil {
		return false, fmt.Errorf("list directory: %w", err)
	}
	if slices.Contains(names, formatName) {
		return false, nil
	}
	allowed := append([]string{"lost+found", lockName, formatName + ".tmp"}, known...)
	for _, n := range names {
		if !slices.Contains(allowed, n) {
			return false, fmt.Errorf("%s has no %s but %q: %w", l.dir, formatName, n, ErrForeign)
		}
	}
	return true, nil
}

// begin reads the format, or writes it when the directory is new.
func (l *layout) begin(fresh bool) error {
	if fresh {
		var id [16]byte
		_, _ = rand.Read(id[:]) // never fails
		l.format = format{Format: FormatVersion, Deployment: hex.EncodeToString(id[:]), State: stateCreating}
		return l.writeFormat()
	}
	raw, err := readFile(l.fs, l.path(formatName))
	if err != nil {
		return fmt.Errorf("read format: %w", err)
	}
	if err := json.Unmarshal(raw, &l.format); err != nil {
		return fmt.Errorf("%s is damaged: %w", l.path(formatName), err)
	}
	if l.format.Format > FormatVersion {
		return fmt.Errorf("format %d, this version knows %d: %w", l.format.Format, FormatVersion, ErrNewerFormat)
	}
	if l.format.Format < 1 || !slices.Contains([]string{stateCreating, stateReady, stateRebuilding}, l.format.State) {
		return fmt.Errorf("%s is damaged: format %d, state %q", l.path(formatName), l.format.Format, l.format.State)
	}
	return nil
}

// writeFormat replaces format.json: a new file, synced, renamed over the old one, and
// the directory synced.
func (l *layout) writeFormat() error {
	raw, err := json.Marshal(l.format)
	if err != nil {
		return fmt.Errorf("encode format: %w", err)
	}
	tmp := l.path(formatName + ".tmp")
	f, err := l.fs.Create(tmp, vfs.WriteCategoryUnspecified)
	if err != nil {
		return fmt.Errorf("create format: %w", err)
	}
	_, err = f.Write(append(raw, '\n'))
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("write format: %w", err)
	}
	if err := l.fs.Rename(tmp, l.path(formatName)); err != nil {
		return fmt.Errorf("rename format: %w", err)
	}
	return syncDir(l.fs, l.dir)
}

// hasIndex tells whether there is anything where the index should be.
func (l *layout) hasIndex() bool {
	names, err := l.fs.List(l.path(indexName))
	return err == nil && len(names) > 0
}

func (l *layout) close() {
	if l.lock != nil {
		_ = l.lock.Close() // the kernel drops the lock with the process in any case
	}
}

// syncParents makes the entries durable that lead to the directory of a new store, whoever has made them: a process that
// was killed had no time to. What this process may not read it has not made, and neither has one like it; nor what lies in a
// file system that syncs no directories, such as an image that can't be written.
func (l *layout) syncParents() error {
	for dir := l.dir; ; {
		parent := l.fs.PathDir(dir)
		if parent == dir {
			return nil
		}
		err := syncDir(l.fs, parent)
		switch {
		case isNotExist(err): // the file system in memory has no name for the parent of a relative path
		case errors.Is(err, os.ErrPermission), errors.Is(err, syscall.EINVAL), errors.Is(err, syscall.EROFS): // fsync(2)
		case err != nil:
			return err
		}
		dir = parent
	}
}

func syncDir(fs vfs.FS, dir string) error {
	d, err := fs.OpenDir(dir)
	if err != nil {
		return fmt.Errorf("open directory: %w", err)
	}
	err = d.Sync()
	if cerr := d.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("sync directory: %w", err)
	}
	return nil
}

func readFile(fs vfs.FS, name string) ([]byte, error) {
	f, err := fs.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

func isNotExist(err error) bool { return errors.Is(err, os.ErrNotExist) }
