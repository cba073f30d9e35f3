package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/objsrv/objsrv/internal/keyring"
	"github.com/objsrv/objsrv/internal/transit"
)

// TestVaultSettings has what is refused at the start.
func TestVaultSettings(t *testing.T) {
	good := vaultConfig{Options: transit.Options{Endpoint: "https://vault.example.com:8200", Key: "objects", Token: "t"}}
	for _, tt := range []struct {
		change func(*vaultConfig)
		want   string // in the refusal; "" for none
	}{
		{func(*vaultConfig) {}, ""},
		{func(v *vaultConfig) { *v = vaultConfig{} }, ""},
		{func(v *vaultConfig) { v.Endpoint = "" }, "OBJSRV_KMS_VAULT_ENDPOINT"},
		{func(v *vaultConfig) { v.Endpoint = "http://vault.example.com:8200" }, "https"},
		{func(v *vaultConfig) { v.Token = "" }, "token"},
		{func(v *vaultConfig) { v.Key = "" }, "default key"},
	} {
		c := Config{Vault: good}
		tt.change(&c.Vault)
		if err := c.checkVault(); (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: %v, want %q", c.Vault, err, tt.want)
		}
	}
}

// TestVaultKeys: what the directory's keys have sealed opens when a key server has taken over, and what that has sealed
// is asked of it. A directory without keys gets none.
func TestVaultKeys(t *testing.T) {
	dir, fresh := t.TempDir(), t.TempDir()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data := map[string]any{"type": "aes256-gcm96", "latest_version": 1, "ciphertext": "vault:v1:AAAA", "plaintext": base64.StdEncoding.EncodeToString([]byte("of the server"))}
		json.NewEncoder(w).Encode(map[string]any{"data": data})
	}))
	defer srv.Close()
	old, err := loadKeys(&Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	bound := []byte("b/k")
	before, err := old.Seal(t.Context(), old.Default(), []byte("of the directory"), bound)
	if err != nil {
		t.Fatal(err)
	}
	vault := vaultConfig{Options: transit.Options{Endpoint: srv.URL, Key: "objects", Token: "t"}}
	k, err := loadKeys(&Config{Dir: dir, Vault: vault})
	if err != nil {
		t.Fatal(err)
	}
	after, err := k.Seal(t.Context(), k.Default(), []byte("secret"), bound)
	if err != nil || k.Default() != "objects" || !transit.Sealed(after) {
		t.Fatal(string(after), err)
	}
	for _, tt := range []struct {
		name   string
		sealed []byte
		want   string
	}{{old.Default(), before, "of the directory"}, {"objects", after, "of the server"}} {
		got, err := k.Unseal(t.Context(), tt.name, tt.sealed, bound)
		if err != nil || !bytes.Equal(got, []byte(tt.want)) || !k.Newest(tt.name, tt.sealed) {
			t.Errorf("%s: %q %v", tt.name, got, err)
		}
	}
	if _, err := k.Unseal(t.Context(), old.Default(), before, []byte("b/other")); !errors.Is(err, keyring.ErrWrongKey) {
		t.Error(err)
	}
	if _, err := loadKeys(&Config{Dir: fresh, Vault: vault}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(fresh, keysFile)); !errors.Is(err, fs.ErrNotExist) {
		t.Error("keys were made that nobody uses:", err)
	}
	if err := os.WriteFile(filepath.Join(fresh, keysFile), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := loadKeys(&Config{Dir: fresh, Vault: vault}); err == nil {
		t.Error("damaged keys are passed over")
	}
}
