// Package cache keeps copies of contents on a local disk, within a bound of bytes and of entries; the copy that was
// wanted longest ago goes first. A copy stands for one state of what it is a copy of, which its user names: whether that
// is the present state is the user's to find out, each time. It imports the standard library and golang.org/x/sys.
//
// A copy is a file that is written to its end before anybody finds it. The checksums of its blocks are in memory, and each
// block is compared before it is given out, so that what the disk has changed is never taken for the content: such a copy
// is dropped, and its reader told. Nothing outlives the process, nor is anything synced: the directory is emptied when it
// is opened. One process has a directory at a time.
package cache

import (
	"container/list"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

const (
	// block is what has a checksum of its own.
	block = 64 << 10
	// MinSize is the length of the smallest content that is kept: a shorter one costs its owner hardly more than the question
	// whether the copy is good.
	MinSize = 64 << 10
	// share of the bytes that one content may have.
	share = 8
	// MinTotal is the least that Options.Size may be.
	MinTotal = share * MinSize
	// maxEntries bounds the memory that entries take, a few hundred bytes each.
	maxEntries = 500_000
	// pause is how long nothing is written after the disk has failed.
	pause = 10 * time.Second
)

// ErrDamaged says that a copy is not what was written, or can't be read. It has been dropped.
var ErrDamaged = errors.New("the copy is damaged")

// ErrInUse says that another process has the directory.
var ErrInUse = errors.New("the directory of the cache is in use by another process")

// Options say where copies are kept.
type Options struct {
	Dir    string // is made when missing; what is below its directory "objects" is removed
	Size   int64  // bytes of all copies, at least MinTotal
	Report func(error)
	// Entries bounds their number; 0 is a default of 500 000.
	Entries int
}

// Stats are figures of a cache since it was opened, and what it holds.
type Stats struct {
	Hits, Misses, Stale, Damaged, Evicted int64
	HitBytes, FilledBytes                 int64 // that copies gave, and that were written into copies
	Entries, Bytes                        int64
}

// Cache keeps copies. Its methods may be called at once.
type Cache struct {
	o       Options
	dir     string
	lock    *os.File
	buffers sync.Pool // of *[]byte, span long

	mu      sync.Mutex
	closed  bool
	entries map[string]*list.Element // of *entry
	used    *list.List               // front: wanted last
	filling map[string]bool
	bytes   int64 // of entries and of what is being filled
	seq     uint64
	resume  time.Time // nothing is written before
	stats   Stats
}

// entry is a copy.
type entry struct {
	name, state, file string
	size              int64
	sums              []uint32 // of its blocks
}

// Open empties the directory and returns a cache over it. Errors: ErrInUse, or what the system says.
func Open(o Options) (*Cache, error) {
	if o.Size < MinTotal {
		return nil, fmt.Errorf("open cache: %d bytes are too few: %d at least", o.Size, MinTotal)
	}
	if o.Entries <= 0 {
		o.Entries = maxEntries
	}
	if o.Report == nil {
		o.Report = func(error) {}
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("open cache: %w", err)
	}
	lock, err := lockFile(filepath.Join(o.Dir, "lock"))
	if err != nil {
		return nil, fmt.Errorf("open cache %s: %w", o.Dir, err)
	}
	c := &Cache{o: o, dir: filepath.Join(o.Dir, "objects"), lock: lock, entries: map[string]*list.Element{}, used: list.New(), filling: map[string]bool{}}
	c.buffers.New = func() any {
		b := make([]byte, span)
		return &b
	}
	if err = os.RemoveAll(c.dir); err == nil {
		err = os.Mkdir(c.dir, 0o700)
	}
	if err != nil {
		lock.Close()
		return nil, fmt.Errorf("empty the cache: %w", err)
	}
	return c, nil
}

// Close lets go of the directory. Copies that are open can be read further; nothing is filled any more.
func (c *Cache) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil
	}
	c.closed = true
	clear(c.entries)
	c.used.Init()
	if err := c.lock.Close(); err != nil {
		return fmt.Errorf("close cache: %w", err)
	}
	return nil
}

// Stats returns the figures.
func (c *Cache) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stats
	s.Entries, s.Bytes = int64(len(c.entries)), c.bytes
	return s
}

