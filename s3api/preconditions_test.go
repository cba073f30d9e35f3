package s3api

import (
	"testing"
	"time"

	"github.com/objsrv/objsrv/storage"
)

const (
	helloETag = `"5d41402abc4b2a76b9719d911017c592"` // of "hello"
	otherETag = `"00000000000000000000000000000000"`
)

// at returns a copy of e whose failures belong to t.
func (e *env) at(t *testing.T) *env {
	c := *e
	c.t = t
	return &c
}

func TestConditionalReads(t *testing.T) {
	e := newEnv(t)
	e.must(200, "PUT", "/bkt/k", "hello")
	before, same, after := httpTime(e.now.Add(-time.Hour)), httpTime(e.now), httpTime(e.now.Add(time.Hour))
	for _, row := range []struct {
		name      string
		status    int
		condition string // of a 412
		headers   []string
	}{
		{"match", 200, "", []string{"If-Match: " + helloETag}},
		{"match without quotes", 200, "", []string{"If-Match: 5d41402abc4b2a76b9719d911017c592"}},
		{"match any", 200, "", []string{"If-Match: *"}},
		{"match in a list", 200, "", []string{"If-Match: " + otherETag + ", " + helloETag}},
		{"no match", 412, "If-Match", []string{"If-Match: " + otherETag}},
		{"none match", 200, "", []string{"If-None-Match: " + otherETag}},
		{"none match fails", 304, "", []string{"If-None-Match: " + helloETag}},
		{"none match weak", 304, "", []string{"If-None-Match: W/" + helloETag}},
		{"none match any", 304, "", []string{"If-None-Match: *"}},
		{"modified", 200, "", []string{"If-Modified-Since: " + before}},
		{"not modified", 304, "", []string{"If-Modified-Since: " + same}},
		{"not modified, later", 304, "", []string{"If-Modified-Since: " + after}},
		{"unmodified", 200, "", []string{"If-Unmodified-Since: " + same}},
		{"not unmodified", 412, "If-Unmodified-Since", []string{"If-Unmodified-Since: " + before}},
		{"match overrules unmodified", 200, "", []string{"If-Match: " + helloETag, "If-Unmodified-Since: " + before}},
		{"none match overrules modified", 200, "", []string{"If-None-Match: " + otherETag, "If-Modified-Since: " + after}},
		{"none match fails though modified", 304, "", []string{"If-None-Match: " + helloETag, "If-Modified-Since: " + before}},
		{"412 before 304", 412, "If-Match", []string{"If-Match: " + otherETag, "If-None-Match: " + helloETag}},
		{"no date", 200, "", []string{"If-Modified-Since: yesterday", "If-Unmodified-Since: 0"}},
		{"before ranges", 304, "", []string{"If-None-Match: *", "Range: bytes=900-"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := e.at(t)
			for _, method := range []string{"GET", "HEAD"} {
				a := e.must(row.status, method, "/bkt/k", "", row.headers...)
				if row.status == 412 {
					if method == "GET" && (a.code() != "PreconditionFailed" || a.element("Condition") != row.condition) {
						t.Errorf("condition %q: %s", row.condition, a.body)
					}
					e.wantHeader(a, "Etag", "")
					continue
				}
				e.wantHeader(a, "Etag", helloETag)
				e.wantHeader(a, "Last-Modified", same)
				if row.status == 304 && a.body != "" {
					t.Errorf("304 with a body: %q", a.body)
				}
			}
		})
	}
}

// Conditions tell nothing to those who may not read (S-023): existing and missing keys look alike.
func TestConditionsAfterAuthorisation(t *testing.T) {
	e := newEnv(t)
	e.must(200, "PUT", "/bkt/k", "hello")
	e.iam.deny = func(*iamRequest) bool { return true }
	for _, h := range []string{"If-Match: " + otherETag, "If-None-Match: " + helloETag, "If-None-Match: *", "If-Modified-Since: " + httpTime(e.now),
		"If-Unmodified-Since: " + httpTime(e.now.Add(-time.Hour)), "Range: bytes=90-"} {
		for _, method := range []string{"GET", "HEAD"} {
			for _, key := range []string{"/bkt/k", "/bkt/missing"} {
				a := e.anonymous(method, key, "", h)
				if a.status != 403 || a.Get("Etag")+a.Get("Last-Modified")+a.Get("Content-Range") != "" {
					t.Errorf("%s %s %s: %d %v", method, key, h, a.status, a.Header)
				}
			}
		}
	}
}

// Without s3:ListBucket a missing key is told as AccessDenied.
func TestMissingKeyNeedsList(t *testing.T) {
	e := newEnv(t)
	e.must(200, "PUT", "/bkt/k", "hello")
	e.iam.deny = denyActions("s3:ListBucket")
	e.refused(403, "AccessDenied", "GET", "/bkt/missing", "")
	e.must(403, "HEAD", "/bkt/missing", "")
	e.refused(403, "AccessDenied", "GET", "/bkt/k?versionId=0000000000000077", "")
	e.refused(403, "AccessDenied", "GET", "/bkt/missing?tagging", "")
	e.refused(403, "AccessDenied", "PUT", "/bkt/copy", "", "X-Amz-Copy-Source: bkt/missing")
	e.refused(403, "AccessDenied", "DELETE", "/bkt/missing", "", "If-Match: "+helloETag)
	e.must(200, "GET", "/bkt/k", "")
}

