package s3api

import (
	"net/http"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/iam/policy"
	"github.com/objsrv/objsrv/s3api/s3xml"
	"github.com/objsrv/objsrv/storage"
)

// docPolicy names the bucket policy among a bucket's documents: as it was sent, but for its principals.
const docPolicy = "policy"

// policyBucket returns the request's bucket. Its policy is a matter of its account: even whom the policy itself lets do
// so may not read or change it from another one (S3 API reference, PutBucketPolicy).
func (c *call) policyBucket() (*storage.Bucket, error) {
	b, err := c.needBucket()
	if err == nil && c.op != nil && c.outsider(b) { // without an operation it is an administrator's archive
		err = errorf("MethodNotAllowed", "The specified method is not allowed against this resource.").with("Method", c.r.Method).with("ResourceType", "BUCKETPOLICY")
	}
	return b, err
}

func getBucketPolicy(c *call) error {
	b, err := c.policyBucket()
	if err != nil {
		return err
	}
	doc, ok := b.Docs[docPolicy]
	if !ok {
		return notConfigured("NoSuchBucketPolicy")(c)
	}
	if doc, err = c.showPrincipals(doc); err != nil {
		return err
	}
	h := c.w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", itoa(len(doc)))
	c.ev.Status = http.StatusOK
	c.w.WriteHeader(http.StatusOK)
	n, err := c.w.Write(doc)
	c.ev.BytesOut += int64(n)
	return sent(err)
}

func putBucketPolicy(c *call) error {
	b, err := c.policyBucket()
	if err != nil {
		return err
	}
	data, err := c.readBody(maxXML, false)
	if err != nil {
		return err
	}
	if len(data) > policy.MaxBucketDocument {
		return errMalformedPolicy("Policy exceeds the maximum allowed document size: %d bytes.", policy.MaxBucketDocument)
	}
	doc, err := policy.Parse(data, policy.Resource)
	if err != nil {
		return errMalformedPolicy("%s", err.Error())
	}
	if _, err := doc.Compile("bucket policy", policy.Resource); err != nil {
		return errMalformedPolicy("%s", err.Error())
	}
	if err := c.s.rules.check(doc, c.bucket); err != nil {
		return err
	}
	if data, err = c.storePrincipals(doc, data); err != nil {
		return err
	}
	if c.s.publicAccess(b).BlockPublicPolicy && isPublic(doc) {
		return errPublicPolicy()
	}
	if err := c.checkSelfRemoval(data, b.Owner); err != nil {
		return err
	}
	if err := c.setDoc(docPolicy, data); err != nil {
		return err
	}
	return c.reply(http.StatusNoContent)
}

// checkSelfRemoval refuses a policy by which its author could never change it again, unless
// that is confirmed. Root can always change it.
func (c *call) checkSelfRemoval(data []byte, owner string) error {
	if c.id == nil || c.id.Root || c.r.Header.Get("X-Amz-Confirm-Remove-Self-Bucket-Access") == "true" {
		return nil
	}
	d := c.decide(&iam.Request{Identity: c.id, Action: "s3:PutBucketPolicy", Bucket: c.bucket, Policy: data, Owner: owner, Conditions: c}, c.b, "")
	if !d.Allowed {
		return errorf("AccessDenied", "The policy would take from you the right to change it; send x-amz-confirm-remove-self-bucket-access: true to do so.")
	}
	return nil
}

func deleteBucketPolicy(c *call) error {
	if _, err := c.policyBucket(); err != nil {
		return err
	}
	if err := c.setDoc(docPolicy, nil); err != nil {
		return err
	}
	return c.reply(http.StatusNoContent)
}

func getBucketPolicyStatus(c *call) error {
	b, err := c.needBucket()
	if err != nil {
		return err
	}
	public := false
	if c.s.aclsEnabled(b) {
		// Where lists count there is something to tell without a policy, too.
		public = c.s.settings(b).acl.public() && !c.s.publicAccess(b).IgnorePublicAcls
	} else if b.Docs[docPolicy] == nil {
		return notConfigured("NoSuchBucketPolicy")(c)
	}
	if data, ok := b.Docs[docPolicy]; ok {
		doc, err := policy.ParseStored(data, policy.Resource)
		if err != nil {
			return err
		}
		public = public || isPublic(doc)
	}
	var out s3xml.Writer
	out.Start("PolicyStatus", true)
	out.Bool("IsPublic", public)
	return c.replyXML(http.StatusOK, out.End("PolicyStatus"))
}
