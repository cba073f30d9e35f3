package madmin

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/objsrv/objsrv/iam"
)

// listedKey is one access key of a list.
type listedKey struct {
	ParentUser    string     `json:"parentUser"`
	AccountStatus string     `json:"accountStatus"`
	ImpliedPolicy bool       `json:"impliedPolicy"`
	AccessKey     string     `json:"accessKey"`
	Name          string     `json:"name,omitempty"`
	Description   string     `json:"description,omitempty"`
	Expiration    *time.Time `json:"expiration,omitempty"`
}

// keyList is the answer to list-service-accounts.
type keyList struct {
	Accounts []listedKey `json:"accounts"`
}

// serviceKeys returns the service keys of a user.
func (c *call) serviceKeys(parent string) []listedKey {
	var out []listedKey
	for _, k := range c.IAM.AccessKeys(parent) {
		if k.Own || k.Damaged != "" {
			continue
		}
		l := listedKey{
			ParentUser: plainName(k.Parent), AccountStatus: keyStatus(k.Enabled), ImpliedPolicy: len(k.Policy) == 0 && !k.Bounded,
			AccessKey: k.AccessKey, Name: k.Name, Description: k.Description, Expiration: never(),
		}
		if k.Expires != nil {
			l.Expiration = k.Expires
		}
		out = append(out, l)
	}
	return out
}

// sessionKeys returns the live sessions of a user.
func (c *call) sessionKeys(parent string) []listedKey {
	var out []listedKey
	for _, s := range c.IAM.Sessions(parent) {
		out = append(out, listedKey{
			ParentUser: plainName(s.Parent), AccountStatus: on, ImpliedPolicy: !s.Restricted, AccessKey: s.AccessKey, Expiration: &s.Expires,
		})
	}
	return out
}

// listServiceAccounts answers with the service keys of the caller or of another user.
func (c *call) listServiceAccounts() error {
	parent, err := c.self(), error(nil)
	owns := true
	if name := c.param("user"); name != "" && name != c.id.AccessKey && name != plainName(parent) {
		owns = false
		if parent, err = c.findUser(name); err != nil {
			parent = name
		}
	}
	if merr := c.mayTouch("admin:ListServiceAccounts", parent, owns); merr != nil {
		return merr
	}
	if err != nil {
		return err
	}
	return c.replySealed(keyList{c.serviceKeys(parent)})
}

// userKeys are the keys of one user in a list of many.
type userKeys struct {
	ServiceAccounts []listedKey `json:"serviceAccounts"`
	STSKeys         []listedKey `json:"stsKeys"`
}

// listing says what a list of many users has.
type listing struct{ keys, sessions bool }

// listType reads the parameter of the lists of many.
func (c *call) listType() (listing, error) {
	switch c.param("listType") {
	case "users-only":
		return listing{}, nil
	case "sts-only":
		return listing{sessions: true}, nil
	case "svcacc-only":
		return listing{keys: true}, nil
	case "all":
		return listing{true, true}, nil
	}
	return listing{}, invalid("The list type is users-only, sts-only, svcacc-only or all.")
}

// list answers with the keys of users, but for users without any where only one kind is asked for.
func (c *call) list(l listing, users []string) error {
	out := map[string]userKeys{}
	for _, u := range users {
		var k userKeys
		if l.keys {
			k.ServiceAccounts = c.serviceKeys(u)
		}
		if l.sessions {
			k.STSKeys = c.sessionKeys(u)
		}
		if l.keys != l.sessions && len(k.ServiceAccounts)+len(k.STSKeys) == 0 {
			continue
		}
		out[plainName(u)] = k
	}
	return c.replySealed(out)
}

// usersOf returns the users of one source, root among the local ones for root's eyes only.
func (c *call) usersOf(source string) []string {
	var out []string
	for _, u := range c.users() {
		if u.Source == source {
			out = append(out, u.Name)
		}
	}
	if source == iam.SourceLocal && c.IAM.ByRoot() {
		out = append(out, c.root())
	}
	return out
}

// listKeysOfAll answers with the keys of all local users.
func (c *call) listKeysOfAll() error { return c.listAll(iam.SourceLocal, "users") }

// listKeysOfAllLDAP answers with those of the directory's users.
func (c *call) listKeysOfAllLDAP() error { return c.listAll(iam.SourceLDAP, "userDNs") }

func (c *call) listAll(source, param string) error {
	l, err := c.listType()
	if err != nil {
		return err
	}
	if c.query.Has(param) {
		return invalid("Either users are named, or all are asked for.")
	}
	return c.list(l, c.usersOf(source))
}

// listKeysBulk answers with the keys of the caller or of the users that are named.
func (c *call) listKeysBulk() error { return c.listNamed(iam.SourceLocal, c.query["users"]) }

// listKeysBulkLDAP does the same for users of the directory.
func (c *call) listKeysBulkLDAP() error { return c.listNamed(iam.SourceLDAP, c.query["userDNs"]) }

// listKeysLDAP answers with the keys of one user of the directory.
func (c *call) listKeysLDAP() error {
	l, err := c.listType()
	if err != nil {
		return err
	}
	u := iam.QualifiedName(iam.SourceLDAP, c.param("userDN"))
	if err := c.mayTouch("admin:ListServiceAccounts", u, u == c.self()); err != nil {
		return err
	}
	if _, err := c.IAM.User(u); err != nil {
		return err
	}
	var k userKeys
	if l.keys {
		k.ServiceAccounts = c.serviceKeys(u)
	}
	if l.sessions {
		k.STSKeys = c.sessionKeys(u)
	}
	return c.replySealed(k)
}

