package s3gw

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/objsrv/objsrv/storage"
	"github.com/objsrv/objsrv/storage/cache"
)

// GetObject implements storage.Objects. One request is sent: its body is what Range reads, when that asks
// for all of it.
func (s *Store) GetObject(ctx context.Context, ref storage.Ref) (*storage.Object, storage.Content, error) {
	b, done, err := s.open(ctx, ref.Bucket)
	if err != nil {
		return nil, nil, err
	}
	defer done()
	if o, c, err := s.copied(ctx, b, ref); c != nil || err != nil {
		return o, c, err
	}
	what := fmt.Sprintf("read %s/%q", ref.Bucket, ref.Key)
	resp, err := s.client.read(ctx, &request{method: http.MethodGet, bucket: ref.Bucket, key: ref.Key, query: query(ref),
		header: http.Header{"X-Amz-Checksum-Mode": {"ENABLED"}}})
	if err != nil {
		return nil, nil, missing(what, ref, err)
	}
	resp.Header.Set("Content-Length", strconv.FormatInt(resp.ContentLength, 10))
	o, err := object(b, ref.Key, resp.Header)
	if err == nil {
		s.tellEncryption(o, resp.Header)
		err = s.addTags(ctx, o, ref, resp.Header)
	}
	if err != nil {
		resp.Body.Close()
		return nil, nil, wrap(what, err)
	}
	c := s.content(ctx, ref, o)
	c.whole, c.kept = resp.Body, mayCopy(resp.Header)
	return o, c, nil
}

func (s *Store) content(ctx context.Context, ref storage.Ref, o *storage.Object) *content {
	return &content{s: s, ctx: ctx, name: ref.Bucket + "\x00" + ref.Key + "\x00" + ref.Version, state: stateOf(o), ref: pin(ref, o), etag: o.ETag, size: o.Size}
}

// OpenPart implements storage.PartReader.
func (s *Store) OpenPart(ctx context.Context, ref storage.Ref) (*storage.Object, storage.Content, error) {
	b, done, err := s.open(ctx, ref.Bucket)
	if err != nil {
		return nil, nil, err
	}
	defer done()
	o, err := s.stat(ctx, b, ref)
	if err != nil {
		return nil, nil, err
	}
	c := s.content(ctx, ref, o)
	if s.o.Cache != nil && s.o.Cache.Has(c.name) {
		c.copy = s.o.Cache.Open(c.name, c.state, o.Size)
	}
	return o, c, nil
}

// copied opens the copy of a content that is in the cache, if its state is still the upstream's, who is asked first: with
// an upstream that does not answer there is no content. It returns nil where there is no copy, or no good one.
func (s *Store) copied(ctx context.Context, b *storage.Bucket, ref storage.Ref) (*storage.Object, storage.Content, error) {
	if s.o.Cache == nil || !s.o.Cache.Has(ref.Bucket+"\x00"+ref.Key+"\x00"+ref.Version) {
		return nil, nil, nil
	}
	o, err := s.stat(ctx, b, ref)
	if err != nil {
		return nil, nil, err
	}
	c := s.content(ctx, ref, o)
	if c.copy = s.o.Cache.Open(c.name, c.state, o.Size); c.copy == nil {
		return nil, nil, nil
	}
	return o, c, nil
}

// stateOf tells states of a content apart: a copy is of one of them. The ETag alone would do where it is one of the content.
func stateOf(o *storage.Object) string {
	return fmt.Sprintf("%s %d %d %s", o.ETag, o.Size, o.Modified.Unix(), o.VersionID)
}

// mayCopy tells whether a content may lie on this gateway's disk: not one that is encrypted upstream with a key that the
// customer or a key management keeps.
func mayCopy(h http.Header) bool {
	return h.Get("X-Amz-Server-Side-Encryption-Customer-Algorithm") == "" && (h.Get("X-Amz-Server-Side-Encryption") == "" || h.Get("X-Amz-Server-Side-Encryption") == "AES256")
}

// pin names the version that was looked at, where it has a name.
func pin(ref storage.Ref, o *storage.Object) storage.Ref {
	if o.VersionID != storage.NullVersion {
		ref.Version = o.VersionID
	}
	return ref
}

// content reads a version. It is asked for by its ETag, so that what is read is what was described.
type content struct {
	s     *Store
	ctx   context.Context
	ref   storage.Ref
	etag  string
	size  int64
	whole io.ReadCloser // the body of all of it, not read yet; nil without
	open  []io.Closer

	name, state string         // in the cache
	kept        bool           // the cache may have it
	copy        *cache.Copy    // nil: it is read from the upstream
	filling     *cache.Filling // what is being read; nil without
}

