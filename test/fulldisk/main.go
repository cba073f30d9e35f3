//go:build linux

// Command fulldisk fills the disk of a server and then asks for every kind of write: each must be refused as what it is,
// 507 or 503, or be done, and whatever was there must be whole. Reads, listings, deletions and lifecycle rules go on, a
// target of events hears of what was acknowledged and of nothing else, and with room again everything works, without a
// restart and after one. It does so twice: when the server stops at its reserve, and when somebody else has taken that too.
//
// The disk is an ext4 file system in an image on a loop device. It needs root and mkfs.ext4.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/objsrv/objsrv/test/internal/harness"
)

// ruleDay is the length of a day of lifecycle rules.
const ruleDay = time.Second

// toDelete objects are deleted while the disk is full, in a bucket that tells of it.
const toDelete = 200

// test is one server on one disk.
type test struct {
	*minio.Client
	server *harness.Server
	disk   *harness.Disk
	sink   *harness.Sink
	report *harness.Report
	filled []string // keys that have taken the room

	told     []harness.Told // what the target must hear of
	untold   []harness.Told // and what it must not
	uploads  int
	left     int // of what is due, when the disk was full
	restarts int // of a server that has ended by itself
}

func main() {
	server := &harness.Server{}
	flag.StringVar(&server.Bin, "server", "objsrv", "`binary` of the server")
	flag.StringVar(&server.Addr, "address", "127.0.0.1:9340", "`host:port` of the server")
	size := flag.String("image", "320M", "`size` of the file system")
	flag.Parse()

	report := &harness.Report{}
	disk, err := harness.NewDisk(*size, "noatime")
	if err == nil {
		err = disk.Attach()
	}
	if err != nil {
		report.Skip("full disk", err.Error())
		report.Finish()
	}
	server.Dir, server.Log = filepath.Join(disk.Mount, "data"), filepath.Join(disk.Dir, "server.log")
	sink, err := harness.NewSink()
	if err != nil {
		report.Check("target of events", err)
		disk.Remove()
		report.Finish()
	}
	server.Args, server.Env = []string{"--lifecycle-day", ruleDay.String()}, sink.Settings()
	t := &test{Client: server.Client(harness.Access, harness.Secret), server: server, disk: disk, sink: sink, report: report}
	t.run(context.Background())
	server.Kill()
	disk.Remove()
	report.Finish()
}

func (t *test) run(ctx context.Context) {
	if _, err := t.server.Start(); err != nil {
		t.report.Check("start", err)
		return
	}
	if err := t.prepare(ctx); err != nil {
		t.report.Check("prepare", err)
		return
	}
	for _, phase := range []struct {
		name string
		more bool // fill what the server keeps back, too
	}{{"at the reserve", false}, {"without a byte", true}} {
		if err := t.fill(ctx); err != nil {
			t.report.Check(phase.name+": fill", err)
			return
		}
		if phase.more {
			if err := t.fillAll(); err != nil {
				t.report.Check(phase.name+": fill", err)
				return
			}
		}
		t.writes(ctx, phase.name)
		t.report.Check(phase.name+": what was there is whole, and is listed", t.whole(ctx))
		t.report.Check(phase.name+": a restart", t.restart())
		t.report.Check(phase.name+": what was there is whole after it", t.whole(ctx))
		t.report.Check(phase.name+": rules delete", t.due(ctx))
		t.report.Check(phase.name+": deletions with events", t.deleteToldOf(ctx))
		t.report.Check(phase.name+": deletions", t.free(ctx))
		os.Remove(t.filler())
		t.report.Check(phase.name+": with room again everything works", t.works(ctx, phase.name))
	}
	fmt.Printf("     the server has ended by itself %d times\n", t.restarts)
	t.report.Check(fmt.Sprintf("the target hears of all %d acknowledged changes, and of none of the %d refused", len(t.told), len(t.untold)), t.heard())
	if err := t.server.Stop(); err != nil {
		t.report.Check("stop", err)
		return
	}
	out, clean, err := t.server.Fsck()
	if err == nil && !clean {
		err = errors.New(out)
	}
	t.report.Check("fsck", err)
}

