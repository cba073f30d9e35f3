package storagetest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/objsrv/objsrv/storage"
)

var appendCases = []testCase{
	{"appends/sizes", appendSizes},
	{"appends/many", appendMany},
	{"appends/upload", appendUpload},
	{"appends/coded", appendCoded},
	{"appends/refused", appendRefused},
	{"appends/open", appendOpen},
	{"appends/copies", appendCopies},
	{"appends/races", appendRaces},
}

// append appends and fails the case when that fails.
func (e *env) append(bucket, key string, offset int64, content []byte) *storage.Object {
	e.Helper()
	o, err := e.AppendObject(e.ctx, appendInput(bucket, key, offset, content))
	e.ok("AppendObject", err)
	return o
}

func appendSizes(e *env) {
	sizes := slices.Concat([]int64{0, 1, 5000, 32 << 10, 70_000}, e.opt.Thresholds)
	for _, first := range sizes {
		for _, second := range sizes[1:] {
			bucket := e.bucket(storage.VersioningUnset)
			old, added := noise(uint64(first), int(first)), noise(uint64(second)+1, int(second))
			in := putInput(bucket, "k", old)
			in.Meta = e.fullMeta("kept")
			before, err := e.PutObject(e.ctx, in)
			e.ok("PutObject", err)
			o := e.append(bucket, "k", first, added)
			d := digestOf(added)
			want := *before
			want.Size, want.Modified = first+second, o.Modified
			want.ETag, want.Checksum = digestOf([]byte(before.ETag+d.ETag)).ETag, d.Checksum
			e.sameObject("AppendObject's answer", o, &want)
			e.sameObject("the object", e.stat(bucket, "k", ""), &want)
			e.equal("content", e.get(bucket, "k", "") == string(old)+string(added), true)
			e.usage(bucket, storage.Usage{Objects: 1, Versions: 1, Bytes: first + second})
		}
	}
}

// appendMany grows an object by pieces of many sizes, and reads ranges across them.
func appendMany(e *env) {
	bucket := e.bucket(storage.VersioningUnset)
	e.put(bucket, "k", "")
	var want []byte
	for i := range 60 {
		piece := noise(uint64(i), []int{1, 100, 3000, 20_000, 90_000}[i*7%5])
		e.append(bucket, "k", int64(len(want)), piece)
		want = append(want, piece...)
	}
	e.equal("content", e.get(bucket, "k", "") == string(want), true)
	_, c, err := e.GetObject(e.ctx, storage.Ref{Bucket: bucket, Key: "k"})
	e.ok("GetObject", err)
	defer c.Close()
	for i := range 50 {
		off := int64(i * len(want) / 50)
		n := min(int64(100_000), int64(len(want))-off)
		got := make([]byte, n)
		_, err := io.ReadFull(c.Range(off, n), got)
		e.ok("read a range", err)
		e.equal("range", string(got) == string(want[off:off+n]), true)
	}
	parts, err := e.Parts(e.ctx, storage.Ref{Bucket: bucket, Key: "k"})
	e.ok("Parts", err)
	e.equal("parts that clients see", len(parts), 0)
	e.del(bucket, "k", "")
	e.usage(bucket, storage.Usage{})
}

func appendUpload(e *env) {
	bucket := e.bucket(storage.VersioningUnset)
	src, content := e.multipart(bucket, "k", 70000, 3)
	o := e.append(bucket, "k", src.Size, []byte("one more"))
	e.equal("parts", o.PartCount, 3)
	e.equal("the upload", o.UploadID, "")
	parts, err := e.Parts(e.ctx, storage.Ref{Bucket: bucket, Key: "k"})
	e.ok("Parts", err)
	d := digestOf([]byte("one more"))
	e.equal("the part", parts[2], storage.Part{Number: parts[1].Number + 1, Size: 8, ETag: d.ETag, Checksum: d.Checksum, Modified: parts[2].Modified})
	e.equal("content", e.get(bucket, "k", "") == string(content)+"one more", true)
	in := appendInput(bucket, "k", o.Size, []byte("too many"))
	in.MaxParts = 3
	_, err = e.AppendObject(e.ctx, in)
	e.is("AppendObject to as many parts as there may be", err, storage.ErrTooManyParts)
	e.equal("content", e.get(bucket, "k", "") == string(content)+"one more", true)
}

