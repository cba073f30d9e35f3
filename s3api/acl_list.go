package s3api

import (
	"errors"
	"slices"
	"strings"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/s3api/s3xml"
)

// Where access control lists are kept; nothing is kept for the list that gives the owner full
// control and nobody else anything, which is the default.
const (
	docACL  = "acl" // among a bucket's documents
	propACL = "acl" // among an object's Props
)

// maxGrants is the most grants of a list (S3 user guide, "Access control list (ACL) overview").
const maxGrants = 100

// permission is what a grant gives, as it is stored.
type permission byte

const (
	permRead        permission = 'r'
	permWrite       permission = 'w'
	permReadACP     permission = 'R'
	permWriteACP    permission = 'W'
	permFullControl permission = 'F'
	permNone        permission = 0 // no grant gives it
)

var permissionNames = map[permission]string{
	permRead: "READ", permWrite: "WRITE", permReadACP: "READ_ACP", permWriteACP: "WRITE_ACP", permFullControl: "FULL_CONTROL",
}

func parsePermission(name string) permission {
	for p, n := range permissionNames {
		if n == name {
			return p
		}
	}
	return permNone
}

// Groups as they are stored; every other grantee is an account.
const (
	groupAll           = "all"
	groupAuthenticated = "authenticated"
	groupLogDelivery   = "logs"
)

var groupURIs = map[string]string{
	groupAll:           "http://acs.amazonaws.com/groups/global/AllUsers",
	groupAuthenticated: "http://acs.amazonaws.com/groups/global/AuthenticatedUsers",
	groupLogDelivery:   "http://acs.amazonaws.com/groups/s3/LogDelivery",
}

func groupOf(uri string) (string, bool) {
	for g, u := range groupURIs {
		if u == uri {
			return g, true
		}
	}
	return "", false
}

// grant gives a permission to an account or a group.
type grant struct {
	to   string
	perm permission
}

// acl is an access control list. The owner is not part of it.
type acl []grant

// privateACL is the default list.
func privateACL(owner string) acl { return acl{{owner, permFullControl}} }

// private tells the default list.
func (l acl) private(owner string) bool {
	return len(l) == 1 && l[0] == grant{owner, permFullControl}
}

// normal returns the list without repetitions, groups first.
func (l acl) normal() acl {
	var groups, accounts acl
	for _, g := range l {
		list := &accounts
		if _, ok := groupURIs[g.to]; ok {
			list = &groups
		}
		if !slices.Contains(*list, g) {
			*list = append(*list, g)
		}
	}
	return append(groups, accounts...)
}

// public tells a list that grants something to everyone, or to everyone who is authenticated
// (S3 user guide, "The meaning of public").
func (l acl) public() bool {
	return slices.ContainsFunc(l, func(g grant) bool { return g.to == groupAll || g.to == groupAuthenticated })
}

// encode returns the stored form: a letter and a grantee for each grant, "-" for none.
func (l acl) encode() string {
	if len(l) == 0 {
		return "-"
	}
	var b strings.Builder
	for i, g := range l {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteByte(byte(g.perm))
		b.WriteString(g.to)
	}
	return b.String()
}

var errStoredACL = errors.New("the stored access control list can't be read")

// decodeACL reads the stored form.
func decodeACL(stored, owner string) (acl, error) {
	switch stored {
	case "":
		return privateACL(owner), nil
	case "-":
		return nil, nil
	}
	var l acl
	for field := range strings.SplitSeq(stored, " ") {
		if len(field) < 2 || permissionNames[permission(field[0])] == "" {
			return nil, errStoredACL
		}
		g := grant{field[1:], permission(field[0])}
		if groupURIs[g.to] == "" && iam.CheckAccount(g.to) != nil {
			return nil, errStoredACL
		}
		l = append(l, g)
	}
	return l, nil
}

// allows tells how far the list gives a permission to a caller; id is nil for the anonymous one.
// With ignorePublic the groups of everyone and of everyone authenticated get nothing.
func (l acl) allows(p permission, id *iam.Identity, ignorePublic bool) iam.Grant {
	best := iam.NoGrant
	for _, g := range l {
		if g.perm != p && g.perm != permFullControl {
			continue
		}
		switch {
		case (g.to == groupAll || g.to == groupAuthenticated && id != nil) && !ignorePublic:
			return iam.PublicGrant
		case id != nil && g.to == id.Account:
			best = iam.AccountGrant
		}
	}
	return best
}

// document returns the AccessControlPolicy document.
func (l acl) document(owner string) []byte {
	var doc s3xml.Writer
	doc.Start("AccessControlPolicy", true)
	doc.Raw(ownerXML(owner))
	doc.Open("AccessControlList")
	for _, g := range l {
		doc.Open("Grant")
		kind, uri := "CanonicalUser", groupURIs[g.to]
		if uri != "" {
			kind = "Group"
		}
		doc.Raw(`<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="` + kind + `">`)
		if uri != "" {
			doc.Elem("URI", uri)
		} else {
			doc.Elem("ID", iam.CanonicalID(g.to))
			doc.Elem("DisplayName", g.to)
		}
		doc.Close("Grantee")
		doc.Elem("Permission", permissionNames[g.perm])
		doc.Close("Grant")
	}
	doc.Close("AccessControlList")
	return doc.End("AccessControlPolicy")
}
