package targets

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/notification"

	"github.com/objsrv/objsrv/test/internal/harness"
)

// told is an event as a target has it; sequencer is larger, as text, for what happened later to a key.
type told struct{ name, key, sequencer, etag string }

// place is a kind of target with a real server.
type place struct {
	kind   string // of target
	format string // of its entries, where the kind has several
	server string // as run.sh calls it
	// settings are those of the target, SETTING=VALUE; the test is left out by name where there is no server.
	settings func(t *testing.T) []string
	// read returns all events, those of one key in the order in which the target keeps them. There are n different ones.
	read func(t *testing.T, n int) []told
	// signals end the server, SIGKILL and SIGTERM without any; the first one once more before objsrv is killed.
	signals []syscall.Signal
}

// latest tells whether the target has one entry for each object that is there, and not one for each event.
func (p *place) latest() bool { return p.format == namespace }

// Formats of targets.
const (
	access    = "access"
	namespace = "namespace"
)

const bucket = "objects"

// load changes objects until it is stopped: each writer has keys of its own, so that it knows the order of their events.
type load struct {
	client *minio.Client
	count  atomic.Int64 // requests that were answered
	stop   context.CancelFunc
	all    sync.WaitGroup

	mu     sync.Mutex
	events map[string][]string // names, by key, in their order
	etags  map[string]string   // of the objects that are there
	err    error
}

const (
	created = "s3:ObjectCreated:Put"
	removed = "s3:ObjectRemoved:Delete"
	writers = 4
	keys    = 5                      // of each writer
	pace    = 100 * time.Millisecond // of each writer, at the most
)

// run lets the writers write until something is wrong or halt.
func (l *load) run(ctx context.Context) {
	ctx, l.stop = context.WithCancel(ctx)
	for w := range writers {
		l.all.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				time.Sleep(pace)
				if err := l.write(fmt.Sprintf("%d/key %d", w, i%keys), i/keys); err != nil {
					l.mu.Lock()
					l.err = err
					l.mu.Unlock()
					return
				}
			}
		})
	}
}

// write changes one object: every third time it is deleted.
func (l *load) write(key string, round int) error {
	ctx, name := context.Background(), created
	var info minio.UploadInfo
	var err error
	if round%3 == 2 {
		name = removed
		err = l.client.RemoveObject(ctx, bucket, key, minio.RemoveObjectOptions{})
	} else {
		body := fmt.Sprintf("%s %d", key, round)
		info, err = l.client.PutObject(ctx, bucket, key, strings.NewReader(body), int64(len(body)), minio.PutObjectOptions{})
	}
	if err != nil {
		return fmt.Errorf("%s of %s: %w", name, key, err)
	}
	l.count.Add(1)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events[key] = append(l.events[key], name)
	if l.etags[key] = info.ETag; info.ETag == "" {
		delete(l.etags, key)
	}
	return nil
}

// halt stops the writers after the requests that run.
func (l *load) halt(t *testing.T) {
	t.Helper()
	l.stop()
	l.all.Wait()
	if l.err != nil {
		t.Fatalf("a request fails: %v", l.err)
	}
}

// more waits for n requests to be answered.
func (l *load) more(t *testing.T, n int64) {
	t.Helper()
	n += l.count.Load()
	await(t, "requests that are answered", func() (bool, error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.count.Load() >= n, l.err
	})
}

func await(t *testing.T, what string, met func() (bool, error)) {
	t.Helper()
	if err := harness.Await(longest, what, met); err != nil {
		t.Fatal(err)
	}
}

// state is what objsrv says of the target.
type state struct {
	State             string
	Addresses         []string
	Waiting, Expected int
	Sent, Dropped     int64
	Refused           int
	Failures          int64
	LastError         string
}

// objsrv is the server under test, with one target.
type objsrv struct {
	harness.Server
	t *testing.T
}

func (o *objsrv) state() (state, error) {
	var list struct{ Targets []state }
	err := o.AdminJSON(o.t.Context(), &list, "notify", "targets")
	if err != nil || len(list.Targets) != 1 {
		return state{}, fmt.Errorf("%d targets: %w", len(list.Targets), err)
	}
	return list.Targets[0], nil
}

// until waits for a state of the target.
func (o *objsrv) until(what string, met func(state) bool) state {
	o.t.Helper()
	var s state
	await(o.t, what, func() (ok bool, err error) {
		s, err = o.state()
		return err == nil && met(s), err
	})
	return s
}

// set has the target use settings, SETTING=VALUE.
func (o *objsrv) set(kind string, settings []string) {
	prefix := "MINIO_NOTIFY_" + strings.ToUpper(kind) + "_"
	if kind == "postgresql" {
		prefix = "MINIO_NOTIFY_POSTGRES_"
	}
	o.Env = []string{"OBJSRV_NOTIFY_ALLOW=127.0.0.0/8", prefix + "ENABLE_T=on"}
	for _, s := range settings {
		name, value, _ := strings.Cut(s, "=")
		o.Env = append(o.Env, prefix+name+"_T="+value)
	}
}

