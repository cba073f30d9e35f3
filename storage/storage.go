// Package storage holds the vocabulary of object storage: the Backend interface,
// its types and its errors. It knows nothing of HTTP, signatures, identities or
// policies, and imports nothing of ours; everything that stores or serves
// objects imports it. Semantics follow the Amazon S3 API reference.
//
// # Contract
//
// Durability: a method that changes something returns nil only after the change
// is on stable storage. When it returns an error nothing has been changed, except
// after ErrUnavailable, when the outcome is unknown until the next start.
//
// Concurrency: all methods may be called at once. Operations on one key are
// linearisable. A list sees a consistent snapshot taken when it was called.
//
// Errors: callers branch with errors.Is on the Err values of this package. Damage
// (ErrDamaged) is never reported as absence, and absence never as damage.
//
// Keys are arbitrary non-empty byte strings of at most MaxKey bytes, compared
// bytewise; an implementation neither normalises nor interprets them. The caller
// has validated bucket names and keys.
package storage

import (
	"context"
	"io"
)

// MaxKey is the length limit of an object key in bytes (S3 user guide, "Naming
// Amazon S3 objects").
const MaxKey = 1024

// NullVersion is the version id of an object that was written while its bucket
// had no versioning or had it suspended.
const NullVersion = "null"

// Backend stores buckets, objects and multipart uploads.
type Backend interface {
	Buckets
	Objects
	Lister
	Uploads

	// Close waits for running calls, makes everything durable and releases the
	// store. Calls after Close return ErrClosed.
	Close() error
}

// Buckets manages buckets and their settings. Implementations answer Bucket
// from memory, so it is cheap enough for every request.
type Buckets interface {
	// CreateBucket makes an empty bucket from b. b.Created is set by the store
	// when zero. ErrBucketExists when the name is taken.
	CreateBucket(ctx context.Context, b Bucket) error
	// Bucket returns a bucket. The result is shared: callers must not change it.
	Bucket(ctx context.Context, name string) (*Bucket, error)
	// ListBuckets returns at most limit buckets with the prefix, in bytewise order,
	// whose names sort after the given one; more tells whether others follow.
	ListBuckets(ctx context.Context, prefix, after string, limit int) (list []*Bucket, more bool, err error)
	// UpdateBucket applies change to a private copy of the bucket's settings and
	// stores the result; an error of change is returned as it is and nothing is
	// stored. Name and Created can't be changed. Versioning can't go back to
	// VersioningUnset.
	UpdateBucket(ctx context.Context, name string, change func(*Bucket) error) error
	// DeleteBucket removes an empty bucket. A bucket that holds any object version or
	// delete marker is not: ErrBucketNotEmpty. Open uploads are aborted with it, as in S3.
	DeleteBucket(ctx context.Context, name string) error
	// Usage returns the bucket's counters.
	Usage(ctx context.Context, name string) (Usage, error)
}

// Objects reads and writes objects.
type Objects interface {
	// PutObject stores a new version. in.Body is read to io.EOF; any other error
	// from it is returned (wrapped) and nothing is stored. The conditions are
	// checked, and the version published, in one step that no other write of the
	// key can come between.
	PutObject(ctx context.Context, in PutInput) (*Object, error)
	// GetObject opens a version for reading; the caller closes the Content. The
	// content stays readable while open even if the version is deleted.
	// *MarkerError (which Is ErrNoSuchKey or ErrMarker) for a delete marker.
	GetObject(ctx context.Context, ref Ref) (*Object, Content, error)
	// StatObject returns a version's metadata; errors as GetObject.
	StatObject(ctx context.Context, ref Ref) (*Object, error)
	// Parts returns the parts of a version that was completed from an upload, in
	// order of their numbers; none for an object that was put whole.
	Parts(ctx context.Context, ref Ref) ([]Part, error)
	// DeleteObjects deletes each of in from one bucket in as few commits as
	// possible; result i belongs to in[i]. Entries fail one by one; the error is
	// of the call as a whole (no such bucket, store unavailable).
	DeleteObjects(ctx context.Context, bucket string, in []DeleteInput) ([]DeleteResult, error)
	// CopyObject makes a new version from an existing one on the store's side. Content that
	// is coded stays as it is, and the copy has the source's Size.
	// Source conditions have been checked by the caller against in.SourceETag: when
	// that is set and the source's ETag is another by now, ErrPrecondition.
	CopyObject(ctx context.Context, in CopyInput) (*Object, error)
	// RenameObject gives the current version of one key another name in its bucket, in one step that no other write
	// of the two keys can come between, and without copying content that is large. What it says about the object
	// stays, but for Props, which are in.Props, and UploadID. Without versioning the version and its time of change
	// move, and replace what the new name stood for. Else the object becomes a new version, made now, of the new
	// name, and the old name is deleted as DeleteObjects does it: source is that one's result. ErrNotSupported where
	// that can't be done as one.
	RenameObject(ctx context.Context, in RenameInput) (o *Object, source DeleteResult, err error)
	// AppendObject puts bytes at the end of a key's current version, which is replaced in one step by one that shares
	// what lies there already, has its metadata and tags, and is made now. in.Body is read as that of a PutObject. Only
	// in buckets that never had versioning; ErrNotSupported in others. ErrOffset when in.Offset is not the object's
	// Size: of two who append at one place one succeeds. To an object that was completed from an upload the bytes are a
	// further part. ErrTooManyParts when there is no room for one; an empty Body is ErrSize.
	AppendObject(ctx context.Context, in AppendInput) (*Object, error)
	// SetTags replaces the tags of one version and returns the version's metadata.
	// Neither ETag nor Modified change.
	SetTags(ctx context.Context, ref Ref, tags []Tag) (*Object, error)
	// SetProps replaces the Props of one version by what change makes of its metadata,
	// in one step with reading it; an error of change is returned as it is and nothing is
	// stored. change must not alter its argument. Otherwise as SetTags.
	SetProps(ctx context.Context, ref Ref, change func(*Object) (map[string]string, error)) (*Object, error)
}

