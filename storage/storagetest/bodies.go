package storagetest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing/iotest"

	"github.com/objsrv/objsrv/storage"
)

var bodyCases = []testCase{
	{"bodies/failing", bodiesFailing},
	{"bodies/length", bodiesLength},
	{"bodies/readers", bodiesReaders},
	{"bodies/endless", bodiesEndless},
}

// errBody is what a failing body fails with.
var errBody = errors.New("the client went away")

// failAfter gives the first n bytes of content and then an error.
func failAfter(content []byte, n int) io.Reader {
	return io.MultiReader(bytes.NewReader(content[:n]), iotest.ErrReader(errBody))
}

// uploadBody sends a body as an object, and as a part, over what was there before. It
// checks that a failure leaves all as it was, and returns the error.
func (e *env) uploadBody(what string, r func() io.Reader, size int64, want error, content []byte) {
	e.Helper()
	for _, v := range []storage.Versioning{storage.VersioningUnset, storage.VersioningEnabled} {
		bucket := e.bucket(v)
		old := e.put(bucket, "old", "what was there")
		for _, key := range []string{"old", "new"} {
			b := newBody(r())
			_, err := e.PutObject(e.ctx, storage.PutInput{Bucket: bucket, Key: key, Body: b, Size: size, Digest: b.digest})
			e.bodyResult(what+": PutObject", b, err, want)
			if want == nil {
				e.equal(what+": content", e.get(bucket, key, "") == string(content), true)
			}
		}
		if want != nil {
			e.equal(what+": versions", e.versions(bucket), []string{"old " + old.VersionID + "*"})
			e.equal(what+": content", e.get(bucket, "old", ""), "what was there")
			e.usage(bucket, storage.Usage{Objects: 1, Versions: 1, Bytes: 14})
		}
	}
	bucket := e.bucket(storage.VersioningUnset)
	u := e.upload(bucket, "k")
	p := e.part(u, 2, "the old part")
	for _, number := range []int{1, 2} {
		b := newBody(r())
		_, err := e.PutPart(e.ctx, storage.PartInput{Upload: u.UploadRef, Number: number, Body: b, Size: size, Digest: b.digest})
		e.bodyResult(what+": PutPart", b, err, want)
	}
	if want != nil {
		e.equal(what+": parts", e.partNumbers(u.UploadRef), []int{2})
		_, err := e.CompleteUpload(e.ctx, completeInput(u.UploadRef, *p))
		e.ok("CompleteUpload", err)
		e.equal(what+": the old part", e.get(bucket, "k", ""), "the old part")
		return
	}
	parts, _, err := e.ListParts(e.ctx, u.UploadRef, 0, 10)
	e.ok("ListParts", err)
	_, err = e.CompleteUpload(e.ctx, completeInput(u.UploadRef, parts...))
	e.ok("CompleteUpload", err)
	e.equal(what+": content of parts", e.get(bucket, "k", "") == string(content)+string(content), true)
}

// bodyResult checks an upload's error, and that the digest was taken when it should.
func (e *env) bodyResult(what string, b *body, err, want error) {
	e.Helper()
	if !errors.Is(err, want) {
		e.Errorf("%s: error %v, want %v", what, err, want)
	}
	switch {
	case b.early:
		e.Errorf("%s: Digest was called before the body's end", what)
	case want == nil && b.digests != 1:
		e.Errorf("%s: Digest was called %d times", what, b.digests)
	case want == errBody && b.digests != 0:
		e.Errorf("%s: Digest was called for a body that failed", what)
	}
}

func bodiesFailing(e *env) {
	sizes := append([]int64{0, 1, 4096, 64<<10 + 1, 1 << 20}, e.opt.Thresholds...)
	for _, size := range sizes {
		content := noise(uint64(size), int(size))
		// Failing behind the last byte counts too: the end has not been told.
		for _, n := range slices.Compact([]int64{0, min(1, size), size / 2, max(size-1, 0), size}) {
			for _, told := range []int64{size, -1} {
				what := fmt.Sprintf("%d bytes (told %d), failing after %d", size, told, n)
				e.uploadBody(what, func() io.Reader { return failAfter(content, int(n)) }, told, errBody, nil)
			}
		}
	}
}

func bodiesLength(e *env) {
	for _, size := range []int64{0, 1, 100, 4096, 65536, 70000, 1 << 20} {
		content := noise(uint64(size), int(size))
		body := func() io.Reader { return bytes.NewReader(content) }
		for _, told := range []int64{0, size - 1, size + 1, size / 2, size * 2, size + 1<<20} {
			if told >= 0 && told != size {
				e.uploadBody(fmt.Sprintf("%d bytes told as %d", size, told), body, told, storage.ErrSize, nil)
			}
		}
		e.uploadBody(fmt.Sprintf("%d bytes", size), body, size, nil, content)
		e.uploadBody(fmt.Sprintf("%d bytes, not told", size), body, -1, nil, content)
	}
}

func bodiesReaders(e *env) {
	content := noise(3, 70001)
	whole := func() io.Reader { return bytes.NewReader(content) }
	for what, r := range map[string]func() io.Reader{
		"one byte at a time":      func() io.Reader { return iotest.OneByteReader(whole()) },
		"half of what is asked":   func() io.Reader { return iotest.HalfReader(whole()) },
		"the end with the data":   func() io.Reader { return iotest.DataErrReader(whole()) },
		"reads that give nothing": func() io.Reader { return &lazyReader{r: whole()} },
	} {
		e.uploadBody(what, r, int64(len(content)), nil, content)
		e.uploadBody(what+", length not told", r, -1, nil, content)
	}
}

// lazyReader gives nothing in every other Read, as io.Reader may.
type lazyReader struct {
	r    io.Reader
	turn bool
}

// Read implements io.Reader.
func (l *lazyReader) Read(p []byte) (int, error) {
	l.turn = !l.turn
	if l.turn {
		return 0, nil
	}
	return l.r.Read(p)
}

// bodiesEndless sends more than was told, for ever: the store must stop reading.
func bodiesEndless(e *env) {
	e.uploadBody("an endless body", func() io.Reader { return zeros{} }, 1000, storage.ErrSize, nil)
}

// zeros is an endless reader.
type zeros struct{}

// Read implements io.Reader.
func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
