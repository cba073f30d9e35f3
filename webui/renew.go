package webui

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

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
	// Two tabs may ask at once, with one refresh token, which is good once at many providers: one renewal answers both.
	got, err, _ := v.renewals.Do(have.Refresh, func() (any, error) { return v.renewOnce(s, have.Refresh) })
	if err != nil {
		return v.notAnyMore(s, err)
	}
	fresh := got.(*renewed)
	t := s.ticket
	if err := v.keep(&fresh.issued, t); err != nil {
		return err
	}
	v.keepTokens(fresh.tokens, fresh.issued.Session.Expires.Sub(v.Now()))
	view, err := v.describe(&session{t, fresh.issued.Credential})
	if err != nil {
		return err
	}
	if view != nil {
		view.Renewable = fresh.tokens.Refresh != ""
	}
	return v.reply(http.StatusOK, entered{view})
}

// renewed is what a renewal has brought.
type renewed struct {
	issued sts.Issued
	tokens providerTokens
}

// renewOnce asks the provider and issues the new session. What of it is refused with 403 ends the person's
// sessions, see notAnyMore.
func (v *visit) renewOnce(s *session, refresh string) (*renewed, error) {
	f, err := v.flow(s.Provider, "")
	if err != nil {
		return nil, err
	}
	// The tab that has asked may be closed; what comes of it is for the others, too.
	ctx := context.WithoutCancel(v.r.Context())
	tokens, err := f.Renew(ctx, refresh)
	switch {
	case errors.Is(err, oidc.ErrRefused):
		v.refuse(err)
		return nil, &refusal{http.StatusConflict, "NotRenewed", "The identity provider does not renew the login: log in again when the session has ended."}
	case err != nil:
		v.refuse(err)
		return nil, &refusal{http.StatusServiceUnavailable, sts.CommunicationError, "The identity provider does not answer as it should. The session goes on until it ends."}
	}
	l := v.newLogin()
	l.RevokeType, l.R = s.Revoke, v.r.WithContext(ctx)
	i, _, err := v.Sessions.LoginToken(l, sts.WebToken{Token: tokens.ID, AccessToken: tokens.Access, RoleARN: f.Info().RoleARN, Provider: s.Provider})
	if err != nil {
		return nil, err
	}
	if i.Credential.Identity.ID != s.cred.Identity.ID { // OpenID Connect Core, section 12.2
		v.refuse(errors.New("the renewed token is about somebody else"))
		if err := v.IAM.RevokeSession(ctx, i.Session.AccessKey); err != nil && !errors.Is(err, iam.ErrNoSuchKey) {
			return nil, err
		}
		return nil, &refusal{http.StatusForbidden, sts.RejectedClaim, "The identity provider has renewed the login of somebody else."}
	}
	if tokens.Refresh == "" {
		tokens.Refresh = refresh
	}
	return &renewed{i, providerTokens{tokens.Refresh, tokens.ID}}, v.endOlder(ctx, s, i.Session.AccessKey)
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
func (v *visit) endOlder(ctx context.Context, s *session, renewed string) error {
	for _, other := range v.IAM.Sessions(s.cred.Identity.Name) {
		if s.Revoke == "" || other.RevokeType != s.Revoke || other.AccessKey == renewed || other.AccessKey == s.cred.AccessKey {
			continue
		}
		if err := v.IAM.RevokeSession(ctx, other.AccessKey); err != nil && !errors.Is(err, iam.ErrNoSuchKey) {
			return err
		}
	}
	return nil
}

// logoutWait is how long a logout waits for a provider that is down to say where its page is.
const logoutWait = 3 * time.Second

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
	ctx, stop := context.WithTimeout(v.r.Context(), logoutWait)
	defer stop()
	page, err := f.Logout(ctx, have.ID, after)
	if err != nil {
		v.refuse(err)
	}
	if err != nil || page == "" {
		return nil
	}
	return &page
}
