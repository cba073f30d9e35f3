package httpd

import (
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// BenchmarkAnswer compares an answer of Server with one of a bare http.Server, over one
// connection, client included.
func BenchmarkAnswer(b *testing.B) {
	for _, size := range []int{0, 4 << 10, 60 << 10} {
		content := make([]byte, size)
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header()["Content-Length"] = []string{strconv.Itoa(size)}
			w.Write(content)
		})
		b.Run("httpd/"+strconv.Itoa(size), func(b *testing.B) {
			s := New(h, Options{})
			benchAnswers(b, func(l net.Listener) { s.Serve(l, nil) })
			s.Shutdown(b.Context())
		})
		b.Run("nethttp/"+strconv.Itoa(size), func(b *testing.B) {
			s := &http.Server{Handler: h}
			benchAnswers(b, func(l net.Listener) { s.Serve(l) })
			s.Close()
		})
	}
}

func benchAnswers(b *testing.B, serve func(net.Listener)) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	go serve(l)
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	request := []byte("GET /bucket/key HTTP/1.1\r\nHost: 127.0.0.1:9000\r\nAuthorization: x\r\nX-Amz-Date: 20260101T000000Z\r\n\r\n")
	buf := make([]byte, 128<<10)
	c.Write(request)
	size := 0
	for end := 0; end == 0 || size < end; end = answerLength(string(buf[:size])) {
		n, err := c.Read(buf[size:])
		if err != nil {
			b.Fatal(err)
		}
		size += n
	}
	b.ReportAllocs()
	for b.Loop() {
		c.Write(request)
		if _, err := io.ReadFull(c, buf[:size]); err != nil {
			b.Fatal(err)
		}
	}
}

// answerLength returns the length of an answer from its header.
func answerLength(s string) int {
	head, _, _ := strings.Cut(s, "\r\n\r\n")
	_, rest, _ := strings.Cut(head, "Content-Length: ")
	value, _, _ := strings.Cut(rest, "\r\n")
	n, _ := strconv.Atoi(value)
	return len(head) + 4 + n
}
