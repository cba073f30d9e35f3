package s3api

import (
	"strings"
	"testing"

	"github.com/objsrv/objsrv/iam"
)

// TestOwnerEnforcedACLs is how BucketOwnerEnforced answers whatever speaks of access control lists (S3 user guide, "Controlling
// ownership of objects and disabling ACLs for your bucket"): they can be read, and set to what is so anyway. Where nobody has asked
// for the setting, "private", which old clients send with all they write, passes too.
func TestOwnerEnforcedACLs(t *testing.T) {
	own, other := iam.CanonicalID(ownAccount), iam.CanonicalID(otherAccount)
	full := aclBody(own, aclGrant("CanonicalUser", "<ID>"+own+"</ID>", "FULL_CONTROL"))
	const refused = "AccessControlListNotSupported"
	rows := []struct {
		name, body string
		headers    []string
		code       string // of a bucket with the setting
		bydefault  string // of one without
	}{
		{"bucket-owner-full-control", "", []string{"x-amz-acl: bucket-owner-full-control"}, "", ""},
		{"private", "", []string{"x-amz-acl: private"}, refused, ""},
		{"public-read", "", []string{"x-amz-acl: public-read"}, refused, refused},
		{"public-read-write", "", []string{"x-amz-acl: public-read-write"}, refused, refused},
		{"authenticated-read", "", []string{"x-amz-acl: authenticated-read"}, refused, refused},
		{"bucket-owner-read", "", []string{"x-amz-acl: bucket-owner-read"}, refused, refused},
		{"unknown", "", []string{"x-amz-acl: nobody"}, "InvalidArgument", "InvalidArgument"},
		{"grant", "", []string{"x-amz-grant-read: id=" + other}, refused, refused},
		{"the owner's full control", full, nil, "", ""},
		{"no grant at all", aclBody(own), nil, refused, refused},
		{"a grant in the body", aclBody(own, aclGrant("CanonicalUser", "<ID>"+other+"</ID>", "READ")), nil, refused, refused},
		{"everyone in the body", aclBody(own, aclGrant("Group", "<URI>"+groupURIs[groupAll]+"</URI>", "READ")), nil, refused, refused},
	}
	for _, setting := range []string{OwnerEnforced, ""} {
		a := newAccounts(t, "")
		var make []string
		if setting != "" {
			make = []string{"x-amz-object-ownership: " + setting}
		}
		path := a.newBucket(make...)
		a.wants(200, "", "owner", "PUT", path+"/k", "content")
		id := a.wants(200, "", "owner", "POST", path+"/mp?uploads", "").element("UploadId")
		for _, row := range rows {
			code := row.code
			if setting == "" {
				code = row.bydefault
			}
			status := map[bool]int{true: 200, false: 400}[code == ""]
			a.wants(status, code, "owner", "PUT", path+"?acl", row.body, row.headers...)
			a.wants(status, code, "owner", "PUT", path+"/k?acl", row.body, row.headers...)
			if row.body != "" {
				continue
			}
			a.wants(status, code, "owner", "PUT", path+"/k", "content", row.headers...)
			a.wants(status, code, "owner", "PUT", path+"/copy", "", append([]string{"x-amz-copy-source: " + path + "/k"}, row.headers...)...)
			a.wants(status, code, "owner", "POST", path+"/other?uploads", "", row.headers...)
		}
		for _, target := range []string{path + "?acl", path + "/k?acl"} {
			got := a.wants(200, "", "owner", "GET", target, "")
			a.hasOwner(got, ownAccount)
			if strings.Count(got.body, "<Grant>") != 1 || got.element("Permission") != "FULL_CONTROL" {
				t.Errorf("%s: %s", target, got.body)
			}
		}
		// Lists that cost nothing to read take their rights to read all the same.
		a.wants(403, "AccessDenied", "bare", "GET", path+"/k?acl", "")
		a.wants(403, "AccessDenied", "bare", "PUT", path+"/k?acl", "", "x-amz-acl: bucket-owner-full-control")
		a.wants(204, "", "owner", "DELETE", path+"/mp?uploadId="+id, "")
	}
	a := newAccounts(t, "")
	for acl, code := range map[string]string{"private": "", "bucket-owner-full-control": "", "public-read": "InvalidBucketAclWithObjectOwnership", "nobody": "InvalidArgument"} {
		status := map[bool]int{true: 200, false: 400}[code == ""]
		a.wants(status, code, "owner", "PUT", "/made-with-"+acl, "", "x-amz-acl: "+acl, "x-amz-object-ownership: "+OwnerEnforced)
	}
}
