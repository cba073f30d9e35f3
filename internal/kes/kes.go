// Package kes keeps the named keys of server-side encryption in MinIO KES: it seals and unseals by that server, as
// keyring.Ring does by keys of its own. It may import the standard library and internal/keyring, whose errors, rule of
// names and Wrap it shares. The protocol is version 1 of KES' API, by HTTP and JSON over TLS, where the client's
// certificate says who asks.
//
// KES makes a data key for each secret, bound to the secret's context, and returns it also in a form that only KES
// opens; the data key wraps the secret and is forgotten. So a policy that allows to generate and decrypt, as MinIO uses
// them, is enough. Every seal and unseal is a request; nothing of a key or of what it sealed is kept in memory here.
// Where no server can be asked the error is keyring.ErrUnavailable, and the next request asks again.
package kes

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/objsrv/objsrv/internal/keyring"
)

// Options of New.
type Options struct {
	Endpoints []string // https://HOST[:PORT] of servers over one store of keys; who does not answer is passed over
	Key       string   // the key for who names none
	Identity  Identity // who asks
	Roots     *x509.CertPool
	Timeout   time.Duration // of the question to one server; 0 means 10 s
}

// Keys are the keys of KES. It is safe for concurrent use.
type Keys struct {
	opts   Options
	client *http.Client
	last   atomic.Int64 // index of the endpoint that has answered last
}

// Check refuses endpoints and a default key that can't be.
func (o *Options) Check() error {
	for _, endpoint := range o.Endpoints {
		if strings.ContainsAny(endpoint, "{}") {
			return fmt.Errorf("%q: ranges are not read; name each endpoint, with commas between", endpoint)
		}
		u, err := url.Parse(endpoint)
		if err != nil || u.Scheme != "https" || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
			return fmt.Errorf("%q is not of the form https://HOST[:PORT]", endpoint)
		}
	}
	if len(o.Endpoints) == 0 {
		return errors.New("no endpoint")
	}
	if err := CheckName(o.Key); err != nil {
		return fmt.Errorf("the default key: %w", err)
	}
	return nil
}

