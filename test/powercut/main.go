//go:build linux

// Command powercut tests that an acknowledged operation survives a power cut right after the
// answer. The server runs on an ext4 file system in an image on a loop device. A round makes one
// operation with no other traffic, cuts the file system off from its disk as soon as the answer is
// there (FS_IOC_SHUTDOWN without flushing the journal), kills the server, mounts again, which
// replays the journal, starts the server, and looks. The file system commits by itself only every
// 300 s, so nothing is durable but what the server has synced; a canary file that nobody synced
// proves that for each round.
//
// It needs root, a loop device and mkfs.ext4.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unsafe"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/tags"
	"github.com/objsrv/objsrv/test/internal/harness"
	"golang.org/x/sys/unix"
)

// From linux/fs.h.
const (
	fsIocShutdown   = 0x8004587D
	shutdownNoFlush = 2
)

func main() {
	server := harness.Server{}
	flag.StringVar(&server.Bin, "server", "objsrv", "`binary` of the server")
	flag.BoolVar(&server.Minio, "minio", false, "the binary is MinIO's")
	flag.StringVar(&server.Addr, "address", "127.0.0.1:9320", "`host:port` of the server")
	rounds := flag.Int("rounds", 20, "rounds of each operation")
	only := flag.String("ops", "", "`names` of the operations, with commas (all)")
	image := flag.String("image", "1G", "`size` of the file system")
	lost := flag.Bool("expect-loss", false, "succeed only if something is lost (to test this test)")
	flag.Parse()

	report := &harness.Report{}
	loop, err := harness.NewDisk(*image, "commit=300")
	if err != nil {
		report.Skip("power cut", err.Error())
		report.Finish()
	}
	disk := &disk{loop}
	defer disk.Remove()
	server.Dir, server.Log = filepath.Join(disk.Mount, "data"), filepath.Join(disk.Dir, "server.log")
	losses := 0
	all := operations()
	if !server.Minio {
		all = append(all, identityOperations()...)
		events, err := harness.NewSink()
		if err != nil {
			report.Check("target of events", err)
			disk.Remove()
			report.Finish()
		}
		server.Env, server.Args = slices.Concat(events.Settings(), compression()), []string{"--lifecycle-day", ruleDay.String()}
		all = slices.Concat(all, eventOperations(events), ruleOperations(), featureOperations(), settingOperations())
	}
	for _, o := range all {
		if *only != "" && !slices.Contains(strings.Split(*only, ","), o.name) {
			report.Skip(o.name, "not among -ops")
			continue
		}
		var bad []error
		void := 0
		for n := range *rounds + mayBeVoid {
			if n == *rounds+void {
				break
			}
			err := round(disk, &server, o, n)
			if errors.Is(err, errNoCut) && void < mayBeVoid {
				void++
				continue
			}
			if err != nil {
				bad = append(bad, fmt.Errorf("round %d: %w", n, err))
				if !errors.Is(err, errLost) {
					break // something else is wrong: more rounds tell no more
				}
				losses++
			}
		}
		if len(bad) > 0 {
			report.Check(o.name, fmt.Errorf("%d of %d rounds: %w", len(bad), *rounds, bad[0]))
		} else {
			report.Check(fmt.Sprintf("%s, %d rounds", o.name, *rounds), nil)
		}
	}
	server.Kill()
	disk.Remove()
	if *lost {
		fmt.Printf("%d losses, as asked for\n", losses)
		if losses == 0 {
			os.Exit(1)
		}
		os.Exit(0)
	}
	report.Finish()
}

// errNoCut marks a round that shows nothing: another program on the machine has had all file systems written out between
// the canary and the cut. mayBeVoid of the rounds of an operation may be so; others take their place.
var errNoCut = errors.New("the canary file lives: this was no power cut")

const mayBeVoid = 5

// errLost marks that an acknowledged operation is not there after the cut.
var errLost = errors.New("LOST")

// operation is one acknowledged change and how to see it afterwards.
type operation struct {
	name  string
	setup func(ctx context.Context, r *run) error // before the sync; may be nil
	do    func(ctx context.Context, r *run) error
	check func(ctx context.Context, r *run) error // after the restart
}

// run is what the steps of a round share.
type run struct {
	*minio.Client
	server *harness.Server
	bucket string
	key    string
	upload string
	parts  []minio.CompletePart
	// session is what AssumeRole has answered.
	session credentials.Value
}

