package main

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/objsrv/objsrv/sigv4"
)

// BenchmarkRequest sends one signed request again and again over several connections to
// a whole server, client included.
func BenchmarkRequest(b *testing.B) {
	p := &Program{Config: &Config{Dir: b.TempDir(), Address: "127.0.0.1:0", Region: "us-east-1", RootPassword: testPassword, MaxConnections: 1000, DrainTimeout: time.Second}, Stdout: io.Discard, Stderr: io.Discard}
	if err := p.Start(); err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	base := "http://" + p.Addr().String()
	signer := sigv4.Signer{AccessKey: "admin", Secret: testPassword, Region: "us-east-1", Service: "s3"}
	request := func(method, path string, body []byte) []byte {
		r, err := http.NewRequest(method, base+path, bytes.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		payload := ""
		if body != nil {
			payload = "UNSIGNED-PAYLOAD"
		}
		signer.SignHeader(r, payload, time.Now())
		var raw bytes.Buffer
		if err := r.Write(&raw); err != nil {
			b.Fatal(err)
		}
		return raw.Bytes()
	}
	for _, raw := range [][]byte{request("PUT", "/bucket", nil), request("PUT", "/bucket/key", make([]byte, 4096))} {
		c, err := net.Dial("tcp", p.Addr().String())
		if err != nil {
			b.Fatal(err)
		}
		c.Write(raw)
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil || resp.StatusCode != 200 {
			b.Fatal(resp, err)
		}
		c.Close()
	}
	for _, method := range []string{"GET", "HEAD"} {
		raw := request(method, "/bucket/key", nil)
		b.Run(method, func(b *testing.B) {
			b.ReportAllocs()
			b.SetParallelism(8)
			b.RunParallel(func(pb *testing.PB) {
				c, err := net.Dial("tcp", p.Addr().String())
				if err != nil {
					b.Error(err)
					return
				}
				defer c.Close()
				buf := make([]byte, 16<<10)
				for pb.Next() {
					c.Write(raw)
					want := 0
					for n := 0; n == 0 || n < want; {
						m, err := c.Read(buf[n:])
						if err != nil {
							b.Error(err)
							return
						}
						n += m
						if head := bytes.Index(buf[:n], []byte("\r\n\r\n")); head > 0 {
							want = head + 4
							if method == "GET" {
								want += 4096
							}
						}
					}
				}
			})
		})
	}
}
