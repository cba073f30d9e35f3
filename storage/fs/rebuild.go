package fs

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/objsrv/objsrv/storage"
)

// RebuildStats counts what RebuildIndex has done so far.
type RebuildStats struct {
	Blobs    int64 // files looked at
	Buckets  int64
	Versions int64 // restored
	Damaged  int64 // files or versions that could not be restored
	Left     int64 // files that belong to nothing restored: parts of open uploads, replaced versions
}

// stateRebuilding is the state of a directory while its index is being restored.
const stateRebuilding = "rebuilding"

// RebuildIndex makes a new index from the blob files in opts.Dir alone and moves what
// there was of the old one aside (index.old-N). It restores every version whose
// content lies in files, multipart and copied objects too, with the metadata that they
// were written with.
//
// What only the index knows is lost: objects up to the inline limit, delete markers, tags
// and properties that were set later, open uploads, and the settings of buckets but
// their names (policies among them: look at the buckets before serving them). A version
// that was deleted shortly before may come back when its file had not been removed, and so does one whose file a copy
// shares, or the object has under another name.
// report is told of files that could not be used; progress may be nil and is called
// now and then.
func RebuildIndex(ctx context.Context, opts Options, report func(Problem), progress func(RebuildStats)) (st RebuildStats, err error) {
	s := newStore(opts)
	if _, err := s.fs.Stat(s.fs.PathJoin(opts.Dir, blobsName)); err != nil {
		return st, fmt.Errorf("rebuild index: no blobs in %s: %w", opts.Dir, err)
	}
	l := &layout{fs: s.fs, dir: opts.Dir}
	if l.lock, err = s.fs.Lock(l.path(lockName)); err != nil {
		return st, fmt.Errorf("lock %s: %w (%w)", opts.Dir, ErrInUse, err)
	}
	s.layout = l
	defer s.abandon()
	b := &rebuilder{ctx: ctx, s: s, report: report, progress: progress, buckets: map[string]*rebuiltBucket{}, refs: map[uint64]int64{}}
	if err := b.run(); err != nil {
		return b.stats, fmt.Errorf("rebuild index: %w", err)
	}
	return b.stats, nil
}

// rebuiltBucket is a bucket that blobs name.
type rebuiltBucket struct {
	id        uint64 // the latest of its name
	owner     string
	versioned bool
	use       usage
}

type rebuilder struct {
	ctx      context.Context
	s        *Store
	report   func(Problem)
	progress func(RebuildStats)
	stats    RebuildStats
	buckets  map[string]*rebuiltBucket
	refs     map[uint64]int64
	maxBlob  uint64
	maxSeq   uint64
}

func (b *rebuilder) run() error {
	if err := b.prepare(); err != nil {
		return err
	}
	if err := b.survey(); err != nil {
		return err
	}
	if err := b.s.eachBlob(b.restore); err != nil {
		return err
	}
	if err := b.finish(); err != nil {
		return err
	}
	b.s.layout.format.State = stateReady
	return b.s.layout.writeFormat()
}

// prepare marks the directory, moves the old index aside and begins a new one.
func (b *rebuilder) prepare() error {
	s, l := b.s, b.s.layout
	_, err := s.fs.Stat(l.path(formatName))
	if err := l.begin(isNotExist(err)); err != nil {
		return err
	}
	l.format.State = stateRebuilding
	if err := l.writeFormat(); err != nil {
		return err
	}
	if _, err := s.fs.Stat(l.path(indexName)); err == nil {
		for n := 1; ; n++ {
			aside := l.path(fmt.Sprintf("%s.old-%d", indexName, n))
			if _, err := s.fs.Stat(aside); err == nil {
				continue
			}
			if err := s.fs.Rename(l.path(indexName), aside); err != nil {
				return fmt.Errorf("move index aside: %w", err)
			}
			break
		}
	}
	if err := s.makeDirs(true); err != nil {
		return err
	}
	if err := s.openIndex(true); err != nil {
		return err
	}
	if _, _, err := s.loadMarks(); err != nil {
		return err
	}
	return s.buckets.load(s.db)
}

func (b *rebuilder) bad(id uint64, in *inspected, err error) {
	b.stats.Damaged++
	segment, name := blobName(id)
	p := Problem{Kind: "blob", File: b.s.fs.PathJoin(blobsName, segment, name), Detail: err.Error()}
	if in != nil {
		p.Bucket, p.Key = in.owner.bucket, in.owner.key
	}
	b.report(p)
}

