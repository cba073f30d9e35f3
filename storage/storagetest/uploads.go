package storagetest

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/objsrv/objsrv/storage"
)

var uploadCases = []testCase{
	{"uploads/create", uploadCreate},
	{"uploads/parts", uploadParts},
	{"uploads/list-parts", uploadListParts},
	{"uploads/wrong-ref", uploadWrongRef},
	{"uploads/abort", uploadAbort},
	{"uploads/list", uploadList},
	{"uploads/apart", uploadsApart},
}

// upload begins an upload and ends the case when that fails.
func (e *env) upload(bucket, key string) *storage.Upload {
	e.Helper()
	u, err := e.CreateUpload(e.ctx, storage.UploadInput{Bucket: bucket, Key: key})
	e.ok("CreateUpload", err)
	return u
}

// partInput describes the upload of a part.
func partInput(u storage.UploadRef, number int, content []byte) storage.PartInput {
	b := newBody(bytes.NewReader(content))
	return storage.PartInput{Upload: u, Number: number, Body: b, Size: int64(len(content)), Digest: b.digest}
}

// part stores a part and ends the case when that fails.
func (e *env) part(u *storage.Upload, number int, content string) *storage.Part {
	e.Helper()
	p, err := e.PutPart(e.ctx, partInput(u.UploadRef, number, []byte(content)))
	e.ok("PutPart", err)
	return p
}

// partNumbers lists the parts of an upload.
func (e *env) partNumbers(u storage.UploadRef) []int {
	e.Helper()
	parts, more, err := e.ListParts(e.ctx, u, 0, 10001)
	e.ok("ListParts", err)
	if more {
		e.Errorf("ListParts with a limit of 10001 is not complete")
	}
	var out []int
	for _, p := range parts {
		out = append(out, p.Number)
	}
	return out
}

// completeInput describes a CompleteUpload; the object's ETag is made of the parts'.
func completeInput(u storage.UploadRef, parts ...storage.Part) storage.CompleteInput {
	in := storage.CompleteInput{Upload: u, Digest: joinDigest}
	for _, p := range parts {
		in.Parts = append(in.Parts, storage.CompletePart{Number: p.Number, ETag: p.ETag})
	}
	return in
}

// joinDigest makes the digest of an object from those of its parts, as S3 does.
func joinDigest(_ *storage.Upload, parts []storage.Part) (storage.Digest, error) {
	var all strings.Builder
	for _, p := range parts {
		fmt.Fprint(&all, p.Number, p.ETag)
	}
	d := digestOf([]byte(all.String()))
	d.ETag = fmt.Sprintf("%s-%d", d.ETag, len(parts))
	d.Checksum.Type = "COMPOSITE"
	return d, nil
}

// multipart makes an object of parts with the sizes and returns it with its content.
func (e *env) multipart(bucket, key string, sizes ...int) (*storage.Object, []byte) {
	e.Helper()
	u := e.upload(bucket, key)
	var parts []storage.Part
	var content []byte
	for i, n := range sizes {
		chunk := noise(uint64(n+i), n)
		content = append(content, chunk...)
		parts = append(parts, *e.part(u, i+1, string(chunk)))
	}
	o, err := e.CompleteUpload(e.ctx, completeInput(u.UploadRef, parts...))
	e.ok("CompleteUpload", err)
	return o, content
}

// sameUpload compares two descriptions of an upload.
func (e *env) sameUpload(what string, got, want *storage.Upload) {
	e.Helper()
	e.equal(what, describeUpload(got), describeUpload(want))
}

// describeUpload prints everything of an upload; maps print in order.
func describeUpload(u *storage.Upload) string {
	return fmt.Sprintf("%q meta %q initiator %q begun %s checksum %q %q",
		u.UploadRef, fmt.Sprint(u.Meta.Owner, u.Meta.Class, u.Meta.Attrs, u.Meta.Tags, u.Meta.Props), u.Initiator,
		u.Begun.UTC().Format(time.RFC3339Nano), u.ChecksumAlgorithm, u.ChecksumType)
}

