package fs

import (
	"fmt"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// segments makes the directories of blobs and syncs them, once for all that wait.
type segments struct {
	fs     vfs.FS
	layout *layout
	mu     sync.Mutex
	open   map[uint64]*segment
	// lasting says that the entries of all directories that were found or made are durable. Those that are found may
	// be of a process that was killed before it could see to that.
	lasting bool
}

// segment is a directory of blobs that files are being made in.
type segment struct {
	number uint64
	path   string
	dir    vfs.File
	users  int // guarded by segments.mu

	mu      sync.Mutex
	running bool
	next    *syncRound // what callers that come now wait for
}

// syncRound is one sync that several callers wait for.
type syncRound struct {
	done chan struct{}
	err  error
}

func (g *segments) init(fs vfs.FS, l *layout) {
	g.fs, g.layout, g.open = fs, l, map[uint64]*segment{}
}

// acquire returns the directory for a blob, made when it does not exist. It is never
// made in a directory that has lost its format file: the volume below may have been
// unmounted, and nothing belongs into the bare mount point.
func (g *segments) acquire(id uint64) (*segment, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := id >> segmentBits
	if s := g.open[n]; s != nil {
		s.users++
		return s, nil
	}
	name, _ := blobName(id)
	path := g.layout.path(blobsName, name)
	dir, err := g.fs.OpenDir(path)
	if isNotExist(err) {
		if _, err := g.fs.Stat(g.layout.path(formatName)); err != nil {
			return nil, fmt.Errorf("directory of the store is gone: %w", err)
		}
		g.lasting = false
		if err := g.fs.MkdirAll(path, 0o700); err != nil {
			return nil, fmt.Errorf("make directory of blobs: %w", err)
		}
		dir, err = g.fs.OpenDir(path)
	}
	if err != nil {
		return nil, fmt.Errorf("open directory of blobs: %w", err)
	}
	if !g.lasting {
		if err := syncDir(g.fs, g.layout.path(blobsName)); err != nil {
			_ = dir.Close() // opened for syncing alone
			return nil, err
		}
		g.lasting = true
	}
	s := &segment{number: n, path: path, dir: dir, users: 1}
	g.open[n] = s
	return s, nil
}

// release gives a directory back. The one that new blobs go to stays open.
func (g *segments) release(s *segment, latest uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	s.users--
	if s.users == 0 && s.number < latest>>segmentBits {
		delete(g.open, s.number)
		_ = s.dir.Close() // opened for syncing alone
	}
}

func (g *segments) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for n, s := range g.open {
		delete(g.open, n)
		_ = s.dir.Close() // opened for syncing alone
	}
}

// sync makes the directory's entries durable. Callers that come while a sync runs
// share the one after it: the running one may have begun before their change.
func (s *segment) sync() error {
	s.mu.Lock()
	if s.next == nil {
		s.next = &syncRound{done: make(chan struct{})}
	}
	round := s.next
	if s.running {
		s.mu.Unlock()
		<-round.done
		return round.err
	}
	s.running = true
	for s.next != nil {
		r := s.next
		s.next = nil
		s.mu.Unlock()
		r.err = s.dir.Sync()
		close(r.done)
		s.mu.Lock()
	}
	s.running = false
	s.mu.Unlock()
	return round.err
}
