// Package transit keeps the named keys of server-side encryption in HashiCorp Vault or OpenBao: it seals and unseals by
// their transit secrets engine, as keyring.Ring does by keys of its own. It may import the standard library and
// internal/keyring, whose errors and rule of names it shares. The protocol is that of Vault's API reference, "Transit
// secrets engine (API)", "AppRole auth method (API)" and "Token auth method (API)".
//
// Every seal and unseal is a request; nothing of a key or of what it sealed is kept in memory here. Where the server
// can't be asked the error is keyring.ErrUnavailable, and the next request asks again.
package transit

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/objsrv/objsrv/internal/keyring"
)

// Options of New.
type Options struct {
	Endpoint  string // https://HOST[:PORT]; plain HTTP to a loopback address only, since secrets travel
	Mount     string // of the engine; "" means transit
	Namespace string // of Vault Enterprise and OpenBao; "" means the root
	Key       string // the key for who names none
	// Token, or RoleID and SecretID, with which tokens are asked for anew when one has ended.
	Token            string
	RoleID, SecretID string
	Timeout          time.Duration // of one question, waiting for a login included; 0 means 10 s
	Client           *http.Client  // nil means one of its own
}

// Keys are the keys of an engine. It is safe for concurrent use.
type Keys struct {
	opts   Options
	client *http.Client

	login  chan struct{} // has room for who logs in
	mu     sync.Mutex
	token  string
	number int             // of the token: 1 for the first
	known  map[string]bool // keys that are there and can bind a context
}

// New checks o. It asks the server nothing, which may be down.
func New(o Options) (*Keys, error) {
	u, err := url.Parse(o.Endpoint)
	switch {
	case err != nil || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil:
		return nil, fmt.Errorf("%q is not of the form https://HOST[:PORT]", o.Endpoint)
	case u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())):
		return nil, fmt.Errorf("%q: keys travel over https only, but to this machine itself", o.Endpoint)
	case keyring.CheckName(o.Key) != nil:
		return nil, fmt.Errorf("the default key: %w", keyring.CheckName(o.Key))
	case (o.Token == "") == (o.RoleID == "") || (o.RoleID == "") != (o.SecretID == ""):
		return nil, errors.New("a token is needed, or the id of a role with its secret")
	}
	if o.Mount == "" {
		o.Mount = "transit"
	}
	for element := range strings.SplitSeq(o.Mount, "/") {
		if keyring.CheckName(element) != nil || strings.Trim(element, ".") == "" {
			return nil, fmt.Errorf("%q is not the path of a secrets engine", o.Mount)
		}
	}
	o.Endpoint = strings.TrimRight(o.Endpoint, "/")
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	k := &Keys{opts: o, client: o.Client, token: o.Token, number: 1, known: map[string]bool{}, login: make(chan struct{}, 1)}
	if k.client == nil {
		k.client = new(http.Client)
	}
	// Who redirects would get the token.
	client := *k.client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	k.client = &client
	return k, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// prefix is how everything begins that the engine has sealed: "vault:v1:...".
const prefix = "vault:v"

// Sealed tells whether something was sealed by such an engine.
func Sealed(sealed []byte) bool { return bytes.HasPrefix(sealed, []byte(prefix)) }

// Default is the key for who names none.
func (k *Keys) Default() string { return k.opts.Key }

// Seal encrypts a secret with the newest version of a key and binds it to a context. ErrNoKey, ErrUnavailable.
func (k *Keys) Seal(ctx context.Context, name string, secret, bound []byte) ([]byte, error) {
	// The engine makes a key that it does not have, when the token allows it: a slip of the pen must not.
	if err := k.know(ctx, name); err != nil {
		return nil, err
	}
	in := map[string]string{"plaintext": base64.StdEncoding.EncodeToString(secret), "associated_data": base64.StdEncoding.EncodeToString(bound)}
	var out struct{ Ciphertext string }
	if err := k.ask(ctx, http.MethodPost, k.path("encrypt", name), in, &out); err != nil {
		return nil, fmt.Errorf("seal with key %q: %w", name, err)
	}
	if !Sealed([]byte(out.Ciphertext)) {
		return nil, fmt.Errorf("seal with key %q: %w: the answer is no ciphertext", name, keyring.ErrUnavailable)
	}
	return []byte(out.Ciphertext), nil
}

