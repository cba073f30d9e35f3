package fs

import (
	"fmt"
	"io"

	"github.com/objsrv/objsrv/storage"
)

// Bare is Range without a look at the checksums, for content that proves itself: that of package seal, each of whose
// segments has a tag, or does not open. Its readers read straight into what they are given. Neither their bytes nor
// their errors are to be told to anybody: when something is wrong the same is to be read by Range, which knows what it
// is, and counts and reports it.
func (c *content) Bare(off, n int64) io.Reader {
	if c.extents == nil || off < 0 || n < 0 || off > c.size || n > c.size-off {
		return c.Range(off, n) // it is in memory and has been verified, or there is no such range
	}
	return &bareReader{c, off, n}
}

// bareReader reads a range of content that lies in blobs.
type bareReader struct {
	c         *content
	off, left int64
}

// Read implements io.Reader.
func (r *bareReader) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	b, in, err := r.c.blobAt(r.off)
	if err != nil {
		return 0, err
	}
	p = p[:min(int64(len(p)), r.left, b.size-in)]
	if err := b.readAt(p, headerSize+in); err != nil {
		return 0, err
	}
	r.off += int64(len(p))
	r.left -= int64(len(p))
	return len(p), nil
}

// barePlace is the blob that a content has open for its bare readers, one after the other.
type barePlace struct {
	blob  *blobFile
	base  int64 // of blob in the content
	next  int   // of the extents
	start int64 // of the extent next in the content
}

// leave closes the blob.
func (p *barePlace) leave() {
	if p.blob != nil {
		p.blob.close()
		p.blob = nil
	}
}

// blobAt returns the blob that holds an offset, open until the next call or Close, and where in it that is.
func (c *content) blobAt(off int64) (b *blobFile, in int64, err error) {
	p := &c.bare
	switch {
	case c.one != nil:
		return c.one, off, nil
	case p.blob != nil && off >= p.base && off < p.base+p.blob.size:
		return p.blob, off - p.base, nil
	}
	p.leave()
	if off < p.start {
		p.next, p.start = 0, 0
	}
	for ; p.next < len(c.extents); p.next++ {
		x := c.extents[p.next]
		if off < p.start+x.size {
			if p.blob, err = c.s.openBlob(x.blob, x.size); err != nil {
				return nil, 0, err
			}
			p.base = p.start
			return p.blob, off - p.base, nil
		}
		p.start += x.size
	}
	return nil, 0, fmt.Errorf("content ends at %d: %w", p.start, storage.ErrDamaged)
}
