package adminapi

import (
	"errors"
	"net/http"
	"slices"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/iam/policy"
)

// PolicyList is the answer to GET policies: without the documents.
type PolicyList struct {
	Policies []iam.Policy `json:"policies"`
}

// PolicyEntities is the answer to GET policies/{name}/entities: who has the policy.
type PolicyEntities struct {
	Policy string   `json:"policy"`
	Users  []string `json:"users"`  // qualified names in byte order
	Groups []string `json:"groups"` // likewise
}

// Validation is the answer to POST policies/validate, whose body is the document. With
// ?kind=bucket it is judged as a bucket's policy, else as one of a user.
type Validation struct {
	Valid      bool   `json:"valid"`
	Statements int    `json:"statements"`      // when valid
	Error      *Place `json:"error,omitempty"` // when not
}

func (c *call) listPolicies() error {
	out := PolicyList{c.svc.Policies()}
	for i := range out.Policies {
		out.Policies[i].Document = nil
	}
	return c.reply(http.StatusOK, out)
}

func (c *call) getPolicy() error {
	p, err := c.svc.Policy(c.name)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, p)
}

func (c *call) setPolicy() error {
	p, err := c.svc.SetPolicy(c.r.Context(), c.name, c.body)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, p)
}

func (c *call) deletePolicy() error {
	if err := c.svc.DeletePolicy(c.r.Context(), c.name); err != nil {
		return err
	}
	return c.reply(http.StatusNoContent, nil)
}

func (c *call) policyEntities() error {
	if _, err := c.svc.Policy(c.name); err != nil {
		return err
	}
	out := PolicyEntities{Policy: c.name, Users: []string{}, Groups: []string{}}
	for _, u := range c.svc.Users() {
		if slices.Contains(u.Policies, c.name) {
			out.Users = append(out.Users, u.Name)
		}
	}
	for _, g := range c.svc.Groups() {
		if slices.Contains(g.Policies, c.name) {
			out.Groups = append(out.Groups, g.Name)
		}
	}
	return c.reply(http.StatusOK, out)
}

func (c *call) validatePolicy() error {
	kind := policy.Identity
	switch c.query.Get("kind") {
	case "bucket":
		kind = policy.Resource
	case "", "user":
	default:
		return badArgument("The kind of a policy is user or bucket.")
	}
	doc, err := policy.Parse(c.body, kind)
	if err == nil {
		_, err = doc.Compile("policy", kind)
	}
	var syntax *policy.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return c.reply(http.StatusOK, Validation{Error: placeOf(syntax)})
	case err != nil:
		return err
	}
	return c.reply(http.StatusOK, Validation{Valid: true, Statements: len(doc.Statements)})
}
