package s3api

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/storage"
)

// Letters of the actions that TestACLDecisions tries.
var aclActions = []struct {
	letter         string
	method, target string
	body           string
	headers        []string
}{
	{"L", "GET", "?list-type=2", "", nil},
	{"V", "GET", "?versions", "", nil},
	{"U", "GET", "?uploads", "", nil},
	{"E", "HEAD", "", "", nil},
	{"S", "GET", "?location", "", nil},
	{"G", "GET", "/object", "", nil},
	{"H", "HEAD", "/object", "", nil},
	{"T", "GET", "/object?attributes", "", []string{"x-amz-object-attributes: ETag"}},
	{"C", "PUT", "/copy", "", []string{"x-amz-copy-source: BUCKET/object"}},
	{"P", "PUT", "/new", "content", nil},
	{"O", "PUT", "/over", "content", nil},
	{"D", "DELETE", "/gone", "", nil},
	{"v", "DELETE", "/gone?versionId=null", "", nil},
	{"A", "GET", "?acl", "", nil},
	{"a", "GET", "/object?acl", "", nil},
	{"t", "GET", "/object?tagging", "", nil},
	{"B", "PUT", "?acl", "", []string{"x-amz-acl: private"}},
	{"b", "PUT", "/object?acl", "", []string{"x-amz-acl: private"}},
	// S-128: no list gives a right to these.
	{"Y", "PUT", "?policy", "POLICY", nil},
	{"X", "PUT", "?publicAccessBlock", "<PublicAccessBlockConfiguration/>", nil},
	{"W", "PUT", "?ownershipControls", "<OwnershipControls/>", []string{"x-amz-checksum-crc32: AAAAAA=="}},
}

// aclEverything is what the bucket's own users may do.
const aclEverything = "LVUESGHTCPODvAatBbYXW"

