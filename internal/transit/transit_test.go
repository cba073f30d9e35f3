package transit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/objsrv/objsrv/internal/keyring"
)

// TestRealServer runs against OpenBao or Vault, the program that BAO names: `BAO=bao go test ./internal/transit`.
func TestRealServer(t *testing.T) {
	bao := os.Getenv("BAO")
	if bao == "" {
		t.Skip("BAO names no program: OpenBao or Vault")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	cmd := exec.Command(bao, "server", "-dev", "-dev-root-token-id=root", "-dev-listen-address="+addr)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	admin, err := New(Options{Endpoint: "http://" + addr, Key: "objects", Token: "root"})
	if err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(time.Minute)
	for {
		err := admin.ask(t.Context(), "POST", "sys/mounts/transit", map[string]string{"type": "transit"}, nil)
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%v\n%s", err, log.String())
		}
		time.Sleep(50 * time.Millisecond)
	}
	do := func(path string, in any) {
		t.Helper()
		if err := admin.ask(t.Context(), "POST", path, in, nil); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
	}
	exercise(t, Options{Endpoint: "http://" + addr, Key: "objects", Token: "root"})

	// A role whose tokens end at once.
	do("sys/auth/approle", map[string]string{"type": "approle"})
	do("sys/policies/acl/objsrv", map[string]string{"policy": `path "transit/*" { capabilities = ["create", "read", "update", "list"] }`})
	do("auth/approle/role/objsrv", map[string]any{"token_policies": "objsrv", "token_num_uses": 2})
	var role struct {
		ID string `json:"role_id"`
	}
	if err := admin.ask(t.Context(), "GET", "auth/approle/role/objsrv/role-id", nil, &role); err != nil {
		t.Fatal(err)
	}
	var secret struct {
		ID string `json:"secret_id"`
	}
	if err := admin.ask(t.Context(), "POST", "auth/approle/role/objsrv/secret-id", map[string]string{}, &secret); err != nil {
		t.Fatal(err)
	}
	exercise(t, Options{Endpoint: "http://" + addr, Key: "of-the-role", RoleID: role.ID, SecretID: secret.ID})

	renewReal(t, "http://"+addr, admin)

	// Versions that were retired open nothing.
	k, err := New(Options{Endpoint: "http://" + addr, Key: "objects", Token: "root"})
	if err != nil {
		t.Fatal(err)
	}
	sealed := must(k.Seal(t.Context(), "retired", []byte("secret"), nil))(t, k.Create(t.Context(), "retired"), k)
	if err := k.Rotate(t.Context(), "retired"); err != nil {
		t.Fatal(err)
	}
	do("transit/keys/retired/config", map[string]int{"min_decryption_version": 2})
	if _, err := k.Unseal(t.Context(), "retired", sealed, nil); !errors.Is(err, keyring.ErrNoKey) {
		t.Error("a retired version:", err)
	}
	do("transit/keys/signs", map[string]string{"type": "ed25519"})
	if _, err := k.Seal(t.Context(), "signs", []byte("secret"), nil); !errors.Is(err, keyring.ErrNoKey) {
		t.Error("a key of another type:", err)
	}
}

// must seals again after a key was made, whose first sealing had to fail.
func must(_ []byte, err error) func(*testing.T, error, *Keys) []byte {
	return func(t *testing.T, made error, k *Keys) []byte {
		t.Helper()
		if !errors.Is(err, keyring.ErrNoKey) || made != nil {
			t.Fatal(err, made)
		}
		sealed, err := k.Seal(t.Context(), "retired", []byte("secret"), nil)
		if err != nil {
			t.Fatal(err)
		}
		return sealed
	}
}

// exercise does with an engine what a ring can do.
func exercise(t *testing.T, o Options) {
	t.Helper()
	ctx := t.Context()
	k, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	secret, bound := []byte("thirty-two bytes of a secret key"), []byte("bucket/key")
	if _, err := k.Seal(ctx, k.Default(), secret, bound); !errors.Is(err, keyring.ErrNoKey) {
		t.Fatal("a key that is not there seals, or is made by that:", err)
	}
	if err := k.Create(ctx, k.Default()); err != nil {
		t.Fatal(err)
	}
	if err := k.Create(ctx, k.Default()); !errors.Is(err, keyring.ErrKeyExists) {
		t.Error(err)
	}
	if err := k.Create(ctx, "../sys/mounts/x"); !errors.Is(err, keyring.ErrName) {
		t.Error(err)
	}
	sealed, err := k.Seal(ctx, k.Default(), secret, bound)
	if err != nil || !Sealed(sealed) || bytes.Contains(sealed, secret) || !k.Newest(k.Default(), sealed) {
		t.Fatal(string(sealed), err)
	}
	unseals := func(name string, sealed, bound []byte, want error) {
		t.Helper()
		got, err := k.Unseal(ctx, name, sealed, bound)
		if !errors.Is(err, want) || want == nil && !bytes.Equal(got, secret) {
			t.Errorf("%q, %v, want %v", got, err, want)
		}
	}
	unseals(k.Default(), sealed, bound, nil)
	unseals(k.Default(), sealed, []byte("bucket/other"), keyring.ErrWrongKey)
	unseals(k.Default(), append(bytes.Clone(sealed[:len(sealed)-4]), "AAA="...), bound, keyring.ErrWrongKey)
	unseals("never-made", sealed, bound, keyring.ErrNoKey)
	unseals("../x", sealed, bound, keyring.ErrWrongKey)
	unseals(k.Default(), []byte("no ciphertext"), bound, keyring.ErrWrongKey)
	if err := k.Rotate(ctx, k.Default()); err != nil || k.Newest(k.Default(), sealed) {
		t.Error("a rotated key's first version is its newest", err)
	}
	if err := k.Rotate(ctx, "never-made"); !errors.Is(err, keyring.ErrNoKey) {
		t.Error(err)
	}
	unseals(k.Default(), sealed, bound, nil)
	again, err := k.Seal(ctx, k.Default(), secret, bound)
	if err != nil || !k.Newest(k.Default(), again) {
		t.Error(err)
	}
	unseals(k.Default(), again, bound, nil)
	list, err := k.List(ctx)
	found := false
	for _, one := range list {
		found = found || one.Name == k.Default() && one.Versions == 2 && !one.Created.IsZero() && !one.Rotated.Before(one.Created)
	}
	if err != nil || !found {
		t.Errorf("%+v %v", list, err)
	}
}

