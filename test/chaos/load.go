package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/xml"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/signer"
)

const (
	bucket = "chaos"
	region = "us-east-1"

	putters, getters, sessionUsers = 4, 4, 3

	// requestTimeout is that of the clients: longer than anything that the gateways wait for.
	requestTimeout = 60 * time.Second
	// elsewhere is how often a session is used at most until another gateway answers.
	elsewhere = 6
)

// stored is an object that was acknowledged.
type stored struct {
	key  string
	size int
	sum  [sha256.Size]byte
}

// acked are all of them.
type acked struct {
	mu   sync.Mutex
	list []stored
}

func (a *acked) add(o stored) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.list = append(a.list, o)
}

// any returns one of them, if there is one.
func (a *acked) any() (o stored, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.list) == 0 {
		return o, false
	}
	return a.list[rand.IntN(len(a.list))], true
}

func (a *acked) all() []stored {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]stored(nil), a.list...)
}

// check reads the object and compares it.
func (o *stored) check(ctx context.Context, c *minio.Client) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	r, err := c.GetObject(ctx, bucket, o.key, minio.GetObjectOptions{})
	if err != nil {
		return fmt.Errorf("read %s: %w", o.key, err)
	}
	defer r.Close()
	h := sha256.New()
	n, err := io.Copy(h, r)
	if err != nil {
		return fmt.Errorf("read %s: %w", o.key, err)
	}
	if n != int64(o.size) || [sha256.Size]byte(h.Sum(nil)) != o.sum {
		return fmt.Errorf("read %s: %d bytes that are not the %d that were acknowledged", o.key, n, o.size)
	}
	return nil
}

// content is what no other object has.
func content(seed uint64, size int) []byte {
	b := make([]byte, size)
	var s [32]byte
	binary.LittleEndian.PutUint64(s[:], seed)
	_, _ = rand.NewChaCha8(s).Read(b) // it never fails
	return b
}

// heard is a transport that notes who has answered.
type heard struct {
	http.RoundTripper
	by string
}

func (h *heard) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := h.RoundTripper.RoundTrip(r)
	if err == nil {
		h.by = resp.Header.Get("X-Served-By")
	}
	return resp, err
}

// client is one that does not retry. Without keys it has those of the user.
func (t *test) client(address string, transport http.RoundTripper, access, secret, token string) (*minio.Client, error) {
	if access == "" {
		access, secret = t.access, t.secret
	}
	return minio.New(address, &minio.Options{Creds: credentials.NewStaticV4(access, secret, token), Region: region, MaxRetries: 1, Transport: transport})
}

// load is what runs until stop.
type load struct {
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

func (l *load) stop() {
	l.cancel()
	l.wg.Wait()
}

// startLoad makes the bucket and starts all clients.
func (t *test) startLoad(ctx context.Context) (*load, error) {
	c, err := t.client(t.endpoint, nil, "", "", "")
	if err != nil {
		return nil, err
	}
	if err := c.MakeBucket(ctx, bucket, minio.MakeBucketOptions{}); err != nil {
		return nil, fmt.Errorf("make the bucket: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	l := &load{cancel: cancel}
	for i := range putters {
		l.wg.Go(func() { t.put(ctx, c, i) })
	}
	for range getters {
		l.wg.Go(func() { t.get(ctx, c) })
	}
	for range sessionUsers {
		l.wg.Go(func() { t.sessions(ctx) })
	}
	return l, nil
}

// pause keeps clients that fail at once from asking without end.
func pause(err error) {
	if err != nil {
		time.Sleep(20 * time.Millisecond)
	}
}

// put writes objects of 1 KB to 256 KB; each 40th has 6 MB, each 150th comes in parts.
func (t *test) put(ctx context.Context, c *minio.Client, worker int) {
	for n := 1; ctx.Err() == nil; n++ {
		size := 1000 + rand.IntN(255_000)
		parts := n%150 == 0
		switch {
		case parts:
			size = 11 << 20
		case n%40 == 0:
			size = 6 << 20
		}
		b := content(uint64(worker)<<32|uint64(n), size)
		o := stored{fmt.Sprintf("w%d/%06d", worker, n), size, sha256.Sum256(b)}
		one, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestTimeout)
		_, err := c.PutObject(one, bucket, o.key, bytes.NewReader(b), int64(size), minio.PutObjectOptions{DisableMultipart: !parts, PartSize: 5 << 20})
		cancel()
		t.log.add("PUT", err)
		if err == nil {
			t.acked.add(o)
		}
		pause(err)
	}
}

func (t *test) get(ctx context.Context, c *minio.Client) {
	for ctx.Err() == nil {
		o, ok := t.acked.any()
		if !ok {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		err := o.check(context.WithoutCancel(ctx), c)
		t.log.add("GET", err)
		pause(err)
	}
}

// sessions asks for a session and uses it until another gateway than the one that issued it has answered.
func (t *test) sessions(ctx context.Context) {
	transport, err := minio.DefaultTransport(false)
	if err != nil {
		panic(err) // one without TLS
	}
	issuer := &heard{RoundTripper: transport}
	for ctx.Err() == nil {
		s, err := t.assume(context.WithoutCancel(ctx), &http.Client{Transport: issuer, Timeout: requestTimeout}, "http://"+t.endpoint)
		t.log.add("AssumeRole", err)
		pause(err)
		if err != nil {
			continue
		}
		user := &heard{RoundTripper: transport}
		c, err := t.client(t.endpoint, user, s.AccessKey, s.SecretKey, s.Token)
		if err != nil {
			panic(err) // an address that can't be one
		}
		for range elsewhere {
			one, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestTimeout)
			_, err = c.GetBucketLocation(one, bucket)
			if err == nil {
				_, err = c.BucketExists(one, bucket)
			}
			cancel()
			if err != nil || user.by != issuer.by {
				t.log.add("use elsewhere", err)
				break
			}
		}
		pause(err)
	}
}

// session is what AssumeRole gives.
type session struct {
	AccessKey string `xml:"AssumeRoleResult>Credentials>AccessKeyId"`
	SecretKey string `xml:"AssumeRoleResult>Credentials>SecretAccessKey"`
	Token     string `xml:"AssumeRoleResult>Credentials>SessionToken"`
}

// assume sends AssumeRole once.
func (t *test) assume(ctx context.Context, c *http.Client, endpoint string) (*session, error) {
	body := url.Values{"Action": {"AssumeRole"}, "Version": {"2011-06-15"}, "DurationSeconds": {"3600"}}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint+"/", strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("X-Amz-Content-Sha256", fmt.Sprintf("%x", sha256.Sum256([]byte(body))))
	req = signer.SignV4STS(*req, t.access, t.secret, region)
	resp, err := c.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, statusError(resp.StatusCode)
	}
	s := &session{}
	return s, xml.Unmarshal(b, s)
}
