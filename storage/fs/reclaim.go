package fs

import (
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/cockroachdb/pebble/v2"
)

// reclaimer unlinks blobs that nothing refers to any more. It works only when there is
// something to do.
type reclaimer struct {
	s       *Store
	mu      sync.Mutex
	work    []drop   // durable drops
	orphans []uint64 // files that never were committed
	held    map[uint64][]drop
	busy    int // of the round that is running
	wake    chan struct{}
	swept   chan struct{} // closed once the files without a commit are known
	quit    chan struct{}
	stopped sync.WaitGroup
}

// reclaimBatch is how many blobs share the syncs of their directories.
const reclaimBatch = 256

// start begins the work with what the index has queued, and with the files between
// the marks low and known that no commit names.
func (r *reclaimer) start(s *Store, low, known uint64) error {
	r.s = s
	r.held = map[uint64][]drop{}
	r.wake, r.quit, r.swept = make(chan struct{}, 1), make(chan struct{}), make(chan struct{})
	err := scan(s.db, []byte{rangeReclaim}, []byte{rangeReclaim + 1}, func(k, _ []byte) (bool, error) {
		if len(k) != 17 {
			return false, indexError(errKeyForm)
		}
		r.work = append(r.work, drop{binary.BigEndian.Uint64(k[1:]), binary.BigEndian.Uint64(k[9:])})
		return true, nil
	})
	if err != nil {
		return fmt.Errorf("load queue of blobs to reclaim: %w", err)
	}
	s.blobs.watch(low, known)
	r.stopped.Go(func() {
		if err := r.sweep(low, known); err != nil {
			s.report(fmt.Errorf("sweep files without a commit: %w", err))
		}
		close(r.swept)
		r.run()
	})
	r.poke()
	return nil
}

// stop ends the work; what is left is in the index.
func (r *reclaimer) stop() {
	if r.quit != nil {
		close(r.quit)
		r.stopped.Wait()
		r.quit = nil
	}
}

func (r *reclaimer) poke() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// queue takes over blobs whose drop is durable.
func (r *reclaimer) queue(list []drop) {
	if len(list) == 0 {
		return
	}
	r.mu.Lock()
	r.work = append(r.work, list...)
	r.mu.Unlock()
	r.poke()
}

// orphan takes over a file that will not be committed.
func (r *reclaimer) orphan(id uint64) {
	r.mu.Lock()
	r.orphans = append(r.orphans, id)
	r.mu.Unlock()
	r.poke()
}

// release gives back what was waiting for a manifest to be closed.
func (r *reclaimer) release(manifest uint64) {
	r.mu.Lock()
	list := r.held[manifest]
	delete(r.held, manifest)
	r.work = append(r.work, list...)
	r.mu.Unlock()
	if len(list) > 0 {
		r.poke()
	}
}

// waiting is how many blobs are still to be reclaimed.
func (r *reclaimer) waiting() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := len(r.work) + len(r.orphans) + r.busy
	for _, list := range r.held {
		n += len(list)
	}
	return n
}

func (r *reclaimer) run() {
	for {
		r.mu.Lock()
		n, m := min(len(r.work), reclaimBatch), min(len(r.orphans), reclaimBatch)
		work, orphans := r.work[:n:n], r.orphans[:m:m]
		r.work, r.orphans = r.work[n:], r.orphans[m:]
		r.busy = n + m
		r.mu.Unlock()
		if n+m == 0 {
			select {
			case <-r.wake:
				continue
			case <-r.quit:
				return
			}
		}
		if err := r.round(work, orphans); err != nil {
			// The rest is in the index, and in the range of the low water mark.
			r.s.report(fmt.Errorf("reclaim blobs: %w", err))
		}
		select {
		case <-r.quit:
			return
		default:
		}
	}
}

// round reclaims some blobs: it finds those that nothing refers to, waits until the
// commits that it saw in that are durable, removes the files, syncs their
// directories and only then forgets them.
func (r *reclaimer) round(work []drop, orphans []uint64) error {
	b := r.s.db.NewBatch()
	defer b.Close()
	var files []uint64
	var more []drop
	for _, d := range work {
		gone, err := r.inspect(b, d, &more)
		if err != nil {
			r.s.report(fmt.Errorf("reclaim blob %x: %w", d.blob, err)) // it stays queued in the index
			continue
		}
		if gone {
			files = append(files, d.blob)
		}
	}
	wait(r.s.commits.barrier())
	if err := r.s.gate.err(); err != nil {
		return err
	}
	if err := r.unlink(append(files, orphans...)); err != nil {
		return err
	}
	for _, id := range orphans {
		r.s.blobs.settle(id)
	}
	for _, id := range files {
		_ = b.Delete(keyOf(rangeRef, id), nil)
	}
	if b.Empty() {
		return nil
	}
	// Drops of parts must not be lost once the manifest is: those are synced.
	how := pebble.NoSync
	if len(more) > 0 {
		how = pebble.Sync
	}
	if err := b.Commit(how); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	if err := r.s.gate.err(); err != nil {
		return err
	}
	r.queue(more)
	return nil
}

