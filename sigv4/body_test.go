package sigv4

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
)

func hexSHA256(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// streamed returns a request with content in the given form, signed, its framed body, and
// the body as text for the tests to break.
func streamed(t testing.TB, payload Payload, content string, chunkSize int, trailer string) (*http.Request, string) {
	t.Helper()
	r := newRequest("PUT", testHost+"/bucket/key", content)
	o := Stream{Payload: payload, ChunkSize: chunkSize}
	if trailer != "" {
		name, value, _ := strings.Cut(trailer, ":")
		o.TrailerName, o.TrailerSize, o.Trailer = name, len(value), func() string { return value }
	}
	if err := testSigner.SignStream(r, o, exampleTime); err != nil {
		t.Fatal(err)
	}
	framed, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	if int64(len(framed)) != r.ContentLength {
		t.Fatalf("framed body has %d bytes, announced %d", len(framed), r.ContentLength)
	}
	return r, string(framed)
}

// withBody gives r another framed body, with a matching Content-Length, as a server would see it.
func withBody(r *http.Request, body string) *http.Request {
	c := r.Clone(r.Context())
	c.Body = io.NopCloser(strings.NewReader(body))
	c.ContentLength = int64(len(body))
	return c
}

var streamForms = []struct {
	name    string
	payload Payload
	trailer string
}{
	{"signed", PayloadStreamSigned, ""},
	{"signed trailer", PayloadStreamSignedTrailer, "x-amz-checksum-crc32:AAAAAA=="},
	{"signed no trailer", PayloadStreamSignedTrailer, ""},
	{"unsigned trailer", PayloadStreamUnsignedTrailer, "x-amz-checksum-crc32:AAAAAA=="},
	{"unsigned no trailer", PayloadStreamUnsignedTrailer, ""},
}

func TestStreams(t *testing.T) {
	for _, f := range streamForms {
		for _, n := range []int{0, 1, 9, 10, 11, 20, 100, 4096, 70000} {
			content := strings.Repeat("0123456789", n/10+1)[:n]
			size := 10
			if n > 1000 {
				size = 5000
			}
			r, framed := streamed(t, f.payload, content, size, f.trailer)
			got, trailer, err := accept(exampleVerifier(), withBody(r, framed), exampleSecret)
			if err != nil || got != content {
				t.Fatalf("%s, %d bytes: %d bytes, %v", f.name, n, len(got), err)
			}
			name, value, _ := strings.Cut(f.trailer, ":")
			if f.trailer == "" && len(trailer) != 0 || f.trailer != "" && (len(trailer) != 1 || trailer[name] != value) {
				t.Fatalf("%s: trailer %v", f.name, trailer)
			}
			// S-132: the same with Transfer-Encoding chunked around it, without Content-Length.
			r = withBody(r, framed)
			r.ContentLength = -1
			if got, _, err := accept(exampleVerifier(), r, exampleSecret); err != nil || got != content {
				t.Fatalf("%s, no Content-Length: %d bytes, %v", f.name, len(got), err)
			}
		}
	}
}

// Every single-byte change, every truncation and every byte more of a framed body is refused,
// save a change of content that nothing signs, of the case of a chunk size, and of white space in a trailer.
func TestStreamTampering(t *testing.T) {
	const content = "the quick brown fox jumps"
	for _, f := range streamForms {
		t.Run(f.name, func(t *testing.T) {
			r, framed := streamed(t, f.payload, content, 16, f.trailer)
			check := func(what, body string) {
				t.Helper()
				got, _, err := accept(exampleVerifier(), withBody(r, body), exampleSecret)
				if err == nil && got == content {
					t.Errorf("%s: accepted\n%q", what, body)
				}
				if err == nil && f.payload != PayloadStreamUnsignedTrailer {
					t.Errorf("%s: other content accepted\n%q", what, body)
				}
				if e := (*Error)(nil); err != nil && !errors.As(err, &e) {
					t.Errorf("%s: %v is not an *Error", what, err)
				}
			}
			for i := range framed {
				check(fmt.Sprintf("S-174 cut at %d of %d", i, len(framed)), framed[:i])
				for _, c := range []byte{framed[i] ^ 1, '0', '\n', ';', 0xff} {
					if c == framed[i] || strings.Contains(framed[:i], "\r\n0") && f.payload == PayloadStreamUnsignedTrailer {
						continue // an unsigned trailer's value is the caller's to verify
					}
					b := []byte(framed)
					b[i] = c
					if framed[i] == '\r' && c == '\n' && strings.Contains(framed[:i], "\r\n0") && f.payload == PayloadStreamSignedTrailer {
						continue // an empty line more in a trailer
					}
					check(fmt.Sprintf("S-173 byte %d set to %q", i, c), string(b))
				}
			}
			check("S-176 garbage", framed+strings.Repeat("x", 80))
			check("S-176 one byte", framed+"x")
			check("S-176 second final chunk", framed+framed[strings.LastIndex(framed, "\r\n0")+2:])
		})
	}
}

func TestStreamRefusals(t *testing.T) {
	const content = "0123456789abcdefghij"
	const crc = "x-amz-checksum-crc32:AAAAAA=="
	sig := chunkSignature + strings.Repeat("0", 64)
	swap := func(framed string) string { // the first two chunks of 10 bytes
		n := len("a"+sig+"\r\n") + 10 + 2
		return framed[n:2*n] + framed[:n] + framed[2*n:]
	}
	_, other := streamed(t, PayloadStreamSigned, "ABCDEFGHIJabcdefghij", 10, "")
	chunkLen := len("a"+sig+"\r\n") + 10 + 2
	for _, tc := range []struct {
		name    string
		payload Payload
		trailer string
		do      func(r *http.Request, framed string) string
		code    string
	}{
		{"S-011 size far larger", PayloadStreamSigned, "", func(r *http.Request, s string) string { return "ffffff" + sig + "\r\n" + content }, "IncompleteBody"},
		{"S-011 size of all, no end", PayloadStreamSigned, "", func(r *http.Request, s string) string { return "14" + sig + "\r\n" + content }, "SignatureDoesNotMatch"},
		{"S-173 swapped", PayloadStreamSigned, "", func(r *http.Request, s string) string { return swap(s) }, "SignatureDoesNotMatch"},
		{"S-173 repeated", PayloadStreamSigned, "", func(r *http.Request, s string) string { return s[:chunkLen] + s[:chunkLen] + s[2*chunkLen:] }, "SignatureDoesNotMatch"},
		{"S-173 left out", PayloadStreamSigned, "", func(r *http.Request, s string) string { return s[:chunkLen] + s[2*chunkLen:] }, "IncompleteBody"},
		{"S-173 first left out", PayloadStreamSigned, "", func(r *http.Request, s string) string { return s[chunkLen:] }, "SignatureDoesNotMatch"},
		{"S-173 of another upload", PayloadStreamSigned, "", func(r *http.Request, s string) string { return other[:chunkLen] + s[chunkLen:] }, "SignatureDoesNotMatch"},
		{"S-174 no final chunk", PayloadStreamSigned, "", func(r *http.Request, s string) string { return s[:2*chunkLen] }, "IncompleteBody"},
		{"S-174 unsigned, no final chunk", PayloadStreamUnsignedTrailer, "", func(r *http.Request, s string) string { return s[:2*15] }, "IncompleteBody"},
		{"S-175 decoded length larger", PayloadStreamUnsignedTrailer, "", func(r *http.Request, s string) string { return redecoded(r, s, "21") }, "IncompleteBody"},
		{"S-175 decoded length smaller", PayloadStreamUnsignedTrailer, "", func(r *http.Request, s string) string { return redecoded(r, s, "19") }, "IncompleteBody"},
		{"S-175 decoded length -1", PayloadStreamUnsignedTrailer, "", func(r *http.Request, s string) string { return redecoded(r, s, "-1") }, "IncompleteBody"},
		{"S-175 decoded length +20", PayloadStreamUnsignedTrailer, "", func(r *http.Request, s string) string { return redecoded(r, s, "+20") }, "IncompleteBody"},
		{"S-175 decoded length 2^63", PayloadStreamUnsignedTrailer, "", func(r *http.Request, s string) string { return redecoded(r, s, "9223372036854775808") }, "IncompleteBody"},
		{"S-175 decoded length absent", PayloadStreamUnsignedTrailer, "", func(r *http.Request, s string) string { return redecoded(r, s, "") }, "MissingContentLength"},
		{"S-175 two decoded lengths", PayloadStreamUnsignedTrailer, "", func(r *http.Request, s string) string {
			r.Header.Add("X-Amz-Decoded-Content-Length", "20")
			return s
		}, "InvalidRequest"},
		{"S-133 empty size", PayloadStreamUnsignedTrailer, "", raw("\r\n" + content), "IncompleteBody"},
		{"S-133 -64", PayloadStreamUnsignedTrailer, "", raw("-64\r\n" + content), "IncompleteBody"},
		{"S-133 +5", PayloadStreamUnsignedTrailer, "", raw("+5\r\n01234\r\n0\r\n\r\n"), "IncompleteBody"},
		{"S-133 0x14", PayloadStreamUnsignedTrailer, "", raw("0x14\r\n" + content + "\r\n0\r\n\r\n"), "IncompleteBody"},
		{"S-133 17 digits", PayloadStreamUnsignedTrailer, "", raw("00000000000000014\r\n" + content + "\r\n0\r\n\r\n"), "IncompleteBody"},
		{"S-133 16 digits", PayloadStreamUnsignedTrailer, "", raw("0000000000000014\r\n" + content + "\r\n0\r\n\r\n"), ""},
		{"S-133 negative as unsigned", PayloadStreamUnsignedTrailer, "", raw("ffffffffffffffff\r\n" + content), "IncompleteBody"},
		{"S-133 space before", PayloadStreamUnsignedTrailer, "", raw(" 14\r\n" + content + "\r\n0\r\n\r\n"), "IncompleteBody"},
		{"S-133 space after", PayloadStreamUnsignedTrailer, "", raw("14 \r\n" + content + "\r\n0\r\n\r\n"), "IncompleteBody"},
		{"S-133 no CR", PayloadStreamUnsignedTrailer, "", raw("14\n" + content + "\r\n0\r\n\r\n"), "IncompleteBody"},
		{"S-133 only CR", PayloadStreamUnsignedTrailer, "", raw("14\r" + content + "\r\n0\r\n\r\n"), "IncompleteBody"},
		{"S-133 1 MiB header", PayloadStreamUnsignedTrailer, "", raw(strings.Repeat("0", 1<<20)), "IncompleteBody"},
		{"S-133 1 MiB header with an end", PayloadStreamUnsignedTrailer, "", raw(strings.Repeat("0", 1<<20) + "\r\n"), "IncompleteBody"},
		{"S-133 nothing", PayloadStreamUnsignedTrailer, "", raw(""), "IncompleteBody"},
		{"extension of an unsigned chunk", PayloadStreamUnsignedTrailer, "", raw("14" + sig + "\r\n" + content + "\r\n0\r\n\r\n"), "IncompleteBody"},
		{"signed chunk without signature", PayloadStreamSigned, "", raw("14\r\n" + content + "\r\n0\r\n\r\n"), "IncompleteBody"},
		{"signature too short", PayloadStreamSigned, "", raw("14;chunk-signature=00\r\n" + content), "IncompleteBody"},
		{"no CR LF after the data", PayloadStreamUnsignedTrailer, "", raw("14\r\n" + content + "0\r\n\r\n"), "IncompleteBody"},
		{"early final chunk", PayloadStreamUnsignedTrailer, "", raw("0\r\n\r\n"), "IncompleteBody"},
		{"S-177 announced and missing", PayloadStreamUnsignedTrailer, crc, func(r *http.Request, s string) string { return strings.Replace(s, crc+"\r\n", "", 1) }, "MalformedTrailerError"},
		{"S-177 signed, announced and missing", PayloadStreamSignedTrailer, crc, func(r *http.Request, s string) string { return strings.Replace(s, crc+"\r\n", "", 1) }, "MalformedTrailerError"},
		{"S-177 undeclared", PayloadStreamUnsignedTrailer, "", func(r *http.Request, s string) string { return s[:len(s)-2] + crc + "\r\n\r\n" }, "MalformedTrailerError"},
		{"S-177 another besides", PayloadStreamUnsignedTrailer, crc, func(r *http.Request, s string) string { return s[:len(s)-2] + "x-amz-meta-a:b\r\n\r\n" }, "MalformedTrailerError"},
		{"S-177 twice", PayloadStreamUnsignedTrailer, crc, func(r *http.Request, s string) string { return s[:len(s)-2] + crc + "\r\n\r\n" }, "MalformedTrailerError"},
		{"S-177 empty value", PayloadStreamUnsignedTrailer, crc, func(r *http.Request, s string) string { return strings.Replace(s, "AAAAAA==", "", 1) }, "MalformedTrailerError"},
		{"S-177 1 MiB value", PayloadStreamUnsignedTrailer, crc, func(r *http.Request, s string) string {
			return strings.Replace(s, "AAAAAA==", strings.Repeat("A", 1<<20), 1)
		}, "MalformedTrailerError"},
		{"S-177 wrong signature", PayloadStreamSignedTrailer, crc, func(r *http.Request, s string) string {
			i := strings.Index(s, trailerSignature) + len(trailerSignature) + 1
			return s[:i] + strings.Repeat("0", 64) + s[i+64:]
		}, "SignatureDoesNotMatch"},
		{"S-177 no signature", PayloadStreamSignedTrailer, crc, func(r *http.Request, s string) string { return s[:strings.Index(s, trailerSignature)] + "\r\n" }, "MalformedTrailerError"},
		{"S-177 wrong value", PayloadStreamSignedTrailer, crc, func(r *http.Request, s string) string { return strings.Replace(s, "AAAAAA==", "AAAAAQ==", 1) }, "SignatureDoesNotMatch"},
		{"S-177 signature in unsigned trailer", PayloadStreamUnsignedTrailer, crc, func(r *http.Request, s string) string {
			return s[:len(s)-2] + trailerSignature + ":" + strings.Repeat("0", 64) + "\r\n\r\n"
		}, "MalformedTrailerError"},
		{"S-177 no colon", PayloadStreamUnsignedTrailer, crc, func(r *http.Request, s string) string { return s[:len(s)-2] + "abc\r\n\r\n" }, "MalformedTrailerError"},
		{"S-177 announced: host", PayloadStreamUnsignedTrailer, "", announce("host"), "InvalidRequest"},
		{"S-177 announced: metadata", PayloadStreamUnsignedTrailer, "", announce("x-amz-meta-a"), "InvalidRequest"},
		{"S-177 announced: algorithm", PayloadStreamUnsignedTrailer, "", announce("x-amz-checksum-algorithm"), "InvalidRequest"},
		{"S-177 two announced", PayloadStreamUnsignedTrailer, "", announce("x-amz-checksum-crc32,x-amz-checksum-sha1"), "InvalidRequest"},
		{"announced in a form without trailer", PayloadStreamSigned, "", announce("x-amz-checksum-crc32"), "InvalidRequest"},
		{"trailer ended by LF alone", PayloadStreamUnsignedTrailer, crc, func(r *http.Request, s string) string { return strings.Replace(s, crc+"\r\n", crc+"\n", 1) }, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, framed := streamed(t, tc.payload, content, 10, tc.trailer)
			r = withBody(r, "")
			body := tc.do(r, framed)
			_, _, err := accept(exampleVerifier(), withBody(r, body), exampleSecret)
			if got := codeOf(err); got != tc.code {
				t.Errorf("%q, want %q: %v", got, tc.code, err)
			}
		})
	}
}