func round(d *disk, s *harness.Server, o operation, n int) error {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	if err := d.Attach(); err != nil {
		return err
	}
	if _, err := s.Start(); err != nil {
		return err
	}
	defer s.Kill()
	r := &run{Client: s.Client(harness.Access, harness.Secret), server: s, bucket: "powercut", key: fmt.Sprintf("%s/%d", o.name, n)}
	if err := r.MakeBucket(ctx, r.bucket, minio.MakeBucketOptions{}); err != nil && minio.ToErrorResponse(err).Code != "BucketAlreadyOwnedByYou" {
		return fmt.Errorf("create bucket: %w", err)
	}
	if o.setup != nil {
		if err := o.setup(ctx, r); err != nil {
			return fmt.Errorf("set up: %w", err)
		}
	}
	// all that was before counts as old and durable: only the operation is at stake
	if err := d.Sync(); err != nil {
		return err
	}
	if err := d.canary(n); err != nil {
		return err
	}
	if err := o.do(ctx, r); err != nil {
		return fmt.Errorf("the operation failed: %w", err)
	}
	if err := d.cut(); err != nil {
		return err
	}
	s.Kill()
	if err := d.Detach(); err != nil {
		return err
	}
	if err := d.Attach(); err != nil {
		return fmt.Errorf("mount after the cut: %w", err)
	}
	if d.canaryLives(n) {
		return errors.Join(errNoCut, d.Detach())
	}
	if _, err := s.Start(); err != nil {
		return fmt.Errorf("%w: start after the cut: %w", errLost, err)
	}
	if err := o.check(ctx, r); err != nil {
		return fmt.Errorf("%w: %w", errLost, err)
	}
	if err := s.Stop(); err != nil {
		return err
	}
	return d.Detach()
}

func body(n int, seed byte) []byte { return bytes.Repeat([]byte{seed, 'o', 'b', 'j'}, n/4+1)[:n] }

func (r *run) put(ctx context.Context, key string, data []byte) error {
	_, err := r.PutObject(ctx, r.bucket, key, bytes.NewReader(data), int64(len(data)), minio.PutObjectOptions{DisableMultipart: true})
	return err
}

func (r *run) holds(ctx context.Context, key string, want []byte) error {
	o, err := r.GetObject(ctx, r.bucket, key, minio.GetObjectOptions{})
	if err != nil {
		return err
	}
	defer o.Close()
	got, err := io.ReadAll(o)
	if err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("%s: %d bytes that differ from the %d written", key, len(got), len(want))
	}
	return nil
}

