package storagetest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing/iotest"
	"time"

	"github.com/objsrv/objsrv/storage"
)

// The names that programs use: few, so that operations meet.
var (
	bucketNames = []string{"b", "b-2", "bb"}
	keyNames    = []string{"a", "a/b", "a/", "a/b/c", "b", "\x00", "a\xff", "ü/" + strings.Repeat("x", 300)}
	prefixes    = []string{"", "", "", "a", "a/", "a/b", "b", "\x00", "zz"}
	delimiters  = []string{"", "", "/", "/", "b", "\xff"}
	bodySizes   = []int{0, 1, 100, 100, 5000, 5000, 70000, 200000}
)

// asMarker is errors.As.
func asMarker(err error, m **storage.MarkerError) bool { return errors.As(err, m) }

// pick chooses from a list.
func pick[V any](list []V, n uint32) V { return list[int(n%uint32(len(list)))] }

// chance is true for one in k values of n.
func chance(n uint32, k uint32) bool { return n%k == 0 }

// build makes the call of an operation, out of what there is now.
func (x *exec) build(o op) call {
	bucket, key := pick(bucketNames, o.n[0]), pick(keyNames, o.n[1])
	if chance(o.n[0]>>8, 40) {
		bucket = "none"
	}
	switch o.kind {
	case "setTags", "setProps", "get", "stat", "parts", "copyPart", "append":
		key = x.liveKey(bucket, key, o.n[11])
	}
	switch o.kind {
	case "put":
		return x.buildPut(o, bucket, key)
	case "delete", "deleteVersion", "deleteBatch":
		return x.buildDelete(o, bucket)
	case "copy":
		return x.buildCopy(o, bucket, key)
	case "append":
		return x.buildAppend(o, bucket, key)
	case "rename":
		return x.buildRename(o, bucket, key)
	case "setTags", "setProps":
		return x.buildSet(o, bucket, key)
	case "createUpload":
		return x.buildUpload(o, bucket, key)
	case "putPart":
		return x.buildPart(o, bucket)
	case "copyPart":
		return x.buildCopyPart(o, bucket, key)
	case "complete":
		return x.buildComplete(o, bucket)
	case "abort":
		return x.buildAbort(o, bucket)
	case "listParts":
		return x.buildListParts(o, bucket)
	case "get", "stat", "parts":
		return x.buildRead(o, bucket, key)
	case "listObjects", "listVersions", "listUploads":
		return x.buildList(o, bucket)
	default:
		return x.buildBucket(o, bucket)
	}
}

// version picks the model's id of a version of a key, mostly one that exists.
func (x *exec) version(bucket, key string, n uint32) string {
	live := x.liveVersions(bucket, key)
	switch how := n % 12; {
	case how == 0:
		return storage.NullVersion
	case how == 1:
		return "no-such-version"
	case how <= 3 && len(x.seen) > 0:
		return pick(x.seen, n>>4)
	case len(live) > 0:
		return pick(live, n>>4)
	}
	return storage.NullVersion
}

// liveKey picks a key that has versions, in most cases and when there is one.
func (x *exec) liveKey(bucket, key string, n uint32) string {
	page, err := x.model.ListVersions(x.ctx, storage.ListInput{Bucket: bucket, Limit: 10000})
	if err != nil || len(page.Objects) == 0 || chance(n, 4) {
		return key
	}
	return pick(page.Objects, n>>4).Key
}

// upload picks the model's reference of an upload, mostly an open one.
func (x *exec) upload(bucket string, n uint32) storage.UploadRef {
	live := x.liveUploads(bucket)
	if len(x.ups) > 0 && (len(live) == 0 || chance(n, 6)) {
		return pick(x.ups, n>>4)
	}
	if len(live) > 0 {
		return pick(live, n>>4)
	}
	return storage.UploadRef{Bucket: bucket, Key: "a", ID: "no-such-upload"}
}

// refFor translates an upload's id.
func refFor(ref storage.UploadRef, id func(string) string) storage.UploadRef {
	ref.ID = id(ref.ID)
	return ref
}

// meta makes up metadata.
func meta(n uint32) storage.Meta {
	if chance(n, 3) {
		return storage.Meta{}
	}
	return storage.Meta{
		Owner: fmt.Sprint("o", n%3), Class: pick([]string{"", "STANDARD_IA"}, n>>2),
		Attrs: []storage.Attr{{Name: "content-type", Value: fmt.Sprint("t/", n%5)}, {Name: "x-amz-meta-a", Value: fmt.Sprint(n)}},
		Tags:  tags(n >> 3),
		Props: props(n >> 5),
	}
}

