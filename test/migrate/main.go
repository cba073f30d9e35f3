// Command migrate tests that a MinIO moves to objsrv under live traffic with nothing lost or changed. It fills a MinIO with
// versions, delete markers, tags, metadata, checksums, locks and multipart objects, writes down what a client sees there, starts
// objsrv in front of it, reads, writes and deletes through that, kills it with SIGKILL in the middle of the copy, more than
// once, waits for the end, compares by `objsrv admin migrate verify`, cuts over with the MinIO stopped, and compares
// every version with what was written down.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/objsrv/objsrv/test/internal/harness"
)

// run is one migration.
type run struct {
	report  harness.Report
	ctx     context.Context
	minio   harness.Server
	server  harness.Server
	keys    int
	kills   int
	history history // as MinIO showed it
	traffic traffic
}

func main() {
	bin, minioBin := flag.String("server", "objsrv", "binary of objsrv"), flag.String("minio", "minio", "binary of MinIO")
	addr, from := flag.String("address", "127.0.0.1:9310", "of objsrv"), flag.String("source", "127.0.0.1:9311", "of MinIO")
	keys, kills := flag.Int("keys", 20_000, "objects to fill in"), flag.Int("kills", 2, "how often the server is killed while it copies")
	rate := flag.String("rate", "", "OBJSRV_MIGRATE_RATE, such as 20MiB")
	flag.Parse()
	dir, err := os.MkdirTemp("", "migrate")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	r := &run{
		ctx: context.Background(), keys: *keys, kills: *kills,
		minio:  harness.Server{Bin: *minioBin, Minio: true, Dir: filepath.Join(dir, "minio"), Addr: *from, Log: filepath.Join(dir, "minio.log")},
		server: harness.Server{Bin: *bin, Dir: filepath.Join(dir, "objsrv"), Addr: *addr, Log: filepath.Join(dir, "objsrv.log")},
	}
	if *rate != "" {
		os.Setenv("OBJSRV_MIGRATE_RATE", *rate)
	}
	if err := r.all(); err != nil {
		fmt.Println("server log:", r.server.LogTail())
		r.report.Check("the run", err)
	}
	r.server.Kill()
	r.minio.Kill()
	os.RemoveAll(dir)
	r.report.Finish()
}

func (r *run) all() error {
	if _, err := r.minio.Start(); err != nil {
		return fmt.Errorf("start MinIO: %w", err)
	}
	old := r.minio.Client(harness.Access, harness.Secret)
	began := time.Now()
	if err := fill(r.ctx, old, r.keys); err != nil {
		return fmt.Errorf("fill MinIO: %w", err)
	}
	fmt.Printf("filled in %v\n", time.Since(began).Round(time.Second))
	began = time.Now()
	var err error
	if r.history, err = record(r.ctx, old); err != nil {
		return fmt.Errorf("write down what MinIO has: %w", err)
	}
	fmt.Printf("written down in %v: %s\n", time.Since(began).Round(time.Second), r.history.summary())
	if err := r.move(); err != nil {
		return err
	}
	r.verify()
	return r.cutOver()
}

// move copies under traffic, with kills on the way.
func (r *run) move() error {
	os.Setenv("OBJSRV_MIGRATE_FROM", "http://"+r.minio.Addr)
	if _, err := r.server.Start(); err != nil {
		return err
	}
	began := time.Now()
	r.traffic.start(r)
	for kill := 1; kill <= r.kills; kill++ {
		// At a random moment of the copy: a part of what is left, which the last status tells.
		at := int64(float64(r.history.count) * (float64(kill) - 0.3 + 0.6*r.traffic.random()) / float64(r.kills+1))
		st, err := r.await(func(st *status) bool { return st.Done.Versions >= at || st.State == "complete" })
		if err != nil {
			return err
		}
		if st.State == "complete" {
			return fmt.Errorf("complete before kill %d: slow it down with -rate", kill)
		}
		r.server.Kill()
		fmt.Printf("killed after %v with %d of %d versions behind the cursor\n", time.Since(began).Round(100*time.Millisecond), st.Done.Versions, r.history.count)
		if _, err := r.server.Start(); err != nil {
			return err
		}
	}
	st, err := r.await(func(st *status) bool { return st.State == "complete" || st.State == "incomplete" })
	if err != nil {
		return err
	}
	took := time.Since(began)
	r.traffic.stop()
	fmt.Printf("moved in %v with %d kills: %d versions, %.1f MiB; %.0f versions/s; traffic meanwhile: %s\n", took.Round(100*time.Millisecond), r.kills,
		st.Done.Versions, float64(st.Done.Bytes)/(1<<20), float64(st.Done.Versions)/took.Seconds(), r.traffic.summary())
	r.report.Check("the copy is complete", st.complete())
	r.report.Check("traffic sees no wrong answer", errors.Join(r.traffic.wrong()...))
	return nil
}