func appendCoded(e *env) {
	for _, size := range []int{10, 100_000} {
		bucket := e.bucket(storage.VersioningUnset)
		in := putInput(bucket, "k", noise(1, size))
		b := newBody(in.Body).code(int64(3 * size))
		in.Body, in.Digest = b, b.digest
		_, err := e.PutObject(e.ctx, in)
		e.ok("PutObject", err)
		for i := range 3 {
			add := appendInput(bucket, "k", int64(3*size+7*i), noise(uint64(i), size+i))
			b := newBody(add.Body).code(7)
			add.Body, add.Digest, add.Number = b, b.digest, i+1
			o, err := e.AppendObject(e.ctx, add)
			e.ok("AppendObject", err)
			e.equal("size", o.Size, int64(3*size+7*(i+1)))
			_, err = e.AppendObject(e.ctx, add)
			e.is("AppendObject again", err, storage.ErrOffset)
		}
		_, c, err := e.GetObject(e.ctx, storage.Ref{Bucket: bucket, Key: "k"})
		e.ok("GetObject", err)
		defer c.Close()
		p, ok := c.(storage.Parted)
		if !ok {
			e.Fatalf("a content of several pieces does not tell them")
		}
		parts, err := p.Parts()
		e.ok("Parts", err)
		var got []string
		for _, p := range parts {
			got = append(got, fmt.Sprint(p.Number, " ", p.Size, " ", p.Length()))
		}
		e.equal("pieces", got, []string{fmt.Sprint("0 ", 3*size, " ", size), fmt.Sprint("1 7 ", size), fmt.Sprint("2 7 ", size+1), fmt.Sprint("3 7 ", size+2)})
		want := slices.Concat(noise(1, size), noise(0, size), noise(1, size+1), noise(2, size+2))
		e.equal("what is stored", e.get(bucket, "k", "") == string(want), true)
		again := appendInput(bucket, "k", int64(3*size+21), []byte("x"))
		_, err = e.AppendObject(e.ctx, again)
		e.is("AppendObject of what is not coded", err, storage.ErrPrecondition)
		again = appendInput(bucket, "k", int64(3*size+21), nil)
		b = newBody(bytes.NewReader([]byte("x"))).code(7)
		again.Body, again.Size, again.Digest, again.Number = b, 1, b.digest, 3
		_, err = e.AppendObject(e.ctx, again)
		e.is("AppendObject of a number that is taken", err, storage.ErrPrecondition)
	}
}

func appendRefused(e *env) {
	bucket := e.bucket(storage.VersioningUnset)
	e.put(bucket, "k", "12345")
	for _, off := range []int64{0, 4, 6, -1} {
		_, err := e.AppendObject(e.ctx, appendInput(bucket, "k", off, []byte("x")))
		e.is(fmt.Sprint("AppendObject at ", off), err, storage.ErrOffset)
	}
	_, err := e.AppendObject(e.ctx, appendInput(bucket, "none", 0, []byte("x")))
	e.is("AppendObject to a missing key", err, storage.ErrNoSuchKey)
	_, err = e.AppendObject(e.ctx, appendInput(bucket, "k", 5, nil))
	e.is("AppendObject of nothing", err, storage.ErrSize)
	in := appendInput(bucket, "k", 5, []byte("x"))
	in.Size = 2
	_, err = e.AppendObject(e.ctx, in)
	e.is("AppendObject of a body of another length", err, storage.ErrSize)
	refused := errors.New("refused")
	in = appendInput(bucket, "k", 5, []byte("x"))
	in.Check = func(*storage.Object) error { return refused }
	if _, err = e.AppendObject(e.ctx, in); err != refused {
		e.Errorf("AppendObject with a refusing check: %v", err)
	}
	in = appendInput(bucket, "k", 5, []byte("x"))
	in.Whole = func(*storage.Object, storage.Part) (storage.Digest, error) { return storage.Digest{}, refused }
	if _, err = e.AppendObject(e.ctx, in); err != refused {
		e.Errorf("AppendObject without a digest: %v", err)
	}
	for _, size := range []int{10, 100_000} {
		in = appendInput(bucket, "k", 5, nil)
		in.Body, in.Size = newBody(failAfter(noise(1, size), size/2)), int64(size)
		if _, err := e.AppendObject(e.ctx, in); err == nil {
			e.Errorf("AppendObject of a failing body succeeds")
		}
	}
	e.equal("content", e.get(bucket, "k", ""), "12345")
	for _, v := range []storage.Versioning{storage.VersioningEnabled, storage.VersioningSuspended} {
		bucket := e.bucket(v)
		e.put(bucket, "k", "12345")
		_, err := e.AppendObject(e.ctx, appendInput(bucket, "k", 5, []byte("x")))
		e.is("AppendObject in a bucket with versioning", err, storage.ErrNotSupported)
		e.equal("content", e.get(bucket, "k", ""), "12345")
	}
}

