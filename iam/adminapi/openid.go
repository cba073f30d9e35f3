package adminapi

import (
	"net/http"
	"time"
)

// Tokens tells what would become of a token of an OpenID Connect provider, by the code of
// AssumeRoleWithWebIdentity and without a session. r is the request that asks. The error is a *Refusal when the
// client is to know why.
type Tokens func(r *http.Request, in TestOpenID) (OpenIDTest, error)

// TestOpenID is the body of POST openid/test: what would become of a login with the token?
type TestOpenID struct {
	Token       string `json:"token"`                 // a signed JSON Web Token
	Provider    string `json:"provider,omitempty"`    // which one is meant; "" has the token decide, as with a login
	RoleARN     string `json:"roleArn,omitempty"`     // RoleArn of the login
	AccessToken string `json:"accessToken,omitempty"` // WebIdentityAccessToken of the login
}

// OpenIDTest is the answer to POST openid/test. The token is never told back.
type OpenIDTest struct {
	Allowed  bool           `json:"allowed"` // a session would be issued
	Provider string         `json:"provider,omitempty"`
	User     string         `json:"user,omitempty"`
	Verified bool           `json:"verified"` // the provider has signed the token, for this server, and it has not ended
	Claims   map[string]any `json:"claims"`   // as they are in the token; empty when it can't be read
	Steps    []TestStep     `json:"steps"`
	Rules    []TokenRule    `json:"rules"`
	Policies []string       `json:"policies"` // all that would count: the token's, the user's, those of the groups
	Groups   []string       `json:"groups"`
	Expires  *time.Time     `json:"expires,omitempty"` // of the session
	Error    *TokenError    `json:"error,omitempty"`   // as the login would be answered
}

// TokenRule is one way by which a token gives rights, and what came of it.
type TokenRule struct {
	Rule    string   `json:"rule"` // rolePolicy, claim, groups, attached, tags, sourceIdentity
	Claim   string   `json:"claim,omitempty"`
	Found   bool     `json:"found"`
	Values  []string `json:"values"`
	Used    []string `json:"used"`
	Unknown []string `json:"unknown"` // which this server does not have, or does not take
	Result  string   `json:"result"`
}

// TokenError is why a token is refused.
type TokenError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Reason  string `json:"reason,omitempty"` // for administrators, when the message does not say all
}

func (c *call) testOpenID() error {
	in := TestOpenID{}
	if err := parse(c.body, &in); err != nil {
		return err
	}
	if c.config.Tokens == nil {
		return &Refusal{Status: http.StatusNotImplemented, Code: "NotImplemented", Message: "This server has no OpenID Connect provider: the settings OBJSRV_IDENTITY_OPENID_... name one."}
	}
	out, err := c.config.Tokens(c.r, in)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, out)
}
