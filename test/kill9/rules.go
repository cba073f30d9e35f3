package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/lifecycle"
	"github.com/objsrv/objsrv/test/internal/harness"
)

const (
	ruleDay      = time.Second // the length of a day of rules
	ruleTime     = time.Minute // within which what is due is gone, however loaded the machine is
	ruleWriters  = 3
	overwritten  = 12 // keys of each writer that are written over again and again
	plainBucket  = "ruled"
	lockedBucket = "ruled-locked" // with versions and object lock
)

// stays is a version that no rule may delete, although one of its bucket deletes others at that time.
type stays struct {
	bucket, key, version string
	what                 content
	held, retained       bool
}

// over is a key that rules are for and that is written over before they are due, or just then: what was put last stays
// until that is due itself.
type over struct {
	name     string
	acked    content
	at       time.Time // before the request of acked
	inFlight *content
}

// rules are objects below rules of a short time, beside some that must stay. The runner is at work whenever the server is.
type rules struct {
	server *harness.Server
	rng    *rand.Rand
	over   [ruleWriters][]*over

	mu      sync.Mutex
	stays   []stays
	fresh   int // of stays, were looked at before
	ops     int
	wrong   error
	checked int // overwritten keys that were looked at before they were due
}

// begin makes the buckets. With MinIO there are none: its days are those of the calendar.
func (s *rules) begin(ctx context.Context) error {
	if s.server.Minio {
		return nil
	}
	c := s.server.Client(harness.Access, harness.Secret)
	for w := range s.over {
		for k := range overwritten {
			s.over[w] = append(s.over[w], &over{name: fmt.Sprintf("due/over/%d/%02d", w, k)})
		}
	}
	for _, b := range []string{plainBucket, lockedBucket} {
		if err := c.MakeBucket(ctx, b, minio.MakeBucketOptions{ObjectLocking: b == lockedBucket}); err != nil {
			return fmt.Errorf("create bucket %s: %w", b, err)
		}
		conf := lifecycle.NewConfiguration()
		conf.Rules = []lifecycle.Rule{{ID: "due", Status: "Enabled", RuleFilter: lifecycle.Filter{Prefix: "due/"}, Expiration: lifecycle.Expiration{Days: 1},
			NoncurrentVersionExpiration:    lifecycle.NoncurrentVersionExpiration{NoncurrentDays: 1},
			AbortIncompleteMultipartUpload: lifecycle.AbortIncompleteMultipartUpload{DaysAfterInitiation: 1}}}
		if err := c.SetBucketLifecycle(ctx, b, conf); err != nil {
			return fmt.Errorf("put rules: %w", err)
		}
	}
	return nil
}

// load writes, in goroutines of wg, until ctx is done or the server is gone.
func (s *rules) load(ctx context.Context, wg *sync.WaitGroup) {
	if len(s.over[0]) == 0 {
		return
	}
	for w := range ruleWriters {
		c, rng := s.server.Client(harness.Access, harness.Secret), rand.New(rand.NewPCG(s.rng.Uint64(), uint64(w)))
		wg.Go(func() {
			for ctx.Err() == nil {
				err := s.step(ctx, c, rng, s.over[w])
				s.mu.Lock()
				if err == nil {
					s.ops++
				} else if errors.Is(err, errRule) { // any other is the kill's
					s.wrong = errors.Join(s.wrong, err)
				}
				s.mu.Unlock()
				if err != nil {
					return
				}
			}
		})
	}
}

// failed returns what the load has found wrong while the server ran.
func (s *rules) failed() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.wrong
}

