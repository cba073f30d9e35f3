package s3api

import (
	"strings"
	"testing"
)

// TestForeignObjects has objects in a bucket of owner's that stranger wrote.
func TestForeignObjects(t *testing.T) {
	a := newAccounts(t, ObjectWriter)
	path := a.newBucket("x-amz-acl: public-read-write")
	a.wants(200, "", "stranger", "PUT", path+"/o", "content")
	for _, who := range []string{"owner", "bare", "strangerbare", ""} {
		a.wants(403, "AccessDenied", who, "GET", path+"/o", "")
		a.wants(403, "AccessDenied", who, "GET", path+"/o?acl", "")
		a.wants(403, "AccessDenied", who, "PUT", path+"/o?acl", "", "x-amz-acl: public-read")
	}
	// What the bucket's policy allows does not count for another's object.
	a.wants(204, "", "owner", "PUT", path+"?policy", policyDoc("Allow", "s3:GetObject*", path))
	a.wants(403, "AccessDenied", "", "GET", path+"/o", "")
	a.wants(204, "", "owner", "DELETE", path+"?policy", "")
	a.wants(200, "", "root-key", "GET", path+"/o", "")
	a.wants(200, "", "stranger", "GET", path+"/o", "")
	a.hasOwner(a.wants(200, "", "stranger", "GET", path+"/o?acl", ""), otherAccount)
	a.hasOwner(a.wants(200, "", "owner", "GET", path+"?list-type=2&fetch-owner=true", ""), otherAccount)
	a.hasOwner(a.wants(200, "", "owner", "GET", path+"?versions", ""), otherAccount)
	a.wants(200, "", "stranger", "PUT", path+"/o?acl", "", "x-amz-acl: bucket-owner-read")
	a.wants(200, "", "owner", "GET", path+"/o", "")
	a.wants(403, "AccessDenied", "owner", "GET", path+"/o?acl", "")
	a.wants(200, "", "stranger", "PUT", path+"/copy", "", "x-amz-copy-source: "+path+"/o")
	a.wants(403, "AccessDenied", "owner", "PUT", path+"/copy2", "", "x-amz-copy-source: "+path+"/copy")
	a.wants(204, "", "owner", "DELETE", path+"/copy", "")

	// Without lists the bucket's account owns it all.
	a.wants(200, "", "owner", "PUT", path+"?acl", "", "x-amz-acl: private")
	controls := "<OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule></OwnershipControls>"
	a.wants(200, "", "owner", "PUT", path+"?ownershipControls", controls, "Content-MD5: "+b64md5([]byte(controls)))
	a.hasOwner(a.wants(200, "", "owner", "GET", path+"/o?acl", ""), ownAccount)
	a.wants(403, "AccessDenied", "stranger", "GET", path+"/o", "")
}

// TestOwnerPreferred has who owns what is written by stranger.
func TestOwnerPreferred(t *testing.T) {
	a := newAccounts(t, OwnerPreferred)
	path := a.newBucket("x-amz-acl: public-read-write")
	a.wants(200, "", "stranger", "PUT", path+"/given", "content", "x-amz-acl: bucket-owner-full-control")
	a.wants(200, "", "stranger", "PUT", path+"/kept", "content")
	a.wants(200, "", "", "PUT", path+"/anonymous", "content")
	for key, account := range map[string]string{"given": ownAccount, "kept": otherAccount, "anonymous": ownAccount} {
		a.hasOwner(a.wants(200, "", "root-key", "GET", path+"/"+key+"?acl", ""), account)
	}
	up := a.wants(200, "", "stranger", "POST", path+"/parts?uploads", "").element("UploadId")
	target := path + "/parts?uploadId=" + up
	a.hasOwner(a.wants(200, "", "owner", "GET", target, ""), otherAccount)
	// Who began an upload may list and abort it, others who may write here not.
	a.wants(200, "", "stranger", "GET", target, "")
	a.wants(403, "AccessDenied", "", "DELETE", target, "")
	a.wants(403, "AccessDenied", "bare", "DELETE", target, "")
	a.wants(204, "", "stranger", "DELETE", target, "")
}

