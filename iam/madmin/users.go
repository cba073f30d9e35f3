package madmin

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/objsrv/objsrv/iam"
)

// The two states of users, groups and access keys in user and group routes.
const (
	enabled  = "enabled"
	disabled = "disabled"
)

func status(on bool) string {
	if on {
		return enabled
	}
	return disabled
}

// userRequest is the body of add-user.
type userRequest struct {
	SecretKey string `json:"secretKey"`
	Policy    string `json:"policy"`
	Status    string `json:"status"`
}

// addUser makes a user, or gives one another secret and status. Everybody may change his own
// secret with it, and nothing else of himself.
func (c *call) addUser() error {
	name, err := c.name("accessKey")
	if err != nil {
		return err
	}
	self := name == c.id.Name
	switch {
	case self && c.id.Kind != iam.OwnKey:
		// A key or session that could set the user's secret would become the user.
		return c.refuse("admin:CreateUser", iam.Decision{Statement: "a user's secret is not changed by a key or session of his"})
	case name == c.root() && !(self && c.IAM.Bounded()): // the root of an account has its secret here
		return &Refusal{http.StatusForbidden, "XMinioInvalidIAMCredentials", "The credential is not allowed to be root's."}
	}
	if err := c.mayOrOwns("admin:CreateUser", self); err != nil {
		return err
	}
	if err := localName(name); err != nil {
		return err
	}
	var in userRequest
	if err := c.decode(&in); err != nil {
		return err
	}
	on := true
	switch in.Status {
	case enabled, "":
	case disabled:
		on = false
	default:
		return invalid("The status is enabled or disabled.")
	}
	switch {
	case in.Policy != "":
		return invalid("Policies are attached by a request of their own.")
	case in.SecretKey == "":
		return &Refusal{http.StatusBadRequest, "XMinioAdminNoSecretKey", "No secret key was provided."}
	case self && !on:
		return invalid("Nobody disables himself.")
	}
	if err := checkKeys(name, in.SecretKey); err != nil {
		return err
	}
	if name == c.root() {
		_, err = c.IAM.UpdateUser(c.ctx, name, iam.UserUpdate{Secret: &in.SecretKey})
	} else if _, _, err = c.IAM.CreateUser(c.ctx, iam.NewUser{Name: name, Secret: in.SecretKey, Disabled: !on}); errors.Is(err, iam.ErrExists) {
		err = c.changeUser(name, in.SecretKey, on)
	}
	if err != nil {
		return err
	}
	return c.replyEmpty(http.StatusOK)
}

// changeUser sets secret and state of a user who is there. What changes the state needs the action
// for it, too.
func (c *call) changeUser(name, secret string, on bool) error {
	u, err := c.IAM.User(name)
	if errors.Is(err, iam.ErrNoSuchUser) || err == nil && u.Account != c.IAM.Account() {
		return &Refusal{http.StatusForbidden, "XMinioInvalidIAMCredentials", "The name is taken, by an access key or in another account."}
	}
	if err != nil {
		return err
	}
	if u.Enabled != on {
		action := "admin:DisableUser"
		if on {
			action = "admin:EnableUser"
		}
		if err := c.mayOrOwns(action, false); err != nil {
			return err
		}
	}
	_, err = c.IAM.UpdateUser(c.ctx, name, iam.UserUpdate{Secret: &secret, Enabled: &on})
	return err
}

// checkKeys answers a bad access or secret key by the code of its own.
func checkKeys(accessKey, secret string) error {
	if err := iam.CheckAccessKey(accessKey); err != nil {
		return &Refusal{http.StatusBadRequest, "XMinioAdminInvalidAccessKey", "The access key is invalid: " + err.Error() + "."}
	}
	if err := iam.CheckSecret(secret); err != nil {
		return &Refusal{http.StatusBadRequest, "XMinioAdminInvalidSecretKey", "The secret key is invalid: " + err.Error() + "."}
	}
	return nil
}

// removeUser removes a user with all keys.
func (c *call) removeUser() error {
	name, err := c.nameOfOther()
	if err != nil {
		return err
	}
	if err := c.IAM.DeleteUser(c.ctx, name); err != nil {
		return err
	}
	return c.replyEmpty(http.StatusOK)
}

func (c *call) enableUser() error  { return c.setStatus(true) }
func (c *call) disableUser() error { return c.setStatus(false) }

func (c *call) setStatus(on bool) error {
	name, err := c.nameOfOther()
	if err != nil {
		return err
	}
	if _, err := c.IAM.SetStatus(c.ctx, name, on); err != nil {
		return err
	}
	return c.replyEmpty(http.StatusOK)
}

// nameOfOther returns the user of a request that nobody may make about himself.
func (c *call) nameOfOther() (string, error) {
	name, err := c.name("accessKey")
	switch {
	case err != nil:
		return "", err
	case name == c.id.Name || name == c.id.AccessKey:
		return "", notAllowed("Nobody removes, enables or disables himself.")
	case name == c.root():
		return "", notAllowed("Root is changed where it is set.")
	}
	return c.findUser(name)
}

// userInfo is a user as clients read it.
type userInfo struct {
	AuthInfo   *authInfo  `json:"userAuthInfo,omitempty"`
	PolicyName string     `json:"policyName,omitempty"`
	Status     string     `json:"status"`
	MemberOf   []string   `json:"memberOf,omitempty"`
	UpdatedAt  *time.Time `json:"updatedAt,omitempty"`
}

type authInfo struct {
	Type             string `json:"type"`
	AuthServer       string `json:"authServer,omitempty"`
	AuthServerUserID string `json:"authServerUserID,omitempty"`
}

func newUserInfo(u iam.User) userInfo {
	return userInfo{
		PolicyName: strings.Join(u.Policies, ","),
		Status:     status(u.Enabled),
		MemberOf:   plainNames(u.Groups),
		UpdatedAt:  &u.Updated,
	}
}

// userInfo answers with one user; everybody may ask for himself.
func (c *call) userInfo() error {
	name, err := c.name("accessKey")
	if err != nil {
		return err
	}
	if err := c.mayOrOwns("admin:GetUser", name == plainName(c.id.Name)); err != nil {
		return err
	}
	if name, err = c.findUser(name); err != nil {
		return err
	}
	u, err := c.IAM.User(name) // root is no user
	if err != nil {
		return err
	}
	return c.reply(newUserInfo(u))
}

// users returns the users of the caller's account that can be read: MinIO, whose lists these are, has one account.
func (c *call) users() []iam.User {
	return slices.DeleteFunc(c.IAM.Users(), func(u iam.User) bool { return u.Damaged != "" || u.Account != c.IAM.Account() })
}

// listUsers answers with all users, by name.
func (c *call) listUsers() error {
	out := map[string]userInfo{}
	for _, u := range c.users() {
		out[plainName(u.Name)] = newUserInfo(u)
	}
	return c.replySealed(out)
}
