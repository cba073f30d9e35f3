package storagetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/objsrv/objsrv/storage"
	"github.com/objsrv/objsrv/storage/mem"
)

// recorder is a T that notes failures instead of failing.
type recorder struct {
	mu       sync.Mutex
	failures []string
}

func (r *recorder) Helper()             {}
func (r *recorder) Logf(string, ...any) {}

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

// record runs one case on a store and returns its failures.
func record(name string, wrap func(storage.Backend) storage.Backend) []string {
	i := slices.IndexFunc(allCases(), func(c testCase) bool { return c.name == name })
	if i < 0 {
		return nil
	}
	open := func() storage.Backend { return wrap(mem.New(mem.Options{})) }
	r := new(recorder)
	e := newEnv(r, open(), Options{})
	e.open = open
	done := make(chan struct{})
	go func() {
		defer close(done)
		allCases()[i].run(e)
	}()
	<-done
	return r.failures
}

// wrong are backends that are wrong in one way each, and a case that must notice.
var wrong = []struct {
	what     string
	wrap     func(storage.Backend) storage.Backend
	noticing []string
}{
	{"ignores conditions of puts", func(b storage.Backend) storage.Backend { return noConditions{b} }, []string{"conditions/put", "races/one-creator", "races/one-changer"}},
	{"checks conditions before it stores", func(b storage.Backend) storage.Backend { return racyConditions{b} }, []string{"races/one-creator", "races/one-changer"}},
	{"ignores conditions of copies", func(b storage.Backend) storage.Backend { return noCopyConditions{b} }, []string{"conditions/copy", "copies/source-etag"}},
	{"renames in two steps", func(b storage.Backend) storage.Backend { return twoSteps{b} }, []string{"renames/plain", "renames/check", "renames/races"}},
	{"appends wherever the end is", func(b storage.Backend) storage.Backend { return anyOffset{b} }, []string{"appends/refused", "appends/coded"}},
	{"lists backwards", func(b storage.Backend) storage.Backend { return backwards{b} }, []string{"lists/rules", "lists/every-parameter", "keys/weird", "paging/every-size"}},
	{"says that there is more on a full last page", func(b storage.Backend) storage.Backend { return alwaysMore{b} }, []string{"lists/rules", "lists/markers"}},
	{"repeats a common prefix on the next page", func(b storage.Backend) storage.Backend { return repeatsPrefix{b} }, []string{"lists/rules", "lists/every-parameter", "paging/every-size"}},
	{"skips a key whose version is gone", func(b storage.Backend) storage.Backend { return skipsGone{b} }, []string{"paging/version-gone", "paging/emptying"}},
	{"makes no marker for a missing key", func(b storage.Backend) storage.Backend { return noMarkers{Backend: b} }, []string{"versions/programs", "usage/every-step"}},
	{"makes no second marker", func(b storage.Backend) storage.Backend { return noMarkers{b, true} }, []string{"versions/programs", "usage/every-step"}},
	{"stores what came of a failing body", func(b storage.Backend) storage.Backend { return partialBodies{b} }, []string{"bodies/failing"}},
	{"ignores the length told", func(b storage.Backend) storage.Backend { return noLength{b} }, []string{"bodies/length"}},
	{"takes the digest too early", func(b storage.Backend) storage.Backend { return earlyDigest{b} }, []string{"bodies/readers"}},
	{"acknowledges before it stores", func(b storage.Backend) storage.Backend { return earlyAck{b} }, []string{"objects/overwrite", "races/counters"}},
	{"cleans keys", func(b storage.Backend) storage.Backend { return cleansKeys{b} }, []string{"keys/weird"}},
	{"stops a batch at the first failure", func(b storage.Backend) storage.Backend { return stopsBatch{b} }, []string{"objects/delete-batch"}},
	{"does not ask the guard", func(b storage.Backend) storage.Backend { return noGuard{b} }, []string{"objects/delete-guard"}},
	{"gives out what it keeps", func(b storage.Backend) storage.Backend { return &shares{Backend: b} }, []string{"objects/private-copies"}},
	{"mistakes absence for damage", func(b storage.Backend) storage.Backend { return damaged{b} }, []string{"objects/missing"}},
	{"takes a named marker for absence", func(b storage.Backend) storage.Backend { return unnamed{b} }, []string{"versions/markers"}},
	{"ends a range early", func(b storage.Backend) storage.Backend { return shortRange{b} }, []string{"contents/ranges"}},
	{"reads content only when asked", func(b storage.Backend) storage.Backend { return lazyContent{b} }, []string{"contents/open-during-delete"}},
	{"forgets who completed", func(b storage.Backend) storage.Backend { return forgetful{b} }, []string{"complete/again"}},
	{"takes any part", func(b storage.Backend) storage.Backend { return anyPart{b} }, []string{"complete/part-errors"}},
	{"drops the metadata of uploads", func(b storage.Backend) storage.Backend { return bareUploads{b} }, []string{"uploads/create", "complete/object"}},
	{"aborts whatever it finds", func(b storage.Backend) storage.Backend { return anyAbort{b} }, []string{"uploads/abort"}},
	{"loses concurrent updates", func(b storage.Backend) storage.Backend { return lostUpdates{b} }, []string{"buckets/update-concurrent"}},
	{"acknowledges writes to a missing bucket", func(b storage.Backend) storage.Backend { return anyBucket{b} }, []string{"buckets/missing"}},
	{"counts only what was put", func(b storage.Backend) storage.Backend { return &counts{Backend: b, n: map[string]int64{}} }, []string{"usage/every-step", "races/counters"}},
	{"stays open", func(b storage.Backend) storage.Backend { return staysOpen{b} }, []string{"life/close"}},
}