// inspect decides about one drop. The changes it makes go into b; more are drops that
// follow from it.
func (r *reclaimer) inspect(b *pebble.Batch, d drop, more *[]drop) (gone bool, err error) {
	s := r.s
	k := keyOf(rangeRef, d.blob)
	var refs int64
	if _, err := get(s.db, k, func(v []byte) error {
		sum, _, err := decodeSum(k, v)
		refs = sum[0]
		return err
	}); err != nil {
		return false, s.noteDamage(err)
	}
	if refs > 0 {
		_ = b.Delete(reclaimKey(d.blob, d.seq), nil)
		return false, nil
	}
	mk := keyOf(rangeManifest, d.blob)
	var m *manifest
	if _, err := get(s.db, mk, func(v []byte) (err error) { m, err = decodeManifest(d.blob, v); return err }); err != nil {
		return false, s.noteDamage(err)
	}
	if m != nil {
		if s.pins.hold(d.blob, func() { r.keep(d) }) {
			return false, nil
		}
		e := &edit{s: s, b: b}
		for i := range m.parts {
			if err := e.dropPart(&m.parts[i]); err != nil {
				return false, err
			}
		}
		*more = append(*more, e.drops...)
		_ = b.Delete(mk, nil)
	}
	_ = b.Delete(reclaimKey(d.blob, d.seq), nil)
	return true, nil
}

// keep puts a drop aside until its manifest is closed.
func (r *reclaimer) keep(d drop) {
	r.mu.Lock()
	r.held[d.blob] = append(r.held[d.blob], d)
	r.mu.Unlock()
}

// unlink removes files and makes that durable.
func (r *reclaimer) unlink(ids []uint64) error {
	s := r.s
	segs := map[*segment]bool{}
	defer func() {
		for seg := range segs {
			s.segs.release(seg, s.blobs.upcoming())
		}
	}()
	for _, id := range ids {
		name, file := blobName(id)
		if _, err := s.fs.Stat(s.layout.path(blobsName, name)); isNotExist(err) {
			continue
		}
		seg, err := s.segs.acquire(id)
		if err != nil {
			return err
		}
		if segs[seg] {
			s.segs.release(seg, s.blobs.upcoming())
		}
		segs[seg] = true
		if err := s.fs.Remove(s.fs.PathJoin(seg.path, file)); err != nil && !isNotExist(err) {
			return fmt.Errorf("remove blob: %w", err)
		}
	}
	for seg := range segs {
		if err := seg.sync(); err != nil {
			return fmt.Errorf("sync directory of blobs: %w", err)
		}
	}
	return nil
}

// sweep queues the files with ids from low up to known that the index does not know.
// The low water mark stays below them until they are gone.
func (r *reclaimer) sweep(low, known uint64) error {
	s := r.s
	keepLow := false
	for seg := low >> segmentBits; low < known && seg <= (known-1)>>segmentBits; seg++ {
		name, _ := blobName(seg << segmentBits)
		files, err := s.fs.List(s.layout.path(blobsName, name))
		if isNotExist(err) {
			continue
		}
		if err != nil {
			return fmt.Errorf("list blobs: %w", err)
		}
		for _, f := range files {
			id, ok := parseBlobName(name, f)
			if !ok || id < low || id >= known {
				continue
			}
			found, err := get(s.db, keyOf(rangeRef, id), func([]byte) error { return nil })
			if err != nil {
				return err
			}
			if !found {
				keepLow = keepLow || id == low
				s.blobs.watch(id, known)
				r.orphan(id)
			}
		}
	}
	if !keepLow {
		s.blobs.settle(low)
	}
	return nil
}

// pins counts the contents that are open on each manifest.
type pins struct {
	mu   sync.Mutex
	open map[uint64]int
}

// pin is called with the lock of the key held, so that the manifest is referred to.
func (p *pins) pin(manifest uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open == nil {
		p.open = map[uint64]int{}
	}
	p.open[manifest]++
}

// unpin tells whether it was the last.
func (p *pins) unpin(manifest uint64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open[manifest]--
	if p.open[manifest] > 0 {
		return false
	}
	delete(p.open, manifest)
	return true
}

// hold calls keep, before the last content can be closed, when the manifest is pinned.
func (p *pins) hold(manifest uint64, keep func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open[manifest] == 0 {
		return false
	}
	keep()
	return true
}
