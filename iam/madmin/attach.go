package madmin

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/objsrv/objsrv/iam"
)

// associationRequest is the body of a request that attaches or detaches policies.
type associationRequest struct {
	Policies []string `json:"policies"`
	User     string   `json:"user"`
	Group    string   `json:"group"`
}

// associationAnswer is the answer to it.
type associationAnswer struct {
	PoliciesAttached []string  `json:"policiesAttached,omitempty"`
	PoliciesDetached []string  `json:"policiesDetached,omitempty"`
	UpdatedAt        time.Time `json:"updatedAt"`
}

func (c *call) attachBuiltin() error { return c.associate(iam.SourceLocal, true) }
func (c *call) detachBuiltin() error { return c.associate(iam.SourceLocal, false) }
func (c *call) attachLDAP() error    { return c.associate(iam.SourceLDAP, true) }
func (c *call) detachLDAP() error    { return c.associate(iam.SourceLDAP, false) }

// associate attaches policies to a user or group of a source, or detaches them. Something must
// change by it.
func (c *call) associate(source string, attach bool) error {
	var in associationRequest
	if err := c.decode(&in); err != nil {
		return err
	}
	switch {
	case len(in.Policies) == 0 || slices.Contains(in.Policies, ""):
		return invalid("The request names policies.")
	case (in.User == "") == (in.Group == ""):
		return invalid("The request names either a user or a group.")
	case in.User == c.root():
		return notAllowed("Root has all rights, and no policies.")
	}
	who, err := c.associated(source, in.User+in.Group, in.User == "", attach)
	if err != nil {
		return err
	}
	changed := slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(in.Policies))), func(p string) bool {
		return slices.Contains(who.policies, p) == attach
	})
	if len(changed) == 0 {
		return &Refusal{http.StatusBadRequest, "XMinioAdminPolicyChangeAlreadyApplied", "The specified policy change is already in effect."}
	}
	out := associationAnswer{PoliciesDetached: changed}
	up := iam.GroupUpdate{Detach: changed}
	if attach {
		out, up = associationAnswer{PoliciesAttached: changed}, iam.GroupUpdate{Attach: changed}
	}
	if out.UpdatedAt, err = who.change(c, up); err != nil {
		return err
	}
	return c.replySealed(out)
}

// holder is a user or group that has policies.
type holder struct {
	name     string // qualified
	group    bool
	absent   bool // it is made when it gets policies
	policies []string
}

// associated finds the holder that a request means. A user or group of the directory need not
// have been seen: it is made for its policies.
func (c *call) associated(source, name string, group, attach bool) (holder, error) {
	if _, err := checkName(name); err != nil {
		return holder{}, err
	}
	if source == iam.SourceLocal {
		if err := localName(name); err != nil {
			return holder{}, err
		}
	}
	h := holder{name: iam.QualifiedName(source, name), group: group}
	var err error
	if group {
		var g iam.Group
		g, err = c.IAM.Group(h.name)
		h.policies = g.Policies
	} else {
		var u iam.User
		u, err = c.IAM.User(h.name)
		h.policies = u.Policies
	}
	missing := errors.Is(err, iam.ErrNoSuchUser) || errors.Is(err, iam.ErrNoSuchGroup)
	if missing && attach && source == iam.SourceLDAP && strings.Contains(name, "=") {
		h.absent, err = true, nil
	}
	return h, err
}

// change changes the policies of a holder and returns the time.
func (h *holder) change(c *call, up iam.GroupUpdate) (time.Time, error) {
	switch {
	case h.group && h.absent:
		g, err := c.IAM.CreateGroup(c.ctx, iam.NewGroup{Name: h.name, Policies: up.Attach})
		return g.Updated, err
	case h.group:
		g, err := c.IAM.UpdateGroup(c.ctx, h.name, up)
		return g.Updated, err
	case h.absent:
		u, _, err := c.IAM.CreateUser(c.ctx, iam.NewUser{Name: h.name, Policies: up.Attach})
		return u.Updated, err
	}
	u, err := c.IAM.UpdateUser(c.ctx, h.name, iam.UserUpdate{Policies: up.Policies, Attach: up.Attach, Detach: up.Detach})
	return u.Updated, err
}

// setPolicies sets all policies of a user or group, as clients did before there was attaching.
func (c *call) setPolicies() error {
	name, err := c.name("userOrGroup")
	if err != nil {
		return err
	}
	isGroup := c.param("isGroup")
	if isGroup != "true" && isGroup != "false" {
		return invalid("The parameter isGroup is true or false.")
	}
	if isGroup == "false" && name == c.root() {
		return notAllowed("Root has all rights, and no policies.")
	}
	if isGroup == "true" {
		name, err = c.findGroup(name)
	} else {
		name, err = c.findUser(name)
	}
	if err != nil {
		return err
	}
	policies := slices.DeleteFunc(strings.Split(c.param("policyName"), ","), func(p string) bool { return strings.TrimSpace(p) == "" })
	h := holder{name: name, group: isGroup == "true"}
	if _, err := h.change(c, iam.GroupUpdate{Policies: &policies}); err != nil {
		return err
	}
	return c.replyEmpty(http.StatusOK)
}

// findLDAP returns the user of the directory that a request means.
func (c *call) findLDAP(name string) (string, error) {
	if _, err := checkName(name); err != nil {
		return "", err
	}
	q := iam.QualifiedName(iam.SourceLDAP, name)
	_, err := c.IAM.User(q)
	return q, err
}