// New checks o. It asks no server, which may be down.
func New(o Options) (*Keys, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	if o.Identity == nil {
		return nil, errors.New("an API key is needed, or a certificate with its key")
	}
	o.Endpoints = slices.Clone(o.Endpoints)
	for i := range o.Endpoints {
		o.Endpoints[i] = strings.TrimRight(o.Endpoints[i], "/")
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 64
	t.TLSClientConfig = &tls.Config{
		MinVersion: tls.VersionTLS12,
		RootCAs:    o.Roots,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return o.Identity()
		},
	}
	return &Keys{opts: o, client: &http.Client{
		Transport: t,
		// Who redirects would get secrets.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// maxName is KES' bound of names.
const maxName = 80

// CheckName takes what KES takes for the name of a key: 1 to 80 letters, digits, underlines, and hyphens between them.
// Its error is keyring.ErrName.
func CheckName(name string) error {
	if keyring.CheckName(name) != nil || len(name) > maxName || name == "_" || strings.Contains(name, ".") || strings.Trim(name, "-") != name {
		return fmt.Errorf("%w of KES: 1 to %d letters, digits, underlines, and hyphens between them", keyring.ErrName, maxName)
	}
	return nil
}

// prefix is how everything begins that Seal has sealed. The length of what KES opens follows in two bytes, then that,
// then the secret as the data key wraps it.
const prefix = "kes:v1:"

// Sealed tells whether something was sealed by Seal.
func Sealed(sealed []byte) bool { return bytes.HasPrefix(sealed, []byte(prefix)) }

// Default is the key for who names none.
func (k *Keys) Default() string { return k.opts.Key }

// Seal encrypts a secret with a key and binds it to a context. ErrNoKey, ErrUnavailable.
func (k *Keys) Seal(ctx context.Context, name string, secret, bound []byte) ([]byte, error) {
	if err := CheckName(name); err != nil {
		return nil, fmt.Errorf("%w: %w", keyring.ErrNoKey, err)
	}
	var out struct{ Plaintext, Ciphertext []byte }
	if err := k.ask(ctx, http.MethodPost, "key/generate/"+name, map[string][]byte{"context": bound}, &out); err != nil {
		return nil, fmt.Errorf("seal with key %q: %w", name, err)
	}
	defer clear(out.Plaintext)
	if len(out.Plaintext) != keyring.KeySize || len(out.Ciphertext) == 0 || len(out.Ciphertext) > math.MaxUint16 {
		return nil, fmt.Errorf("seal with key %q: %w: the answer is no data key", name, keyring.ErrUnavailable)
	}
	wrapped, err := keyring.Wrap(out.Plaintext, secret, bound)
	if err != nil {
		return nil, err
	}
	sealed := binary.BigEndian.AppendUint16([]byte(prefix), uint16(len(out.Ciphertext)))
	return append(append(sealed, out.Ciphertext...), wrapped...), nil
}

// split takes apart what Seal has put together.
func split(sealed []byte) (dataKey, wrapped []byte, ok bool) {
	rest, ok := bytes.CutPrefix(sealed, []byte(prefix))
	if !ok || len(rest) < 2 {
		return nil, nil, false
	}
	n := int(binary.BigEndian.Uint16(rest))
	if rest = rest[2:]; n == 0 || n > len(rest) {
		return nil, nil, false
	}
	return rest[:n], rest[n:], true
}

// Unseal is the inverse of Seal. ErrNoKey, ErrWrongKey, ErrUnavailable.
func (k *Keys) Unseal(ctx context.Context, name string, sealed, bound []byte) ([]byte, error) {
	dataKey, wrapped, ok := split(sealed)
	if !ok {
		return nil, fmt.Errorf("%w: not sealed by KES", keyring.ErrWrongKey)
	}
	if err := CheckName(name); err != nil {
		return nil, fmt.Errorf("%w: %w", keyring.ErrNoKey, err)
	}
	var out struct{ Plaintext []byte }
	if err := k.ask(ctx, http.MethodPost, "key/decrypt/"+name, map[string][]byte{"ciphertext": dataKey, "context": bound}, &out); err != nil {
		return nil, fmt.Errorf("unseal with key %q: %w", name, err)
	}
	defer clear(out.Plaintext)
	if len(out.Plaintext) != keyring.KeySize {
		return nil, fmt.Errorf("unseal with key %q: %w: the answer is no data key", name, keyring.ErrUnavailable)
	}
	return keyring.Unwrap(out.Plaintext, wrapped, bound)
}

// Newest tells whether something was sealed by KES, whose keys have one version.
func (k *Keys) Newest(_ string, sealed []byte) bool { return Sealed(sealed) }

// Create makes a key. ErrKeyExists, ErrName, ErrUnavailable.
func (k *Keys) Create(ctx context.Context, name string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	if err := k.ask(ctx, http.MethodPost, "key/create/"+name, nil, nil); err != nil {
		return fmt.Errorf("create key %q: %w", name, err)
	}
	return nil
}

// Rotate is errors.ErrUnsupported: a key of KES has one version.
func (k *Keys) Rotate(_ context.Context, name string) error {
	return fmt.Errorf("rotate key %q: a key of KES has one version: %w", name, errors.ErrUnsupported)
}

// List returns all keys by name, without the times of those that the identity may not describe. ErrUnavailable; more keys than KES
// lists at once, 1024, are an error.
func (k *Keys) List(ctx context.Context) ([]keyring.Key, error) {
	names, err := k.names(ctx)
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	var out []keyring.Key
	for _, name := range names {
		if CheckName(name) != nil {
			continue // of no key that could be asked for
		}
		var info struct {
			Created time.Time `json:"created_at"`
		}
		err := k.ask(ctx, http.MethodGet, "key/describe/"+name, nil, &info)
		var r *refusal
		switch {
		case errors.Is(err, keyring.ErrNoKey):
			continue // deleted since
		case err != nil && !(errors.As(err, &r) && r.status == http.StatusForbidden):
			return nil, fmt.Errorf("describe key %q: %w", name, err)
		}
		out = append(out, keyring.Key{Name: name, Versions: 1, Created: info.Created, Rotated: info.Created})
	}
	return out, nil
}

// names lists the names of all keys. What comes after the first page is not asked for: the server takes where a page
// ended for what all further names begin with.
func (k *Keys) names(ctx context.Context) ([]string, error) {
	var page struct {
		Names []string `json:"names"`
		Next  string   `json:"continue_at"`
	}
	if err := k.ask(ctx, http.MethodGet, "key/list/*", nil, &page); err != nil {
		return nil, err
	}
	if page.Next != "" {
		return nil, fmt.Errorf("there are more than the %d keys that KES lists at once", len(page.Names))
	}
	slices.Sort(page.Names)
	return page.Names, nil
}
