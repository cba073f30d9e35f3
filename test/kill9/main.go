// Command kill9 tests that kill -9 under load loses nothing that was acknowledged. Eight writers
// put, overwrite, append, rename, delete and complete multipart uploads (100 bytes to 1.5 MB, now and then above
// 5 MiB, some encrypted, some of text that is compressed) on keys of their own; the server is killed in the middle and started again. Then each key
// must hold, whole, what its last acknowledged operation left, or what the one in flight would
// have. Others ask for sessions at the same time: each that was acknowledged must work, and none
// of a user who was deleted. And lifecycle rules with days of a second delete what others put: all of
// that and nothing else. Now and then everything is read and `objsrv fsck` must find nothing; at the end everything
// is deleted, and no blob file may be left.
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/objsrv/objsrv/test/internal/harness"
)

const (
	bucket     = "kill9"
	writers    = 8
	keysEach   = 12
	maxRestart = 2 * time.Second
)

// key is what is known about one key: the last acknowledged content, and the one in flight when the
// server was killed.
type key struct {
	name     string
	acked    content
	inFlight *content
	touched  bool
}

// writer changes its keys one after the other.
type writer struct {
	rng     *rand.Rand
	keys    []*key
	ops     int
	renamed *renaming // in flight when the server was killed
}

func main() {
	server := harness.Server{}
	flag.StringVar(&server.Bin, "server", "objsrv", "`binary` of the server")
	flag.BoolVar(&server.Minio, "minio", false, "the binary is MinIO's")
	flag.StringVar(&server.Addr, "address", "127.0.0.1:9330", "`host:port` of the server")
	rounds := flag.Int("rounds", 200, "number of kills")
	every := flag.Int("full", 20, "rounds between full checks with fsck")
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "seed of the load")
	only := flag.String("only", "", "`loads`, with commas: objects, sessions, rules, archives, settings, or names of settings (all)")
	selftest := flag.Bool("selftest", false, "damage what the server holds, and succeed only if that is noticed")
	flag.Parse()

	dir, err := os.MkdirTemp("", "objsrv-kill9.")
	if err != nil {
		panic(err)
	}
	server.Dir, server.Log = dir+"/data", dir+"/server.log"
	fmt.Println("seed", *seed)
	report := &harness.Report{}
	t := &test{server: &server, report: report, rng: rand.New(rand.NewPCG(*seed, 9)), sessions: &sessions{server: &server},
		rules: &rules{server: &server, rng: rand.New(rand.NewPCG(*seed, 10))}, settings: newSettings(&server, *only), only: *only,
		archives: &archives{server: &server, rng: rand.New(rand.NewPCG(*seed, 11))}}
	server.Args = []string{"--lifecycle-day", ruleDay.String()}
	server.Env = []string{"OBJSRV_COMPRESSION_ENABLE=on", "OBJSRV_COMPRESSION_ALLOW_ENCRYPTION=on", "OBJSRV_COMPRESSION_EXTENSIONS=.txt", "OBJSRV_COMPRESSION_MIME_TYPES=none/none",
		"OBJSRV_NOTIFY_WEBHOOK_ENABLE_" + harness.NotifyTarget + "=on", "OBJSRV_NOTIFY_WEBHOOK_ENDPOINT_" + harness.NotifyTarget + "=http://192.0.2.1/"} // nobody's address; nothing is sent
	for w := range writers {
		wr := &writer{rng: rand.New(rand.NewPCG(*seed, uint64(w)))}
		for k := range keysEach {
			wr.keys = append(wr.keys, &key{name: fmt.Sprintf("w%d/k%02d%s", w, k, []string{"", ".txt"}[k%2])})
		}
		t.writers = append(t.writers, wr)
	}
	if *selftest {
		err = t.selfTest()
		report.Check("a lost, a changed and a resurrected object are noticed", err)
		report.Check("a lost session, and one that outlives its user, are noticed", t.sessions.selfTest(context.Background()))
		report.Check("a setting that is not the one acknowledged is noticed", t.settings.selfTest(context.Background()))
		report.Check("what a rule should not have deleted is noticed", t.rules.selfTest(context.Background()))
	} else {
		t.run(*rounds, *every)
	}
	server.Kill()
	os.RemoveAll(dir)
	report.Finish()
}

type test struct {
	server   *harness.Server
	report   *harness.Report
	rng      *rand.Rand
	writers  []*writer
	sessions *sessions
	rules    *rules
	settings *settings
	archives *archives
	only     string        // the loads that there are to be, with commas
	slowest  time.Duration // restart
	load1    float64       // load average at that time
}