// status is what `objsrv admin migrate status --json` tells.
type status struct {
	State    string
	Waiting  string
	Failed   int
	Done     struct{ Versions, Bytes int64 }
	Failures []struct{ Bucket, Key, Reason string }
	Buckets  []struct {
		Name       string
		NotCarried []string
	}
}

func (st *status) complete() error {
	if st.State != "complete" {
		return fmt.Errorf("%s, %d failed: %v", st.State, st.Failed, st.Failures)
	}
	for _, b := range st.Buckets {
		for _, n := range b.NotCarried {
			fmt.Printf("     %s: %s\n", b.Name, n)
		}
	}
	return nil
}

// await asks for the status until it is as wanted.
func (r *run) await(ok func(*status) bool) (*status, error) {
	for end := time.Now().Add(15 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		st := &status{}
		out, err := r.admin("migrate", "status", "--json")
		if err == nil {
			err = json.Unmarshal(out, st)
		}
		if err != nil {
			return nil, fmt.Errorf("status: %w: %s", err, out)
		}
		if ok(st) {
			return st, nil
		}
		if time.Now().After(end) {
			return nil, fmt.Errorf("not there after 15 min: %s", out)
		}
	}
}

func (r *run) admin(args ...string) ([]byte, error) {
	cmd := exec.CommandContext(r.ctx, r.server.Bin, append([]string{"admin"}, args...)...)
	cmd.Env = append(os.Environ(), "OBJSRV_URL=http://"+r.server.Addr, "OBJSRV_ACCESS_KEY="+harness.Access, "OBJSRV_SECRET_KEY="+harness.Secret)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.Bytes(), err
}

// verify has the server itself compare both sides.
func (r *run) verify() {
	began := time.Now()
	out, err := r.admin("migrate", "verify")
	if err != nil {
		err = fmt.Errorf("%w: %.2000s", err, out)
	}
	fmt.Printf("verify took %v:\n%.800s", time.Since(began).Round(100*time.Millisecond), out)
	r.report.Check("objsrv admin migrate verify finds no difference", err)
}

// cutOver stops MinIO, starts the server without it, and compares everything with what was written down.
func (r *run) cutOver() error {
	if err := errors.Join(r.server.Stop(), r.minio.Stop()); err != nil {
		return err
	}
	os.Unsetenv("OBJSRV_MIGRATE_FROM")
	os.Unsetenv("OBJSRV_MIGRATE_RATE")
	if _, err := r.server.Start(); err != nil {
		return fmt.Errorf("cut over: %w", err)
	}
	now, err := record(r.ctx, r.server.Client(harness.Access, harness.Secret))
	if err != nil {
		return fmt.Errorf("read what has come: %w", err)
	}
	fmt.Println("here now:", now.summary())
	r.report.Check("every version is as it was written down", r.compare(&now))
	r.report.Check("a version that differs is seen", r.seen(&now))
	r.report.Check("settings of buckets have come", settings(r.ctx, r.server.Client(harness.Access, harness.Secret)))
	if err := r.server.Stop(); err != nil {
		return err
	}
	out, clean, err := r.server.Fsck()
	if err == nil && !clean {
		err = errors.New(out)
	}
	r.report.Check("fsck finds nothing", err)
	return nil
}

// settings looks at what fill has set of buckets.
func settings(ctx context.Context, c *minio.Client) error {
	v, err := c.GetBucketVersioning(ctx, "suspended")
	if err == nil && v.Status != "Suspended" {
		err = fmt.Errorf("versioning of suspended: %q", v.Status)
	}
	tags, terr := c.GetBucketTagging(ctx, "versioned")
	if terr == nil && tags.ToMap()["team"] != "blue" {
		terr = fmt.Errorf("tags of versioned: %v", tags)
	}
	policy, perr := c.GetBucketPolicy(ctx, "plain")
	if perr == nil && policy == "" {
		perr = errors.New("plain has no policy")
	}
	mode, days, _, lerr := c.GetBucketObjectLockConfig(ctx, "locked")
	if lerr == nil && (mode == nil || string(*mode) != "GOVERNANCE" || days == nil || *days != 1) {
		lerr = errors.New("locked has another default")
	}
	return errors.Join(err, terr, perr, lerr)
}
