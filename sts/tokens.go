package sts

import (
	"encoding/xml"
	"errors"
	"strconv"

	"github.com/objsrv/objsrv/iam"
)

func itoa(n int) string { return strconv.Itoa(n) }

type sessionTokenResponse struct {
	XMLName xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ GetSessionTokenResponse"`
	Result  struct {
		Credentials credentials
	} `xml:"GetSessionTokenResult"`
	Metadata metadata `xml:"ResponseMetadata"`
}

// getSessionToken issues a session that is the caller itself.
func (c *call) getSessionToken() error {
	if err := c.check(); err != nil {
		return err
	}
	if err := c.mayIssue(actionSessionToken); err != nil {
		return err
	}
	def, longest := defaultToken, maxToken
	if c.id.OfRoot() {
		def, longest = maxTokenOfRoot, maxTokenOfRoot
	}
	d, err := c.duration(def, longest)
	if err != nil {
		return err
	}
	s, cred, err := c.IAM.CreateSession(c.r.Context(), iam.NewSession{By: c.id, Duration: d, Remote: c.ev.Remote})
	if err != nil {
		return err
	}
	var out sessionTokenResponse
	out.Result.Credentials = shown(&cred, &s)
	out.Metadata.RequestID = c.ev.ID
	c.write(200, out)
	return nil
}

type federationTokenResponse struct {
	XMLName xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ GetFederationTokenResponse"`
	Result  struct {
		Credentials   credentials
		FederatedUser struct {
			Arn             string
			FederatedUserID string `xml:"FederatedUserId"`
		}
		PackedPolicySize *int `xml:",omitempty"`
	} `xml:"GetFederationTokenResult"`
	Metadata metadata `xml:"ResponseMetadata"`
}

// getFederationToken issues a session for somebody else under a name, with what the caller and the
// policies of the request both allow: without policies, nothing.
func (c *call) getFederationToken() error {
	if err := c.check(); err != nil {
		return err
	}
	name := c.form.Get("Name")
	if !sessionName.MatchString(name) || len(name) > maxFederationName {
		return invalid("Name has 2 to %d letters, digits and _ + = , . @ -.", maxFederationName)
	}
	if err := c.mayIssue(actionFederate); err != nil {
		return err
	}
	if !c.authorize(actionFederate).Allowed {
		return errDenied("This needs %s.", actionFederate)
	}
	n := iam.NewSession{By: c.id, Name: name, Remote: c.ev.Remote, ARN: "arn:aws:sts::" + c.id.Account + ":federated-user/" + name}
	var err error
	def, longest := defaultToken, maxToken
	if c.id.OfRoot() {
		def, longest = maxTokenOfRoot, maxTokenOfRoot
	}
	if n.Duration, err = c.duration(def, longest); err != nil {
		return err
	}
	if n.Policy, n.Policies, err = c.sessionPolicy(); err != nil {
		return err
	}
	if n.Grants, err = c.grants(); err != nil {
		return err
	}
	size := packedSize(&n)
	if size == nil {
		n.Policy = []byte(noRights)
	}
	s, cred, err := c.IAM.CreateSession(c.r.Context(), n)
	if err != nil {
		return err
	}
	var out federationTokenResponse
	out.Result.Credentials = shown(&cred, &s)
	out.Result.FederatedUser.Arn, out.Result.FederatedUser.FederatedUserID = n.ARN, c.id.Account+":"+name
	out.Result.PackedPolicySize = size
	out.Metadata.RequestID = c.ev.ID
	c.write(200, out)
	return nil
}

type callerIdentityResponse struct {
	XMLName xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ GetCallerIdentityResponse"`
	Result  struct {
		Arn     string
		UserID  string `xml:"UserId"`
		Account string
	} `xml:"GetCallerIdentityResult"`
	Metadata metadata `xml:"ResponseMetadata"`
}

// getCallerIdentity answers everybody, whatever a policy says (STS API reference).
func (c *call) getCallerIdentity() error {
	if err := c.check(); err != nil {
		return err
	}
	var out callerIdentityResponse
	out.Result.Arn, out.Result.UserID, out.Result.Account = c.id.ARN, c.id.ID, c.id.Account
	if c.id.Kind == iam.SessionKey {
		s, err := c.IAM.Session(c.id.AccessKey)
		if err != nil {
			return err
		}
		if s.ARN != "" {
			out.Result.Arn, out.Result.UserID = s.ARN, c.id.ID+":"+s.Name
		}
	}
	out.Metadata.RequestID = c.ev.ID
	c.write(200, out)
	return nil
}

type accessKeyInfoResponse struct {
	XMLName xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ GetAccessKeyInfoResponse"`
	Result  struct {
		Account string
	} `xml:"GetAccessKeyInfoResult"`
	Metadata metadata `xml:"ResponseMetadata"`
}

// getAccessKeyInfo tells the account of an access key.
func (c *call) getAccessKeyInfo() error {
	if err := c.check(); err != nil {
		return err
	}
	if !c.authorize(actionAccessKey).Allowed {
		return errDenied("This needs %s.", actionAccessKey)
	}
	key := c.form.Get("AccessKeyId")
	if iam.CheckAccessKey(key) != nil {
		return invalid("AccessKeyId is not an access key.")
	}
	var out accessKeyInfoResponse
	known := c.IAM.Admin(c.id) // keys of other accounts are not there for one that is not the deployment's
	k, err := known.AccessKey(key)
	switch out.Result.Account = k.Account; {
	case err == nil:
	case errors.Is(err, iam.ErrNoSuchKey):
		s, serr := known.Session(key)
		if serr != nil && (known.Bounded() || key != c.IAM.RootUser()) {
			return invalid("The access key does not exist.")
		}
		if out.Result.Account = s.Account; serr != nil {
			out.Result.Account = c.IAM.Account()
		}
	default:
		return err
	}
	out.Metadata.RequestID = c.ev.ID
	c.write(200, out)
	return nil
}