func TestSuiteNoticesWrongBackends(t *testing.T) {
	for _, w := range wrong {
		t.Run(strings.ReplaceAll(w.what, " ", "-"), func(t *testing.T) {
			for _, name := range w.noticing {
				if got := record(name, w.wrap); len(got) == 0 {
					t.Errorf("a backend that %s passes %s", w.what, name)
				}
			}
		})
	}
}

// TestRecorder makes sure that a right backend has no failures recorded.
func TestRecorder(t *testing.T) {
	for _, name := range []string{"conditions/put", "keys/weird", "races/one-creator", "life/close"} {
		if got := record(name, func(b storage.Backend) storage.Backend { return b }); len(got) > 0 {
			t.Errorf("%s fails for the model: %s", name, got[0])
		}
	}
}

type noConditions struct{ storage.Backend }

func (b noConditions) PutObject(ctx context.Context, in storage.PutInput) (*storage.Object, error) {
	in.If = storage.Conditions{}
	return b.Backend.PutObject(ctx, in)
}

type racyConditions struct{ storage.Backend }

func (b racyConditions) PutObject(ctx context.Context, in storage.PutInput) (*storage.Object, error) {
	cur, _ := b.StatObject(ctx, storage.Ref{Bucket: in.Bucket, Key: in.Key})
	if err := in.If.Check(cur); err != nil {
		return nil, err
	}
	time.Sleep(time.Millisecond) // so that the gap is hit surely
	in.If = storage.Conditions{}
	return b.Backend.PutObject(ctx, in)
}

type anyOffset struct{ storage.Backend }

func (b anyOffset) AppendObject(ctx context.Context, in storage.AppendInput) (*storage.Object, error) {
	if o, err := b.StatObject(ctx, storage.Ref{Bucket: in.Bucket, Key: in.Key}); err == nil {
		in.Offset = o.Size
	}
	return b.Backend.AppendObject(ctx, in)
}

type twoSteps struct{ storage.Backend }

func (b twoSteps) RenameObject(ctx context.Context, in storage.RenameInput) (*storage.Object, storage.DeleteResult, error) {
	o, err := b.CopyObject(ctx, storage.CopyInput{Source: storage.Ref{Bucket: in.Bucket, Key: in.Source}, Bucket: in.Bucket, Key: in.Key})
	if err == nil {
		time.Sleep(time.Millisecond) // so that the gap is hit surely
		_, err = b.DeleteObjects(ctx, in.Bucket, []storage.DeleteInput{{Key: in.Source}})
	}
	return o, storage.DeleteResult{}, err
}

type noCopyConditions struct{ storage.Backend }

func (b noCopyConditions) CopyObject(ctx context.Context, in storage.CopyInput) (*storage.Object, error) {
	in.If, in.SourceETag = storage.Conditions{}, ""
	return b.Backend.CopyObject(ctx, in)
}

type backwards struct{ storage.Backend }

func (b backwards) ListObjects(ctx context.Context, in storage.ListInput) (*storage.ListPage, error) {
	p, err := b.Backend.ListObjects(ctx, in)
	if err == nil {
		slices.Reverse(p.Objects)
	}
	return p, err
}

type alwaysMore struct{ storage.Backend }

func (b alwaysMore) ListObjects(ctx context.Context, in storage.ListInput) (*storage.ListPage, error) {
	p, err := b.Backend.ListObjects(ctx, in)
	if err == nil && len(p.Objects)+len(p.Prefixes) == in.Limit && len(p.Objects) > 0 {
		p.Truncated, p.NextAfter = true, p.Objects[len(p.Objects)-1].Key
	}
	return p, err
}

type repeatsPrefix struct{ storage.Backend }

