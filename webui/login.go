package webui

import (
	"errors"
	"net/http"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/sts"
)

// keyLogin is the body of POST login.
type keyLogin struct {
	AccessKey    string `json:"accessKey"`
	SecretKey    string `json:"secretKey"`
	SessionToken string `json:"sessionToken"` // of temporary credentials, else ""
}

// personLogin is the body of POST login/ldap.
type personLogin struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

// newLogin is a login with a new revoke type, which its session shares with those that renew it: one
// logout ends them all.
func (v *visit) newLogin() sts.Login {
	return sts.Login{W: v.w, R: v.r, Duration: v.Duration, RevokeType: "console:" + random(12)}
}

// guess runs a login unless too many wrong ones have come from the address (S-205). A person whose password
// somebody else tries is never locked out.
func (v *visit) guess(login func() (sts.Issued, error)) (sts.Issued, error) {
	if !v.logins.Take(v.ev.Remote) {
		v.w.Header().Set("Retry-After", "5")
		return sts.Issued{}, &refusal{http.StatusTooManyRequests, "Throttling", "Too many wrong logins came from this address. Wait a minute and try again."}
	}
	i, err := login()
	if !errors.Is(err, sts.ErrWrongKey) && !errors.Is(err, sts.ErrWrongLogin) {
		v.logins.Give(v.ev.Remote)
	}
	return i, err
}

// login takes an access key, which is that of a local user, of root or a further one, or temporary
// credentials.
func (v *visit) login() error {
	var in keyLogin
	if err := v.read(&in); err != nil {
		return err
	}
	if in.AccessKey == "" || in.SecretKey == "" {
		return badRequest("An access key and a secret key are needed.")
	}
	l := v.newLogin()
	i, err := v.guess(func() (sts.Issued, error) { return v.Sessions.LoginKey(l, in.AccessKey, in.SecretKey, in.SessionToken) })
	if err != nil {
		return err
	}
	t := ticket{LoginKey: in.AccessKey, Proof: v.seal.proof(in.SecretKey), Revoke: l.RevokeType}
	if in.SessionToken != "" {
		t = ticket{} // the session is its own
	}
	return v.enter(&i, t)
}

// loginLDAP takes the name and the password of a person of the directory.
func (v *visit) loginLDAP() error {
	var in personLogin
	if err := v.read(&in); err != nil {
		return err
	}
	if !v.LDAP {
		return &refusal{http.StatusNotFound, "NoSuchRoute", "This server has no LDAP directory."}
	}
	l := v.newLogin()
	i, err := v.guess(func() (sts.Issued, error) { return v.Sessions.LoginDirectory(l, in.Username, in.Password) })
	if err != nil {
		return err
	}
	return v.enter(&i, ticket{Revoke: l.RevokeType})
}

// entered is the answer to a login.
type entered struct {
	Login *loginView `json:"login"`
}

// enter ends the session that the browser had, and gives it the new one.
func (v *visit) enter(i *sts.Issued, t ticket) error {
	if err := v.leave(i.Session.AccessKey); err != nil {
		return err
	}
	v.ev.AccessKey, v.ev.Principal = i.Session.AccessKey, i.Credential.Identity.ARN
	if err := v.keep(i, t); err != nil {
		return err
	}
	view, err := v.describe(&session{t, i.Credential})
	if err != nil {
		return err
	}
	return v.reply(http.StatusOK, entered{view})
}

// leave ends the session of the request's cookie, with those that it has renewed, unless it is the one that
// is kept.
func (v *visit) leave(keep string) error {
	s, err := v.identify()
	switch {
	case errors.Is(err, errNoSession):
		return nil
	case err != nil:
		return err
	case s.cred.AccessKey == keep:
		return nil
	}
	return v.end(s)
}

// end revokes a session and those of its revoke type.
func (v *visit) end(s *session) error {
	err := v.IAM.RevokeSession(v.r.Context(), s.cred.AccessKey)
	if err == nil && s.Revoke != "" {
		_, err = v.IAM.RevokeSessions(v.r.Context(), s.cred.Identity.Name, s.Revoke)
	}
	if errors.Is(err, iam.ErrNoSuchKey) || errors.Is(err, iam.ErrNoSuchUser) {
		return nil // it has ended already
	}
	return err
}

// left is the answer to POST logout.
type left struct {
	Redirect *string `json:"redirect"` // where the provider ends its own session; null for nowhere
}

// logout ends the session for good: the cookie is worth nothing afterwards, wherever a copy of it is.
func (v *visit) logout() error {
	s, err := v.identify()
	if err != nil && !errors.Is(err, errNoSession) {
		return err
	}
	out := left{}
	if s != nil {
		if err := v.end(s); err != nil {
			return err
		}
		out.Redirect = v.providersPage(s)
	}
	v.dropCookie(sessionCookie, http.SameSiteStrictMode)
	v.dropCookie(providerPart, http.SameSiteStrictMode)
	return v.reply(http.StatusOK, out)
}