// listNamed answers with the keys of named users; those that there are not are left out, as in
// MinIO. Without names they are the caller's own.
func (c *call) listNamed(source string, names []string) error {
	l, err := c.listType()
	if err != nil {
		return err
	}
	switch c.param("all") {
	case "", "false":
	default:
		return invalid("The parameter all is true or false.")
	}
	if len(names) == 0 {
		names = []string{plainName(c.self())}
	}
	self := plainName(c.self())
	owns := !slices.ContainsFunc(names, func(n string) bool { return n != self && n != c.id.AccessKey })
	if err := c.mayOrOwns("admin:ListServiceAccounts", owns); err != nil {
		return err
	}
	var users []string
	for _, n := range names {
		u := iam.QualifiedName(source, n)
		if n == self || n == c.id.AccessKey {
			u = c.self()
		}
		if err := c.mayTouch("admin:ListServiceAccounts", u, u == c.self()); err != nil {
			return err
		}
		if _, err := c.IAM.User(u); err == nil || u == c.root() {
			users = append(users, u)
		}
	}
	return c.list(l, users)
}

// temporaryAccountInfo answers with one session.
func (c *call) temporaryAccountInfo() error {
	s, info, err := c.sessionInfo(c.param("accessKey"))
	if err == nil && s.Parent == c.root() && !c.IAM.ByRoot() {
		return c.refuse("admin:ListTemporaryAccounts", iam.Decision{Statement: "what is root's is changed and read by root only"})
	}
	if errors.Is(err, iam.ErrNoSuchKey) {
		err = errNoServiceKey
	}
	if err != nil {
		return err
	}
	return c.replySealed(info)
}

func (c *call) sessionInfo(accessKey string) (iam.Session, keyInfo, error) {
	s, err := c.IAM.Session(accessKey)
	if err != nil {
		return s, keyInfo{}, err
	}
	out := keyInfo{ParentUser: plainName(s.Parent), AccountStatus: on, ImpliedPolicy: !s.Restricted, Policy: string(s.Policy), Expiration: &s.Expires}
	if len(s.Policy) == 0 {
		doc, err := c.rights(s.Parent, s.Grants)
		if err != nil {
			return s, out, err
		}
		out.Policy = string(doc)
	}
	return s, out, nil
}

// accessKeyInfo is the answer to info-access-key.
type accessKeyInfo struct {
	AccessKey string
	keyInfo
	UserType     string   `json:"userType"`
	UserProvider string   `json:"userProvider"`
	LDAP         ldapInfo `json:"ldapSpecificInfo"`
	OpenID       idInfo   `json:"openIDSpecificInfo"`
}

type ldapInfo struct {
	Username string `json:"username"`
}

type idInfo struct {
	ConfigName  string `json:"configName"`
	UserID      string `json:"userID"`
	UserIDClaim string `json:"userIDClaim"`
}

// infoAccessKey answers with one service key or session, the caller's by default.
func (c *call) infoAccessKey() error {
	name := c.param("accessKey")
	if name == "" {
		name = c.id.AccessKey
	}
	out := accessKeyInfo{AccessKey: name, UserType: "Service Account"}
	k, err := c.IAM.AccessKey(name)
	parent, grants := k.Parent, k.Grants
	if errors.Is(err, iam.ErrNoSuchKey) {
		var s iam.Session
		s, out.keyInfo, err = c.sessionInfo(name)
		parent, out.UserType, grants = s.Parent, "STS", s.Grants
	} else if k.Own {
		err = iam.ErrNoSuchKey // a user's own key is looked at with the user
	}
	if merr := c.mayTouch("admin:ListServiceAccounts", parent, err == nil && parent == c.self()); merr != nil {
		return merr
	}
	if err == nil && out.UserType != "STS" {
		out.keyInfo, err = c.keyInfo(&k)
	}
	if err != nil {
		return err
	}
	source, plain := iam.SplitName(parent)
	switch source {
	case iam.SourceLocal:
		out.UserProvider = "builtin"
	case iam.SourceLDAP:
		out.LDAP.Username = plain
		out.UserProvider = source
	case iam.SourceOpenID:
		out.UserProvider, out.OpenID = source, c.openIDInfo(grants)
	default:
		out.UserProvider = source
	}
	return c.replySealed(out)
}

// revokeTokens ends sessions of the caller or of another user.
func (c *call) revokeTokens() error {
	provider := c.args["provider"]
	source := provider
	switch provider {
	case "builtin":
		source = iam.SourceLocal
	case iam.SourceLDAP, iam.SourceOpenID, iam.SourceTLS, iam.SourceCustom:
	default:
		return &Refusal{http.StatusNotImplemented, "NotImplemented", "RevokeTokens of the provider " + quote(provider) + " is not implemented by this server."}
	}
	name, kind, full := c.param("user"), c.param("tokenRevokeType"), c.param("fullRevoke") == "true"
	if kind != "" && full || name != "" && kind == "" && !full {
		return invalid("The request says either which type of sessions, or that all are to be revoked.")
	}
	parent := c.self()
	if name != "" {
		parent = iam.QualifiedName(source, name)
		if s, _ := iam.SplitName(name); name == c.root() || s == source {
			parent = name
		}
	} else if kind == "" && !full {
		s, err := c.IAM.Session(c.id.AccessKey)
		if err != nil || s.RevokeType == "" {
			return &Refusal{http.StatusBadRequest, "InvalidArgument", "No type of sessions is given, and the caller's credential has none."}
		}
		kind = s.RevokeType
	}
	if err := c.mayTouch("admin:RemoveServiceAccount", parent, parent == c.self()); err != nil {
		return err
	}
	if _, err := c.IAM.RevokeSessions(c.ctx, parent, kind); err != nil {
		return err
	}
	return c.replyEmpty(http.StatusNoContent)
}
