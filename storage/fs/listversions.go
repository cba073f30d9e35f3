package fs

import (
	"bytes"
	"context"

	"github.com/cockroachdb/pebble/v2"

	"github.com/objsrv/objsrv/storage"
)

// ListVersions implements storage.Lister.
func (s *Store) ListVersions(ctx context.Context, in storage.ListInput) (*storage.ListPage, error) {
	p := &storage.ListPage{}
	l, err := s.list("versions of ", &in, func(bk *bucket, l *lister) error {
		snap := s.db.NewSnapshot()
		durable := s.commits.barrier()
		w := &versionWalk{snap: snap, bk: bk, l: l, page: p}
		err := w.walk(ctx)
		if cerr := snap.Close(); err == nil && cerr != nil {
			err = indexError(cerr)
		}
		wait(durable)
		return err
	})
	if err != nil {
		return nil, err
	}
	p.Prefixes, p.Truncated, p.NextAfter, p.NextID = l.page()
	return p, nil
}

// versionWalk merges the current versions and the others of a bucket.
type versionWalk struct {
	snap *pebble.Snapshot
	bk   *bucket
	l    *lister
	cur  *pebble.Iterator // rangeObject
	old  *pebble.Iterator // rangeVersion

	oldKey []byte // user key that old is at
	oldOK  bool
	// led is the key of which a newer version than any that follows is known.
	led    []byte
	hasLed bool
	rec    record
	page   *storage.ListPage
}

// open places the iterators at the beginning of the listing.
func (w *versionWalk) open() error {
	from, inclusive := w.l.start()
	id, in := w.bk.id, w.l.in
	curFrom := objectKey(id, from)
	oldFrom := appendEscapedPrefix(keyOf(rangeVersion, id), from)
	if !inclusive {
		curFrom = append(curFrom, 0)
		oldFrom = successor(escapedKey(rangeVersion, id, from))
	} else if in.AfterID != "" && from == in.After {
		if err := w.resume(&curFrom, &oldFrom); err != nil {
			return err
		}
	}
	var err error
	w.cur, err = w.snap.NewIter(&pebble.IterOptions{LowerBound: curFrom, UpperBound: successor(objectKey(id, in.Prefix))})
	if err != nil {
		return indexError(err)
	}
	w.old, err = w.snap.NewIter(&pebble.IterOptions{
		LowerBound: oldFrom, UpperBound: successor(appendEscapedPrefix(keyOf(rangeVersion, id), in.Prefix)),
	})
	if err != nil {
		return indexError(err)
	}
	return nil
}

// resume finds the place behind the version AfterID of the key After. When that version
// is gone and its id does not tell where it stood, the key is listed from its newest.
func (w *versionWalk) resume(curFrom, oldFrom *[]byte) error {
	key, id := w.l.in.After, w.bk.id
	var cur *record
	if _, err := get(w.snap, objectKey(id, key), func(v []byte) error {
		cur = new(record)
		return decodeRecord(cur, v, id, []byte(key), &arena{chunk: 64}, false)
	}); err != nil {
		return err
	}
	seq, _, ok := parseID(w.l.in.AfterID)
	switch {
	case cur != nil && cur.given != "" && cur.is(w.l.in.AfterID):
		seq, ok = cur.seq, true
	case w.l.in.AfterID != storage.NullVersion:
		f, err := named(w.snap, id, key, w.l.in.AfterID, false)
		if err != nil {
			return err
		}
		if f != nil {
			seq, ok = f.rec.seq, true
		}
	}
	if !ok && w.l.in.AfterID == storage.NullVersion {
		var err error
		if cur != nil && cur.null {
			seq, ok = cur.seq, true
		} else if seq, ok, err = nullSeq(w.snap, id, key); err != nil {
			return err
		}
	}
	if !ok || cur != nil && cur.seq < seq {
		return nil // both ranges of the key are still to come
	}
	*oldFrom = append(versionKey(id, key, seq), 0)
	if cur != nil {
		*curFrom = append(*curFrom, 0)
		w.lead([]byte(key))
		return nil
	}
	newest, err := top(w.snap, id, key, 0, false)
	if err == nil && newest != nil && newest.rec.seq >= seq {
		w.lead([]byte(key))
	}
	return err
}

func (w *versionWalk) lead(key []byte) {
	w.led, w.hasLed = append(w.led[:0], key...), true
}

// readOld notes the user key of the iterator over old versions.
func (w *versionWalk) readOld(ok bool) (err error) {
	w.oldOK = ok
	if ok {
		if w.oldKey, _, err = splitEscaped(w.oldKey[:0], w.old.Key()); err != nil {
			return indexError(err)
		}
	}
	return nil
}

func (w *versionWalk) walk(ctx context.Context) (err error) {
	defer func() {
		for _, it := range []*pebble.Iterator{w.cur, w.old} {
			if it == nil {
				continue
			}
			if cerr := it.Close(); err == nil && cerr != nil {
				err = indexError(cerr)
			}
		}
	}()
	if err := w.open(); err != nil {
		return err
	}
	curOK := w.cur.First()
	if err := w.readOld(w.old.First()); err != nil {
		return err
	}
	for curOK || w.oldOK {
		key, current := w.oldKey, false
		if curOK && (!w.oldOK || bytes.Compare(w.cur.Key()[9:], w.oldKey) <= 0) {
			key, current = w.cur.Key()[9:], true
		}
		skip, done := w.l.roll(key)
		if done {
			break
		}
		switch {
		case skip > 0:
			curOK, err = w.seekPast(ctx, string(key[:skip]), curOK)
		case current:
			err = w.emit(w.cur, key, true)
			w.lead(key)
			curOK = w.cur.Next()
		default:
			err = w.emit(w.old, key, !w.hasLed || !bytes.Equal(w.led, key))
			w.lead(key)
			if err == nil {
				err = w.readOld(w.old.Next())
			}
		}
		if err != nil {
			return err
		}
	}
	if err := w.cur.Error(); err != nil {
		return indexError(err)
	}
	if err := w.old.Error(); err != nil {
		return indexError(err)
	}
	return nil
}

// seekPast moves both iterators behind a common prefix.
func (w *versionWalk) seekPast(ctx context.Context, prefix string, curOK bool) (bool, error) {
	var err error
	if curOK {
		if curOK, err = seekPast(ctx, w.cur, objectKey(w.bk.id, prefix)); err != nil {
			return false, err
		}
	}
	if w.oldOK {
		ok, err := seekPast(ctx, w.old, appendEscapedPrefix(keyOf(rangeVersion, w.bk.id), prefix))
		if err != nil {
			return false, err
		}
		if err := w.readOld(ok); err != nil {
			return false, err
		}
	}
	return curOK, nil
}

// emit adds the version that an iterator is at.
func (w *versionWalk) emit(it *pebble.Iterator, key []byte, latest bool) error {
	v, err := it.ValueAndErr()
	if err != nil {
		return indexError(err)
	}
	if err := decodeRecord(&w.rec, v, w.bk.id, key, &w.l.a, false); err != nil {
		return err
	}
	w.page.Objects = append(w.page.Objects, storage.Object{})
	o := &w.page.Objects[len(w.page.Objects)-1]
	w.rec.fill(o, w.l.a.str(key), latest, &w.l.a)
	w.l.added(o.Key, o.VersionID)
	return nil
}