func (t *test) restart() error {
	if err := t.server.Stop(); err != nil {
		return err
	}
	_, err := t.server.Start()
	return err
}

func (t *test) filler() string { return filepath.Join(t.disk.Mount, "of somebody else") }

// fill puts objects, large ones first, until the server refuses.
func (t *test) fill(ctx context.Context) error {
	for _, n := range []int{4 << 20, 256 << 10, 1 << 10} {
		for {
			key := fmt.Sprintf("fill/%06d", t.uploads)
			t.uploads++
			err := t.put(ctx, plain, key, body(n, byte(t.uploads)), minio.PutObjectOptions{})
			if err != nil {
				if bad := isFull(err); bad != nil {
					return bad
				}
				break
			}
			t.filled = append(t.filled, key)
		}
		for i := range 10 {
			if n > 1<<10 {
				if err := t.put(ctx, ruled, fmt.Sprintf("due/%d/%d", n, i), body(100, 1), minio.PutObjectOptions{}); err != nil && isFull(err) != nil {
					return err
				}
			}
		}
	}
	var err error
	t.left, err = t.dueNow(ctx)
	return err
}

// deleteToldOf deletes, one after the other, half of what was put for it while there was room: more than fits into the
// last block of the target's queue. It notes what the target must hear of.
func (t *test) deleteToldOf(ctx context.Context) error {
	n := 0
	for o := range t.ListObjects(ctx, events, minio.ListObjectsOptions{Prefix: "delete/", Recursive: true}) {
		if o.Err != nil {
			return o.Err
		}
		if n == toDelete/2 {
			break
		}
		if err := t.RemoveObject(ctx, events, o.Key, minio.RemoveObjectOptions{}); err != nil {
			return fmt.Errorf("after %d of them: %w", n, err)
		}
		n++
		t.told = append(t.told, harness.Told{Name: harness.EventDelete, Bucket: events, Key: o.Key})
	}
	if n != toDelete/2 {
		return fmt.Errorf("there were only %d", n)
	}
	return nil
}

// fillAll takes what is left of the disk.
func (t *test) fillAll() error {
	f, err := os.Create(t.filler())
	if err != nil {
		return err
	}
	defer f.Close()
	for n := 1 << 20; n > 0; {
		if _, err := f.Write(make([]byte, n)); err != nil {
			n /= 2 // that it does not fit is the aim
		}
	}
	return nil
}

// free deletes what has filled the disk.
func (t *test) free(ctx context.Context) error {
	for _, key := range t.filled {
		if err := t.RemoveObject(ctx, plain, key, minio.RemoveObjectOptions{}); err != nil {
			return fmt.Errorf("delete %s: %w", key, err)
		}
	}
	t.filled = nil
	return nil
}

// isFull wants an error to be an answer that the disk is full, or, where a log could not be written, that the server is out
// of service until its restart.
func isFull(err error) error {
	if err == nil {
		return errors.New("it is not refused")
	}
	if e := minio.ToErrorResponse(err); e.StatusCode == 507 || e.StatusCode == 503 {
		return nil
	}
	if strings.Contains(err.Error(), "507 ") || strings.Contains(err.Error(), "HTTP 507") || strings.Contains(err.Error(), "InsufficientStorage") || strings.Contains(err.Error(), "disk is full") {
		return nil
	}
	return fmt.Errorf("refused, but not for the disk: %w", err)
}

// heard has the target up, and wants it to be told.
func (t *test) heard() error {
	if err := t.sink.Await(t.told...); err != nil {
		return err
	}
	for _, e := range t.untold {
		if t.sink.Has(e) > 0 {
			return fmt.Errorf("told of %v, which was refused", e)
		}
	}
	return nil
}