// TestACLDecisions is the table of what lists allow to whom: bare is of the bucket's account and has no
// policy, stranger of another and may do everything there, strangerbare of that one without a policy.
func TestACLDecisions(t *testing.T) {
	stranger := iam.CanonicalID(otherAccount)
	tests := []struct {
		name      string
		ownership string
		bucket    []string // headers of CreateBucket
		object    []string // headers of PutObject
		set       []string // bodies of further requests: "SUBRESOURCE BODY"
		allowed   map[string]string
	}{
		{name: "S-231 private", ownership: ObjectWriter, bucket: []string{"x-amz-acl: private"}},
		{name: "default", ownership: ObjectWriter},
		{name: "public-read bucket", ownership: ObjectWriter, bucket: []string{"x-amz-acl: public-read"},
			allowed: map[string]string{"": "LVUE", "bare": "LVUE", "stranger": "LVUE"}},
		{name: "public-read object", ownership: ObjectWriter, object: []string{"x-amz-acl: public-read"},
			allowed: map[string]string{"": "GHT", "bare": "GHT", "stranger": "GHT"}},
		{name: "public-read-write", ownership: OwnerPreferred, bucket: []string{"x-amz-acl: public-read-write"}, object: []string{"x-amz-acl: public-read-write"},
			allowed: map[string]string{"": "LVUEGHTCPOD", "bare": "LVUEGHTCPOD", "stranger": "LVUEGHTCPOD"}},
		{name: "authenticated-read", ownership: ObjectWriter, bucket: []string{"x-amz-acl: authenticated-read"}, object: []string{"x-amz-acl: authenticated-read"},
			allowed: map[string]string{"bare": "LVUEGHT", "stranger": "LVUEGHT"}},
		{name: "log-delivery-write", ownership: ObjectWriter, bucket: []string{"x-amz-acl: log-delivery-write"}},
		{name: "full control to an account", ownership: ObjectWriter, bucket: []string{"x-amz-grant-full-control: id=" + stranger},
			object: []string{`x-amz-grant-full-control: id="` + stranger + `"`}, allowed: map[string]string{"stranger": "LVUEGHTCPODAaBb"}},
		{name: "read of the lists", ownership: ObjectWriter, bucket: []string{"x-amz-grant-read-acp: id=" + stranger},
			object: []string{"x-amz-grant-read-acp: id=" + stranger}, allowed: map[string]string{"stranger": "Aa"}},
		{name: "write of the lists", ownership: ObjectWriter, bucket: []string{"x-amz-grant-write-acp: id=" + stranger},
			object: []string{"x-amz-grant-write-acp: id=" + stranger}, allowed: map[string]string{"stranger": "Bb"}},
		{name: "write", ownership: ObjectWriter, bucket: []string{"x-amz-grant-write: uri=http://acs.amazonaws.com/groups/global/AllUsers"},
			allowed: map[string]string{"": "POD", "bare": "POD", "stranger": "POD"}},
		{name: "grant to the own account is no grant to its users", ownership: ObjectWriter,
			bucket: []string{"x-amz-grant-full-control: id=" + iam.CanonicalID(ownAccount)}},
		{name: "S-137 deny", ownership: ObjectWriter, bucket: []string{"x-amz-acl: public-read"}, object: []string{"x-amz-acl: public-read"},
			set:     []string{"policy " + `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::BUCKET/*"}]}`},
			allowed: map[string]string{"owner": "LVUESPODvAatBbYXW", "": "LVUE", "bare": "LVUE", "stranger": "LVUE"}},
		{name: "S-102 ignored", ownership: ObjectWriter, bucket: []string{"x-amz-acl: public-read-write"}, object: []string{"x-amz-acl: public-read"},
			set: []string{"publicAccessBlock <PublicAccessBlockConfiguration><IgnorePublicAcls>true</IgnorePublicAcls></PublicAccessBlockConfiguration>"}},
		{name: "account grants are not public", ownership: ObjectWriter, bucket: []string{"x-amz-grant-read: id=" + stranger},
			set:     []string{"publicAccessBlock <PublicAccessBlockConfiguration><IgnorePublicAcls>true</IgnorePublicAcls><BlockPublicAcls>true</BlockPublicAcls></PublicAccessBlockConfiguration>"},
			allowed: map[string]string{"stranger": "LVUE"}},
		{name: "disabled later", ownership: ObjectWriter, object: []string{"x-amz-acl: public-read"},
			set:     []string{"ownershipControls <OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule></OwnershipControls>"},
			allowed: map[string]string{"owner": "LVUESGHTCPODvAatYXW"}}, // to set "private" is refused with 400
		{name: "disabled", ownership: OwnerEnforced, allowed: map[string]string{"owner": "LVUESGHTCPODvAatYXW"}},
	}
	a := newAccounts(t, "")
	for _, tt := range tests {
		for _, who := range []string{"", "bare", "stranger", "strangerbare", "owner"} {
			t.Run(tt.name+"/"+who, func(t *testing.T) {
				a.t = t
				path := a.aclBucket(tt.ownership, tt.bucket, tt.object, tt.set)
				want, ok := tt.allowed[who]
				if !ok && who == "owner" {
					want = aclEverything
				}
				a.tryActions(path, who, want)
			})
		}
	}
}

// aclBucket makes a bucket with three objects.
func (a *accounts) aclBucket(ownership string, bucket, object, set []string) string {
	a.t.Helper()
	path := a.newBucket(append([]string{"x-amz-object-ownership: " + ownership}, bucket...)...)
	a.wants(200, "", "owner", "PUT", path+"/object", "content", object...)
	a.wants(200, "", "owner", "PUT", path+"/over", "content")
	a.wants(200, "", "owner", "PUT", path+"/gone", "content")
	for _, s := range set {
		sub, body, _ := strings.Cut(s, " ")
		body = strings.ReplaceAll(body, "BUCKET", path[1:])
		if got := a.as("owner", "PUT", path+"?"+sub, body, "Content-MD5: "+b64md5([]byte(body))); got.status/100 != 2 {
			a.t.Fatalf("PUT ?%s: %d %s", sub, got.status, got.body)
		}
	}
	return path
}

