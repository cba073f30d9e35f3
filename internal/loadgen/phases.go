package loadgen

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
)

// Sizes of the objects.
const (
	small  = 4 << 10
	medium = 1 << 20
	large  = 16 << 20
)

// pageKeys is the number of keys of a page of a listing, S3's maximum.
const pageKeys = 1000

// Phase is one kind of operation.
type Phase struct {
	Name   string
	Size   int64   // payload of one operation in bytes
	Large  bool    // throughput in MiB/s says more than operations per second
	Static bool    // a static file server can do it
	Goal   float64 // what objsrv wants to reach as a multiple of MinIO, 0 for none

	warm    int  // requests per connection before the clock starts
	loop    bool // requests may be repeated
	prepare func(s *session, n int) []Request
	verify  func(ctx context.Context, s *session) error          // one answer looked at in full
	done    func(ctx context.Context, s *session, ops int) error // after ops of the prepared requests were sent
}

// Phases returns all phases in the order in which they must run: reads and deletions use
// what the phases before have written.
func Phases() []Phase {
	return []Phase{
		{Name: "PUT 4 KiB", Size: small, Goal: 10, warm: 20, prepare: preparePut, done: donePut, verify: verifyPut},
		{Name: "GET 4 KiB", Size: small, Goal: 4.5, Static: true, warm: 20, loop: true, prepare: prepareRead(http.MethodGet), verify: verifyGet},
		{Name: "HEAD", Goal: 4, warm: 20, loop: true, prepare: prepareRead(http.MethodHead)},
		{Name: "LIST 1000 keys", Goal: 20, warm: 1, loop: true, prepare: prepareList, verify: verifyList},
		{Name: "DELETE", Goal: 5.5, prepare: prepareDelete, done: doneDelete},
		{Name: "PUT 1 MiB", Size: medium, Large: true, Goal: 2, warm: 2, prepare: prepareLarge(medium), done: doneLarge},
		{Name: "PUT 16 MiB", Size: large, Large: true, warm: 1, prepare: prepareLarge(large), done: doneLarge},
		{Name: "GET 16 MiB", Size: large, Large: true, Static: true, Goal: 1.3, warm: 1, loop: true, prepare: prepareReadLarge, verify: verifyGetLarge},
	}
}

// session is what has been stored on one target.
type session struct {
	target   *Target
	bucket   string
	objects  int // "d/" keys that are there from the beginning to the end
	conns    int
	seq      int      // makes keys unique
	pending  []string // keys of the requests prepared last
	written  []string // small objects to be deleted by DELETE
	garbage  []string // large objects to be deleted after the round
	bodies   map[int64][]Payload
	sequence uint64 // makes small bodies unique
	temp     Target // with temporary credentials, which the phases of sessions got
}

// largeKeys is the number of 16 MiB objects that are read.
const largeKeys = 8

func (s *session) path(key string) string { return "/" + s.bucket + "/" + key }

func dataKey(i int) string  { return fmt.Sprintf("d/%08d", i) }
func largeKey(i int) string { return fmt.Sprintf("l/%d", i) }

// noise returns n bytes that do not compress, the same for the same seed.
func noise(seed byte, n int64) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{0: seed, 1: byte(n >> 16)}).Read(b)
	return b
}

// smallBody returns the i-th of the small bodies, which all differ.
func smallBody(base []byte, i uint64) Payload {
	data := append([]byte(nil), base...)
	binary.BigEndian.PutUint64(data, i)
	return NewPayload(data)
}

// newBodies makes the bodies that all targets share.
func newBodies() map[int64][]Payload {
	m := map[int64][]Payload{small: {NewPayload(noise(1, small))}}
	for size, n := range map[int64]int{medium: 32, large: 4} {
		for i := range n {
			m[size] = append(m[size], NewPayload(noise(byte(i), size)))
		}
	}
	return m
}

// build makes n requests on all processors; request must not change what its calls share.
func build(n int, request func(i int) Request) []Request {
	list := make([]Request, n)
	procs := runtime.GOMAXPROCS(0)
	var wg sync.WaitGroup
	for p := range procs {
		wg.Go(func() {
			for i := p; i < n; i += procs {
				list[i] = request(i)
			}
		})
	}
	wg.Wait()
	return list
}

