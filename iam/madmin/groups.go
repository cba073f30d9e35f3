package madmin

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/objsrv/objsrv/iam"
)

// membersRequest is the body of update-group-members.
type membersRequest struct {
	Group    string   `json:"group"`
	Members  []string `json:"members"`
	Status   string   `json:"groupStatus"`
	IsRemove bool     `json:"isRemove"`
}

// updateGroupMembers adds users to a group, which it makes when it is missing, takes users out,
// or removes a group that is empty when nobody is named.
func (c *call) updateGroupMembers() error {
	var in membersRequest
	if err := c.decode(&in); err != nil {
		return err
	}
	action := "admin:AddUserToGroup"
	if in.IsRemove {
		action = "admin:RemoveUserFromGroup"
	}
	if err := c.mayOrOwns(action, false); err != nil {
		return err
	}
	if in.Status != "" {
		return invalid("The status of a group is set by a request of its own.")
	}
	if _, err := checkName(in.Group); err != nil {
		return err
	}
	if err := localName(in.Group); err != nil {
		return err
	}
	for _, m := range in.Members {
		if m == c.root() {
			return notAllowed("Root is in no group.")
		}
		if _, err := checkName(m); err != nil {
			return err
		}
		if err := localName(m); err != nil {
			return err
		}
	}
	var err error
	switch {
	case !in.IsRemove:
		err = c.IAM.AddMembers(c.ctx, in.Group, in.Members...)
	case len(in.Members) > 0:
		err = c.IAM.RemoveMembers(c.ctx, in.Group, in.Members...)
	default:
		err = c.IAM.DeleteGroup(c.ctx, in.Group)
	}
	if err != nil {
		return err
	}
	return c.replyEmpty(http.StatusOK)
}

// groupInfo is a group as clients read it.
type groupInfo struct {
	Name      string    `json:"name"`
	Status    string    `json:"status"`
	Members   []string  `json:"members"`
	Policy    string    `json:"policy"`
	UpdatedAt time.Time `json:"updatedAt"`
}

// getGroup answers with one group.
func (c *call) getGroup() error {
	name, err := c.findGroup(c.param("group"))
	if err != nil {
		return err
	}
	g, err := c.IAM.Group(name)
	if err != nil {
		return err
	}
	return c.reply(groupInfo{
		Name: plainName(g.Name), Status: status(g.Enabled), Members: plainNames(g.Members),
		Policy: strings.Join(g.Policies, ","), UpdatedAt: g.Updated,
	})
}

// findGroup returns the group of a name as clients write it: one of ours, or the directory's.
func (c *call) findGroup(name string) (string, error) {
	if _, err := checkName(name); err != nil {
		return "", err
	}
	for _, qualified := range []string{name, iam.QualifiedName(iam.SourceLDAP, name)} {
		if _, err := c.IAM.Group(qualified); !errors.Is(err, iam.ErrNoSuchGroup) {
			return qualified, err
		}
	}
	return "", iam.ErrNoSuchGroup
}

// groups returns the groups of the caller's account, and those that can't be read.
func (c *call) groups() []iam.Group {
	return slices.DeleteFunc(c.IAM.Groups(), func(g iam.Group) bool { return g.Damaged == "" && g.Account != c.IAM.Account() })
}

// listGroups answers with the names of all groups.
func (c *call) listGroups() error {
	out := []string{}
	for _, g := range c.groups() {
		out = append(out, plainName(g.Name))
	}
	slices.Sort(out)
	return c.reply(slices.Compact(out))
}

func (c *call) enableGroup() error  { return c.setGroupStatus(true) }
func (c *call) disableGroup() error { return c.setGroupStatus(false) }

func (c *call) setGroupStatus(on bool) error {
	name, err := c.findGroup(c.param("group"))
	if err != nil {
		return err
	}
	if _, err := c.IAM.UpdateGroup(c.ctx, name, iam.GroupUpdate{Enabled: &on}); err != nil {
		return err
	}
	return c.replyEmpty(http.StatusOK)
}
