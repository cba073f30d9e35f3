package iam

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// Kinds of records in the store. Every record carries the account it belongs to and the
// version of its format; a record of a format that this program does not know counts
// as damaged, so that a rule it can't read is never left out.
const (
	kindDeployment = "deployment" // one record, nameDeployment
	kindUser       = "user"       // by user name
	kindKey        = "key"        // by access key
	kindPolicy     = "policy"     // by policy name

	nameDeployment = "self"
	formatVersion  = 1
)

type header struct {
	Format  int    `json:"v"`
	Account string `json:"account"`
}

// deploymentRecord fixes what a deployment is born with.
type deploymentRecord struct {
	header
	Created time.Time `json:"created"`
}

// userRecord is a user. Its keys have records of their own, which name it by its unique id.
type userRecord struct {
	header
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Disabled bool      `json:"disabled,omitempty"`
	Policies []string  `json:"policies,omitempty"`
	Keys     []string  `json:"keys,omitempty"`
	Created  time.Time `json:"created"`
	Updated  time.Time `json:"updated"`
}

// keyRecord is an access key of the user whose id is UserID. UserName is there to tell
// an owner whose record is damaged from one that is gone.
type keyRecord struct {
	header
	AccessKey string    `json:"accessKey"`
	Secret    string    `json:"secret"`
	UserID    string    `json:"userId"`
	UserName  string    `json:"userName"`
	Disabled  bool      `json:"disabled,omitempty"`
	Created   time.Time `json:"created"`
}

// policyRecord is a policy made by an administrator.
type policyRecord struct {
	header
	Name     string          `json:"name"`
	Document json.RawMessage `json:"document"`
	Created  time.Time       `json:"created"`
	Updated  time.Time       `json:"updated"`
}

// encode makes the value of a record.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode record: %w", err)
	}
	return b.Bytes(), nil
}

// decode reads the value of a record strictly into v, whose header is h.
func decode(value []byte, v any, h *header) error {
	dec := json.NewDecoder(bytes.NewReader(value))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return fmt.Errorf("decode record: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("decode record: text follows it")
	}
	if h.Format != formatVersion {
		return fmt.Errorf("decode record: format %d is not known", h.Format)
	}
	return CheckAccount(h.Account)
}
