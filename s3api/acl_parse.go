package s3api

import (
	"encoding/xml"
	"strings"

	"github.com/objsrv/objsrv/s3api/s3xml"
)

// grantHeaders carry access control lists in requests that write.
var grantHeaders = [...]struct {
	name string
	perm permission
}{
	{"X-Amz-Grant-Full-Control", permFullControl},
	{"X-Amz-Grant-Read", permRead},
	{"X-Amz-Grant-Read-Acp", permReadACP},
	{"X-Amz-Grant-Write", permWrite},
	{"X-Amz-Grant-Write-Acp", permWriteACP},
}

// cannedACL returns what a canned list stands for. Those that name another service or mean nothing for
// the resource are private: the list of an EC2 image, that of a bucket's owner for a bucket.
func cannedACL(name, owner, bucketOwner string, bucket bool) (acl, error) {
	l := privateACL(owner)
	switch name {
	case "private", "aws-exec-read":
	case "public-read":
		l = append(l, grant{groupAll, permRead})
	case "public-read-write":
		l = append(l, grant{groupAll, permRead}, grant{groupAll, permWrite})
	case "authenticated-read":
		l = append(l, grant{groupAuthenticated, permRead})
	case "bucket-owner-read", "bucket-owner-full-control":
		perm := permFullControl
		if name == "bucket-owner-read" {
			perm = permRead
		}
		if !bucket && owner != bucketOwner {
			l = append(l, grant{bucketOwner, perm})
		}
	case "log-delivery-write":
		if bucket {
			l = append(l, grant{groupLogDelivery, permWrite}, grant{groupLogDelivery, permReadACP})
		}
	default:
		return nil, errorf("InvalidArgument", "The canned ACL %q does not exist.", name).with("ArgumentName", "x-amz-acl").with("ArgumentValue", name)
	}
	return l.normal(), nil
}

// hasGrants tells whether the request has grant headers.
func (c *call) hasGrants() bool {
	for i := range grantHeaders {
		if len(c.r.Header[grantHeaders[i].name]) > 0 {
			return true
		}
	}
	return false
}

// headerACL reads the list that the request's headers give to what owner will own; given is false
// when they say nothing.
func (c *call) headerACL(owner, bucketOwner string) (l acl, given bool, err error) {
	canned, grants := c.r.Header.Get("X-Amz-Acl"), c.hasGrants()
	switch {
	case canned != "" && grants:
		return nil, true, errorf("InvalidRequest", "Specifying both Canned ACLs and Header Grants is not allowed")
	case canned != "":
		l, err = cannedACL(canned, owner, bucketOwner, c.level == bucketLevel && c.key == "")
		return l, true, err
	case !grants:
		return privateACL(owner), false, nil
	}
	for _, h := range grantHeaders {
		for _, v := range c.r.Header[h.name] {
			for part := range strings.SplitSeq(v, ",") {
				g := grant{perm: h.perm}
				if g.to, err = c.headerGrantee(h.name, part); err != nil {
					return nil, true, err
				}
				if l = append(l, g); len(l) > maxGrants {
					return nil, true, errTooManyGrants()
				}
			}
		}
	}
	return l.normal(), true, nil
}

// headerGrantee reads one grantee of a grant header: id="...", uri="..." or emailAddress="...".
func (c *call) headerGrantee(header, part string) (string, error) {
	kind, value, ok := strings.Cut(strings.TrimSpace(part), "=")
	value = strings.TrimSpace(value)
	if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' {
		value = value[1 : len(value)-1]
	}
	if ok {
		switch kind = strings.TrimSpace(kind); {
		case strings.EqualFold(kind, "id"):
			return c.canonicalGrantee(value)
		case strings.EqualFold(kind, "uri"):
			return groupGrantee(value)
		case strings.EqualFold(kind, "emailAddress"):
			return "", errMailGrantee(value)
		}
	}
	return "", errorf("InvalidArgument", "Argument format not recognized").with("ArgumentName", strings.ToLower(header)).with("ArgumentValue", part)
}

func (c *call) canonicalGrantee(id string) (string, error) {
	account, ok := c.s.IAM.CanonicalAccount(id)
	if !ok {
		return "", errorf("InvalidArgument", "Invalid id").with("ArgumentName", "CanonicalUser/ID").with("ArgumentValue", id)
	}
	return account, nil
}

func groupGrantee(uri string) (string, error) {
	g, ok := groupOf(uri)
	if !ok {
		return "", errorf("InvalidArgument", "Invalid group uri").with("ArgumentName", "uri").with("ArgumentValue", uri)
	}
	return g, nil
}

// errMailGrantee refuses a grantee named by mail: accounts have no addresses here.
func errMailGrantee(mail string) error {
	return errorf("UnresolvableGrantByEmailAddress", "The e-mail address you provided does not match any account on record.").with("EmailAddress", mail)
}

func errMalformedACL() *Error {
	return errorf("MalformedACLError", "The XML you provided was not well-formed or did not validate against our published schema")
}

func errTooManyGrants() *Error {
	return errorf("InvalidArgument", "The list has more than %d grants.", maxGrants)
}

// accessControlPolicy is the body of the ACL operations.
type accessControlPolicy struct {
	XMLName xml.Name `xml:"AccessControlPolicy"`
	Owner   *struct {
		ID   string `xml:"ID"`
		Name string `xml:"DisplayName"` // says nothing
	} `xml:"Owner"`
	List *struct {
		Grants []xmlGrant `xml:"Grant"`
	} `xml:"AccessControlList"`
}

type xmlGrant struct {
	Grantee struct {
		Type string `xml:"http://www.w3.org/2001/XMLSchema-instance type,attr"`
		ID   string `xml:"ID"`
		URI  string `xml:"URI"`
		Mail string `xml:"EmailAddress"`
		Name string `xml:"DisplayName"` // says nothing
	} `xml:"Grantee"`
	Permission string `xml:"Permission"`
}

// parseACL reads an AccessControlPolicy whose owner must have the canonical id given.
func (c *call) parseACL(data []byte, ownerID string) (acl, error) {
	var p accessControlPolicy
	if s3xml.Decode(data, &p) != nil || p.Owner == nil || p.List == nil {
		return nil, errMalformedACL()
	}
	if p.Owner.ID != ownerID {
		return nil, errAccessDenied()
	}
	if len(p.List.Grants) > maxGrants {
		return nil, errTooManyGrants()
	}
	l := make(acl, 0, len(p.List.Grants))
	for i := range p.List.Grants {
		g, err := c.xmlGrant(&p.List.Grants[i])
		if err != nil {
			return nil, err
		}
		l = append(l, g)
	}
	return l.normal(), nil
}

// xmlGrant reads one grant; a grantee without a type is what it has.
func (c *call) xmlGrant(x *xmlGrant) (g grant, err error) {
	if g.perm = parsePermission(x.Permission); g.perm == permNone {
		return g, errMalformedACL()
	}
	switch t := &x.Grantee; {
	case t.Type == "CanonicalUser" || t.Type == "" && t.ID != "":
		g.to, err = c.canonicalGrantee(t.ID)
	case t.Type == "Group" || t.Type == "" && t.URI != "":
		g.to, err = groupGrantee(t.URI)
	case t.Type == "AmazonCustomerByEmail" || t.Type == "" && t.Mail != "":
		err = errMailGrantee(t.Mail)
	default:
		err = errMalformedACL()
	}
	return g, err
}
