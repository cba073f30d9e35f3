package sts

import (
	"encoding/xml"
	"strings"
	"time"

	"github.com/objsrv/objsrv/iam"
)

// Durations of sessions.
const (
	defaultDuration    = time.Hour
	defaultToken       = 12 * time.Hour // GetSessionToken, GetFederationToken
	maxToken           = 36 * time.Hour
	maxTokenOfRoot     = time.Hour // STS API reference, GetSessionToken
	maxFederationName  = 32
	noRights           = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}`
	actionTagSession   = "sts:TagSession"
	actionSetSourceID  = "sts:SetSourceIdentity"
	actionAssumeRole   = "sts:AssumeRole"
	actionFederate     = "sts:GetFederationToken"
	actionAccessKey    = "sts:GetAccessKeyInfo"
	actionSessionToken = "sts:GetSessionToken"
)

// credentials is the element of that name.
type credentials struct {
	AccessKeyID     string `xml:"AccessKeyId"`
	SecretAccessKey string
	SessionToken    string
	Expiration      string
}

func shown(cred *iam.Credential, s *iam.Session) credentials {
	return credentials{cred.AccessKey, cred.Secret, cred.SessionToken, s.Expires.UTC().Format(time.RFC3339)}
}

type metadata struct {
	RequestID string `xml:"RequestId"`
}

type assumedRoleUser struct {
	Arn           string
	AssumedRoleID string `xml:"AssumedRoleId"`
}

type assumeRoleResponse struct {
	XMLName xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ AssumeRoleResponse"`
	Result  struct {
		AssumedRoleUser  assumedRoleUser
		Credentials      credentials
		PackedPolicySize *int   `xml:",omitempty"`
		SourceIdentity   string `xml:",omitempty"`
	} `xml:"AssumeRoleResult"`
	Metadata metadata `xml:"ResponseMetadata"`
}

// assumeRole issues a session with the caller's own rights, cut down by a session policy, as
// MinIO does: there are no roles to choose from, so RoleArn only names the session. A user needs
// no Allow for it, since the session has nothing that the user has not, but a Deny counts
// (S-194). What the session says of itself, tags and a source identity, needs an Allow.
func (c *call) assumeRole() error {
	if err := c.check(); err != nil {
		return err
	}
	i, err := c.issueOwn()
	if err != nil {
		return err
	}
	var out assumeRoleResponse
	out.Result.AssumedRoleUser = assumedRoleUser{Arn: i.n.ARN, AssumedRoleID: c.id.ID + ":" + i.n.Name}
	out.Result.Credentials = shown(&i.cred, &i.session)
	out.Result.PackedPolicySize = packedSize(&i.n)
	out.Result.SourceIdentity = c.form.Get("SourceIdentity")
	out.Metadata.RequestID = c.ev.ID
	c.write(200, out)
	return nil
}

// issued is a new session, and what was asked for.
type issued struct {
	n       iam.NewSession
	session iam.Session
	cred    iam.Credential
}

// issueOwn issues a session with the caller's own rights to c.id.
func (c *call) issueOwn() (i issued, err error) {
	if err := c.mayIssue(actionAssumeRole); err != nil {
		return i, err
	}
	i.n = iam.NewSession{By: c.id, Name: c.form.Get("RoleSessionName"), RevokeType: c.form.Get("TokenRevokeType"), Remote: c.ev.Remote}
	role, err := c.roleName()
	if err != nil {
		return i, err
	}
	if i.n.Name == "" {
		i.n.Name = "session"
	}
	if i.n.Duration, err = c.duration(defaultDuration, iam.MaxSession); err != nil {
		return i, err
	}
	if i.n.Policy, i.n.Policies, err = c.sessionPolicy(); err != nil {
		return i, err
	}
	if i.n.Grants, err = c.grants(); err != nil {
		return i, err
	}
	i.n.ARN = "arn:aws:sts::" + c.id.Account + ":assumed-role/" + role + "/" + i.n.Name
	i.session, i.cred, err = c.IAM.CreateSession(c.r.Context(), i.n)
	return i, err
}

// mayIssue refuses callers with temporary credentials, whose sessions would outlive their own
// revocation, and whom a policy denies the action.
func (c *call) mayIssue(action string) error {
	if c.id.Kind == iam.SessionKey {
		return errDenied("%s can't be called with temporary credentials.", c.op.name)
	}
	if c.denied(action) {
		return errDenied("A policy denies %s.", action)
	}
	return nil
}

// checkNames judges the parameters with which a session is named.
func (c *call) checkNames() error {
	for _, p := range []struct {
		name string
		ok   func(string) bool
		form string
	}{
		{"RoleArn", roleARN.MatchString, "arn:aws:iam::ACCOUNT:role/NAME"},
		{"RoleSessionName", sessionName.MatchString, "2 to 64 letters, digits and _ + = , . @ -"},
		{"ExternalId", func(s string) bool { return len(s) <= 1224 && externalID.MatchString(s) }, "2 to 1224 letters, digits and _ + = , . @ : / -"},
		{"SourceIdentity", sessionName.MatchString, "2 to 64 letters, digits and _ + = , . @ -"},
	} {
		if c.form.Has(p.name) && !p.ok(c.form.Get(p.name)) {
			return invalid("%s has the form %s.", p.name, p.form)
		}
	}
	return nil
}

// roleName checks RoleArn and RoleSessionName, and returns the name that the session's ARN has.
func (c *call) roleName() (string, error) {
	if err := c.checkNames(); err != nil {
		return "", err
	}
	arn := c.form.Get("RoleArn")
	if arn == "" {
		return c.id.Name, nil
	}
	return arn[strings.LastIndexByte(arn, '/')+1:], nil
}

// grants are the tags and the source identity that the session says of itself. Policies may rest
// on them, so to set them takes an Allow (IAM user guide, "Passing session tags").
func (c *call) grants() (*iam.Grants, error) {
	tags, err := c.tags()
	if err != nil {
		return nil, err
	}
	source := c.form.Get("SourceIdentity")
	for i := 1; i <= c.members("TransitiveTagKeys"); i++ {
		// A session can't issue another one, so all that matters is that the tag is there.
		key := c.form.Get("TransitiveTagKeys.member." + itoa(i))
		if _, ok := tags[key]; !ok {
			return nil, invalid("TransitiveTagKeys names %s, which is no key of Tags.", printable(key))
		}
	}
	if len(tags) == 0 && source == "" {
		return nil, nil
	}
	g := &iam.Grants{Claims: map[string][]string{}}
	if len(tags) > 0 {
		if !c.authorize(actionTagSession).Allowed {
			return nil, errDenied("Tags need %s.", actionTagSession)
		}
		for k, v := range tags {
			g.Claims["aws:principaltag/"+strings.ToLower(k)] = []string{v}
		}
	}
	if source != "" {
		if !c.authorize(actionSetSourceID).Allowed {
			return nil, errDenied("SourceIdentity needs %s.", actionSetSourceID)
		}
		g.Claims["aws:sourceidentity"] = []string{source}
	}
	return g, nil
}

// packedSize is the part of the limit for session policies that is used up, in percent, or nil
// without any.
func packedSize(n *iam.NewSession) *int {
	size := len(n.Policy)
	for _, p := range n.Policies {
		size += len(p)
	}
	if size == 0 {
		return nil
	}
	percent := min(100, (size*100+iam.MaxSessionPolicy-1)/iam.MaxSessionPolicy)
	return &percent
}