// tags makes up tags.
func tags(n uint32) (out []storage.Tag) {
	for i := range n % 3 {
		out = append(out, storage.Tag{Key: fmt.Sprint("k", 9-i), Value: fmt.Sprint(n)})
	}
	return out
}

// props makes up properties.
func props(n uint32) map[string]string {
	if chance(n, 2) {
		return nil
	}
	return map[string]string{"p": fmt.Sprint(n), "": "empty name"}
}

// condition makes up conditions about the version (bucket, key, version) of whichever
// store b is; deletes have more of them.
func condition(x *exec, b storage.Backend, ref storage.Ref, n uint32, deletes bool) (c storage.Conditions) {
	etag, size, modified := "none", int64(7), time.Unix(1e9, 0)
	if o, err := b.StatObject(x.ctx, ref); err == nil {
		etag, size, modified = o.ETag, o.Size, o.Modified.Truncate(time.Second)
	}
	switch n % 16 {
	case 0:
		c.IfNoneMatch = "*"
	case 1:
		c.IfNoneMatch = etag
	case 2:
		c.IfMatch = "*"
	case 3:
		c.IfMatch = etag
	case 4:
		c.IfMatch = "wrong"
	case 5:
		c.IfMatchSize, c.HasSize = size, deletes
	case 6:
		c.IfMatchSize, c.HasSize = size+1, deletes
	case 7:
		if deletes {
			c.IfMatchModified = modified
		}
	case 8:
		if deletes {
			c.IfMatchModified = modified.Add(time.Hour)
		}
	}
	return c
}

// noCondition is a number for which condition makes up none.
const noCondition = 15

// conditionText names what condition makes up.
func conditionText(n uint32) string {
	return pick([]string{" if-none-match *", " if-none-match etag", " if-match *", " if-match etag", " if-match wrong",
		" if-size", " if-other-size", " if-time", " if-other-time", "", "", "", "", "", "", ""}, n)
}

// bodyOf makes the body of a write: the content, which may be coded, and perhaps a failure in it.
func bodyOf(n [3]uint32) (content []byte, size int64, failing bool, reader func() *body) {
	content = noise(uint64(n[0]%50), pick(bodySizes, n[1]))
	size = int64(len(content))
	if chance(n[2], 4) {
		size = -1
	}
	failing = chance(n[2]>>8, 25)
	reader = func() *body {
		from := iotest.DataErrReader(bytes.NewReader(content))
		if failing {
			from = failAfter(content, int(n[2]>>16)%(len(content)+1))
		}
		b := newBody(from)
		if len(content) > 0 && chance(n[0]>>8, 4) {
			b.code(int64(n[0]>>16) % 100_000)
		}
		return b
	}
	return content, size, failing, reader
}

func (x *exec) buildPut(o op, bucket, key string) call {
	content, size, failing, reader := bodyOf([3]uint32(o.n[2:5]))
	cond := o.n[5]
	if failing {
		cond = noCondition // which of two failures is told is left open
	}
	return call{
		text: oneLine(fmt.Sprintf("put %s %.40q, %d bytes (told %d, failing %t)%s", bucket, key, len(content), size, failing, conditionText(cond))),
		do: func(b storage.Backend, _ func(string) string) (a answer) {
			body := reader()
			out, err := b.PutObject(x.ctx, storage.PutInput{
				Bucket: bucket, Key: key, Meta: meta(o.n[6]), Body: body, Size: size, Digest: body.digest,
				If: condition(x, b, storage.Ref{Bucket: bucket, Key: key}, cond, false),
			})
			a.lenient = failing
			if !a.fail(err) {
				a.object(out)
			}
			return a
		},
	}
}

