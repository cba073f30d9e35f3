package adminapi

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/objsrv/objsrv/iam"
)

// Directory does what a login with a name does, but for the password, and tells of each step. dn and
// groups are distinguished names; dn is "" when a step has failed.
type Directory func(ctx context.Context, name string) (steps []TestStep, dn string, groups []string)

// TestLDAP is the body of POST ldap/test: what would become of a login?
type TestLDAP struct {
	Name string `json:"name"` // with which somebody would log in
}

// LDAPTest is the answer to POST ldap/test.
type LDAPTest struct {
	Allowed bool       `json:"allowed"` // the login succeeds if the password is right
	User    string     `json:"user,omitempty"`
	Steps   []TestStep `json:"steps"`
}

// TestStep is one step of a login that is tried.
type TestStep struct {
	Step   string `json:"step"`
	Result string `json:"result"`
	Failed bool   `json:"failed,omitempty"`
}

// testLDAP has the directory asked for a name, and adds what this server has for the person.
func (c *call) testLDAP() error {
	in := TestLDAP{}
	if err := parse(c.body, &in); err != nil {
		return err
	}
	if c.config.Directory == nil {
		return &Refusal{Status: http.StatusNotImplemented, Code: "NotImplemented", Message: "This server has no LDAP directory: the settings OBJSRV_IDENTITY_LDAP_... name one."}
	}
	out := LDAPTest{}
	var dn string
	var groups []string
	if out.Steps, dn, groups = c.config.Directory(c.r.Context(), in.Name); dn == "" {
		return c.reply(http.StatusOK, out)
	}
	out.User = iam.QualifiedName(iam.SourceLDAP, dn)
	disabled, policies, err := c.userRights(&out)
	if err != nil {
		return err
	}
	for _, dn := range groups {
		n, off, err := c.groupRights(&out, iam.QualifiedName(iam.SourceLDAP, dn))
		if err != nil {
			return err
		}
		policies, disabled = policies+n, disabled || off
	}
	last := TestStep{Step: "rights", Result: "a login with the right password succeeds"}
	switch {
	case disabled:
		last = TestStep{"rights", "the user or a group is disabled here, which locks the person out", true}
	case policies == 0:
		last = TestStep{"rights", "no policy is attached to the user or to one of the groups, so that a login is refused: mc idp ldap policy attach", true}
	}
	out.Steps, out.Allowed = append(out.Steps, last), !last.Failed
	return c.reply(http.StatusOK, out)
}

// userRights adds what the person itself has, with the local groups that it is in.
func (c *call) userRights(out *LDAPTest) (disabled bool, policies int, err error) {
	u, err := c.svc.User(out.User)
	if errors.Is(err, iam.ErrNoSuchUser) {
		out.Steps = append(out.Steps, TestStep{Step: "user", Result: out.User + " is made with the first login"})
		return false, 0, nil
	}
	if err != nil {
		return false, 0, err
	}
	state := "enabled"
	if !u.Enabled {
		state = "disabled"
	}
	out.Steps = append(out.Steps, TestStep{Step: "user", Result: out.User + " is " + state + ", with the policies " + orNoPolicies(u.Policies)})
	disabled, policies = !u.Enabled, len(u.Policies)
	for _, name := range u.Groups {
		n, off, err := c.groupRights(out, name)
		if err != nil {
			return false, 0, err
		}
		policies, disabled = policies+n, disabled || off
	}
	return disabled, policies, nil
}

// groupRights adds what a group has here, if it is here.
func (c *call) groupRights(out *LDAPTest, name string) (policies int, disabled bool, err error) {
	g, err := c.svc.Group(name)
	if errors.Is(err, iam.ErrNoSuchGroup) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	state := "enabled"
	if !g.Enabled {
		state = "disabled"
	}
	out.Steps = append(out.Steps, TestStep{Step: "policies", Result: name + " is " + state + ", with the policies " + orNoPolicies(g.Policies)})
	return len(g.Policies), !g.Enabled, nil
}

func orNoPolicies(list []string) string {
	if len(list) == 0 {
		return "(none)"
	}
	return strings.Join(list, ", ")
}
