package webui

import (
	"errors"
	"net/http"
	"strings"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/sts"
	"github.com/objsrv/objsrv/sts/oidc"
)

// renew issues a new session without a question, while the person's identity provider agrees. The session
// before lives on, since uploads may be under way with its cookie; it ends with the new one. Sessions before
// that end now.
func (v *visit) renew() error {
	s, err := v.identify()
	if err != nil {
		return err
	}
	var have providerTokens
	if s.Provider == "" || !v.readCookie(providerPart, &have) || have.Refresh == "" {
		return &refusal{http.StatusConflict, "NotRenewable", "This session can't be renewed without a question: log in again when it has ended."}
	}
	f, err := v.flow(s.Provider, "")
	if err != nil {
		return err
	}
	tokens, err := f.Renew(v.r.Context(), have.Refresh)
	switch {
	case errors.Is(err, oidc.ErrRefused):
		v.refuse(err)
		return &refusal{http.StatusConflict, "NotRenewed", "The identity provider does not renew the login: log in again when the session has ended."}
	case err != nil:
		v.refuse(err)
		return &refusal{http.StatusServiceUnavailable, sts.CommunicationError, "The identity provider does not answer as it should. The session goes on until it ends."}
	}
	l := v.newLogin()
	l.RevokeType = s.Revoke
	i, _, err := v.Sessions.LoginToken(l, sts.WebToken{Token: tokens.ID, AccessToken: tokens.Access, RoleARN: f.Info().RoleARN, Provider: s.Provider})
	if err != nil {
		return v.notAnyMore(s, err)
	}
	if i.Credential.Identity.ID != s.cred.Identity.ID { // OpenID Connect Core, section 12.2
		v.refuse(errors.New("the renewed token is about somebody else"))
		return v.notAnyMore(s, &refusal{http.StatusForbidden, sts.RejectedClaim, "The identity provider has renewed the login of somebody else."})
	}
	if err := v.endOlder(s, i.Session.AccessKey); err != nil {
		return err
	}
	t := s.ticket
	if err := v.keep(&i, t); err != nil {
		return err
	}
	if tokens.Refresh == "" {
		tokens.Refresh = have.Refresh
	}
	v.keepTokens(providerTokens{tokens.Refresh, tokens.ID}, i.Session.Expires.Sub(v.Now()))
	view, err := v.describe(&session{t, i.Credential})
	if err != nil {
		return err
	}
	return v.reply(http.StatusOK, entered{view})
}

// notAnyMore ends the sessions of somebody to whom a fresh token gives nothing.
func (v *visit) notAnyMore(s *session, err error) error {
	if asRefusal(err).status != http.StatusForbidden {
		return err
	}
	if err := v.end(s); err != nil {
		return err
	}
	v.dropCookie(sessionCookie, http.SameSiteStrictMode)
	v.dropCookie(providerPart, http.SameSiteStrictMode)
	return err
}

// endOlder revokes the sessions of one login but for the new one and the one before.
func (v *visit) endOlder(s *session, renewed string) error {
	for _, other := range v.IAM.Sessions(s.cred.Identity.Name) {
		if s.Revoke == "" || other.RevokeType != s.Revoke || other.AccessKey == renewed || other.AccessKey == s.cred.AccessKey {
			continue
		}
		if err := v.IAM.RevokeSession(v.r.Context(), other.AccessKey); err != nil && !errors.Is(err, iam.ErrNoSuchKey) {
			return err
		}
	}
	return nil
}

// providersPage is where the provider ends its own session, or nil.
func (v *visit) providersPage(s *session) *string {
	if s.Provider == "" {
		return nil
	}
	f, err := v.flow(s.Provider, "")
	if err != nil {
		return nil
	}
	var have providerTokens
	v.readCookie(providerPart, &have)
	after := ""
	if base, ok := strings.CutSuffix(v.redirectAddress(f.Info().Config), callbackPath); ok {
		after = base + Prefix
	}
	page, err := f.Logout(v.r.Context(), have.ID, after)
	if err != nil {
		v.refuse(err)
	}
	if err != nil || page == "" {
		return nil
	}
	return &page
}
