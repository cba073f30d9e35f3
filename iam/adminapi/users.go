package adminapi

import (
	"net/http"
	"slices"

	"github.com/objsrv/objsrv/iam"
)

// WhoAmI is the answer to GET whoami.
type WhoAmI struct {
	Account   string   `json:"account"`
	ID        string   `json:"id"`
	Name      string   `json:"name"`
	ARN       string   `json:"arn"`
	AccessKey string   `json:"accessKey"`
	Root      bool     `json:"root"` // the server's
	Policies  []string `json:"policies"`
	Groups    []string `json:"groups"`
	// Credential is what the request was signed with: "own key", "service key" or "session".
	Credential string `json:"credential"`
	Restricted bool   `json:"restricted"` // policies of the credential bound it
	// AccountRoot tells the root of an account other than the deployment's.
	AccountRoot bool `json:"accountRoot,omitempty"`
}

// credentialNames are the words for the kinds of credentials.
var credentialNames = map[iam.CredentialKind]string{iam.OwnKey: "own key", iam.ServiceKey: "service key", iam.SessionKey: "session"}

// CreateUser is the body of PUT users/{name}.
type CreateUser struct {
	Secret   string   `json:"secret,omitempty"`  // "" has the server make one
	Account  string   `json:"account,omitempty"` // 12 digits; "" is the caller's
	Policies []string `json:"policies,omitempty"`
	Disabled bool     `json:"disabled,omitempty"`
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

func (c *call) whoami() error {
	out := WhoAmI{
		Account: c.id.Account, ID: c.id.ID, Name: c.id.Name, ARN: c.id.ARN,
		AccessKey: c.id.AccessKey, Root: c.id.Root, Policies: []string{}, Groups: []string{},
		Credential: credentialNames[c.id.Kind], Restricted: c.id.Restricted(),
		AccountRoot: c.id.OfRoot() && !c.id.Root,
	}
	if !c.id.Root {
		find := c.svc.User
		if c.id.OfRoot() {
			find = c.config.Service.User // a root is none of its account's users
		}
		u, err := find(c.id.Name)
		if err != nil || u.ID != c.id.ID {
			return errDenied // the user went between the signature's check and now
		}
		out.Policies, out.Groups = u.Policies, u.Groups
		if g := c.id.Grants(); g != nil { // of an identity provider
			out.Policies, out.Groups = union(out.Policies, g.Policies), union(out.Groups, g.Groups)
		}
	}
	return c.reply(http.StatusOK, out)
}

// union returns the names of both, in byte order, each once.
func union(a, b []string) []string {
	out := slices.Sorted(slices.Values(slices.Concat(a, b)))
	if out = slices.Compact(out); out == nil {
		out = []string{}
	}
	return out
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
	if in.Secret != nil && c.name == c.id.Name && c.id.Restricted() {
		return c.refuse(ActionCreateUser, byRestricted)
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
