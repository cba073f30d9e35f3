package madmin

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/objsrv/objsrv/iam"
)

// The two states of access keys.
const (
	on  = "on"
	off = "off"
)

func keyStatus(enabled bool) string {
	if enabled {
		return on
	}
	return off
}

// errNoServiceKey is the answer for what is no service key, by the code that clients know.
var errNoServiceKey = &Refusal{http.StatusNotFound, "XMinioInvalidIAMCredentials", "The specified service account is not found"}

// never is how MinIO writes that a key has no expiry.
func never() *time.Time {
	t := time.Unix(0, 0).UTC()
	return &t
}

// expiry reads an expiry: absent, zero and never are the same.
func expiry(t *time.Time) time.Time {
	if t == nil || t.Unix() == 0 {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Second)
}

// newKeyRequest is the body of add-service-account.
type newKeyRequest struct {
	Policy      json.RawMessage `json:"policy"`
	TargetUser  string          `json:"targetUser"`
	AccessKey   string          `json:"accessKey"`
	SecretKey   string          `json:"secretKey"`
	Name        string          `json:"name"`
	Description string          `json:"description"`
	Expiration  *time.Time      `json:"expiration"`
	Comment     string          `json:"comment"` // what description was called
}

// newKeyAnswer is the answer to it.
type newKeyAnswer struct {
	Credentials credentials `json:"credentials"`
}

type credentials struct {
	AccessKey  string     `json:"accessKey"`
	SecretKey  string     `json:"secretKey"`
	Expiration *time.Time `json:"expiration"`
}

// addServiceAccount makes a further access key, for the caller or for another user.
func (c *call) addServiceAccount() error {
	return c.addKey(func(name string) (string, *iam.Grants, error) {
		user, err := c.findUser(name)
		return user, nil, err
	})
}

// addServiceAccountLDAP does the same for a user of the directory: by the login name, as MinIO has it, which the
// directory is asked for, or by the distinguished name of a user that is known here.
func (c *call) addServiceAccountLDAP() error {
	return c.addKey(func(name string) (string, *iam.Grants, error) {
		if c.Directory != nil && !c.IAM.Bounded() && !strings.Contains(name, "=") {
			return c.Directory(c.ctx, name)
		}
		user, err := c.findLDAP(name)
		return user, nil, err
	})
}

// addKey makes a key for the user that find finds, with the grants that it finds; a person of the
// directory need not have logged in yet.
func (c *call) addKey(find func(name string) (string, *iam.Grants, error)) error {
	var in newKeyRequest
	if err := c.decode(&in); err != nil {
		return err
	}
	expires := expiry(in.Expiration)
	if !expires.IsZero() {
		if c.lifetime = time.Until(expires); c.lifetime <= 0 {
			return invalid("The expiry lies in the future.")
		}
	}
	parent, owns := c.self(), in.TargetUser == "" || in.TargetUser == c.id.AccessKey || in.TargetUser == plainName(c.self())
	var missing error
	var grants *iam.Grants
	if !owns {
		if parent, grants, missing = find(in.TargetUser); missing != nil {
			parent = in.TargetUser
		}
	}
	if err := c.mayTouch("admin:CreateServiceAccount", parent, owns); err != nil {
		return err
	}
	if missing != nil {
		return missing
	}
	n := iam.NewAccessKey{
		By: c.id, Parent: parent, AccessKey: in.AccessKey, Secret: in.SecretKey,
		Name: in.Name, Description: in.Description, Expires: expires, Grants: grants,
	}
	if n.Description == "" {
		n.Description = in.Comment
	}
	var err error
	if n.Policy, err = keyPolicy(in.Policy); err != nil {
		return err
	}
	if err := checkNewKeys(in.AccessKey, in.SecretKey); err != nil {
		return err
	}
	if grants != nil {
		if _, _, err := c.IAM.CreateUser(c.ctx, iam.NewUser{Name: parent}); err != nil && !errors.Is(err, iam.ErrExists) {
			return err
		}
	}
	_, cred, err := c.IAM.CreateAccessKey(c.ctx, n)
	if err != nil {
		return err
	}
	out := newKeyAnswer{credentials{cred.AccessKey, cred.Secret, never()}}
	if !expires.IsZero() {
		out.Credentials.Expiration = &expires
	}
	return c.replySealed(out)
}

// checkNewKeys judges keys of which both or none are given.
func checkNewKeys(accessKey, secret string) error {
	switch {
	case accessKey == "" && secret == "":
		return nil
	case accessKey == "":
		return &Refusal{http.StatusBadRequest, "XMinioAdminNoAccessKey", "No access key was provided."}
	case secret == "":
		return &Refusal{http.StatusBadRequest, "XMinioAdminNoSecretKey", "No secret key was provided."}
	}
	return checkKeys(accessKey, secret)
}

// keyPolicy judges the length of an embedded policy by the code of its own.
func keyPolicy(doc json.RawMessage) (json.RawMessage, error) {
	if string(doc) == "null" {
		return nil, nil
	}
	if len(doc) > iam.MaxKeyPolicy {
		return nil, &Refusal{http.StatusBadRequest, "XMinioIAMServiceAccountSessionPolicyTooLarge", "The policy of an access key has at most 4096 bytes."}
	}
	return doc, nil
}

// keyUpdate is the body of update-service-account; what is absent or empty stays as it is.
type keyUpdate struct {
	NewPolicy      json.RawMessage `json:"newPolicy"`
	NewSecretKey   string          `json:"newSecretKey"`
	NewStatus      string          `json:"newStatus"`
	NewName        string          `json:"newName"`
	NewDescription string          `json:"newDescription"`
	NewExpiration  *time.Time      `json:"newExpiration"`
}

