package adminapi

import (
	"cmp"
	"errors"
	"net/http"
	"slices"

	"github.com/objsrv/objsrv/iam"
)

// SessionList is the answer to GET sessions: of the caller, of one user with ?user=NAME, of
// everybody with ?all=true.
type SessionList struct {
	Sessions []iam.Session `json:"sessions"`
}

// RevokeSessions is the body of POST sessions/revoke, which ends all sessions of a user.
type RevokeSessions struct {
	User string `json:"user,omitempty"` // qualified name; "" is the caller
	Type string `json:"type,omitempty"` // only those with this revoke type; "" is all
}

// RevokedSessions is the answer to it.
type RevokedSessions struct {
	Revoked int `json:"revoked"`
}

func (c *call) listSessions() error {
	parent, err := c.whose(ActionListSessions)
	if err != nil {
		return err
	}
	list := c.svc.Sessions(parent)
	if !c.id.Root {
		list = slices.DeleteFunc(list, func(s iam.Session) bool { return s.Parent == c.svc.RootUser() })
	}
	return c.reply(http.StatusOK, SessionList{list})
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
