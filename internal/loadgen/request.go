package loadgen

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/objsrv/objsrv/sigv4"
)

// joined is the size up to which a body is copied behind its head, so that one write sends
// both; larger ones are shared between requests and sent with writev.
const joined = 64 << 10

// Request is a serialised HTTP/1.1 request and what is expected of its answer.
type Request struct {
	Head   []byte // request line and header fields, and a small body
	Body   []byte // a large body; shared, never changed
	NoBody bool   // the method is HEAD
	Want   int64  // length of the answer's body, -1 when any will do

	payload int64 // bytes of the body sent
}

func (r *Request) send(c net.Conn) error {
	if len(r.Body) == 0 {
		_, err := c.Write(r.Head)
		return err
	}
	pieces := net.Buffers{r.Head, r.Body}
	_, err := pieces.WriteTo(c)
	return err
}

// check tells whether a is the answer expected.
func (r *Request) check(a *Answer) error {
	if a.Status < 200 || a.Status > 299 {
		return fmt.Errorf("status %d: %s", a.Status, a.Sample)
	}
	if r.Want >= 0 && a.Length != r.Want {
		return fmt.Errorf("%d bytes answered, want %d", a.Length, r.Want)
	}
	return nil
}

// line returns the method and the target, for error messages.
func (r *Request) line() string {
	line, _, _ := bytes.Cut(r.Head, []byte(" HTTP/"))
	return string(line)
}

// Payload is a body with its hash, computed once for all requests that send it.
type Payload struct {
	Data []byte
	Hash string // SHA-256 in lower-case hex
}

// NewPayload hashes data, which must not change afterwards.
func NewPayload(data []byte) Payload {
	sum := sha256.Sum256(data)
	return Payload{Data: data, Hash: hex.EncodeToString(sum[:])}
}

// Request returns a request to t, signed now when t has credentials: it is
// good for 15 minutes. path is the URL path, query the values of the query, want
// the expected length of the answer's body or -1. The zero Payload is an empty body.
func (t *Target) Request(method, path string, query url.Values, body Payload, want int64) Request {
	return t.serialise("s3", http.Header{}, method, path, query, body, want)
}

// Form returns a POST of a form to the root of the Security Token Service, signed for it.
func (t *Target) Form(form url.Values) Request {
	header := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	return t.serialise("sts", header, http.MethodPost, "/", nil, NewPayload([]byte(form.Encode())), -1)
}

// serialise signs and writes out a request, whose header it completes.
func (t *Target) serialise(service string, header http.Header, method, path string, query url.Values, body Payload, want int64) Request {
	u := &url.URL{Scheme: "http", Host: t.Addr, Path: path, RawQuery: query.Encode()}
	req := &http.Request{
		Method: method, URL: u, Host: t.Addr, Header: header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	if t.AccessKey != "" {
		s := sigv4.Signer{AccessKey: t.AccessKey, Secret: t.SecretKey, SessionToken: t.SessionToken, Region: region, Service: service}
		s.SignHeader(req, body.Hash, time.Now())
	}

	var b bytes.Buffer
	b.Grow(512)
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", method, u.RequestURI(), t.Addr)
	names := make([]string, 0, 4)
	for name := range req.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(&b, "%s: %s\r\n", name, req.Header.Get(name))
	}
	if method == http.MethodPut || method == http.MethodPost {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body.Data))
	}
	b.WriteString("\r\n")

	r := Request{NoBody: method == http.MethodHead, Want: want, payload: int64(len(body.Data))}
	if len(body.Data) <= joined {
		b.Write(body.Data)
	} else {
		r.Body = body.Data
	}
	r.Head = bytes.Clone(b.Bytes())
	return r
}

// region is the one that every target is asked in.
const region = "us-east-1"
