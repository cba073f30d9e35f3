package s3gw

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/objsrv/objsrv/storage"
)

// probePrefix begins the names of the buckets in which upstreams are tried out. They are hidden from lists.
const probePrefix = "objsrv-probe-"

// probeTimeout bounds the trial.
const probeTimeout = 60 * time.Second

// capabilities are asked once, before they are needed first, and then known.
type capabilities struct {
	mu    sync.Mutex
	known atomic.Pointer[abilities]
}

// abilities are what an upstream has shown that it does.
type abilities struct {
	conditions bool            // of PutObject
	matches    bool            // If-Match of PutObject and CopyObject, in one step with the write
	completes  bool            // conditions of CompleteMultipartUpload, in one step with it
	emptyMeta  bool            // metadata without a value
	partSums   bool            // checksums of parts are listed
	partProves bool            // as proves, of parts
	folders    bool            // keys that end in "/" have contents
	copies     bool            // conditions of CopyObject
	deletes    bool            // If-Match of deletes
	tags       bool            // of objects
	tagCount   bool            // reads tell the number of tags
	sums       map[string]bool // algorithms whose checksums it keeps
	proves     map[string]bool // those that it refuses wrong ones of, and answers writes with
}

// String describes them for the log.
func (a *abilities) String() string {
	var yes, no []string
	for _, c := range []struct {
		name string
		has  bool
	}{{"conditional writes", a.conditions}, {"If-Match in one step with the write", a.matches}, {"conditions in one step with completions", a.completes}, {"metadata without a value", a.emptyMeta}, {"lists of the checksums of parts", a.partSums}, {"contents of keys that end in /", a.folders}, {"conditional copies", a.copies}, {"conditional deletes", a.deletes}, {"object tags", a.tags}} {
		if c.has {
			yes = append(yes, c.name)
		} else {
			no = append(no, c.name)
		}
	}
	for alg := range algorithms {
		if a.sums[alg] {
			yes = append(yes, alg)
		} else {
			no = append(no, alg)
		}
	}
	slices.Sort(yes)
	slices.Sort(no)
	return "has " + strings.Join(yes, ", ") + "; has not " + strings.Join(no, ", ")
}

// sum returns the algorithm when the upstream keeps its checksums, else "".
func (a *abilities) sum(alg string) string {
	if a.sums[alg] {
		return alg
	}
	return ""
}

// allow returns ErrNotSupported for what the upstream would not heed.
func (a *abilities) allow(c *storage.Conditions, m *storage.Meta) error {
	switch {
	case !c.Zero() && !a.conditions:
		return fmt.Errorf("conditional writes: %w", storage.ErrNotSupported)
	case c.IfMatch != "" && !a.matches:
		return fmt.Errorf("If-Match of writes, which the upstream does not decide in one step with the write: %w", storage.ErrNotSupported)
	case c.HasSize || !c.IfMatchModified.IsZero():
		return fmt.Errorf("this condition of writes: %w", storage.ErrNotSupported)
	case len(m.Tags) > 0 && !a.tags:
		return fmt.Errorf("object tags: %w", storage.ErrNotSupported)
	}
	for _, attr := range m.Attrs {
		if attr.Value == "" && !a.emptyMeta {
			return fmt.Errorf("metadata %s without a value: %w", attr.Name, storage.ErrNotSupported)
		}
	}
	return nil
}

// allowKey returns ErrNotSupported for contents that the upstream would not keep under the key. size is -1 when it is not known.
func (a *abilities) allowKey(key string, size int64) error {
	if !a.folders && size != 0 && strings.HasSuffix(key, "/") {
		return fmt.Errorf("contents of a key that ends in \"/\", which the upstream takes for a folder: %w", storage.ErrNotSupported)
	}
	return nil
}

// Capabilities tries the upstream out, unless that has been done, and describes it for people. ErrUnavailable when it
// can't be reached.
func (s *Store) Capabilities(ctx context.Context) (string, error) {
	a, err := s.can(ctx)
	if err != nil {
		return "", wrap("try the upstream out", err)
	}
	return a.String(), nil
}

// can returns what the upstream can do.
func (s *Store) can(ctx context.Context) (*abilities, error) {
	if s.o.ReadOnly {
		return &abilities{tags: true, tagCount: s.counts.Load()}, nil
	}
	if a := s.caps.known.Load(); a != nil {
		return a, nil
	}
	s.caps.mu.Lock()
	defer s.caps.mu.Unlock()
	if a := s.caps.known.Load(); a != nil {
		return a, nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), probeTimeout)
	defer cancel()
	a, err := s.tryOut(ctx)
	if err != nil {
		return nil, err
	}
	s.caps.known.Store(a)
	return a, nil
}

