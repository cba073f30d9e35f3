package adminapi

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/objsrv/objsrv/iam"
)

// SessionList is the answer to GET sessions: of the caller, of one user with ?user=NAME, of
// everybody with ?all=true, of the people of a provider with ?provider=P: "ldap", "tls", "custom", "openid" for
// all of OpenID Connect, "openid:NAME" or NAME for one of them.
type SessionList struct {
	Sessions []iam.Session `json:"sessions"`
}

// RevokeSessions is the body of POST sessions/revoke, which ends all sessions of a user.
type RevokeSessions struct {
	User string `json:"user,omitempty"` // qualified name; "" is the caller
	Type string `json:"type,omitempty"` // only those with this revoke type; "" is all
	// Provider, which stands alone, means all people of a provider, as in SessionList.
	Provider string `json:"provider,omitempty"`
}

// RevokedSessions is the answer to it.
type RevokedSessions struct {
	Revoked int `json:"revoked"`
}

// provider reads the name of a provider in a request.
func provider(name string) string {
	kind, _, named := strings.Cut(name, ":")
	switch {
	case named, name == "", kind == iam.SourceOpenID, kind == iam.SourceLDAP, kind == iam.SourceTLS, kind == iam.SourceCustom:
		return name
	}
	return iam.SourceOpenID + ":" + name
}

func (c *call) listSessions() error {
	if c.query.Has("provider") {
		return c.listProvider()
	}
	parent, err := c.whose(ActionListSessions)
	if err != nil {
		return err
	}
	list := c.svc.Sessions(parent)
	if !c.svc.ByRoot() {
		list = slices.DeleteFunc(list, func(s iam.Session) bool { return s.Parent == c.svc.RootUser() })
	}
	return c.reply(http.StatusOK, SessionList{list})
}

// listProvider answers with the sessions of a provider's people, the caller's among them.
func (c *call) listProvider() error {
	name := c.query.Get("provider")
	if name == "" || len(c.query) != 1 {
		return badArgument("The parameter provider names a provider and stands alone.")
	}
	if err := c.authorize(ActionListSessions); err != nil {
		return err
	}
	return c.reply(http.StatusOK, SessionList{c.svc.SessionsOf(provider(name))})
}

// revokeSession ends one session. Every session may end itself.
func (c *call) revokeSession() error {
	if c.id.Kind != iam.SessionKey || c.name != c.id.AccessKey {
		s, err := c.svc.Session(c.name)
		switch {
		case err == nil:
			err = c.mayManage(s.Parent, ActionRemoveKey, true)
		case errors.Is(err, iam.ErrDamaged) && c.id.Root:
			err = c.authorize(ActionRemoveKey) // of a damaged one nobody knows whose it is
		default:
			err = cmp.Or(c.authorize(ActionRemoveKey), err)
		}
		if err != nil {
			return err
		}
	}
	if err := c.svc.RevokeSession(c.r.Context(), c.name); err != nil {
		return err
	}
	return c.reply(http.StatusNoContent, nil)
}

func (c *call) revokeSessions() error {
	var in RevokeSessions
	var bad error
	if len(c.body) > 0 {
		bad = parse(c.body, &in)
	}
	if in.Provider != "" {
		return c.revokeProvider(&in, bad)
	}
	if in.User == "" {
		in.User = c.id.Name
	}
	if err := c.mayManage(in.User, ActionRemoveKey, true); err != nil {
		return err
	}
	if bad != nil {
		return bad
	}
	n, err := c.svc.RevokeSessions(c.r.Context(), in.User, in.Type)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, RevokedSessions{n})
}

// revokeProvider ends the sessions of all people of a provider.
func (c *call) revokeProvider(in *RevokeSessions, bad error) error {
	if err := c.authorize(ActionRemoveKey); err != nil {
		return err
	}
	switch {
	case bad != nil:
		return bad
	case in.User != "" || in.Type != "":
		return badArgument("The sessions of a provider are revoked all together: provider stands alone.")
	}
	n, err := c.svc.RevokeProvider(c.r.Context(), provider(in.Provider))
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, RevokedSessions{n})
}
