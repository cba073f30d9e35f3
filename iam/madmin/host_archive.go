package madmin

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/objsrv/objsrv/iam"
)

// Limits of an archive of buckets' settings.
const (
	maxArchive        = 8 << 20  // bytes of the zip
	maxArchiveContent = 64 << 20 // bytes of its files together
	maxArchiveFile    = 1 << 20  // bytes of one of them
	maxArchiveFiles   = 20_000
)

// quotaFile holds the quota in an archive; the host knows the other files.
const quotaFile = "quota.json"

// Archives read and write the settings of buckets for archives.
type Archives interface {
	// BucketFiles returns the settings of a bucket but for its quota, as by is shown them. The error
	// is a *Refusal when the client is to know why; so of the others here.
	BucketFiles(ctx context.Context, by *iam.Identity, bucket string) ([]BucketFile, error)
	// EnsureBucket makes a bucket of by's account unless there is one; with locked, one with object lock.
	EnsureBucket(ctx context.Context, by *iam.Identity, bucket string, locked bool) error
	// SetBucketFile sets what a file holds. One that means nothing here is refused as not implemented.
	SetBucketFile(ctx context.Context, by *iam.Identity, bucket string, file BucketFile) error
	// BucketFileNames returns the names of the files, in the order in which they are to be set.
	BucketFileNames() []string
}

// BucketFile is a setting of a bucket as a file of an archive, with the name that it has in MinIO's.
type BucketFile struct {
	Name string
	Data []byte
}

// exportBuckets answers with the settings of a bucket, or of all, as a zip of files BUCKET/SETTING.
func (c *call) exportBuckets() error {
	names := []string{c.param("bucket")}
	if names[0] == "" {
		all, err := c.Host.Usage(c.ctx)
		if err != nil {
			return err
		}
		names = names[:0]
		for _, b := range all {
			names = append(names, b.Name)
		}
	}
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, name := range names {
		files, err := c.exportBucket(name)
		if err != nil {
			return err
		}
		for _, f := range files {
			w, err := z.CreateHeader(&zip.FileHeader{Name: name + "/" + f.Name, Method: zip.Deflate, Modified: time.Now().UTC()})
			if err == nil {
				_, err = w.Write(f.Data)
			}
			if err != nil {
				return fmt.Errorf("write archive: %w", err)
			}
		}
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("write archive: %w", err)
	}
	return c.send(http.StatusOK, "application/zip", out.Bytes())
}

func (c *call) exportBucket(name string) ([]BucketFile, error) {
	files, err := c.Host.BucketFiles(c.ctx, c.id, name)
	if err != nil {
		return nil, err
	}
	n, err := c.Host.Quota(c.ctx, name)
	if err != nil || n == 0 {
		return files, err
	}
	doc, err := json.Marshal(bucketQuota{Quota: uint64(n), Size: uint64(n), Type: quotaType})
	return append(files, BucketFile{quotaFile, doc}), err
}

// importReport tells what became of an archive.
type importReport struct {
	Buckets map[string]*bucketReport `json:"buckets"`
}

// bucketReport tells what became of the files of a bucket. IsSet says that there was one.
type bucketReport struct {
	ObjectLock   fileReport `json:"olock"`
	Versioning   fileReport `json:"versioning"`
	Policy       fileReport `json:"policy"`
	Tagging      fileReport `json:"tagging"`
	Encryption   fileReport `json:"sse"`
	Lifecycle    fileReport `json:"lifecycle"`
	Notification fileReport `json:"notification"`
	Quota        fileReport `json:"quota"`
	CORS         fileReport `json:"cors"`
	// Error is of the bucket, and of files that have no place above or one that clients of 2025
	// do not read.
	Error string `json:"error,omitempty"`
}

type fileReport struct {
	IsSet bool   `json:"isSet"`
	Error string `json:"error,omitempty"`
}

// note says what became of a file.
func (r *bucketReport) note(name string, err error) {
	places := map[string]*fileReport{
		"object-lock.xml": &r.ObjectLock, "versioning.xml": &r.Versioning, "policy.json": &r.Policy, "tagging.xml": &r.Tagging, "bucket-encryption.xml": &r.Encryption,
		"lifecycle.xml": &r.Lifecycle, "notification.xml": &r.Notification, quotaFile: &r.Quota, "cors.xml": &r.CORS,
	}
	place := places[name]
	if place != nil {
		place.IsSet = true
	}
	if err == nil {
		return
	}
	message := asRefusal(err).Message
	if place != nil {
		place.Error = message
	}
	if place == nil || place == &r.CORS {
		r.fail(name + ": " + message)
	}
}