// tryOut does in a bucket of its own what clients may ask for. Its error is that of an upstream that can't be reached.
func (s *Store) tryOut(ctx context.Context) (*abilities, error) {
	p := &probe{s: s, ctx: ctx, bucket: probePrefix + strings.ToLower(rand.Text()), a: &abilities{sums: map[string]bool{}, proves: map[string]bool{}}}
	s.client.trial.Store(&trial{p.bucket, place{bucket: p.bucket, own: true}})
	defer s.client.trial.Store(nil)
	err := s.makeBucket(ctx, p.bucket, false)
	var e *Error
	if errors.As(err, &e) && !transient(err) && p.below() {
		err = nil
	}
	if errors.As(err, &e) && !transient(err) {
		// The careful assumption: tags are asked for, what all but few do is believed, everything else is refused.
		s.o.Report(fmt.Errorf("what the upstream can do is not known, since no bucket can be made to try it out; conditions and checksums are not passed on: %w", e))
		p.a.tags, p.a.emptyMeta, p.a.folders = true, true, true
		return p.a, nil
	}
	if err != nil {
		return nil, err
	}
	defer p.clean()
	for _, try := range []func(){p.conditions, p.copies, p.deletes, p.races, p.tags, p.metadata, p.folders, p.sums, p.partSums} {
		if try(); p.err != nil {
			return nil, p.err
		}
	}
	return p.a, nil
}

// probe is one trial.
type probe struct {
	s      *Store
	ctx    context.Context
	bucket string
	keys   []string
	shared bool // the bucket is one of the map
	a      *abilities
	err    error // the upstream can't be reached any more
}

// below moves the trial into a bucket of the map, below a prefix of its own, where the upstream's key may not make one. It
// tells whether that may be written to.
func (p *probe) below() bool {
	shared := p.s.o.Map.upstream()
	if len(shared) == 0 {
		return false
	}
	p.s.client.trial.Store(&trial{p.bucket, place{bucket: shared[0], prefix: p.bucket + "/"}})
	p.shared = p.put("first") == http.StatusOK
	return p.shared
}

// put writes an object. It returns the status, 0 when there was no answer.
func (p *probe) put(key string, header ...string) int {
	return p.ask(http.MethodPut, key, header...)
}

func (p *probe) ask(method, key string, header ...string) int {
	p.keys = append(p.keys, key)
	return p.again(func() error {
		r := &request{method: method, bucket: p.bucket, key: key, header: http.Header{}}
		for i := 0; i < len(header); i += 2 {
			r.header.Set(header[i], header[i+1])
		}
		_, err := p.s.client.call(p.ctx, r)
		return err
	})
}

// again repeats a request of the trial, each of which may be sent twice, while the upstream is in trouble: what it can do
// is remembered.
func (p *probe) again(do func() error) int {
	for try, wait := 1, firstWait; ; try, wait = try+1, 4*wait {
		err := do()
		if err == nil || try == readTries || !transient(err) {
			return p.status(err)
		}
		select {
		case <-time.After(wait):
		case <-p.ctx.Done():
			return p.status(err)
		}
	}
}

func (p *probe) status(err error) int {
	var e *Error
	switch {
	case err == nil:
		return http.StatusOK
	case errors.As(err, &e):
		return e.Status
	}
	p.err = err
	return 0
}

// noETag is one that no object has.
const noETag = `"00000000000000000000000000000000"`

func (p *probe) conditions() {
	switch status := p.put("cond"); {
	case status >= http.StatusInternalServerError && p.err == nil:
		p.err = fmt.Errorf("it answers %d to an upload: %w", status, storage.ErrUnavailable) // a trial now would find that it can do nothing
		return
	case status != http.StatusOK:
		return
	}
	p.a.conditions = p.put("cond", "If-None-Match", "*") == http.StatusPreconditionFailed && p.put("cond", "If-Match", noETag) == http.StatusPreconditionFailed
}

func (p *probe) copies() {
	bucket, key, err := p.s.client.key(p.bucket, "cond")
	if err != nil {
		return
	}
	from := []string{"X-Amz-Copy-Source", "/" + bucket + "/" + key, "X-Amz-Metadata-Directive", "REPLACE"}
	p.a.copies = p.put("copy", from...) == http.StatusOK && p.put("copy", append(from, "If-None-Match", "*")...) == http.StatusPreconditionFailed &&
		p.put("copy", append(from, "If-Match", noETag)...) == http.StatusPreconditionFailed
}

func (p *probe) deletes() {
	p.a.deletes = p.ask(http.MethodDelete, "cond", "If-Match", noETag) == http.StatusPreconditionFailed
}

func (p *probe) tags() {
	if p.put("tags", "X-Amz-Tagging", "a=b") != http.StatusOK {
		return
	}
	resp, err := p.s.client.do(p.ctx, &request{method: http.MethodGet, bucket: p.bucket, key: "tags", query: url.Values{"tagging": {""}}})
	if p.status(err) != http.StatusOK {
		return
	}
	var doc tagging
	if decode(resp, &doc) != nil || len(doc.Tags) != 1 || doc.Tags[0] != (tag{"a", "b"}) {
		return
	}
	p.a.tags = true
	h, err := p.s.client.call(p.ctx, &request{method: http.MethodHead, bucket: p.bucket, key: "tags"})
	p.a.tagCount = p.status(err) == http.StatusOK && h.Get("X-Amz-Tagging-Count") == "1"
}