func TestOptions(t *testing.T) {
	good := Options{Endpoint: "https://vault.example.com:8200", Key: "objects", Token: "t"}
	change := func(f func(*Options)) Options {
		o := good
		f(&o)
		return o
	}
	for _, o := range []Options{good, change(func(o *Options) { o.Endpoint = "http://127.0.0.1:8200/" }), change(func(o *Options) { o.Mount = "team/transit" }),
		change(func(o *Options) { o.Token, o.RoleID, o.SecretID = "", "r", "s" })} {
		if _, err := New(o); err != nil {
			t.Errorf("%+v: %v", o, err)
		}
	}
	for _, f := range []func(*Options){
		func(o *Options) { o.Endpoint = "http://vault.example.com:8200" }, func(o *Options) { o.Endpoint = "vault:8200" }, func(o *Options) { o.Endpoint = "https://u:p@vault" },
		func(o *Options) { o.Endpoint = "https://vault/v1" }, func(o *Options) { o.Key = "" }, func(o *Options) { o.Key = "a/b" }, func(o *Options) { o.Token = "" },
		func(o *Options) { o.RoleID = "r" }, func(o *Options) { o.Token, o.RoleID = "", "r" }, func(o *Options) { o.Mount = "../sys" }, func(o *Options) { o.Mount = "a//b" },
	} {
		if _, err := New(change(f)); err == nil {
			t.Errorf("%+v is taken", change(f))
		}
	}
}

// TestTrouble has servers that can't help: nothing is taken for an answer, and errors hold no secret.
func TestTrouble(t *testing.T) {
	const token, secret = "hvs.the-token", "the secret of an object"
	var answer func(w http.ResponseWriter, r *http.Request)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("a redirect was followed with %q", r.Header.Get("X-Vault-Token"))
	}))
	defer elsewhere.Close()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/v1/transit/keys/") {
			json.NewEncoder(w).Encode(map[string]any{"data": map[string]any{"type": "aes256-gcm96", "latest_version": 1}})
			return
		}
		answer(w, r)
	}))
	defer srv.Close()
	k, err := New(Options{Endpoint: srv.URL, Key: "objects", Token: token})
	if err != nil {
		t.Fatal(err)
	}
	status := func(n int, text string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(n); fmt.Fprint(w, text) }
	}
	for name, tt := range map[string]struct {
		answer func(http.ResponseWriter, *http.Request)
		want   error
	}{
		"sealed":         {status(503, `{"errors":["Vault is sealed"]}`), keyring.ErrUnavailable},
		"no right":       {status(403, `{"errors":["permission denied"]}`), keyring.ErrUnavailable},
		"too many":       {status(429, `{}`), keyring.ErrUnavailable},
		"no JSON":        {status(200, `<html>`), keyring.ErrUnavailable},
		"no data":        {status(200, `{}`), keyring.ErrUnavailable},
		"no ciphertext":  {status(200, `{"data":{"ciphertext":"x"}}`), keyring.ErrUnavailable},
		"no key":         {status(400, `{"errors":["encryption key not found"]}`), keyring.ErrNoKey},
		"no such engine": {status(404, `{"errors":["no handler for route"]}`), keyring.ErrNoKey},
		"elsewhere":      {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, 307) }, keyring.ErrUnavailable},
		"cut": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, `{"data":`)
		}, keyring.ErrUnavailable},
	} {
		answer = tt.answer
		if _, err := k.Seal(t.Context(), "objects", []byte(secret), nil); !errors.Is(err, tt.want) || strings.Contains(err.Error(), token) || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", name, err)
		}
	}
	srv.Close()
	if _, err := k.Unseal(t.Context(), "objects", []byte("vault:v1:AAAA"), nil); !errors.Is(err, keyring.ErrUnavailable) {
		t.Error("down:", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := k.Unseal(ctx, "objects", []byte("vault:v1:AAAA"), nil); !errors.Is(err, context.Canceled) {
		t.Error("given up:", err)
	}
}