func TestConditionalWrites(t *testing.T) {
	e := newEnv(t)
	e.must(200, "PUT", "/bkt/source", "hello")
	large := string(make([]byte, earlyCheckSize))
	for _, row := range []struct {
		name           string
		header         string
		present        int // status when the key holds "hello"
		condition      string
		absent         int
		presentVersion int
	}{
		{"match", "If-Match: " + helloETag, 200, "", 404, 200},
		{"match any", "If-Match: *", 200, "", 404, 200},
		{"no match", "If-Match: " + otherETag, 412, "If-Match", 404, 412},
		{"a list", "If-Match: " + otherETag + "," + helloETag, 400, "", 400, 400},
		{"none match any", "If-None-Match: *", 412, "If-None-Match", 200, 412},
		{"none match that tag", "If-None-Match: " + helloETag, 412, "If-None-Match", 200, 412},
		{"none match another", "If-None-Match: " + otherETag, 200, "", 200, 200},
		{"none match a list", "If-None-Match: a, b", 501, "", 501, 501},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := e.at(t)
			writes := map[string]func() *answered{
				"put":       func() *answered { return e.do("PUT", "/bkt/k", "new", row.header) },
				"put large": func() *answered { return e.do("PUT", "/bkt/k", large, row.header) },
				"copy":      func() *answered { return e.do("PUT", "/bkt/k", "", row.header, "X-Amz-Copy-Source: bkt/source") },
				"complete": func() *answered {
					id := e.must(200, "POST", "/bkt/k?uploads", "").element("UploadId")
					etag := e.must(200, "PUT", "/bkt/k?partNumber=1&uploadId="+id, "part").Get("Etag")
					return e.do("POST", "/bkt/k?uploadId="+id, completeDoc(etag), row.header)
				},
			}
			for name, write := range writes {
				e.must(204, "DELETE", "/bkt/k", "")
				if a := write(); a.status != row.absent {
					t.Errorf("%s of an absent key: %d %s", name, a.status, a.body)
				}
				e.must(200, "PUT", "/bkt/k", "hello")
				a := write()
				if a.status != row.present || a.element("Condition") != row.condition {
					t.Errorf("%s of a present key: %d %s", name, a.status, a.body)
				}
				if got := e.must(200, "GET", "/bkt/k", "").Get("Etag"); (got == helloETag) != (row.present != 200 || name == "copy") {
					t.Errorf("%s: answer %d, the key now has ETag %s", name, a.status, got)
				}
			}
		})
	}
}

// completeDoc is the body that completes an upload of parts numbered from 1.
func completeDoc(etags ...string) string {
	doc := "<CompleteMultipartUpload>"
	for i, etag := range etags {
		doc += "<Part><PartNumber>" + itoa(i+1) + "</PartNumber><ETag>" + etag + "</ETag></Part>"
	}
	return doc + "</CompleteMultipartUpload>"
}

func TestConditionalDeletes(t *testing.T) {
	e := newEnv(t)
	e.bucket("ver", storage.VersioningEnabled)
	same, later := httpTime(e.now), httpTime(e.now.Add(time.Second))
	for _, row := range []struct {
		name    string
		status  int
		headers []string
	}{
		{"match", 204, []string{"If-Match: " + helloETag}},
		{"match any", 204, []string{"If-Match: *"}},
		{"no match", 412, []string{"If-Match: " + otherETag}},
		{"size", 204, []string{"X-Amz-If-Match-Size: 5"}},
		{"other size", 412, []string{"X-Amz-If-Match-Size: 6"}},
		{"no size (S-235)", 400, []string{"X-Amz-If-Match-Size: -5"}},
		{"time", 204, []string{"X-Amz-If-Match-Last-Modified-Time: " + same}},
		{"time in ISO form", 204, []string{"X-Amz-If-Match-Last-Modified-Time: " + e.now.Format(time.RFC3339)}},
		{"other time", 412, []string{"X-Amz-If-Match-Last-Modified-Time: " + later}},
		{"no time", 400, []string{"X-Amz-If-Match-Last-Modified-Time: now"}},
		{"one of two", 412, []string{"If-Match: " + helloETag, "X-Amz-If-Match-Size: 6"}},
		{"none match", 501, []string{"If-None-Match: *"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := e.at(t)
			e.must(200, "PUT", "/bkt/k", "hello")
			e.must(row.status, "DELETE", "/bkt/k", "", row.headers...)
			want := 200
			if row.status == 204 {
				want = 404
			}
			e.must(want, "HEAD", "/bkt/k", "")
			v := e.must(200, "PUT", "/ver/k", "hello").Get("X-Amz-Version-Id")
			e.must(200, "PUT", "/ver/k", "newer")
			e.must(row.status, "DELETE", "/ver/k?versionId="+v, "", row.headers...)
			e.must(want, "HEAD", "/ver/k?versionId="+v, "")
		})
	}
	e.refused(404, "NoSuchKey", "DELETE", "/bkt/k9", "", "If-Match: *")
}
