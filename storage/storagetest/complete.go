package storagetest

import (
	"errors"
	"fmt"

	"github.com/objsrv/objsrv/storage"
)

var completeCases = []testCase{
	{"complete/object", completeObject},
	{"complete/part-errors", completePartErrors},
	{"complete/digest-error", completeDigestError},
	{"complete/again", completeAgain},
	{"complete/versions", completeVersions},
	{"complete/many-parts", completeManyParts},
}

func completeObject(e *env) {
	bucket := e.bucket(storage.VersioningUnset)
	for _, sizes := range [][]int{{0}, {5}, {100, 200, 300}, {70000, 1}, {1 << 20, 1 << 20, 77}, {0, 0, 3}, {1, 65536, 65535, 5 << 20}} {
		u, err := e.CreateUpload(e.ctx, storage.UploadInput{Bucket: bucket, Key: "k", Meta: e.fullMeta("u"), Initiator: "i", ChecksumAlgorithm: "CRC32"})
		e.ok("CreateUpload", err)
		var parts []storage.Part
		var content []byte
		for i := len(sizes) - 1; i >= 0; i-- { // sent last one first
			chunk := noise(uint64(i), sizes[i])
			content = append(chunk, content...)
			parts = append([]storage.Part{*e.part(u, 3*i+2, string(chunk))}, parts...)
		}
		e.part(u, 1, "a part that is not named")
		in := completeInput(u.UploadRef, parts...)
		for i := range in.Parts {
			in.Parts[i].Checksum = parts[i].Checksum.Value
		}
		in.Digest = func(got *storage.Upload, chosen []storage.Part) (storage.Digest, error) {
			e.sameUpload("Digest's upload", got, u)
			e.equal("Digest's parts", len(chosen), len(parts))
			for i := range chosen {
				e.equal("Digest's part", [3]any{chosen[i].Number, chosen[i].ETag, chosen[i].Checksum}, [3]any{parts[i].Number, parts[i].ETag, parts[i].Checksum})
			}
			return joinDigest(got, chosen)
		}
		o, err := e.CompleteUpload(e.ctx, in)
		e.ok("CompleteUpload", err)
		want := wantObject(storage.PutInput{Key: "k", Meta: e.fullMeta("u")}, nil, storage.NullVersion)
		d, _ := joinDigest(u, parts)
		want.Size, want.ETag, want.Checksum = int64(len(content)), d.ETag, d.Checksum
		want.PartCount, want.UploadID, want.Modified = len(sizes), u.ID, o.Modified
		e.sameObject("CompleteUpload's answer", o, want)
		e.sameObject("completed object", e.stat(bucket, "k", ""), want)
		e.equal("content", e.get(bucket, "k", "") == string(content), true)
		got, err := e.Parts(e.ctx, storage.Ref{Bucket: bucket, Key: "k"})
		e.ok("Parts", err)
		e.equal("parts of the object", len(got), len(parts))
		for i := range got {
			got[i].Modified = parts[i].Modified
			e.equal("part of the object", got[i], parts[i])
		}
		page, err := e.ListObjects(e.ctx, storage.ListInput{Bucket: bucket, Limit: 1})
		e.ok("ListObjects", err)
		e.equal("listed object", listed(&page.Objects[0]), listed(want))
		e.usage(bucket, storage.Usage{Objects: 1, Versions: 1, Bytes: int64(len(content))})
	}
	ups, err := e.ListUploads(e.ctx, storage.ListInput{Bucket: bucket, Limit: 1})
	e.ok("ListUploads", err)
	e.equal("uploads left", len(ups.Uploads), 0)
}

