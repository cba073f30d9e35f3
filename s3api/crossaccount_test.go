package s3api

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/sigv4"
)

// TestAcrossAccounts tries every caller on every bucket of a cross product: caller's account x own policy x bucket's
// policy x access control list x object ownership (S-231). What it wants is AWS's rule ("Cross-account policy evaluation
// logic", IAM user guide), written down a second time here.
func TestAcrossAccounts(t *testing.T) {
	const third = "333333333333"
	a := newAccounts(t, "")
	a.user("third", third, "readwrite")
	callers := []struct {
		name    string
		account string
		may     bool // its own side allows it
	}{
		{"", "", false},
		{"owner", ownAccount, true}, {"bare", ownAccount, false},
		{"stranger", otherAccount, true}, {"strangerbare", otherAccount, false}, {"root-of-" + otherAccount, otherAccount, true},
		{"third", third, true}, {"root-of-" + third, third, true},
	}
	for _, who := range []string{otherAccount, third} { // the roots got random secrets
		secret := "root-of-" + who + "-key-secret"
		if _, err := a.svc.UpdateUser(t.Context(), "root-of-"+who, iam.UserUpdate{Secret: &secret}); err != nil {
			t.Fatal(err)
		}
	}
	policies := []struct {
		name, effect, principal string
		allows                  func(account string) bool
		person                  bool // the caller itself is allowed, not its account
	}{
		{name: "no policy"},
		{name: "other account", effect: "Allow", principal: `{"AWS":"` + otherAccount + `"}`, allows: func(account string) bool { return account == otherAccount }},
		{name: "own account", effect: "Allow", principal: `{"AWS":"` + ownAccount + `"}`, allows: func(account string) bool { return account == ownAccount }},
		{name: "everybody", effect: "Allow", principal: `"*"`, allows: func(string) bool { return true }, person: true},
		{name: "deny", effect: "Deny", principal: `"*"`},
	}
	acls := []struct {
		name, header string
		allows       func(account string) bool
		person       bool
	}{
		{name: "private"},
		{name: "other account reads", header: "x-amz-grant-read: id=" + iam.CanonicalID(otherAccount), allows: func(account string) bool { return account == otherAccount }},
		{name: "authenticated", header: "x-amz-acl: authenticated-read", allows: func(account string) bool { return account != "" }, person: true},
		{name: "public", header: "x-amz-acl: public-read", allows: func(string) bool { return true }, person: true},
	}
	for _, ownership := range []string{OwnerEnforced, OwnerPreferred, ObjectWriter} {
		for _, l := range acls {
			if ownership == OwnerEnforced && l.header != "" {
				continue // such a list can't be set, see TestACLRefusals
			}
			var headers []string
			if l.header != "" {
				headers = []string{l.header}
			}
			for _, p := range policies {
				path := a.newBucket("x-amz-object-ownership: " + ownership)
				a.wants(200, "", "owner", "PUT", path+"/k", "content", headers...)
				if p.effect != "" {
					doc := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":%q,"Principal":%s,"Action":"s3:GetObject","Resource":"arn:aws:s3:::%s/*"}]}`, p.effect, p.principal, path[1:])
					a.wants(204, "", "owner", "PUT", path+"?policy", doc)
				}
				for _, c := range callers {
					byPolicy := p.allows != nil && p.allows(c.account)
					byList := l.allows != nil && l.allows(c.account)
					person := byPolicy && p.person || byList && l.person
					var want bool
					switch {
					case p.effect == "Deny":
					case c.account == "":
						want = person
					case c.account == ownAccount:
						want = c.may || person
					default:
						want = c.may && (byPolicy || byList)
					}
					if got := a.as(c.name, "GET", path+"/k", "").status; got != map[bool]int{true: 200, false: 403}[want] {
						t.Errorf("%s, list %s, policy %s, caller %q: %d, want allowed %v", ownership, l.name, p.name, c.name, got, want)
					}
				}
			}
		}
	}
}

// TestAccountRootBuckets: the root of an account has its buckets, and no other's.
func TestAccountRootBuckets(t *testing.T) {
	a := newAccounts(t, "")
	root := "root-of-" + otherAccount
	secret := root + "-key-secret"
	if _, err := a.svc.UpdateUser(t.Context(), root, iam.UserUpdate{Secret: &secret}); err != nil {
		t.Fatal(err)
	}
	owners := a.newBucket()
	a.wants(200, "", root, "PUT", "/tenants", "")
	a.wants(200, "", root, "PUT", "/tenants/k", "content", "x-amz-expected-bucket-owner: "+otherAccount)
	a.wants(403, "AccessDenied", root, "PUT", "/tenants/k", "content", "x-amz-expected-bucket-owner: "+ownAccount)
	a.wants(200, "", "stranger", "GET", "/tenants/k", "")
	a.wants(403, "AccessDenied", "owner", "GET", "/tenants/k", "")
	a.wants(200, "", "root-key", "GET", "/tenants/k", "")
	list := a.wants(200, "", root, "GET", "/", "")
	a.hasOwner(list, otherAccount)
	if !strings.Contains(list.body, "<Name>tenants</Name>") || strings.Count(list.body, "<Bucket>") != 1 {
		t.Errorf("an account lists %s", list.body)
	}
	for _, r := range [][2]string{{"GET", owners + "?list-type=2"}, {"GET", owners + "?acl"}, {"DELETE", owners}, {"PUT", owners + "/k"}, {"GET", owners + "?policy"}, {"GET", owners + "?versioning"}} {
		a.wants(403, "AccessDenied", root, r[0], r[1], "")
	}
	a.wants(409, "BucketAlreadyExists", root, "PUT", owners, "")
	// Nobody locks it out of its bucket for good.
	deny := policyDoc("Deny", "s3:*", "/tenants")
	a.wants(204, "", root, "PUT", "/tenants?policy", deny)
	a.wants(403, "AccessDenied", root, "GET", "/tenants/k", "")
	a.wants(403, "AccessDenied", "stranger", "DELETE", "/tenants?policy", "")
	a.wants(200, "", root, "GET", "/tenants?policy", "")
	a.wants(204, "", root, "DELETE", "/tenants?policy", "")
	a.wants(204, "", root, "DELETE", "/tenants/k", "")
	a.wants(204, "", root, "DELETE", "/tenants", "")
}

// TestInitiator: who began an upload is a user by ARN and name, and a root as the Owner of its account.
func TestInitiator(t *testing.T) {
	a := newAccounts(t, "")
	root := "root-of-" + otherAccount
	secret := root + "-key-secret"
	if _, err := a.svc.UpdateUser(t.Context(), root, iam.UserUpdate{Secret: &secret}); err != nil {
		t.Fatal(err)
	}
	for by, want := range map[string][2]string{
		"owner":    {"arn:aws:iam::" + ownAccount + ":user/owner", "owner"},
		"root-key": {iam.CanonicalID(ownAccount), ownAccount},
		root:       {iam.CanonicalID(otherAccount), otherAccount},
	} {
		bucket := "/b-" + by
		a.wants(200, "", by, "PUT", bucket, "")
		id := a.wants(200, "", by, "POST", bucket+"/k?uploads", "").element("UploadId")
		for _, list := range []string{bucket + "?uploads", bucket + "/k?uploadId=" + id} {
			if body := a.wants(200, "", by, "GET", list, "").body; !strings.Contains(body, "<Initiator><ID>"+want[0]+"</ID><DisplayName>"+want[1]+"</DisplayName></Initiator>") {
				t.Errorf("%s: %s, want %v", list, body, want)
			}
		}
		a.wants(204, "", by, "DELETE", bucket+"/k?uploadId="+id, "")
	}
}

// TestCannedACLs is the table of what canned lists grant (S3 user guide, "Access control list (ACL) overview", "Canned
// ACL"). The one of aws-exec-read is for a service that is not here.
func TestCannedACLs(t *testing.T) {
	const owner, bucketOwner = otherAccount, ownAccount
	full := grant{owner, permFullControl}
	tests := []struct {
		name           string
		bucket, object acl
	}{
		{"private", acl{full}, acl{full}},
		{"public-read", acl{full, {groupAll, permRead}}, acl{full, {groupAll, permRead}}},
		{"public-read-write", acl{full, {groupAll, permRead}, {groupAll, permWrite}}, acl{full, {groupAll, permRead}, {groupAll, permWrite}}},
		{"authenticated-read", acl{full, {groupAuthenticated, permRead}}, acl{full, {groupAuthenticated, permRead}}},
		{"aws-exec-read", acl{full}, acl{full}},
		{"bucket-owner-read", acl{full}, acl{full, {bucketOwner, permRead}}},
		{"bucket-owner-full-control", acl{full}, acl{full, {bucketOwner, permFullControl}}},
		{"log-delivery-write", acl{full, {groupLogDelivery, permWrite}, {groupLogDelivery, permReadACP}}, acl{full}},
	}
	for _, tt := range tests {
		for _, bucket := range []bool{true, false} {
			want := tt.object
			if bucket {
				want = tt.bucket
			}
			got, err := cannedACL(tt.name, owner, bucketOwner, bucket)
			if err != nil || got.encode() != want.normal().encode() {
				t.Errorf("%s, bucket %v: %v %v, want %v", tt.name, bucket, got, err, want)
			}
		}
	}
	if _, err := cannedACL("Private", owner, bucketOwner, true); err == nil {
		t.Error("the case of a canned list does not matter")
	}
}

// TestBucketOfGoneAccount: a CreateBucket whose body comes after the end of its account makes no bucket.
func TestBucketOfGoneAccount(t *testing.T) {
	a := newAccounts(t, "")
	root, ctx := "root-of-"+otherAccount, t.Context()
	secret := root + "-key-secret"
	if _, err := a.svc.UpdateUser(ctx, root, iam.UserUpdate{Secret: &secret}); err != nil {
		t.Fatal(err)
	}
	body := `<CreateBucketConfiguration><LocationConstraint>us-east-1</LocationConstraint></CreateBucketConfiguration>`
	sum := sha256.Sum256([]byte(body))
	r := a.request("PUT", "/late", body)
	s := &sigv4.Signer{AccessKey: root, Secret: secret, Region: "us-east-1", Service: "s3"}
	s.SignHeader(r, hex.EncodeToString(sum[:]), a.now)
	slow, end := io.Pipe()
	r.Body = slow
	asked := &asking{Service: a.svc, action: "s3:CreateBucket", asked: make(chan struct{})}
	a.s.IAM = asked
	answer := make(chan *answered, 1)
	go func() { answer <- a.send(r) }()
	<-asked.asked
	for _, err := range []error{a.svc.DeleteUser(ctx, "stranger"), a.svc.DeleteUser(ctx, "strangerbare"), a.svc.DeleteAccount(ctx, otherAccount)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := io.WriteString(end, body); err != nil {
		t.Fatal(err)
	}
	end.Close()
	if got := <-answer; got.status != 403 {
		t.Errorf("%d %s", got.status, got.body)
	}
	a.wants(404, "NoSuchBucket", "root-key", "GET", "/late", "")
}

// asking tells when it has decided on an action.
type asking struct {
	*iam.Service
	action string
	once   sync.Once
	asked  chan struct{}
}

func (s *asking) Authorize(r *iam.Request) iam.Decision {
	d := s.Service.Authorize(r)
	if r.Action == s.action {
		s.once.Do(func() { close(s.asked) })
	}
	return d
}