// survey finds the buckets. Of two with one name the later one counts: the other was
// deleted.
func (b *rebuilder) survey() error {
	return b.s.eachBlob(func(id uint64) error {
		if err := b.ctx.Err(); err != nil {
			return err
		}
		b.maxBlob = id
		in, f, err := b.s.inspectBlob(id)
		if err != nil {
			return nil // reported by restore
		}
		f.close()
		if in.owner.kind == kindPart {
			return nil
		}
		bk := b.buckets[in.owner.bucket]
		if bk == nil {
			bk = &rebuiltBucket{}
			b.buckets[in.owner.bucket] = bk
		}
		bk.id = max(bk.id, in.owner.bucketID)
		b.maxSeq = max(b.maxSeq, bk.id)
		return nil
	})
}

// restore puts the version of one blob into the index.
func (b *rebuilder) restore(id uint64) error {
	if err := b.ctx.Err(); err != nil {
		return err
	}
	b.stats.Blobs++
	if b.progress != nil && b.stats.Blobs%1000 == 0 {
		b.progress(b.stats)
	}
	in, f, err := b.s.inspectBlob(id)
	if err != nil {
		b.bad(id, nil, err)
		return nil
	}
	defer f.close()
	bk := b.buckets[in.owner.bucket]
	if in.owner.kind == kindPart || bk == nil || bk.id != in.owner.bucketID {
		return nil
	}
	r, err := in.recordOf()
	if err == nil && (r.loc != id || r.place != placeBlob && r.place != placeManifest) {
		err = fmt.Errorf("record of another blob (%x): %w", r.loc, storage.ErrDamaged)
	}
	batch := b.s.db.NewBatch()
	defer batch.Close()
	var m *manifest
	if err == nil && r.place == placeManifest {
		if m, err = b.manifest(f, r); err == nil {
			_ = batch.Set(keyOf(rangeManifest, id), encodeManifest(id, m), nil)
		}
	}
	if err != nil {
		b.bad(id, in, err)
		return nil
	}
	b.maxSeq = max(b.maxSeq, r.seq)
	return b.place(batch, bk, in.owner.key, r, m)
}

// manifest reads a manifest and checks that its blobs are there.
func (b *rebuilder) manifest(f *blobFile, r *record) (*manifest, error) {
	m, err := f.readManifest(b.ctx)
	if err != nil {
		return nil, err
	}
	if err := m.check(r); err != nil {
		return nil, err
	}
	for i := range m.parts {
		for _, x := range m.parts[i].extents {
			in, f, err := b.s.inspectBlob(x.blob)
			if err != nil {
				return nil, err
			}
			f.close()
			if in.size != x.size {
				return nil, fmt.Errorf("blob %x has %d of %d bytes: %w", x.blob, in.size, x.size, storage.ErrDamaged)
			}
		}
	}
	return m, nil
}

// place puts a version among those of its key. Of several null versions the newest is
// the one that was there last.
func (b *rebuilder) place(batch *pebble.Batch, bk *rebuiltBucket, key string, r *record, m *manifest) error {
	id := bk.id
	raw := appendRecord(nil, r, id, key)
	if r.null {
		kept, err := b.replaceNull(batch, id, key, r)
		if err != nil || !kept {
			return err
		}
	} else {
		bk.versioned = true
	}
	var cur *record
	var curRaw []byte
	if _, err := get(b.s.db, objectKey(id, key), func(v []byte) error {
		cur, curRaw = new(record), append([]byte{}, v...)
		return decodeRecord(cur, v, id, []byte(key), &arena{chunk: 64}, false)
	}); err != nil {
		return err
	}
	if cur != nil && cur.null && r.null {
		cur = nil // replaced
	}
	down, downRaw := r, raw
	if cur == nil || cur.seq < r.seq {
		_ = batch.Set(objectKey(id, key), raw, nil)
		down, downRaw = cur, curRaw
	}
	if down != nil {
		bk.versioned = true
		_ = batch.Set(versionKey(id, key, down.seq), downRaw, nil)
		if down.null {
			k := nullKey(id, key)
			_ = batch.Set(k, encodeMark(k, down.seq), nil)
		}
	}
	if bk.owner == "" {
		bk.owner = r.owner
	}
	if err := batch.Commit(pebble.NoSync); err != nil {
		return fmt.Errorf("write index: %w", err)
	}
	return b.s.gate.err()
}