// Unseal is the inverse of Seal. ErrNoKey also when the key does not have the version any more; ErrWrongKey,
// ErrUnavailable.
func (k *Keys) Unseal(ctx context.Context, name string, sealed, bound []byte) ([]byte, error) {
	if !Sealed(sealed) || keyring.CheckName(name) != nil {
		return nil, fmt.Errorf("key %q: %w", name, keyring.ErrWrongKey)
	}
	in := map[string]string{"ciphertext": string(sealed), "associated_data": base64.StdEncoding.EncodeToString(bound)}
	var out struct{ Plaintext string }
	if err := k.ask(ctx, http.MethodPost, k.path("decrypt", name), in, &out); err != nil {
		return nil, fmt.Errorf("unseal with key %q: %w", name, err)
	}
	secret, err := base64.StdEncoding.DecodeString(out.Plaintext)
	if err != nil {
		return nil, fmt.Errorf("unseal with key %q: %w: the answer is no plaintext", name, keyring.ErrUnavailable)
	}
	return secret, nil
}

// Newest tells whether something was sealed with the newest version of the key; false also when it can't be told.
func (k *Keys) Newest(name string, sealed []byte) bool {
	version, _, ok := strings.Cut(strings.TrimPrefix(string(sealed), prefix), ":")
	if !ok || !Sealed(sealed) {
		return false
	}
	info, err := k.read(context.Background(), name) // which has a deadline of its own
	return err == nil && version == strconv.Itoa(info.Latest)
}

// keyInfo is what the engine tells of a key.
type keyInfo struct {
	Type   string         `json:"type"`
	Latest int            `json:"latest_version"`
	Keys   map[string]any `json:"keys"` // by version: seconds since 1970, or more for asymmetric keys
}

func (k *Keys) read(ctx context.Context, name string) (info keyInfo, err error) {
	if err := keyring.CheckName(name); err != nil {
		return info, fmt.Errorf("%w: %w", keyring.ErrNoKey, err)
	}
	err = k.ask(ctx, http.MethodGet, k.path("keys", name), nil, &info)
	if err != nil {
		err = fmt.Errorf("read key %q: %w", name, err)
	}
	return info, err
}

// know makes sure, once, that a key is there and binds contexts.
func (k *Keys) know(ctx context.Context, name string) error {
	k.mu.Lock()
	known := k.known[name]
	k.mu.Unlock()
	if known {
		return nil
	}
	info, err := k.read(ctx, name)
	if err != nil {
		return err
	}
	if !slices.Contains([]string{"aes256-gcm96", "chacha20-poly1305"}, info.Type) {
		return fmt.Errorf("key %q: %w: it is of the type %q; use aes256-gcm96 or chacha20-poly1305", name, keyring.ErrNoKey, info.Type)
	}
	k.mu.Lock()
	k.known[name] = true
	k.mu.Unlock()
	return nil
}

// Create makes a key of the type aes256-gcm96. ErrKeyExists, ErrName, ErrUnavailable.
func (k *Keys) Create(ctx context.Context, name string) error {
	if err := keyring.CheckName(name); err != nil {
		return err
	}
	switch _, err := k.read(ctx, name); {
	case err == nil:
		return fmt.Errorf("key %q: %w", name, keyring.ErrKeyExists)
	case !errors.Is(err, keyring.ErrNoKey):
		return err
	}
	if err := k.ask(ctx, http.MethodPost, k.path("keys", name), map[string]string{"type": "aes256-gcm96"}, nil); err != nil {
		return fmt.Errorf("create key %q: %w", name, err)
	}
	return nil
}

// Rotate gives a key a new version, which seals from now on. ErrNoKey, ErrUnavailable.
func (k *Keys) Rotate(ctx context.Context, name string) error {
	if _, err := k.read(ctx, name); err != nil {
		return err
	}
	if err := k.ask(ctx, http.MethodPost, k.path("keys", name, "rotate"), map[string]string{}, nil); err != nil {
		return fmt.Errorf("rotate key %q: %w", name, err)
	}
	return nil
}

// List returns all keys of the engine by name. ErrUnavailable.
func (k *Keys) List(ctx context.Context) ([]keyring.Key, error) {
	var names struct{ Keys []string }
	err := k.ask(ctx, http.MethodGet, k.path("keys")+"?list=true", nil, &names)
	if err != nil && !errors.Is(err, keyring.ErrNoKey) { // which is that there is none
		return nil, fmt.Errorf("list keys: %w", err)
	}
	slices.Sort(names.Keys)
	var out []keyring.Key
	for _, name := range names.Keys {
		info, err := k.read(ctx, name)
		if errors.Is(err, keyring.ErrNoKey) {
			continue // deleted since, or of a name that is none here
		}
		if err != nil {
			return nil, err
		}
		out = append(out, keyring.Key{Name: name, Versions: info.Latest, Created: info.made("1"), Rotated: info.made(strconv.Itoa(info.Latest))})
	}
	return out, nil
}

// made is when a version was made, zero when that is not told.
func (i *keyInfo) made(version string) time.Time {
	seconds, ok := i.Keys[version].(float64)
	if !ok {
		return time.Time{}
	}
	return time.Unix(int64(seconds), 0).UTC()
}

func (k *Keys) path(elements ...string) string {
	return k.opts.Mount + "/" + strings.Join(elements, "/")
}