// loadAverage returns the machine's load over the last minute, 0 when it can't be had.
func loadAverage() (load float64) {
	b, _ := os.ReadFile("/proc/loadavg")
	fmt.Sscan(string(b), &load)
	return load
}

func (t *test) run(rounds, every int) {
	if _, err := t.server.Start(); err != nil {
		t.report.Check("start", err)
		return
	}
	if err := t.server.Client(harness.Access, harness.Secret).MakeBucket(context.Background(), bucket, minio.MakeBucketOptions{}); err != nil {
		t.report.Check("create bucket", err)
		return
	}
	if err := t.rules.begin(context.Background()); err != nil {
		t.report.Check("rules", err)
		return
	}
	if err := t.settings.begin(context.Background()); err != nil {
		t.report.Check("settings", err)
		return
	}
	for n := 1; n <= rounds; n++ {
		if err := t.sessions.prepare(context.Background()); err != nil {
			t.report.Check("sessions", err)
			return
		}
		t.load(t.rules.duration())
		took, err := t.server.Start()
		if took > t.slowest {
			t.slowest, t.load1 = took, loadAverage()
		}
		if err == nil {
			full := n%every == 0 || n == rounds
			err = errors.Join(t.rules.failed(), t.rules.verify(context.Background(), full), t.verify(full), t.sessions.verify(context.Background()),
				t.settings.verify(context.Background()), t.archives.verify(context.Background()))
		}
		if err != nil {
			t.report.Check(fmt.Sprintf("round %d", n), err)
			return
		}
		if n%every == 0 || n == rounds {
			t.report.Check(fmt.Sprintf("%d rounds, %d operations acknowledged: all there and whole", n, t.ops()), nil)
			if t.has("sessions") {
				t.sessions.report(t.report)
			}
			if t.has("rules") {
				t.rules.report(context.Background(), t.report)
			}
			t.settings.report(t.report)
			if t.has("archives") {
				t.archives.report(t.report)
			}
			if !t.fsck(n) {
				return
			}
		}
	}
	name := fmt.Sprintf("restart: the slowest of %d took %v", rounds, t.slowest.Round(time.Millisecond))
	switch {
	case t.slowest <= maxRestart:
		t.report.Check(name, nil)
	case t.load1 > 2*float64(runtime.NumCPU()):
		t.report.Skip(name, fmt.Sprintf("says nothing on a machine with a load of %.1f from others", t.load1))
	default:
		t.report.Check(name, fmt.Errorf("more than %v", maxRestart))
	}
	if t.server.Minio {
		t.report.Skip("fsck and stray files", "not of this server")
		return
	}
	t.report.Check("no blob files are left when everything is deleted", t.strays())
}

// has tells whether a load is to be there.
func (t *test) has(name string) bool {
	return t.only == "" || slices.Contains(strings.Split(t.only, ","), name)
}

func (t *test) ops() (n int) {
	for _, w := range t.writers {
		n += w.ops
	}
	return n
}

// load runs all writers for some time and kills the server under them.
func (t *test) load(d time.Duration) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for _, w := range t.writers {
		if !t.has("objects") {
			break
		}
		c := t.server.Client(harness.Access, harness.Secret)
		wg.Go(func() {
			for ctx.Err() == nil {
				if err := w.step(ctx, t.server, c); err != nil {
					return
				}
			}
		})
	}
	if t.has("sessions") {
		t.sessions.load(ctx, &wg)
	}
	if t.has("rules") {
		t.rules.load(ctx, &wg)
	}
	t.settings.load(ctx, &wg, t.rng.IntN(100))
	if t.has("archives") {
		t.archives.load(ctx, &wg)
	}
	time.Sleep(d) // the length of the load, not a wait for something
	t.server.Kill()
	cancel()
	wg.Wait()
}

// step makes one operation. Its outcome is unknown when it returns an error.
func (w *writer) step(ctx context.Context, s *harness.Server, c *minio.Client) error {
	k := w.keys[w.rng.IntN(len(w.keys))]
	if to := w.keys[w.rng.IntN(len(w.keys))]; !s.Minio && to != k && k.acked.seed != 0 && w.rng.IntN(8) == 0 {
		return w.rename(ctx, s, k, to)
	}
	next := content{seed: w.rng.Uint64() | 1, size: 100 + int(float64(1_500_000)*w.rng.Float64()*w.rng.Float64()*w.rng.Float64())}
	kind := w.rng.IntN(20)
	grow := !s.Minio && k.acked.seed != 0 && w.rng.IntN(5) == 0
	switch {
	case grow: // contents of one seed begin alike
		next = content{seed: k.acked.seed, size: k.acked.size + next.size/(1+99*w.rng.IntN(2))}
	case kind < 4:
		next = content{}
	case kind == 4:
		next.size += 5 << 20
	}
	k.inFlight, k.touched = &next, true
	var err error
	switch {
	case grow:
		err = s.Append(ctx, bucket, k.name, k.acked.size, next.bytes()[k.acked.size:])
	case kind < 4:
		err = c.RemoveObject(ctx, bucket, k.name, minio.RemoveObjectOptions{})
	case kind < 8:
		err = upload(ctx, c, k.name, next.bytes(), next.options(s))
	default:
		_, err = c.PutObject(ctx, bucket, k.name, bytes.NewReader(next.bytes()), int64(next.size), next.options(s))
	}
	if err != nil {
		return err
	}
	k.acked, k.inFlight = next, nil
	w.ops++
	return nil
}

