package main

import (
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/objsrv/objsrv/internal/kes"
)

// kesConfig says which MinIO KES keeps the keys of encryption.
type kesConfig struct {
	Endpoints                      string // with commas between
	Key                            string
	APIKey                         string
	CertFile, KeyFile, KeyPassword string
	CAPath                         string // a file, or a directory of files
}

func (k *kesConfig) used() bool { return k.Endpoints != "" }

// kesSettings are those of keys in MinIO KES.
func kesSettings() []setting {
	text := func(name string, secret bool, field func(*kesConfig) *string) setting {
		name = "KMS_KES_" + name
		return setting{name: name, minio: []string{"MINIO_" + name}, secret: secret, set: func(c *Config, value string) error {
			*field(&c.KES) = value
			return nil
		}}
	}
	return []setting{
		text("ENDPOINT", false, func(k *kesConfig) *string { return &k.Endpoints }),
		text("KEY_NAME", false, func(k *kesConfig) *string { return &k.Key }),
		text("API_KEY", true, func(k *kesConfig) *string { return &k.APIKey }),
		text("CERT_FILE", false, func(k *kesConfig) *string { return &k.CertFile }),
		text("KEY_FILE", false, func(k *kesConfig) *string { return &k.KeyFile }),
		text("KEY_PASSWORD", true, func(k *kesConfig) *string { return &k.KeyPassword }),
		text("CAPATH", false, func(k *kesConfig) *string { return &k.CAPath }),
	}
}

// checkKES refuses settings of KES that say nothing or can't be. Files are read when the keys are opened.
func (c *Config) checkKES() error {
	k := &c.KES
	if !k.used() {
		if *k != (kesConfig{}) {
			return usagef("settings of KES are given, but no OBJSRV_KMS_KES_ENDPOINT")
		}
		return nil
	}
	switch {
	case c.Vault.used():
		return usagef("OBJSRV_KMS_VAULT_ENDPOINT and OBJSRV_KMS_KES_ENDPOINT are both set: one key server keeps the keys")
	case (k.APIKey == "") == (k.CertFile == "" && k.KeyFile == ""):
		return usagef("OBJSRV_KMS_KES_: either API_KEY is needed, or CERT_FILE and KEY_FILE")
	case (k.CertFile == "") != (k.KeyFile == ""):
		return usagef("OBJSRV_KMS_KES_: CERT_FILE and KEY_FILE go together")
	case k.KeyPassword != "" && k.KeyFile == "":
		return usagef("OBJSRV_KMS_KES_KEY_PASSWORD is given, but no KEY_FILE")
	}
	if k.APIKey != "" {
		if _, err := kes.APIKey(k.APIKey); err != nil {
			return usagef("OBJSRV_KMS_KES_API_KEY: %v", err)
		}
	}
	o := k.options()
	if err := o.Check(); err != nil {
		return usagef("OBJSRV_KMS_KES_: %v", err)
	}
	return nil
}

// options are what can be said without reading files.
func (k *kesConfig) options() kes.Options {
	o := kes.Options{Key: k.Key}
	for endpoint := range strings.SplitSeq(k.Endpoints, ",") {
		if endpoint = strings.TrimSpace(endpoint); endpoint != "" {
			o.Endpoints = append(o.Endpoints, endpoint)
		}
	}
	return o
}

// openKES returns the keys of KES. That need not answer yet.
func openKES(c *Config) (namedKeys, error) {
	k := &c.KES
	o := k.options()
	var err error
	if k.APIKey != "" {
		o.Identity, err = kes.APIKey(k.APIKey)
	} else {
		o.Identity, err = kes.Files(k.CertFile, k.KeyFile, k.KeyPassword)
	}
	if err != nil {
		return nil, err
	}
	if o.Roots, err = authorities(k.CAPath); err != nil {
		return nil, fmt.Errorf("read the authorities of KES: %w", err)
	}
	remote, err := kes.New(o)
	if err != nil {
		return nil, err
	}
	return withBefore(c, remote, kes.Sealed)
}

// authorities reads the certificates of a file, or of the files of a directory; nil, the system's, for no path.
func authorities(path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil
	}
	files := []string{path}
	if info, err := os.Stat(path); err != nil {
		return nil, err
	} else if info.IsDir() {
		entries, err := os.ReadDir(path)
		if err != nil {
			return nil, err
		}
		files = nil
		for _, e := range entries {
			if !e.IsDir() {
				files = append(files, filepath.Join(path, e.Name()))
			}
		}
	}
	pool, found := x509.NewCertPool(), false
	for _, name := range files {
		pem, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		found = pool.AppendCertsFromPEM(pem) || found
	}
	if !found {
		return nil, fmt.Errorf("%s has no certificate", path)
	}
	return pool, nil
}
