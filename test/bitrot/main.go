// Command bitrot tests that damage on the disk is noticed. It fills a server with objects of all
// kinds and stops it. A trial flips one bit in a copy of the directory, in a blob file or a file of
// the index, starts a server on the copy and reads everything: an object comes back whole, or as an
// error, or the connection is cut; never as other bytes in a complete answer, and never as absent.
// Errors must be counted in the metrics, and `objsrv fsck` must name the damage. A server that
// refuses to start, and says why, has noticed it too when the bit is in the index.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/encrypt"
	"github.com/objsrv/objsrv/test/internal/harness"
)

const bucket = "bitrot"

func main() {
	server := harness.Server{}
	flag.StringVar(&server.Bin, "server", "objsrv", "`binary` of the server")
	flag.StringVar(&server.Addr, "address", "127.0.0.1:9340", "`host:port` of the server")
	trials := flag.Int("trials", 60, "number of bits flipped, one after the other")
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "seed of the choice")
	keep := flag.Bool("keep", false, "keep the directory of the first failure and print its name")
	flag.Parse()

	dir, err := os.MkdirTemp("", "objsrv-bitrot.")
	if err != nil {
		panic(err)
	}
	fmt.Println("seed", *seed)
	report := &harness.Report{}
	t := &test{server: server, dir: dir, rng: rand.New(rand.NewPCG(*seed, 1)), objects: map[string][]byte{}}
	kept := t.run(report, *trials, *keep)
	if kept {
		fmt.Println("kept", dir)
	} else {
		os.RemoveAll(dir)
	}
	report.Finish()
}

type test struct {
	server  harness.Server
	dir     string
	rng     *rand.Rand
	objects map[string][]byte
}

func (t *test) run(report *harness.Report, trials int, keep bool) (kept bool) {
	pristine := filepath.Join(t.dir, "pristine")
	t.server.Log = filepath.Join(t.dir, "server.log")
	t.server.Dir = pristine
	if err := t.fill(); err != nil {
		report.Check("fill", err)
		return false
	}
	kinds, err := filesByKind(pristine)
	if err != nil {
		report.Check("files", err)
		return false
	}
	names := make([]string, 0, len(kinds))
	for kind, files := range kinds {
		names = append(names, fmt.Sprintf("%s (%d)", kind, len(files)))
	}
	slices.Sort(names)
	fmt.Println("files:", strings.Join(names, ", "))
	if err := t.unharmed(pristine); err != nil {
		report.Check("without damage", err)
		return false
	}
	report.Check("without damage all is well", nil)
	for n := range trials {
		// half of the trials in blobs, the rest over the kinds of index files
		kind := strings.Fields(names[n/2%len(names)])[0]
		if n%2 == 0 && kinds["blob"] != nil {
			kind = "blob"
		}
		rel := kinds[kind][t.rng.IntN(len(kinds[kind]))]
		what, err := t.trial(pristine, rel, kind)
		name := fmt.Sprintf("trial %d, %s: %s", n, kind, what)
		report.Check(name, err)
		if err != nil && keep {
			return true
		}
	}
	return false
}

// shrinking is the type of the objects that run.sh has the server compress.
const shrinking = "text/shrinking"

