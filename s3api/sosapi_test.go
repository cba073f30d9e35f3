package s3api

import (
	"strings"
	"testing"

	"github.com/objsrv/objsrv/iam"
)

func TestVeeamDocuments(t *testing.T) {
	const system, capacity = "/bkt/" + veeamSystem, "/bkt/" + veeamCapacity
	e := newEnv(t)
	got := e.must(200, "GET", system, "")
	const want = `<SystemInfo><ProtocolVersion>"1.0"</ProtocolVersion><ModelName>"objsrv"</ModelName><ProtocolCapabilities><CapacityInfo>false</CapacityInfo><UploadSessions>false</UploadSessions><IAMSTS>false</IAMSTS></ProtocolCapabilities></SystemInfo>`
	if text := strings.NewReplacer("&#34;", `"`, "&quot;", `"`).Replace(got.body); !strings.HasSuffix(text, want) {
		t.Errorf("system.xml: %s", got.body)
	}
	e.wantHeader(got, "Content-Type", "application/xml")
	head := e.must(200, "HEAD", system, "")
	e.wantHeader(head, "Content-Length", got.Get("Content-Length"))
	e.wantHeader(head, "Etag", quoteETag(md5Hex(got.body)))
	e.refused(404, "NoSuchKey", "GET", capacity, "") // nobody knows it here
	for _, row := range []struct {
		disk  *Capacity
		quota int64
		want  string
	}{
		{&Capacity{1000, 400}, 0, "<Capacity>1000</Capacity><Available>400</Available><Used>600</Used>"},
		{&Capacity{1000, 400}, 100, "<Capacity>100</Capacity><Available>97</Available><Used>3</Used>"},
		{&Capacity{1000, 40}, 100, "<Capacity>100</Capacity><Available>40</Available><Used>60</Used>"},
		{nil, 100, "<Capacity>100</Capacity><Available>97</Available><Used>3</Used>"},
	} {
		e := newEnv(t)
		e.must(200, "PUT", "/bkt/k", "abc")
		e.quota("bkt", row.quota)
		if row.disk != nil {
			e.s.Capacity = func() (Capacity, bool) { return *row.disk, true }
		}
		if got := e.must(200, "GET", capacity, "").body; !strings.Contains(got, "<CapacityInfo>"+row.want+"</CapacityInfo>") {
			t.Errorf("%+v: %s", row, got)
		}
		if got := e.must(200, "GET", system, "").body; !strings.Contains(got, "<CapacityInfo>true</CapacityInfo>") {
			t.Errorf("%+v: %s", row, got)
		}
	}

	// Nothing of them is stored, whoever tries.
	e.must(200, "PUT", "/bkt/k", "x")
	for _, key := range []string{system, capacity} {
		e.refused(403, "AccessDenied", "PUT", key, "x")
		e.refused(403, "AccessDenied", "PUT", key, "", "X-Amz-Copy-Source: bkt/k")
		e.refused(403, "AccessDenied", "PUT", key+"?renameObject", "", renameFrom+"k")
		e.refused(403, "AccessDenied", "POST", key+"?uploads", "")
		e.refused(403, "AccessDenied", "PUT", "/bkt/x.tar", packed(t, strings.TrimPrefix(key, "/bkt/"), "x"), extract)
		f := fields("key=" + strings.TrimPrefix(key, "/bkt/"))
		if a := e.post("/bkt", e.signed(f, bktKey)); a.status != 403 {
			t.Errorf("a form: %d", a.status)
		}
		e.must(204, "DELETE", key, "")
	}
	if keys := e.keys("bkt"); len(keys) != 1 {
		t.Errorf("stored %q", keys)
	}
	e.must(200, "PUT", "/bkt/"+veeamPrefix+"other.xml", "x")
	e.iam.deny = func(r *iam.Request) bool { return r.Key == veeamSystem }
	e.refused(403, "AccessDenied", "GET", system, "")
	e.iam.deny = nil
	if a := e.anonymous("GET", system, ""); a.status != 200 { // everybody may everything here
		t.Errorf("anonymous: %d", a.status)
	}
	e.refused(404, "NoSuchBucket", "GET", "/nobkt/"+veeamSystem, "")
}
