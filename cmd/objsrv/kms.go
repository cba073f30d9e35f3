package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/objsrv/objsrv/iam/adminapi"
	"github.com/objsrv/objsrv/iam/madmin"
	"github.com/objsrv/objsrv/internal/keyring"
	"github.com/objsrv/objsrv/s3api"
)

// DefaultKey implements madmin.Keys.
func (h *host) DefaultKey() string {
	if h.services.keys == nil { // of a gateway
		return ""
	}
	return h.services.keys.Default()
}

// EncryptionKeys implements madmin.Keys.
func (h *host) EncryptionKeys(ctx context.Context) ([]madmin.EncryptionKey, error) {
	keys, err := h.services.keys.List(ctx)
	out := make([]madmin.EncryptionKey, len(keys))
	for i, k := range keys {
		out[i] = madmin.EncryptionKey{Name: k.Name, Created: k.Created}
	}
	return out, unavailable(err)
}

// CreateEncryptionKey implements madmin.Keys.
func (h *host) CreateEncryptionKey(ctx context.Context, name string) error {
	err := h.services.keys.Create(ctx, name)
	switch {
	case errors.Is(err, keyring.ErrKeyExists):
		return &madmin.Refusal{Status: http.StatusConflict, Code: "XMinioKMSKeyAlreadyExists", Message: "A key of this name exists."}
	case errors.Is(err, keyring.ErrName):
		return &madmin.Refusal{Status: http.StatusBadRequest, Code: "XMinioAdminInvalidArgument", Message: fmt.Sprintf("%q is %v.", name, err)}
	}
	if status, _, message := diskRefusal(err); status == http.StatusInsufficientStorage {
		return &madmin.Refusal{Status: status, Code: "XMinioStorageFull", Message: message}
	}
	return unavailable(err)
}

// unavailable says that a key server can't be asked.
func unavailable(err error) error {
	if errors.Is(err, keyring.ErrUnavailable) {
		return &madmin.Refusal{Status: http.StatusServiceUnavailable, Code: "ServiceUnavailable", Message: err.Error()}
	}
	return err
}

// TryEncryptionKey implements madmin.Keys.
func (h *host) TryEncryptionKey(ctx context.Context, name string) (encrypt, decrypt error) {
	secret, where := []byte("objsrv tries a key"), []byte("status")
	sealed, err := h.services.keys.Seal(ctx, name, secret, where)
	if errors.Is(err, keyring.ErrNoKey) {
		return errors.New("key with given key ID does not exist"), nil // as MinIO says it
	}
	if err != nil {
		return err, nil
	}
	got, err := h.services.keys.Unseal(ctx, name, sealed, where)
	if err == nil && !bytes.Equal(got, secret) {
		err = fmt.Errorf("decrypted to something else: %w", keyring.ErrWrongKey)
	}
	return nil, err
}

// encryption is what administrators may do with keys over our own face. It implements adminapi.Encryption.
type encryption struct{ s *services }

// encryption returns the keys as administrators see them, nil in a gateway, which has none.
func (s *services) encryption() adminapi.Encryption {
	if s.keys == nil {
		return nil
	}
	return encryption{s}
}

// Keys implements adminapi.Encryption.
func (e encryption) Keys(ctx context.Context) ([]adminapi.EncryptionKey, error) {
	keys, err := e.s.keys.List(ctx)
	err = keyRefusal("", err)
	out := make([]adminapi.EncryptionKey, len(keys))
	for i, k := range keys {
		out[i] = adminapi.EncryptionKey{Name: k.Name, Default: k.Name == e.s.keys.Default(), Outside: k.Root, Versions: k.Versions}
		if !k.Root {
			out[i].Created, out[i].Rotated = &keys[i].Created, &keys[i].Rotated
		}
	}
	return out, err
}

// keyRefusal tells the client what is wrong with the name of a key.
func keyRefusal(name string, err error) error {
	refuse := func(status int, code, format string, args ...any) error {
		return &adminapi.Refusal{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
	}
	switch {
	case errors.Is(err, keyring.ErrKeyExists):
		return refuse(http.StatusConflict, "KeyExists", "There is a key named %q.", name)
	case errors.Is(err, keyring.ErrNoKey):
		return refuse(http.StatusNotFound, "NoSuchKey", "The server has no key named %q of its own.", name)
	case errors.Is(err, keyring.ErrName):
		return refuse(http.StatusBadRequest, "InvalidArgument", "%q is %v.", name, err)
	case errors.Is(err, errors.ErrUnsupported):
		return refuse(http.StatusNotImplemented, "NotImplemented", "The key server has no versions of keys: make another key, and make it the default.")
	case errors.Is(err, keyring.ErrUnavailable):
		return refuse(http.StatusServiceUnavailable, "ServiceUnavailable", "%v", err)
	}
	if status, code, message := diskRefusal(err); status != 0 {
		return refuse(status, code, "%s", message)
	}
	return err
}

// CreateKey implements adminapi.Encryption.
func (e encryption) CreateKey(ctx context.Context, name string) error {
	return keyRefusal(name, e.s.keys.Create(ctx, name))
}

// RotateKey implements adminapi.Encryption.
func (e encryption) RotateKey(ctx context.Context, name string) error {
	return keyRefusal(name, e.s.keys.Rotate(ctx, name))
}

// Reseal implements adminapi.Encryption.
func (e encryption) Reseal(ctx context.Context, in adminapi.Reseal) (out adminapi.Resealed, err error) {
	page, err := e.s.s3.Reseal(ctx, s3api.ResealPlace{Bucket: in.Bucket, Key: in.Key, VersionID: in.VersionID})
	if err != nil {
		return out, keyRefusal("", err)
	}
	out = adminapi.Resealed{Looked: page.Looked, Resealed: page.Resealed, Failed: page.Failed}
	if page.First != nil {
		out.First = page.First.Error()
	}
	if next := page.Next; next != (s3api.ResealPlace{}) {
		out.Next = &adminapi.Reseal{Bucket: next.Bucket, Key: next.Key, VersionID: next.VersionID}
	}
	return out, nil
}