func (x *exec) buildDelete(o op, bucket string) call {
	count := 1
	if o.kind == "deleteBatch" {
		count = int(o.n[2]%4) + 1
	}
	type entry struct {
		key, version string
		cond         uint32
		guard        bool
	}
	var entries []entry
	text := o.kind + " " + bucket
	for i := range count {
		n := o.n[3+2*i]
		e := entry{key: pick(keyNames, o.n[1]+n%5), cond: n >> 3, guard: chance(n>>8, 15)}
		if o.kind == "deleteVersion" || count > 1 && chance(n, 3) {
			e.version = x.version(bucket, e.key, o.n[4+2*i])
		}
		if e.guard {
			e.cond = noCondition
		}
		text += fmt.Sprintf(" %.40q version %q%s guarded %t;", e.key, e.version, conditionText(e.cond), e.guard)
		entries = append(entries, e)
	}
	refused := errors.New("refused by the guard")
	do := func(entries []entry) func(b storage.Backend, id func(string) string) answer {
		return func(b storage.Backend, id func(string) string) (a answer) {
			var in []storage.DeleteInput
			for _, e := range entries {
				d := storage.DeleteInput{Key: e.key, Version: id(e.version), Owner: "deleter"}
				d.If = condition(x, b, storage.Ref{Bucket: bucket, Key: e.key, Version: d.Version}, e.cond, true)
				if e.guard {
					d.Guard = func(o *storage.Object) error {
						a.add(" guard asked with")
						a.object(o)
						return refused
					}
				}
				in = append(in, d)
			}
			res, err := b.DeleteObjects(x.ctx, bucket, in)
			if a.fail(err) {
				return a
			}
			for _, r := range res {
				a.add(" marker %t error %s %t", r.DeleteMarker, errorName(r.Err), errors.Is(r.Err, refused))
				a.id(r.VersionID)
			}
			return a
		}
	}
	c := call{text: oneLine(text), do: do(entries)}
	for set := 1; set < 1<<count-1; set++ { // the real subsets of a batch
		var some []entry
		for i, e := range entries {
			if set&(1<<i) != 0 {
				some = append(some, e)
			}
		}
		c.alternatives = append(c.alternatives, call{text: c.text, do: do(some)})
	}
	return c
}

func (x *exec) buildCopy(o op, bucket, key string) call {
	from := storage.Ref{Bucket: pick(bucketNames, o.n[2]), Key: pick(keyNames, o.n[3])}
	from.Key = x.liveKey(from.Bucket, from.Key, o.n[11])
	if chance(o.n[4], 2) {
		from.Version = x.version(from.Bucket, from.Key, o.n[5])
	}
	flatten, cond := chance(o.n[6], 2), o.n[7]
	return call{
		text: oneLine(fmt.Sprintf("copy %.60q to %s %.40q flatten %t%s", from, bucket, key, flatten, conditionText(cond))),
		do: func(b storage.Backend, id func(string) string) (a answer) {
			in := storage.CopyInput{Source: from, Bucket: bucket, Key: key, Meta: meta(o.n[8]), Flatten: flatten}
			in.Source.Version = id(from.Version)
			in.If = condition(x, b, storage.Ref{Bucket: bucket, Key: key}, cond, false)
			switch o.n[9] % 6 {
			case 0:
				in.SourceETag = "wrong"
			case 1:
				in.ETag, in.Checksum = "new", storage.Checksum{Algorithm: "SHA1", Type: "FULL_OBJECT", Value: "eA=="}
			}
			out, err := b.CopyObject(x.ctx, in)
			a.lenient = true
			if !a.fail(err) {
				a.object(out)
			}
			return a
		},
	}
}

func (x *exec) buildSet(o op, bucket, key string) call {
	ref := storage.Ref{Bucket: bucket, Key: key}
	if chance(o.n[2], 2) {
		ref.Version = x.version(bucket, key, o.n[3])
	}
	return call{
		text: oneLine(fmt.Sprintf("%s %.60q", o.kind, ref)),
		do: func(b storage.Backend, id func(string) string) (a answer) {
			r := ref
			r.Version = id(ref.Version)
			var out *storage.Object
			var err error
			if o.kind == "setTags" {
				out, err = b.SetTags(x.ctx, r, tags(o.n[4]))
			} else {
				out, err = b.SetProps(x.ctx, r, func(old *storage.Object) (map[string]string, error) {
					a.object(old)
					if chance(o.n[5], 10) {
						return nil, errBody
					}
					return props(o.n[4]), nil
				})
			}
			if !a.fail(err) {
				a.object(out)
			}
			return a
		},
	}
}

func (x *exec) buildRead(o op, bucket, key string) call {
	ref := storage.Ref{Bucket: bucket, Key: key}
	if chance(o.n[2], 2) {
		ref.Version = x.version(bucket, key, o.n[3])
	}
	return call{
		text: oneLine(fmt.Sprintf("%s %.60q", o.kind, ref)),
		do: func(b storage.Backend, id func(string) string) (a answer) {
			r := ref
			r.Version = id(ref.Version)
			switch o.kind {
			case "stat":
				out, err := b.StatObject(x.ctx, r)
				if !a.fail(err) {
					a.object(out)
				}
			case "parts":
				parts, err := b.Parts(x.ctx, r)
				if !a.fail(err) {
					a.add(" %s", describeParts(parts))
				}
			default:
				out, c, err := b.GetObject(x.ctx, r)
				if a.fail(err) {
					return a
				}
				defer c.Close()
				a.object(out)
				off := int64(o.n[4]) % (out.Length() + 1)
				n := int64(o.n[5]) % (out.Length() - off + 1)
				got, err := io.ReadAll(c.Range(off, n))
				a.add(" bytes %d+%d: %s, error %v", off, n, digestOf(got).ETag, err)
			}
			return a
		},
	}
}

