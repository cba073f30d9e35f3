package s3api

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/objsrv/objsrv/storage"
)

// damaged is a backend whose contents break after good bytes.
type damaged struct {
	storage.Backend
	good int64
	// writerTo selects how the content is given out.
	writerTo bool
}

func (d *damaged) GetObject(ctx context.Context, ref storage.Ref) (*storage.Object, storage.Content, error) {
	o, c, err := d.Backend.GetObject(ctx, ref)
	if err != nil {
		return nil, nil, err
	}
	return o, &brokenContent{Content: c, damaged: d}, nil
}

type brokenContent struct {
	storage.Content
	*damaged
}

func (b *brokenContent) Bytes() ([]byte, bool) { return nil, false }

func (b *brokenContent) Range(off, n int64) io.Reader {
	good := b.Content.Range(off, min(n, b.good))
	r := &brokenReader{io.MultiReader(good, errReader{fmt.Errorf("block 7: %w", storage.ErrDamaged)})}
	if b.writerTo {
		return brokenWriterTo{r}
	}
	return r
}

type brokenReader struct{ io.Reader }

type brokenWriterTo struct{ *brokenReader }

func (b brokenWriterTo) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(struct{ io.Writer }{w}, b.Reader)
}

type errReader struct{ err error }

func (e errReader) Read([]byte) (int, error) { return 0, e.err }

// Damage is answered with an error when it is met before the first byte, else the connection is
// cut: never a complete 200 with wrong bytes.
func TestDamage(t *testing.T) {
	e := newEnv(t)
	e.must(200, "PUT", "/bkt/k", strings.Repeat("x", 1<<20), "Content-Encoding: gzip", "X-Amz-Meta-A: b")
	healthy := e.s.Backend
	for _, writerTo := range []bool{false, true} {
		e.s.Backend = &damaged{Backend: healthy, writerTo: writerTo}
		a := e.refused(500, "InternalError", "GET", "/bkt/k", "")
		for _, name := range []string{"Etag", "Content-Encoding", "X-Amz-Meta-A", "Last-Modified", "Accept-Ranges"} {
			e.wantHeader(a, name, "")
		}
		e.wantHeader(a, "Content-Type", "application/xml")
		e.must(200, "HEAD", "/bkt/k", "")

		e.s.Backend = &damaged{Backend: healthy, good: 700 << 10, writerTo: writerTo}
		r := e.request("GET", "/bkt/k", "")
		e.signer().SignHeader(r, "", e.now)
		res, err := e.srv.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, res.Body)
		res.Body.Close()
		if !errors.Is(err, io.ErrUnexpectedEOF) || n >= 1<<20 {
			t.Errorf("read %d bytes, error %v", n, err)
		}
	}
}

// "100 Continue" is sent only to those who may write.
func TestExpectContinue(t *testing.T) {
	e := newEnv(t)
	for _, allowed := range []bool{false, true} {
		e.iam.deny = func(*iamRequest) bool { return !allowed }
		r := e.request("PUT", "/bkt/k", "hello", "Expect: 100-continue")
		e.signer().SignHeader(r, "UNSIGNED-PAYLOAD", e.now)
		var head bytes.Buffer
		fmt.Fprintf(&head, "PUT /bkt/k HTTP/1.1\r\nHost: %s\r\nContent-Length: 5\r\n", e.srv.Listener.Addr())
		r.Header.Write(&head)
		head.WriteString("\r\n")
		conn, err := net.Dial("tcp", e.srv.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(10 * time.Second))
		conn.Write(head.Bytes())
		in := bufio.NewReader(conn)
		line, err := in.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if want := map[bool]string{false: "HTTP/1.1 403", true: "HTTP/1.1 100"}[allowed]; !strings.HasPrefix(line, want) {
			t.Errorf("allowed %v: %s", allowed, line)
		}
		if !allowed {
			continue
		}
		in.ReadString('\n')
		io.WriteString(conn, "hello")
		if res, err := http.ReadResponse(in, r); err != nil || res.StatusCode != 200 {
			t.Errorf("%v %v", res, err)
		}
	}
}

// Every string is a key, and comes back as it was sent.
func TestKeys(t *testing.T) {
	e := newEnv(t)
	for _, key := range []string{"a", "a/b", "a//b", "./x", "../x", "%2Flead", "trail/", "%00", "%01%1f", "%20%2B%25", "%E2%82%AC", strings.Repeat("k", 1024), "a%3Fb%23c", "b%5Cc"} {
		e.must(200, "PUT", "/bkt/"+key, key)
	}
	for _, key := range []string{"a", "a/b", "a//b", "./x", "../x", "%2Flead", "trail/", "%00", "%01%1f", "%20%2B%25", "%E2%82%AC", strings.Repeat("k", 1024), "a%3Fb%23c", "b%5Cc"} {
		if a := e.must(200, "GET", "/bkt/"+key, ""); a.body != key {
			t.Errorf("%s: %q", key, a.body)
		}
	}
	e.refused(400, "KeyTooLongError", "PUT", "/bkt/"+strings.Repeat("k", 1025), "x")
	e.refused(400, "InvalidURI", "PUT", "/bkt/%ff", "x")
}
