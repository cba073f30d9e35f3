package adminapi

import (
	"github.com/objsrv/objsrv/iam"
)

// Statements of refusals that Authorize did not make.
const (
	byRootOnly   = "only root manages the credentials of root" // the server's, and of an account its root's
	byUnsigned   = "the request is not signed"
	byRestricted = "a restricted credential manages no credential of its own user"
)

// mayManage decides whether the caller may read, or change, the credentials of the user
// parent. Those of root are root's alone. Its own need no action, but a Deny of the action
// counts; a credential that is restricted may change none of them, since it could make itself
// a better one, and reads them if its own policy allows the action. Those of others need the
// action.
func (c *call) mayManage(parent, action string, change bool) error {
	own := parent == c.id.Name
	switch {
	case parent == c.svc.RootUser() && !c.svc.ByRoot():
		return c.refuse(action, byRootOnly)
	case own && change && c.id.Restricted():
		return c.refuse(action, byRestricted)
	case own:
		return c.notDenied(action)
	}
	return c.authorize(action)
}

// notDenied refuses what a Deny forbids, or what can't be decided because the caller or its
// policies are gone.
func (c *call) notDenied(action string) error {
	q := c.question(action)
	q.RequestID = "" // that no statement allows the action is no refusal
	q.Owner = c.id.Account
	d := c.config.Service.Authorize(q)
	if d.Allowed || !d.Explicit && d.Statement == "" {
		return nil
	}
	return c.refuse(action, d.Statement)
}

// refuse keeps a refusal for whoever asks for its reason.
func (c *call) refuse(action, statement string) error {
	c.config.Service.Refuse(iam.Refusal{
		RequestID: c.ev.ID, Principal: c.id.ARN, AccessKey: c.id.AccessKey, Remote: c.ev.Remote,
		Action: action, Statement: statement, Explicit: true,
	})
	return errDenied
}

// refuseAnonymous refuses who did not sign, and keeps that where there is such a route.
func (c *call) refuseAnonymous(rt *route) error {
	if rt != nil {
		c.config.Service.Refuse(iam.Refusal{RequestID: c.ev.ID, Remote: c.ev.Remote, Action: rt.action, Statement: byUnsigned})
	}
	return errDenied
}