func (b repeatsPrefix) ListObjects(ctx context.Context, in storage.ListInput) (*storage.ListPage, error) {
	if in.Delimiter != "" && strings.HasSuffix(in.After, in.Delimiter) {
		in.After = strings.TrimSuffix(in.After, in.Delimiter)
	}
	return b.Backend.ListObjects(ctx, in)
}

type skipsGone struct{ storage.Backend }

func (b skipsGone) ListVersions(ctx context.Context, in storage.ListInput) (*storage.ListPage, error) {
	if in.AfterID != "" {
		_, err := b.StatObject(ctx, storage.Ref{Bucket: in.Bucket, Key: in.After, Version: in.AfterID})
		if errors.Is(err, storage.ErrNoSuchVersion) {
			in.AfterID = ""
		}
	}
	return b.Backend.ListVersions(ctx, in)
}

type noMarkers struct {
	storage.Backend
	first bool // the first one is made
}

func (b noMarkers) DeleteObjects(ctx context.Context, bucket string, in []storage.DeleteInput) ([]storage.DeleteResult, error) {
	_, err := b.StatObject(ctx, storage.Ref{Bucket: bucket, Key: in[0].Key})
	var m *storage.MarkerError
	if in[0].Version == "" && errors.Is(err, storage.ErrNoSuchKey) && errors.As(err, &m) == b.first {
		return make([]storage.DeleteResult, len(in)), nil
	}
	return b.Backend.DeleteObjects(ctx, bucket, in)
}

type partialBodies struct{ storage.Backend }

func (b partialBodies) PutObject(ctx context.Context, in storage.PutInput) (*storage.Object, error) {
	in.Body, in.Size = swallow{in.Body}, -1
	return b.Backend.PutObject(ctx, in)
}

type swallow struct{ io.Reader }

func (s swallow) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if err != nil {
		err = io.EOF
	}
	return n, err
}

type noLength struct{ storage.Backend }

func (b noLength) PutPart(ctx context.Context, in storage.PartInput) (*storage.Part, error) {
	in.Size = -1
	return b.Backend.PutPart(ctx, in)
}

type earlyDigest struct{ storage.Backend }

func (b earlyDigest) PutObject(ctx context.Context, in storage.PutInput) (*storage.Object, error) {
	d := in.Digest()
	in.Digest = func() storage.Digest { return d }
	return b.Backend.PutObject(ctx, in)
}

type earlyAck struct{ storage.Backend }

func (b earlyAck) PutObject(ctx context.Context, in storage.PutInput) (*storage.Object, error) {
	content, err := io.ReadAll(in.Body)
	if err != nil {
		return nil, err
	}
	d := in.Digest()
	in.Digest = func() storage.Digest { return d }
	in.Body = strings.NewReader(string(content))
	go func() {
		time.Sleep(5 * time.Millisecond)
		b.Backend.PutObject(context.Background(), in)
	}()
	return &storage.Object{Key: in.Key, VersionID: storage.NullVersion, Latest: true, Size: int64(len(content)), ETag: d.ETag, Modified: time.Now()}, nil
}

type cleansKeys struct{ storage.Backend }

func (b cleansKeys) PutObject(ctx context.Context, in storage.PutInput) (*storage.Object, error) {
	key := in.Key
	in.Key = path.Clean(key)
	o, err := b.Backend.PutObject(ctx, in)
	if err == nil {
		o.Key = key
	}
	return o, err
}

type stopsBatch struct{ storage.Backend }

func (b stopsBatch) DeleteObjects(ctx context.Context, bucket string, in []storage.DeleteInput) ([]storage.DeleteResult, error) {
	out := make([]storage.DeleteResult, len(in))
	for i := range in {
		res, err := b.Backend.DeleteObjects(ctx, bucket, in[i:i+1])
		if err != nil {
			return nil, err
		}
		out[i] = res[0]
		if res[0].Err != nil {
			break
		}
	}
	return out, nil
}

type noGuard struct{ storage.Backend }

func (b noGuard) DeleteObjects(ctx context.Context, bucket string, in []storage.DeleteInput) ([]storage.DeleteResult, error) {
	in = slices.Clone(in)
	for i := range in {
		in[i].Guard = nil
	}
	return b.Backend.DeleteObjects(ctx, bucket, in)
}

type shares struct {
	storage.Backend
	kept *storage.Object
}

func (b *shares) StatObject(ctx context.Context, ref storage.Ref) (*storage.Object, error) {
	if b.kept == nil {
		o, err := b.Backend.StatObject(ctx, ref)
		b.kept = o
		return o, err
	}
	return b.kept, nil
}

type damaged struct{ storage.Backend }