func preparePut(s *session, n int) []Request {
	s.seq++
	s.pending = make([]string, n)
	for i := range s.pending {
		s.pending[i] = fmt.Sprintf("p/%d/%08d", s.seq, i)
	}
	first := s.sequence
	s.sequence += uint64(n)
	base := s.bodies[small][0].Data
	return build(n, func(i int) Request {
		return s.target.Request(http.MethodPut, s.path(s.pending[i]), nil, smallBody(base, first+uint64(i)), -1)
	})
}

func donePut(_ context.Context, s *session, ops int) error {
	s.written = append(s.written, s.pending[:ops]...)
	return nil
}

// verifyPut reads one object back: the answers of the phase itself were only counted.
func verifyPut(ctx context.Context, s *session) error {
	if len(s.written) == 0 {
		return nil
	}
	key := s.written[len(s.written)-1]
	body, err := s.target.One(ctx, http.MethodGet, s.path(key), nil, Payload{})
	if err != nil {
		return err
	}
	if base := s.bodies[small][0].Data; len(body) != small || string(body[8:]) != string(base[8:]) {
		return fmt.Errorf("GET %s: not the bytes that were written", key)
	}
	return nil
}

// order returns a fixed permutation, so that reads do not follow the order of writing.
func order(n int) []int { return rand.New(rand.NewPCG(1, uint64(n))).Perm(n) }

func prepareRead(method string) func(s *session, n int) []Request {
	return func(s *session, n int) []Request {
		perm := order(s.objects)
		return build(min(n, s.objects), func(i int) Request {
			return s.target.Request(method, s.path(dataKey(perm[i])), nil, Payload{}, small)
		})
	}
}

func verifyGet(ctx context.Context, s *session) error {
	i := s.objects / 2
	body, err := s.target.One(ctx, http.MethodGet, s.path(dataKey(i)), nil, Payload{})
	if err != nil {
		return err
	}
	if want := smallBody(s.bodies[small][0].Data, uint64(i)); string(body) != string(want.Data) {
		return fmt.Errorf("GET %s: not the bytes that were written", dataKey(i))
	}
	return nil
}

// listQuery asks for a full page of the keys behind the i-th.
func listQuery(i int) url.Values {
	return url.Values{
		"list-type": {"2"}, "max-keys": {strconv.Itoa(pageKeys)},
		"prefix": {"d/"}, "start-after": {dataKey(i)},
	}
}

func prepareList(s *session, n int) []Request {
	return listPages(s.target, s.bucket, s.objects, min(n, 1000))
}

// listPages returns n requests for full pages that start anywhere in the first objects
// keys of a bucket.
func listPages(t *Target, bucket string, objects, n int) []Request {
	perm := rand.New(rand.NewPCG(2, uint64(objects)))
	starts := make([]int, n)
	for i := range starts {
		starts[i] = perm.IntN(objects - pageKeys)
	}
	return build(n, func(i int) Request {
		return t.Request(http.MethodGet, "/"+bucket, listQuery(starts[i]), Payload{}, -1)
	})
}

func verifyList(ctx context.Context, s *session) error {
	return verifyPage(ctx, s.target, s.bucket, s.objects-pageKeys-1)
}

// verifyPage looks whether the page behind the i-th key has the keys it should.
func verifyPage(ctx context.Context, t *Target, bucket string, i int) error {
	body, err := t.One(ctx, http.MethodGet, "/"+bucket, listQuery(i), Payload{})
	if err != nil {
		return err
	}
	keys := keysOf(body)
	if len(keys) != pageKeys {
		return fmt.Errorf("list: %d keys, want %d", len(keys), pageKeys)
	}
	for j, key := range keys {
		if want := dataKey(i + 1 + j); key != want {
			return fmt.Errorf("list: key %d is %q, want %q", j, key, want)
		}
	}
	return nil
}

func prepareDelete(s *session, _ int) []Request {
	rand.New(rand.NewPCG(3, 3)).Shuffle(len(s.written), func(i, j int) {
		s.written[i], s.written[j] = s.written[j], s.written[i]
	})
	return s.deletes(s.written)
}

func (s *session) deletes(keys []string) []Request {
	return build(len(keys), func(i int) Request {
		return s.target.Request(http.MethodDelete, s.path(keys[i]), nil, Payload{}, -1)
	})
}

func doneDelete(ctx context.Context, s *session, ops int) error {
	rest := s.written[ops:]
	s.written = nil
	return s.remove(ctx, rest)
}