// tryActions fails unless exactly the wanted actions are allowed.
func (a *accounts) tryActions(path, who, want string) {
	a.t.Helper()
	got := ""
	for _, act := range aclActions {
		headers := strings.Split(strings.ReplaceAll(strings.Join(act.headers, "\n"), "BUCKET", path), "\n")
		if act.headers == nil {
			headers = nil
		}
		body := strings.ReplaceAll(act.body, "POLICY", policyDoc("Allow", "s3:GetBucketLocation", path))
		ans := a.as(who, act.method, path+act.target, body, headers...)
		switch {
		case ans.status/100 == 2, act.letter == "W" && ans.status == 400:
			got += act.letter
		case ans.status == 403 && (act.method == "HEAD" || ans.code() == "AccessDenied"):
		case ans.status == 400 && ans.code() == "AccessControlListNotSupported":
		default:
			a.t.Errorf("%s %s: %d %s", act.method, act.target, ans.status, ans.body)
		}
	}
	if got != want {
		a.t.Errorf("%q may do %q, want %q", who, got, want)
	}
}

// StatObject implements storage.Objects.
func (b *after) StatObject(ctx context.Context, ref storage.Ref) (*storage.Object, error) {
	o, err := b.Backend.StatObject(ctx, ref)
	if ref.Key == b.key && b.then != nil {
		then := b.then
		b.then = nil
		then()
	}
	return o, err
}

// TestACLOfAnotherObject overwrites an object between the decision and the answer: what is
// answered with is what the decision must hold for.
func TestACLOfAnotherObject(t *testing.T) {
	private := []string{"x-amz-acl: private"}
	public := []string{"x-amz-acl: public-read"}
	tests := []struct {
		name          string
		method        string
		query         string
		before, later []string // nil: no object
		status        int
	}{
		{"public, then private", "GET", "", public, private, 403},
		{"public, then private, HEAD", "HEAD", "", public, private, 403},
		{"public, then public", "GET", "", public, public, 200},
		{"absent, then private", "GET", "", nil, private, 403},
		{"absent, then public", "GET", "", nil, public, 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := newAccounts(t, ObjectWriter)
			path := a.newBucket("x-amz-acl: public-read")
			if tt.before != nil {
				a.wants(200, "", "owner", "PUT", path+"/k", "before", tt.before...)
			}
			a.s.Backend = &after{Backend: a.s.Backend, key: "k", then: func() {
				a.wants(200, "", "owner", "PUT", path+"/k", "later", tt.later...)
			}}
			if got := a.as("", tt.method, path+"/k"+tt.query, ""); got.status != tt.status {
				t.Errorf("status %d, want %d: %s", got.status, tt.status, got.body)
			}
		})
	}
}