// TestAccounts has what belongs to whom.
func TestAccounts(t *testing.T) {
	a := newAccounts(t, "")
	mine := a.newBucket()
	a.wants(200, "", "stranger", "PUT", "/theirs", "")
	// S-124: another account is another owner.
	got := a.wants(200, "", "stranger", "GET", "/", "")
	a.hasOwner(got, otherAccount)
	if strings.Contains(got.body, mine[1:]) || !strings.Contains(got.body, "<Name>theirs</Name>") {
		t.Errorf("stranger sees %s", got.body)
	}
	if got := a.wants(200, "", "owner", "GET", "/", ""); strings.Contains(got.body, "theirs") || !strings.Contains(got.body, mine[1:]) {
		t.Errorf("owner sees %s", got.body)
	}
	if got := a.wants(200, "", "root-key", "GET", "/?max-buckets=1", ""); !strings.Contains(got.body, mine[1:]) || got.element("ContinuationToken") == "" {
		t.Errorf("root sees %s", got.body)
	}
	if got := a.wants(200, "", "stranger", "GET", "/?max-buckets=1", ""); !strings.Contains(got.body, "theirs") || got.element("ContinuationToken") != "" {
		t.Errorf("a page of stranger's is %s", got.body)
	}
	a.wants(409, "BucketAlreadyExists", "owner", "PUT", "/theirs", "")
	a.wants(409, "BucketAlreadyExists", "root-key", "PUT", "/theirs", "")
	a.wants(403, "AccessDenied", "owner", "GET", "/theirs", "")
	a.wants(403, "AccessDenied", "owner", "GET", "/theirs?location", "") // S-231
	a.wants(404, "NoSuchBucket", "bare", "GET", "/nowhere", "")
	a.wants(404, "NoSuchBucket", "", "GET", "/nowhere", "")
	a.wants(403, "AccessDenied", "", "PUT", "/nowhere", "")
	a.wants(403, "AccessDenied", "stranger", "HEAD", "/theirs", "", "x-amz-expected-bucket-owner: "+ownAccount)
	a.wants(200, "", "stranger", "HEAD", "/theirs", "", "x-amz-expected-bucket-owner: "+otherAccount)
	// Both sides must allow.
	a.wants(204, "", "stranger", "PUT", "/theirs?policy", policyDoc("Allow", "s3:*", "/theirs"))
	a.wants(200, "", "owner", "GET", "/theirs", "")
	a.wants(403, "AccessDenied", "bare", "GET", "/theirs", "")
	a.wants(200, "", "strangerbare", "GET", "/theirs", "")
	a.wants(200, "", "owner", "PUT", "/theirs/k", "content")
	a.hasOwner(a.wants(200, "", "stranger", "GET", "/theirs?versions", ""), otherAccount)
}

func TestOwnershipControls(t *testing.T) {
	a := newAccounts(t, "")
	put := func(status int, code, path, setting string) {
		t.Helper()
		body := "<OwnershipControls><Rule><ObjectOwnership>" + setting + "</ObjectOwnership></Rule></OwnershipControls>"
		a.wants(status, code, "owner", "PUT", path+"?ownershipControls", body, "Content-MD5: "+b64md5([]byte(body)))
	}
	is := func(path, setting string) {
		t.Helper()
		if got := a.wants(200, "", "owner", "GET", path+"?ownershipControls", "").element("ObjectOwnership"); got != setting {
			t.Errorf("setting %q, want %q", got, setting)
		}
	}
	path := a.newBucket()
	a.wants(404, "OwnershipControlsNotFoundError", "owner", "GET", path+"?ownershipControls", "")
	put(200, "", path, ObjectWriter)
	is(path, ObjectWriter)
	put(400, "MalformedXML", path, "Nobody")
	a.wants(200, "", "owner", "PUT", path+"?acl", "", "x-amz-acl: public-read")
	put(400, "InvalidBucketAclWithObjectOwnership", path, OwnerEnforced)
	a.wants(200, "", "owner", "PUT", path+"?acl", "", "x-amz-acl: private")
	put(200, "", path, OwnerEnforced)
	is(path, OwnerEnforced)
	a.wants(204, "", "owner", "DELETE", path+"?ownershipControls", "")
	a.wants(404, "OwnershipControlsNotFoundError", "owner", "GET", path+"?ownershipControls", "")
	for _, s := range []string{OwnerEnforced, OwnerPreferred, ObjectWriter} {
		is(a.newBucket("x-amz-object-ownership: "+s), s)
	}
	a.wants(400, "InvalidArgument", "owner", "PUT", "/other", "", "x-amz-object-ownership: Nobody")
	a.wants(400, "InvalidBucketAclWithObjectOwnership", "owner", "PUT", "/other", "", "x-amz-acl: public-read")
	a.wants(400, "InvalidBucketAclWithObjectOwnership", "owner", "PUT", "/other", "", "x-amz-grant-read: id=x")
}

func TestPolicyStatus(t *testing.T) {
	a := newAccounts(t, ObjectWriter)
	is := func(path, public string) {
		t.Helper()
		if got := a.wants(200, "", "owner", "GET", path+"?policyStatus", "").element("IsPublic"); got != public {
			t.Errorf("IsPublic %q, want %q", got, public)
		}
	}
	path := a.newBucket()
	is(path, "false")
	for acl, public := range map[string]string{"private": "false", "public-read": "true", "authenticated-read": "true", "log-delivery-write": "false"} {
		a.wants(200, "", "owner", "PUT", path+"?acl", "", "x-amz-acl: "+acl)
		is(path, public)
	}
	a.wants(200, "", "owner", "PUT", path+"?acl", "", "x-amz-acl: private")
	a.wants(204, "", "owner", "PUT", path+"?policy", policyDoc("Allow", "s3:GetObject", path))
	is(path, "true")
	enforced := a.newBucket("x-amz-object-ownership: BucketOwnerEnforced")
	a.wants(404, "NoSuchBucketPolicy", "owner", "GET", enforced+"?policyStatus", "")
}
