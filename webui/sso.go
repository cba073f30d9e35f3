package webui

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/sts"
	"github.com/objsrv/objsrv/sts/oidc"
)

// Cookies of a login with an identity provider.
const (
	beginCookie  = "login-" // with a hash of the state: a login that has begun, for each tab its own
	providerPart = "idp"    // tokens of the provider, which renew the session and end it there
	refusedPart  = "refused"
	refusedLife  = 2 * time.Minute
	maxBegun     = 5 // logins of one browser at once
)

// callbackPath is where providers send browsers back, as in MinIO.
const callbackPath = "/oauth_callback"

// actionWebIdentity is what a login with a provider is refused under.
const actionWebIdentity = "sts:AssumeRoleWithWebIdentity"

// begun is a login that waits for the provider's answer.
type begun struct {
	oidc.Pending
	Provider string `json:"p"`
	Redirect string `json:"r"`
	To       string `json:"to,omitempty"`
}

// providerTokens are what a provider gave with a login.
type providerTokens struct {
	Refresh string `json:"r,omitempty"`
	ID      string `json:"i,omitempty"`
}

// providers are the identity providers that people may choose from.
func (v *visit) providers() []providerView {
	out := []providerView{}
	if v.Providers == nil {
		return out
	}
	for _, p := range v.Providers.List() {
		title := p.Config.DisplayName
		if u, err := url.Parse(p.Config.Issuer); title == "" && err == nil && p.Config.Name == "" {
			title = u.Hostname()
		}
		if title == "" {
			title = p.Name
		}
		out = append(out, providerView{Name: p.Name, Title: title, Kind: iam.SourceOpenID})
	}
	return out
}

// readableName is how a person is called in pages: by what the directory or the provider says.
func (v *visit) readableName(provider string, claims map[string][]string, other string) string {
	keys := []string{"ldap:username", "jwt:preferred_username", "jwt:email", "jwt:name"}
	if v.Providers != nil {
		for _, p := range v.Providers.List() {
			if c := p.Config.UserReadableClaim; p.Name == provider && c != "" {
				keys = append([]string{"jwt:" + strings.ToLower(c)}, keys...)
			}
		}
	}
	for _, key := range keys {
		if values := claims[key]; len(values) > 0 && values[0] != "" {
			return values[0]
		}
	}
	return other
}

// flow is the code flow of a provider by its name, as the request has it.
func (v *visit) flow(name, redirect string) (*oidc.Flow, error) {
	if v.Providers != nil {
		if f, ok := v.Providers.Flow(name, redirect); ok {
			return f, nil
		}
	}
	return nil, &refusal{http.StatusNotFound, "NoSuchProvider", "There is no identity provider of this name."}
}

// sso sends the browser to a provider. What it has to bring back is in a cookie that another browser does not
// have; the cookie is Lax because it comes back from the provider's site.
func (v *visit) sso() error {
	name := strings.TrimPrefix(v.rest, "sso/")
	f, err := v.flow(name, "")
	if err != nil {
		return err
	}
	q := v.r.URL.Query()
	to := place(q.Get("to"))
	redirect := v.redirectAddress(f.Info().Config)
	// The cookie has to be where the provider leads back to.
	if base, ok := strings.CutSuffix(redirect, callbackPath); ok && !q.Has("again") && !strings.HasPrefix(redirect, v.scheme()+"://"+v.host()+"/") {
		further := url.Values{"again": {"1"}, "to": {to}}
		if q.Get("prompt") == "none" {
			further.Set("prompt", "none")
		}
		return v.redirect(base + Prefix + "sso/" + url.PathEscape(name) + "?" + further.Encode())
	}
	if f, err = v.flow(name, redirect); err != nil {
		return err
	}
	begin := f.Begin
	if q.Get("prompt") == "none" {
		begin = f.BeginSilently
	}
	l, err := begin(v.r.Context())
	if err != nil {
		v.refuse(err)
		return v.refused(&refused{Code: sts.CommunicationError, Provider: name, Message: "The identity provider can't be reached now. Try again later, or log in another way. " + v.seeLog()})
	}
	v.dropBegun()
	p := l.Pending()
	if err := v.setCookie(beginCookie+stateName(p.State), begun{p, name, redirect, to}, oidc.LoginLife, http.SameSiteLaxMode); err != nil {
		return err
	}
	return v.redirect(l.URL)
}

// place is where a page wants to be after a login: below the console's document, whatever it says (S-200).
func place(to string) string {
	if !strings.HasPrefix(to, "#/") || len(to) > 1500 || strings.ContainsFunc(to, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return ""
	}
	return "#" + (&url.URL{Fragment: strings.TrimPrefix(to, "#")}).EscapedFragment()
}

// stateName tells the cookies of several logins apart.
func stateName(state string) string {
	sum := sha256.Sum256([]byte(state))
	return hex.EncodeToString(sum[:4])
}

// dropBegun forgets logins that were begun before, when there are many.
func (v *visit) dropBegun() {
	prefix := v.cookieName(beginCookie)
	var have []string
	for _, c := range v.r.Cookies() {
		if rest, ok := strings.CutPrefix(c.Name, prefix); ok {
			have = append(have, rest)
		}
	}
	for i := 0; i+maxBegun <= len(have); i++ {
		v.dropCookie(beginCookie+have[i], http.SameSiteLaxMode)
	}
}

