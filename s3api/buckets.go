package s3api

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"net/http"

	"github.com/objsrv/objsrv/s3api/s3xml"
	"github.com/objsrv/objsrv/storage"
)

// listBuckets answers with the caller's buckets, a page at a time when asked.
func listBuckets(c *call) error {
	limit, err := c.intParam("max-buckets", 10000, 1, 10000)
	if err != nil {
		return err
	}
	after := ""
	if t := c.query.Get("continuation-token"); t != "" {
		raw, err := base64.RawURLEncoding.DecodeString(t)
		if err != nil {
			return errorf("InvalidArgument", "The continuation token provided is incorrect.").with("ArgumentName", "continuation-token")
		}
		after = string(raw)
	}
	prefix, region := c.query.Get("prefix"), c.query.Get("bucket-region")
	var list []*storage.Bucket
	more := false
	if region == "" || region == c.s.Region {
		if list, more, err = c.ownBuckets(prefix, after, limit); err != nil {
			return err
		}
	}
	var doc s3xml.Writer
	doc.Start("ListAllMyBucketsResult", true)
	c.owner(&doc, c.id.Account)
	doc.Open("Buckets")
	for _, b := range list {
		doc.Open("Bucket")
		doc.Elem("Name", b.Name)
		doc.Time("CreationDate", b.Created)
		doc.Elem("BucketRegion", c.s.Region)
		doc.Close("Bucket")
	}
	doc.Close("Buckets")
	if more {
		doc.Elem("ContinuationToken", base64.RawURLEncoding.EncodeToString([]byte(list[len(list)-1].Name)))
	}
	doc.Opt("Prefix", prefix)
	return c.replyXML(http.StatusOK, doc.End("ListAllMyBucketsResult"))
}

// authorizeListing asks for the right to list all buckets. Whom no policy gives it, and none denies
// it, is shown the buckets that it may list or ask the region of, as MinIO does: it learns no more
// than it could by asking for each. Without any it is refused, as on S3.
func (c *call) authorizeListing() error {
	const action = "s3:ListAllMyBuckets"
	req := c.newRequest(action, nil, storage.Ref{}, nil)
	if d := c.decide(&req, nil, ""); c.id != nil && !d.Allowed && !d.Explicit && c.unknown == nil {
		c.some = true
		if list, _, err := c.ownBuckets("", "", 1); err != nil || len(list) > 0 {
			return err
		}
	}
	return c.authorize(action, nil, "", "")
}

// ownBuckets returns a page of the buckets of the caller's account; root sees all.
func (c *call) ownBuckets(prefix, after string, limit int) (own []*storage.Bucket, more bool, err error) {
	for {
		list, further, err := c.s.Backend.ListBuckets(c.ctx, prefix, after, limit+1)
		if err != nil {
			return nil, false, err
		}
		for _, b := range list {
			if !c.id.Root && b.Owner != c.id.Account || c.some && !c.mayLookInto(b) {
				continue
			}
			if len(own) == limit {
				return own, true, nil
			}
			own = append(own, b)
		}
		if !further || len(list) == 0 {
			return own, false, nil
		}
		after = list[len(list)-1].Name
	}
}

// mayLookInto tells whether the caller may list a bucket or ask its region.
func (c *call) mayLookInto(b *storage.Bucket) bool {
	ref := storage.Ref{Bucket: b.Name}
	return c.may("s3:ListBucket", b, ref) || c.may("s3:GetBucketLocation", b, ref)
}

// owner writes an Owner element for an account.
func (c *call) owner(doc *s3xml.Writer, account string) { doc.Raw(ownerXML(account)) }

// createBucketConfiguration is the body of CreateBucket.
type createBucketConfiguration struct {
	XMLName            xml.Name `xml:"CreateBucketConfiguration"`
	LocationConstraint string   `xml:"LocationConstraint"`
	Location           *struct {
		Name string `xml:"Name"`
		Type string `xml:"Type"`
	} `xml:"Location"`
	Bucket *struct {
		Type string `xml:"Type"`
	} `xml:"Bucket"`
	Tags *struct {
		Tag []xmlTag `xml:"Tag"`
	} `xml:"Tags"`
}

// bucketConfiguration reads the body of CreateBucket, which may be empty.
func (c *call) bucketConfiguration() (conf createBucketConfiguration, err error) {
	data, err := c.readBody(maxXML, false)
	if err != nil {
		return conf, err
	}
	c.document = data
	if len(data) > 0 {
		err = decodeXML(data, &conf)
	}
	return conf, err
}