// start makes objsrv, the nth at once, with a target and a bucket that sends all to it.
func start(t *testing.T, n int, kind string, settings []string) *objsrv {
	t.Helper()
	bin, list := os.Getenv("TARGETS_OBJSRV"), strings.Fields(os.Getenv("TARGETS_ADDRESSES"))
	if len(list) <= n {
		t.Fatalf("%d addresses are too few", len(list))
	}
	dir := t.TempDir()
	o := &objsrv{harness.Server{Bin: bin, Dir: filepath.Join(dir, "data"), Addr: list[n], Log: filepath.Join(dir, "log")}, t}
	o.set(kind, settings)
	if _, err := o.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		o.Kill()
		if log, err := os.ReadFile(o.Log); t.Failed() && err == nil {
			t.Logf("%s", log)
		}
	})
	client := o.Client(harness.Access, harness.Secret)
	if err := client.MakeBucket(t.Context(), bucket, minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	queue := notification.NewConfig(notification.NewArn("minio", "sqs", "", "T", kind))
	queue.AddEvents(notification.ObjectCreatedAll, notification.ObjectRemovedAll)
	var c notification.Configuration
	c.AddQueue(queue)
	if err := client.SetBucketNotification(t.Context(), bucket, c); err != nil {
		t.Fatal(err)
	}
	return o
}

// TestOutage: no event of a request that was answered is lost, those of a key stay in order, and no request fails, though
// the target's server is killed, stopped, and away while objsrv is killed.
func TestOutage(t *testing.T) {
	for n, list := range [][]*place{{kafkaPlace()}, {elasticsearchPlace(access), elasticsearchPlace(namespace)}, {postgresPlace(access), postgresPlace(namespace)},
		{mysqlPlace(access), mysqlPlace(namespace)}, {redisPlace(access), redisPlace(namespace)}, {natsPlace()}, {amqpPlace()}, {mqttPlace()}} {
		t.Run(list[0].kind, func(t *testing.T) {
			t.Parallel()
			for _, p := range list {
				t.Run(p.format, func(t *testing.T) { outage(t, n, p) })
			}
		})
	}
}

func outage(t *testing.T, n int, p *place) {
	o := start(t, n, p.kind, p.settings(t))
	s := find(t, p.server)
	l := &load{client: o.Client(harness.Access, harness.Secret), events: map[string][]string{}, etags: map[string]string{}}
	l.run(t.Context())
	o.until("the first events are sent", func(s state) bool { return s.Sent >= 50 })
	signals := p.signals
	if signals == nil {
		signals = []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM}
	}
	for _, signal := range signals {
		s.end(t, signal)
		l.more(t, 100)
		is := o.until("the target fails", func(s state) bool { return s.State == "failing" && s.Waiting > 0 })
		t.Logf("after %v: %d wait, %q", signal, is.Waiting, is.LastError)
		s.start(t, is.Addresses[0])
		o.until("it takes events again", func(now state) bool { return now.State == "ok" && now.Sent > is.Sent })
		l.more(t, 100)
	}
	s.end(t, signals[0])
	l.more(t, 100)
	l.halt(t)
	o.Kill()
	if _, err := o.Start(); err != nil {
		t.Fatal(err)
	}
	is := o.until("the queue is found again", func(s state) bool { return s.Waiting+s.Expected > 0 })
	s.start(t, is.Addresses[0])
	began := time.Now()
	is = o.until("nothing waits", func(s state) bool { return s.Waiting == 0 && s.Expected == 0 })
	t.Logf("%d requests; the rest is sent %v after the start: %+v", l.count.Load(), time.Since(began).Round(time.Millisecond), is)
	if is.Dropped != 0 || is.Refused != 0 {
		t.Errorf("%d dropped, %d refused", is.Dropped, is.Refused)
	}
	if got := p.read(t, int(l.count.Load())); p.latest() {
		compare(t, l, got)
	} else {
		judge(t, l, got)
	}
}

// compare compares what a target has of the objects with those that are there.
func compare(t *testing.T, l *load, got []told) {
	t.Helper()
	etags := map[string]string{}
	for _, e := range got {
		etags[e.key] = e.etag
	}
	if !maps.Equal(etags, l.etags) || len(got) != len(l.etags) {
		t.Errorf("%v, and there are %v", got, l.etags)
	}
	t.Logf("%d entries after %d requests", len(got), l.count.Load())
}

// judge compares what a target has with what was done.
func judge(t *testing.T, l *load, got []told) {
	t.Helper()
	byKey := map[string][]told{}
	for _, e := range got {
		byKey[e.key] = append(byKey[e.key], e)
	}
	twice := 0
	for key, want := range l.events {
		list := byKey[key]
		firsts, lasts := distinct(list), distinct(reversed(list))
		slices.Reverse(lasts)
		twice += len(list) - len(firsts)
		names := make([]string, len(firsts))
		for i := range firsts {
			names[i] = firsts[i].name
		}
		if !slices.Equal(names, want) {
			t.Errorf("%s: %d different events, %d were done", key, len(names), len(want))
		}
		bySequencer := func(a, b told) int { return strings.Compare(a.sequencer, b.sequencer) }
		if !slices.IsSortedFunc(firsts, bySequencer) || !slices.IsSortedFunc(lasts, bySequencer) {
			t.Errorf("%s: not in order", key)
		}
	}
	t.Logf("%d events of %d requests, %d of them twice", len(got), l.count.Load(), twice)
}

// distinct are the first appearances of each event.
func distinct(list []told) (out []told) {
	seen := map[string]bool{}
	for _, e := range list {
		if !seen[e.sequencer] {
			seen[e.sequencer] = true
			out = append(out, e)
		}
	}
	return out
}

func reversed(list []told) []told {
	out := slices.Clone(list)
	slices.Reverse(out)
	return out
}
