package fs

import (
	"context"
	"errors"
	"fmt"

	"github.com/objsrv/objsrv/storage"
)

// DeleteObjects implements storage.Objects: one commit for all entries. When a key
// comes more than once, the batch is one that can be read, so that each entry sees
// what those before it did.
func (s *Store) DeleteObjects(_ context.Context, name string, in []storage.DeleteInput) ([]storage.DeleteResult, error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	defer s.leave()
	if err := s.gate.err(); err != nil {
		return nil, err
	}
	bk, err := s.bucket(name)
	if err != nil {
		return nil, err
	}
	out := make([]storage.DeleteResult, len(in))
	locks, repeated := make([]int, len(in)), false
	seen := make(map[string]struct{}, len(in))
	for i := range in {
		locks[i] = stripeOf(bk.id, in[i].Key)
		_, again := seen[in[i].Key]
		repeated = repeated || again
		seen[in[i].Key] = struct{}{}
	}
	if len(in) == 0 {
		return out, nil
	}
	defer s.keys.lock(locks...)()
	if err := bk.share(); err != nil {
		return nil, err
	}
	defer bk.mu.RUnlock()
	e := s.edit(bk)
	if repeated {
		e.close()
		e = s.editSelf(bk)
	}
	defer e.close()
	for i := range in {
		if out[i], err = e.delete(&in[i]); err != nil {
			if errors.Is(err, storage.ErrUnavailable) {
				return nil, err
			}
			out[i] = storage.DeleteResult{Err: s.noteDamage(fmt.Errorf("delete %s/%s: %w", name, in[i].Key, err))}
		}
	}
	if err := e.commit(); err != nil {
		return nil, err
	}
	return out, nil
}

// delete adds one deletion to the edit. Everything that can fail about the entry is
// read before the first change.
func (e *edit) delete(in *storage.DeleteInput) (storage.DeleteResult, error) {
	if in.Version != "" {
		return e.deleteVersion(in)
	}
	st, err := e.load(in.Key, in.Guard != nil)
	if err != nil {
		return storage.DeleteResult{}, err
	}
	if err := st.meets(&in.If, in.Key); err != nil {
		return storage.DeleteResult{Err: err}, nil
	}
	switch e.bk.info.Load().Versioning {
	case storage.VersioningEnabled:
		return e.addMarker(in, &st, false)
	case storage.VersioningSuspended:
		return e.replaceNull(in, &st)
	}
	if st.cur == nil {
		return storage.DeleteResult{}, nil
	}
	if err := e.guard(in, st.cur, true); err != nil {
		return storage.DeleteResult{Err: err}, nil
	}
	e.unset(in.Key)
	return storage.DeleteResult{VersionID: storage.NullVersion}, e.dropRecord(st.cur)
}

// guard asks the entry's guard about a version that would be removed for good.
func (e *edit) guard(in *storage.DeleteInput, r *record, latest bool) error {
	if in.Guard == nil {
		return nil
	}
	return in.Guard(r.object(in.Key, latest))
}

// addMarker puts a delete marker on top of the key.
func (e *edit) addMarker(in *storage.DeleteInput, st *keyState, null bool) (storage.DeleteResult, error) {
	m, err := e.marker(in.Owner, null)
	if err != nil {
		return storage.DeleteResult{}, err
	}
	e.addTop(in.Key, m, st)
	return storage.DeleteResult{VersionID: versionName(m), DeleteMarker: true}, nil
}

// replaceNull removes the null version and puts a null marker on top of the key.
func (e *edit) replaceNull(in *storage.DeleteInput, st *keyState) (storage.DeleteResult, error) {
	live := st.cur != nil
	gone, latest := st.cur, true
	var other *found
	if !live || !st.cur.null {
		f, err := nullVersion(e.r, e.bk.id, in.Key, in.Guard != nil)
		if err != nil {
			return storage.DeleteResult{}, err
		}
		gone, latest, other = nil, false, f
		if f != nil {
			gone = f.rec
			if latest, err = e.isTop(in.Key, f, live); err != nil {
				return storage.DeleteResult{}, err
			}
		}
	}
	if gone != nil {
		if err := e.guard(in, gone, latest); err != nil {
			return storage.DeleteResult{Err: err}, nil
		}
		if other != nil {
			if err := e.removeNoncurrent(in.Key, other); err != nil {
				return storage.DeleteResult{}, err
			}
		} else {
			if err := e.dropRecord(gone); err != nil {
				return storage.DeleteResult{}, err
			}
			st.cur = nil
			e.unset(in.Key)
		}
	}
	return e.addMarker(in, st, true)
}

// unset leaves the key without a live current version.
func (e *edit) unset(key string) {
	_ = e.b.Delete(e.objectKey(key), nil)
	e.use.objects--
}

// isTop tells whether a noncurrent version is the newest of its key.
func (e *edit) isTop(key string, f *found, live bool) (bool, error) {
	if live {
		return false, nil
	}
	t, err := top(e.r, e.bk.id, key, 0, false)
	return err == nil && t != nil && t.rec.seq == f.rec.seq, err
}

// deleteVersion removes one version for good.
func (e *edit) deleteVersion(in *storage.DeleteInput) (storage.DeleteResult, error) {
	st, err := e.load(in.Key, in.Guard != nil)
	if err != nil {
		return storage.DeleteResult{}, err
	}
	f, err := e.named(in, &st)
	if err != nil {
		return storage.DeleteResult{}, err
	}
	var cond *storage.Object
	if f != nil {
		latest := f.key == nil
		if !latest {
			if latest, err = e.isTop(in.Key, f, st.cur != nil); err != nil {
				return storage.DeleteResult{}, err
			}
		}
		cond = f.rec.object(in.Key, latest)
	}
	if err := in.If.Check(cond); err != nil || f == nil {
		return storage.DeleteResult{Err: err}, nil
	}
	if in.Guard != nil {
		if err := in.Guard(cond); err != nil {
			return storage.DeleteResult{Err: err}, nil
		}
	}
	if err := e.removeVersion(in.Key, &st, f, cond.Latest); err != nil {
		return storage.DeleteResult{}, err
	}
	if e.versioned() {
		e.noteLate(in.Key)
	}
	return storage.DeleteResult{VersionID: versionName(f.rec), DeleteMarker: f.rec.marker}, nil
}

// removeVersion removes a version and makes the next one current when it was that.
func (e *edit) removeVersion(key string, st *keyState, f *found, latest bool) error {
	promoted := false
	var err error
	if latest && e.versioned() {
		if promoted, err = e.promote(key, f.rec.seq); err != nil {
			return err
		}
	}
	if f.key != nil {
		if promoted {
			e.use.objects++
		}
		return e.removeNoncurrent(key, f)
	}
	if !promoted {
		e.unset(key)
	}
	return e.dropRecord(st.cur)
}

// named finds the version that the entry names; its key is nil when it is the current
// one.
func (e *edit) named(in *storage.DeleteInput, st *keyState) (*found, error) {
	cur := &found{rec: st.cur, raw: st.raw}
	if in.Version == storage.NullVersion {
		if st.cur != nil && st.cur.null {
			return cur, nil
		}
		if !e.versioned() {
			return nil, nil
		}
		return nullVersion(e.r, e.bk.id, in.Key, in.Guard != nil)
	}
	if st.cur != nil && st.cur.is(in.Version) {
		return cur, nil
	}
	return named(e.r, e.bk.id, in.Key, in.Version, in.Guard != nil)
}