// Has tells whether there is a copy under a name, of whatever state; where there is none a miss is counted.
func (c *Cache) Has(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.entries[name]
	if !ok {
		c.stats.Misses++
	}
	return ok
}

// Open opens the copy of a name's state, nil when there is none. One of another state is dropped: it is the past. The
// caller closes the copy.
func (c *Cache) Open(name, state string, size int64) *Copy {
	c.mu.Lock()
	el, ok := c.entries[name]
	if !ok {
		c.mu.Unlock()
		return nil
	}
	e := el.Value.(*entry)
	if e.state != state || e.size != size {
		c.stats.Stale++
		c.drop(el)
		c.mu.Unlock()
		return nil
	}
	c.used.MoveToFront(el)
	c.mu.Unlock()
	f, err := os.Open(e.file)
	if err != nil {
		if !c.holds(el) { // it was evicted just now
			return nil
		}
		c.damaged(el, err)
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stats.Hits++
	return &Copy{c: c, el: el, e: e, f: f}
}

// holds tells whether an entry is still there.
func (c *Cache) holds(el *list.Element) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.entries[el.Value.(*entry).name] == el
}

// damaged drops a copy that could not be read as it was written.
func (c *Cache) damaged(el *list.Element, err error) {
	c.mu.Lock()
	c.stats.Damaged++
	if c.entries[el.Value.(*entry).name] == el {
		c.drop(el)
	}
	c.mu.Unlock()
	c.o.Report(fmt.Errorf("a copy in the cache has been dropped: %w", err))
}

// drop removes an entry; mu is held. Whoever reads its file does so to the end.
func (c *Cache) drop(el *list.Element) {
	e := el.Value.(*entry)
	c.used.Remove(el)
	delete(c.entries, e.name)
	c.bytes -= e.size
	c.remove(e.file)
}

func (c *Cache) remove(file string) {
	if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
		c.o.Report(fmt.Errorf("remove a copy from the cache: %w", err))
	}
}

// Fill begins a copy of size bytes. It returns nil when none is wanted: the content is too small or too large, somebody
// else is copying it, or the disk has failed a moment ago.
func (c *Cache) Fill(name, state string, size int64) *Filling {
	if size < MinSize || size > c.o.Size/share {
		return nil
	}
	c.mu.Lock()
	if c.closed || c.filling[name] || time.Now().Before(c.resume) || !c.room(size) {
		c.mu.Unlock()
		return nil
	}
	c.filling[name] = true
	c.bytes += size
	c.seq++
	e := &entry{name: name, state: state, size: size, file: filepath.Join(c.dir, strconv.FormatUint(c.seq, 36))}
	c.mu.Unlock()
	f, err := os.OpenFile(e.file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		c.abandon(e, err)
		return nil
	}
	e.sums = make([]uint32, 0, (size+block-1)/block)
	return &Filling{c: c, e: e, f: f}
}

// room drops copies until there is room for one more of a size; mu is held. It is false while too much is being filled.
func (c *Cache) room(size int64) bool {
	for c.bytes+size > c.o.Size || len(c.entries)+len(c.filling) >= c.o.Entries {
		last := c.used.Back()
		if last == nil {
			return false
		}
		c.stats.Evicted++
		c.drop(last)
	}
	return true
}

// abandon gives back what a copy has taken that is not finished. err is that of the disk, nil when it was not at fault.
func (c *Cache) abandon(e *entry, err error) {
	c.mu.Lock()
	delete(c.filling, e.name)
	c.bytes -= e.size
	if err != nil {
		c.resume = time.Now().Add(pause)
	}
	c.remove(e.file)
	c.mu.Unlock()
	if err != nil {
		c.o.Report(fmt.Errorf("write to the cache: %w; nothing is copied for %s", err, pause))
	}
}

// publish makes a finished copy the one of its name.
func (c *Cache) publish(e *entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.filling, e.name)
	if c.closed {
		c.bytes -= e.size
		c.remove(e.file)
		return
	}
	if old, ok := c.entries[e.name]; ok {
		c.drop(old)
	}
	c.entries[e.name] = c.used.PushFront(e)
	c.stats.FilledBytes += e.size
}
