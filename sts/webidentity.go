package sts

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/objsrv/objsrv/iam"
)

// TokenVerifier knows the OpenID Connect providers and judges their tokens.
type TokenVerifier interface {
	// Verify returns whom a token speaks of. An error that Is a *Rejection is told to the client.
	Verify(ctx context.Context, t WebToken) (*Person, error)
}

// WebToken is what a client has of an identity provider.
type WebToken struct {
	Token       string // a signed JSON Web Token (RFC 7519)
	AccessToken string // for the provider's userinfo endpoint; "" for none
	RoleARN     string // which role is asked for; "" for none
	Provider    string // of which provider it must be, as it is configured; "" for any
	Trace       *Trace // is told of each check; nil for a login
}

// Person is whom a token speaks of.
type Person struct {
	Provider string // as it is configured
	Issuer   string
	Subject  string
	Audience string // the accepted one
	Expires  time.Time
	Claim    string   // where Policies were looked for; "" when they are the role's
	Claimed  bool     // the token has that claim
	Policies []string // need not exist
	Groups   []string // local ones that the token names; need not exist
	// GroupsClaim is where Groups were looked for; "" for nowhere.
	GroupsClaim string
	// Claims are the strings and the lists of strings of the token, by their names.
	Claims map[string][]string
	Names  []string // of all claims, sorted
	Tags   SessionTags
}

// Codes of Rejection (STS API reference, AssumeRoleWithWebIdentity and common errors).
const (
	InvalidIdentityToken = "InvalidIdentityToken"
	ExpiredToken         = "ExpiredTokenException"
	RejectedClaim        = "IDPRejectedClaim"
	CommunicationError   = "IDPCommunicationError"
	AccessDenied         = "AccessDenied"
)

// Rejection says why a token is not taken.
type Rejection struct {
	Code    string
	Message string // for the client. It is one and the same for all tokens that nobody known has signed.
	Reason  string // for administrators: kept under the request's id; "" when Message says all
}

// Error implements error.
func (r *Rejection) Error() string {
	if r.Reason == "" {
		return r.Code + ": " + r.Message
	}
	return r.Code + ": " + r.Message + " (" + r.Reason + ")"
}

// actionWebIdentity is asked for both actions, as in MinIO.
const actionWebIdentity = "sts:AssumeRoleWithWebIdentity"

type webIdentityResponse struct {
	XMLName xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ AssumeRoleWithWebIdentityResponse"`
	Result  struct {
		assumedWithToken
		SourceIdentity              string `xml:",omitempty"`
		SubjectFromWebIdentityToken string
	} `xml:"AssumeRoleWithWebIdentityResult"`
	Metadata metadata `xml:"ResponseMetadata"`
}

type clientGrantsResponse struct {
	XMLName xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ AssumeRoleWithClientGrantsResponse"`
	Result  struct {
		assumedWithToken
		SubjectFromToken string // MinIO's server has it so,
		// and its client libraries look for this one.
		SubjectFromClientGrantsToken string
	} `xml:"AssumeRoleWithClientGrantsResult"`
	Metadata metadata `xml:"ResponseMetadata"`
}

// assumedWithToken is what both answers have.
type assumedWithToken struct {
	AssumedRoleUser  assumedRoleUser
	Audience         string
	Credentials      credentials
	PackedPolicySize *int `xml:",omitempty"`
	Provider         string
}

// assumeRoleWithWebIdentity issues a session to whom an identity provider vouches for.
func (c *call) assumeRoleWithWebIdentity() error {
	p, a, err := c.assumeByToken("")
	if err != nil {
		return err
	}
	var out webIdentityResponse
	out.Result.assumedWithToken, out.Result.SubjectFromWebIdentityToken = a, p.Subject
	out.Result.SourceIdentity = p.Tags.SourceIdentity
	out.Metadata.RequestID = c.ev.ID
	c.write(http.StatusOK, out)
	return nil
}

// assumeRoleWithClientGrants is MinIO's name for the same with the access token of a program.
func (c *call) assumeRoleWithClientGrants() error {
	p, a, err := c.assumeByToken(c.form.Get("Token"))
	if err != nil {
		return err
	}
	var out clientGrantsResponse
	out.Result.assumedWithToken, out.Result.SubjectFromToken, out.Result.SubjectFromClientGrantsToken = a, p.Subject, p.Subject
	out.Metadata.RequestID = c.ev.ID
	c.write(http.StatusOK, out)
	return nil
}

// assumeByToken issues a session and makes what both answers have.
func (c *call) assumeByToken(accessToken string) (*Person, assumedWithToken, error) {
	p, i, err := c.issueByToken(accessToken)
	if err != nil {
		return nil, assumedWithToken{}, err
	}
	return p, assumedWithToken{
		AssumedRoleUser: assumedRoleUser{Arn: i.n.ARN, AssumedRoleID: i.cred.Identity.ID + ":" + i.n.Name},
		Audience:        p.Audience, Credentials: shown(&i.cred, &i.session), PackedPolicySize: packedSize(&i.n), Provider: p.Issuer,
	}, nil
}

