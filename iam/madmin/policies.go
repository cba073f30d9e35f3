package madmin

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/objsrv/objsrv/iam"
)

// addPolicy makes or replaces a policy.
func (c *call) addPolicy() error {
	name, err := c.name("name")
	if err != nil {
		return err
	}
	if iam.CheckPolicyName(name) != nil {
		return &Refusal{http.StatusBadRequest, "PolicyInvalidName", "A policy name has 1 to 128 letters, digits and _ . @ + = -."}
	}
	if _, err := c.IAM.SetPolicy(c.ctx, name, c.body); err != nil {
		if errors.Is(err, iam.ErrReserved) {
			err = invalid("The policy is one of the server's own, which stays as it is.")
		}
		return err
	}
	return c.replyEmpty(http.StatusOK)
}

// removePolicy removes a policy that nobody has. As in MinIO it is no error when there is none.
func (c *call) removePolicy() error {
	name, err := c.name("name")
	if err != nil {
		return err
	}
	switch err := c.IAM.DeletePolicy(c.ctx, name); {
	case errors.Is(err, iam.ErrReserved):
		return invalid("The policy is one of the server's own, which stays as it is.")
	case err != nil && !errors.Is(err, iam.ErrNoSuchPolicy):
		return err
	}
	return c.replyEmpty(http.StatusOK)
}

// listPolicies answers with all documents, by name.
func (c *call) listPolicies() error {
	out := map[string]json.RawMessage{}
	for _, p := range c.IAM.Policies() {
		if p.Damaged == "" && (p.Account == "" || p.Account == c.IAM.Account()) {
			out[p.Name] = p.Document
		}
	}
	return c.reply(out)
}

// policyInfo is a policy as clients of version 2 read it.
type policyInfo struct {
	PolicyName string
	Policy     json.RawMessage
	CreateDate *time.Time `json:",omitempty"`
	UpdateDate *time.Time `json:",omitempty"`
}

// infoPolicy answers with one policy: the document alone, or with its times for v=2.
func (c *call) infoPolicy() error {
	name, err := c.name("name")
	if err != nil {
		return err
	}
	v := c.param("v")
	if v != "" && v != "2" {
		return invalid("The parameter v is 2 or absent.")
	}
	p, err := c.IAM.Policy(name)
	if err != nil {
		return err
	}
	if p.Damaged != "" {
		return &Refusal{http.StatusInternalServerError, "InternalError", "The record of the policy is damaged."}
	}
	if v == "2" {
		return c.reply(policyInfo{PolicyName: name, Policy: p.Document, CreateDate: p.Created, UpdateDate: p.Updated})
	}
	var out bytes.Buffer
	if err := json.Indent(&out, p.Document, "", " "); err != nil {
		return err
	}
	return c.send(http.StatusOK, "application/json", out.Bytes())
}
