package storagetest

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"reflect"
	"strings"

	"github.com/objsrv/objsrv/storage"
)

// isError is errors.Is.
func isError(err, target error) bool { return errors.Is(err, target) }

// body is content on its way into a store: it sums what is read from it, as the
// protocol side does, and notes whether its Digest was asked for at the right time.
type body struct {
	r       io.Reader
	md5     hash.Hash
	crc     hash.Hash32
	eof     bool
	digests int
	early   bool // Digest was called before io.EOF had been returned
	coded   bool // what is read stands for content of another size
	size    int64
}

// code says that the body stands for content of size bytes, and returns the body.
func (b *body) code(size int64) *body {
	b.coded, b.size = true, size
	return b
}

// newBody wraps r.
func newBody(r io.Reader) *body {
	return &body{r: r, md5: md5.New(), crc: crc32.NewIEEE()}
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	b.Write(p[:n])
	b.eof = b.eof || err == io.EOF
	return n, err
}

// Write implements io.Writer, for CopyPartInput.Sum.
func (b *body) Write(p []byte) (int, error) {
	b.md5.Write(p)
	b.crc.Write(p)
	return len(p), nil
}

// digest is the Digest function of the content.
func (b *body) digest() storage.Digest {
	b.digests++
	b.early = b.early || b.r != nil && !b.eof
	return storage.Digest{
		ETag:     hex.EncodeToString(b.md5.Sum(nil)),
		Checksum: storage.Checksum{Algorithm: "CRC32", Type: "FULL_OBJECT", Value: base64.StdEncoding.EncodeToString(b.crc.Sum(nil))},
		Coded:    b.coded, Size: b.size,
	}
}

// digestOf is the digest of content that is at hand.
func digestOf(content []byte) storage.Digest {
	b := newBody(nil)
	b.Write(content)
	return b.digest()
}

// noise makes n bytes that differ from those of another seed and do not compress.
func noise(seed uint64, n int) []byte {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	p := make([]byte, n)
	rand.NewChaCha8(key).Read(p)
	return p
}

// putInput describes the upload of content.
func putInput(bucket, key string, content []byte) storage.PutInput {
	b := newBody(bytes.NewReader(content))
	return storage.PutInput{Bucket: bucket, Key: key, Body: b, Size: int64(len(content)), Digest: b.digest, ChecksumAlgorithm: "CRC32"}
}

// fullMeta fills every field of a Meta that the store keeps.
func (e *env) fullMeta(mark string) storage.Meta {
	if e.opt.Within != nil {
		return e.opt.Within.Meta(mark)
	}
	return storage.Meta{
		Owner: "owner-" + mark,
		Class: "REDUCED_REDUNDANCY",
		Attrs: []storage.Attr{
			{Name: "content-type", Value: "text/" + mark}, {Name: "x-amz-meta-b", Value: "2 ü\x01"},
			{Name: "x-amz-meta-a", Value: ""}, {Name: "cache-control", Value: strings.Repeat("x", 3000)},
		},
		Tags:  []storage.Tag{{Key: "z", Value: mark}, {Key: "a", Value: ""}},
		Props: map[string]string{"lock": mark, "empty": ""},
	}
}

// put stores content and ends the case when that fails.
func (e *env) put(bucket, key, content string) *storage.Object {
	e.Helper()
	o, err := e.PutObject(e.ctx, putInput(bucket, key, []byte(content)))
	e.ok(fmt.Sprintf("PutObject %.40q", key), err)
	return o
}

// inParallel runs f for 0 to n-1, some at a time, so that stores which share syncs
// among calls are filled quickly, and ends the case when one fails.
func (e *env) inParallel(n int, f func(i int) error) {
	e.Helper()
	errs := make([]error, 16)
	together(len(errs), func(worker int) {
		for i := worker; i < n && errs[worker] == nil; i += len(errs) {
			errs[worker] = f(i)
		}
	})
	e.ok("one of many calls", errors.Join(errs...))
}

