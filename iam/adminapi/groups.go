package adminapi

import (
	"net/http"

	"github.com/objsrv/objsrv/iam"
)

// CreateGroup is the body of PUT groups/{name}, which makes a group without members.
type CreateGroup struct {
	Account  string   `json:"account,omitempty"` // 12 digits; "" is the caller's
	Policies []string `json:"policies,omitempty"`
	Disabled bool     `json:"disabled,omitempty"`
}

// UpdateGroup is the body of PATCH groups/{name}; what is absent stays as it is. Members are
// added, or removed, or the rest is changed: one of these in one request, so that a request is
// done or refused as a whole.
type UpdateGroup struct {
	Enabled  *bool     `json:"enabled,omitempty"`
	Policies *[]string `json:"policies,omitempty"` // all of them
	Attach   []string  `json:"attach,omitempty"`
	Detach   []string  `json:"detach,omitempty"`
	Add      []string  `json:"add,omitempty"`    // users, by their qualified names
	Remove   []string  `json:"remove,omitempty"` // users
}

// GroupList is the answer to GET groups.
type GroupList struct {
	Groups []iam.Group `json:"groups"`
}

func (c *call) listGroups() error {
	return c.reply(http.StatusOK, GroupList{c.svc.Groups()})
}

func (c *call) getGroup() error {
	g, err := c.svc.Group(c.name)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, g)
}

// createGroup needs a second action when it attaches policies, as createUser does.
func (c *call) createGroup() error {
	var in CreateGroup
	if len(c.body) > 0 {
		if err := parse(c.body, &in); err != nil {
			return err
		}
	}
	if len(in.Policies) > 0 {
		if err := c.authorize(ActionAttachPolicy); err != nil {
			return err
		}
	}
	g, err := c.svc.CreateGroup(c.r.Context(), iam.NewGroup{Name: c.name, Account: in.Account, Policies: in.Policies, Disabled: in.Disabled})
	if err != nil {
		return err
	}
	return c.reply(http.StatusCreated, g)
}

// updateGroup needs the action of every kind of change that the body asks for.
func (c *call) updateGroup() error {
	var in UpdateGroup
	bad := parse(c.body, &in)
	for _, action := range in.actions() {
		if err := c.authorize(action); err != nil {
			return err
		}
	}
	if bad != nil {
		return bad
	}
	if len(in.Add) > 0 || len(in.Remove) > 0 {
		if in.changes() || len(in.Add) > 0 && len(in.Remove) > 0 {
			return badArgument("Members are added, or removed, or other things are changed: send one request for each.")
		}
		return c.updateMembers(&in)
	}
	g, err := c.svc.UpdateGroup(c.r.Context(), c.name, iam.GroupUpdate{
		Enabled: in.Enabled, Policies: in.Policies, Attach: in.Attach, Detach: in.Detach,
	})
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, g)
}

// updateMembers adds or removes. A group that is not there is not made on the way.
func (c *call) updateMembers(in *UpdateGroup) error {
	_, err := c.svc.Group(c.name)
	switch {
	case err != nil:
		return err
	case len(in.Add) > 0:
		err = c.svc.AddMembers(c.r.Context(), c.name, in.Add...)
	default:
		err = c.svc.RemoveMembers(c.r.Context(), c.name, in.Remove...)
	}
	if err != nil {
		return err
	}
	return c.getGroup()
}

// changes tells whether the group itself is to be changed.
func (in *UpdateGroup) changes() bool {
	return in.Enabled != nil || in.Policies != nil || len(in.Attach) > 0 || len(in.Detach) > 0
}

// actions returns what a change needs. One that asks for nothing needs the right to read.
func (in *UpdateGroup) actions() []string {
	var out []string
	switch {
	case in.Enabled == nil:
	case *in.Enabled:
		out = append(out, ActionEnableGroup)
	default:
		out = append(out, ActionDisableGroup)
	}
	if in.Policies != nil || len(in.Attach) > 0 || len(in.Detach) > 0 {
		out = append(out, ActionAttachPolicy)
	}
	if len(in.Add) > 0 {
		out = append(out, ActionAddMember)
	}
	if len(in.Remove) > 0 {
		out = append(out, ActionRemoveMember)
	}
	if len(out) == 0 {
		out = append(out, ActionGetGroup)
	}
	return out
}

func (c *call) deleteGroup() error {
	if err := c.svc.DeleteGroup(c.r.Context(), c.name); err != nil {
		return err
	}
	return c.reply(http.StatusNoContent, nil)
}