// callback takes the provider's answer. Only the browser that has begun has the cookie; an answer without it gives
// nobody a session (S-196).
func (v *visit) callback() error {
	v.ev.Op = "ConsoleSSO"
	if v.r.Method != http.MethodGet {
		v.w.Header().Set("Allow", http.MethodGet)
		return v.failedLogin(http.StatusMethodNotAllowed, "Identity providers send browsers back by GET.")
	}
	answer, err := url.ParseQuery(v.r.URL.RawQuery)
	if err != nil {
		return v.failedLogin(http.StatusBadRequest, "The answer of the identity provider can't be read.")
	}
	for _, values := range answer {
		if len(values) > 1 {
			return v.failedLogin(http.StatusBadRequest, "The answer of the identity provider has a parameter more than once.")
		}
	}
	state := answer.Get("state")
	var b begun
	if state == "" || !v.readCookie(beginCookie+stateName(state), &b) {
		return v.failedLogin(http.StatusBadRequest, "This browser has not begun this login, or more than ten minutes ago.")
	}
	v.dropCookie(beginCookie+stateName(state), http.SameSiteLaxMode)
	if !v.states.use(state, v.Now()) {
		return v.failedLogin(http.StatusBadRequest, "This login has been finished already.")
	}
	f, err := v.flow(b.Provider, b.Redirect)
	if err != nil {
		return v.failedLogin(http.StatusBadRequest, "The identity provider is not configured any more.")
	}
	tokens, err := f.Finish(v.r.Context(), f.Resume(b.Pending), answer)
	if err != nil {
		v.refuse(err)
		if answer.Has("error") && !errors.Is(err, oidc.ErrOtherLogin) { // the person did not agree, or must be asked
			return v.refused(&refused{Code: answer.Get("error"), Provider: b.Provider, Message: "The identity provider has refused the login. " + v.seeLog()})
		}
		return v.failedLogin(http.StatusBadRequest, "The identity provider's answer is not one that can be relied on.")
	}
	l := v.newLogin()
	i, person, err := v.Sessions.LoginToken(l, sts.WebToken{Token: tokens.ID, AccessToken: tokens.Access, RoleARN: f.Info().RoleARN, Provider: b.Provider})
	if err != nil {
		return v.worthNothing(b.Provider, person, err)
	}
	if err := v.keep(&i, ticket{Provider: b.Provider, Revoke: l.RevokeType}); err != nil {
		return err
	}
	v.keepTokens(providerTokens{tokens.Refresh, tokens.ID}, i.Session.Expires.Sub(v.Now()))
	return v.redirect("." + Prefix + b.To)
}

// keepTokens seals the provider's tokens into a cookie, as many as there is room for.
func (v *visit) keepTokens(t providerTokens, life time.Duration) {
	for _, try := range []providerTokens{t, {Refresh: t.Refresh}, {ID: t.ID}} {
		if try == (providerTokens{}) {
			continue
		}
		if v.setCookie(providerPart, try, life, http.SameSiteStrictMode) == nil {
			return
		}
	}
	v.dropCookie(providerPart, http.SameSiteStrictMode)
}

// worthNothing tells the pages why a good login gives no session.
func (v *visit) worthNothing(provider string, p *sts.Person, err error) error {
	e := sts.AsError(err)
	if e.Status >= http.StatusInternalServerError {
		v.ev.Err = err
	}
	out := &refused{Code: e.Code, Message: e.Message, Provider: provider}
	if p != nil {
		out.Claim, out.Values, out.Found = p.Claim, firstOf(p.Policies), firstOf(p.Names)
	}
	return v.refused(out)
}

// firstOf keeps a list short enough for a cookie.
func firstOf(list []string) (out []string) {
	size := 0
	for _, s := range list {
		if size += len(s) + 3; size > 1000 {
			return append(out, "...")
		}
		out = append(out, s)
	}
	return out
}

// refused leads the browser to the pages, which ask for the reason once.
func (v *visit) refused(r *refused) error {
	v.ev.Code = r.Code
	if err := v.setCookie(refusedPart, r, refusedLife, http.SameSiteStrictMode); err != nil {
		return err
	}
	if v.r.URL.Path == callbackPath {
		return v.redirect("." + Prefix)
	}
	return v.redirect("../")
}

// refuse keeps the reason of a failed login for administrators.
func (v *visit) refuse(err error) {
	v.IAM.Refuse(iam.Refusal{RequestID: v.ev.ID, Remote: v.ev.Remote, Action: actionWebIdentity, Statement: err.Error()})
}

func (v *visit) seeLog() string {
	return "An administrator finds the reason under the request id " + v.ev.ID + "."
}

// used are the states of finished logins, as long as their cookies could come again.
type used struct {
	mu   sync.Mutex
	seen map[string]time.Time
}

// maxUsed bounds the states that are remembered; a provider takes a code once, too.
const maxUsed = 10_000

// use notes a state and tells whether it was new.
func (u *used) use(state string, now time.Time) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if _, again := u.seen[state]; again {
		return false
	}
	if u.seen == nil {
		u.seen = map[string]time.Time{}
	}
	if len(u.seen) >= maxUsed {
		for s, at := range u.seen {
			if now.Sub(at) > oidc.LoginLife {
				delete(u.seen, s)
			}
		}
	}
	for s := range u.seen {
		if len(u.seen) < maxUsed {
			break
		}
		delete(u.seen, s)
	}
	u.seen[state] = now
	return true
}
