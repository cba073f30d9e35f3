package storagetest

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/objsrv/objsrv/storage"
)

var copyCases = []testCase{
	{"copies/whole", copyWhole},
	{"copies/source-etag", copySourceETag},
	{"copies/onto-itself", copyOntoItself},
	{"copies/multipart", copyMultipart},
	{"copies/outlive-source", copyOutlives},
	{"copies/parts", copyParts},
	{"copies/parts-refused", copyPartsRefused},
}

func copyWhole(e *env) {
	src := e.bucket(storage.VersioningEnabled)
	for _, size := range []int{0, 5, 4096, 70000, 2 << 20} {
		content := noise(uint64(size), size)
		in := putInput(src, "source", content)
		in.Meta = e.fullMeta("source")
		old, err := e.PutObject(e.ctx, in)
		e.ok("PutObject", err)
		e.put(src, "source", "a newer version")
		for _, v := range []storage.Versioning{storage.VersioningUnset, storage.VersioningEnabled} {
			dst := e.bucket(v)
			e.put(dst, "copy", "what was there")
			cp := storage.CopyInput{
				Source: storage.Ref{Bucket: src, Key: "source", Version: old.VersionID}, SourceETag: old.ETag,
				Bucket: dst, Key: "copy", Meta: e.fullMeta("copy"),
			}
			o, err := e.CopyObject(e.ctx, cp)
			e.ok("CopyObject", err)
			want := wantObject(storage.PutInput{Key: "copy", Meta: cp.Meta}, content, o.VersionID)
			want.Modified = o.Modified
			e.sameObject("CopyObject's answer", o, want)
			e.sameObject("the copy", e.stat(dst, "copy", ""), want)
			e.equal("the copy's content", e.get(dst, "copy", ""), string(content))

			cp.ETag, cp.Checksum = "another", storage.Checksum{Algorithm: "SHA1", Type: "FULL_OBJECT", Value: "c2hh"}
			cp.Meta = storage.Meta{}
			o, err = e.CopyObject(e.ctx, cp)
			e.ok("CopyObject", err)
			want = &storage.Object{Key: "copy", VersionID: o.VersionID, Latest: true, Size: int64(size), ETag: "another", Checksum: cp.Checksum, Modified: o.Modified}
			e.sameObject("a copy with its own digest and no metadata", e.stat(dst, "copy", ""), want)
			e.equal("the copy's content", e.get(dst, "copy", ""), string(content))
		}
	}
}

func copySourceETag(e *env) {
	bucket := e.bucket(storage.VersioningUnset)
	o := e.put(bucket, "source", "x")
	cp := storage.CopyInput{Source: storage.Ref{Bucket: bucket, Key: "source"}, SourceETag: "other", Bucket: bucket, Key: "copy"}
	_, err := e.CopyObject(e.ctx, cp)
	e.is("CopyObject of a changed source", err, storage.ErrPrecondition)
	e.absent(bucket, "copy", "")
	cp.SourceETag = o.ETag
	_, err = e.CopyObject(e.ctx, cp)
	e.is("CopyObject of the source as it was", err, nil)
}

func copyOntoItself(e *env) {
	for _, size := range []int{3, 1 << 20} {
		content := string(noise(1, size))
		bucket := e.bucket(storage.VersioningUnset)
		e.put(bucket, "k", content)
		self := storage.Ref{Bucket: bucket, Key: "k"}
		for i := range 3 {
			_, err := e.CopyObject(e.ctx, storage.CopyInput{Source: self, Bucket: bucket, Key: "k", Meta: e.fullMeta(fmt.Sprint(i))})
			e.ok("CopyObject", err)
			e.equal("content", e.get(bucket, "k", ""), content)
			e.equal("attributes", e.stat(bucket, "k", "").Attrs, e.fullMeta(fmt.Sprint(i)).Attrs)
			e.usage(bucket, storage.Usage{Objects: 1, Versions: 1, Bytes: int64(size)})
		}
		// An old version made current again, as users restore it.
		e.versioning(bucket, storage.VersioningEnabled)
		e.put(bucket, "k", "newer")
		self.Version = storage.NullVersion
		o, err := e.CopyObject(e.ctx, storage.CopyInput{Source: self, Bucket: bucket, Key: "k"})
		e.ok("CopyObject", err)
		if o.VersionID == storage.NullVersion {
			e.Errorf("a restored version got the null version's id")
		}
		e.equal("restored content", e.get(bucket, "k", ""), content)
		// The null version may be copied over itself while versioning is suspended.
		e.versioning(bucket, storage.VersioningSuspended)
		_, err = e.CopyObject(e.ctx, storage.CopyInput{Source: self, Bucket: bucket, Key: "k"})
		e.ok("CopyObject", err)
		e.equal("content", e.get(bucket, "k", storage.NullVersion), content)
		e.usage(bucket, storage.Usage{Objects: 1, Versions: 3, Bytes: int64(2*size + 5)})
	}
}

