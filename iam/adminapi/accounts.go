package adminapi

import (
	"context"
	"fmt"
	"net/http"

	"github.com/objsrv/objsrv/iam"
)

// Owners know which buckets belong to an account.
type Owners interface {
	// BucketsOf returns the names of the buckets of an account, in byte order.
	BucketsOf(ctx context.Context, account string) ([]string, error)
}

// CreateAccount is the body of PUT accounts/{name}, whose name is the account's.
type CreateAccount struct {
	ID     string `json:"id,omitempty"`     // 12 digits; "" has the server make one
	Root   string `json:"root"`             // name of its root user, who does not exist yet
	Secret string `json:"secret,omitempty"` // of the root user; "" has the server make one
}

// CreatedAccount is the answer to PUT accounts/{name}: the only one that has a secret.
type CreatedAccount struct {
	iam.Account
	AccessKey string `json:"accessKey"`
	Secret    string `json:"secret"`
}

// AccountInfo is the answer to GET accounts/{id}.
type AccountInfo struct {
	iam.Account
	Buckets []string `json:"buckets"`
}

// AccountList is the answer to GET accounts.
type AccountList struct {
	Accounts []iam.Account `json:"accounts"`
}

func (c *call) listAccounts() error {
	return c.reply(http.StatusOK, AccountList{c.svc.Accounts()})
}

func (c *call) getAccount() error {
	a, err := c.svc.AccountInfo(c.name)
	if err != nil {
		return err
	}
	buckets, err := c.config.Host.BucketsOf(c.r.Context(), a.ID)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, AccountInfo{a, buckets})
}

// createAccount needs the right to attach policies as well: the root user that it makes may do everything in the account.
func (c *call) createAccount() error {
	if err := c.authorize(ActionAttachPolicy); err != nil {
		return err
	}
	var in CreateAccount
	if err := parse(c.body, &in); err != nil {
		return err
	}
	a, cred, err := c.svc.CreateAccount(c.r.Context(), iam.NewAccount{ID: in.ID, Name: c.name, Root: in.Root, Secret: in.Secret})
	if err != nil {
		return err
	}
	return c.reply(http.StatusCreated, CreatedAccount{a, cred.AccessKey, cred.Secret})
}

// deleteAccount removes an account that has no users, groups and buckets. Its root user is disabled while the buckets are
// counted, so that none is made meanwhile.
func (c *call) deleteAccount() error {
	ctx := c.r.Context()
	if c.svc.Bounded() {
		return c.svc.DeleteAccount(ctx, c.name) // which refuses
	}
	a, err := c.svc.AccountInfo(c.name)
	switch {
	case err != nil:
		return err
	case a.Deployment:
		return &Refusal{Status: http.StatusForbidden, Code: "ReservedName", Message: "The account is the deployment's."}
	case a.Users > 0:
		return iam.ErrAccountUsed
	}
	root, err := c.svc.User(a.Root)
	if err != nil {
		return err
	}
	if _, err := c.svc.SetStatus(ctx, a.Root, false); err != nil {
		return err
	}
	if err = c.refuseOwner(ctx, a.ID); err == nil {
		err = c.svc.DeleteAccount(ctx, a.ID)
	}
	if err != nil && root.Enabled {
		// Not ctx: who asked may have gone, and the root must not stay disabled for that.
		if _, again := c.svc.SetStatus(context.WithoutCancel(ctx), a.Root, true); again != nil {
			return fmt.Errorf("%w; its root user stays disabled: %w", err, again)
		}
	}
	if err != nil {
		return err
	}
	return c.reply(http.StatusNoContent, nil)
}

// refuseOwner refuses the deletion of an account that has buckets.
func (c *call) refuseOwner(ctx context.Context, account string) error {
	buckets, err := c.config.Host.BucketsOf(ctx, account)
	if err == nil && len(buckets) > 0 {
		err = &Refusal{Status: http.StatusConflict, Code: "DeleteConflict",
			Message: fmt.Sprintf("The account has %d buckets, %s among them: delete them first.", len(buckets), buckets[0])}
	}
	return err
}