func uploadCreate(e *env) {
	bucket := e.bucket(storage.VersioningUnset)
	in := storage.UploadInput{
		Bucket: bucket, Key: "k/ü\x00", Meta: e.fullMeta("u"), Initiator: "initiator",
		ChecksumAlgorithm: "CRC32C", ChecksumType: "COMPOSITE",
	}
	u, err := e.CreateUpload(e.ctx, in)
	e.ok("CreateUpload", err)
	want := &storage.Upload{
		UploadRef: storage.UploadRef{Bucket: bucket, Key: in.Key, ID: u.ID}, Meta: e.fullMeta("u"), Initiator: "initiator",
		Begun: u.Begun, ChecksumAlgorithm: "CRC32C", ChecksumType: "COMPOSITE",
	}
	if u.ID == "" || time.Since(u.Begun).Abs() > time.Minute {
		e.Errorf("upload id %q, begun %v", u.ID, u.Begun)
	}
	e.sameUpload("CreateUpload's answer", u, want)
	in.Meta.Props["lock"], in.Meta.Tags[0].Value = "changed by the caller", "changed by the caller"
	for range 2 {
		u, err = e.Upload(e.ctx, want.UploadRef)
		e.ok("Upload", err)
		e.sameUpload("Upload", u, want)
		u.Meta.Props["lock"], u.Meta.Attrs[0].Value = "changed by the caller", "changed by the caller"
	}
	page, err := e.ListUploads(e.ctx, storage.ListInput{Bucket: bucket, Limit: 5})
	e.ok("ListUploads", err)
	if len(page.Uploads) != 1 {
		e.Fatalf("%d uploads listed", len(page.Uploads))
	}
	want.Meta = storage.Meta{Owner: want.Meta.Owner, Class: want.Meta.Class}
	got := page.Uploads[0]
	got.Meta.Attrs, got.Meta.Tags, got.Meta.Props = nil, nil, nil
	e.sameUpload("listed upload", &got, want)
	e.absent(bucket, in.Key, "")
	e.usage(bucket, storage.Usage{})
}

func uploadParts(e *env) {
	bucket := e.bucket(storage.VersioningUnset)
	for _, size := range e.sizes() {
		u := e.upload(bucket, "k")
		content := noise(uint64(size)+1, int(size))
		in := partInput(u.UploadRef, 10000, content)
		if size%2 == 1 {
			in.Size = -1
		}
		p, err := e.PutPart(e.ctx, in)
		e.ok("PutPart", err)
		d := digestOf(content)
		want := storage.Part{Number: 10000, Size: size, ETag: d.ETag, Checksum: d.Checksum, Modified: p.Modified}
		e.equal("PutPart's answer", *p, want)
		if time.Since(p.Modified).Abs() > time.Minute {
			e.Errorf("part modified %v", p.Modified)
		}
		parts, more, err := e.ListParts(e.ctx, u.UploadRef, 0, 2)
		e.ok("ListParts", err)
		if len(parts) != 1 || more {
			e.Fatalf("%d parts, more %t", len(parts), more)
		}
		if !parts[0].Modified.Equal(want.Modified) {
			e.Errorf("part modified %v, then %v", want.Modified, parts[0].Modified)
		}
		parts[0].Modified = want.Modified
		e.equal("listed part", parts[0], want)

		// Replaced by one of another size, and back.
		e.part(u, 10000, "other")
		e.part(u, 10000, string(content))
		e.part(u, 1, "head")
		o, err := e.CompleteUpload(e.ctx, completeInput(u.UploadRef, storage.Part{Number: 1, ETag: digestOf([]byte("head")).ETag}, want))
		e.ok("CompleteUpload", err)
		e.equal("size", o.Size, size+4)
		e.equal("content of parts", e.get(bucket, "k", "") == "head"+string(content), true)
		e.usage(bucket, storage.Usage{Objects: 1, Versions: 1, Bytes: size + 4})
	}
}

