package madmin

import (
	"context"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/objsrv/objsrv/iam"
)

// Keys are the named keys of server-side encryption.
type Keys interface {
	// DefaultKey is the key for who names none; "" when the server has no keys, and nothing else is asked then.
	DefaultKey() string
	// EncryptionKeys returns all keys by name.
	EncryptionKeys(ctx context.Context) ([]EncryptionKey, error)
	// CreateEncryptionKey makes a key. The error is a *Refusal when the client is to know why.
	CreateEncryptionKey(ctx context.Context, name string) error
	// TryEncryptionKey encrypts with a key and decrypts what that gave; each error is for the client.
	TryEncryptionKey(ctx context.Context, name string) (encrypt, decrypt error)
}

// EncryptionKey describes a key.
type EncryptionKey struct {
	Name    string
	Created time.Time // zero when it is not known
}

// oldKMSRoutes are the rows of older clients, below admin/v3/.
func oldKMSRoutes() []route {
	return []route{
		{method: post, path: "kms/status", op: "KMSStatus", rule: need("admin:KMSKeyStatus"), serve: withKeys((*call).kmsStatus)},
		{method: post, path: "kms/key/create", query: "key-id", op: "KMSCreateKey", rule: need("admin:KMSCreateKey"), serve: withKeys((*call).createKMSKey)},
		{method: get, path: "kms/key/status", optional: "key-id", op: "KMSKeyStatus", rule: need("admin:KMSKeyStatus"), serve: withKeys((*call).kmsKeyStatus)},
	}
}

// kmsRoutes are the rows below kms/v1/. Their actions are not of the family admin, and are about the key that is
// named.
func kmsRoutes() []route {
	return []route{
		{method: get, path: "status", op: "KMSStatus", rule: need("kms:Status"), serve: withKeys((*call).kmsStatus)},
		{method: get, path: "metrics", op: "KMSMetrics", rule: need("kms:Metrics")},
		{method: get, path: "apis", op: "KMSAPIs", rule: need("kms:API")},
		{method: get, path: "version", op: "KMSVersion", rule: need("kms:Version"), serve: (*call).kmsVersion},
		{method: post, path: "key/create", query: "key-id", op: "KMSCreateKey", rule: need("kms:CreateKey"), serve: withKeys((*call).createKMSKey)},
		{method: get, path: "key/list", query: "pattern", op: "KMSListKeys", rule: need("kms:ListKeys"), serve: withKeys((*call).listKMSKeys)},
		{method: get, path: "key/status", optional: "key-id", op: "KMSKeyStatus", rule: need("kms:KeyStatus"), serve: withKeys((*call).kmsKeyStatus)},
	}
}

// kmsKey is the key that the request is about, and so what actions of the family kms are about: the one that it names,
// else the default one where there must be one.
func (c *call) kmsKey() string {
	if name := c.param("key-id"); name != "" || !strings.HasSuffix(c.r.URL.Path, "/key/status") {
		return name
	}
	return c.Host.DefaultKey()
}

// withKeys is a handler for who has keys.
func withKeys(serve func(*call) error) func(*call) error {
	return func(c *call) error {
		if c.Host.DefaultKey() == "" {
			return &Refusal{http.StatusNotImplemented, "NotImplemented", "This server has no keys of encryption."}
		}
		return serve(c)
	}
}

// kmsStatus tells of a key management that is this server itself.
func (c *call) kmsStatus() error {
	s, err := c.Host.Server(c.ctx)
	if err != nil {
		return err
	}
	return c.reply(struct {
		Name       string            `json:"name"`
		DefaultKey string            `json:"default-key-id"`
		Endpoints  map[string]string `json:"endpoints"`
	}{"objsrv builtin", c.Host.DefaultKey(), map[string]string{s.Node: "online"}})
}

func (c *call) kmsVersion() error {
	return c.reply(struct {
		Version string `json:"version"`
	}{"v1"})
}

func (c *call) createKMSKey() error {
	if err := c.Host.CreateEncryptionKey(c.ctx, c.kmsKey()); err != nil {
		return err
	}
	return c.replyEmpty(http.StatusOK)
}

// listKMSKeys lists the keys that match a pattern and that the caller may know.
func (c *call) listKMSKeys() error {
	type item struct {
		CreatedAt time.Time `json:"createdAt"`
		CreatedBy string    `json:"createdBy"`
		Name      string    `json:"name"`
	}
	pattern := c.param("pattern")
	if pattern == "" {
		pattern = "*"
	}
	keys, err := c.Host.EncryptionKeys(c.ctx)
	if err != nil {
		return err
	}
	list := []item{}
	for _, k := range keys {
		ok, err := path.Match(pattern, k.Name)
		if err != nil {
			return invalid("The pattern " + quote(pattern) + " is malformed.")
		}
		if ok && c.handler.IAM.Authorize(&iam.Request{Identity: c.id, Action: "kms:ListKeys", KMSKey: k.Name, Conditions: c.conditions()}).Allowed {
			list = append(list, item{CreatedAt: k.Created, Name: k.Name})
		}
	}
	return c.reply(list)
}

// kmsKeyStatus tries a key, the default one when none is named.
func (c *call) kmsKeyStatus() error {
	out := struct {
		Key        string `json:"key-id"`
		EncryptErr string `json:"encryption-error,omitempty"`
		DecryptErr string `json:"decryption-error,omitempty"`
	}{Key: c.kmsKey()}
	encrypt, decrypt := c.Host.TryEncryptionKey(c.ctx, out.Key)
	if encrypt != nil {
		out.EncryptErr = encrypt.Error()
	}
	if decrypt != nil {
		out.DecryptErr = decrypt.Error()
	}
	return c.reply(out)
}
