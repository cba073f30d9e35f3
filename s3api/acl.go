package s3api

import (
	"net/http"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/internal/events"
	"github.com/objsrv/objsrv/storage"
)

// Where the bucket's owner owns everything (BucketOwnerEnforced), access control lists have no
// effect and can be read as the one grant that the owner has, as in S3 (S3 user guide,
// "Controlling ownership of objects"). Else they are stored and count.

// refuseACLHeaders refuses every list but those that say what is so anyway. Old clients send
// "private" with all they write; strict refuses it as well, as S3 does.
func (c *call) refuseACLHeaders(strict bool, refusal func() *Error) error {
	switch acl := c.r.Header.Get("X-Amz-Acl"); acl {
	case "", "bucket-owner-full-control":
	case "private":
		if strict {
			return refusal()
		}
	default:
		if _, err := cannedACL(acl, "", "", false); err != nil {
			return err
		}
		return refusal()
	}
	if c.hasGrants() {
		return refusal()
	}
	return nil
}

func errACLNotSupported() *Error {
	return errorf("AccessControlListNotSupported", "The bucket does not allow ACLs")
}

func errPublicACL() *Error {
	return errorf("AccessDenied", "The access control list grants public access, which the public access block of the bucket or of its account forbids.")
}

// checkBlock refuses a public list where the bucket's public access block says so.
func (c *call) checkBlock(b *storage.Bucket, l acl) error {
	if l.public() && c.s.publicAccess(b).BlockPublicAcls {
		return errPublicACL()
	}
	return nil
}

// writerACL returns the account that owns what the request writes into b, and the list that it
// gets, as it is stored. Giving a list takes s3:PutObjectAcl, which the writer's account itself
// decides on where the writer owns the object. What is written anonymously is the bucket owner's.
func (c *call) writerACL(b *storage.Bucket) (owner, stored string, err error) {
	setting := c.s.ownership(b)
	if setting == OwnerEnforced {
		return b.Owner, "", c.refuseACLHeaders(b.Docs[docOwnership] != nil, errACLNotSupported)
	}
	owner = b.Owner
	if c.id != nil && (setting == ObjectWriter || c.r.Header.Get("X-Amz-Acl") != "bucket-owner-full-control") {
		owner = c.id.Account
	}
	l, given, err := c.headerACL(owner, b.Owner)
	if err != nil || !given {
		return owner, "", err
	}
	if err := c.checkBlock(b, l); err != nil {
		return owner, "", err
	}
	if err := c.authorizeAs("s3:PutObjectAcl", b, storage.Ref{Bucket: c.bucket, Key: c.key}, c.writerAccess); err != nil {
		return owner, "", err
	}
	if !l.private(owner) {
		stored = l.encode()
	}
	return owner, stored, nil
}

// withACL adds a stored list to the Props of an object that is written.
func withACL(props map[string]string, stored string) map[string]string {
	if stored == "" {
		return props
	}
	if props == nil {
		props = make(map[string]string, 1)
	}
	props[propACL] = stored
	return props
}

func getBucketACL(c *call) error {
	b, err := c.needBucket()
	if err != nil {
		return err
	}
	return c.replyACL(b, b.Owner, string(b.Docs[docACL]))
}

func getObjectACL(c *call) error {
	b, ref, err := c.objectRef()
	if err != nil {
		return err
	}
	o, err := c.stat(b, ref)
	if err != nil {
		return err
	}
	c.setVersion(b, o.VersionID)
	return c.replyACL(b, c.s.objectOwner(b, o.Owner), o.Props[propACL])
}

// replyACL answers with a list; where lists are disabled, with the owner's full control.
func (c *call) replyACL(b *storage.Bucket, owner, stored string) error {
	if !c.s.aclsEnabled(b) {
		stored = ""
	}
	l, err := decodeACL(stored, owner)
	if err != nil {
		return err
	}
	return c.replyXML(http.StatusOK, l.document(owner))
}

func putBucketACL(c *call) error {
	b, err := c.needBucket()
	if err != nil {
		return err
	}
	l, err := c.requestedACL(b, b.Owner)
	if err != nil {
		return err
	}
	var doc []byte
	if !l.private(b.Owner) {
		doc = []byte(l.encode())
	}
	if doc != nil || b.Docs[docACL] != nil {
		if err := c.setDoc(docACL, doc); err != nil {
			return err
		}
	}
	return c.reply(http.StatusOK)
}

func putObjectACL(c *call) error {
	b, ref, err := c.objectRef()
	if err != nil {
		return err
	}
	o, err := c.s.Backend.StatObject(c.ctx, ref)
	if err != nil {
		return c.missing(b, ref, err)
	}
	owner := c.s.objectOwner(b, o.Owner)
	l, err := c.requestedACL(b, owner)
	if err != nil {
		return err
	}
	stored := l.encode()
	if l.private(owner) {
		stored = ""
	}
	if err := c.expect(b, aboutTo{events.ACLPut, c.key, ref.Version}); err != nil {
		return err
	}
	o, err = c.s.Backend.SetProps(c.ctx, ref, func(o *storage.Object) (map[string]string, error) {
		if !c.judged.holds(o) || c.s.objectOwner(b, o.Owner) != owner {
			return nil, errorf("OperationAborted", "The object was overwritten while its access control list was being set. Try again.")
		}
		props := cloneProps(o.Props)
		delete(props, propACL)
		return withACL(props, stored), nil
	})
	if err != nil {
		return c.missing(b, ref, err)
	}
	c.happened(events.ACLPut, b, o)
	c.setVersion(b, o.VersionID)
	return c.reply(http.StatusOK)
}

// requestedACL reads the list of PutBucketAcl and PutObjectAcl from the headers or the body. Where
// lists are disabled only the one that is in force anyway passes.
func (c *call) requestedACL(b *storage.Bucket, owner string) (acl, error) {
	enabled := c.s.aclsEnabled(b)
	if !enabled {
		if err := c.refuseACLHeaders(b.Docs[docOwnership] != nil, errACLNotSupported); err != nil {
			return nil, err
		}
	}
	data, err := c.readBody(maxXML, false)
	if err != nil {
		return nil, err
	}
	l, given, err := c.headerACL(owner, b.Owner)
	switch {
	case err != nil:
		return nil, err
	case given && len(data) > 0:
		return nil, errorf("UnexpectedContent", "This request does not support content")
	case !given && len(data) == 0:
		return nil, errorf("MissingSecurityHeader", "Your request was missing a required header: x-amz-acl, or a body with an AccessControlPolicy.")
	case !given:
		if l, err = c.parseACL(data, iam.CanonicalID(owner)); err != nil {
			return nil, err
		}
	}
	if !enabled {
		if !given && !l.private(owner) {
			return nil, errACLNotSupported()
		}
		return privateACL(owner), nil
	}
	return l, c.checkBlock(b, l)
}

// setVersion tells the version in a bucket that has or had versioning.
func (c *call) setVersion(b *storage.Bucket, id string) {
	if b.Versioning != storage.VersioningUnset && id != "" {
		c.w.Header()["X-Amz-Version-Id"] = []string{id}
	}
}
