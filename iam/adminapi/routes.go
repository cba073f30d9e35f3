package adminapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"unicode/utf8"

	"github.com/objsrv/objsrv/iam"
)

// WhoAmI is the answer to GET whoami.
type WhoAmI struct {
	Account   string   `json:"account"`
	ID        string   `json:"id"`
	Name      string   `json:"name"`
	ARN       string   `json:"arn"`
	AccessKey string   `json:"accessKey"`
	Root      bool     `json:"root"`
	Policies  []string `json:"policies"`
}

// CreateUser is the body of PUT users/{name}.
type CreateUser struct {
	Secret   string   `json:"secret"`  // "" has the server make one
	Account  string   `json:"account"` // 12 digits; "" is the deployment's
	Policies []string `json:"policies"`
	Disabled bool     `json:"disabled"`
}

// CreatedUser is the answer to PUT users/{name}: the only one that has a secret.
type CreatedUser struct {
	iam.User
	AccessKey string `json:"accessKey"`
	Secret    string `json:"secret"`
}

// UpdateUser is the body of PATCH users/{name}; what is absent stays as it is.
type UpdateUser struct {
	Enabled  *bool     `json:"enabled,omitempty"`
	Secret   *string   `json:"secret,omitempty"`
	Policies *[]string `json:"policies,omitempty"` // all of them
	Attach   []string  `json:"attach,omitempty"`
	Detach   []string  `json:"detach,omitempty"`
}

// UserList is the answer to GET users.
type UserList struct {
	Users []iam.User `json:"users"`
}

// PolicyList is the answer to GET policies.
type PolicyList struct {
	Policies []iam.Policy `json:"policies"`
}

func (c *call) whoami() error {
	out := WhoAmI{
		Account: c.id.Account, ID: c.id.ID, Name: c.id.Name, ARN: c.id.ARN,
		AccessKey: c.id.AccessKey, Root: c.id.Root, Policies: []string{},
	}
	if !c.id.Root {
		u, err := c.svc.User(c.id.Name)
		if err != nil || u.ID != c.id.ID {
			return errDenied // the user went between the signature's check and now
		}
		out.Policies = u.Policies
	}
	return c.reply(http.StatusOK, out)
}

func (c *call) listUsers() error {
	return c.reply(http.StatusOK, UserList{c.svc.Users()})
}

func (c *call) getUser() error {
	u, err := c.svc.User(c.name)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, u)
}

// createUser needs a second action when it attaches policies, or whoever may create users
// could make one that may do everything.
func (c *call) createUser() error {
	var in CreateUser
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
	u, cred, err := c.svc.CreateUser(c.r.Context(), iam.NewUser{
		Name: c.name, Secret: in.Secret, Account: in.Account, Policies: in.Policies, Disabled: in.Disabled,
	})
	if err != nil {
		return err
	}
	return c.reply(http.StatusCreated, CreatedUser{User: u, AccessKey: cred.AccessKey, Secret: cred.Secret})
}

// updateUser needs the action of every kind of change that the body asks for.
func (c *call) updateUser() error {
	var in UpdateUser
	bad := parse(c.body, &in)
	for _, action := range in.actions() {
		if err := c.authorize(action); err != nil {
			return err
		}
	}
	if bad != nil {
		return bad
	}
	u, err := c.svc.UpdateUser(c.r.Context(), c.name, iam.UserUpdate{
		Enabled: in.Enabled, Secret: in.Secret, Policies: in.Policies, Attach: in.Attach, Detach: in.Detach,
	})
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, u)
}

// actions returns what a change needs. One that asks for nothing needs the right to read.
func (in *UpdateUser) actions() []string {
	var out []string
	if in.Enabled != nil {
		if *in.Enabled {
			out = append(out, ActionEnableUser)
		} else {
			out = append(out, ActionDisableUser)
		}
	}
	if in.Secret != nil {
		out = append(out, ActionCreateUser)
	}
	if in.Policies != nil || len(in.Attach) > 0 || len(in.Detach) > 0 {
		out = append(out, ActionAttachPolicy)
	}
	if len(out) == 0 {
		out = append(out, ActionGetUser)
	}
	return out
}

func (c *call) deleteUser() error {
	if err := c.svc.DeleteUser(c.r.Context(), c.name); err != nil {
		return err
	}
	return c.reply(http.StatusNoContent, nil)
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

// unescape decodes a name of the path, which must be UTF-8.
func unescape(s string) (string, error) {
	name, err := url.PathUnescape(s)
	if err != nil {
		return "", err
	}
	if !utf8.ValidString(name) {
		return "", errors.New("not UTF-8")
	}
	return name, nil
}

func badBody(why string) error {
	return &Refusal{http.StatusBadRequest, "MalformedJSON", "The body is not what is expected: " + why + "."}
}

// parse reads one JSON object strictly.
func parse(b []byte, v any) error {
	if !utf8.Valid(b) {
		return badBody("it is not UTF-8")
	}
	if err := checkMembers(b); err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return badBody(err.Error())
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return badBody("text follows the document")
	}
	return nil
}

// checkMembers refuses what encoding/json lets pass: a document that is no object, and
// members that are repeated or spelled in other case.
func checkMembers(b []byte) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return badBody("an object is expected")
	}
	seen := map[string]bool{}
	for depth, name := 1, true; depth > 0; {
		t, err := dec.Token()
		if err != nil {
			return badBody(err.Error())
		}
		switch d, isDelim := t.(json.Delim); {
		case isDelim && (d == '{' || d == '['):
			depth++
		case isDelim:
			if depth--; depth == 1 {
				name = true
			}
		case depth > 1:
		case name:
			s, _ := t.(string)
			for _, c := range []byte(s) {
				if c < 'a' || c > 'z' {
					return badBody("unknown member " + s)
				}
			}
			if seen[s] {
				return badBody("the member " + s + " is repeated")
			}
			seen[s], name = true, false
		default:
			name = true
		}
	}
	return nil
}
