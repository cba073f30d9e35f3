package storage

import (
	"io"
	"maps"
	"time"
)

// Versioning is a bucket's versioning state.
type Versioning uint8

// The states of versioning; a bucket never returns to VersioningUnset.
const (
	VersioningUnset Versioning = iota
	VersioningEnabled
	VersioningSuspended
)

// Bucket is a bucket and its settings.
type Bucket struct {
	Name       string
	Created    time.Time
	Owner      string // account id that owns the bucket
	Region     string // location constraint as given at creation; "" for the default
	Versioning Versioning
	ObjectLock bool // object lock was enabled, at creation or later
	// Docs holds the bucket's sub-resource documents by name ("tagging", "policy",
	// "cors", ...), in the form the owner of the document stores them.
	Docs map[string][]byte
}

// Clone returns a copy that shares nothing with b but the documents' bytes, which
// are never changed in place.
func (b *Bucket) Clone() *Bucket {
	c := *b
	c.Docs = maps.Clone(b.Docs)
	return &c
}

// Usage counts what a bucket holds.
type Usage struct {
	Objects  int64 // current versions that are not delete markers
	Versions int64 // all versions, current ones included, delete markers not
	Markers  int64 // delete markers
	Bytes    int64 // content bytes of all versions
}

// Attr is one named value kept with an object and returned as a response header:
// lower-case "content-type", "cache-control", ..., and "x-amz-meta-*".
type Attr struct{ Name, Value string }

// Tag is one object tag.
type Tag struct{ Key, Value string }

// Checksum is an additional checksum of an object or part, as on the wire.
// The zero value means none.
type Checksum struct {
	Algorithm string // "CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256", "SHA512", "MD5", "XXHASH64", "XXHASH3", "XXHASH128"
	Type      string // "FULL_OBJECT" or "COMPOSITE"
	Value     string // base64; a composite one ends in "-" and the number of parts
}

// Object is the metadata of one version of an object.
type Object struct {
	Key          string
	VersionID    string // NullVersion, or the opaque id of a version
	Latest       bool
	DeleteMarker bool
	Size         int64
	// Stored is the length of what the version's Content gives, where that is not Size because
	// the content is kept in a form of its writer's making (Digest.Coded); else 0.
	Stored    int64
	ETag      string // without quotes
	Modified  time.Time
	Owner     string // id of the account that owns the object
	Class     string // storage class; "" means STANDARD
	Attrs     []Attr // not filled by lists
	Tags      []Tag  // not filled by lists
	Checksum  Checksum
	PartCount int    // number of parts; 0 when put whole
	UploadID  string // the upload it was completed from; "" for copies of such a version too
	// Props are the server's own facts about the version that no client sets
	// directly and that never become headers as such (locks, encryption, ACL).
	Props map[string]string // not filled by lists
}

// Length is the length of what the version's Content gives.
func (o *Object) Length() int64 {
	if o.Stored != 0 {
		return o.Stored
	}
	return o.Size
}

// The facts about a version's lock among its Props, which a backend that locks by itself understands.
const (
	PropLockMode  = "lock-mode"  // GOVERNANCE or COMPLIANCE
	PropLockUntil = "lock-until" // RFC 3339
	PropLegalHold = "legal-hold" // ON or OFF
)

// PropEncryptedThere is among the Props of a version that another server, which is only read, keeps encrypted, with the
// algorithm: what it gives is in the clear. No store keeps it.
const PropEncryptedThere = "encrypted-there"

// Ref names a version of an object. Version "" means the current one.
type Ref struct{ Bucket, Key, Version string }

// Digest is what is known about content once it has been read to the end.
type Digest struct {
	ETag     string // "" only where ETagger does without
	Checksum Checksum
	// Coded says that the body was not the content itself but a form of it, compressed or encrypted,
	// that only its writer understands. Size is then the content's own length: listings, counters and
	// conditions have it, while Content and CopyPart's ranges give the body as it came, which must not
	// be empty. A store that can't keep the two apart answers ErrNotSupported. It tells readers
	// nothing of the form: that is for the writer to note in Props.
	Coded bool
	Size  int64
}