func (b damaged) StatObject(ctx context.Context, ref storage.Ref) (*storage.Object, error) {
	o, err := b.Backend.StatObject(ctx, ref)
	if errors.Is(err, storage.ErrNoSuchVersion) {
		err = errors.Join(err, storage.ErrDamaged)
	}
	return o, err
}

type unnamed struct{ storage.Backend }

func (b unnamed) StatObject(ctx context.Context, ref storage.Ref) (*storage.Object, error) {
	o, err := b.Backend.StatObject(ctx, ref)
	var m *storage.MarkerError
	if errors.As(err, &m) {
		m.Named = false
	}
	return o, err
}

type shortRange struct{ storage.Backend }

func (b shortRange) GetObject(ctx context.Context, ref storage.Ref) (*storage.Object, storage.Content, error) {
	o, c, err := b.Backend.GetObject(ctx, ref)
	if err != nil {
		return nil, nil, err
	}
	return o, shortContent{c}, nil
}

type shortContent struct{ storage.Content }

func (c shortContent) Range(off, n int64) io.Reader {
	if off%4096 == 4095 && n > 1 {
		n--
	}
	return c.Content.Range(off, n)
}

type lazyContent struct{ storage.Backend }

func (b lazyContent) GetObject(ctx context.Context, ref storage.Ref) (*storage.Object, storage.Content, error) {
	o, c, err := b.Backend.GetObject(ctx, ref)
	if err != nil {
		return nil, nil, err
	}
	return o, &lateContent{c, b.Backend, ref}, nil
}

type lateContent struct {
	storage.Content
	b   storage.Backend
	ref storage.Ref
}

func (c *lateContent) Range(off, n int64) io.Reader {
	_, now, err := c.b.GetObject(context.Background(), c.ref)
	if err != nil {
		return strings.NewReader("")
	}
	return now.Range(off, n)
}

type forgetful struct{ storage.Backend }

func (b forgetful) CompleteUpload(ctx context.Context, in storage.CompleteInput) (*storage.Object, error) {
	if _, err := b.Upload(ctx, in.Upload); err != nil {
		return nil, err
	}
	return b.Backend.CompleteUpload(ctx, in)
}

type anyPart struct{ storage.Backend }

func (b anyPart) CompleteUpload(ctx context.Context, in storage.CompleteInput) (*storage.Object, error) {
	parts, _, err := b.ListParts(ctx, in.Upload, 0, 10000)
	if err != nil {
		return nil, err
	}
	in.Parts = slices.Clone(in.Parts)
	for i := range in.Parts {
		for _, p := range parts {
			if p.Number == in.Parts[i].Number {
				in.Parts[i].ETag = p.ETag
			}
		}
	}
	return b.Backend.CompleteUpload(ctx, in)
}

type bareUploads struct{ storage.Backend }

func (b bareUploads) CreateUpload(ctx context.Context, in storage.UploadInput) (*storage.Upload, error) {
	in.Meta.Tags = nil
	return b.Backend.CreateUpload(ctx, in)
}

type anyAbort struct{ storage.Backend }

func (b anyAbort) AbortUpload(ctx context.Context, in storage.AbortInput) error {
	in.IfBegun = time.Time{}
	return b.Backend.AbortUpload(ctx, in)
}

type lostUpdates struct{ storage.Backend }

func (b lostUpdates) UpdateBucket(ctx context.Context, name string, change func(*storage.Bucket) error) error {
	old, err := b.Bucket(ctx, name)
	if err != nil {
		return err
	}
	c := old.Clone()
	if err := change(c); err != nil {
		return err
	}
	time.Sleep(time.Millisecond)
	return b.Backend.UpdateBucket(ctx, name, func(b *storage.Bucket) error { *b = *c; return nil })
}

type anyBucket struct{ storage.Backend }

func (b anyBucket) PutObject(ctx context.Context, in storage.PutInput) (*storage.Object, error) {
	o, err := b.Backend.PutObject(ctx, in)
	if errors.Is(err, storage.ErrNoSuchBucket) {
		return &storage.Object{Key: in.Key}, nil
	}
	return o, err
}

type counts struct {
	storage.Backend
	mu sync.Mutex
	n  map[string]int64
}

func (b *counts) PutObject(ctx context.Context, in storage.PutInput) (*storage.Object, error) {
	o, err := b.Backend.PutObject(ctx, in)
	b.mu.Lock()
	defer b.mu.Unlock()
	if err == nil {
		b.n[in.Bucket]++
	}
	return o, err
}

func (b *counts) Usage(ctx context.Context, bucket string) (storage.Usage, error) {
	u, err := b.Backend.Usage(ctx, bucket)
	b.mu.Lock()
	defer b.mu.Unlock()
	u.Objects = b.n[bucket]
	return u, err
}

type staysOpen struct{ storage.Backend }

func (b staysOpen) Close() error { return nil }
