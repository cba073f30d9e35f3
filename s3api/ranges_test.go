package s3api

import (
	"math"
	"strings"
	"testing"
)

func TestRanges(t *testing.T) {
	e := newEnv(t)
	const data = "0123456789"
	e.must(200, "PUT", "/bkt/k", data)
	e.must(200, "PUT", "/bkt/empty", "")
	e.must(200, "PUT", "/bkt/large", strings.Repeat(data, 20000)) // not given out in one piece by the store
	for _, row := range []struct {
		header, body, contentRange string // contentRange "" for the whole object
	}{
		{"bytes=0-0", "0", "bytes 0-0/10"},
		{"bytes=0-9", data, "bytes 0-9/10"},
		{"bytes=3-5", "345", "bytes 3-5/10"},
		{"bytes=7-", "789", "bytes 7-9/10"},
		{"bytes=7-100", "789", "bytes 7-9/10"},
		{"bytes=9-18446744073709551616", "9", "bytes 9-9/10"},
		{"bytes=-3", "789", "bytes 7-9/10"},
		{"bytes=-100", data, "bytes 0-9/10"},
		{"BYTES=1-2", "12", "bytes 1-2/10"},
		// No range, or several: the whole object (S-235).
		{"bytes=0-1,3-4", data, ""},
		{"bytes=5-3", data, ""},
		{"bytes=--1", data, ""},
		{"bytes=-", data, ""},
		{"bytes=a-b", data, ""},
		{"bytes=1.5-3", data, ""},
		{"bytes=+1-3", data, ""},
		{"items=0-1", data, ""},
		{"0-1", data, ""},
		{"bytes=" + strings.Repeat("0-1,", 1000) + "0-1", data, ""},
	} {
		t.Run(row.header[:min(len(row.header), 20)], func(t *testing.T) {
			e := e.at(t)
			status := 206
			if row.contentRange == "" {
				status = 200
			}
			a := e.must(status, "GET", "/bkt/k", "", "Range: "+row.header, "X-Amz-Checksum-Mode: ENABLED")
			e.wantHeader(a, "Content-Range", row.contentRange)
			if a.body != row.body {
				t.Errorf("body %q, want %q", a.body, row.body)
			}
			sum := ""
			if row.body == data {
				sum = sumOf("CRC64NVME", data)
			}
			e.wantHeader(a, "X-Amz-Checksum-Crc64nvme", sum) // of a piece it would be wrong
			h := e.must(status, "HEAD", "/bkt/k", "", "Range: "+row.header)
			e.wantHeader(h, "Content-Range", row.contentRange)
			e.wantHeader(h, "Content-Length", itoa(len(row.body)))
		})
	}
	for _, row := range [][2]string{{"/bkt/k", "bytes=10-"}, {"/bkt/k", "bytes=18446744073709551616-"}, {"/bkt/k", "bytes=-0"}, {"/bkt/empty", "bytes=0-"}, {"/bkt/empty", "bytes=-1"}} {
		a := e.refused(416, "InvalidRange", "GET", row[0], "", "Range: "+row[1])
		size := map[string]string{"/bkt/k": "10", "/bkt/empty": "0"}[row[0]]
		e.wantHeader(a, "Content-Range", "bytes */"+size)
		if a.element("ActualObjectSize") != size || a.element("RangeRequested") != row[1] {
			t.Errorf("%s: %s", row[1], a.body)
		}
		e.wantHeader(a, "Etag", "")
		e.must(416, "HEAD", row[0], "", "Range: "+row[1])
	}
	if a := e.must(206, "GET", "/bkt/large", "", "Range: bytes=100005-100014"); a.body != "5678901234" {
		t.Errorf("large: %q", a.body)
	}
	if a := e.must(200, "GET", "/bkt/large", ""); a.body != strings.Repeat(data, 20000) {
		t.Errorf("large: %d bytes", len(a.body))
	}
	if a := e.must(200, "GET", "/bkt/empty", ""); a.body != "" {
		t.Errorf("empty: %q", a.body)
	}
}

func TestIfRange(t *testing.T) {
	e := newEnv(t)
	e.must(200, "PUT", "/bkt/k", "hello")
	for header, status := range map[string]int{
		helloETag: 206, otherETag: 200, "W/" + helloETag: 200, httpTime(e.now): 206, httpTime(e.now.AddDate(-1, 0, 0)): 200,
	} {
		e.must(status, "GET", "/bkt/k", "", "Range: bytes=1-2", "If-Range: "+header)
	}
}