// TestACLUnreadable fails closed on what can't be read.
func TestACLUnreadable(t *testing.T) {
	a := newAccounts(t, ObjectWriter)
	path := a.newBucket("x-amz-acl: public-read")
	a.wants(200, "", "owner", "PUT", path+"/k", "content", "x-amz-acl: public-read")
	_, err := a.s.Backend.SetProps(t.Context(), storage.Ref{Bucket: path[1:], Key: "k"}, func(*storage.Object) (map[string]string, error) {
		return map[string]string{propACL: "rall x"}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	a.wants(500, "InternalError", "", "GET", path+"/k", "")
	a.wants(500, "InternalError", "owner", "GET", path+"/k?acl", "")
	err = a.s.Backend.UpdateBucket(t.Context(), path[1:], func(b *storage.Bucket) error {
		b.Docs[docACL] = []byte("rall ?")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	a.wants(403, "AccessDenied", "", "GET", path, "")
	a.wants(500, "InternalError", "owner", "GET", path+"?acl", "")
}

// aclBody is an AccessControlPolicy document.
func aclBody(owner string, grants ...string) string {
	return `<AccessControlPolicy><Owner><ID>` + owner + `</ID></Owner><AccessControlList>` + strings.Join(grants, "") + `</AccessControlList></AccessControlPolicy>`
}

func aclGrant(kind, who, permission string) string {
	return fmt.Sprintf(`<Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type=%q>%s</Grantee><Permission>%s</Permission></Grant>`, kind, who, permission)
}

func TestACLRefusals(t *testing.T) {
	a := newAccounts(t, ObjectWriter)
	path := a.newBucket()
	a.wants(200, "", "owner", "PUT", path+"/k", "content")
	own, other := iam.CanonicalID(ownAccount), iam.CanonicalID(otherAccount)
	good := aclGrant("CanonicalUser", "<ID>"+other+"</ID>", "READ")
	tests := []struct {
		name    string
		status  int
		code    string
		body    string
		headers []string
	}{
		{"canned", 200, "", "", []string{"x-amz-acl: public-read"}},
		{"body", 200, "", aclBody(own, good), nil},
		{"group", 200, "", aclBody(own, aclGrant("Group", "<URI>"+groupURIs[groupAll]+"</URI>", "READ_ACP")), nil},
		{"nothing", 200, "", aclBody(own), nil},
		{"repeated", 200, "", aclBody(own, good, good), nil},
		{"no list", 400, "MissingSecurityHeader", "", nil},
		{"unknown canned", 400, "InvalidArgument", "", []string{"x-amz-acl: public"}},
		{"canned and grants", 400, "InvalidRequest", "", []string{"x-amz-acl: private", "x-amz-grant-read: id=" + other}},
		{"header and body", 400, "UnexpectedContent", aclBody(own, good), []string{"x-amz-acl: private"}},
		{"unknown id", 400, "InvalidArgument", "", []string{"x-amz-grant-read: id=" + strings.Repeat("0", 64)}},
		{"account id", 400, "InvalidArgument", "", []string{"x-amz-grant-read: id=" + otherAccount}},
		{"mail", 400, "UnresolvableGrantByEmailAddress", "", []string{"x-amz-grant-read: emailAddress=a@example.com"}},
		{"unknown group", 400, "InvalidArgument", "", []string{"x-amz-grant-read: uri=http://example.com/all"}},
		{"no kind", 400, "InvalidArgument", "", []string{"x-amz-grant-read: " + other}},
		{"empty", 400, "InvalidArgument", "", []string{"x-amz-grant-read: "}},
		{"too many", 400, "InvalidArgument", "", []string{"x-amz-grant-read: id=" + other + strings.Repeat(",id="+other, maxGrants)}},
		{"no XML", 400, "MalformedACLError", "acl", nil},
		{"another document", 400, "MalformedACLError", "<Tagging/>", nil},
		{"no owner", 400, "MalformedACLError", `<AccessControlPolicy><AccessControlList></AccessControlList></AccessControlPolicy>`, nil},
		{"another owner", 403, "AccessDenied", aclBody(other, good), nil},
		{"unknown id in the body", 400, "InvalidArgument", aclBody(own, aclGrant("CanonicalUser", "<ID>x</ID>", "READ")), nil},
		{"unknown permission", 400, "MalformedACLError", aclBody(own, aclGrant("CanonicalUser", "<ID>"+other+"</ID>", "read")), nil},
		{"unknown kind", 400, "MalformedACLError", aclBody(own, aclGrant("Role", "<ID>"+other+"</ID>", "READ")), nil},
		{"mail in the body", 400, "UnresolvableGrantByEmailAddress", aclBody(own, aclGrant("AmazonCustomerByEmail", "<EmailAddress>a@b</EmailAddress>", "READ")), nil},
		{"too many in the body", 400, "InvalidArgument", aclBody(own, strings.Repeat(good, maxGrants+1)), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a.t = t
			for _, target := range []string{path + "?acl", path + "/k?acl"} {
				before := a.wants(200, "", "owner", "GET", target, "").body
				a.wants(tt.status, tt.code, "owner", "PUT", target, tt.body, tt.headers...)
				if after := a.wants(200, "", "owner", "GET", target, "").body; tt.status != 200 && after != before {
					t.Errorf("the list has changed to %s", after)
				}
			}
			if tt.body == "" && tt.headers != nil {
				a.wants(tt.status, tt.code, "owner", "PUT", path+"/put", "content", tt.headers...)
				a.wants(tt.status, tt.code, "owner", "PUT", path+"/copy", "", append(tt.headers, "x-amz-copy-source: "+path+"/k")...)
				a.wants(tt.status, tt.code, "owner", "POST", path+"/multipart?uploads", "", tt.headers...)
			}
		})
	}
}

// TestACLHeadersNeedTheirRight has a writer that may write but not give lists.
func TestACLHeadersNeedTheirRight(t *testing.T) {
	a := newAccounts(t, ObjectWriter)
	doc := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:PutObject","s3:CreateBucket"],"Resource":"*"}]}`
	if _, err := a.svc.SetPolicy(t.Context(), "onlywrite", []byte(doc)); err != nil {
		t.Fatal(err)
	}
	a.user("writer", ownAccount, "onlywrite")
	path := a.newBucket()
	a.wants(200, "", "writer", "PUT", path+"/k", "content")
	for _, h := range []string{"x-amz-acl: public-read", "x-amz-acl: private", "x-amz-grant-read: id=" + iam.CanonicalID(otherAccount)} {
		a.wants(403, "AccessDenied", "writer", "PUT", path+"/k", "content", h)
		a.wants(403, "AccessDenied", "writer", "POST", path+"/k?uploads", "", h)
		a.wants(403, "AccessDenied", "writer", "PUT", "/another", "", h)
	}
	a.wants(403, "AccessDenied", "writer", "PUT", "/another", "", "x-amz-object-ownership: ObjectWriter")
	a.wants(403, "AccessDenied", "writer", "PUT", path+"?acl", "", "x-amz-acl: private") // S-128
	a.wants(403, "AccessDenied", "writer", "PUT", path+"?policy", policyDoc("Allow", "s3:*", path))
	a.wants(403, "AccessDenied", "writer", "PUT", path+"?publicAccessBlock", "<PublicAccessBlockConfiguration/>")
}

func TestBlockPublicACLs(t *testing.T) {
	a := newAccounts(t, ObjectWriter)
	path := a.newBucket()
	a.wants(200, "", "owner", "PUT", path+"/k", "content")
	a.wants(200, "", "owner", "PUT", path+"?publicAccessBlock", "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls></PublicAccessBlockConfiguration>")
	for _, h := range []string{"x-amz-acl: public-read", "x-amz-acl: public-read-write", "x-amz-acl: authenticated-read",
		"x-amz-grant-read-acp: uri=" + groupURIs[groupAll], "x-amz-grant-full-control: uri=" + groupURIs[groupAuthenticated]} {
		a.wants(403, "AccessDenied", "owner", "PUT", path+"?acl", "", h)
		a.wants(403, "AccessDenied", "owner", "PUT", path+"/k?acl", "", h)
		a.wants(403, "AccessDenied", "owner", "PUT", path+"/k", "content", h)
		a.wants(403, "AccessDenied", "owner", "PUT", path+"/copy", "", h, "x-amz-copy-source: "+path+"/k")
		a.wants(403, "AccessDenied", "owner", "POST", path+"/k?uploads", "", h)
	}
	a.wants(200, "", "owner", "PUT", path+"/k", "content", "x-amz-grant-read: id="+iam.CanonicalID(otherAccount))
}

// TestACLDocuments compares whole answers, and what a list costs in the store.
func TestACLDocuments(t *testing.T) {
	a := newAccounts(t, ObjectWriter)
	path := a.newBucket("x-amz-acl: public-read-write")
	golden(t, "acl_bucket", a.wants(200, "", "owner", "GET", path+"?acl", "").body)
	a.wants(200, "", "stranger", "PUT", path+"/k", "content", "x-amz-acl: bucket-owner-full-control")
	got := a.wants(200, "", "stranger", "GET", path+"/k?acl", "").body
	golden(t, "acl_object", got)
	a.wants(200, "", "stranger", "PUT", path+"/k?acl", got)
	if again := a.wants(200, "", "stranger", "GET", path+"/k?acl", "").body; again != got {
		t.Errorf("a list that is put back becomes %s", again)
	}
	a.wants(200, "", "owner", "PUT", path+"?acl", aclBody(iam.CanonicalID(ownAccount)))
	golden(t, "acl_empty", a.wants(200, "", "owner", "GET", path+"?acl", "").body)

	a.wants(200, "", "owner", "PUT", path+"/default", "content", "x-amz-acl: private")
	o, err := a.s.Backend.StatObject(t.Context(), storage.Ref{Bucket: path[1:], Key: "default"})
	if err != nil || len(o.Props) != 0 {
		t.Errorf("the default list is stored: %v, %v", o.Props, err)
	}
}
