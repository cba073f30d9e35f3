package s3gw

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/minio/minio-go/v7/pkg/s3utils"
	"github.com/minio/minio-go/v7/pkg/signer"

	"github.com/objsrv/objsrv/storage"
)

const (
	maxHeader   = 64 << 10 // bytes of an answer's headers
	maxError    = 64 << 10 // bytes of an error document
	maxDocument = 16 << 20 // bytes of any other document; a page of 1000 keys is far below

	connectTimeout = 5 * time.Second
	// answerTimeout bounds the wait for the head of an answer, workTimeout that of operations for which
	// the upstream may have to move an object's bytes.
	answerTimeout = 30 * time.Second
	workTimeout   = 5 * time.Minute
	// stallTimeout bounds how long a body may stand still because of the upstream.
	stallTimeout = 60 * time.Second

	readTries = 3
	firstWait = 50 * time.Millisecond
)

// unsigned is the payload hash of bodies whose content is not part of the signature: their length, their
// checksum and the ETag of the answer are compared instead, so that nothing is hashed for it.
const unsigned = "UNSIGNED-PAYLOAD"

// client speaks S3 to the upstream.
type client struct {
	base             *url.URL
	region           string
	access, secret   string
	transport        *http.Transport
	answer, standing time.Duration // answerTimeout and stallTimeout
	places           *Map
	counts           counts
	trial            atomic.Pointer[trial] // nil while there is none
}

func newClient(o *Options) (*client, error) {
	u, err := url.Parse(o.Endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("the endpoint is no URL such as https://s3.example.com:9000")
	}
	t := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: connectTimeout, KeepAlive: 15 * time.Second}).DialContext,
		TLSHandshakeTimeout:    connectTimeout,
		TLSClientConfig:        o.TLS,
		ForceAttemptHTTP2:      false,
		TLSNextProto:           map[string]func(string, *tls.Conn) http.RoundTripper{}, // one connection for each request in flight
		MaxIdleConns:           1024,
		MaxIdleConnsPerHost:    1024,
		IdleConnTimeout:        30 * time.Second,
		MaxResponseHeaderBytes: maxHeader,
		DisableCompression:     true, // the client gets the bytes that are stored
		WriteBufferSize:        64 << 10,
		ReadBufferSize:         64 << 10,
	}
	c := &client{base: &url.URL{Scheme: u.Scheme, Host: u.Host}, region: o.Region, access: o.AccessKey, secret: o.SecretKey, transport: t,
		answer: answerTimeout, standing: stallTimeout, places: o.Map}
	if c.region == "" {
		c.region = "us-east-1"
	}
	return c, nil
}

// counts are of requests to the upstream.
type counts struct{ requests, unanswered, failed, repeated atomic.Int64 }

// request is one request to the upstream.
type request struct {
	method      string
	bucket, key string // local names: make translates them
	upstream    string // a bucket of the upstream's instead
	query       url.Values
	header      http.Header
	body        io.Reader
	size        int64  // of body
	hash        string // of the payload; "" is that of no body
	slow        bool   // the upstream may have to work for it
}

// emptyHash is the SHA-256 of nothing.
const emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// document makes a body of a document. Its hash is signed; S3 wants a Content-MD5 for some of them as well.
func (r *request) document(v any) error {
	b, err := xml.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode a document: %w", err)
	}
	sum, md := sha256.Sum256(b), md5.Sum(b)
	if r.header == nil {
		r.header = http.Header{}
	}
	r.header.Set("Content-Md5", base64.StdEncoding.EncodeToString(md[:]))
	r.header.Set("Content-Type", "application/xml")
	r.body, r.size, r.hash = strings.NewReader(string(b)), int64(len(b)), hex.EncodeToString(sum[:])
	return nil
}

// make builds and signs the HTTP request.
func (c *client) make(ctx context.Context, r *request) (*http.Request, error) {
	if !utf8.ValidString(r.key) {
		return nil, fmt.Errorf("key that is not UTF-8: %w", storage.ErrNotSupported)
	}
	path := "/"
	if r.upstream != "" {
		path += r.upstream
	} else if r.bucket != "" {
		bucket, key, err := c.key(r.bucket, r.key)
		if err != nil {
			return nil, err
		}
		path += bucket
		if key != "" {
			path += "/" + key
		}
	}
	u := *c.base
	u.Path, u.RawPath = path, s3utils.EncodePath(path)
	u.RawQuery = strings.ReplaceAll(r.query.Encode(), "+", "%20")
	h := r.header
	if h == nil {
		h = http.Header{}
	}
	hash := r.hash
	if hash == "" {
		hash = emptyHash
	}
	h["X-Amz-Content-Sha256"] = []string{hash}
	h["User-Agent"] = []string{"objsrv-gateway"}
	req := (&http.Request{Method: r.method, URL: &u, Host: u.Host, Header: h, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}).WithContext(ctx)
	if r.body != nil && r.size > 0 {
		req.Body, req.ContentLength = io.NopCloser(r.body), r.size
	} else if r.method == http.MethodPut || r.method == http.MethodPost {
		req.Body = http.NoBody // says Content-Length: 0
	}
	return signer.SignV4(*req, c.access, c.secret, "", c.region), nil
}

