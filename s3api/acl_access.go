package s3api

import (
	"errors"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/storage"
)

// bucketPermissions are the permissions of a bucket's list that allow an action (S3 user guide,
// "Access control list (ACL) overview", "Mapping of ACL permissions and access policy permissions").
var bucketPermissions = map[string]permission{
	"s3:ListBucket":                 permRead,
	"s3:ListBucketVersions":         permRead,
	"s3:ListBucketMultipartUploads": permRead,
	"s3:PutObject":                  permWrite,
	"s3:DeleteObject":               permWrite,
	"s3:GetBucketAcl":               permReadACP,
	"s3:PutBucketAcl":               permWriteACP,
}

// objectPermissions are those of an object's list. For these actions the object's owner, who
// may be another than the bucket's, is the one whose policies decide.
var objectPermissions = map[string]permission{
	"s3:GetObject":                  permRead,
	"s3:GetObjectVersion":           permRead,
	"s3:GetObjectAttributes":        permRead,
	"s3:GetObjectVersionAttributes": permRead,
	"s3:GetObjectAcl":               permReadACP,
	"s3:GetObjectVersionAcl":        permReadACP,
	"s3:PutObjectAcl":               permWriteACP,
	"s3:PutObjectVersionAcl":        permWriteACP,
}

// judged is the object whose list a decision was based on.
type judged struct {
	action string // "" for no decision
	ref    storage.Ref
	absent bool
	owner  string
	acl    string
	object *storage.Object // to judge instead of what is stored
}

// accessFunc answers what access control lists say to an action.
type accessFunc func(action string, b *storage.Bucket, ref storage.Ref) iam.ACL

// access answers what the lists of b and of the object ref say to an action.
func (c *call) access(action string, b *storage.Bucket, ref storage.Ref) iam.ACL {
	if p, ok := bucketPermissions[action]; ok {
		return iam.ACL{Grant: c.bucketGrant(b, p)}
	}
	if p, ok := objectPermissions[action]; ok {
		return c.objectAccess(action, p, b, ref)
	}
	if action == "s3:AbortMultipartUpload" || action == "s3:ListMultipartUploadParts" {
		return iam.ACL{Grant: c.initiatorGrant()}
	}
	return iam.ACL{}
}

func (c *call) bucketGrant(b *storage.Bucket, p permission) iam.Grant {
	return c.s.settings(b).acl.allows(p, c.id, c.s.publicAccess(b).IgnorePublicAcls)
}

// objectAccess reads the object's list. Of an object that is not there who may list the bucket
// may know, and the answer says so after another decision.
func (c *call) objectAccess(action string, p permission, b *storage.Bucket, ref storage.Ref) iam.ACL {
	var o *storage.Object
	if c.judged != nil {
		o = c.judged.object
	}
	if o == nil {
		var err error
		if o, err = c.s.Backend.StatObject(c.ctx, ref); err != nil {
			if !errors.Is(err, storage.ErrNoSuchKey) && !errors.Is(err, storage.ErrNoSuchVersion) && !errors.Is(err, storage.ErrMarker) {
				c.unknown = err
				return iam.ACL{}
			}
			c.judged = &judged{action: action, ref: ref, absent: true}
			return iam.ACL{Grant: c.absentGrant(b, ref)}
		}
	}
	c.judged = &judged{action: action, ref: ref, owner: o.Owner, acl: o.Props[propACL]}
	owner := c.s.objectOwner(b, o.Owner)
	l, err := decodeACL(c.judged.acl, owner)
	if err != nil {
		c.unknown = err
		return iam.ACL{}
	}
	a := iam.ACL{Grant: l.allows(p, c.id, c.s.publicAccess(b).IgnorePublicAcls)}
	if owner != b.Owner {
		a.Owner = owner
	}
	return a
}

// absentGrant lets whoever may list the bucket learn that an object is not there.
func (c *call) absentGrant(b *storage.Bucket, ref storage.Ref) iam.Grant {
	prefix := c.prefix
	defer func() { c.prefix = prefix }()
	c.prefix = ref.Key
	if c.authorize("s3:ListBucket", b, ref.Bucket, "") != nil {
		return iam.NoGrant
	}
	return iam.PublicGrant
}

// holds tells that a decision, if there was one, would be the same for o.
func (j *judged) holds(o *storage.Object) bool {
	return j == nil || j.action == "" || !j.absent && j.owner == o.Owner && j.acl == o.Props[propACL]
}

// recheck decides again when o, which is about to be answered with, has not the list or the tags that the
// decision was based on: it may have been overwritten since.
func (c *call) recheck(b *storage.Bucket, o *storage.Object) error {
	if c.judged.holds(o) && c.tagged.holds(b, o) {
		return nil
	}
	var action string
	var ref storage.Ref
	if c.judged != nil {
		action, ref = c.judged.action, c.judged.ref
	}
	if action == "" {
		action, ref = c.tagged.action, c.tagged.ref
	}
	c.judged, c.tagged = &judged{object: o}, &tagged{ref: ref, object: o}
	return c.authorizeRef(action, b, ref)
}

// initiatorGrant lets whoever began an upload list and abort it.
func (c *call) initiatorGrant() iam.Grant {
	if c.id == nil {
		return iam.NoGrant
	}
	u, err := c.s.Backend.Upload(c.ctx, c.uploadRef())
	switch {
	case err == nil && u.Initiator == c.id.ARN:
		return iam.AccountGrant
	case err != nil && !errors.Is(err, storage.ErrNoSuchUpload):
		c.unknown = err
	}
	return iam.NoGrant
}

// writerAccess is what a writer has of the list of its own new object: who writes into another's
// bucket owns what it writes.
func (c *call) writerAccess(_ string, b *storage.Bucket, _ storage.Ref) iam.ACL {
	if c.id == nil {
		return iam.ACL{Grant: iam.PublicGrant}
	}
	if c.id.Account == b.Owner {
		return iam.ACL{}
	}
	return iam.ACL{Owner: c.id.Account}
}