// putAll puts content to many keys.
func (e *env) putAll(bucket string, keys []string, content func(key string) string) {
	e.Helper()
	e.inParallel(len(keys), func(i int) error {
		o, err := e.PutObject(e.ctx, putInput(bucket, keys[i], []byte(content(keys[i]))))
		if err == nil && o.Key != keys[i] {
			err = fmt.Errorf("PutObject of %q names %q", keys[i], o.Key)
		}
		return err
	})
}

// del deletes one version or key and ends the case when that fails.
func (e *env) del(bucket, key, version string) storage.DeleteResult {
	e.Helper()
	return e.delIn(bucket, storage.DeleteInput{Key: key, Version: version, Owner: e.deleter()})
}

// deleter owns the delete markers of del.
func (e *env) deleter() string {
	if e.opt.Within != nil {
		return bucketOwner
	}
	return "deleter"
}

// delIn is del for a whole DeleteInput.
func (e *env) delIn(bucket string, in storage.DeleteInput) storage.DeleteResult {
	e.Helper()
	res := e.tryDel(bucket, in)
	e.ok(fmt.Sprintf("delete %.40q", in.Key), res.Err)
	return res
}

// tryDel deletes one entry; a failure of the entry is in the result.
func (e *env) tryDel(bucket string, in storage.DeleteInput) storage.DeleteResult {
	e.Helper()
	res, err := e.DeleteObjects(e.ctx, bucket, []storage.DeleteInput{in})
	e.ok("DeleteObjects", err)
	if len(res) != 1 {
		e.Fatalf("DeleteObjects of 1 entry gave %d results", len(res))
	}
	return res[0]
}

// stat returns a version's metadata and ends the case when that fails.
func (e *env) stat(bucket, key, version string) *storage.Object {
	e.Helper()
	o, err := e.StatObject(e.ctx, storage.Ref{Bucket: bucket, Key: key, Version: version})
	e.ok(fmt.Sprintf("StatObject %.40q version %q", key, version), err)
	return o
}

// get reads a version whole, and checks that Bytes agrees with Range.
func (e *env) get(bucket, key, version string) string {
	e.Helper()
	content, err := readObject(e.ctx, e.Backend, storage.Ref{Bucket: bucket, Key: key, Version: version})
	e.ok(fmt.Sprintf("read %.40q version %q", key, version), err)
	return content
}

// absent checks that a version, or with version "" the key, is not there.
func (e *env) absent(bucket, key, version string) {
	e.Helper()
	want := storage.ErrNoSuchKey
	if version != "" {
		want = storage.ErrNoSuchVersion
	}
	_, err := e.StatObject(e.ctx, storage.Ref{Bucket: bucket, Key: key, Version: version})
	e.is(fmt.Sprintf("StatObject %.40q version %q", key, version), err, want)
}

// equal fails the case when got is not want.
func (e *env) equal(what string, got, want any) {
	e.Helper()
	if !reflect.DeepEqual(got, want) {
		e.Errorf("%s:\n got %s\nwant %s", what, show(got), show(want))
	}
}

// show prints a value, cut to what a reader can take in.
func show(v any) string {
	s := fmt.Sprintf("%+v", v)
	if str, ok := v.(string); ok {
		s = fmt.Sprintf("%q", str)
	}
	if len(s) > 2000 {
		s = fmt.Sprintf("%s... (%d bytes)", s[:2000], len(s))
	}
	return s
}

// normal returns an object in a form that can be compared: empty lists are nil and
// times are UTC without a monotonic reading.
func normal(o *storage.Object) storage.Object {
	c := *o
	c.Modified = c.Modified.UTC().Round(0)
	if len(c.Attrs) == 0 {
		c.Attrs = nil
	}
	if len(c.Tags) == 0 {
		c.Tags = nil
	}
	if len(c.Props) == 0 {
		c.Props = nil
	}
	return c
}

// listed is normal for what a list gives of an object.
func listed(o *storage.Object) storage.Object {
	c := normal(o)
	c.Attrs, c.Tags, c.Props = nil, nil, nil
	return c
}

// sameObject compares two descriptions of one version.
func (e *env) sameObject(what string, got, want *storage.Object) {
	e.Helper()
	if c := *want; e.opt.Within != nil && c.Owner == "" {
		c.Owner = bucketOwner
		want = &c
	}
	e.equal(what, normal(got), normal(want))
}
