package s3api

import (
	"encoding/xml"
	"net/http"

	"github.com/objsrv/objsrv/s3api/s3xml"
	"github.com/objsrv/objsrv/storage"
)

// docOwnership names the OwnershipControls among a bucket's documents.
const docOwnership = "ownershipControls"

// The settings of object ownership (S3 user guide, "Controlling ownership of objects and
// disabling ACLs for your bucket").
const (
	OwnerEnforced  = "BucketOwnerEnforced"  // ACLs are disabled, the bucket's account owns every object
	OwnerPreferred = "BucketOwnerPreferred" // as ObjectWriter, but what is given to the bucket's account becomes its own
	ObjectWriter   = "ObjectWriter"         // who writes an object owns it
)

// ownershipControls is the OwnershipControls document.
type ownershipControls struct {
	XMLName xml.Name `xml:"OwnershipControls"`
	Rules   []struct {
		ObjectOwnership string `xml:"ObjectOwnership"`
	} `xml:"Rule"`
}

// setting returns the one rule of the document, "" when there is none that is known.
func (o *ownershipControls) setting() string {
	if len(o.Rules) != 1 || !knownOwnership(o.Rules[0].ObjectOwnership) {
		return ""
	}
	return o.Rules[0].ObjectOwnership
}

func knownOwnership(s string) bool {
	return s == OwnerEnforced || s == OwnerPreferred || s == ObjectWriter
}

func ownershipDoc(setting string) []byte {
	var doc s3xml.Writer
	doc.Start("OwnershipControls", true)
	doc.Open("Rule")
	doc.Elem("ObjectOwnership", setting)
	doc.Close("Rule")
	return doc.End("OwnershipControls")
}

// ownership returns the setting in force for b: its own, or the server's.
func (s *Server) ownership(b *storage.Bucket) string {
	if b.Docs[docOwnership] == nil {
		return s.ObjectOwnership
	}
	return s.settings(b).ownership
}

// aclsEnabled tells whether access control lists count in b.
func (s *Server) aclsEnabled(b *storage.Bucket) bool { return s.ownership(b) != OwnerEnforced }

// objectOwner is the account that owns an object of b.
func (s *Server) objectOwner(b *storage.Bucket, owner string) string {
	if owner == "" || !s.aclsEnabled(b) {
		return b.Owner
	}
	return owner
}

func getBucketOwnershipControls(c *call) error {
	return c.replyDoc(docOwnership, "OwnershipControlsNotFoundError")
}

// putBucketOwnershipControls disables ACLs only where they grant nothing to others.
func putBucketOwnershipControls(c *call) error {
	if _, err := c.needBucket(); err != nil {
		return err
	}
	var conf ownershipControls
	if err := c.readXML(maxXML, true, &conf); err != nil {
		return err
	}
	setting := conf.setting()
	if setting == "" {
		return errMalformedXML()
	}
	err := c.s.Backend.UpdateBucket(c.ctx, c.bucket, func(b *storage.Bucket) error {
		if setting == OwnerEnforced && len(b.Docs[docACL]) > 0 {
			return errACLWithOwnership()
		}
		if b.Docs == nil {
			b.Docs = map[string][]byte{}
		}
		b.Docs[docOwnership] = ownershipDoc(setting)
		return nil
	})
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK)
}

func errACLWithOwnership() *Error {
	return errorf("InvalidBucketAclWithObjectOwnership", "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting")
}

// ownershipAtCreation takes the ownership and the access control list that a bucket is created with.
func (c *call) ownershipAtCreation(b *storage.Bucket) error {
	setting := c.s.ObjectOwnership
	if h := c.r.Header.Get("X-Amz-Object-Ownership"); h != "" {
		if !knownOwnership(h) {
			return errorf("InvalidArgument", "Invalid x-amz-object-ownership header: %s", h).with("ArgumentName", "x-amz-object-ownership").with("ArgumentValue", h)
		}
		if err := c.authorize("s3:PutBucketOwnershipControls", nil, c.bucket, ""); err != nil {
			return err
		}
		setting = h
		b.Docs[docOwnership] = ownershipDoc(h)
	}
	if setting == OwnerEnforced {
		return c.refuseACLHeaders(false, errACLWithOwnership)
	}
	l, given, err := c.headerACL(b.Owner, b.Owner)
	if err != nil || !given {
		return err
	}
	if p, _ := c.s.IAM.PublicAccess(b.Owner); l.public() && p.BlockPublicAcls {
		return errPublicACL()
	}
	if err := c.authorize("s3:PutBucketAcl", nil, c.bucket, ""); err != nil {
		return err
	}
	if !l.private(b.Owner) {
		b.Docs[docACL] = []byte(l.encode())
	}
	return nil
}
