package storagetest

import (
	"bytes"
	"strconv"

	"github.com/objsrv/objsrv/storage"
)

var codedCases = []testCase{
	{"coded/put", codedPut},
	{"coded/parts", codedParts},
	{"coded/copies", codedCopies},
	{"coded/reopened", codedReopened},
}

// codedInput describes the upload of a body that stands for size bytes.
func codedInput(bucket, key string, body []byte, size int64) storage.PutInput {
	in := putInput(bucket, key, body)
	b := newBody(bytes.NewReader(body)).code(size)
	in.Body, in.Digest = b, b.digest
	return in
}

// sizes prints the two lengths of a content.
func sizes(size, stored int64) string {
	s := strconv.FormatInt(size, 10)
	if stored != 0 {
		s += " in " + strconv.FormatInt(stored, 10)
	}
	return s
}

// coded checks what a store says of an object whose body stands for size bytes.
func (e *env) coded(bucket, key string, body []byte, size int64) {
	e.Helper()
	o := e.stat(bucket, key, "")
	want := int64(len(body))
	e.equal("Length", o.Length(), want)
	if size == want {
		want = 0
	}
	e.equal("sizes of "+key, sizes(o.Size, o.Stored), sizes(size, want))
	e.equal("content", e.get(bucket, key, ""), string(body))
	page, err := e.ListObjects(e.ctx, storage.ListInput{Bucket: bucket, Prefix: key, Limit: 1})
	e.ok("ListObjects", err)
	if len(page.Objects) != 1 || page.Objects[0].Size != size || page.Objects[0].Stored != want {
		e.Errorf("listed: %+v, want %s", page.Objects, sizes(size, want))
	}
}

// codedPut stores bodies that stand for more, as much, fewer and no bytes.
func codedPut(e *env) {
	bucket := e.bucket(storage.VersioningUnset)
	for _, n := range []int{1, 40, 4096, 70000, 1 << 20} {
		body := noise(uint64(n), n)
		for _, size := range []int64{0, 1, int64(n) / 2, int64(n), int64(n) * 3, 1 << 40} {
			_, err := e.PutObject(e.ctx, codedInput(bucket, "k", body, size))
			e.ok("PutObject", err)
			e.coded(bucket, "k", body, size)
			e.usage(bucket, storage.Usage{Objects: 1, Versions: 1, Bytes: size})
		}
	}
	o := e.stat(bucket, "k", "")
	_, err := e.SetTags(e.ctx, storage.Ref{Bucket: bucket, Key: "k"}, []storage.Tag{{Key: "a"}})
	e.ok("SetTags", err)
	e.equal("sizes after SetTags", sizes(e.stat(bucket, "k", "").Size, e.stat(bucket, "k", "").Stored), sizes(o.Size, o.Stored))
	res := e.delIn(bucket, storage.DeleteInput{Key: "k", If: storage.Conditions{IfMatchSize: o.Size, HasSize: true}})
	e.is("delete by size", res.Err, nil)
	e.usage(bucket, storage.Usage{})
}