func completePartErrors(e *env) {
	bucket := e.bucket(storage.VersioningUnset)
	u := e.upload(bucket, "k")
	var p [5]storage.Part
	for i, content := range []string{"", "first", "second is longer", "third", "x"} {
		if i > 0 {
			p[i] = *e.part(u, i, content)
		}
	}
	replaced := p[3]
	p[3] = *e.part(u, 3, "third again")
	changed := func(p storage.Part, number int, etag string) storage.Part {
		p.Number, p.ETag = number, etag
		return p
	}
	for _, c := range []struct {
		what  string
		parts []storage.Part
		min   int64
		want  error
	}{
		{"no parts", nil, 0, storage.ErrInvalidPart},
		{"a part that is missing", []storage.Part{p[1], changed(p[2], 5, p[2].ETag)}, 0, storage.ErrInvalidPart},
		{"a wrong ETag", []storage.Part{p[1], changed(p[2], 2, p[1].ETag)}, 0, storage.ErrInvalidPart},
		{"no ETag", []storage.Part{changed(p[1], 1, "")}, 0, storage.ErrInvalidPart},
		{"a part that was replaced", []storage.Part{p[1], replaced}, 0, storage.ErrInvalidPart},
		{"descending numbers", []storage.Part{p[2], p[1]}, 0, storage.ErrPartOrder},
		{"a number twice", []storage.Part{p[1], p[1]}, 0, storage.ErrPartOrder},
		{"order before missing", []storage.Part{changed(p[1], 9, "x"), p[2], p[1]}, 0, storage.ErrPartOrder},
		{"too small", []storage.Part{p[1], p[2]}, 6, storage.ErrPartTooSmall},
		{"missing before too small", []storage.Part{p[1], changed(p[2], 9, "x")}, 6, storage.ErrInvalidPart},
		{"too small in the middle", []storage.Part{p[2], p[3], p[4]}, 12, storage.ErrPartTooSmall},
	} {
		in := completeInput(u.UploadRef, c.parts...)
		in.MinPartSize = c.min
		in.Digest = func(*storage.Upload, []storage.Part) (storage.Digest, error) {
			e.Errorf("%s: Digest was called", c.what)
			return storage.Digest{}, nil
		}
		_, err := e.CompleteUpload(e.ctx, in)
		e.is("CompleteUpload with "+c.what, err, c.want)
	}
	in := completeInput(u.UploadRef, p[1], p[2])
	in.Parts[1].Checksum = digestOf([]byte("something else")).Checksum.Value
	_, err := e.CompleteUpload(e.ctx, in)
	e.is("CompleteUpload with another checksum", err, storage.ErrInvalidPart)
	e.absent(bucket, "k", "")
	e.equal("parts after refusals", e.partNumbers(u.UploadRef), []int{1, 2, 3, 4})

	in = completeInput(u.UploadRef, p[2], p[3], p[4])
	in.MinPartSize = 11 // exactly the third's; the last may be smaller
	_, err = e.CompleteUpload(e.ctx, in)
	e.is("CompleteUpload", err, nil)
	e.equal("content", e.get(bucket, "k", ""), "second is longerthird againx")
}

func completeDigestError(e *env) {
	bucket := e.bucket(storage.VersioningUnset)
	e.put(bucket, "k", "old")
	u := e.upload(bucket, "k")
	in := completeInput(u.UploadRef, *e.part(u, 1, "new"))
	refused := errors.New("refused")
	digest := in.Digest
	in.Digest = func(*storage.Upload, []storage.Part) (storage.Digest, error) { return storage.Digest{}, refused }
	_, err := e.CompleteUpload(e.ctx, in)
	if err != refused {
		e.Errorf("the error of Digest came back as %v", err)
	}
	e.equal("content", e.get(bucket, "k", ""), "old")
	e.equal("parts", e.partNumbers(u.UploadRef), []int{1})
	in.Digest = digest
	_, err = e.CompleteUpload(e.ctx, in)
	e.is("CompleteUpload after it", err, nil)
	e.equal("content", e.get(bucket, "k", ""), "new")
}