func copyMultipart(e *env) {
	bucket := e.bucket(storage.VersioningUnset)
	src, content := e.multipart(bucket, "source", 70000, 3, 5<<20)
	parts, err := e.Parts(e.ctx, storage.Ref{Bucket: bucket, Key: "source"})
	e.ok("Parts", err)
	for _, flatten := range []bool{false, true} {
		o, err := e.CopyObject(e.ctx, storage.CopyInput{Source: storage.Ref{Bucket: bucket, Key: "source"}, Bucket: bucket, Key: "copy", Flatten: flatten, Meta: e.fullMeta("m")})
		e.ok("CopyObject", err)
		want := wantObject(storage.PutInput{Key: "copy", Meta: e.fullMeta("m")}, nil, storage.NullVersion)
		want.Size, want.ETag, want.Checksum, want.Modified = src.Size, src.ETag, src.Checksum, o.Modified
		wantParts := []storage.Part(nil)
		if !flatten {
			want.PartCount, wantParts = 3, parts
		}
		e.sameObject("the copy", e.stat(bucket, "copy", ""), want)
		got, err := e.Parts(e.ctx, storage.Ref{Bucket: bucket, Key: "copy"})
		e.ok("Parts", err)
		if len(got) != len(wantParts) {
			e.Fatalf("flatten %t: the copy has %d parts", flatten, len(got))
		}
		for i := range got {
			got[i].Modified = wantParts[i].Modified // a copy may stamp its parts anew
			e.equal("part", got[i], wantParts[i])
		}
		e.equal("content", e.get(bucket, "copy", "") == string(content), true)
	}
}

func copyOutlives(e *env) {
	for _, size := range []int{10, 1 << 20} {
		bucket := e.bucket(storage.VersioningUnset)
		content := string(noise(7, size))
		e.put(bucket, "a", content)
		chain := []string{"a", "b", "c", "d"}
		for i := range chain[1:] {
			_, err := e.CopyObject(e.ctx, storage.CopyInput{Source: storage.Ref{Bucket: bucket, Key: chain[i]}, Bucket: bucket, Key: chain[i+1]})
			e.ok("CopyObject", err)
		}
		for i, key := range []string{"a", "c", "d"} {
			e.del(bucket, key, "")
			e.equal("content of the copy left", e.get(bucket, "b", ""), content)
			e.usage(bucket, storage.Usage{Objects: int64(3 - i), Versions: int64(3 - i), Bytes: int64((3 - i) * size)})
		}
		e.put(bucket, "b", "overwritten")
		e.equal("content", e.get(bucket, "b", ""), "overwritten")
	}
}

// copyPartInput describes a CopyPart whose digest is that of the bytes copied.
func copyPartInput(u storage.UploadRef, number int, src storage.Ref, off, n int64) storage.CopyPartInput {
	sum := newBody(nil)
	return storage.CopyPartInput{Upload: u, Number: number, Source: src, Off: off, Length: n, Sum: sum, Digest: sum.digest}
}

func copyParts(e *env) {
	bucket := e.bucket(storage.VersioningUnset)
	const size = 1<<20 + 77
	content := noise(9, size)
	_, err := e.PutObject(e.ctx, putInput(bucket, "whole", content))
	e.ok("PutObject", err)
	_, joined := e.multipart(bucket, "joined", 70000, 1000, 1<<20)
	for key, content := range map[string][]byte{"whole": content, "joined": joined} {
		n := int64(len(content))
		u := e.upload(bucket, "copy")
		var parts []storage.Part
		var want []byte
		for i, r := range [][2]int64{{0, n}, {0, 1}, {n - 1, 1}, {69999, 2}, {65535, 70000}, {4096, 4096}, {1, n - 2}, {70000, 1000}, {0, 0}} {
			p, err := e.CopyPart(e.ctx, copyPartInput(u.UploadRef, i+1, storage.Ref{Bucket: bucket, Key: key}, r[0], r[1]))
			e.ok("CopyPart", err)
			chunk := content[r[0] : r[0]+r[1]]
			d := digestOf(chunk)
			e.equal("part", *p, storage.Part{Number: i + 1, Size: r[1], ETag: d.ETag, Checksum: d.Checksum, Modified: p.Modified})
			parts = append(parts, *p)
			want = append(want, chunk...)
		}
		e.del(bucket, key, "") // the parts must outlive their source
		_, err := e.CompleteUpload(e.ctx, completeInput(u.UploadRef, parts...))
		e.ok("CompleteUpload", err)
		e.equal("content made of ranges of "+key, e.get(bucket, "copy", "") == string(want), true)
	}
}

func copyPartsRefused(e *env) {
	bucket := e.bucket(storage.VersioningUnset)
	o := e.put(bucket, "k", strings.Repeat("x", 100))
	u := e.upload(bucket, "copy")
	e.part(u, 1, "kept")
	src := storage.Ref{Bucket: bucket, Key: "k"}
	in := copyPartInput(u.UploadRef, 1, src, 0, 100)
	in.SourceETag = "other"
	_, err := e.CopyPart(e.ctx, in)
	e.is("CopyPart of a changed source", err, storage.ErrPrecondition)
	for _, r := range [][2]int64{{0, 101}, {100, 1}, {101, 0}, {1 << 40, 1}} {
		if _, err := e.CopyPart(e.ctx, copyPartInput(u.UploadRef, 1, src, r[0], r[1])); err == nil {
			e.Errorf("CopyPart of %d bytes at %d of 100 succeeds", r[1], r[0])
		}
	}
	in = copyPartInput(storage.UploadRef{Bucket: bucket, Key: "k", ID: u.ID}, 1, src, 0, 1)
	_, err = e.CopyPart(e.ctx, in)
	e.is("CopyPart to another key's upload", err, storage.ErrNoSuchUpload)
	in = copyPartInput(u.UploadRef, 2, src, 10, 20)
	in.SourceETag = o.ETag
	p, err := e.CopyPart(e.ctx, in)
	e.ok("CopyPart", err)
	e.equal("ETag of the part", p.ETag, digestOf(bytes.Repeat([]byte("x"), 20)).ETag)
	e.equal("parts", e.partNumbers(u.UploadRef), []int{1, 2})
	parts, _, err := e.ListParts(e.ctx, u.UploadRef, 0, 10)
	e.ok("ListParts", err)
	e.equal("ETag of the part that refused copies were to replace", parts[0].ETag, digestOf([]byte("kept")).ETag)
}
