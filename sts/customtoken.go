package sts

import (
	"context"
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/objsrv/objsrv/iam"
)

// TokenPlugin judges tokens that only a program of the operator understands.
type TokenPlugin interface {
	// RoleARN is what requests must name.
	RoleARN() string
	// Policies are those of everybody whom the plugin knows; they need not exist.
	Policies() []string
	// Authenticate returns whose token it is. An error that Is a *Rejection is told to the client.
	Authenticate(ctx context.Context, token string) (*TokenHolder, error)
}

// TokenHolder is whom a plugin knows by a token.
type TokenHolder struct {
	User        string
	MaxValidity time.Duration // of sessions; not shorter than iam.MinSession
	// Claims are the strings and lists of strings that the plugin has said, by their names.
	Claims map[string][]string
}

// maxCustomToken bounds a custom token, as AWS bounds those of web identities (S-007).
const maxCustomToken = 20000

const actionCustomToken = "sts:AssumeRoleWithCustomToken"

type customTokenResponse struct {
	XMLName xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ AssumeRoleWithCustomTokenResponse"`
	Result  struct {
		externalResult
		AssumedUser string
	} `xml:"AssumeRoleWithCustomTokenResult"`
	Metadata metadata `xml:"ResponseMetadata"`
}

// assumeRoleWithCustomToken issues a session to whom the plugin knows by a token, with the policies
// of the plugin's role, as MinIO does.
func (c *call) assumeRoleWithCustomToken() error {
	if c.CustomToken == nil {
		return errDenied("This server has no identity plugin: an administrator sets it with OBJSRV_IDENTITY_PLUGIN_URL.")
	}
	if err := c.check(); err != nil {
		return err
	}
	n, err := c.externalSession()
	if err != nil {
		return err
	}
	token, role := c.form.Get("Token"), c.CustomToken.RoleARN()
	switch {
	case token == "" || len(token) > maxCustomToken:
		return invalid("Token has 1 to %d bytes.", maxCustomToken)
	case c.form.Get("RoleArn") != role:
		return invalid("RoleArn is not the role of the identity plugin, which the server tells when it starts.")
	}
	have, err := c.existing(c.CustomToken.Policies())
	if err != nil {
		return err
	}
	if len(have) == 0 {
		return c.rejected(actionCustomToken, &Rejection{RejectedClaim, "None of the policies of the identity plugin's role exists on this server.", ""})
	}
	h, err := c.CustomToken.Authenticate(c.r.Context(), token)
	if err != nil {
		return c.rejected(actionCustomToken, err)
	}
	n.External = iam.QualifiedName(iam.SourceCustom, h.User)
	n.Duration = min(n.Duration, h.MaxValidity)
	c.lasts = n.Duration
	if n.Grants, err = pluginGrants(n.External, h, have); err != nil {
		return c.rejected(actionCustomToken, err)
	}
	c.ev.Principal = n.External
	if err := c.admit(actionCustomToken, n.External, n.Grants); err != nil {
		return err
	}
	var out customTokenResponse
	if out.Result.externalResult, err = c.issueExternal(&n, role[strings.LastIndexByte(role, '/')+1:]); err != nil {
		return err
	}
	out.Result.AssumedUser, out.Metadata.RequestID = n.External, c.ev.ID
	c.write(http.StatusOK, out)
	return nil
}

// ReservedClaim tells whether a plugin may not set a claim, which speaks of the session itself, as in
// MinIO. Case does not matter.
func ReservedClaim(name string) bool {
	switch strings.ToLower(name) {
	case "exp", "parent", "sub":
		return true
	}
	return false
}

// pluginGrants judges what the plugin says: it decides whose the token is, but neither for whom of
// another source nor in whose name the server speaks.
func pluginGrants(user string, h *TokenHolder, policies []string) (*iam.Grants, error) {
	if err := iam.CheckUserName(user); err != nil {
		return nil, &Rejection{RejectedClaim, "The identity plugin's name of the user can't be one here.", err.Error()}
	}
	g := &iam.Grants{Policies: policies, Claims: claimKeys(h.Claims)}
	for name := range h.Claims {
		if ReservedClaim(name) {
			return nil, &Rejection{RejectedClaim, fmt.Sprintf("The identity plugin has set the claim %s, which is reserved.", strings.ToLower(name)), ""}
		}
	}
	g.Claims["jwt:sub"] = []string{user} // as in MinIO
	return g, nil
}