// updateServiceAccount changes a service key. It needs its action for the caller's own, too: a key
// that could change itself, or its sibling, would be what its policy makes it no longer.
func (c *call) updateServiceAccount() error {
	var in keyUpdate
	if err := c.decode(&in); err != nil {
		return err
	}
	if expires := expiry(in.NewExpiration); !expires.IsZero() {
		if c.lifetime = time.Until(expires); c.lifetime <= 0 {
			return invalid("The expiry lies in the future.")
		}
	}
	k, err := c.serviceKey()
	if err != nil {
		return err
	}
	if err := c.mayTouch("admin:UpdateServiceAccount", k.Parent, false); err != nil {
		return err
	}
	if c.id.Restricted() && k.Parent == c.self() {
		return c.refuse("admin:UpdateServiceAccount", iam.Decision{Statement: "a restricted credential changes no key of its user"})
	}
	up, err := in.update()
	if err != nil {
		return err
	}
	if _, err := c.IAM.UpdateAccessKey(c.ctx, k.AccessKey, up); err != nil {
		return err
	}
	return c.replyEmpty(http.StatusNoContent)
}

// update translates the request.
func (in *keyUpdate) update() (up iam.AccessKeyUpdate, err error) {
	if doc := in.NewPolicy; len(doc) > 0 && string(doc) != "null" {
		if doc, err = keyPolicy(doc); err != nil {
			return up, err
		}
		if isEmptyPolicy(doc) {
			doc = nil
		}
		up.Policy = &doc
	}
	if in.NewSecretKey != "" {
		if err := iam.CheckSecret(in.NewSecretKey); err != nil {
			return up, &Refusal{http.StatusBadRequest, "XMinioAdminInvalidSecretKey", "The secret key is invalid: " + err.Error() + "."}
		}
		up.Secret = &in.NewSecretKey
	}
	switch in.NewStatus {
	case "":
	case on, enabled, off, disabled:
		enable := in.NewStatus == on || in.NewStatus == enabled
		up.Enabled = &enable
	default:
		return up, invalid("The status is on or off.")
	}
	if in.NewName != "" {
		up.Name = &in.NewName
	}
	if in.NewDescription != "" {
		up.Description = &in.NewDescription
	}
	if in.NewExpiration != nil {
		expires := expiry(in.NewExpiration)
		up.Expires = &expires
	}
	return up, nil
}

// isEmptyPolicy tells a document without a version and statements, by which clients remove an
// embedded policy.
func isEmptyPolicy(doc []byte) bool {
	var p map[string]json.RawMessage
	if json.Unmarshal(doc, &p) != nil {
		return false
	}
	for name, v := range p {
		empty := string(v) == `""` || string(v) == "null" || string(v) == "[]"
		if name != "Version" && name != "Statement" || !empty {
			return false
		}
	}
	return true
}

// serviceKey returns the service key that the parameter accessKey names.
func (c *call) serviceKey() (iam.AccessKey, error) {
	name, err := c.name("accessKey")
	if err != nil {
		return iam.AccessKey{}, err
	}
	k, err := c.IAM.AccessKey(name)
	if err == nil && k.Own || errors.Is(err, iam.ErrNoSuchKey) {
		err = errNoServiceKey
	}
	return k, err
}

// keyInfo is a service key or a session as clients read it.
type keyInfo struct {
	ParentUser    string     `json:"parentUser"`
	AccountStatus string     `json:"accountStatus"`
	ImpliedPolicy bool       `json:"impliedPolicy"`
	Policy        string     `json:"policy"`
	Name          string     `json:"name,omitempty"`
	Description   string     `json:"description,omitempty"`
	Expiration    *time.Time `json:"expiration,omitempty"`
}

// infoServiceAccount answers with one service key.
func (c *call) infoServiceAccount() error {
	k, err := c.serviceKey()
	if merr := c.mayTouch("admin:ListServiceAccounts", k.Parent, err == nil && k.Parent == c.self()); merr != nil {
		return merr // who may not ask doesn't learn whether there is one
	}
	if err != nil {
		return err
	}
	info, err := c.keyInfo(&k)
	if err != nil {
		return err
	}
	return c.replySealed(info)
}

func (c *call) keyInfo(k *iam.AccessKey) (keyInfo, error) {
	out := keyInfo{
		ParentUser: plainName(k.Parent), AccountStatus: keyStatus(k.Enabled), ImpliedPolicy: len(k.Policy) == 0 && !k.Bounded,
		Policy: string(k.Policy), Name: k.Name, Description: k.Description, Expiration: k.Expires,
	}
	if len(k.Policy) == 0 {
		doc, err := c.rights(k.Parent, k.Grants)
		if err != nil {
			return out, err
		}
		out.Policy = string(doc)
	}
	return out, nil
}

// deleteServiceAccount removes a service key. Who may not remove it doesn't learn whether there
// is one.
func (c *call) deleteServiceAccount() error {
	k, err := c.serviceKey()
	if merr := c.mayTouch("admin:RemoveServiceAccount", k.Parent, err == nil && k.Parent == c.self()); merr != nil {
		return merr
	}
	if err != nil && !errors.Is(err, iam.ErrDamaged) {
		return err
	}
	if err := c.IAM.DeleteAccessKey(c.ctx, c.param("accessKey")); err != nil {
		return err
	}
	return c.replyEmpty(http.StatusNoContent)
}
