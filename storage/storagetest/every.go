package storagetest

import (
	"github.com/objsrv/objsrv/storage"
)

// everyCall makes every call that names a bucket, on the bucket given and with the
// key "k" (copies read theirs from the bucket src), and returns the errors by call.
// Those about an existing upload, which name one that isn't there, are marked.
func (e *env) everyCall(bucket, src string) map[string]error {
	ref := storage.Ref{Bucket: bucket, Key: "k"}
	up := storage.UploadRef{Bucket: bucket, Key: "k", ID: "none"}
	errs := map[string]error{
		"DeleteBucket":        e.DeleteBucket(e.ctx, bucket),
		"UpdateBucket":        e.UpdateBucket(e.ctx, bucket, func(*storage.Bucket) error { return nil }),
		"upload: AbortUpload": e.AbortUpload(e.ctx, storage.AbortInput{Upload: up}),
	}
	_, errs["Bucket"] = e.Bucket(e.ctx, bucket)
	_, errs["Usage"] = e.Usage(e.ctx, bucket)
	_, errs["PutObject"] = e.PutObject(e.ctx, putInput(bucket, "k", []byte("x")))
	_, _, errs["GetObject"] = e.GetObject(e.ctx, ref)
	_, errs["StatObject"] = e.StatObject(e.ctx, ref)
	_, errs["StatObject of a version"] = e.StatObject(e.ctx, storage.Ref{Bucket: bucket, Key: "k", Version: storage.NullVersion})
	_, errs["Parts"] = e.Parts(e.ctx, ref)
	_, errs["DeleteObjects"] = e.DeleteObjects(e.ctx, bucket, []storage.DeleteInput{{Key: "k"}})
	_, errs["CopyObject from"] = e.CopyObject(e.ctx, storage.CopyInput{Source: ref, Bucket: src, Key: "copy"})
	_, errs["CopyObject to"] = e.CopyObject(e.ctx, storage.CopyInput{Source: storage.Ref{Bucket: src, Key: "k"}, Bucket: bucket, Key: "copy"})
	_, _, errs["RenameObject"] = e.RenameObject(e.ctx, storage.RenameInput{Bucket: bucket, Source: "k", Key: "renamed"})
	_, errs["AppendObject"] = e.AppendObject(e.ctx, appendInput(bucket, "k", 0, []byte("x")))
	_, errs["SetTags"] = e.SetTags(e.ctx, ref, nil)
	_, errs["SetProps"] = e.SetProps(e.ctx, ref, noProps)
	_, errs["ListObjects"] = e.ListObjects(e.ctx, storage.ListInput{Bucket: bucket, Limit: 1})
	_, errs["ListVersions"] = e.ListVersions(e.ctx, storage.ListInput{Bucket: bucket, Limit: 1})
	_, errs["ListUploads"] = e.ListUploads(e.ctx, storage.ListInput{Bucket: bucket, Limit: 1})
	_, errs["CreateUpload"] = e.CreateUpload(e.ctx, storage.UploadInput{Bucket: bucket, Key: "k"})
	_, errs["upload: Upload"] = e.Upload(e.ctx, up)
	_, errs["upload: PutPart"] = e.PutPart(e.ctx, partInput(up, 1, []byte("x")))
	_, errs["upload: CopyPart"] = e.CopyPart(e.ctx, copyPartInput(up, 1, storage.Ref{Bucket: src, Key: "k"}, 0, 1))
	_, _, errs["upload: ListParts"] = e.ListParts(e.ctx, up, 0, 1)
	_, errs["upload: CompleteUpload"] = e.CompleteUpload(e.ctx, completeInput(up, storage.Part{Number: 1, ETag: "x"}))
	return errs
}

// noProps is a change of SetProps that removes all.
func noProps(*storage.Object) (map[string]string, error) { return nil, nil }