func operations() []operation {
	putOp := func(name string, size int) operation {
		return operation{name: name,
			do:    func(ctx context.Context, r *run) error { return r.put(ctx, r.key, body(size, 1)) },
			check: func(ctx context.Context, r *run) error { return r.holds(ctx, r.key, body(size, 1)) }}
	}
	overwrite := func(name string, before, after int) operation {
		return operation{name: name,
			setup: func(ctx context.Context, r *run) error { return r.put(ctx, r.key, body(before, 1)) },
			do:    func(ctx context.Context, r *run) error { return r.put(ctx, r.key, body(after, 2)) },
			check: func(ctx context.Context, r *run) error { return r.holds(ctx, r.key, body(after, 2)) }}
	}
	rename := func(name string, size int) operation {
		return operation{name: name,
			setup: func(ctx context.Context, r *run) error { return r.put(ctx, r.key+"-old", body(size, 1)) },
			do:    func(ctx context.Context, r *run) error { return r.server.Rename(ctx, r.bucket, r.key+"-old", r.key) },
			check: func(ctx context.Context, r *run) error {
				if _, err := r.StatObject(ctx, r.bucket, r.key+"-old", minio.StatObjectOptions{}); minio.ToErrorResponse(err).StatusCode != 404 {
					return fmt.Errorf("the old name answers: %v", err)
				}
				return r.holds(ctx, r.key, body(size, 1))
			}}
	}
	grow := func(name string, before, added int) operation {
		whole := append(body(before, 1), body(added, 2)...)
		return operation{name: name,
			setup: func(ctx context.Context, r *run) error { return r.put(ctx, r.key, whole[:before]) },
			do: func(ctx context.Context, r *run) error {
				return r.server.Append(ctx, r.bucket, r.key, before, whole[before:])
			},
			check: func(ctx context.Context, r *run) error { return r.holds(ctx, r.key, whole) }}
	}
	return []operation{grow("append-small", 1000, 100), grow("append-large", 3<<20, 1<<20), grow("append-tail", 1<<20, 1000), rename("rename-small", 1<<10), rename("rename-large", 3<<20), putOp("put-1KiB", 1<<10), putOp("put-3MiB", 3<<20), overwrite("overwrite-small", 1000, 1100), overwrite("overwrite-large", 1<<20, 2<<20),
		{name: "delete",
			setup: func(ctx context.Context, r *run) error { return r.put(ctx, r.key, body(3<<20, 1)) },
			do: func(ctx context.Context, r *run) error {
				return r.RemoveObject(ctx, r.bucket, r.key, minio.RemoveObjectOptions{})
			},
			check: func(ctx context.Context, r *run) error {
				_, err := r.StatObject(ctx, r.bucket, r.key, minio.StatObjectOptions{})
				if minio.ToErrorResponse(err).StatusCode != 404 {
					return fmt.Errorf("the deleted object answers: %v", err)
				}
				return nil
			}},
		{name: "multipart-complete", setup: beginUpload,
			do: func(ctx context.Context, r *run) error {
				_, err := minio.Core{Client: r.Client}.CompleteMultipartUpload(ctx, r.bucket, r.key, r.upload, r.parts, minio.PutObjectOptions{})
				return err
			},
			check: func(ctx context.Context, r *run) error {
				return r.holds(ctx, r.key, append(body(5<<20, 1), body(1<<20, 2)...))
			}},
		{name: "upload-part", setup: beginUpload,
			do: func(ctx context.Context, r *run) error { return r.part(ctx, 3, body(100<<10, 3)) },
			check: func(ctx context.Context, r *run) error {
				_, err := minio.Core{Client: r.Client}.CompleteMultipartUpload(ctx, r.bucket, r.key, r.upload, slices.Delete(slices.Clone(r.parts), 1, 2), minio.PutObjectOptions{})
				if err != nil {
					return err
				}
				return r.holds(ctx, r.key, append(body(5<<20, 1), body(100<<10, 3)...))
			}},
		{name: "create-bucket",
			do: func(ctx context.Context, r *run) error {
				return r.MakeBucket(ctx, "b-"+strings.ReplaceAll(r.key, "/", "-"), minio.MakeBucketOptions{})
			},
			check: func(ctx context.Context, r *run) error {
				ok, err := r.BucketExists(ctx, "b-"+strings.ReplaceAll(r.key, "/", "-"))
				if err == nil && !ok {
					err = errors.New("no such bucket")
				}
				return err
			}},
		{name: "tagging",
			setup: func(ctx context.Context, r *run) error { return r.put(ctx, r.key, body(1<<10, 1)) },
			do: func(ctx context.Context, r *run) error {
				t, _ := tags.NewTags(map[string]string{"cut": r.key[strings.IndexByte(r.key, '/')+1:]}, true)
				return r.PutObjectTagging(ctx, r.bucket, r.key, t, minio.PutObjectTaggingOptions{})
			},
			check: func(ctx context.Context, r *run) error {
				t, err := r.GetObjectTagging(ctx, r.bucket, r.key, minio.GetObjectTaggingOptions{})
				if err == nil && t.ToMap()["cut"] != r.key[strings.IndexByte(r.key, '/')+1:] {
					err = fmt.Errorf("tags are %v", t.ToMap())
				}
				return err
			}},
		{name: "create-user",
			do: func(ctx context.Context, r *run) error {
				return r.server.AddUser(ctx, userName(r.key), "secret-of-"+userName(r.key))
			},
			check: func(ctx context.Context, r *run) error {
				_, err := r.server.Client(userName(r.key), "secret-of-"+userName(r.key)).ListBuckets(ctx)
				return err
			}},
	}
}

func userName(key string) string { return strings.ReplaceAll(key, "/", "-") }

func beginUpload(ctx context.Context, r *run) (err error) {
	r.parts = nil
	if r.upload, err = (minio.Core{Client: r.Client}).NewMultipartUpload(ctx, r.bucket, r.key, minio.PutObjectOptions{}); err != nil {
		return err
	}
	return errors.Join(r.part(ctx, 1, body(5<<20, 1)), r.part(ctx, 2, body(1<<20, 2)))
}

func (r *run) part(ctx context.Context, n int, data []byte) error {
	p, err := minio.Core{Client: r.Client}.PutObjectPart(ctx, r.bucket, r.key, r.upload, n, bytes.NewReader(data), int64(len(data)), minio.PutObjectPartOptions{})
	r.parts = append(r.parts, minio.CompletePart{PartNumber: n, ETag: p.ETag})
	return err
}

// disk is one whose power can be cut.
type disk struct{ *harness.Disk }

func (d *disk) canary(n int) error {
	return os.WriteFile(fmt.Sprintf("%s/canary.%d", d.Mount, n), []byte("never synced"), 0o600)
}

func (d *disk) canaryLives(n int) bool {
	b, err := os.ReadFile(fmt.Sprintf("%s/canary.%d", d.Mount, n))
	os.Remove(fmt.Sprintf("%s/canary.%d", d.Mount, n))
	return err == nil && string(b) == "never synced"
}

// cut stops the file system at once: neither dirty pages nor the journal's buffers reach the disk.
func (d *disk) cut() error {
	f, err := os.Open(d.Mount)
	if err != nil {
		return err
	}
	defer f.Close()
	flags := uint32(shutdownNoFlush)
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, f.Fd(), fsIocShutdown, uintptr(unsafe.Pointer(&flags))); errno != 0 {
		return fmt.Errorf("FS_IOC_SHUTDOWN: %w", errno)
	}
	return nil
}
