package s3api

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"net/http"
	"slices"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/internal/reqlog"
	"github.com/objsrv/objsrv/s3api/s3xml"
	"github.com/objsrv/objsrv/storage"
)

// BucketFile is a setting of a bucket as a file of an archive: the name that MinIO gives it, and the
// document as S3 has it.
type BucketFile struct {
	Name string
	Data []byte
}

// bucketFile is one of the settings that go into archives and come from there.
type bucketFile struct {
	name     string
	doc      string // among the bucket's documents; "" for one that is not there as such
	has      func(*storage.Bucket) bool
	get, put func(*call) error
}

// bucketFiles are in the order in which they must be set: a lock needs versioning, a list needs its
// ownership, and a block of public access would refuse the policy that is there with it. That of
// notifications, which may be empty, stands for a bucket without settings. The last three have no
// name in MinIO.
func bucketFiles() []bucketFile {
	return []bucketFile{
		{name: "versioning.xml", has: func(b *storage.Bucket) bool { return b.Versioning != storage.VersioningUnset }, get: getBucketVersioning, put: putBucketVersioning},
		{name: "object-lock.xml", has: func(b *storage.Bucket) bool { return b.ObjectLock }, get: getObjectLockConfiguration, put: putObjectLockConfiguration},
		{name: "tagging.xml", doc: docTagging, get: getBucketTagging, put: putBucketTagging},
		{name: "policy.json", doc: docPolicy, get: getBucketPolicy, put: putBucketPolicy},
		{name: "cors.xml", doc: docCORS, get: getBucketCORS, put: putBucketCORS},
		{name: "bucket-encryption.xml", doc: docEncryption, get: getBucketEncryption, put: putBucketEncryption},
		{name: "lifecycle.xml", doc: docLifecycle, get: getBucketLifecycle, put: putBucketLifecycle},
		{name: "notification.xml", has: func(*storage.Bucket) bool { return true }, get: getBucketNotification, put: putBucketNotification},
		{name: "bucket-targets.json", has: func(*storage.Bucket) bool { return false }, put: importEmpty},
		{name: "ownership-controls.xml", doc: docOwnership, get: getBucketOwnershipControls, put: putBucketOwnershipControls},
		{name: "acl.xml", doc: docACL, get: getBucketACL, put: putBucketACL},
		{name: "public-access-block.xml", doc: docPublicAccess, get: getPublicAccessBlock, put: putPublicAccessBlock},
	}
}

// BucketFileNames returns the names of the files that SetBucketFile takes, in the order in which they are
// to be set.
func BucketFileNames() []string {
	var names []string
	for _, f := range bucketFiles() {
		names = append(names, f.name)
	}
	return names
}

// BucketFiles returns the settings of a bucket but for its quota, as id, an administrator, is shown
// them. The errors are *Error or those of storage.Backend.
func (s *Server) BucketFiles(ctx context.Context, id *iam.Identity, bucket string) ([]BucketFile, error) {
	b, err := s.Backend.Bucket(ctx, bucket)
	if err != nil {
		return nil, err
	}
	var out []BucketFile
	for _, f := range bucketFiles() {
		if f.doc == "" && !f.has(b) || f.doc != "" && b.Docs[f.doc] == nil {
			continue
		}
		var w recorder
		c, err := s.internalCall(ctx, &w, id, b, nil)
		if err != nil {
			return nil, err
		}
		if err := f.get(c); err != nil {
			return nil, err
		}
		out = append(out, BucketFile{f.name, w.body.Bytes()})
	}
	return out, nil
}

// SetBucketFile sets what the file of this name holds, under the rules of the S3 operation that sets it. What
// a policy takes from id, an administrator who is allowed to import, does not hinder it. The errors are
// *Error or those of storage.Backend.
func (s *Server) SetBucketFile(ctx context.Context, id *iam.Identity, bucket string, file BucketFile) error {
	all := bucketFiles()
	i := slices.IndexFunc(all, func(f bucketFile) bool { return f.name == file.Name })
	if i < 0 {
		return errorf("NotImplemented", "%s is not implemented by this server.", file.Name)
	}
	if len(file.Data) > maxXML {
		return errorf("EntityTooLarge", "The file is larger than the %d bytes allowed.", maxXML)
	}
	b, err := s.Backend.Bucket(ctx, bucket)
	if err != nil {
		return err
	}
	c, err := s.internalCall(ctx, &recorder{}, id, b, file.Data)
	if err != nil {
		return err
	}
	return all[i].put(c)
}

// EnsureBucket makes a bucket for owner, an account, unless there is one. With locked it has
// object lock. The errors are *Error or those of storage.Backend.
func (s *Server) EnsureBucket(ctx context.Context, owner, name string, locked bool) error {
	if err := checkBucketName(name); err != nil {
		return err
	}
	b := storage.Bucket{Name: name, Owner: owner, Docs: map[string][]byte{}, ObjectLock: locked}
	if locked {
		b.Versioning = storage.VersioningEnabled
	}
	if err := s.Backend.CreateBucket(ctx, b); err != nil && !errors.Is(err, storage.ErrBucketExists) {
		return err
	}
	return nil
}

// internalCall is a request that no client has sent: its authorisation was another's affair, and
// its body is document.
func (s *Server) internalCall(ctx context.Context, w http.ResponseWriter, id *iam.Identity, b *storage.Bucket, document []byte) (*call, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPut, "/", nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("X-Amz-Confirm-Remove-Self-Bucket-Access", "true")
	ev := *reqlog.From(ctx) // its answer is not that of the request
	c := &call{s: s, w: w, r: r, ctx: ctx, ev: &ev, id: id, b: b, document: document}
	c.level, c.bucket = bucketLevel, b.Name
	return c, nil
}

// recorder keeps the body of an answer.
type recorder struct {
	header http.Header
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (w *recorder) Header() http.Header {
	if w.header == nil {
		w.header = http.Header{}
	}
	return w.header
}

// Write implements http.ResponseWriter.
func (w *recorder) Write(p []byte) (int, error) { return w.body.Write(p) }

// WriteHeader implements http.ResponseWriter.
func (w *recorder) WriteHeader(int) {}

// importEmpty takes the empty document, in XML whatever the file's name says, that MinIO writes for each
// bucket that has none of these settings.
func importEmpty(c *call) error {
	var conf struct {
		Any []struct {
			XMLName xml.Name
		} `xml:",any"`
	}
	if err := s3xml.Decode(c.document, &conf); err != nil {
		return errMalformedXML()
	}
	if len(conf.Any) > 0 {
		return errorf("NotImplemented", "Replication of buckets is not implemented.")
	}
	return nil
}