func createBucket(c *call) error {
	conf, err := c.bucketConfiguration()
	if err != nil {
		return err
	}
	if conf.Location != nil || conf.Bucket != nil {
		return errorf("NotImplemented", "Directory buckets are not implemented.")
	}
	if err := c.checkBucketCreationHeaders(); err != nil {
		return err
	}
	if l := conf.LocationConstraint; l != "" && l != c.s.Region && !(l == "EU" && c.s.Region == "eu-west-1") {
		return errorf("InvalidLocationConstraint", "The specified location-constraint is not valid: this server's region is %s.", c.s.Region).with("LocationConstraint", l)
	}
	b := storage.Bucket{Name: c.bucket, Owner: c.id.Account, Region: conf.LocationConstraint, Docs: map[string][]byte{}}
	if conf.Tags != nil {
		if err := c.authorize("s3:PutBucketTagging", nil, c.bucket, ""); err != nil {
			return err
		}
		doc, err := encodeTags(conf.Tags.Tag, maxBucketTags)
		if err != nil {
			return err
		}
		b.Docs[docTagging] = doc
	}
	if h := c.r.Header.Get("X-Amz-Bucket-Object-Lock-Enabled"); h != "" {
		if err := c.lockAtCreation(&b, h); err != nil {
			return err
		}
	}
	if err := c.ownershipAtCreation(&b); err != nil {
		return err
	}
	// A body may take its time to come, and an account that has gone meanwhile would leave a bucket that is nobody's.
	if _, err := c.s.IAM.Renewed(c.id); err != nil {
		return errRefused("the caller has gone since the request began")
	}
	if err := c.s.Backend.CreateBucket(c.ctx, b); err != nil {
		if err = c.bucketExists(err, &b); err != nil {
			return err
		}
	}
	c.w.Header().Set("Location", "/"+c.bucket)
	return c.reply(http.StatusOK)
}

// bucketExists tells whether the caller owns the bucket that is in the way. In us-east-1 to create
// one's own bucket again succeeds (S3 API reference, CreateBucket) and changes nothing: so a bucket that is asked for with what
// this one does not have is refused. AWS would reset its ACL.
func (c *call) bucketExists(err error, asked *storage.Bucket) error {
	if !errors.Is(err, storage.ErrBucketExists) {
		return err
	}
	b, berr := c.s.Backend.Bucket(c.ctx, c.bucket)
	if berr == nil && b.Owner != c.id.Account {
		return errorf("BucketAlreadyExists", "The requested bucket name is not available. Please select a different name and try again.").with("BucketName", c.bucket)
	}
	lacks := ""
	if berr == nil {
		lacks = c.lacks(b, asked)
	}
	if c.s.Region == "us-east-1" && lacks == "" {
		return nil
	}
	e := errorf("BucketAlreadyOwnedByYou", "Your previous request to create the named bucket succeeded and you already own it.").with("BucketName", c.bucket)
	if lacks != "" {
		e.Message += " Its " + lacks + " differs from what this request asks for; change it by the operation for that."
	}
	return e
}

// lacks names what a bucket that is there does not have of what the request asks of a new one; "" for nothing.
func (c *call) lacks(b, asked *storage.Bucket) string {
	differs := func(doc string) bool { return !bytes.Equal(b.Docs[doc], asked.Docs[doc]) }
	switch {
	case asked.ObjectLock && !b.ObjectLock:
		return "object lock"
	case asked.Docs[docOwnership] != nil && differs(docOwnership):
		return "object ownership"
	case (c.r.Header.Get("X-Amz-Acl") != "" || c.hasGrants()) && differs(docACL):
		return "access control list"
	case asked.Docs[docTagging] != nil && differs(docTagging):
		return "tagging"
	}
	return ""
}

// checkBucketCreationHeaders takes the headers whose meaning is what happens anyway: owned by its
// account, without ACLs.
func (c *call) checkBucketCreationHeaders() error {
	if n := c.r.Header.Get("X-Amz-Bucket-Namespace"); n != "" && n != "global" {
		return errorf("NotImplemented", "The bucket namespace %q is not implemented.", n)
	}
	return nil
}

// lockAtCreation enables object lock, which needs versioning.
func (c *call) lockAtCreation(b *storage.Bucket, value string) error {
	switch value {
	case "true", "True", "TRUE":
	case "false", "False", "FALSE":
		return nil
	default:
		return errorf("InvalidArgument", "The value of x-amz-bucket-object-lock-enabled is true or false.")
	}
	for _, action := range []string{"s3:PutBucketObjectLockConfiguration", "s3:PutBucketVersioning"} {
		if err := c.authorize(action, nil, c.bucket, ""); err != nil {
			return err
		}
	}
	b.ObjectLock = true
	b.Versioning = storage.VersioningEnabled
	return nil
}

func headBucket(c *call) error {
	if _, err := c.needBucket(); err != nil {
		return err
	}
	h := c.w.Header()
	h.Set("X-Amz-Bucket-Region", c.s.Region)
	h.Set("X-Amz-Access-Point-Alias", "false")
	h.Set("Content-Type", "application/xml")
	return c.reply(http.StatusOK)
}

func deleteBucket(c *call) error {
	if _, err := c.needBucket(); err != nil {
		return err
	}
	if err := c.s.Backend.DeleteBucket(c.ctx, c.bucket); err != nil {
		return err
	}
	return c.reply(http.StatusNoContent)
}

func getBucketLocation(c *call) error {
	if _, err := c.needBucket(); err != nil {
		return err
	}
	var doc s3xml.Writer
	doc.Start("LocationConstraint", true)
	if c.s.Region != "us-east-1" {
		doc.Text(c.s.Region)
	}
	return c.replyXML(http.StatusOK, doc.End("LocationConstraint"))
}