// upload puts data as parts of 5 MiB.
func upload(ctx context.Context, client *minio.Client, name string, data []byte, opts minio.PutObjectOptions) error {
	c := minio.Core{Client: client}
	id, err := c.NewMultipartUpload(ctx, bucket, name, opts)
	if err != nil {
		return err
	}
	var parts []minio.CompletePart
	for n := 1; n == 1 || len(data) > 0; n++ {
		part := data[:min(len(data), 5<<20)]
		data = data[len(part):]
		p, err := c.PutObjectPart(ctx, bucket, name, id, n, bytes.NewReader(part), int64(len(part)), minio.PutObjectPartOptions{})
		if err != nil {
			return err
		}
		parts = append(parts, minio.CompletePart{PartNumber: n, ETag: p.ETag})
	}
	_, err = c.CompleteMultipartUpload(ctx, bucket, name, id, parts, minio.PutObjectOptions{})
	return err
}

// verify reads the keys that were touched since the last time, or all, and the listing. What was in
// flight is settled by what is found.
func (t *test) verify(all bool) error {
	ctx := context.Background()
	c := t.server.Client(harness.Access, harness.Secret)
	var wg sync.WaitGroup
	errs := make([]error, len(t.writers))
	for i, w := range t.writers {
		wg.Go(func() {
			for _, k := range w.keys {
				if all || k.touched {
					errs[i] = errors.Join(errs[i], k.settle(ctx, c))
				}
			}
			errs[i] = errors.Join(errs[i], w.renamed.settle())
			w.renamed = nil
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	listed := map[string]int64{}
	for o := range c.ListObjects(ctx, bucket, minio.ListObjectsOptions{Recursive: true}) {
		if o.Err != nil {
			return fmt.Errorf("list: %w", o.Err)
		}
		listed[o.Key] = o.Size
	}
	for _, w := range t.writers {
		for _, k := range w.keys {
			size, there := listed[k.name]
			if there != (k.acked.seed != 0) || there && size != int64(k.acked.size) {
				return fmt.Errorf("%s is listed: %v, with %d bytes, but holds %v", k.name, there, size, k.acked)
			}
		}
	}
	return nil
}

// settle compares the key with what it may hold.
func (k *key) settle(ctx context.Context, c *minio.Client) error {
	got, there, err := read(ctx, c, k.name)
	if err != nil {
		return fmt.Errorf("%s: %w", k.name, err)
	}
	may := []content{k.acked}
	if k.inFlight != nil {
		may = append(may, *k.inFlight)
	}
	for _, m := range may {
		if there == (m.seed != 0) && (!there || bytes.Equal(got, m.bytes())) {
			k.acked, k.inFlight, k.touched = m, nil, false
			return nil
		}
	}
	return fmt.Errorf("%s: found %v %d bytes (SHA-256 %x), may hold %v", k.name, there, len(got), sha256.Sum256(got), may)
}

func read(ctx context.Context, c *minio.Client, name string) (data []byte, there bool, err error) {
	o, err := c.GetObject(ctx, bucket, name, minio.GetObjectOptions{})
	if err != nil {
		return nil, false, err
	}
	defer o.Close()
	data, err = io.ReadAll(o)
	if minio.ToErrorResponse(err).Code == "NoSuchKey" {
		return nil, false, nil
	}
	return data, err == nil, err
}

// fsck stops the server, checks its directory, and starts it again.
func (t *test) fsck(round int) bool {
	if t.server.Minio {
		return true
	}
	name := fmt.Sprintf("fsck after round %d", round)
	if err := t.server.Stop(); err != nil {
		t.report.Check(name, err)
		return false
	}
	out, clean, err := t.server.Fsck()
	if err == nil && !clean {
		err = errors.New(out)
	}
	t.report.Check(fmt.Sprintf("%s, %d blob files", name, len(t.blobFiles())), err)
	_, startErr := t.server.Start()
	if startErr != nil {
		t.report.Check("start after fsck", startErr)
	}
	return err == nil && startErr == nil
}