// fill makes the objects: inline and blob-backed ones around every limit of size, one of parts, plain, encrypted,
// compressed and both, and many small ones so that the index has files of its own.
func (t *test) fill() error {
	if _, err := t.server.Start(); err != nil {
		return err
	}
	ctx := context.Background()
	c := t.server.Client(harness.Access, harness.Secret)
	if err := c.MakeBucket(ctx, bucket, minio.MakeBucketOptions{}); err != nil {
		return err
	}
	sizes := []int{0, 1, 100, 4 << 10, 16<<10 + 1, 32 << 10, 64 << 10, 64<<10 + 1, 300_000, 1 << 20, 3<<20 + 5, 7 << 20}
	for i := range 40 {
		sizes = append(sizes, 500+i*997)
	}
	for i, size := range sizes {
		data := make([]byte, size)
		for j := range data {
			data[j] = byte(t.rng.Uint32())
		}
		opts := minio.PutObjectOptions{DisableMultipart: size != 7<<20, PartSize: 5 << 20, UserMetadata: map[string]string{"n": strconv.Itoa(i)}}
		switch i % 4 {
		case 1:
			opts.ServerSideEncryption = encrypt.NewSSE()
		case 2: // it shrinks, to about a quarter
			for j := range data {
				data[j] = "0123456789abcdef"[data[j]/64]
			}
			opts.ContentType = shrinking
		case 3:
			for j := range data {
				data[j] = "0123456789abcdef"[data[j]/64]
			}
			opts.ContentType, opts.ServerSideEncryption = shrinking, encrypt.NewSSE()
		}
		key := fmt.Sprintf("o%03d", i)
		if _, err := c.PutObject(ctx, bucket, key, bytes.NewReader(data), int64(size), opts); err != nil {
			return fmt.Errorf("put %d bytes: %w", size, err)
		}
		t.objects[key] = data
	}
	// a second life, so that the index has more than one file
	if err := errors.Join(t.server.Stop(), second(t.server.Start())); err != nil {
		return err
	}
	for i := range 200 {
		key, data := fmt.Sprintf("p%03d", i), bytes.Repeat([]byte{byte(i)}, 2000)
		if _, err := c.PutObject(ctx, bucket, key, bytes.NewReader(data), int64(len(data)), minio.PutObjectOptions{}); err != nil {
			return err
		}
		t.objects[key] = data
	}
	return t.server.Stop()
}

func second[T any](_ T, err error) error { return err }

// filesByKind returns the non-empty files below dir that hold data, relative to it: "blob", and those
// of the index by what Pebble calls them.
func filesByKind(dir string) (map[string][]string, error) {
	kinds := map[string][]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err != nil || info.Size() == 0 {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		top, _, _ := strings.Cut(filepath.ToSlash(rel), "/")
		name := d.Name()
		switch {
		case top == "blobs":
			kinds["blob"] = append(kinds["blob"], rel)
		case top != "index":
		case filepath.Ext(name) == ".sst", filepath.Ext(name) == ".blob", filepath.Ext(name) == ".log":
			kind := "index" + filepath.Ext(name)
			kinds[kind] = append(kinds[kind], rel)
		case strings.HasPrefix(name, "MANIFEST"):
			kinds["index.manifest"] = append(kinds["index.manifest"], rel)
		}
		return nil
	})
	return kinds, err
}

// unharmed checks a copy that nothing was done to: the test of the test, since there a server that
// always answers with errors would fail.
func (t *test) unharmed(pristine string) error {
	if err := t.copy(pristine); err != nil {
		return err
	}
	if _, err := t.server.Start(); err != nil {
		return err
	}
	seen := t.readAll()
	counted, err := t.damageCounted()
	if err := errors.Join(err, t.server.Stop()); err != nil {
		return err
	}
	out, clean, err := t.server.Fsck()
	switch {
	case err != nil:
		return err
	case !clean:
		return fmt.Errorf("fsck finds fault: %s", out)
	case seen.verdict() != nil || seen.errors > 0 || counted > 0:
		return fmt.Errorf("%v, %d errors, %v counted: %v", seen.verdict(), seen.errors, counted, seen.example)
	}
	return nil
}

func (t *test) copy(pristine string) error {
	t.server.Dir = filepath.Join(t.dir, "copy")
	if err := os.RemoveAll(t.server.Dir); err != nil {
		return err
	}
	return os.CopyFS(t.server.Dir, os.DirFS(pristine))
}

