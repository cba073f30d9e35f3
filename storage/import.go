package storage

import (
	"context"
	"time"
)

// Origin is what another store said of a version that moves here.
type Origin struct {
	VersionID string // NullVersion, or an id that the other store has made
	Modified  time.Time
}

// Importer is a Backend that takes versions over from another store under their ids and with their times. A key's versions
// come oldest first: each goes on top of what is here. ErrPrecondition when the key has a version of this id.
type Importer interface {
	// ImportObject is Objects.PutObject otherwise.
	ImportObject(ctx context.Context, in PutInput, o Origin) (*Object, error)
	// ImportUpload is Uploads.CompleteUpload otherwise: it keeps the parts.
	ImportUpload(ctx context.Context, in CompleteInput, o Origin) (*Object, error)
	// ImportMarker adds a delete marker to the key that ref names. ErrNotSupported in a bucket that never had versioning.
	ImportMarker(ctx context.Context, ref Ref, owner string, o Origin) error
}
