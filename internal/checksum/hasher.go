package checksum

import (
	"crypto/md5"
	"hash"
	"sync"
	"sync/atomic"

	md5simd "github.com/minio/md5-simd"
)

// The limits between crypto/md5 and md5-simd come from BenchmarkMD5Choice (2 cores,
// AVX-512): with 1 to 4 concurrent bodies the lanes cost more CPU than they save
// (2.0 against 1.4 s/GiB alone), from 8 on they halve it (0.6 against 1.4), and below
// 1 MiB the hand-over to the server's goroutine eats the gain.
const (
	laneMinSize    = 1 << 20
	laneMinStreams = 6
	laneHashes     = 32       // hashes registered with the server at most
	laneBuffer     = 32 << 10 // the block size of md5-simd
)

// Pool hands out Hashers and holds the MD5 server whose SIMD lanes large concurrent
// bodies share. Safe for concurrent use. The server and its one goroutine start
// with the first load that needs them; Close ends them.
type Pool struct {
	hashers sync.Pool
	large   atomic.Int32 // bodies of laneMinSize and more being hashed now

	mu     sync.Mutex
	server md5simd.Server
	// free are hashes registered with the server and not in use. They are never closed
	// before the server is, because md5-simd v1.1.2 keeps a closed hash in its table of
	// clients for good and walks that table for every batch.
	free   []md5simd.Hasher
	made   int
	closed bool
}

// NewPool returns an empty pool.
func NewPool() *Pool {
	p := &Pool{}
	p.hashers.New = func() any { return &Hasher{std: md5.New()} }
	return p
}

// Get returns a Hasher that computes MD5 and the algorithms a and b (either may be
// None, or MD5). size is the expected number of bytes, -1 when unknown: it selects
// the implementation of MD5 and bounds nothing. Give the Hasher back with Put.
func (p *Pool) Get(size int64, a, b Algorithm) *Hasher {
	h := p.hashers.Get().(*Hasher)
	h.reset(a, b)
	if size >= laneMinSize {
		h.large = true
		if p.large.Add(1) >= laneMinStreams {
			h.lane = p.takeLane()
		}
	}
	return h
}

// GetBare is Get for a body whose MD5 nobody wants, unless a or b is MD5: MD5 must not be called then.
func (p *Pool) GetBare(a, b Algorithm) *Hasher {
	h := p.hashers.Get().(*Hasher)
	h.reset(a, b)
	h.bare = a != MD5 && b != MD5
	return h
}

// Put takes h back; h and what Sum returned must not be used afterwards.
// It may be called at any time, also in the middle of a body.
func (p *Pool) Put(h *Hasher) {
	if h.large {
		h.large = false
		p.large.Add(-1)
	}
	if h.lane != nil {
		h.lane.Reset()
		p.giveLane(h.lane)
		h.lane = nil
	}
	p.hashers.Put(h)
}

// Close ends the MD5 server. No Hasher may be in use; later Get calls work without it.
func (p *Pool) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.free = nil
	if p.server != nil {
		p.server.Close()
		p.server = nil
	}
}

// takeLane returns a free hash of the server, or nil when all are in use.
func (p *Pool) takeLane() md5simd.Hasher {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.free); n > 0 {
		lane := p.free[n-1]
		p.free = p.free[:n-1]
		return lane
	}
	if p.closed || p.made == laneHashes {
		return nil
	}
	if p.server == nil {
		p.server = md5simd.NewServer()
	}
	p.made++
	return p.server.NewHash()
}

func (p *Pool) giveLane(lane md5simd.Hasher) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.free = append(p.free, lane)
	}
}

// Hasher is an io.Writer that feeds MD5 and up to two further algorithms at once. It
// allocates nothing once it has seen its algorithms. Not safe for concurrent use.
type Hasher struct {
	std   hash.Hash
	lane  md5simd.Hasher // nil: std computes the MD5
	large bool
	bare  bool // no MD5 is computed
	n     int64

	// pending gathers small writes for lane: it takes whole blocks only, which keeps
	// hand-overs rare and keeps md5-simd from holding a buffer while it waits for another.
	pending  []byte
	pendingN int

	algs  [2]Algorithm
	extra [2]hash.Hash
	kept  [numAlgorithms]hash.Hash // made once for each algorithm and reused

	done bool
	md5  [md5.Size]byte
	sum  [MaxSize]byte
}

func (h *Hasher) reset(a, b Algorithm) {
	h.n, h.pendingN, h.done, h.bare = 0, 0, false, false
	h.std.Reset()
	if a == b {
		b = None
	}
	h.algs = [2]Algorithm{a, b}
	for i, alg := range h.algs {
		h.extra[i] = nil
		if alg == None || alg == MD5 {
			continue
		}
		if h.kept[alg] == nil {
			h.kept[alg] = alg.New()
		} else {
			h.kept[alg].Reset()
		}
		h.extra[i] = h.kept[alg]
	}
}

// Write adds p. It never fails. It must not be called after MD5 or Sum.
func (h *Hasher) Write(p []byte) (int, error) {
	h.n += int64(len(p))
	for _, x := range h.extra {
		if x != nil {
			x.Write(p)
		}
	}
	if h.bare {
		return len(p), nil
	}
	if h.lane == nil {
		return h.std.Write(p)
	}
	h.writeLane(p)
	return len(p), nil
}

func (h *Hasher) writeLane(p []byte) {
	if h.pending == nil {
		h.pending = make([]byte, laneBuffer)
	}
	if h.pendingN > 0 {
		n := copy(h.pending[h.pendingN:], p)
		h.pendingN += n
		p = p[n:]
		if h.pendingN < laneBuffer {
			return
		}
		h.lane.Write(h.pending)
		h.pendingN = 0
	}
	if n := len(p) &^ (laneBuffer - 1); n > 0 {
		h.lane.Write(p[:n])
		p = p[n:]
	}
	h.pendingN = copy(h.pending, p)
}

// Len returns the number of bytes written.
func (h *Hasher) Len() int64 { return h.n }

// Bare tells whether there is no MD5.
func (h *Hasher) Bare() bool { return h.bare }

// MD5 returns the MD5 of all bytes written.
func (h *Hasher) MD5() [md5.Size]byte {
	if !h.done {
		h.done = true
		if h.lane != nil {
			h.lane.Write(h.pending[:h.pendingN])
			h.lane.Sum(h.md5[:0])
		} else {
			h.std.Sum(h.md5[:0])
		}
	}
	return h.md5
}

// Sum returns the checksum of alg, which must be MD5 or one of the algorithms given to
// Get, else nil. The bytes are valid until the next Sum or Put.
func (h *Hasher) Sum(alg Algorithm) []byte {
	if alg == MD5 {
		sum := h.MD5()
		return append(h.sum[:0], sum[:]...)
	}
	for i, a := range h.algs {
		if a == alg && h.extra[i] != nil {
			return h.extra[i].Sum(h.sum[:0])
		}
	}
	return nil
}