// remove deletes keys outside any measurement.
func (s *session) remove(ctx context.Context, keys []string) error {
	if len(keys) == 0 {
		return nil
	}
	requests := s.deletes(keys)
	l := Load{Addr: s.target.Addr, Conns: s.conns, Requests: requests}
	_, err := l.Run(ctx)
	return err
}

func prepareLarge(size int64) func(s *session, n int) []Request {
	return func(s *session, n int) []Request {
		s.seq++
		s.pending = make([]string, n)
		for i := range s.pending {
			s.pending[i] = fmt.Sprintf("b/%d/%06d", s.seq, i)
		}
		bodies := s.bodies[size]
		return build(n, func(i int) Request {
			return s.target.Request(http.MethodPut, s.path(s.pending[i]), nil, bodies[i%len(bodies)], -1)
		})
	}
}

// doneLarge leaves the objects there until the round is over: ext4 without a journal searches long
// for an inode that has not been freed lately.
func doneLarge(_ context.Context, s *session, ops int) error {
	s.garbage = append(s.garbage, s.pending[:ops]...)
	return nil
}

// tidy removes the large objects of a round.
func (s *session) tidy(ctx context.Context) error {
	keys := s.garbage
	s.garbage = nil
	return s.remove(ctx, keys)
}

func prepareReadLarge(s *session, n int) []Request {
	return build(min(n, largeKeys), func(i int) Request {
		return s.target.Request(http.MethodGet, s.path(largeKey(i)), nil, Payload{}, large)
	})
}

func verifyGetLarge(ctx context.Context, s *session) error {
	body, err := s.target.One(ctx, http.MethodGet, s.path(largeKey(0)), nil, Payload{})
	if err != nil {
		return err
	}
	if string(body) != string(s.bodies[large][0].Data) {
		return fmt.Errorf("GET %s: not the bytes that were written", largeKey(0))
	}
	return nil
}

// fill stores what the reading phases read: on a static server as files, else by PUT into a
// new bucket.
func (s *session) fill(ctx context.Context) error {
	if s.target.Static() {
		return s.fillFiles()
	}
	if _, err := s.target.One(ctx, http.MethodPut, "/"+s.bucket, nil, Payload{}); err != nil {
		return err
	}
	for name, body := range s.target.Settings {
		if _, err := s.target.One(ctx, http.MethodPut, "/"+s.bucket, url.Values{name: {""}}, NewPayload([]byte(body))); err != nil {
			return err
		}
	}
	base := s.bodies[small][0].Data
	requests := build(s.objects, func(i int) Request {
		return s.target.Request(http.MethodPut, s.path(dataKey(i)), nil, smallBody(base, uint64(i)), -1)
	})
	s.sequence = uint64(s.objects)
	bigs := build(largeKeys, func(i int) Request {
		return s.target.Request(http.MethodPut, s.path(largeKey(i)), nil, s.bodies[large][i%len(s.bodies[large])], -1)
	})
	for _, list := range [][]Request{requests, bigs} {
		l := Load{Addr: s.target.Addr, Conns: s.conns, Requests: list}
		if _, err := l.Run(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) fillFiles() error {
	root := filepath.Join(s.target.Dir, s.bucket)
	for _, dir := range []string{"d", "l"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			return err
		}
	}
	base := s.bodies[small][0].Data
	for i := range s.objects {
		if err := os.WriteFile(filepath.Join(root, dataKey(i)), smallBody(base, uint64(i)).Data, 0o644); err != nil {
			return err
		}
	}
	for i := range largeKeys {
		if err := os.WriteFile(filepath.Join(root, largeKey(i)), s.bodies[large][i%len(s.bodies[large])].Data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// clear removes everything that the session has stored.
func (s *session) clear(ctx context.Context) error {
	if s.target.Static() {
		return os.RemoveAll(filepath.Join(s.target.Dir, s.bucket))
	}
	keys := append(s.written, s.garbage...)
	for i := range s.objects {
		keys = append(keys, dataKey(i))
	}
	for i := range largeKeys {
		keys = append(keys, largeKey(i))
	}
	if err := s.remove(ctx, keys); err != nil {
		return err
	}
	_, err := s.target.One(ctx, http.MethodDelete, "/"+s.bucket, nil, Payload{})
	return err
}
