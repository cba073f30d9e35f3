package adminapi

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/objsrv/objsrv/iam"
)

// CreateKey is the body of POST keys, which makes an access key: what MinIO calls a service
// account.
type CreateKey struct {
	Parent      string          `json:"parent,omitempty"`    // whose key it is: a qualified user name, or root's; "" is the caller
	AccessKey   string          `json:"accessKey,omitempty"` // "" has the server make one
	Secret      string          `json:"secret,omitempty"`    // "" has the server make one
	Name        string          `json:"name,omitempty"`
	Description string          `json:"description,omitempty"`
	Policy      json.RawMessage `json:"policy,omitempty"`  // of the key; without one it may what its parent may
	Expires     string          `json:"expires,omitempty"` // RFC 3339; "" is never
	Disabled    bool            `json:"disabled,omitempty"`
}

// CreatedKey is the answer to POST keys: the only one that has the secret.
type CreatedKey struct {
	iam.AccessKey
	Secret string `json:"secret"`
}

// UpdateKey is the body of PATCH keys/{name}; what is absent stays as it is.
type UpdateKey struct {
	Enabled     *bool           `json:"enabled,omitempty"`
	Secret      *string         `json:"secret,omitempty"`
	Name        *string         `json:"name,omitempty"`
	Description *string         `json:"description,omitempty"`
	Policy      json.RawMessage `json:"policy,omitempty"`  // null takes it away
	Expires     *string         `json:"expires,omitempty"` // RFC 3339; "" is never
}

// KeyList is the answer to GET keys: of the caller, of one user with ?user=NAME, of everybody
// with ?all=true.
type KeyList struct {
	Keys []iam.AccessKey `json:"keys"`
}

// whose reads the query of a list: a name, or "" for everybody. all needs the action.
func (c *call) whose(action string) (parent string, err error) {
	user, all := c.query.Get("user"), c.query.Get("all")
	switch {
	case c.query.Has("user") && user == "", c.query.Has("all") && (all != "true" || user != ""):
		return "", badArgument("A list is of the caller, of one user with user=NAME, or of everybody with all=true.")
	case all != "":
		return "", c.authorize(action)
	case user == "":
		user = c.id.Name
	}
	if err := c.mayManage(user, action, false); err != nil {
		return "", err
	}
	if user != c.svc.RootUser() {
		if _, err := c.svc.User(user); err != nil {
			return "", err
		}
	}
	return user, nil
}

func (c *call) listKeys() error {
	parent, err := c.whose(ActionListKeys)
	if err != nil {
		return err
	}
	keys := c.svc.AccessKeys(parent)
	if !c.svc.ByRoot() {
		keys = slices.DeleteFunc(keys, func(k iam.AccessKey) bool { return k.Parent == c.svc.RootUser() })
	}
	return c.reply(http.StatusOK, KeyList{keys})
}

// key finds the key of the request, once the caller may know of it: that a key is there, and
// whose it is, is not told to others.
func (c *call) key(action string, change bool) (iam.AccessKey, error) {
	k, err := c.svc.AccessKey(c.name)
	if err != nil {
		// One that is not there, or damaged, is nobody's.
		if denied := c.authorize(action); denied != nil {
			return k, denied
		}
		return k, err
	}
	return k, c.mayManage(k.Parent, action, change)
}

func (c *call) getKey() error {
	k, err := c.key(ActionListKeys, false)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, k)
}

func (c *call) createKey() error {
	var in CreateKey
	var bad error
	if len(c.body) > 0 {
		bad = parse(c.body, &in)
	}
	if in.Parent == "" {
		in.Parent = c.id.Name
	}
	expires, err := c.readExpiry(in.Expires)
	if err := c.mayManage(in.Parent, ActionCreateKey, true); err != nil {
		return err
	}
	switch {
	case bad != nil:
		return bad
	case err != nil:
		return err
	}
	k, cred, err := c.svc.CreateAccessKey(c.r.Context(), iam.NewAccessKey{
		By: c.id, Parent: in.Parent, AccessKey: in.AccessKey, Secret: in.Secret, Name: in.Name, Description: in.Description,
		Policy: orNone(in.Policy), Expires: expires, Disabled: in.Disabled,
	})
	if err != nil {
		return err
	}
	return c.reply(http.StatusCreated, CreatedKey{AccessKey: k, Secret: cred.Secret})
}

// orNone returns the policy of a body; null is none.
func orNone(p json.RawMessage) json.RawMessage {
	if string(p) == "null" {
		return nil
	}
	return p
}

// readExpiry reads the expiry of a body; "" is never, the zero time. Policies may ask for
// the lifetime, so that it is read before they decide.
func (c *call) readExpiry(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || t.IsZero() {
		return t, badArgument("An expiry is a time like 2027-01-31T00:00:00Z.")
	}
	c.lifetime = time.Until(t)
	return t, nil
}

// updateKey changes a service key. Its policy is changed by the action only, even by its own
// user: whoever has been given a key that is narrower than its user keeps it so. Of the
// caller's own first key the secret can be changed.
func (c *call) updateKey() error {
	var in UpdateKey
	up, bad := c.readUpdate(&in)
	k, err := c.key(ActionUpdateKey, true)
	if err != nil {
		return err
	}
	if up.Policy != nil {
		if err := c.authorize(ActionUpdateKey); err != nil {
			return err
		}
	}
	if bad != nil {
		return bad
	}
	if k.Own {
		if err := c.ownKey(&k, &in); err != nil {
			return err
		}
	}
	if k, err = c.svc.UpdateAccessKey(c.r.Context(), c.name, up); err != nil {
		return err
	}
	return c.reply(http.StatusOK, k)
}

// readUpdate reads the body of a change.
func (c *call) readUpdate(in *UpdateKey) (up iam.AccessKeyUpdate, err error) {
	err = parse(c.body, in)
	up = iam.AccessKeyUpdate{Secret: in.Secret, Name: in.Name, Description: in.Description, Enabled: in.Enabled}
	if in.Policy != nil {
		policy := orNone(in.Policy)
		up.Policy = &policy
	}
	if in.Expires != nil && err == nil {
		var expires time.Time
		expires, err = c.readExpiry(*in.Expires)
		up.Expires = &expires
	}
	return up, err
}

// ownKey decides on a change of the first key of a user, which is as much as the user.
func (c *call) ownKey(k *iam.AccessKey, in *UpdateKey) error {
	if k.Parent != c.id.Name || in.Enabled != nil {
		return badArgument("The key is the user's own: change the user instead.")
	}
	return c.notDenied(ActionCreateUser)
}

func (c *call) deleteKey() error {
	_, err := c.key(ActionRemoveKey, true)
	if err != nil && !(c.id.Root && errors.Is(err, iam.ErrDamaged)) {
		return err // of a damaged one nobody knows whose it is, so root removes it
	}
	if err := c.svc.DeleteAccessKey(c.r.Context(), c.name); err != nil {
		return err
	}
	return c.reply(http.StatusNoContent, nil)
}