// probeBody and its checksums.
const probeBody = "objsrv"

var probeSums = map[string]string{
	"CRC32": "DdE2Eg==", "CRC32C": "IGZPTA==", "CRC64NVME": "jIz6JW4ot4s=", "SHA1": "qkqrBUTQLGeLVWjeL8/hMTvqid8=", "MD5": "y5AXzFUhSghNOtxKX+DFZg==",
	"SHA256":   "Mkxr9Zbpan57heuOK1tHQDl7ezfM0JA0dsvYUzuE9lk=",
	"SHA512":   "vc3CeRRMITQvtTaakcn9PxzfWfuo+NNfaDNzJVhF/v+hBx8JDhQpcO19vIdt3Lc+Zn+LJaghsuargDf6IsgHUw==",
	"XXHASH64": "fl/3LeXLwE0=", "XXHASH3": "fgqmcKuE91I=", "XXHASH128": "9Xfd18kT14O/4VqvTl8CEg==",
}

// sums sends a body with each kind of checksum behind it and looks whether it is kept.
func (p *probe) sums() {
	for alg, value := range probeSums {
		key := "sum-" + alg
		told, status := p.sum(key, probeBody, alg, value)
		if status == http.StatusOK {
			_, wrong := p.sum("wrong-"+key, strings.ToUpper(probeBody), alg, value)
			p.a.proves[alg] = told.Get(sumPrefix+algorithms[alg]) == value && wrong/100 == 4
			h, err := p.s.client.call(p.ctx, &request{method: http.MethodHead, bucket: p.bucket, key: key, header: http.Header{"X-Amz-Checksum-Mode": {"ENABLED"}}})
			p.a.sums[alg] = p.status(err) == http.StatusOK && h.Get(sumPrefix+algorithms[alg]) == value && h.Get("Content-Length") == fmt.Sprint(len(probeBody))
		}
		if p.err != nil {
			return
		}
	}
}

// sum puts an object with a checksum behind its body.
func (p *probe) sum(key, body, alg, value string) (h http.Header, status int) {
	p.keys = append(p.keys, key)
	status = p.again(func() (err error) {
		r := &request{method: http.MethodPut, bucket: p.bucket, key: key, header: http.Header{}}
		u := &upload{body: strings.NewReader(body), size: int64(len(body)), alg: alg, digest: func() storage.Digest {
			return storage.Digest{Checksum: storage.Checksum{Algorithm: alg, Type: "FULL_OBJECT", Value: value}}
		}}
		finish := u.stream(r, &source{r: u.body}, &stored{}, &p.s.buffers)
		defer finish()
		h, err = p.s.client.call(p.ctx, r)
		return err
	})
	return h, status
}

// clean removes the bucket, or what was made below a prefix with all its versions.
func (p *probe) clean() {
	if p.shared {
		p.cleanBelow()
		return
	}
	slices.Sort(p.keys)
	for _, key := range slices.Compact(p.keys) {
		_, _ = p.s.client.call(p.ctx, &request{method: http.MethodDelete, bucket: p.bucket, key: key}) // the bucket's removal tells
	}
	if _, err := p.s.client.call(p.ctx, &request{method: http.MethodDelete, bucket: p.bucket}); err != nil {
		p.s.o.Report(wrap("remove bucket "+p.bucket+", in which the upstream was tried out", err))
	}
}

func (p *probe) cleanBelow() {
	report := func(err error) {
		if err != nil {
			p.s.o.Report(wrap("remove what is below "+p.bucket+"/, where the upstream was tried out", err))
		}
	}
	b := &storage.Bucket{Name: p.bucket}
	report(p.s.abortAll(p.ctx, b))
	in, err := p.s.page(storage.ListInput{Bucket: p.bucket, Limit: maxPage}) // far more than the trial makes
	out := &storage.ListPage{}
	if err == nil {
		_, err = p.s.walk(p.ctx, b, in, versionsKind, func() listDocument { return &versionsAnswer{out: out} })
	}
	if errors.Is(err, storage.ErrNotSupported) { // there are no versions
		err = nil
		for _, key := range p.keys {
			out.Objects = append(out.Objects, storage.Object{Key: key})
		}
	}
	report(err)
	for i := range out.Objects {
		o := &out.Objects[i]
		_, err := p.s.client.call(p.ctx, &request{method: http.MethodDelete, bucket: p.bucket, key: o.Key, query: query(storage.Ref{Version: o.VersionID})})
		if !isStatus(err, http.StatusNotFound) {
			report(err)
		}
	}
}