func uploadListParts(e *env) {
	bucket := e.bucket(storage.VersioningUnset)
	u := e.upload(bucket, "k")
	e.equal("parts of a new upload", e.partNumbers(u.UploadRef), []int(nil))
	numbers := []int{1, 2, 3, 9, 10, 11, 99, 100, 255, 256, 257, 9999, 10000}
	for i := range numbers {
		n := numbers[i*5%len(numbers)]
		e.part(u, n, fmt.Sprint("part ", n))
	}
	for limit := 1; limit <= len(numbers)+1; limit++ {
		var got []int
		for after := 0; ; after = got[len(got)-1] {
			parts, more, err := e.ListParts(e.ctx, u.UploadRef, after, limit)
			e.ok("ListParts", err)
			for _, p := range parts {
				got = append(got, p.Number)
				e.equal("ETag", p.ETag, digestOf(fmt.Append(nil, "part ", p.Number)).ETag)
			}
			if more != (len(got) < len(numbers)) || len(parts) > limit || more && len(parts) != limit {
				e.Fatalf("limit %d after %d: %d parts, more %t", limit, after, len(parts), more)
			}
			if !more {
				break
			}
		}
		e.equal(fmt.Sprintf("parts in pages of %d", limit), got, numbers)
	}
	for after, want := range map[int]int{4: 9, 256: 257, 9999: 10000} {
		parts, _, err := e.ListParts(e.ctx, u.UploadRef, after, 1)
		e.ok("ListParts", err)
		if len(parts) != 1 || parts[0].Number != want {
			e.Errorf("the first part after %d: %v", after, parts)
		}
	}
	parts, more, err := e.ListParts(e.ctx, u.UploadRef, 10000, 1)
	if len(parts) != 0 || more || err != nil {
		e.Errorf("after the last part: %v, more %t, error %v", parts, more, err)
	}
}

func uploadWrongRef(e *env) {
	bucket, other := e.bucket(storage.VersioningUnset), e.bucket(storage.VersioningUnset)
	e.put(bucket, "src", "source")
	u := e.upload(bucket, "k")
	e.part(u, 1, "x")
	for _, ref := range []storage.UploadRef{
		{Bucket: other, Key: "k", ID: u.ID}, {Bucket: bucket, Key: "k2", ID: u.ID}, {Bucket: bucket, Key: "k\x00", ID: u.ID}, {Bucket: bucket, Key: "", ID: u.ID},
		{Bucket: bucket, Key: "k", ID: ""}, {Bucket: bucket, Key: "k", ID: u.ID + "0"}, {Bucket: bucket, Key: "k", ID: u.ID[:len(u.ID)-1]},
		{Bucket: bucket, Key: "k", ID: "../../x"}, {Bucket: bucket, Key: "k", ID: "\x00"}, {Bucket: bucket, Key: "k", ID: strings.Repeat("f", 5000)},
	} {
		e.uploadIsGone(fmt.Sprintf("%.60q", ref), ref, bucket)
	}
	e.equal("parts", e.partNumbers(u.UploadRef), []int{1})
}

// uploadIsGone checks that every call about an upload fails; src has the key "src".
func (e *env) uploadIsGone(what string, ref storage.UploadRef, src string) {
	e.Helper()
	_, err := e.Upload(e.ctx, ref)
	e.is(what+": Upload", err, storage.ErrNoSuchUpload)
	_, err = e.PutPart(e.ctx, partInput(ref, 2, []byte("x")))
	e.is(what+": PutPart", err, storage.ErrNoSuchUpload)
	_, err = e.CopyPart(e.ctx, copyPartInput(ref, 2, storage.Ref{Bucket: src, Key: "src"}, 0, 1))
	e.is(what+": CopyPart", err, storage.ErrNoSuchUpload)
	_, _, err = e.ListParts(e.ctx, ref, 0, 10)
	e.is(what+": ListParts", err, storage.ErrNoSuchUpload)
	_, err = e.CompleteUpload(e.ctx, completeInput(ref, storage.Part{Number: 1, ETag: digestOf([]byte("x")).ETag}))
	e.is(what+": CompleteUpload", err, storage.ErrNoSuchUpload)
	e.is(what+": AbortUpload", e.AbortUpload(e.ctx, storage.AbortInput{Upload: ref}), storage.ErrNoSuchUpload)
}