// Meta is what a client says about an object besides its content.
type Meta struct {
	Owner string
	Class string
	Attrs []Attr
	Tags  []Tag
	Props map[string]string
}

// PutInput describes a PutObject.
type PutInput struct {
	Bucket, Key string
	Meta        Meta
	Body        io.Reader
	Size        int64         // exact length of Body, which may be coded, when known, else -1; a Body of another length is an error
	Digest      func() Digest // called once after Body returned io.EOF
	If          Conditions
	// ChecksumAlgorithm is that of Digest's checksum, for backends that must tell it before the body; "" when it is not known.
	ChecksumAlgorithm string
}

// CopyInput describes a CopyObject.
type CopyInput struct {
	Source      Ref
	SourceETag  string // when set, the source must still have this ETag
	Bucket, Key string
	// Meta replaces the source's metadata as a whole; the caller has merged what
	// is to be kept.
	Meta Meta
	// Checksum of the copy; the source's when zero. ETag "" keeps the source's.
	Checksum Checksum
	ETag     string
	If       Conditions
	// Flatten drops the source's part structure: the copy counts as put whole.
	Flatten bool
}

// RenameInput describes a RenameObject.
type RenameInput struct {
	Bucket, Source, Key string // Source and Key must differ
	Owner               string // owner of a delete marker that this makes
	Props               map[string]string
	// Check, when set, is asked under the locks of both keys with the version that is renamed and with the current one
	// of the new name, nil when there is none or it is a delete marker. Its error is returned as it is and nothing is
	// changed. It must not call the store.
	Check func(from, to *Object) error
}

// AppendInput describes an AppendObject; Body, Size and Digest are those of what is added, as in PutInput.
type AppendInput struct {
	Bucket, Key string
	Offset      int64
	Body        io.Reader
	Size        int64
	// Digest's Coded must be as that of the object: what is coded and what is not do not go together: ErrPrecondition
	// where that shows.
	Digest func() Digest
	// Number is that of the part which a coded Body was made for, greater than those that the object's Content tells
	// (Parted); else 0.
	Number   int
	MaxParts int // the object may have no more parts, nor a part with a higher number when it was completed from an upload
	// Whole computes ETag and checksum of the object from what it was and what is added; an error of it is
	// returned as it is and nothing is changed.
	Whole func(old *Object, added Part) (Digest, error)
	// Check, when set, is asked under the key's lock with the version that is replaced. Its error is returned as it is and
	// nothing is changed. It must not call the store.
	Check func(old *Object) error
}

// DeleteInput describes the deletion of one key or of one version.
type DeleteInput struct {
	Key     string
	Version string // "" deletes the current version as the bucket's versioning says
	Owner   string // owner of a delete marker that this makes
	// If is checked against the current version, or against the one that Version
	// names when it is set. A condition that matches needs a version to be there.
	If Conditions
	// Guard, when set, is asked under the key's lock with the version that would be
	// removed for good: also a delete marker, and the null version that a marker
	// replaces in a suspended bucket, but not when a marker is merely added. Its
	// error refuses the delete and becomes DeleteResult.Err.
	Guard func(*Object) error
}

// DeleteResult tells what a deletion did. Deleting what is not there succeeds, and
// without versioning, or with a version named, leaves the result empty. Entries of
// one call are applied in their order.
type DeleteResult struct {
	VersionID    string // of the version removed (NullVersion without versioning), or of the marker made
	DeleteMarker bool   // a delete marker was made, or the version removed was one
	Err          error
}