// trial flips a bit of the file rel in a copy of pristine and tells what came of it.
func (t *test) trial(pristine, rel, kind string) (what string, err error) {
	if err := t.copy(pristine); err != nil {
		return "copy", err
	}
	path := filepath.Join(t.server.Dir, rel)
	data, err := os.ReadFile(path)
	if err != nil {
		return "read", err
	}
	off := t.rng.IntN(len(data))
	data[off] ^= 1 << t.rng.IntN(8)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		return "write", err
	}
	what = fmt.Sprintf("%s byte %d of %d", rel, off, len(data))
	// fsck first, on what nobody has opened since
	out, clean, err := t.server.Fsck()
	if err != nil {
		return what, err
	}
	if _, err := t.server.Start(); errors.Is(err, harness.ErrExited) {
		switch {
		case kind == "blob":
			return what, fmt.Errorf("one bad blob stops the whole server: %w", err)
		case clean:
			return what, fmt.Errorf("the server refuses to start, and fsck says nothing: %w", err)
		}
		return what + ": refused to start", nil
	} else if err != nil {
		return what, err
	}
	seen := t.readAll()
	counted, err := t.damageCounted()
	if err := errors.Join(err, t.server.Stop(), seen.verdict()); err != nil {
		return what, err
	}
	what += fmt.Sprintf(": %d errors", seen.errors)
	switch {
	case seen.errors > 0 && counted == 0:
		return what, fmt.Errorf("damage was answered with an error and not counted (%s)", seen.example)
	// a blob file that nothing was read from (a manifest, which the index has too) only fsck can name
	case clean && (seen.errors > 0 || kind == "blob" || kind == "index.sst" || kind == "index.blob"):
		return what, fmt.Errorf("fsck does not name it; reading: %s", seen.example)
	case kind == "blob" && !strings.Contains(out, filepath.Base(rel)):
		return what, fmt.Errorf("fsck does not name the file: %s", out)
	}
	return what, nil
}

// sight is what reading everything showed.
type sight struct {
	errors  int // answers with an error, or cut connections
	wrong   []string
	absent  []string
	example string
}

// verdict is nil when nothing was wrong or absent.
func (s *sight) verdict() error {
	switch {
	case len(s.wrong) > 0:
		return fmt.Errorf("WRONG BYTES in a complete 200: %v", s.wrong)
	case len(s.absent) > 0:
		return fmt.Errorf("damage is shown as absence: %v", s.absent[:min(5, len(s.absent))])
	}
	return nil
}

// see adds one answer about key: its status, and its body when that was complete.
func (s *sight) see(key string, want []byte, status int, body []byte, err error) {
	switch {
	case err != nil || status >= 500:
		s.errors++
		s.example = fmt.Sprintf("%s: status %d, %v, %.200q", key, status, err, body)
	case status == http.StatusOK && bytes.Equal(body, want):
	case status == http.StatusOK:
		s.wrong = append(s.wrong, key)
	default:
		s.absent = append(s.absent, fmt.Sprintf("%s (%d)", key, status))
	}
}

// readAll gets every object by presigned URLs, so that no client library hides or repairs anything, and
// the listing.
func (t *test) readAll() *sight {
	ctx := context.Background()
	c := t.server.Client(harness.Access, harness.Secret)
	seen := &sight{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	limit := make(chan struct{}, 8)
	for key, want := range t.objects {
		wg.Go(func() {
			limit <- struct{}{}
			defer func() { <-limit }()
			u, err := c.PresignedGetObject(ctx, bucket, key, time.Minute, nil)
			if err != nil {
				panic(err) // no request is made
			}
			status, body, err := get(u.String())
			mu.Lock()
			defer mu.Unlock()
			seen.see(key, want, status, body, err)
		})
	}
	wg.Wait()
	listed := map[string]bool{}
	for o := range c.ListObjects(ctx, bucket, minio.ListObjectsOptions{Recursive: true}) {
		if o.Err != nil {
			if minio.ToErrorResponse(o.Err).StatusCode == http.StatusNotFound {
				seen.absent = append(seen.absent, "the bucket")
			}
			seen.errors++
			seen.example = "list: " + o.Err.Error()
			return seen
		}
		listed[o.Key] = true
	}
	for key := range t.objects {
		if !listed[key] {
			seen.absent = append(seen.absent, key+" (listing)")
		}
	}
	return seen
}

func get(url string) (status int, body []byte, err error) {
	res, err := http.Get(url)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	body, err = io.ReadAll(res.Body)
	return res.StatusCode, body, err
}

var damageTotal = regexp.MustCompile(`(?m)^[a-z_]*damage[a-z_]*_total(?:\{[^}]*\})? (\S+)$`)

// damageCounted returns the server's counter of damage.
func (t *test) damageCounted() (float64, error) {
	status, body, err := get("http://" + t.server.Addr + "/-/metrics")
	if err != nil || status != http.StatusOK {
		return 0, fmt.Errorf("metrics: status %d, %w", status, err)
	}
	found := damageTotal.FindAllSubmatch(body, -1)
	if found == nil {
		return 0, errors.New("metrics have no counter of damage")
	}
	sum := 0.0
	for _, m := range found {
		n, err := strconv.ParseFloat(string(m[1]), 64)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}