func raw(body string) func(*http.Request, string) string {
	return func(*http.Request, string) string { return body }
}

func resignStream(r *http.Request) {
	testSigner.SignHeader(r, r.Header.Get("X-Amz-Content-Sha256"), exampleTime)
}

// redecoded announces another decoded length, properly signed; "" for none.
func redecoded(r *http.Request, framed, length string) string {
	r.Header.Set("X-Amz-Decoded-Content-Length", length)
	if length == "" {
		r.Header.Del("X-Amz-Decoded-Content-Length")
	}
	resignStream(r)
	return framed
}

func announce(name string) func(*http.Request, string) string {
	return func(r *http.Request, framed string) string {
		r.Header.Set("X-Amz-Trailer", name)
		resignStream(r)
		return framed
	}
}

func TestHashedBody(t *testing.T) {
	put := func(body, hash string) *http.Request {
		r := newRequest("PUT", testHost+"/b/k", body)
		testSigner.SignHeader(r, hash, exampleTime)
		return r
	}
	content := strings.Repeat("x", 100000)
	if got, _, err := accept(exampleVerifier(), put(content, hexSHA256(content)), exampleSecret); err != nil || got != content {
		t.Fatal(err)
	}
	_, _, err := accept(exampleVerifier(), put(content, hexSHA256("other")), exampleSecret)
	if codeOf(err) != "XAmzContentSHA256Mismatch" || fieldOf(err, "ClientComputedContentSHA256") != hexSHA256("other") || fieldOf(err, "S3ComputedContentSHA256") != hexSHA256(content) {
		t.Errorf("%v", err)
	}
	for _, payload := range []string{unsignedPayload, hexSHA256(content)} {
		r := put(content, payload)
		r.Body = io.NopCloser(io.MultiReader(strings.NewReader(content[:500]), iotest.ErrReader(io.ErrUnexpectedEOF)))
		if _, _, err := accept(exampleVerifier(), r, exampleSecret); codeOf(err) != "IncompleteBody" {
			t.Errorf("S-174 broken off, %s: %v", payload, err)
		}
		r = put(content, payload)
		broken := errors.New("connection reset")
		r.Body = io.NopCloser(iotest.ErrReader(broken))
		if _, _, err := accept(exampleVerifier(), r, exampleSecret); err != broken {
			t.Errorf("connection error, %s: %v", payload, err)
		}
		r = put(content, payload)
		r.Header.Set("X-Amz-Trailer", "x-amz-checksum-crc32")
		testSigner.SignHeader(r, payload, exampleTime)
		if _, _, err := accept(exampleVerifier(), r, exampleSecret); codeOf(err) != "InvalidRequest" {
			t.Errorf("S-177 trailer announced for %s: %v", payload, err)
		}
	}
}

