package s3api

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"testing"
)

// discard is the cheapest http.ResponseWriter.
type discard struct {
	h      http.Header
	status int
	n      int
}

func (d *discard) Header() http.Header         { return d.h }
func (d *discard) WriteHeader(status int)      { d.status = status }
func (d *discard) Write(p []byte) (int, error) { d.n += len(p); return len(p), nil }

// BenchmarkRequest measures a whole request over the model store, without the network: routing,
// signature, authorisation, checksums and the answer.
func BenchmarkRequest(b *testing.B) {
	body := strings.Repeat("x", 4096)
	sum := sha256.Sum256([]byte(body))
	for _, row := range []struct {
		name, method, payload string
		headers               []string
	}{
		{"PUT-4KiB-signed", "PUT", hex.EncodeToString(sum[:]), nil},
		{"PUT-4KiB-unsigned", "PUT", "UNSIGNED-PAYLOAD", nil},
		{"PUT-4KiB-crc32", "PUT", "UNSIGNED-PAYLOAD", []string{"X-Amz-Checksum-Crc32: " + sumOf("CRC32", body), "X-Amz-Sdk-Checksum-Algorithm: CRC32"}},
		{"GET-4KiB", "GET", "", nil},
		{"HEAD", "HEAD", "", nil},
		{"DELETE", "DELETE", "", nil},
	} {
		b.Run(row.name, func(b *testing.B) {
			e := newEnv(b)
			e.must(200, "PUT", "/bkt/bench/key", body, "Content-Type: application/octet-stream")
			r := e.request(row.method, "/bkt/bench/key", "", row.headers...)
			if row.method == "PUT" {
				r.ContentLength = int64(len(body))
			}
			e.signer().SignHeader(r, row.payload, e.now)
			r.RequestURI = r.URL.RequestURI()
			rd := bytes.NewReader(nil)
			w := &discard{h: http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				if row.method == "PUT" {
					rd.Reset([]byte(body))
					r.Body = io.NopCloser(rd)
				}
				clear(w.h)
				w.n = 0
				e.s.ServeHTTP(w, r)
				if w.status/100 != 2 {
					b.Fatal(w.status)
				}
			}
		})
	}
}
