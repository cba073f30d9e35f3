package sigv4

import (
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// FuzzParse: whatever the header, the query and the date say, Parse returns a value or an *Error.
func FuzzParse(f *testing.F) {
	f.Add(signedGet("/b/k").Header.Get("Authorization"), "", "20130524T000000Z", emptySHA256)
	f.Add("", presignedGet("/b/k", time.Hour).URL.RawQuery, "", "")
	f.Add("AWS4-HMAC-SHA256 ,=,Credential=////", "X-Amz-Expires=&X-Amz-Date=%zz", "20130524", streamSigned)
	f.Fuzz(func(t *testing.T, authorization, query, date, hash string) {
		v := exampleVerifier()
		r := &http.Request{Method: "PUT", URL: &url.URL{Path: "/b/k", RawQuery: query}, Host: "h", Header: http.Header{}}
		if authorization != "" {
			r.Header.Set("Authorization", authorization)
		}
		r.Header.Set("X-Amz-Date", date)
		r.Header.Set("X-Amz-Content-Sha256", hash)
		a, err := v.Parse(r)
		if e := (*Error)(nil); err != nil && (!errors.As(err, &e) || e == nil || e.Code == "" || e.Message == "") {
			t.Fatalf("%#v is not an *Error", err)
		}
		if err == nil && v.Verify(r, &a, "some other secret") == nil {
			t.Fatal("verified with a secret that nobody signed with")
		}
	})
}

// FuzzSignVerify: what the Signer signs verifies, and the same with any one thing changed does not.
func FuzzSignVerify(f *testing.F) {
	f.Add("/b/k", "a=1&b", "value", uint16(3), true)
	f.Add("//../x y+z%", "z&a=%20&a=+", " two  spaces ", uint16(77), false)
	f.Add("/\xff\x00é", "", "", uint16(200), true)
	f.Fuzz(func(t *testing.T, path, query, meta string, at uint16, header bool) {
		if (&authQuery{}).read(query) != nil || strings.Contains(strings.ToLower(query), "amz") || strings.ContainsAny(meta, "\r\n") {
			t.Skip("not a request that can be sent or signed")
		}
		r := &http.Request{Method: "GET", URL: &url.URL{Path: "/" + path, RawQuery: query}, Host: "s3.example.com", Header: http.Header{}}
		r.Header.Set("X-Amz-Meta-A", meta)
		if header {
			testSigner.SignHeader(r, "", exampleTime)
		} else {
			testSigner.Presign(r, time.Hour, exampleTime)
		}
		v := exampleVerifier()
		if _, _, err := accept(v, r, exampleSecret); err != nil {
			if codeOf(err) == "InvalidRequest" && strings.Contains(query, "Signature") {
				t.Skip("version 2 in the query")
			}
			t.Fatalf("%v\n%s", err, fieldOf(err, "CanonicalRequest"))
		}
		changed, what := changeOne(r, int(at))
		if changed == nil {
			return
		}
		if _, _, err := accept(v, changed, exampleSecret); err == nil {
			t.Fatalf("accepted with %s changed: %q %q %v", what, changed.URL.Path, changed.URL.RawQuery, changed.Header)
		}
	})
}

// changeOne returns r with one byte changed that the signature has to cover, chosen by at.
func changeOne(r *http.Request, at int) (*http.Request, string) {
	c := r.Clone(r.Context())
	flip := func(s string) string {
		if s == "" {
			return "x"
		}
		b := []byte(s)
		i := at / 8 % len(b)
		if b[i] = b[i] + 1; b[i] == '&' || b[i] == '=' || b[i] == '%' || b[i] == '+' || b[i] == ' ' || b[i] == '\t' || b[i] == '!' {
			b[i] = 'Q' // a byte that means something else in a query, or folds away
		}
		return string(b)
	}
	switch at % 8 {
	case 0:
		c.Method = "PUT"
		return c, "method"
	case 1:
		c.Host = flip(c.Host)
		return c, "host"
	case 2:
		c.URL.Path = flip(c.URL.Path)
		return c, "path"
	case 3:
		c.URL.RawQuery += "&x-id=1"
		return c, "query"
	case 4:
		c.Header.Set("X-Amz-Meta-A", c.Header.Get("X-Amz-Meta-A")+"x")
		return c, "metadata"
	case 5:
		c.Header.Set("X-Amz-Meta-B", "")
		return c, "a header more"
	}
	if v := c.Header.Get("Authorization"); v != "" {
		c.Header.Set("Authorization", flip(v))
		return c, "Authorization"
	}
	q, old := flip(c.URL.RawQuery), c.URL.RawQuery
	if equalQuery(q, old) {
		return nil, ""
	}
	c.URL.RawQuery = q
	return c, "presigned query"
}

// equalQuery reports whether two queries mean the same: escapes differ in case only, say.
func equalQuery(a, b string) bool {
	x, err1 := url.ParseQuery(a)
	y, err2 := url.ParseQuery(b)
	if err1 != nil || err2 != nil || len(x) != len(y) {
		return false
	}
	for k, v := range x {
		if !slices.Equal(v, y[k]) {
			return false
		}
	}
	return true
}

// Every byte of a presigned URL's query and of an Authorization header counts.
func TestEveryByteCounts(t *testing.T) {
	v := exampleVerifier()
	base := signedGet("/bucket/key?prefix=a%2Fb", "X-Amz-Meta-A: b")
	value := base.Header.Get("Authorization")
	for i := range value {
		for _, c := range []byte{value[i] ^ 1, value[i] ^ 0x20, 'A', '0', ' '} {
			if c == value[i] {
				continue
			}
			r := base.Clone(base.Context())
			r.Header.Set("Authorization", value[:i]+string(c)+value[i+1:])
			if _, _, err := accept(v, r, exampleSecret); err == nil {
				t.Errorf("Authorization byte %d (%q) set to %q: accepted", i, value[i], c)
			}
		}
	}
	base = presignedGet("/bucket/key?prefix=a%2Fb", time.Hour)
	query := base.URL.RawQuery
	for i := range query {
		for _, c := range []byte{query[i] ^ 1, query[i] ^ 0x20, 'A', '0', '&'} {
			changed := query[:i] + string(c) + query[i+1:]
			if equalQuery(changed, query) {
				continue
			}
			r := base.Clone(base.Context())
			r.URL.RawQuery = changed
			if _, _, err := accept(v, r, exampleSecret); err == nil {
				t.Errorf("query byte %d (%q) set to %q: accepted", i, query[i], c)
			}
		}
	}
}

// S-001: the time of a refusal does not tell how many digits of a signature are right. The
// medians of interleaved measurements may differ by noise, so one good round of several is enough.
func TestConstantTime(t *testing.T) {
	if testing.Short() {
		t.Skip("measures time")
	}
	v := exampleVerifier()
	right := signedGet("/b/k").Header.Get("Authorization")
	flipAt := func(i int) *http.Request {
		r := signedGet("/b/k")
		b := []byte(right)
		b[i] ^= 1
		r.Header.Set("Authorization", string(b))
		return r
	}
	early, late := flipAt(len(right)-64), flipAt(len(right)-1)
	measure := func(r *http.Request) time.Duration {
		start := time.Now()
		for range 20 {
			a, _ := v.Parse(r)
			if v.Verify(r, &a, exampleSecret) == nil {
				t.Fatal("a wrong signature was accepted")
			}
		}
		return time.Since(start)
	}
	for range 10 {
		var a, b []time.Duration
		for range 300 {
			if rand.IntN(2) == 0 {
				a, b = append(a, measure(early)), append(b, measure(late))
			} else {
				b, a = append(b, measure(late)), append(a, measure(early))
			}
		}
		slices.Sort(a)
		slices.Sort(b)
		x, y := float64(a[len(a)/2]), float64(b[len(b)/2])
		if x < 1.03*y && y < 1.03*x {
			return
		}
	}
	t.Error("the medians of an early and a late wrong digit differ by more than 3% in ten rounds")
}

// S-163 and S-162: the canonical forms, as the rules say.
func TestCanonicalQuery(t *testing.T) {
	for raw, want := range map[string]string{
		"":                        "",
		"uploads":                 "uploads=",
		"uploads=":                "uploads=",
		"b=2&a=1":                 "a=1&b=2",
		"a=2&a=10&a=1":            "a=1&a=10&a=2",
		"a=1&a-b=1&a.b=1&aa=1":    "a=1&a-b=1&a.b=1&aa=1",
		"a=b+c&a=b%20c":           "a=b%20c&a=b%20c",
		"a=%2b%2F%7e~":            "a=%2B%2F~~",
		"%61=1":                   "a=1",
		"a=b=c":                   "a=b%3Dc",
		"a=1;b=2":                 "a=1%3Bb%3D2",
		"&&a=1&":                  "a=1",
		"=v":                      "=v",
		"é=ü":                     "%C3%A9=%C3%BC",
		"A=1&a=2&_=3":             "A=1&_=3&a=2",
		"X-Amz-Signature=ab&a=1":  "X-Amz-Signature=ab&a=1",
		"a=1&a=":                  "a=&a=1",
		"prefix=a/b":              "prefix=a%2Fb",
		"a=%F0%9F%98%80&b=*()'!,": "a=%F0%9F%98%80&b=%2A%28%29%27%21%2C",
	} {
		var s scratch
		if got := string(s.appendQuery(nil, raw, false)); got != want {
			t.Errorf("%q: %q, want %q", raw, got, want)
		}
	}
	var s scratch
	if got := string(s.appendQuery(nil, "z=1&X-Amz-Signature=ab&X-Amz-%53ignature=x&a=1", true)); got != "a=1&z=1" {
		t.Errorf("presigned: %q", got)
	}
}

func TestCanonicalPathAndHeader(t *testing.T) {
	for path, want := range map[string]string{
		"": "/", "/": "/", "//a": "//a", "/../x": "/../x", "/a/./b//": "/a/./b//", "/a b+c": "/a%20b%2Bc", "/~-._": "/~-._", "/%41": "/%2541", "/é\x00": "/%C3%A9%00",
	} {
		if got := string(appendPath(nil, path)); got != want {
			t.Errorf("%q: %q, want %q", path, got, want)
		}
	}
	for value, want := range map[string]string{"": "", " ": "", " a ": "a", "a  b": "a b", "\ta\t b\t": "a b", "\"a  b\"": "\"a b\"", "é": "é"} {
		if got := string(appendTrimmed([]byte("x"), value)); got != "x"+want {
			t.Errorf("%q: %q, want %q", value, got, "x"+want)
		}
	}
	r := newRequest("PUT", testHost+"/", "body", "X-Amz-Meta-A: 1 ", "X-Amz-Meta-A:  2")
	r.TransferEncoding, r.ProtoMajor = []string{"chunked"}, 2 // net/http takes Expect away in HTTP/2
	var s scratch
	for name, want := range map[string]string{
		"host": "s3.example.com", "content-length": "4", "x-amz-meta-a": "1,2", "transfer-encoding": "chunked", "expect": "100-continue", "absent": "",
	} {
		if got := string(s.appendHeader(nil, r, name)); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func BenchmarkVerifyGet(b *testing.B) {
	r := signedGet("/bucket/some/key/of/an/object.txt", "User-Agent: aws-cli/2.0", "Accept-Encoding: identity")
	benchVerify(b, r)
}

func BenchmarkVerifyPresigned(b *testing.B) {
	benchVerify(b, presignedGet("/bucket/some/key/of/an/object.txt", time.Hour))
}

func BenchmarkVerifyPut(b *testing.B) {
	const content = "x"
	r := newRequest("PUT", testHost+"/bucket/key", strings.Repeat(content, 4096), "Content-Type: application/octet-stream",
		"X-Amz-Meta-Mtime: 1700000000", "X-Amz-Checksum-Crc32: AAAAAA==", "X-Amz-Sdk-Checksum-Algorithm: CRC32", "User-Agent: x")
	testSigner.SignHeader(r, hexSHA256(strings.Repeat(content, 4096)), exampleTime)
	benchVerify(b, r)
}

func benchVerify(b *testing.B, r *http.Request) {
	v := exampleVerifier()
	b.ReportAllocs()
	start := cpuTime()
	for b.Loop() {
		a, err := v.Parse(r)
		if err == nil {
			err = v.Verify(r, &a, exampleSecret)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(cpuTime()-start)/float64(b.N), "cpu-ns/op")
}

// cpuTime is the CPU time of the process, which a busy machine does not distort.
func cpuTime() time.Duration {
	var ru syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &ru); err != nil {
		panic(err)
	}
	return time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
}

func BenchmarkBody(b *testing.B) {
	content := strings.Repeat("x", 1<<20)
	for _, bc := range []struct {
		name    string
		payload Payload
		size    int
	}{{"hash", PayloadHash, 4 << 10}, {"hash", PayloadHash, 1 << 20}, {"signed", PayloadStreamSigned, 1 << 20}, {"unsigned", PayloadStreamUnsignedTrailer, 1 << 20}} {
		b.Run(bc.name+"/"+time.Duration(bc.size).String(), func(b *testing.B) {
			content := content[:bc.size]
			var r *http.Request
			framed := content
			if bc.payload == PayloadHash {
				r = newRequest("PUT", testHost+"/b/k", content)
				testSigner.SignHeader(r, hexSHA256(content), exampleTime)
			} else {
				r, framed = streamed(b, bc.payload, content, 64<<10, "")
			}
			v := exampleVerifier()
			a, err := v.Parse(r)
			if err != nil {
				b.Fatal(err)
			}
			buf := make([]byte, 256<<10)
			src := strings.NewReader(framed)
			r.Body = io.NopCloser(src)
			b.SetBytes(int64(len(content)))
			b.ReportAllocs()
			for b.Loop() {
				src.Reset(framed)
				body, err := v.Body(r, &a, exampleSecret)
				if err != nil {
					b.Fatal(err)
				}
				for err == nil {
					_, err = body.Read(buf)
				}
				if err != io.EOF {
					b.Fatal(err)
				}
			}
		})
	}
}
