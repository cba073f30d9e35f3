package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"sync"

	"github.com/minio/minio-go/v7"
	"github.com/objsrv/objsrv/test/internal/harness"
)

// packed is an archive of files that become objects, in this order.
type packed struct {
	prefix string
	files  []content
}

func (p *packed) name(i int) string { return fmt.Sprintf("%s/%03d", p.prefix, i) }

// archives are uploaded one after the other. Of one that was acknowledged everything is there; of the one in flight a
// beginning, each file whole.
type archives struct {
	server   *harness.Server
	rng      *rand.Rand
	fresh    []packed // since the last look
	inFlight *packed
	acked    int
	begun    int // of those in flight at a kill, that had begun
}

// load uploads, in a goroutine of wg, until ctx is done or the server is gone. The bucket is that of rules, which delete
// nothing of it and whose counters are compared.
func (a *archives) load(ctx context.Context, wg *sync.WaitGroup) {
	if a.server.Minio {
		return
	}
	c := a.server.Client(harness.Access, harness.Secret)
	wg.Go(func() {
		for ctx.Err() == nil {
			p := packed{prefix: fmt.Sprintf("archive/%x", a.rng.Uint64())}
			for range 5 + a.rng.IntN(40) {
				p.files = append(p.files, content{seed: a.rng.Uint64() | 1, size: a.rng.IntN(2000) * (1 + 50*a.rng.IntN(2))})
			}
			a.inFlight = &p
			files := make(chan minio.SnowballObject, len(p.files))
			for i, f := range p.files {
				files <- minio.SnowballObject{Key: p.name(i), Size: int64(f.size), Content: bytes.NewReader(f.bytes())}
			}
			close(files)
			if c.PutObjectsSnowball(ctx, plainBucket, minio.SnowballOptions{InMemory: true, Compress: a.rng.IntN(2) == 0}, files) != nil {
				return
			}
			a.fresh, a.inFlight = append(a.fresh, p), nil
			a.acked++
		}
	})
}

// verify looks at what was uploaded since the last time.
func (a *archives) verify(ctx context.Context) error {
	c := a.server.Client(harness.Access, harness.Secret)
	for i := range a.fresh {
		if n, err := a.count(ctx, c, &a.fresh[i]); err != nil || n != len(a.fresh[i].files) {
			return fmt.Errorf("archive %s, which was acknowledged: %d of %d files: %w", a.fresh[i].prefix, n, len(a.fresh[i].files), err)
		}
	}
	a.fresh = nil
	if a.inFlight == nil {
		return nil
	}
	n, err := a.count(ctx, c, a.inFlight)
	if err != nil {
		return fmt.Errorf("archive %s, which was in flight: %w", a.inFlight.prefix, err)
	}
	if n > 0 {
		a.begun++
	}
	a.inFlight = nil
	return nil
}

// count returns how many files are there, whole; an error when one is not whole, or there without one before it.
func (a *archives) count(ctx context.Context, c *minio.Client, p *packed) (n int, err error) {
	for i, f := range p.files {
		got, there, err := fetch(ctx, c, plainBucket, p.name(i), "")
		switch {
		case err != nil:
			return n, fmt.Errorf("%s: %w", p.name(i), err)
		case !there:
			continue
		case i != n || !bytes.Equal(got, f.bytes()):
			return n, fmt.Errorf("%s: found %d bytes of %v, and %d files before it", p.name(i), len(got), f, n)
		}
		n++
	}
	return n, nil
}

// report tells what the rounds so far have shown.
func (a *archives) report(r *harness.Report) {
	if a.server.Minio {
		r.Skip("archives", "not looked at with MinIO")
		return
	}
	var err error
	if a.acked == 0 {
		err = fmt.Errorf("none was acknowledged")
	}
	r.Check(fmt.Sprintf("%d archives acknowledged: every file is there; of %d begun ones the first files", a.acked, a.begun), err)
}