func (r *bucketReport) fail(message string) {
	if r.Error != "" {
		r.Error += "; "
	}
	r.Error += message
}

// importBuckets sets what an archive says of buckets, and makes those that are not there. Each file is
// judged by itself, and the answer tells what became of it.
func (c *call) importBuckets() error {
	archive, err := readArchive(c.body)
	if err != nil {
		return err
	}
	only := c.param("bucket")
	report := importReport{Buckets: map[string]*bucketReport{}}
	for _, bucket := range slices.Sorted(maps.Keys(archive)) {
		r := &bucketReport{}
		report.Buckets[bucket] = r
		if only != "" && bucket != only {
			r.fail("not imported: the request is for " + only)
			continue
		}
		if err := c.importBucket(bucket, archive[bucket], r); err != nil {
			return err
		}
	}
	return c.reply(report)
}

// importBucket returns an error only when it makes no sense to go on.
func (c *call) importBucket(bucket string, files map[string][]byte, r *bucketReport) error {
	_, locked := files["object-lock.xml"]
	if err := c.Host.EnsureBucket(c.ctx, c.id, bucket, locked); err != nil {
		if fatal(err) {
			return err
		}
		r.fail(asRefusal(err).Message)
		return nil
	}
	for _, name := range c.importOrder(files) {
		err := c.importFile(bucket, BucketFile{name, files[name]})
		if fatal(err) {
			return err
		}
		r.note(name, err)
	}
	return nil
}

// importOrder returns the names of the files in the order in which they are to be set; those that
// mean nothing here come last.
func (c *call) importOrder(files map[string][]byte) []string {
	var names []string
	for _, name := range c.Host.BucketFileNames() {
		if files[name] != nil {
			names = append(names, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

func (c *call) importFile(bucket string, f BucketFile) error {
	if f.Name != quotaFile {
		return c.Host.SetBucketFile(c.ctx, c.id, bucket, f)
	}
	n, err := parseQuota(f.Data)
	if err != nil {
		return err
	}
	return c.Host.SetQuota(c.ctx, bucket, n)
}

// fatal tells failures of the server from what is wrong with a file.
func fatal(err error) bool {
	if err == nil {
		return false
	}
	s := asRefusal(err).Status
	return s >= http.StatusInternalServerError && s != http.StatusNotImplemented
}

// readArchive reads a zip whole, within limits, so that nothing is set of one that is hostile: files
// by bucket and name.
func readArchive(data []byte) (map[string]map[string][]byte, error) {
	bad := func(format string, args ...any) (map[string]map[string][]byte, error) {
		return nil, invalid("The archive is not imported: " + fmt.Sprintf(format, args...) + ".")
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return bad("it is no zip")
	}
	if len(z.File) > maxArchiveFiles {
		return bad("it has more than %d files", maxArchiveFiles)
	}
	out, total := map[string]map[string][]byte{}, int64(0)
	for _, f := range z.File {
		bucket, name, ok := strings.Cut(f.Name, "/")
		if ok && name == "" && f.Mode().IsDir() {
			continue
		}
		switch {
		case !ok || bucket == "" || name == "" || strings.ContainsAny(f.Name, "\\\x00:") || strings.Contains(name, "/") || bucket == ".." || bucket == "." || name == ".." || name == ".":
			return bad("a file is named %s, not BUCKET/SETTING", quote(f.Name))
		case !f.Mode().IsRegular():
			return bad("%s is no file", quote(f.Name))
		case out[bucket][name] != nil:
			return bad("%s is there twice", quote(f.Name))
		}
		content, err := readArchiveFile(f)
		if err != nil {
			return bad("%s: %v", quote(f.Name), err)
		}
		if total += int64(len(content)); total > maxArchiveContent {
			return bad("its files are longer than %d bytes together", maxArchiveContent)
		}
		if out[bucket] == nil {
			out[bucket] = map[string][]byte{}
		}
		out[bucket][name] = content
	}
	return out, nil
}

var errLongFile = errors.New("it is too long")

// readArchiveFile reads one file, whatever length it claims to have.
func readArchiveFile(f *zip.File) ([]byte, error) {
	if f.UncompressedSize64 > maxArchiveFile {
		return nil, errLongFile
	}
	r, err := f.Open()
	if err != nil {
		return nil, errors.New("it can't be read")
	}
	defer r.Close()
	content, err := io.ReadAll(io.LimitReader(r, maxArchiveFile+1))
	switch {
	case err != nil:
		return nil, errors.New("it is damaged")
	case len(content) > maxArchiveFile:
		return nil, errLongFile
	}
	return append([]byte{}, content...), nil // never nil
}