func completeAgain(e *env) {
	for _, v := range []storage.Versioning{storage.VersioningUnset, storage.VersioningEnabled, storage.VersioningSuspended} {
		bucket := e.bucket(v)
		e.put(bucket, "src", "source")
		u := e.upload(bucket, "k")
		in := completeInput(u.UploadRef, *e.part(u, 1, "x"), *e.part(u, 2, "y"))
		in.If = storage.Conditions{IfNoneMatch: "*"}
		o, err := e.CompleteUpload(e.ctx, in)
		e.ok("CompleteUpload", err)
		e.repeatable(in, o)
		for what, ref := range map[string]storage.UploadRef{
			"another key": {Bucket: bucket, Key: "k2", ID: u.ID}, "another id": {Bucket: bucket, Key: "k", ID: u.ID + "1"}, "no id": {Bucket: bucket, Key: "k"},
		} {
			other := in
			other.Upload = ref
			_, err = e.CompleteUpload(e.ctx, other)
			e.is("repeated for "+what, err, storage.ErrNoSuchUpload)
		}
		_, err = e.Upload(e.ctx, u.UploadRef)
		e.is("Upload after completion", err, storage.ErrNoSuchUpload)
		_, err = e.PutPart(e.ctx, partInput(u.UploadRef, 1, []byte("late")))
		e.is("PutPart after completion", err, storage.ErrNoSuchUpload)
		e.is("AbortUpload after completion", e.AbortUpload(e.ctx, storage.AbortInput{Upload: u.UploadRef}), storage.ErrNoSuchUpload)
		_, err = e.CopyObject(e.ctx, storage.CopyInput{Source: storage.Ref{Bucket: bucket, Key: "k"}, Bucket: bucket, Key: "k2"})
		e.ok("CopyObject", err)
		if o := e.stat(bucket, "k2", ""); o.UploadID != "" {
			e.Errorf("a copy bears the upload %q", o.UploadID)
		}
		_, err = e.SetTags(e.ctx, storage.Ref{Bucket: bucket, Key: "k"}, []storage.Tag{{Key: "a", Value: "b"}})
		e.ok("SetTags", err)
		o.Tags = []storage.Tag{{Key: "a", Value: "b"}}
		e.repeatable(in, o)
		if v == storage.VersioningEnabled { // a newer version does not matter
			e.put(bucket, "k", "newer")
			o.Latest = false
			e.repeatable(in, o)
			e.del(bucket, "k", "")
			e.repeatable(in, o)
			e.del(bucket, "k", o.VersionID)
		} else {
			e.put(bucket, "k", "newer")
		}
		e.uploadIsGone("upload whose version is gone", u.UploadRef, bucket)
	}
}

// repeatable checks that a CompleteUpload that succeeded gives its object again.
func (e *env) repeatable(in storage.CompleteInput, want *storage.Object) {
	e.Helper()
	for range 2 {
		o, err := e.CompleteUpload(e.ctx, in)
		e.is("repeated CompleteUpload", err, nil)
		if err == nil {
			e.sameObject("repeated CompleteUpload", o, want)
		}
	}
}

func completeVersions(e *env) {
	bucket := e.bucket(storage.VersioningUnset)
	// The state at completion counts, not that at the beginning.
	u := e.upload(bucket, "k")
	e.put(bucket, "k", "null")
	e.versioning(bucket, storage.VersioningEnabled)
	o, err := e.CompleteUpload(e.ctx, completeInput(u.UploadRef, *e.part(u, 1, "upload")))
	e.ok("CompleteUpload", err)
	e.equal("versions", e.versions(bucket), []string{"k " + o.VersionID + "*", "k null"})
	u = e.upload(bucket, "k")
	e.versioning(bucket, storage.VersioningSuspended)
	in := completeInput(u.UploadRef, *e.part(u, 1, "upload 2"))
	e.del(bucket, "k", "")
	_, err = e.CompleteUpload(e.ctx, in)
	e.ok("CompleteUpload", err)
	e.equal("versions", e.versions(bucket), []string{"k null*", "k " + o.VersionID})
	e.equal("content", e.get(bucket, "k", "null"), "upload 2")
	e.usage(bucket, storage.Usage{Objects: 1, Versions: 2, Bytes: 14})
}

func completeManyParts(e *env) {
	bucket := e.bucket(storage.VersioningUnset)
	u := e.upload(bucket, "k")
	parts := make([]storage.Part, 1000)
	content := ""
	for i := range parts {
		content += fmt.Sprintf("part %d;", i)
	}
	e.inParallel(len(parts), func(i int) error {
		p, err := e.PutPart(e.ctx, partInput(u.UploadRef, 10*(i+1), fmt.Appendf(nil, "part %d;", i)))
		if err == nil {
			parts[i] = *p
		}
		return err
	})
	_, err := e.CompleteUpload(e.ctx, completeInput(u.UploadRef, parts...))
	e.ok("CompleteUpload", err)
	e.equal("content", e.get(bucket, "k", "") == content, true)
	got, err := e.Parts(e.ctx, storage.Ref{Bucket: bucket, Key: "k"})
	e.ok("Parts", err)
	for i := range got {
		e.equal("number", got[i].Number, 10*(i+1))
	}
	e.equal("parts", len(got), len(parts))
}
