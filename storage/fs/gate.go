package fs

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/objsrv/objsrv/storage"
)

// gate remembers the first fatal fault of the index. From then on gateFS refuses
// everything that would change a file, so that what is on disk stays what it was at
// that moment, and the next start recovers from the log as after a power cut.
type gate struct {
	fault   atomic.Pointer[error]
	down    chan struct{} // closed when the gate is shut
	onFatal func(error)
	syncs   atomic.Int64
	writing sync.Map // names of files of the index that are not complete yet
}

// shut makes err the fatal fault unless there is one already.
func (g *gate) shut(err error) {
	err = fmt.Errorf("%w: %w", storage.ErrUnavailable, err)
	if !g.fault.CompareAndSwap(nil, &err) {
		return
	}
	close(g.down)
	if g.onFatal != nil {
		g.onFatal(err)
	}
}

// err returns the fatal fault, which Is ErrUnavailable, or nil.
func (g *gate) err() error {
	if p := g.fault.Load(); p != nil {
		return *p
	}
	return nil
}

// retryPause slows the index down when it repeats background work that fails, which it
// does without a pause of its own.
const retryPause = 50 * time.Millisecond

// descriptorRetries is how often the index asks again for a file when the process has no
// descriptor left, which passes.
const descriptorRetries = 40

// gateFS wraps the file system: files are made with mode 0600, syncs are counted, and
// nothing is changed once the gate is shut.
type gateFS struct {
	vfs.FS
	g     *gate
	index bool // used by the index
}

func (f gateFS) check() error {
	if err := f.g.err(); err != nil {
		time.Sleep(retryPause)
		return err
	}
	return nil
}

func (f gateFS) file(file vfs.File, err error, created bool) (vfs.File, error) {
	if err != nil {
		if errors.Is(err, syscall.ENOSPC) {
			time.Sleep(retryPause)
		}
		return nil, err
	}
	if fd := file.Fd(); created && fd != vfs.InvalidFd {
		if err := ownerOnly(fd); err != nil {
			file.Close()
			return nil, fmt.Errorf("set mode of a file: %w", err)
		}
	}
	return gateFile{file, f.g}, nil
}

// log wraps a file of the index's log.
func (f gateFS) log(file vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	return gateLog{file.(gateFile)}, nil
}

// Create implements vfs.FS. Pebble switches to a new manifest by a marker file that
// names it. A file system may make the two durable in any order before the directory
// is synced, so that it is synced before the marker is made.
func (f gateFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if err := f.check(); err != nil {
		if f.isLog(name) {
			return f.voidLog(err)
		}
		return nil, err
	}
	if err := f.beforeMarker(name); err != nil {
		return nil, err
	}
	file, err := f.FS.Create(name, c)
	for n := 0; f.index && n < descriptorRetries && isDescriptors(err); n++ {
		time.Sleep(retryPause)
		file, err = f.FS.Create(name, c)
	}
	if f.isLog(name) {
		if err != nil {
			return f.voidLog(err)
		}
		return f.log(f.file(file, nil, true))
	}
	made, err := f.file(file, err, true)
	if err != nil || !f.index {
		return made, err
	}
	f.g.writing.Store(name, nil)
	return newFile{made, f.g, name}, nil
}

// newFile is a file of the index that is being written.
type newFile struct {
	vfs.File
	g    *gate
	name string
}

// Close implements vfs.File.
func (f newFile) Close() error {
	err := f.File.Close()
	f.g.writing.Delete(f.name)
	return err
}

// Open implements vfs.FS.
func (f gateFS) Open(name string, opts ...vfs.OpenOption) (vfs.File, error) {
	file, err := f.FS.Open(name, opts...)
	if err == nil && f.index && strings.HasSuffix(name, valueExt) {
		return openValueFile(file, f.FS.PathBase(name))
	}
	return file, err
}

// isLog tells whether a file is the index's log.
func (f gateFS) isLog(name string) bool { return f.index && strings.HasSuffix(name, ".log") }

// voidLog stands for a log that can't be created, which Pebble would end the process
// for while it holds its locks. The gate is shut, so that nothing that goes into it is
// ever acknowledged.
func (f gateFS) voidLog(err error) (vfs.File, error) {
	f.g.shut(fmt.Errorf("create log of the index: %w", err))
	return vfs.NewMem().Create("log", vfs.WriteCategoryUnspecified)
}

func isDescriptors(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// beforeMarker syncs the directory of a marker file.
func (f gateFS) beforeMarker(name string) error {
	if !f.index || !strings.HasPrefix(f.FS.PathBase(name), "marker.") {
		return nil
	}
	return syncDir(f, f.FS.PathDir(name))
}

// OpenReadWrite implements vfs.FS.
func (f gateFS) OpenReadWrite(name string, c vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	file, err := f.FS.OpenReadWrite(name, c, opts...)
	return f.file(file, err, true)
}

// ReuseForWrite implements vfs.FS.
func (f gateFS) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if err := f.check(); err != nil {
		if f.isLog(to) {
			return f.voidLog(err)
		}
		return nil, err
	}
	file, err := f.FS.ReuseForWrite(from, to, c)
	if f.isLog(to) {
		if err != nil {
			return f.voidLog(err)
		}
		return f.log(f.file(file, nil, false))
	}
	return f.file(file, err, false)
}