// appendOpen: who has opened an object reads it as it was.
func appendOpen(e *env) {
	for _, size := range []int{10, 20_000, 200_000} {
		bucket := e.bucket(storage.VersioningUnset)
		content := string(noise(4, size))
		e.put(bucket, "k", content)
		_, c, err := e.GetObject(e.ctx, storage.Ref{Bucket: bucket, Key: "k"})
		e.ok("GetObject", err)
		e.append(bucket, "k", int64(size), noise(5, 5000))
		e.append(bucket, "k", int64(size+5000), noise(6, 100_000))
		got, err := readContent(c, int64(size))
		e.ok("read what was open", err)
		e.equal("content that was open", got == content, true)
		e.ok("Close", c.Close())
	}
}

// appendCopies: an object and its copies grow apart.
func appendCopies(e *env) {
	for _, size := range []int{10, 20_000, 200_000} {
		bucket := e.bucket(storage.VersioningUnset)
		content := string(noise(4, size))
		e.put(bucket, "a", content)
		for _, key := range []string{"b", "c"} {
			_, err := e.CopyObject(e.ctx, storage.CopyInput{Source: storage.Ref{Bucket: bucket, Key: "a"}, Bucket: bucket, Key: key})
			e.ok("CopyObject", err)
		}
		e.append(bucket, "a", int64(size), []byte("A"))
		e.append(bucket, "b", int64(size), []byte("B"))
		e.rename(bucket, "b", "d")
		e.append(bucket, "d", int64(size+1), noise(8, 50_000))
		e.del(bucket, "a", "")
		e.equal("the copy", e.get(bucket, "c", "") == content, true)
		e.equal("the copy that grew", e.get(bucket, "d", "") == content+"B"+string(noise(8, 50_000)), true)
	}
}

// appendRaces: of two who append at one offset one succeeds, and all that was acknowledged is there in order.
func appendRaces(e *env) {
	bucket := e.bucket(storage.VersioningUnset)
	e.put(bucket, "k", "")
	var won, lost atomic.Int32
	var mu sync.Mutex
	order := map[int64]string{}
	e.inParallel(6, func(i int) error {
		for n := range 12 {
			o, err := e.StatObject(e.ctx, storage.Ref{Bucket: bucket, Key: "k"})
			if err != nil {
				return err
			}
			piece := noise(uint64(100*i+n), []int{50, 9000, 40_000}[n%3])
			_, err = e.AppendObject(e.ctx, appendInput(bucket, "k", o.Size, piece))
			switch {
			case err == nil:
				won.Add(1)
				mu.Lock()
				order[o.Size] = string(piece)
				mu.Unlock()
			case errors.Is(err, storage.ErrOffset):
				lost.Add(1)
			default:
				return err
			}
		}
		return nil
	})
	if won.Load() == 0 {
		e.Errorf("nobody has won")
	}
	content := e.get(bucket, "k", "")
	for at := int64(0); at < int64(len(content)); {
		piece, ok := order[at]
		if !ok || content[at:min(at+int64(len(piece)), int64(len(content)))] != piece {
			e.Fatalf("at %d is not what was appended there (acknowledged %t)", at, ok)
		}
		delete(order, at)
		at += int64(len(piece))
	}
	e.equal("pieces that were acknowledged and are not there", len(order), 0)
	e.usage(bucket, storage.Usage{Objects: 1, Versions: 1, Bytes: int64(len(content))})
}
