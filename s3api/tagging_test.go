package s3api

import (
	"strings"
	"testing"

	"github.com/objsrv/objsrv/storage"
)

// tagDoc is a Tagging document of tags "key=value".
func tagDoc(tags ...string) string {
	doc := "<Tagging><TagSet>"
	for _, t := range tags {
		k, v, _ := strings.Cut(t, "=")
		doc += "<Tag><Key>" + k + "</Key><Value>" + v + "</Value></Tag>"
	}
	return doc + "</TagSet></Tagging>"
}

func TestObjectTagging(t *testing.T) {
	e := newEnv(t)
	e.bucket("ver", storage.VersioningEnabled)
	v1 := e.must(200, "PUT", "/ver/k", "one", "X-Amz-Tagging: first=1&caf%C3%A9=a%26b+c").Get("X-Amz-Version-Id")
	v2 := e.must(200, "PUT", "/ver/k", "two").Get("X-Amz-Version-Id")
	a := e.must(200, "GET", "/ver/k?tagging&versionId="+v1, "")
	golden(t, "objecttagging", a.body)
	e.wantHeader(a, "X-Amz-Version-Id", v1)
	e.wantHeader(e.must(200, "PUT", "/ver/k?tagging", tagDoc("a=b", "c=")), "X-Amz-Version-Id", v2)
	if a := e.must(200, "GET", "/ver/k?tagging", ""); strings.Count(a.body, "<Tag>") != 2 {
		t.Error(a.body)
	}
	e.wantHeader(e.must(200, "HEAD", "/ver/k", ""), "X-Amz-Tagging-Count", "2")
	e.iam.deny = denyActions("s3:GetObjectTagging")
	e.wantHeader(e.must(200, "HEAD", "/ver/k", ""), "X-Amz-Tagging-Count", "")
	e.iam.deny = nil
	e.wantHeader(e.must(204, "DELETE", "/ver/k?tagging&versionId="+v1, ""), "X-Amz-Version-Id", v1)
	if a := e.must(200, "GET", "/ver/k?tagging&versionId="+v1, ""); strings.Contains(a.body, "<Tag>") {
		t.Error(a.body)
	}
	for name, row := range map[string]struct{ code, doc string }{
		"11 tags (S-240)":   {"InvalidTag", tagDoc("1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11")},
		"same key (S-240)":  {"InvalidTag", tagDoc("a=1", "a=2")},
		"long key":          {"InvalidTag", tagDoc(strings.Repeat("ä", 129))},
		"long value":        {"InvalidTag", tagDoc("a=" + strings.Repeat("ä", 257))},
		"no key":            {"InvalidTag", tagDoc("=1")},
		"no value element":  {"MalformedXML", "<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>"},
		"no set":            {"MalformedXML", "<Tagging></Tagging>"},
		"another document":  {"MalformedXML", "<Delete></Delete>"},
		"no XML":            {"MalformedXML", "a=b"},
		"reserved for AWS":  {"InvalidTag", tagDoc("aws:a=b")},
		"nested 100 levels": {"MalformedXML", strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100)},
	} {
		if a := e.must(400, "PUT", "/ver/k?tagging", row.doc); a.code() != row.code {
			t.Errorf("%s: %s", name, a.body)
		}
	}
	e.must(200, "PUT", "/ver/k?tagging", tagDoc(strings.Repeat("ä", 128)+"="+strings.Repeat("ä", 256)))
	e.must(200, "PUT", "/ver/k?tagging", tagDoc())
	e.refused(404, "NoSuchKey", "GET", "/ver/missing?tagging", "")
	e.refused(404, "NoSuchKey", "PUT", "/ver/missing?tagging", tagDoc("a=b"))
	e.refused(400, "BadDigest", "PUT", "/ver/k?tagging", tagDoc("a=b"), "Content-Md5: "+md5Of("x"))
}

func TestObjectAttributes(t *testing.T) {
	e := newEnv(t)
	first := strings.Repeat("1", minPartSize)
	id := e.create("/bkt/mp", "X-Amz-Checksum-Algorithm: SHA1", "X-Amz-Storage-Class: STANDARD_IA")
	etags := []string{e.part("/bkt/mp", id, 2, first), e.part("/bkt/mp", id, 4, first), e.part("/bkt/mp", id, 8, "end")}
	doc := strings.NewReplacer("<PartNumber>3<", "<PartNumber>8<", "<PartNumber>2<", "<PartNumber>4<", "<PartNumber>1<", "<PartNumber>2<").Replace(completeDoc(etags...))
	e.must(200, "POST", "/bkt/mp?uploadId="+id, doc)
	all := "X-Amz-Object-Attributes: ETag, Checksum,ObjectParts,StorageClass,ObjectSize"
	a := e.must(200, "GET", "/bkt/mp?attributes", "", all, "X-Amz-Max-Parts: 1", "X-Amz-Part-Number-Marker: 1")
	golden(t, "attributes", a.body)
	e.wantHeader(a, "Last-Modified", httpTime(e.now))
	if a := e.must(200, "GET", "/bkt/mp?attributes", "", "X-Amz-Object-Attributes: ObjectParts"); strings.Count(a.body, "<Part>") != 3 || a.element("IsTruncated") != "false" || strings.Contains(a.body, "<ETag>") {
		t.Error(a.body)
	}
	e.must(200, "PUT", "/bkt/k", "hello")
	if a := e.must(200, "GET", "/bkt/k?attributes", "", all); a.element("ETag") != strings.Trim(helloETag, `"`) || a.element("ObjectSize") != "5" ||
		a.element("StorageClass") != "STANDARD" || strings.Contains(a.body, "ObjectParts") || a.element("ChecksumCRC64NVME") != sumOf("CRC64NVME", "hello") {
		t.Error(a.body)
	}
	e.refused(400, "InvalidRequest", "GET", "/bkt/k?attributes", "")
	e.refused(400, "InvalidArgument", "GET", "/bkt/k?attributes", "", "X-Amz-Object-Attributes: Colour")
	e.refused(400, "InvalidArgument", "GET", "/bkt/k?attributes", "", all, "X-Amz-Max-Parts: -1")
	e.refused(400, "InvalidArgument", "GET", "/bkt/k?attributes", "", all, "X-Amz-Part-Number-Marker: 1.5")
	e.refused(404, "NoSuchKey", "GET", "/bkt/missing?attributes", "", all)
	for _, action := range []string{"s3:GetObject", "s3:GetObjectAttributes"} {
		e.iam.deny = denyActions(action)
		e.refused(403, "AccessDenied", "GET", "/bkt/k?attributes", "", all)
	}
}