func uploadAbort(e *env) {
	bucket := e.bucket(storage.VersioningUnset)
	e.put(bucket, "src", "source")
	for _, size := range []int{0, 10, 1 << 20} {
		u := e.upload(bucket, "k")
		e.part(u, 1, string(noise(1, size)))
		in := storage.AbortInput{Upload: u.UploadRef, IfBegun: u.Begun.Truncate(time.Second).Add(-time.Second)}
		e.is("AbortUpload of one begun later", e.AbortUpload(e.ctx, in), storage.ErrPrecondition)
		in.IfBegun = u.Begun.Truncate(time.Second).Add(time.Second)
		e.is("AbortUpload of one begun earlier", e.AbortUpload(e.ctx, in), storage.ErrPrecondition)
		e.equal("parts", e.partNumbers(u.UploadRef), []int{1})
		in.IfBegun = u.Begun.Truncate(time.Second)
		e.is("AbortUpload", e.AbortUpload(e.ctx, in), nil)
		e.uploadIsGone("aborted upload", u.UploadRef, bucket)
		in.IfBegun = in.IfBegun.Add(time.Hour)
		e.is("AbortUpload of one that is gone", e.AbortUpload(e.ctx, in), storage.ErrNoSuchUpload)
		e.absent(bucket, "k", "")
	}
	e.usage(bucket, storage.Usage{Objects: 1, Versions: 1, Bytes: 6})
}

func uploadList(e *env) {
	bucket := e.bucket(storage.VersioningUnset)
	var want []string
	for _, key := range []string{"a", "a/b", "a/c", "b"} {
		for range 3 {
			want = append(want, key+" "+e.upload(bucket, key).ID)
		}
	}
	list := e.uploadLister()
	all := storage.ListInput{Bucket: bucket, Limit: 100}
	e.equal("uploads, by key and then by time", e.pages(list, all), want)
	key, id, _ := strings.Cut(want[4], " ")
	e.ok("AbortUpload", e.AbortUpload(e.ctx, storage.AbortInput{Upload: storage.UploadRef{Bucket: bucket, Key: key, ID: id}}))
	want = append(want[:4:4], want[5:]...)
	e.equal("after an abort", e.pages(list, all), want)
	key, id, _ = strings.Cut(want[0], " ")
	ref := storage.UploadRef{Bucket: bucket, Key: key, ID: id}
	p, err := e.PutPart(e.ctx, partInput(ref, 1, nil))
	e.ok("PutPart", err)
	_, err = e.CompleteUpload(e.ctx, completeInput(ref, *p))
	e.ok("CompleteUpload", err)
	e.equal("after a completion", e.pages(list, all), want[1:])
	in := storage.ListInput{Bucket: bucket, Delimiter: "/", Limit: 100}
	e.equal("with a delimiter", len(e.pages(list, in)), 2+1+3)
}

// uploadsApart runs several uploads of one key at a time.
func uploadsApart(e *env) {
	bucket := e.bucket(storage.VersioningEnabled)
	var ups []*storage.Upload
	for i := range 5 {
		ups = append(ups, e.upload(bucket, "k"))
		for n := 1; n <= 3; n++ {
			e.part(ups[i], n, fmt.Sprintf("upload %d part %d;", i, n))
		}
	}
	e.put(bucket, "k", "put whole")
	e.ok("AbortUpload", e.AbortUpload(e.ctx, storage.AbortInput{Upload: ups[1].UploadRef}))
	for i, u := range ups {
		if i == 1 {
			continue
		}
		parts, _, err := e.ListParts(e.ctx, u.UploadRef, 0, 10)
		e.ok("ListParts", err)
		o, err := e.CompleteUpload(e.ctx, completeInput(u.UploadRef, parts[0], parts[2]))
		e.ok("CompleteUpload", err)
		want := fmt.Sprintf("upload %d part 1;upload %d part 3;", i, i)
		e.equal("content", e.get(bucket, "k", ""), want)
		e.equal("content of the version", e.get(bucket, "k", o.VersionID), want)
	}
	e.equal("versions", len(e.versions(bucket)), 5)
}