// codedParts makes an object of parts of which some are coded.
func codedParts(e *env) {
	bucket := e.bucket(storage.VersioningUnset)
	u := e.upload(bucket, "k")
	bodies := [][]byte{noise(1, 100), noise(2, 70000), noise(3, 5)}
	for i, size := range []int64{250, 70000, 3} {
		in := partInput(u.UploadRef, i+1, bodies[i])
		if i != 1 {
			b := newBody(bytes.NewReader(bodies[i])).code(size)
			in.Body, in.Digest = b, b.digest
		}
		p, err := e.PutPart(e.ctx, in)
		e.ok("PutPart", err)
		e.equal("part's size", p.Size, size)
		e.equal("part's length", p.Length(), int64(len(bodies[i])))
	}
	parts, _, err := e.ListParts(e.ctx, u.UploadRef, 0, 10)
	e.ok("ListParts", err)
	in := completeInput(u.UploadRef, parts...)
	in.MinPartSize = 251
	_, err = e.CompleteUpload(e.ctx, in)
	e.is("CompleteUpload with a part that is too small", err, storage.ErrPartTooSmall)
	in.MinPartSize = 250
	_, err = e.CompleteUpload(e.ctx, in)
	e.ok("CompleteUpload", err)
	body := bytes.Join(bodies, nil)
	e.coded(bucket, "k", body, 70253)
	e.usage(bucket, storage.Usage{Objects: 1, Versions: 1, Bytes: 70253})
	kept, err := e.Parts(e.ctx, storage.Ref{Bucket: bucket, Key: "k"})
	e.ok("Parts", err)
	e.equal("Parts", describeParts(kept), describeParts(parts))
	// Ranges are of what is stored.
	v := e.upload(bucket, "copy")
	p, err := e.CopyPart(e.ctx, copyPartInput(v.UploadRef, 1, storage.Ref{Bucket: bucket, Key: "k"}, 100, 70000))
	e.ok("CopyPart", err)
	_, err = e.CompleteUpload(e.ctx, completeInput(v.UploadRef, *p))
	e.ok("CompleteUpload", err)
	e.coded(bucket, "copy", bodies[1], 70000)
	for _, flatten := range []bool{false, true} {
		_, err = e.CopyObject(e.ctx, storage.CopyInput{Source: storage.Ref{Bucket: bucket, Key: "k"}, Bucket: bucket, Key: "another", Flatten: flatten})
		e.ok("CopyObject", err)
		e.parted(bucket, "another", describeParts(parts))
	}
	e.put(bucket, "another", "put whole")
	e.parted(bucket, "another", "")
}

// parted checks the parts of an object's content, which stay those of this content whatever becomes of the key.
func (e *env) parted(bucket, key, want string) {
	e.Helper()
	_, c, err := e.GetObject(e.ctx, storage.Ref{Bucket: bucket, Key: key})
	e.ok("GetObject", err)
	defer c.Close()
	e.put(bucket, key, "another")
	var got []storage.Part
	if c, ok := c.(storage.Parted); ok {
		got, err = c.Parts()
		e.ok("Parts", err)
	}
	e.equal("parts of the content", describeParts(got), want)
}

// codedCopies copies coded objects, whole and flattened.
func codedCopies(e *env) {
	bucket := e.bucket(storage.VersioningUnset)
	for _, n := range []int{30, 70000} {
		body := noise(uint64(n), n)
		_, err := e.PutObject(e.ctx, codedInput(bucket, "k", body, 999))
		e.ok("PutObject", err)
		for _, to := range []string{"copy", "k"} {
			for _, flatten := range []bool{false, true} {
				_, err = e.CopyObject(e.ctx, storage.CopyInput{Source: storage.Ref{Bucket: bucket, Key: "k"}, Bucket: bucket, Key: to, Flatten: flatten})
				e.ok("CopyObject", err)
				e.coded(bucket, to, body, 999)
			}
		}
		e.usage(bucket, storage.Usage{Objects: 2, Versions: 2, Bytes: 2 * 999})
	}
}

// codedReopened finds coded objects again in a store that was closed.
func codedReopened(e *env) {
	if e.reopen == nil {
		return
	}
	b := e.open()
	on := e.on(b)
	bucket := on.bucket(storage.VersioningUnset)
	small, large := noise(1, 50), noise(2, 70000)
	_, err := on.PutObject(e.ctx, codedInput(bucket, "small", small, 7))
	e.ok("PutObject", err)
	_, err = on.PutObject(e.ctx, codedInput(bucket, "large", large, 1<<33))
	e.ok("PutObject", err)
	on = e.on(e.reopen(b))
	on.coded(bucket, "small", small, 7)
	on.coded(bucket, "large", large, 1<<33)
	on.usage(bucket, storage.Usage{Objects: 2, Versions: 2, Bytes: 7 + 1<<33})
}
