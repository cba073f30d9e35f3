package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/objsrv/objsrv/internal/keyring"
)

// keysFile, in the data directory, holds the named keys of server-side encryption. Without it nothing that they have
// encrypted can be read again.
const keysFile = "keys.json"

// encryptionSettings are those of encryption and compression.
func encryptionSettings() []setting {
	return []setting{
		{name: "KMS_SECRET_KEY", minio: []string{"MINIO_KMS_SECRET_KEY"}, secret: true, set: func(c *Config, v string) (err error) {
			c.RootKey, err = keyring.ParseRoot(v)
			return err
		}},
		{name: "KMS_AUTO_ENCRYPTION", minio: []string{"MINIO_KMS_AUTO_ENCRYPTION"}, def: "off", set: func(c *Config, v string) (err error) {
			c.AutoEncrypt, err = parseSwitch(v)
			return err
		}},
		{name: "COMPRESSION_ENABLE", minio: []string{"MINIO_COMPRESSION_ENABLE"}, def: "off",
			usage: "compress objects that shrink", stored: "compression enable", kind: "on|off", set: func(c *Config, v string) (err error) {
				c.Compression.Enabled, err = parseSwitch(v)
				return err
			}},
		{name: "COMPRESSION_EXTENSIONS", minio: []string{"MINIO_COMPRESSION_EXTENSIONS"}, def: ".txt,.log,.csv,.json,.tar,.xml,.bin",
			usage: "compress keys with these extensions; * for all", stored: "compression extensions", kind: "csv", set: func(c *Config, v string) (err error) {
				c.Compression.Extensions, err = parseList(v, ".", "")
				return err
			}},
		{name: "COMPRESSION_MIME_TYPES", minio: []string{"MINIO_COMPRESSION_MIME_TYPES"}, def: "text/*,application/json,application/xml,binary/octet-stream",
			usage: "compress content of these types; * for all", stored: "compression mime_types", kind: "csv", set: func(c *Config, v string) (err error) {
				c.Compression.Types, err = parseList(v, "/", "*")
				return err
			}},
		{name: "COMPRESSION_ALLOW_ENCRYPTION", minio: []string{"MINIO_COMPRESSION_ALLOW_ENCRYPTION"}, def: "off",
			usage: "compress encrypted objects too", stored: "compression allow_encryption", kind: "on|off", set: func(c *Config, v string) (err error) {
				c.Compression.Encrypted, err = parseSwitch(v)
				return err
			}},
	}
}

// parseList reads a list with commas, whose entries must have mark in them or be "*", which becomes all.
func parseList(v, mark, all string) (list []string, err error) {
	for e := range strings.SplitSeq(v, ",") {
		switch e = strings.TrimSpace(e); {
		case e == "":
		case e == "*":
			list = append(list, all)
		case !strings.Contains(e, mark):
			return nil, fmt.Errorf("%q has no %q", e, mark)
		default:
			list = append(list, e)
		}
	}
	return list, nil
}

// loadKeys opens the keys of a key server, or reads those of the data directory; the first start makes them.
func loadKeys(c *Config) (namedKeys, error) {
	if c.Vault.used() {
		return openVault(c)
	}
	if c.KES.used() {
		return openKES(c)
	}
	r, err := readRing(c)
	if errors.Is(err, fs.ErrNotExist) {
		r, err = openRing(c, nil)
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}

// readRing reads the keys of the data directory; fs.ErrNotExist when there are none.
func readRing(c *Config) (*keyring.Ring, error) {
	doc, err := os.ReadFile(filepath.Join(c.Dir, keysFile))
	if err != nil {
		return nil, fmt.Errorf("read keys of encryption: %w", err)
	}
	if doc == nil {
		doc = []byte{} // an empty file is damage, not a first start
	}
	return openRing(c, doc)
}

// openRing opens the keys of a document, and makes new ones without.
func openRing(c *Config, doc []byte) (*keyring.Ring, error) {
	name := filepath.Join(c.Dir, keysFile)
	r, err := keyring.Open(keyring.Options{Document: doc, Root: c.RootKey, Save: func(b []byte) error { return writeDurably(name, b) }})
	switch {
	case errors.Is(err, keyring.ErrRoot):
		return nil, fmt.Errorf("%s: %w: set OBJSRV_KMS_SECRET_KEY to the key that was there when it was written", name, err)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return r, nil
}
