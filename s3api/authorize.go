package s3api

import (
	"errors"
	"strings"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/storage"
)

// refuseUnknown answers a request that is in no row: only an authenticated sender learns more
// than AccessDenied.
func (c *call) refuseUnknown(err error) error {
	if c.id == nil {
		return errAccessDenied()
	}
	return err
}

// authorizeOp asks for the operation's own action.
func (c *call) authorizeOp(o *op) error {
	if c.bucket != "" {
		b, err := c.s.Backend.Bucket(c.ctx, c.bucket)
		if err != nil && !errors.Is(err, storage.ErrNoSuchBucket) {
			return err
		}
		c.b = b
	}
	switch o.action {
	case "s3:ListAllMyBuckets":
		return c.authorizeListing()
	case perObject:
		if o.name != "PostObject" && c.id == nil && !c.mayAdmit() {
			return c.refusal(o)
		}
	default:
		b := c.b
		if o.name == "CreateBucket" {
			b = nil // a bucket that is in the way is told by the handler
		}
		if err := c.authorize(c.action(), b, c.bucket, c.key); err != nil {
			var e *Error
			if c.unknown != nil || errors.As(err, &e) && e.why != "" {
				return err
			}
			return c.refusal(o)
		}
	}
	return c.checkOwner(c.b, "X-Amz-Expected-Bucket-Owner")
}

// mayAdmit tells whether the bucket could let anybody without a signature delete something.
func (c *call) mayAdmit() bool {
	return c.b != nil && (c.b.Docs[docPolicy] != nil || c.s.aclsEnabled(c.b) && c.bucketGrant(c.b, permWrite) == iam.PublicGrant)
}

// refusal answers for an operation that is not allowed. That a bucket does not exist is known to
// everybody, since all share the names.
func (c *call) refusal(o *op) error {
	if c.b == nil && c.bucket != "" && o.name != "CreateBucket" {
		return errNoSuchBucket(c.bucket)
	}
	return errAccessDenied()
}

// authorize asks IAM for one action on one resource; an object is the version that the request
// names when it is the request's.
func (c *call) authorize(action string, b *storage.Bucket, bucket, key string) error {
	ref := storage.Ref{Bucket: bucket, Key: key}
	if bucket == c.bucket && key == c.key {
		ref.Version = c.ev.Version
	}
	return c.authorizeRef(action, b, ref)
}

func (c *call) authorizeRef(action string, b *storage.Bucket, ref storage.Ref) error {
	return c.authorizeAs(action, b, ref, nil)
}

// may is authorizeRef for a question that changes the answer only: no refusal of it is kept.
func (c *call) may(action string, b *storage.Bucket, ref storage.Ref) bool {
	req := c.newRequest(action, b, ref, nil)
	return c.restricted(b) == nil && c.decide(&req, b, ref.Version).Allowed && c.unknown == nil
}

// question returns the request's hook for access control lists. It is apart so that requests
// to buckets without them pay nothing for it.
func (c *call) question(access accessFunc, action string, b *storage.Bucket, ref storage.Ref) func() iam.ACL {
	if access == nil {
		return func() iam.ACL { return c.access(action, b, ref) }
	}
	return func() iam.ACL { return access(action, b, ref) }
}

// authorizeAs asks IAM with an answer for the access control lists other than c.access.
func (c *call) authorizeAs(action string, b *storage.Bucket, ref storage.Ref, access accessFunc) error {
	if err := c.restricted(b); err != nil {
		return err
	}
	req := c.newRequest(action, b, ref, access)
	req.RequestID, req.Remote = c.ev.ID, c.ev.Remote
	d := c.decide(&req, b, ref.Version)
	if c.unknown != nil {
		return c.unknown
	}
	if !d.Allowed {
		c.kept = true
		return errAccessDenied()
	}
	return nil
}

func (c *call) newRequest(action string, b *storage.Bucket, ref storage.Ref, access accessFunc) iam.Request {
	req := iam.Request{Identity: c.id, Action: action, Bucket: ref.Bucket, Key: ref.Key, Conditions: c}
	switch {
	case c.level == accountLevel:
		req.Owner = c.r.Header.Get(accountHeader)
	case b == nil && c.id != nil:
		req.Owner = c.id.Account // what is nobody's yet, and what belongs to no bucket
	case b != nil && c.s.aclsEnabled(b):
		req.ACL = c.question(access, action, b, ref)
	}
	if b != nil {
		req.Policy, req.Owner = b.Docs[docPolicy], b.Owner
	}
	return req
}

// decide asks IAM while conditions speak of the resource of the question, an object's version.
func (c *call) decide(req *iam.Request, b *storage.Bucket, version string) iam.Decision {
	before := c.asked
	c.asked = asked{req, b, version}
	d := c.s.IAM.Authorize(req)
	c.asked = before
	return d
}

// restricted refuses whom RestrictPublicBuckets keeps out of a bucket with a public policy: as a whole,
// since without the policy its denials would be gone too.
func (c *call) restricted(b *storage.Bucket) error {
	if b == nil || b.Docs[docPolicy] == nil || !c.outsider(b) {
		return nil
	}
	if c.s.settings(b).public && c.s.publicAccess(b).RestrictPublicBuckets {
		return errRefused("public access block: RestrictPublicBuckets")
	}
	return nil
}

// outsider tells callers that are not of the bucket's account, whom RestrictPublicBuckets keeps out of a
// bucket with a public policy (S3 user guide, "Blocking public access to your Amazon S3 storage").
func (c *call) outsider(b *storage.Bucket) bool {
	return c.id == nil || !c.id.Root && c.id.Account != b.Owner
}

func errAccessDenied() *Error { return errorf("AccessDenied", "Access Denied") }

// errRefused is an AccessDenied whose reason is for those who may ask for it, not for the client.
func errRefused(why string) *Error {
	e := errAccessDenied()
	e.why = why
	return e
}

// keepRefusal keeps why a request was refused where no decision of IAM says it.
func (c *call) keepRefusal(e *Error, action, key string) {
	if e.Code != "AccessDenied" || c.kept && e.why == "" {
		return
	}
	r := iam.Refusal{RequestID: c.ev.ID, Remote: c.ev.Remote, AccessKey: c.ev.AccessKey, Action: action, Bucket: c.bucket, Key: key, Statement: e.why, Explicit: true}
	if r.Statement == "" {
		r.Statement = e.Message
	}
	if c.id != nil {
		r.Principal = c.id.ARN
	}
	c.s.IAM.Refuse(r)
}

// action is the operation's action, in the version's form where the request names a version.
func (c *call) action() string {
	switch {
	case c.op == nil:
		return ""
	case c.op.name == "DeleteObjects":
		return "s3:DeleteObject"
	case c.op.name == "PostObject":
		return "s3:PutObject"
	}
	if a, ok := versionAction[c.op.action]; ok && c.ev.Version != "" {
		return a
	}
	return c.op.action
}

// checkOwner enforces the ExpectedBucketOwner parameter of most operations.
func (c *call) checkOwner(b *storage.Bucket, header string) error {
	want := c.r.Header.Get(header)
	if want == "" || b == nil {
		return nil
	}
	if len(want) != 12 || strings.Trim(want, "0123456789") != "" {
		return errorf("InvalidBucketOwnerAWSAccountID", "The value of the expected bucket owner parameter must be an AWS account ID.")
	}
	if want != b.Owner {
		return errRefused("the bucket's owner is not the one that the request expects")
	}
	return nil
}
