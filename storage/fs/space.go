package fs

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/objsrv/objsrv/storage"
)

// space refuses writes while the disk still has the room that deletes, and the index
// itself, need. There is no timer: the disk is asked when writes come.
type space struct {
	fs      vfs.FS
	dir     string
	ballast string
	reserve int64 // bytes that writes leave free; 0 when the file system can't tell

	mu    sync.Mutex
	asked time.Time
	free  atomic.Int64 // as last asked, less what has been written since
	until atomic.Int64 // when to ask again, in nanoseconds since start
	start time.Time
}

const (
	spaceInterval = 100 * time.Millisecond
	minReserve    = 16 << 20
	maxReserve    = 512 << 20
	maxBallast    = 64 << 20
)

// reserveOf is about 1% of the disk, within limits that a tiny disk lowers.
func reserveOf(total int64) int64 {
	return min(max(total/100, minReserve), maxReserve, total/8)
}

func newSpace(fs vfs.FS, dir string) *space {
	s := &space{fs: fs, dir: dir, ballast: fs.PathJoin(dir, ballastName), start: time.Now()}
	if du, err := fs.GetDiskUsage(dir); err == nil {
		s.reserve = reserveOf(int64(du.TotalBytes))
		s.free.Store(int64(du.AvailBytes))
	}
	return s
}

// take notes that n bytes are about to be written. ErrFull when they would eat into the
// reserve.
func (s *space) take(n int64) error {
	if s.reserve == 0 {
		return nil
	}
	if int64(time.Since(s.start)) >= s.until.Load() {
		s.ask(false)
	}
	if s.free.Load()-n >= s.reserve {
		s.free.Add(-n)
		return nil
	}
	s.ask(true)
	if free := s.free.Load(); free-n < s.reserve {
		return fmt.Errorf("%d bytes free, %d kept in reserve: %w", free, s.reserve, storage.ErrFull)
	}
	s.free.Add(-n)
	return nil
}

// ask reads the free space, at most once per interval unless it is to be known now:
// before a write is refused.
func (s *space) ask(now bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := time.Since(s.start)
	if !now && int64(at) < s.until.Load() {
		return
	}
	if du, err := s.fs.GetDiskUsage(s.dir); err == nil {
		s.free.Store(int64(du.AvailBytes))
	}
	s.until.Store(int64(at + spaceInterval))
}

// inflate makes the ballast when there is room for it.
func (s *space) inflate() error {
	if s.reserve == 0 || s.free.Load() < 4*s.reserve {
		return nil
	}
	if _, err := s.fs.Stat(s.ballast); err == nil {
		return nil
	}
	f, err := s.fs.Create(s.ballast, vfs.WriteCategoryUnspecified)
	if err != nil {
		return fmt.Errorf("create ballast: %w", err)
	}
	err = f.Preallocate(0, min(s.reserve/2, maxBallast))
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		_ = s.fs.Remove(s.ballast) // a file system without preallocation has no ballast
	}
	return nil
}

// deflate gives the ballast back; it is called when the index finds the disk full.
func (s *space) deflate() { _ = s.fs.Remove(s.ballast) }
