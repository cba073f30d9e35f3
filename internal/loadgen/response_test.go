package loadgen

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
)

func TestReader(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
	tests := []struct {
		name, wire string
		head       bool
		want       Answer
		body       string
		err        error
	}{
		{name: "length", wire: ok, want: Answer{Status: 200, Length: 5}, body: "hello"},
		{name: "empty", wire: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", want: Answer{Status: 200}},
		{name: "no content", wire: "HTTP/1.1 204 No Content\r\n\r\n", want: Answer{Status: 204}},
		{name: "no reason", wire: "HTTP/1.1 200\r\ncontent-length:0\r\n\r\n", want: Answer{Status: 200}},
		{name: "head", wire: "HTTP/1.1 200 OK\r\nContent-Length: 4096\r\n\r\n", head: true, want: Answer{Status: 200, Length: 4096}},
		{name: "head without length", wire: "HTTP/1.1 200 OK\r\n\r\n", head: true, want: Answer{Status: 200, Length: -1}},
		{name: "chunked", wire: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nX-Trailer: 1\r\n\r\n",
			want: Answer{Status: 200, Length: 13}, body: "abc0123456789"},
		{name: "interim", wire: "HTTP/1.1 100 Continue\r\n\r\n" + ok, want: Answer{Status: 200, Length: 5}, body: "hello"},
		{name: "close", wire: "HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 1\r\n\r\nx", want: Answer{Status: 200, Length: 1, Close: true}, body: "x"},
		{name: "1.0 to the end", wire: "HTTP/1.0 200 OK\r\n\r\nto the end", want: Answer{Status: 200, Length: 10, Close: true}, body: "to the end"},
		{name: "error with sample", wire: "HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\n\r\n<Code>", want: Answer{Status: 403, Length: 6, Sample: []byte("<Code>")}, body: "<Code>"},
		{name: "nothing", wire: "", err: io.EOF},
		{name: "cut in the status line", wire: "HTTP/1.1 20", err: io.ErrUnexpectedEOF},
		{name: "cut in the head", wire: "HTTP/1.1 200 OK\r\nContent-", err: io.ErrUnexpectedEOF},
		{name: "cut behind a header field", wire: "HTTP/1.1 200 OK\r\nA: b\r\n", err: io.ErrUnexpectedEOF},
		{name: "cut in the body", wire: ok[:len(ok)-1], err: io.ErrUnexpectedEOF},
		{name: "cut in a chunk", wire: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", err: io.ErrUnexpectedEOF},
		{name: "cut before the last chunk", wire: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", err: io.ErrUnexpectedEOF},
		{name: "not HTTP", wire: "SSH-2.0-OpenSSH_9.2\r\n", err: ErrMalformed},
		{name: "bad status", wire: "HTTP/1.1 2x0 OK\r\n\r\n", err: ErrMalformed},
		{name: "bad field", wire: "HTTP/1.1 200 OK\r\nnocolon\r\n\r\n", err: ErrMalformed},
		{name: "bad length", wire: "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", err: ErrMalformed},
		{name: "bad chunk size", wire: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", err: ErrMalformed},
		{name: "chunk too long", wire: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n", err: ErrMalformed},
		{name: "endless line", wire: "HTTP/1.1 200 " + strings.Repeat("x", readBuffer), err: ErrMalformed},
	}
	for _, tt := range tests {
		for how, wrap := range map[string]func(io.Reader) io.Reader{
			"whole": func(r io.Reader) io.Reader { return r }, "bytewise": iotest.OneByteReader, "data with EOF": iotest.DataErrReader,
		} {
			if len(tt.wire) > readBuffer && how == "bytewise" {
				continue
			}
			t.Run(tt.name+"/"+how, func(t *testing.T) {
				r := NewReader(wrap(strings.NewReader(tt.wire)))
				var body []byte
				r.Keep = func(p []byte) { body = append(body, p...) }
				got, err := r.Next(tt.head)
				if !errors.Is(err, tt.err) {
					t.Fatalf("error %v, want %v", err, tt.err)
				}
				if err != nil {
					return
				}
				if got.Status != tt.want.Status || got.Length != tt.want.Length || got.Close != tt.want.Close || string(got.Sample) != string(tt.want.Sample) {
					t.Errorf("got %+v, want %+v", got, tt.want)
				}
				if string(body) != tt.body {
					t.Errorf("body %q, want %q", body, tt.body)
				}
			})
		}
	}
}

// TestReaderKeepsStep reads answers of every framing behind each other from one connection.
func TestReaderKeepsStep(t *testing.T) {
	wire := "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello" +
		"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n" + // to HEAD
		"HTTP/1.1 204 No Content\r\n\r\n" +
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n" +
		"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno"
	r := NewReader(iotest.HalfReader(strings.NewReader(wire)))
	for i, want := range []Answer{{Status: 200, Length: 5}, {Status: 200, Length: 7}, {Status: 204}, {Status: 200, Length: 2}, {Status: 404, Length: 2}} {
		got, err := r.Next(i == 1)
		if err != nil {
			t.Fatalf("answer %d: %v", i, err)
		}
		if got.Status != want.Status || got.Length != want.Length {
			t.Errorf("answer %d: %+v, want %+v", i, got, want)
		}
	}
	if _, err := r.Next(false); err != io.EOF {
		t.Errorf("after the last answer: %v, want io.EOF", err)
	}
}

func TestReaderAllocatesNothing(t *testing.T) {
	const wire = "HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 5\r\nETag: \"abc\"\r\n\r\nhello"
	src := strings.NewReader(wire)
	r := NewReader(src)
	n := testing.AllocsPerRun(100, func() {
		src.Reset(wire)
		if _, err := r.Next(false); err != nil {
			t.Fatal(err)
		}
	})
	if n > 0 {
		t.Errorf("%v allocations per answer", n)
	}
}

// FuzzReader compares with net/http what both accept.
func FuzzReader(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"), false)
	f.Add([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"), false)
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"), true)
	f.Fuzz(func(t *testing.T, wire []byte, head bool) {
		r := NewReader(strings.NewReader(string(wire)))
		var body []byte
		r.Keep = func(p []byte) { body = append(body, p...) }
		got, err := r.Next(head)
		if err != nil {
			return
		}
		if !head && int64(len(body)) != got.Length {
			t.Fatalf("length %d, but %d bytes of body", got.Length, len(body))
		}
		want, wantBody, ok := reference(wire, head)
		if !ok || want.StatusCode < 200 { // net/http returns interim answers
			return
		}
		if got.Status != want.StatusCode || string(body) != string(wantBody) {
			t.Fatalf("status %d, body %q; net/http has %d, %q", got.Status, body, want.StatusCode, wantBody)
		}
	})
}

// reference reads wire with net/http.
func reference(wire []byte, head bool) (*http.Response, []byte, bool) {
	req := &http.Request{Method: http.MethodGet}
	if head {
		req.Method = http.MethodHead
	}
	res, err := http.ReadResponse(bufio.NewReader(strings.NewReader(string(wire))), req)
	if err != nil {
		return nil, nil, false
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return res, body, err == nil
}
