package webui

import (
	"crypto/hmac"
	"errors"
	"net/http"
	"time"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/sts"
)

// ticket is what the cookie of a session holds. The session itself is a record of package iam, which is
// looked up at each request: when it has ended, or its user is disabled, the ticket is worth nothing.
type ticket struct {
	AccessKey string `json:"k"`
	Token     string `json:"t"`
	Revoke    string `json:"r,omitempty"` // revoke type of the session and of those that follow it
	Provider  string `json:"p,omitempty"` // name of the OpenID Connect provider, see title
	// LoginKey is the access key that was logged in with, and Proof of its secret: another secret ends the session (S-202).
	LoginKey string `json:"l,omitempty"`
	Proof    []byte `json:"s,omitempty"`
}

// session is who has sent a request.
type session struct {
	ticket
	cred iam.Credential
}

// identify returns the session of the request, or errNoSession.
func (v *visit) identify() (*session, error) {
	var t ticket
	if v.foreign() || !v.readCookie(sessionCookie, &t) {
		return nil, errNoSession
	}
	if err := v.good(&t); err != nil {
		return nil, err
	}
	cred, err := v.IAM.Credential(t.AccessKey, t.Token)
	if err != nil {
		return nil, errNoSession // it has ended since
	}
	v.ev.AccessKey, v.ev.Principal = cred.AccessKey, cred.Identity.ARN
	return &session{t, cred}, nil
}

// good tells whether the session of a ticket goes on: nil, or errNoSession, or why nobody can tell.
func (o *Console) good(t *ticket) error {
	switch _, err := o.IAM.Credential(t.AccessKey, t.Token); {
	case errors.Is(err, iam.ErrNoSuchKey), errors.Is(err, iam.ErrInvalidToken), errors.Is(err, iam.ErrExpired):
		return errNoSession
	case err != nil:
		return err
	case t.LoginKey == "":
		return nil
	}
	key, err := o.IAM.Credential(t.LoginKey, "")
	if err != nil || !hmac.Equal(o.seal.proof(key.Secret), t.Proof) {
		return errNoSession
	}
	return nil
}

// keep gives the browser the cookie of a new session.
func (v *visit) keep(i *sts.Issued, t ticket) error {
	t.AccessKey, t.Token = i.Credential.AccessKey, i.Credential.SessionToken
	return v.setCookie(sessionCookie, t, i.Session.Expires.Sub(v.Now()), http.SameSiteStrictMode)
}

// loginView is what pages are told of who is logged in.
type loginView struct {
	User          string          `json:"user"` // for people
	QualifiedName string          `json:"qualifiedName"`
	Kind          string          `json:"kind"` // root, local, or the source of an external user
	Account       string          `json:"account"`
	AccessKey     string          `json:"accessKey"`
	Expires       time.Time       `json:"expires"`
	Provider      string          `json:"provider,omitempty"`
	Renewable     bool            `json:"renewable"`  // by POST renew
	Restricted    bool            `json:"restricted"` // by a policy of its own: it can't make access keys for itself
	Policies      []string        `json:"policies"`
	Groups        []string        `json:"groups"`
	May           map[string]bool `json:"may"`
}

// serverView is what pages are told of the server; Region, S3URL and Features also when nobody is logged in.
type serverView struct {
	Version    string          `json:"version,omitempty"`
	Deployment string          `json:"deployment,omitempty"`
	Region     string          `json:"region"`
	S3URL      string          `json:"s3URL"`
	Gateway    bool            `json:"gateway,omitempty"`   // another server keeps the objects
	Migration  bool            `json:"migration,omitempty"` // a store is moving in
	Features   map[string]bool `json:"features"`            // operations of S3 that there are
}

// sessionView is the answer to GET session.
type sessionView struct {
	Login     *loginView     `json:"login"`
	Refused   *refused       `json:"refused,omitempty"`
	Providers []providerView `json:"providers"`
	LDAP      bool           `json:"ldap"`
	Server    serverView     `json:"server"`
}

// providerView is a way to log in.
type providerView struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	Kind  string `json:"kind"` // "openid"
}

// refused is why a login with an identity provider has ended without a session.
type refused struct {
	Message  string   `json:"message"`
	Code     string   `json:"code,omitempty"`
	Provider string   `json:"provider,omitempty"`
	Claim    string   `json:"claim,omitempty"`  // where policies were looked for
	Values   []string `json:"values,omitempty"` // what it says
	Found    []string `json:"found,omitempty"`  // names of the claims that are there
}

// showSession tells a page all that it begins with. Nobody being logged in is no error.
func (v *visit) showSession() error {
	out := sessionView{Providers: v.providers(), LDAP: v.LDAP, Server: serverView{Region: v.Region, S3URL: v.s3URL(), Features: map[string]bool{}}}
	for _, name := range v.Operations {
		out.Server.Features[name] = true
	}
	s, err := v.identify()
	switch {
	case errors.Is(err, errNoSession):
	case err != nil:
		return err
	default:
		out.Server.Version, out.Server.Deployment = v.Version, v.IAM.Account()
		out.Server.Gateway, out.Server.Migration = v.Gateway, v.Migration
		if out.Login, err = v.describe(s); err != nil {
			return err
		}
	}
	var why refused
	if !v.foreign() && v.readCookie(refusedPart, &why) {
		out.Refused = &why
		v.dropCookie(refusedPart, http.SameSiteStrictMode)
	}
	return v.reply(http.StatusOK, out)
}

// describe says who is logged in and what may be offered.
func (v *visit) describe(s *session) (*loginView, error) {
	record, err := v.IAM.Session(s.cred.AccessKey)
	if errors.Is(err, iam.ErrNoSuchKey) {
		return nil, nil // it has ended since
	}
	if err != nil {
		return nil, err
	}
	id := s.cred.Identity
	source, name := iam.SplitName(id.Name)
	out := &loginView{
		User: name, QualifiedName: id.Name, Kind: source, Account: id.Account, AccessKey: s.cred.AccessKey, Expires: record.Expires, Provider: s.Provider,
		Restricted: id.Restricted(), May: v.may(id),
	}
	switch {
	case id.Root:
		out.Kind = "root"
	case source == iam.SourceLocal:
		out.Kind = "local"
	}
	var tokens providerTokens
	out.Renewable = s.Provider != "" && v.readCookie(providerPart, &tokens) && tokens.Refresh != ""
	if g := record.Grants; g != nil {
		out.User = v.readableName(s.Provider, g.Claims, name)
	}
	out.Policies, out.Groups = v.IAM.Held(id)
	return out, nil
}