// do sends a request once. An answer other than success is an error; the caller closes the body of
// another.
func (c *client) do(ctx context.Context, r *request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	g := &guard{cancel: cancel, stall: c.standing, answer: c.answer}
	if r.slow {
		g.answer = max(workTimeout, c.answer)
	}
	g.timer = time.AfterFunc(g.answer, func() { cancel(errStalled) })
	req, err := c.make(ctx, r)
	if err != nil {
		g.end()
		return nil, err
	}
	if req.Body != nil && req.Body != http.NoBody {
		req.Body = &sentBody{r: req.Body, g: g}
	}
	c.counts.requests.Add(1)
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		c.counts.unanswered.Add(1)
		g.end()
		if cause := context.Cause(ctx); errors.Is(cause, errStalled) {
			err = cause
		}
		return nil, err
	}
	g.timer.Stop()
	resp.Body = &gotBody{r: resp.Body, g: g}
	if resp.StatusCode >= 500 {
		c.counts.failed.Add(1)
	}
	if resp.StatusCode/100 != 2 {
		return nil, readError(resp)
	}
	return resp, nil
}

// read is do for a request that reads: it is repeated when the upstream is in trouble.
func (c *client) read(ctx context.Context, r *request) (*http.Response, error) {
	for try, wait := 1, firstWait; ; try, wait = try+1, 4*wait {
		again := *r
		again.header = r.header.Clone()
		resp, err := c.do(ctx, &again)
		if err == nil || try == readTries || ctx.Err() != nil || !transient(err) {
			return resp, err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		c.counts.repeated.Add(1)
	}
}

// call sends a request that has an answer without a body of interest.
func (c *client) call(ctx context.Context, r *request) (http.Header, error) {
	resp, err := c.do(ctx, r)
	if err != nil {
		return nil, err
	}
	drain(resp.Body)
	return resp.Header, nil
}

// drain reads what is left of a short body, so that its connection can be used again.
func drain(body io.ReadCloser) {
	_, _ = io.CopyN(io.Discard, body, maxError) // what matters has been read
	body.Close()
}

// decode reads an answer's document into v. S3 may answer 200 before it knows that it will fail: then the
// document is an error.
func decode(resp *http.Response, v any) error {
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxDocument+1))
	switch {
	case err != nil:
		return fmt.Errorf("read the upstream's answer: %w", err)
	case len(b) > maxDocument:
		return fmt.Errorf("the upstream's answer has more than %d bytes", maxDocument)
	}
	b = plainXML(b)
	var e Error
	if xml.Unmarshal(b, &e) == nil && e.XMLName.Local == "Error" {
		e.Status = resp.StatusCode
		return &e
	}
	if err := xml.Unmarshal(b, v); err != nil {
		return fmt.Errorf("read the upstream's answer: %w", err)
	}
	return nil
}

// illegal finds references to characters that XML 1.0 does not have.
var illegal = regexp.MustCompile(`&#(x0*([0-8BCEFbcef]|1[0-9A-Fa-f]|[fF]{3}[EFef])|0*([0-8]|1[1245-9]|2[0-9]|3[01]));`)

// plainXML takes out of a document what XML can't carry. Servers put keys into their answers as they are;
// where keys matter they are asked to encode them.
func plainXML(b []byte) []byte {
	strange := bytes.Contains(b, []byte("\xef\xbf")) // U+FFFE and U+FFFF begin so
	for _, c := range b {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' {
			strange = true
			break
		}
	}
	if strange {
		b = bytes.Map(func(r rune) rune {
			if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff {
				return '?'
			}
			return r
		}, b)
	}
	b = bytes.ToValidUTF8(b, []byte("?"))
	if bytes.Contains(b, []byte("&#")) {
		b = illegal.ReplaceAll(b, []byte("?"))
	}
	return b
}

// errStalled ends a request of which nothing moves.
var errStalled = errors.New("the upstream does not answer, or takes and gives no bytes")

// guard ends a request when the upstream lets it stand still.
type guard struct {
	cancel        context.CancelCauseFunc
	timer         *time.Timer
	stall, answer time.Duration
}

func (g *guard) end() {
	g.timer.Stop()
	g.cancel(context.Canceled)
}

// sentBody is a body on its way to the upstream. The time between two reads is the upstream's; that
// within one is whoever the bytes come from.
type sentBody struct {
	r io.ReadCloser
	g *guard
}

// Read implements io.Reader.
func (b *sentBody) Read(p []byte) (int, error) {
	b.g.timer.Stop()
	n, err := b.r.Read(p)
	if err == io.EOF {
		b.g.timer.Reset(b.g.answer)
	} else {
		b.g.timer.Reset(b.g.stall)
	}
	return n, err
}

// Close implements io.Closer.
func (b *sentBody) Close() error { return b.r.Close() }

// gotBody is a body that comes from the upstream. Time counts while one waits for it.
type gotBody struct {
	r io.ReadCloser
	g *guard
}

// Read implements io.Reader.
func (b *gotBody) Read(p []byte) (int, error) {
	b.g.timer.Reset(b.g.stall)
	n, err := b.r.Read(p)
	b.g.timer.Stop()
	return n, err
}

// Close implements io.Closer. A body that was not read to its end costs the connection.
func (b *gotBody) Close() error {
	err := b.r.Close()
	b.g.end()
	return err
}