// PartReader is a Backend to which it matters beforehand whether all of a content will be read.
type PartReader interface {
	// OpenPart is GetObject for a caller who may need a part of the content, or none.
	OpenPart(ctx context.Context, ref Ref) (*Object, Content, error)
}

// ETagger is a Backend that gives objects and parts ETags of its own making.
type ETagger interface {
	// OwnETag tells whether PutObject and PutPart do without Digest.ETag for a body of this length whose checksum of this
	// algorithm is named beforehand (PutInput.ChecksumAlgorithm), because that proves what was stored.
	OwnETag(size int64, algorithm string) bool
}

// Lister pages through objects and versions in bytewise order of their keys.
type Lister interface {
	// ListObjects lists current versions (delete markers hidden).
	ListObjects(ctx context.Context, in ListInput) (*ListPage, error)
	// ListVersions lists all versions and delete markers, newest first within a key.
	ListVersions(ctx context.Context, in ListInput) (*ListPage, error)
	// ListUploads lists open uploads by key, then by the time they were begun.
	ListUploads(ctx context.Context, in ListInput) (*UploadPage, error)
}

// Uploads manages multipart uploads. A wrong bucket, key or id is ErrNoSuchUpload.
type Uploads interface {
	// CreateUpload begins an upload and returns its id.
	CreateUpload(ctx context.Context, in UploadInput) (*Upload, error)
	// Upload returns an open upload.
	Upload(ctx context.Context, id UploadRef) (*Upload, error)
	// PutPart stores a part, replacing one of the same number.
	PutPart(ctx context.Context, in PartInput) (*Part, error)
	// CopyPart stores a part from a range of an existing object, sharing or copying
	// bytes; in.Body of the part is not used, in.Digest is (see CopyPartInput).
	CopyPart(ctx context.Context, in CopyPartInput) (*Part, error)
	// ListParts returns at most limit parts with numbers above after.
	ListParts(ctx context.Context, id UploadRef, after, limit int) (parts []Part, more bool, err error)
	// CompleteUpload publishes an object from parts, in O(parts) metadata and
	// without copying bytes, and ends the upload; parts not named are dropped.
	// Repeating a call that succeeded returns the object again as long as that
	// version exists.
	CompleteUpload(ctx context.Context, in CompleteInput) (*Object, error)
	// AbortUpload ends an upload and drops its parts. With a non-zero begun time
	// that differs from the upload's (whole seconds), ErrPrecondition.
	AbortUpload(ctx context.Context, in AbortInput) error
}

// Content is the readable content of one object version. Every byte it gives out
// has been verified against the checksum that was stored with it.
type Content interface {
	// Range returns a reader over n bytes from offset off, within the object's Length.
	// The reader ends with io.EOF only after exactly n verified bytes; damage is
	// an error that Is ErrDamaged. It may implement io.WriterTo. Not for concurrent use.
	Range(off, n int64) io.Reader
	// Bytes returns the whole content when it is in memory anyway (small objects),
	// valid until Close; ok is false otherwise.
	Bytes() (b []byte, ok bool)
	io.Closer
}

// Parted is a Content that knows of which parts it is made. One that is not was put whole, or is a copy of such a one.
type Parted interface {
	Content
	// Parts returns the parts of an upload that the content is made of, in its order; none when it was put whole.
	// Unlike Objects.Parts it tells those of this very content, whatever has become of the version, and also those
	// of a copy that has been flattened.
	Parts() ([]Part, error)
}
