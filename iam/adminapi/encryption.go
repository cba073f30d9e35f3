package adminapi

import (
	"context"
	"net/http"
	"time"
)

// Encryption is what the server knows of the keys of server-side encryption and of what they have sealed. Errors are a
// *Refusal where the client is to know why.
type Encryption interface {
	Keys(ctx context.Context) ([]EncryptionKey, error)
	CreateKey(ctx context.Context, name string) error
	RotateKey(ctx context.Context, name string) error
	// Reseal seals the keys of a page of objects anew where they were sealed with an older version.
	Reseal(ctx context.Context, in Reseal) (Resealed, error)
}

// EncryptionKey is an entry of GET encryption-keys.
type EncryptionKey struct {
	Name     string     `json:"name"`
	Default  bool       `json:"default,omitempty"`
	Outside  bool       `json:"outside,omitempty"` // given by a setting, and changed there
	Versions int        `json:"versions"`
	Created  *time.Time `json:"created,omitempty"`
	Rotated  *time.Time `json:"rotated,omitempty"` // when the newest version was made
}

// EncryptionKeys is the answer to GET encryption-keys.
type EncryptionKeys struct {
	Keys []EncryptionKey `json:"keys"`
}

// Reseal is the body of POST encryption/reseal: a page of the versions of all buckets, behind what the answer before
// told; the zero value begins.
type Reseal struct {
	Bucket    string `json:"bucket,omitempty"`
	Key       string `json:"key,omitempty"`
	VersionID string `json:"versionId,omitempty"`
}

// Resealed is the answer to POST encryption/reseal.
type Resealed struct {
	Looked   int     `json:"looked"`           // versions that were looked at
	Resealed int     `json:"resealed"`         // whose keys were sealed anew
	Failed   int     `json:"failed,omitempty"` // whose keys don't open, and stay as they are
	First    string  `json:"first,omitempty"`  // which is the first of those, and why
	Next     *Reseal `json:"next,omitempty"`
}

// errNoKeys says that the server encrypts nothing.
var errNoKeys = &Refusal{Status: http.StatusNotImplemented, Code: "NotImplemented", Message: "This server has no keys of encryption."}

func (c *call) listEncryptionKeys() error {
	if c.config.Encryption == nil {
		return errNoKeys
	}
	keys, err := c.config.Encryption.Keys(c.r.Context())
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, EncryptionKeys{Keys: keys})
}

// changeKey does something with the key that the path names.
func (c *call) changeKey(do func(Encryption, context.Context, string) error) error {
	if len(c.body) > 0 {
		return badBody("this request has none")
	}
	if c.config.Encryption == nil {
		return errNoKeys
	}
	if err := do(c.config.Encryption, c.r.Context(), c.name); err != nil {
		return err
	}
	return c.reply(http.StatusNoContent, nil)
}

func (c *call) createEncryptionKey() error { return c.changeKey(Encryption.CreateKey) }

func (c *call) rotateEncryptionKey() error { return c.changeKey(Encryption.RotateKey) }

func (c *call) reseal() error {
	in := Reseal{}
	if err := parse(c.body, &in); err != nil {
		return err
	}
	if c.config.Encryption == nil {
		return errNoKeys
	}
	out, err := c.config.Encryption.Reseal(c.r.Context(), in)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, out)
}