// replaceNull removes an older null version of the key. kept is false when the one that
// is there is newer.
func (b *rebuilder) replaceNull(batch *pebble.Batch, id uint64, key string, r *record) (kept bool, err error) {
	f, err := nullVersion(b.s.db, id, key, false)
	if err != nil {
		return false, err
	}
	if f != nil {
		if f.rec.seq > r.seq {
			return false, nil
		}
		_ = batch.Delete(f.key, nil)
		_ = batch.Delete(nullKey(id, key), nil)
		_ = batch.Delete(keyOf(rangeManifest, f.rec.loc), nil)
		return true, nil
	}
	kept = true
	_, err = get(b.s.db, objectKey(id, key), func(v []byte) error {
		cur := new(record)
		err := decodeRecord(cur, v, id, []byte(key), &arena{chunk: 64}, false)
		kept = !cur.null || cur.seq < r.seq
		if cur.null && kept {
			_ = batch.Delete(keyOf(rangeManifest, cur.loc), nil)
		}
		return err
	})
	return kept, err
}

// finish counts what the index now refers to, and writes buckets, counts and marks.
func (b *rebuilder) finish() error {
	s := b.s
	ids := map[uint64]*rebuiltBucket{}
	for _, bk := range b.buckets {
		ids[bk.id] = bk
	}
	err := b.count(ids)
	if err != nil {
		return err
	}
	batch := s.db.NewBatch()
	defer func() { batch.Close() }()
	for name, bk := range b.buckets {
		info := &storage.Bucket{Name: name, Owner: bk.owner, Created: time.UnixMilli(s.now()).UTC()}
		if bk.versioned {
			info.Versioning = storage.VersioningEnabled
		}
		_ = batch.Set(bucketKey(name), encodeBucket(bk.id, info), nil)
		k := countKey(bk.id)
		_ = batch.Merge(k, encodeSum(k, bk.use.objects, bk.use.versions, 0, bk.use.bytes), nil)
		b.stats.Buckets++
		b.stats.Versions += bk.use.versions
	}
	for id, n := range b.refs {
		k := keyOf(rangeRef, id)
		_ = batch.Merge(k, encodeSum(k, n), nil)
		if batch.Len() > 1<<20 {
			if err := s.commit(batch); err != nil {
				return err
			}
			batch.Close()
			batch = s.db.NewBatch()
		}
	}
	b.stats.Left = b.stats.Blobs - b.stats.Damaged - int64(len(b.refs))
	// Ids that the lost index had handed out must not come again.
	for name, n := range map[string]uint64{"low": b.maxBlob + 1, "blob": b.maxBlob + 1 + blobBlock, "seq": b.maxSeq + 1<<24} {
		k := markKey(name)
		_ = batch.Set(k, encodeMark(k, n), nil)
	}
	if err := s.commit(batch); err != nil {
		return err
	}
	if err := s.db.Flush(); err != nil {
		return fmt.Errorf("flush index: %w", err)
	}
	return s.gate.err()
}

// count goes through the restored versions.
func (b *rebuilder) count(ids map[uint64]*rebuiltBucket) error {
	one := func(bucket uint64, key, v []byte, current bool) error {
		r := new(record)
		if err := decodeRecord(r, v, bucket, key, &arena{chunk: 64}, false); err != nil {
			return err
		}
		bk := ids[bucket]
		bk.use.versions++
		bk.use.bytes += r.size
		if current {
			bk.use.objects++
		}
		b.refs[r.loc]++
		if r.place != placeManifest {
			return nil
		}
		m, err := b.s.manifest(r)
		if err != nil {
			return err
		}
		for i := range m.parts {
			for _, x := range m.parts[i].extents {
				b.refs[x.blob]++
			}
		}
		return nil
	}
	err := scan(b.s.db, []byte{rangeObject}, []byte{rangeObject + 1}, func(k, v []byte) (bool, error) {
		return true, one(binary.BigEndian.Uint64(k[1:]), k[9:], v, true)
	})
	if err != nil {
		return err
	}
	return scan(b.s.db, []byte{rangeVersion}, []byte{rangeVersion + 1}, func(k, v []byte) (bool, error) {
		key, _, err := splitEscaped(nil, k)
		if err != nil {
			return false, indexError(err)
		}
		return true, one(binary.BigEndian.Uint64(k[1:]), key, v, false)
	})
}

// ErrRebuilding says that a rebuild of the index was cut off.
var ErrRebuilding = errors.New("restoring the index was interrupted; run --rebuild-index again")