// After an error or the end a body stays there, and no trailer is shown before the end.
func TestBodyIsFinal(t *testing.T) {
	r, framed := streamed(t, PayloadStreamUnsignedTrailer, "content", 10, "x-amz-checksum-crc32:AAAAAA==")
	v := exampleVerifier()
	for _, body := range []string{framed, framed[:len(framed)-3]} {
		r := withBody(r, body)
		a, _ := v.Parse(r)
		b, err := v.Body(r, &a, exampleSecret)
		if err != nil {
			t.Fatal(err)
		}
		if b.Trailer() != nil || b.Length != 7 {
			t.Errorf("before the end: trailer %v, length %d", b.Trailer(), b.Length)
		}
		_, err = io.ReadAll(b)
		n, again := b.Read(make([]byte, 10))
		if n != 0 || err == nil && again != io.EOF || err != nil && again != err {
			t.Errorf("after %v: %d bytes, %v", err, n, again)
		}
		if (err == nil) != (b.Trailer() != nil) {
			t.Errorf("after %v: trailer %v", err, b.Trailer())
		}
	}
}

func TestStripChunkedEncoding(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "gzip": "gzip", "aws-chunked": "", "AWS-Chunked": "", "aws-chunked,gzip": "gzip", "gzip, aws-chunked": "gzip",
		"gzip,aws-chunked , br": "gzip, br", "deflate, gzip,aws-chunked": "deflate, gzip", "gzip,br,aws-chunked": "gzip,br", "gzip, br": "gzip, br", "aws-chunked,aws-chunked": "", "x-aws-chunked": "x-aws-chunked",
	} {
		if got := StripChunkedEncoding(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// FuzzChunkBoundaries: however the connection and the reader cut a body, the content is the same.
func FuzzChunkBoundaries(f *testing.F) {
	f.Add(uint16(1000), uint8(7), uint8(3), uint8(0))
	f.Add(uint16(0), uint8(1), uint8(1), uint8(1))
	f.Add(uint16(9000), uint8(255), uint8(200), uint8(3))
	f.Fuzz(func(t *testing.T, n uint16, chunk, read, form uint8) {
		content := strings.Repeat("0123456789abcdef", int(n)/16+1)[:n]
		s := streamForms[int(form)%len(streamForms)]
		r, framed := streamed(t, s.payload, content, 1+int(chunk)*17, s.trailer)
		r = withBody(r, "")
		r.Body = io.NopCloser(&cutReader{strings.NewReader(framed), int(read)%5 + 1})
		v := exampleVerifier()
		a, err := v.Parse(r)
		if err != nil {
			t.Fatal(err)
		}
		b, err := v.Body(r, &a, exampleSecret)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(&cutReader{b, int(read) + 1})
		if err != nil || string(got) != content {
			t.Fatalf("%d bytes of %d: %v", len(got), n, err)
		}
	})
}

// cutReader reads at most n bytes at once.
type cutReader struct {
	io.Reader
	n int
}

func (c *cutReader) Read(p []byte) (int, error) { return c.Reader.Read(p[:min(len(p), c.n)]) }

// FuzzChunkedBody: whatever is sent as a framed body, the reader ends with EOF or an *Error,
// hands out no more than was announced, and never accepts what is not signed.
func FuzzChunkedBody(f *testing.F) {
	for i, s := range streamForms {
		_, framed := streamed(f, s.payload, "content", 3, s.trailer)
		f.Add([]byte(framed), uint8(i))
	}
	f.Fuzz(func(t *testing.T, body []byte, form uint8) {
		s := streamForms[int(form)%len(streamForms)]
		r, framed := streamed(t, s.payload, "content", 3, s.trailer)
		v := exampleVerifier()
		r = withBody(r, string(body))
		a, err := v.Parse(r)
		if err != nil {
			t.Fatal(err)
		}
		b, err := v.Body(r, &a, exampleSecret)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(b)
		if len(got) > len("content") {
			t.Fatalf("%d bytes given out, 7 announced", len(got))
		}
		if err == nil && s.payload != PayloadStreamUnsignedTrailer && string(got) != "content" {
			t.Fatalf("%q accepted for %q", body, framed)
		}
		if e := (*Error)(nil); err != nil && !errors.As(err, &e) {
			t.Fatalf("%v is not an *Error", err)
		}
	})
}