// OpenDir implements vfs.FS.
func (f gateFS) OpenDir(name string) (vfs.File, error) {
	file, err := f.FS.OpenDir(name)
	if err != nil {
		return nil, err
	}
	return gateDir{file, f.g, f.index}, nil
}

// Link implements vfs.FS.
func (f gateFS) Link(from, to string) error {
	if err := f.check(); err != nil {
		return err
	}
	return f.FS.Link(from, to)
}

// Remove implements vfs.FS. An old marker goes only after the new one is durable.
func (f gateFS) Remove(name string) error {
	if err := f.check(); err != nil {
		return err
	}
	if err := f.beforeMarker(name); err != nil {
		return err
	}
	return f.FS.Remove(name)
}

// RemoveAll implements vfs.FS.
func (f gateFS) RemoveAll(name string) error {
	if err := f.check(); err != nil {
		return err
	}
	return f.FS.RemoveAll(name)
}

// Rename implements vfs.FS.
func (f gateFS) Rename(from, to string) error {
	if err := f.check(); err != nil {
		return err
	}
	return f.FS.Rename(from, to)
}

// MkdirAll implements vfs.FS.
func (f gateFS) MkdirAll(dir string, _ os.FileMode) error {
	if err := f.check(); err != nil {
		return err
	}
	return f.FS.MkdirAll(dir, 0o700)
}

// Lock implements vfs.FS. To open the file once more, only to set its mode, would drop
// the lock when that is closed.
func (f gateFS) Lock(name string) (io.Closer, error) {
	lock, err := f.FS.Lock(name)
	if err != nil || vfs.Root(f.FS) != vfs.Default {
		return lock, err
	}
	if err := os.Chmod(name, 0o600); err != nil {
		lock.Close()
		return nil, fmt.Errorf("set mode of a lock: %w", err)
	}
	return lock, nil
}

// Unwrap implements vfs.FS.
func (f gateFS) Unwrap() vfs.FS { return f.FS }

type gateFile struct {
	vfs.File
	g *gate
}

// Write implements vfs.File.
func (f gateFile) Write(p []byte) (int, error) {
	if err := f.g.err(); err != nil {
		return 0, err
	}
	return f.File.Write(p)
}

// WriteAt implements vfs.File.
func (f gateFile) WriteAt(p []byte, off int64) (int, error) {
	if err := f.g.err(); err != nil {
		return 0, err
	}
	return f.File.WriteAt(p, off)
}

// Sync implements vfs.File.
func (f gateFile) Sync() error {
	if err := f.g.err(); err != nil {
		return err
	}
	f.g.syncs.Add(1)
	return f.File.Sync()
}

// SyncData implements vfs.File.
func (f gateFile) SyncData() error {
	if err := f.g.err(); err != nil {
		return err
	}
	f.g.syncs.Add(1)
	return f.File.SyncData()
}

// SyncTo implements vfs.File.
func (f gateFile) SyncTo(n int64) (bool, error) {
	if err := f.g.err(); err != nil {
		return false, err
	}
	return f.File.SyncTo(n)
}

// gateLog is a file of the index's log. Pebble ends the process, or panics with its
// locks held, when the log can't be written. Here the first failure shuts the gate,
// which every commit looks at before it is acknowledged, and Pebble is told that all
// is well.
type gateLog struct{ gateFile }

func (f gateLog) failed(err error) {
	if err != nil {
		f.g.shut(fmt.Errorf("write log of the index: %w", err))
	}
}

// Write implements vfs.File.
func (f gateLog) Write(p []byte) (int, error) {
	n, err := f.gateFile.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	f.failed(err)
	return len(p), nil
}

// WriteAt implements vfs.File.
func (f gateLog) WriteAt(p []byte, off int64) (int, error) {
	_, err := f.gateFile.WriteAt(p, off)
	f.failed(err)
	return len(p), nil
}

// Sync implements vfs.File.
func (f gateLog) Sync() error {
	f.failed(f.gateFile.Sync())
	return nil
}

// SyncData implements vfs.File.
func (f gateLog) SyncData() error {
	f.failed(f.gateFile.SyncData())
	return nil
}

// SyncTo implements vfs.File.
func (f gateLog) SyncTo(n int64) (bool, error) {
	full, err := f.gateFile.SyncTo(n)
	f.failed(err)
	return full, nil
}

// Close implements vfs.File.
func (f gateLog) Close() error {
	f.failed(f.File.Close())
	return nil
}

// gateDir is a directory that is opened to be synced.
type gateDir struct {
	vfs.File
	g     *gate
	index bool
}

// Sync implements vfs.File. Pebble panics when a directory can't be synced; the gate is
// shut instead, behind which it is no matter what the index believes.
func (d gateDir) Sync() error {
	err := d.g.err()
	if err == nil {
		d.g.syncs.Add(1)
		err = d.File.Sync()
	}
	if err != nil && d.index {
		d.g.shut(fmt.Errorf("sync directory of the index: %w", err))
		return nil
	}
	return err
}