// Bytes implements storage.Content.
func (c *content) Bytes() ([]byte, bool) { return nil, false }

// Range implements storage.Content.
func (c *content) Range(off, n int64) io.Reader {
	if n == 0 {
		return eof{}
	}
	if c.copy != nil {
		return &fromCopy{c: c, r: c.copy.Range(off, n), off: off, end: off + n}
	}
	if c.whole != nil && off == 0 && n == c.size {
		r := &ranged{what: c.ref, body: c.whole, left: n}
		c.open = append(c.open, c.whole)
		c.whole = nil
		if c.kept && c.s.o.Cache != nil {
			if r.fill = c.s.o.Cache.Fill(c.name, c.state, c.size); r.fill != nil {
				c.filling = r.fill
			}
		}
		return r
	}
	return c.fromUpstream(off, n)
}

// fromUpstream reads a range by a request of its own.
func (c *content) fromUpstream(off, n int64) *ranged {
	return &ranged{what: c.ref, left: n, ask: func() (io.ReadCloser, error) { return c.ask(off, n) }}
}

// ask sends a request for a range.
func (c *content) ask(off, n int64) (io.ReadCloser, error) {
	h := http.Header{"If-Match": {`"` + c.etag + `"`}, "Range": {fmt.Sprintf("bytes=%d-%d", off, off+n-1)}}
	resp, err := c.s.client.read(c.ctx, &request{method: http.MethodGet, bucket: c.ref.Bucket, key: c.ref.Key, query: query(c.ref), header: h})
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusPartialContent || resp.ContentLength != n {
		resp.Body.Close()
		return nil, fmt.Errorf("the upstream answers %d with %d bytes where %d were asked for", resp.StatusCode, resp.ContentLength, n)
	}
	c.open = append(c.open, resp.Body)
	return resp.Body, nil
}

// Close implements io.Closer.
func (c *content) Close() error {
	if c.whole != nil {
		c.open = append(c.open, c.whole)
		c.whole = nil
	}
	for _, body := range c.open {
		body.Close()
	}
	c.open = nil
	if c.filling != nil {
		c.filling.Close()
	}
	if c.copy != nil {
		return c.copy.Close()
	}
	return nil
}

// eof is a reader of nothing.
type eof struct{}

// Read implements io.Reader.
func (eof) Read([]byte) (int, error) { return 0, io.EOF }

// ranged reads exactly so many bytes. What ends before is an error, never the end.
type ranged struct {
	what storage.Ref
	ask  func() (io.ReadCloser, error)
	body io.ReadCloser
	left int64
	err  error
	fill *cache.Filling // gets what is read; nil for nothing
}

// Read implements io.Reader.
func (r *ranged) Read(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	if r.left == 0 {
		return 0, io.EOF
	}
	if r.body == nil {
		var err error
		if r.body, err = r.ask(); err != nil {
			r.err = wrap(fmt.Sprintf("read %s/%q", r.what.Bucket, r.what.Key), err)
			return 0, r.err
		}
	}
	n, err := r.body.Read(p[:min(int64(len(p)), r.left)])
	r.left -= int64(n)
	if r.fill != nil && n > 0 {
		_, _ = r.fill.Write(p[:n]) // it gives up by itself
	}
	if err != nil && r.left > 0 {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		r.err = wrap(fmt.Sprintf("read %s/%q", r.what.Bucket, r.what.Key), err)
		return n, r.err
	}
	return n, nil
}

// fromCopy reads a range of a copy; what the copy has lost comes from the upstream, in the state that was described.
type fromCopy struct {
	c        *content
	r        *cache.Reader
	off, end int64
	up       *ranged // nil while the copy is good
}

// Read implements io.Reader.
func (r *fromCopy) Read(p []byte) (int, error) {
	if r.up == nil {
		n, err := r.r.Read(p)
		r.off += int64(n)
		if r.r.Err() == nil {
			return n, err
		}
		r.up = r.c.fromUpstream(r.off, r.end-r.off)
	}
	return r.up.Read(p)
}

// WriteTo implements io.WriterTo.
func (r *fromCopy) WriteTo(w io.Writer) (int64, error) {
	var n int64
	if r.up == nil {
		var err error
		n, err = r.r.WriteTo(w)
		r.off += n
		if r.r.Err() == nil {
			return n, err
		}
		r.up = r.c.fromUpstream(r.off, r.end-r.off)
	}
	m, err := io.Copy(w, r.up)
	return n + m, err
}