func (x *exec) buildList(o op, bucket string) call {
	in := storage.ListInput{Bucket: bucket, Prefix: pick(prefixes, o.n[2]), Delimiter: pick(delimiters, o.n[3]), Limit: int(o.n[4] % 8)}
	if in.Limit == 7 {
		in.Limit = 1000
	}
	switch o.n[5] % 3 {
	case 0:
		in.After = pick(keyNames, o.n[6])
	case 1:
		in.After = pick(prefixes, o.n[6])
	}
	var ids []string // that exist: what a gone one gives is left open
	if o.kind == "listUploads" {
		for _, u := range x.liveUploads(bucket) {
			if u.Key == in.After {
				ids = append(ids, u.ID)
			}
		}
	} else {
		ids = x.liveVersions(bucket, in.After)
	}
	if in.After != "" && len(ids) > 0 && chance(o.n[7], 2) {
		in.AfterID = pick(ids, o.n[8])
	}
	return call{
		text: oneLine(fmt.Sprintf("%s %+q", o.kind, fmt.Sprintf("%+v", in))),
		do: func(b storage.Backend, id func(string) string) (a answer) {
			in := in
			in.AfterID = id(in.AfterID)
			if o.kind == "listUploads" {
				p, err := b.ListUploads(x.ctx, in)
				if a.fail(err) {
					return a
				}
				a.add(" prefixes %q truncated %t next %q", p.Prefixes, p.Truncated, p.NextAfter)
				a.id(p.NextID)
				for _, u := range p.Uploads {
					a.add(" %q owner %q class %q initiator %q", u.Key, u.Meta.Owner, u.Meta.Class, u.Initiator)
					a.id(u.ID)
				}
				return a
			}
			list := b.ListVersions
			if o.kind == "listObjects" {
				list = b.ListObjects
			}
			p, err := list(x.ctx, in)
			if a.fail(err) {
				return a
			}
			a.add(" prefixes %q truncated %t next %q", p.Prefixes, p.Truncated, p.NextAfter)
			a.id(p.NextID)
			for i := range p.Objects {
				a.object(ptr(listed(&p.Objects[i])))
			}
			return a
		},
	}
}

func (x *exec) buildBucket(o op, bucket string) call {
	c := call{text: o.kind + " " + bucket}
	switch o.kind {
	case "createBucket":
		c.do = func(b storage.Backend, _ func(string) string) (a answer) {
			a.fail(b.CreateBucket(x.ctx, storage.Bucket{Name: bucket, Owner: "o", Versioning: storage.Versioning(o.n[2] % 2)}))
			return a
		}
	case "deleteBucket":
		c.do = func(b storage.Backend, _ func(string) string) (a answer) {
			a.fail(b.DeleteBucket(x.ctx, bucket))
			return a
		}
	case "versioning", "updateBucket":
		v := pick([]storage.Versioning{storage.VersioningEnabled, storage.VersioningEnabled, storage.VersioningSuspended}, o.n[2])
		c.text += fmt.Sprint(" versioning ", v)
		c.do = func(b storage.Backend, _ func(string) string) (a answer) {
			a.fail(b.UpdateBucket(x.ctx, bucket, func(b *storage.Bucket) error {
				if o.kind == "versioning" {
					b.Versioning = v
				} else {
					b.Docs = map[string][]byte{"policy": fmt.Append(nil, o.n[3])}
				}
				if chance(o.n[4], 10) {
					return errBody
				}
				return nil
			}))
			return a
		}
	case "bucket":
		c.do = func(b storage.Backend, _ func(string) string) (a answer) {
			info, err := b.Bucket(x.ctx, bucket)
			if a.fail(err) {
				return a
			}
			timeless := *info
			timeless.Created = time.Time{}
			u, err := b.Usage(x.ctx, bucket)
			a.add("%s usage %+v error %v", describeBucket(&timeless), u, err)
			return a
		}
	default: // listBuckets
		c.do = func(b storage.Backend, _ func(string) string) (a answer) {
			list, more, err := b.ListBuckets(x.ctx, pick([]string{"", "b", "b-"}, o.n[2]), pick([]string{"", "b", "b-2", "c"}, o.n[3]), int(o.n[4]%4)+1)
			if a.fail(err) {
				return a
			}
			a.add(" more %t %q", more, slices.Collect(func(yield func(string) bool) {
				for _, b := range list {
					if !yield(b.Name) {
						return
					}
				}
			}))
			return a
		}
	}
	return c
}
