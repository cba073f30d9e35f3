package sts

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/internal/reqlog"
)

// Login is a request to a face of this program by which somebody logs in.
type Login struct {
	W http.ResponseWriter // gets Retry-After when there were too many logins
	R *http.Request       // its event and its headers are what policies see
	// Duration of the session, from iam.MinSession to iam.MaxSession; Config.Duration wins.
	Duration time.Duration
	// RevokeType of the session, by which it is ended together with those that follow it.
	RevokeType string
}

// Issued is a session with its credential.
type Issued struct {
	Session    iam.Session
	Credential iam.Credential
}

// loginName is the name of the sessions that are issued at a login.
const loginName = "console"

// call makes the request that the API would have got.
func (s *Service) login(l Login, action string, form url.Values) *call {
	form.Set("DurationSeconds", strconv.Itoa(int(l.Duration/time.Second)))
	form.Set("TokenRevokeType", l.RevokeType)
	return &call{Service: s, w: l.W, r: l.R, ev: reqlog.From(l.R.Context()), op: opOf(action), form: form}
}

// LoginKey issues a session to who has an access key, as AssumeRole does. Temporary credentials, which
// come with token, are good as they are: no session is issued for them, since it would outlive their
// revocation. The errors are those that AsError knows; nobody learns which of key and secret was wrong.
// The caller limits wrong logins.
func (s *Service) LoginKey(l Login, accessKey, secret, token string) (Issued, error) {
	c := s.login(l, "AssumeRole", url.Values{"RoleSessionName": {loginName}})
	cred, err := s.IAM.Credential(accessKey, token)
	// Hashes have one length, and are compared for an unknown key, too.
	have, given := sha256.Sum256([]byte(cred.Secret)), sha256.Sum256([]byte(secret))
	same := subtle.ConstantTimeCompare(have[:], given[:]) == 1
	switch {
	case err == nil && same && cred.Secret != "":
	case err == nil, errors.Is(err, iam.ErrNoSuchKey):
		return Issued{}, c.wrongKey(accessKey, "access key or secret key wrong")
	case errors.Is(err, iam.ErrInvalidToken), errors.Is(err, iam.ErrExpired):
		return Issued{}, c.wrongKey(accessKey, err.Error())
	default:
		return Issued{}, err
	}
	c.id = cred.Identity
	c.ev.AccessKey, c.ev.Principal = accessKey, c.id.ARN
	if c.id.Kind == iam.SessionKey {
		session, err := s.IAM.Session(accessKey)
		return Issued{session, cred}, err
	}
	i, err := c.issueOwn()
	return Issued{i.session, i.cred}, err
}

// ErrWrongKey is the refusal of LoginKey that counts as a guess.
var ErrWrongKey = errors.New("wrong key")

func (c *call) wrongKey(accessKey, why string) error {
	c.refuse(actionAssumeRole, printable(accessKey), why)
	return fmt.Errorf("%w: %w", ErrWrongKey, errDenied("The access key or the secret key is wrong, or they have expired."))
}

// LoginDirectory issues a session to a person of the directory, as AssumeRoleWithLDAPIdentity does. A wrong
// password Is ErrWrongLogin.
func (s *Service) LoginDirectory(l Login, name, password string) (Issued, error) {
	i, err := s.login(l, "AssumeRoleWithLDAPIdentity", url.Values{"LDAPUsername": {name}, "LDAPPassword": {password}}).issueByDirectory()
	return Issued{i.session, i.cred}, err
}

// LoginToken issues a session to whom an identity provider vouches for, as AssumeRoleWithWebIdentity does.
// The person of a good token is returned with an error, too: to tell why the token is worth nothing here.
func (s *Service) LoginToken(l Login, t WebToken) (Issued, *Person, error) {
	form := url.Values{"WebIdentityToken": {t.Token}, "WebIdentityAccessToken": {t.AccessToken}, "RoleSessionName": {loginName}}
	if t.RoleARN != "" {
		form.Set("RoleArn", t.RoleARN)
	}
	p, i, err := s.login(l, "AssumeRoleWithWebIdentity", form).issueByToken("")
	return Issued{i.session, i.cred}, p, err
}

// AsError says an error of the service as its API answers it.
func AsError(err error) *Error { return asError(err) }
