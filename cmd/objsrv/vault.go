package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"

	"github.com/objsrv/objsrv/internal/keyring"
	"github.com/objsrv/objsrv/internal/transit"
	"github.com/objsrv/objsrv/s3api"
)

// vaultConfig says which Vault or OpenBao keeps the keys of encryption.
type vaultConfig struct {
	transit.Options
	CAFile string
}

func (v *vaultConfig) used() bool { return v.Endpoint != "" }

// vaultSettings are those of keys in HashiCorp Vault or OpenBao.
func vaultSettings() []setting {
	text := func(name string, secret bool, field func(*vaultConfig) *string) setting {
		return setting{name: "KMS_VAULT_" + name, secret: secret, set: func(c *Config, value string) error {
			*field(&c.Vault) = value
			return nil
		}}
	}
	return []setting{
		text("ENDPOINT", false, func(v *vaultConfig) *string { return &v.Endpoint }),
		text("MOUNT", false, func(v *vaultConfig) *string { return &v.Mount }),
		text("NAMESPACE", false, func(v *vaultConfig) *string { return &v.Namespace }),
		text("KEY", false, func(v *vaultConfig) *string { return &v.Key }),
		text("TOKEN", true, func(v *vaultConfig) *string { return &v.Token }),
		text("ROLE_ID", false, func(v *vaultConfig) *string { return &v.RoleID }),
		text("SECRET_ID", true, func(v *vaultConfig) *string { return &v.SecretID }),
		text("CA_FILE", false, func(v *vaultConfig) *string { return &v.CAFile }),
	}
}

// checkVault refuses settings of a key server that say nothing or can't be.
func (c *Config) checkVault() error {
	v := &c.Vault
	switch {
	case !v.used() && *v != (vaultConfig{}):
		return usagef("settings of Vault are given, but no OBJSRV_KMS_VAULT_ENDPOINT")
	case v.used():
		if _, err := transit.New(v.Options); err != nil {
			return usagef("OBJSRV_KMS_VAULT_: %v", err)
		}
	}
	return nil
}

// namedKeys are the keys of encryption, wherever they are.
type namedKeys interface {
	s3api.Keys
	Create(ctx context.Context, name string) error
	Rotate(ctx context.Context, name string) error
	List(ctx context.Context) ([]keyring.Key, error)
}

// serverKeys seals by a key server, and unseals what the keys of the directory, which the root key opens, sealed before.
type serverKeys struct {
	namedKeys
	sealed func(sealed []byte) bool // tells what the key server has sealed
	before *keyring.Ring            // nil when the directory has none
}

// withBefore adds the directory's keys to those of a key server.
func withBefore(c *Config, remote namedKeys, sealed func([]byte) bool) (namedKeys, error) {
	before, err := readRing(c)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return serverKeys{remote, sealed, before}, nil
}

// Unseal implements s3api.Keys.
func (k serverKeys) Unseal(ctx context.Context, name string, sealed, bound []byte) ([]byte, error) {
	if k.before != nil && !k.sealed(sealed) {
		return k.before.Unseal(ctx, name, sealed, bound)
	}
	return k.namedKeys.Unseal(ctx, name, sealed, bound)
}

// Newest implements s3api.Keys. What the directory's keys have sealed is left to them: the key server may have no key of
// that name.
func (k serverKeys) Newest(name string, sealed []byte) bool {
	if k.before != nil && !k.sealed(sealed) {
		return k.before.Newest(name, sealed)
	}
	return k.namedKeys.Newest(name, sealed)
}

// openVault returns the keys of the key server. That need not answer yet.
func openVault(c *Config) (namedKeys, error) {
	o := c.Vault.Options
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 64
	if c.Vault.CAFile != "" {
		pem, err := os.ReadFile(c.Vault.CAFile)
		if err != nil {
			return nil, fmt.Errorf("read the authorities of Vault: %w", err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s has no certificate", c.Vault.CAFile)
		}
		t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool}
	}
	o.Client = &http.Client{Transport: t}
	remote, err := transit.New(o)
	if err != nil {
		return nil, err
	}
	return withBefore(c, remote, transit.Sealed)
}

// keeper is a key server whose tokens end.
type keeper interface {
	Keep(ctx context.Context) error
}

// Keep implements keeper.
func (k serverKeys) Keep(ctx context.Context) error {
	if remote, ok := k.namedKeys.(keeper); ok {
		return remote.Keep(ctx)
	}
	return nil
}

// keepToken renews the token of the key server until the returned function is called, which waits for its end. That it
// can't be renewed is logged once.
func (s *services) keepToken() (stop func()) {
	k, ok := s.keys.(keeper)
	if !ok {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := k.Keep(ctx); err != nil {
			s.log.Error("the token of the key server is not renewed; encrypted objects are not available when it has ended: set another OBJSRV_KMS_VAULT_TOKEN and start again", "error", err)
		}
	}()
	return func() { cancel(); <-done }
}
