package sigv4

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// The credentials and the moment of the examples in the S3 API reference.
const (
	exampleKey    = "AKIAIOSFODNN7EXAMPLE"
	exampleSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	exampleScope  = exampleKey + "/20130524/us-east-1/s3/aws4_request"
)

var exampleTime = time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC)

func exampleVerifier() *Verifier {
	return &Verifier{Region: "us-east-1", Service: "s3", Now: func() time.Time { return exampleTime }}
}

// newRequest returns a request as a server sees it; headers are "Name: value" lines.
func newRequest(method, target, body string, headers ...string) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	return r
}

func authorization(signedHeaders, signature string) string {
	return "Authorization: AWS4-HMAC-SHA256 Credential=" + exampleScope + ",SignedHeaders=" + signedHeaders + ",Signature=" + signature
}

// accept parses and verifies r and reads its body.
func accept(v *Verifier, r *http.Request, secret string) (body string, trailer map[string]string, err error) {
	a, err := v.Parse(r)
	if err != nil {
		return "", nil, err
	}
	if a.Mode != Anonymous && a.AccessKey != exampleKey {
		return "", nil, &Error{Code: "InvalidAccessKeyId", Message: "no such key"}
	}
	if a.Mode != Anonymous {
		if err := v.Verify(r, &a, secret); err != nil {
			return "", nil, err
		}
	}
	b, err := v.Body(r, &a, secret)
	if err != nil {
		return "", nil, err
	}
	data, err := io.ReadAll(b)
	if err != nil {
		return "", nil, err
	}
	return string(data), b.Trailer(), nil
}

// The examples of "Signature Calculations for the Authorization Header: Transferring
// Payload in a Single Chunk" and of "Authenticating Requests: Using Query Parameters".
func TestAWSExamples(t *testing.T) {
	const host = "http://examplebucket.s3.amazonaws.com"
	const sha, date = "x-amz-content-sha256: ", "x-amz-date: 20130524T000000Z"
	for name, r := range map[string]*http.Request{
		"GET object": newRequest("GET", host+"/test.txt", "", "Range: bytes=0-9", sha+emptySHA256, date,
			authorization("host;range;x-amz-content-sha256;x-amz-date", "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")),
		"PUT object": newRequest("PUT", host+"/test$file.text", "Welcome to Amazon S3.", "Date: Fri, 24 May 2013 00:00:00 GMT",
			sha+"44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072", date, "x-amz-storage-class: REDUCED_REDUNDANCY",
			authorization("date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class", "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd")),
		"GET lifecycle": newRequest("GET", host+"/?lifecycle", "", sha+emptySHA256, date,
			authorization("host;x-amz-content-sha256;x-amz-date", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543")),
		"list": newRequest("GET", host+"/?max-keys=2&prefix=J", "", sha+emptySHA256, date,
			authorization("host;x-amz-content-sha256;x-amz-date", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")),
		"presigned GET": newRequest("GET", host+"/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential="+
			strings.ReplaceAll(exampleScope, "/", "%2F")+"&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"+
			"&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404", ""),
	} {
		t.Run(name, func(t *testing.T) {
			v := exampleVerifier()
			if _, _, err := accept(v, r, exampleSecret); err != nil {
				t.Fatalf("%v\n%v", err, fieldOf(err, "CanonicalRequest"))
			}
		})
	}
}

func fieldOf(err error, name string) string {
	e, ok := err.(*Error)
	if !ok {
		return ""
	}
	for _, f := range e.Fields {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

// chunks frames data as the examples do: sizes, each with its signature.
func chunks(data []byte, sizes []int, signatures []string) string {
	var b bytes.Buffer
	for i, n := range sizes {
		fmt.Fprintf(&b, "%x;chunk-signature=%s\r\n", n, signatures[i])
		b.Write(data[:n])
		data = data[n:]
		if n > 0 {
			b.WriteString("\r\n")
		}
	}
	return b.String()
}

// The examples of "Transferring Payload in Multiple Chunks" and "Including Trailing Headers".
func TestAWSChunkedExamples(t *testing.T) {
	data := bytes.Repeat([]byte("a"), 66560)
	common := []string{"x-amz-date: 20130524T000000Z", "x-amz-storage-class: REDUCED_REDUNDANCY", "Content-Encoding: aws-chunked", "x-amz-decoded-content-length: 66560"}
	for _, tc := range []struct {
		name    string
		headers []string
		tail    string
		sums    []string
		trailer string
	}{
		{"chunked", []string{"x-amz-content-sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
			authorization("content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class", "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9")},
			"\r\n", []string{"ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648", "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497", "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"}, ""},
		{"trailer", []string{"x-amz-content-sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", "x-amz-trailer: x-amz-checksum-crc32c",
			authorization("content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer", "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e")},
			"x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n",
			[]string{"b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2", "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7", "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992"}, "sOO8/Q=="},
	} {
		t.Run(tc.name, func(t *testing.T) {
			body := chunks(data, []int{65536, 1024, 0}, tc.sums) + tc.tail
			r := newRequest("PUT", "http://s3.amazonaws.com/examplebucket/chunkObject.txt", body, append(common, tc.headers...)...)
			got, trailer, err := accept(exampleVerifier(), r, exampleSecret)
			if err != nil {
				t.Fatalf("%v\n%s", err, fieldOf(err, "CanonicalRequest"))
			}
			if got != string(data) || trailer["x-amz-checksum-crc32c"] != tc.trailer {
				t.Fatalf("%d bytes, trailer %v", len(got), trailer)
			}
		})
	}
}