// issueByToken verifies the request's token and issues a session. accessToken is used when the
// request names none. Until all of it has been judged nothing is written. The person of a good token is
// returned even when it is worth nothing here.
func (c *call) issueByToken(accessToken string) (p *Person, i issued, err error) {
	n, t, err := c.webRequest()
	if err != nil {
		return nil, i, err
	}
	if t.AccessToken == "" {
		t.AccessToken = accessToken
	}
	i.n = n
	if p, err = c.judgeToken(&i.n, t); err != nil {
		return p, i, err
	}
	if i.session, i.cred, err = c.IAM.CreateSession(c.r.Context(), i.n); err == nil {
		c.ev.Principal = i.n.ARN
	}
	return p, i, err
}

// judgeToken verifies t and completes n by what comes of it. Nothing is written. The person of a good token is
// returned with an error, too.
func (c *call) judgeToken(n *iam.NewSession, t WebToken) (*Person, error) {
	if c.WebIdentity == nil {
		return nil, c.rejected(actionWebIdentity, &Rejection{InvalidIdentityToken, "This server has no OpenID Connect provider.", ""})
	}
	p, err := c.verifyToken(t)
	if err != nil {
		return nil, err
	}
	if c.lasts = n.Duration; n.Duration == 0 {
		// As long as the token, as in MinIO; one that is taken in spite of clocks that differ has no
		// life left, and gets as much as that was.
		n.Duration, n.NotAfter = iam.MaxSession, p.Expires
		if now := c.now(); !now.Before(p.Expires.Add(-time.Second)) {
			n.NotAfter = p.Expires.Add(Leeway)
		}
		c.lasts = min(n.Duration, n.NotAfter.Sub(c.now()))
	}
	n.External = iam.QualifiedName(iam.SourceOpenID, parentID(p))
	c.ev.Principal = n.External
	if n.Grants, err = c.grantsOf(n.External, p); err != nil {
		return p, err
	}
	n.ARN = "arn:aws:sts::" + c.IAM.Account() + ":assumed-role/" + roleOf(t.RoleARN, p) + "/" + n.Name
	return p, nil
}

// verifyToken asks for the token. Those of one address that nobody known has signed are limited
// (S-106); who shows a good one, even one that has expired, is not concerned.
func (c *call) verifyToken(t WebToken) (*Person, error) {
	if c.tokens != nil && !c.tokens.Take(c.ev.Remote) {
		c.w.Header().Set("Retry-After", "10")
		return nil, &Error{http.StatusTooManyRequests, "Throttling", "Too many tokens that can't be verified came from this address. Wait and try again."}
	}
	p, err := c.WebIdentity.Verify(c.r.Context(), t)
	var r *Rejection
	if c.tokens != nil && (!errors.As(err, &r) || r.Code != InvalidIdentityToken || r.Reason == "") {
		c.tokens.Give(c.ev.Remote)
	}
	if err != nil {
		return nil, c.rejected(actionWebIdentity, err)
	}
	return p, nil
}

// Leeway is how far clocks of an identity provider and of this server may differ.
const Leeway = time.Minute

// webRequest reads what the request says of the session; Duration is 0 when it is the token's.
func (c *call) webRequest() (n iam.NewSession, t WebToken, err error) {
	if err = c.check(); err != nil {
		return n, t, err
	}
	if err = c.checkNames(); err != nil {
		return n, t, err
	}
	t = WebToken{Token: c.form.Get("WebIdentityToken"), AccessToken: c.form.Get("WebIdentityAccessToken"), RoleARN: c.form.Get("RoleArn")}
	// MinIO takes either name with either action.
	switch token := c.form.Get("Token"); {
	case t.Token != "" && token != "":
		return n, t, invalid("One of WebIdentityToken and Token is given, not both.")
	case token != "":
		t.Token = token
	}
	if err = c.checkToken(&t); err != nil {
		return n, t, err
	}
	n = iam.NewSession{Name: c.form.Get("RoleSessionName"), RevokeType: c.form.Get("TokenRevokeType"), Remote: c.ev.Remote}
	if n.Name == "" {
		n.Name = "session"
	}
	if n.Policy, n.Policies, err = c.sessionPolicy(); err != nil {
		return n, t, err
	}
	n.Duration, err = c.duration(0, iam.MaxSession)
	return n, t, err
}

// checkToken judges what a token is asked about with, before the token itself.
func (c *call) checkToken(t *WebToken) error {
	switch {
	case t.Token == "":
		return invalid("The parameter WebIdentityToken is missing or empty.")
	case t.RoleARN != "" && !roleARN.MatchString(t.RoleARN):
		return invalid("RoleArn has the form arn:aws:iam::ACCOUNT:role/NAME.")
	}
	return nil
}

// parentID identifies a person: a subject is unique within its issuer only (OpenID Connect Core,
// "Claim Stability and Uniqueness"). MinIO derives the same.
func parentID(p *Person) string {
	sum := sha256.Sum256([]byte("openid:" + p.Subject + ":" + p.Issuer))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// roleOf is the name in the session's ARN: the role's that was asked for, else the provider's.
func roleOf(arn string, p *Person) string {
	if arn == "" {
		return p.Provider
	}
	return arn[strings.LastIndexByte(arn, '/')+1:]
}
