package s3api

import (
	"encoding/xml"
	"net/http"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/s3api/s3xml"
	"github.com/objsrv/objsrv/storage"
)

// Buckets are BucketOwnerEnforced: access control lists have no effect and can be read as
// the one grant that the owner has, as AWS does (S3 user guide, "Controlling ownership of objects").

// aclHeaders carry access control lists in requests that write.
var aclHeaders = []string{"X-Amz-Grant-Full-Control", "X-Amz-Grant-Read", "X-Amz-Grant-Read-Acp", "X-Amz-Grant-Write", "X-Amz-Grant-Write-Acp"}

// refuseACLHeaders refuses every list but those that say what is so anyway.
func (c *call) refuseACLHeaders(code, message string) error {
	switch acl := c.r.Header.Get("X-Amz-Acl"); acl {
	case "", "private", "bucket-owner-full-control":
	case "public-read", "public-read-write", "authenticated-read", "aws-exec-read", "bucket-owner-read", "log-delivery-write":
		return errorf(code, "%s", message)
	default:
		return errorf("InvalidArgument", "The canned ACL %q does not exist.", acl).with("ArgumentName", "x-amz-acl").with("ArgumentValue", acl)
	}
	for _, h := range aclHeaders {
		if c.r.Header.Get(h) != "" {
			return errorf(code, "%s", message)
		}
	}
	return nil
}

// refuseObjectACLHeaders is refuseACLHeaders with the answer for objects.
func (c *call) refuseObjectACLHeaders() error {
	return c.refuseACLHeaders("AccessControlListNotSupported", "The bucket does not allow ACLs")
}

func getBucketACL(c *call) error {
	b, err := c.needBucket()
	if err != nil {
		return err
	}
	return c.replyACL(b.Owner)
}

func getObjectACL(c *call) error {
	b, err := c.needBucket()
	if err != nil {
		return err
	}
	o, err := c.s.Backend.StatObject(c.ctx, storage.Ref{Bucket: c.bucket, Key: c.key, Version: c.ev.Version})
	if err != nil {
		return err
	}
	c.setVersion(b, o.VersionID)
	return c.replyACL(b.Owner)
}

// replyACL answers with the owner's full control.
func (c *call) replyACL(account string) error {
	var doc s3xml.Writer
	doc.Start("AccessControlPolicy", true)
	c.owner(&doc, account)
	doc.Open("AccessControlList")
	doc.Open("Grant")
	doc.Raw(`<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser">`)
	doc.Elem("ID", iam.CanonicalID(account))
	doc.Close("Grantee")
	doc.Elem("Permission", "FULL_CONTROL")
	doc.Close("Grant")
	doc.Close("AccessControlList")
	return c.replyXML(http.StatusOK, doc.End("AccessControlPolicy"))
}

func putBucketACL(c *call) error {
	b, err := c.needBucket()
	if err != nil {
		return err
	}
	return c.acceptPrivateACL(b.Owner)
}

func putObjectACL(c *call) error {
	b, err := c.needBucket()
	if err != nil {
		return err
	}
	if _, err := c.s.Backend.StatObject(c.ctx, storage.Ref{Bucket: c.bucket, Key: c.key, Version: c.ev.Version}); err != nil {
		return err
	}
	return c.acceptPrivateACL(b.Owner)
}

// accessControlPolicy is the body of the ACL operations.
type accessControlPolicy struct {
	XMLName xml.Name `xml:"AccessControlPolicy"`
	Owner   struct {
		ID string `xml:"ID"`
	} `xml:"Owner"`
	Grants []struct {
		Grantee struct {
			Type string `xml:"http://www.w3.org/2001/XMLSchema-instance type,attr"`
			ID   string `xml:"ID"`
			URI  string `xml:"URI"`
			Mail string `xml:"EmailAddress"`
		} `xml:"Grantee"`
		Permission string `xml:"Permission"`
	} `xml:"AccessControlList>Grant"`
}

// acceptPrivateACL takes a list that gives the owner full control and nobody else anything;
// every other one is refused.
func (c *call) acceptPrivateACL(account string) error {
	if err := c.refuseObjectACLHeaders(); err != nil {
		return err
	}
	data, err := c.readBody(maxXML, false)
	if err != nil {
		return err
	}
	if len(data) == 0 {
		if c.r.Header.Get("X-Amz-Acl") == "" {
			return errorf("MissingSecurityHeader", "Your request was missing a required header: x-amz-acl, or a body with an AccessControlPolicy.")
		}
		return c.reply(http.StatusOK)
	}
	var p accessControlPolicy
	if err := s3xml.Decode(data, &p); err != nil {
		return errorf("MalformedACLError", "The XML you provided was not well-formed or did not validate against our published schema")
	}
	for _, g := range p.Grants {
		if g.Grantee.ID != iam.CanonicalID(account) || g.Permission != "FULL_CONTROL" {
			return errorf("AccessControlListNotSupported", "The bucket does not allow ACLs")
		}
	}
	return c.reply(http.StatusOK)
}

// setVersion tells the version in a bucket that has or had versioning.
func (c *call) setVersion(b *storage.Bucket, id string) {
	if b.Versioning != storage.VersioningUnset && id != "" {
		c.w.Header()["X-Amz-Version-Id"] = []string{id}
	}
}