// ListInput selects a page of a listing.
//
// An entry whose key holds the delimiter behind the prefix is rolled up into the
// common prefix that ends with the delimiter's first occurrence there. Entries and
// common prefixes are given in one bytewise order, and count alike against Limit.
type ListInput struct {
	Bucket, Prefix, Delimiter string
	// After starts the listing behind this key; it need not exist, nor have the
	// prefix. An After that is itself a common prefix of this listing (it has the
	// prefix, and the delimiter's first occurrence behind it is at its very end)
	// skips everything rolled up into it. Any other After skips the keys up to and
	// including itself, no more: with Delimiter "/" and After "a/b" the common
	// prefix "a/" is still given when a key behind "a/b" is rolled up into it.
	//
	// AfterID, which counts only with After and is ignored by ListObjects, names the
	// version or upload of the key After behind which the listing starts; without
	// it all of the key After is skipped. When that version or upload is gone, the
	// listing goes on behind the place where it stood if the id still tells it, else
	// with the first one of the key: what was there all the time is never left out.
	After, AfterID string
	Limit          int // at most this many entries, common prefixes included; 0 gives an empty page, not truncated
}

// ListPage is a page of objects or versions.
type ListPage struct {
	Objects   []Object // in order; their strings may share memory
	Prefixes  []string // common prefixes, in order
	Truncated bool
	// NextAfter and NextID, set when Truncated, continue the listing as After and
	// AfterID: the last key or common prefix of the page, and the id of its last
	// version ("" in ListObjects and behind a common prefix).
	NextAfter, NextID string
}

// UploadRef names a multipart upload.
type UploadRef struct{ Bucket, Key, ID string }

// UploadInput describes a CreateUpload.
type UploadInput struct {
	Bucket, Key string
	Meta        Meta
	Initiator   string // id of the principal that began it
	// ChecksumAlgorithm and ChecksumType that parts and the object will have; "" for none.
	ChecksumAlgorithm, ChecksumType string
}

// Upload is an open multipart upload.
type Upload struct {
	UploadRef
	Meta                            Meta // not filled by lists, but for Owner and Class
	Initiator                       string
	Begun                           time.Time
	ChecksumAlgorithm, ChecksumType string
}

// UploadPage is a page of open uploads; fields as in ListPage.
type UploadPage struct {
	Uploads           []Upload
	Prefixes          []string
	Truncated         bool
	NextAfter, NextID string
}

// Part is one part of an upload or of a completed object.
type Part struct {
	Number   int
	Size     int64
	Stored   int64 // as Object.Stored
	ETag     string
	Modified time.Time
	Checksum Checksum
}

// Length is the number of bytes that the part has in the Content of its object.
func (p *Part) Length() int64 {
	if p.Stored != 0 {
		return p.Stored
	}
	return p.Size
}

// PartInput describes a PutPart; fields as in PutInput.
type PartInput struct {
	Upload UploadRef
	Number int
	Body   io.Reader
	Size   int64
	Digest func() Digest
	// ChecksumAlgorithm is the one that the upload was created with, "" when it declared none.
	ChecksumAlgorithm string
}

// CopyPartInput describes a CopyPart. The store feeds the range's bytes to Sum as
// it copies or reads them and then calls Digest for the part's ETag and checksum; one that
// never sees the bytes has both from whoever copies them.
type CopyPartInput struct {
	Upload      UploadRef
	Number      int
	Source      Ref
	SourceETag  string // when set, the source must still have this ETag
	Off, Length int64
	Sum         io.Writer
	Digest      func() Digest
}

// CompleteInput describes a CompleteUpload.
type CompleteInput struct {
	Upload UploadRef
	// Parts names the parts in ascending order, else ErrPartOrder. No part at all,
	// or one that is missing or whose ETag, or whose checksum when given, is not the
	// stored one, gives ErrInvalidPart. Of several mistakes the first in the order
	// ErrPartOrder, ErrInvalidPart, ErrPartTooSmall is told; If is checked last.
	Parts []CompletePart
	// MinPartSize is what every part but the last must have, else ErrPartTooSmall.
	MinPartSize int64
	// Digest computes the object's ETag and checksum from the chosen parts; an error
	// of it is returned as it is and nothing is published.
	Digest func(u *Upload, parts []Part) (Digest, error)
	If     Conditions
}

// CompletePart names one part in a CompleteInput.
type CompletePart struct {
	Number   int
	ETag     string
	Checksum string // base64, of the upload's algorithm; "" when not given
}

// AbortInput describes an AbortUpload.
type AbortInput struct {
	Upload  UploadRef
	IfBegun time.Time
}
