package fs

import (
	"context"
	"fmt"

	"github.com/objsrv/objsrv/storage"
)

var _ storage.Importer = (*Store)(nil)

// from gives the version the id and the time that it had in another store.
func (p *publication) from(origin *storage.Origin) {
	if origin == nil {
		return
	}
	p.origin = origin
	p.rec.modified = origin.Modified.UnixMilli()
	if origin.VersionID != storage.NullVersion {
		p.rec.given = origin.VersionID
	}
}

// absent returns ErrPrecondition when the key has a version of the id that a publication brings along.
func (e *edit) absent(p *publication, st *keyState) error {
	if p.origin == nil {
		return nil
	}
	return e.lacks(p.key, p.origin.VersionID, st)
}

func (e *edit) lacks(key, id string, st *keyState) error {
	f, err := e.named(&storage.DeleteInput{Key: key, Version: id}, st)
	if err == nil && f != nil {
		err = fmt.Errorf("version %q is here already: %w", id, storage.ErrPrecondition)
	}
	return err
}

// ImportObject implements storage.Importer.
func (s *Store) ImportObject(_ context.Context, in storage.PutInput, o storage.Origin) (*storage.Object, error) {
	return s.putObject(&in, &o)
}

// ImportUpload implements storage.Importer.
func (s *Store) ImportUpload(_ context.Context, in storage.CompleteInput, o storage.Origin) (*storage.Object, error) {
	return s.complete(&in, &o)
}

// ImportMarker implements storage.Importer.
func (s *Store) ImportMarker(_ context.Context, ref storage.Ref, owner string, o storage.Origin) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	if err := s.gate.err(); err != nil {
		return err
	}
	bk, err := s.bucket(ref.Bucket)
	if err != nil {
		return err
	}
	defer s.keys.lock(stripeOf(bk.id, ref.Key))()
	if err := bk.share(); err != nil {
		return err
	}
	defer bk.mu.RUnlock()
	e := s.edit(bk)
	defer e.close()
	if !e.versioned() {
		return fmt.Errorf("import a delete marker into %s, which has no versions: %w", ref.Bucket, storage.ErrNotSupported)
	}
	if err := e.importMarker(ref.Key, owner, &o); err != nil {
		return s.noteDamage(fmt.Errorf("import %s/%s: %w", ref.Bucket, ref.Key, err))
	}
	return e.commit()
}

// importMarker puts a delete marker of another store on top of a key.
func (e *edit) importMarker(key, owner string, o *storage.Origin) error {
	st, err := e.load(key, false)
	if err != nil {
		return err
	}
	if err := e.lacks(key, o.VersionID, &st); err != nil {
		return err
	}
	p := &publication{key: key, rec: &record{marker: true, owner: owner}}
	p.from(o)
	if err := e.s.name(p.rec, p.null(nil)); err != nil {
		return err
	}
	e.addTop(key, p.rec, &st)
	return nil
}