// step makes one operation. What it leaves counts only when it returns no error.
func (s *rules) step(ctx context.Context, c *minio.Client, rng *rand.Rand, overs []*over) error {
	what := content{seed: rng.Uint64() | 1, size: 100 + rng.IntN(200_000)*rng.IntN(2)}
	name := fmt.Sprintf("%x", what.seed)
	bucket := []string{plainBucket, lockedBucket}[rng.IntN(2)]
	switch kind := rng.IntN(12); kind {
	case 0, 1: // no rule is for it
		return s.keep(ctx, c, stays{bucket: bucket, key: "keep/" + name, what: what})
	case 2:
		return s.keep(ctx, c, stays{bucket: lockedBucket, key: "due/held/" + name, what: what, held: true})
	case 3:
		return s.keep(ctx, c, stays{bucket: lockedBucket, key: "due/retained/" + name, what: what, retained: true})
	case 4: // several versions, all of which go
		_, err := put(ctx, c, bucket, "due/"+name, what, minio.PutObjectOptions{})
		for range rng.IntN(3) {
			if err == nil {
				_, err = put(ctx, c, bucket, "due/"+name, content{seed: what.seed + 2, size: what.size}, minio.PutObjectOptions{})
			}
		}
		return err
	case 5: // an upload that nobody completes
		core := minio.Core{Client: c}
		id, err := core.NewMultipartUpload(ctx, bucket, "due/"+name, minio.PutObjectOptions{})
		if err == nil {
			_, err = core.PutObjectPart(ctx, bucket, "due/"+name, id, 1, bytes.NewReader(what.bytes()), int64(what.size), minio.PutObjectPartOptions{})
		}
		return err
	}
	o := overs[rng.IntN(len(overs))]
	if err := s.live(ctx, c, o); err != nil {
		return err
	}
	o.inFlight = &what
	began := time.Now()
	if _, err := put(ctx, c, plainBucket, o.name, what, minio.PutObjectOptions{}); err != nil {
		return err
	}
	o.acked, o.at, o.inFlight = what, began, nil
	return nil
}

// keep puts a version that stays.
func (s *rules) keep(ctx context.Context, c *minio.Client, v stays) error {
	opts := minio.PutObjectOptions{SendContentMd5: true}
	if v.held {
		opts.LegalHold = minio.LegalHoldEnabled
	}
	if v.retained {
		opts.Mode, opts.RetainUntilDate = minio.Governance, time.Now().Add(24*time.Hour)
	}
	info, err := put(ctx, c, v.bucket, v.key, v.what, opts)
	if err != nil {
		return err
	}
	v.version = info.VersionID
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stays = append(s.stays, v)
	return nil
}

func put(ctx context.Context, c *minio.Client, bucket, key string, what content, opts minio.PutObjectOptions) (minio.UploadInfo, error) {
	opts.DisableMultipart = true
	return c.PutObject(ctx, bucket, key, bytes.NewReader(what.bytes()), int64(what.size), opts)
}

// errRule marks what a rule has done and should not have.
var errRule = errors.New("lifecycle")

// live reads an overwritten key, which settles what was in flight. Whatever is there must be whole; before what was acknowledged is due it must be there.
func (s *rules) live(ctx context.Context, c *minio.Client, o *over) error {
	got, there, err := fetch(ctx, c, plainBucket, o.name, "")
	if err != nil {
		return err
	}
	may := []content{o.acked}
	if o.inFlight != nil {
		may = append(may, *o.inFlight)
	}
	// a rule of one day is due when a whole day has gone by since
	due := o.at.Truncate(ruleDay).Add(2 * ruleDay)
	early := o.acked.seed != 0 && time.Now().Before(due)
	found := slices.IndexFunc(may, func(m content) bool { return m.seed != 0 && bytes.Equal(got, m.bytes()) })
	switch {
	case there && found < 0:
		return fmt.Errorf("%w: %s: found %d bytes, may hold %v", errRule, o.name, len(got), may)
	case !there && early:
		return fmt.Errorf("%w: %s is gone, but %v is not due yet", errRule, o.name, o.acked)
	}
	if there && early {
		s.mu.Lock()
		s.checked++
		s.mu.Unlock()
	}
	switch {
	case !there:
		o.acked = content{}
	case found == 1: // nobody knows since when
		o.acked, o.at = *o.inFlight, time.Time{}
	}
	o.inFlight = nil
	return nil
}

func fetch(ctx context.Context, c *minio.Client, bucket, key, version string) (data []byte, there bool, err error) {
	o, err := c.GetObject(ctx, bucket, key, minio.GetObjectOptions{VersionID: version})
	if err != nil {
		return nil, false, err
	}
	defer o.Close()
	data, err = io.ReadAll(o)
	if code := minio.ToErrorResponse(err).Code; code == "NoSuchKey" || code == "NoSuchVersion" {
		return nil, false, nil
	}
	return data, err == nil, err
}

// duration returns how long a load is to last: every other time until the server is carrying out what has become due,
// at the beginning of a day.
func (s *rules) duration() time.Duration {
	d := 200*time.Millisecond + time.Duration(s.rng.IntN(400))*time.Millisecond
	if s.server.Minio || s.rng.IntN(2) == 0 {
		return d
	}
	began := time.Now()
	return began.Add(200*time.Millisecond).Truncate(ruleDay).Add(ruleDay+ruleDay/20).Sub(began) + time.Duration(s.rng.IntN(80))*time.Millisecond
}