// Part numbers outside of 1 to 10000 are no numbers (S-235); one behind the last part is not
// satisfiable.
func TestPartNumberOfReads(t *testing.T) {
	e := newEnv(t)
	e.must(200, "PUT", "/bkt/whole", "hello")
	e.must(200, "PUT", "/bkt/empty", "")
	first := strings.Repeat("1", minPartSize)
	id := e.must(200, "POST", "/bkt/mp?uploads", "", "X-Amz-Checksum-Algorithm: SHA256").element("UploadId")
	e1 := e.must(200, "PUT", "/bkt/mp?partNumber=1&uploadId="+id, first, "X-Amz-Checksum-Sha256: "+sumOf("SHA256", first)).Get("Etag")
	e2 := e.must(200, "PUT", "/bkt/mp?partNumber=2&uploadId="+id, "two", "X-Amz-Checksum-Sha256: "+sumOf("SHA256", "two")).Get("Etag")
	e.must(200, "POST", "/bkt/mp?uploadId="+id, completeDoc(e1, e2))
	for _, method := range []string{"GET", "HEAD"} {
		a := e.must(206, method, "/bkt/mp?partNumber=2", "", "X-Amz-Checksum-Mode: ENABLED")
		e.wantHeader(a, "Content-Range", "bytes 5242880-5242882/5242883")
		e.wantHeader(a, "Content-Length", "3")
		e.wantHeader(a, "X-Amz-Mp-Parts-Count", "2")
		e.wantHeader(a, "X-Amz-Checksum-Sha256", sumOf("SHA256", "two"))
		e.wantHeader(a, "X-Amz-Checksum-Type", "COMPOSITE")
		if method == "GET" && a.body != "two" {
			t.Errorf("body %q", a.body)
		}
		e.wantHeader(e.must(200, method, "/bkt/mp", ""), "X-Amz-Mp-Parts-Count", "")
		e.wantHeader(e.must(206, method, "/bkt/whole?partNumber=1", ""), "Content-Range", "bytes 0-4/5")
		e.must(200, method, "/bkt/empty?partNumber=1", "")
		e.refused(416, "InvalidPartNumber", method, "/bkt/mp?partNumber=3", "")
		e.refused(416, "InvalidPartNumber", method, "/bkt/whole?partNumber=2", "")
		e.refused(400, "InvalidRequest", method, "/bkt/mp?partNumber=1", "", "Range: bytes=0-1")
		for _, n := range []string{"0", "-1", "10001", "100000000000000000000", "1.5", "", "+1", "x"} {
			e.refused(400, "InvalidArgument", method, "/bkt/mp?partNumber="+n, "")
		}
	}
}

func TestResponseOverrides(t *testing.T) {
	e := newEnv(t)
	e.must(200, "PUT", "/bkt/k", "hello", "Content-Type: text/plain", "Cache-Control: no-store")
	q := "?response-content-type=image/png&response-cache-control=private&response-content-disposition=attachment%3B%20filename%3Dx" +
		"&response-content-encoding=x&response-content-language=de&response-expires=Thu%2C%2001%20Dec%202030%2016%3A00%3A00%20GMT"
	for _, method := range []string{"GET", "HEAD"} {
		a := e.must(200, method, "/bkt/k"+q, "")
		for name, want := range map[string]string{"Content-Type": "image/png", "Cache-Control": "private", "Content-Disposition": "attachment; filename=x",
			"Content-Encoding": "x", "Content-Language": "de", "Expires": "Thu, 01 Dec 2030 16:00:00 GMT"} {
			e.wantHeader(a, name, want)
		}
		if a := e.anonymous(method, "/bkt/k?response-content-type=text/html", ""); a.status != 400 {
			t.Errorf("anonymous override: %d", a.status)
		}
		e.refused(400, "InvalidArgument", method, "/bkt/k?response-content-type=a%0d%0aSet-Cookie:x", "")
	}
}

func FuzzParseRange(f *testing.F) {
	for _, s := range []string{"bytes=0-1", "bytes=-5", "bytes=5-", "bytes=9223372036854775807-9223372036854775807", "bytes=1-2,3-4"} {
		f.Add(s, int64(10))
	}
	f.Fuzz(func(t *testing.T, s string, size int64) {
		if size < 0 {
			size = -(size + 1)
		}
		first, last, ok := parseRange(s)
		if !ok {
			return
		}
		if first < -1 || last < first || (first < 0 && last == math.MaxInt64 && !strings.Contains(s, "-")) {
			t.Fatalf("%q: %d-%d", s, first, last)
		}
		if sp, ok := clip(first, last, size); ok && (sp.off < 0 || sp.n <= 0 || sp.off > size-sp.n) {
			t.Fatalf("%q of %d: %+v", s, size, sp)
		}
	})
}
