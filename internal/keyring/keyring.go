// Package keyring keeps the named keys that seal the keys of objects: the built-in key management. A Ring never
// gives a named key out; it seals with the newest version of one and unseals with the version that was sealed with,
// so that a rotated key leaves what it has sealed readable. It may import the standard library alone. The
// cryptography is that of Wrap.
//
// A ring is one document, which its owner stores. Its keys lie there in the clear, unless a root key is given from
// outside: then each is wrapped with that one, which is not in the document.
package keyring

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// The errors that callers branch on, with errors.Is.
var (
	ErrNoKey     = errors.New("no such key")
	ErrKeyExists = errors.New("key exists")
	ErrName      = errors.New("not the name of a key")
	ErrRoot      = errors.New("the keys are sealed with another root key")
	// ErrUnavailable is of keys that another server keeps.
	ErrUnavailable = errors.New("the key server can't be asked")
)

// DefaultName is the key that a new ring begins with.
const DefaultName = "objsrv-default"

// maxName bounds names, which are kept with each object.
const maxName = 128

// Root is a key from outside the ring, by MinIO's MINIO_KMS_SECRET_KEY: one of the ring's keys by its name, the
// default one, and what the others are wrapped with.
type Root struct {
	Name string
	Key  []byte
}

// ParseRoot reads "name:base64 of 32 bytes".
func ParseRoot(s string) (*Root, error) {
	name, encoded, ok := strings.Cut(s, ":")
	key, err := base64.StdEncoding.DecodeString(encoded)
	if !ok || err != nil || len(key) != KeySize {
		return nil, errors.New("not of the form NAME:KEY, where KEY is the base64 of 32 random bytes; `openssl rand -base64 32` makes one")
	}
	return &Root{Name: name, Key: key}, CheckName(name)
}

// CheckName takes 1 to 128 letters, digits and "-_.".
func CheckName(name string) error {
	ok := name != "" && len(name) <= maxName
	for i := range len(name) {
		c := name[i]
		ok = ok && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.')
	}
	if !ok {
		return fmt.Errorf("%w: 1 to %d letters, digits, hyphens, underlines and dots", ErrName, maxName)
	}
	return nil
}

// Key describes a key.
type Key struct {
	Name     string
	Created  time.Time
	Rotated  time.Time // when its newest version was made
	Versions int
	Root     bool // given from outside, which is where it is kept and rotated
}

// key is a named key; the newest version is the last.
type key struct {
	Name     string    `json:"name"`
	Versions []version `json:"versions"`
}

// version is one version of a key. Its id is random, so that a ring made anew is not taken for the one that was lost.
type version struct {
	ID      string    `json:"id"` // hexadecimal of idSize bytes
	Created time.Time `json:"created"`
	Key     []byte    `json:"key"` // wrapped when the document says so
}

const idSize = 8

// document is a ring as it is stored.
type document struct {
	Format int    `json:"format"`
	Root   string `json:"root,omitempty"` // name of the root key that the keys are wrapped with
	Keys   []key  `json:"keys"`
}

const documentFormat = 1

// Options of Open.
type Options struct {
	// Document is the ring as it was saved; nil makes a new one, with a key DefaultName.
	Document []byte
	// Save stores the document durably, before a change of it counts.
	Save func(document []byte) error
	Root *Root
	Now  func() time.Time // nil means time.Now
}

// Ring holds named keys. It is safe for concurrent use.
type Ring struct {
	opts Options
	mu   sync.RWMutex
	keys map[string]*key // never changed in place
}

// Open reads a ring, or makes one. A ring without a root key takes one over; one that is wrapped with another root
// key, or with one when there is none now, is ErrRoot.
func Open(o Options) (*Ring, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	r := &Ring{opts: o, keys: map[string]*key{}}
	if o.Document == nil {
		r.keys[DefaultName] = &key{Name: DefaultName, Versions: []version{r.newVersion()}}
		return r, r.save(r.keys)
	}
	var doc document
	if err := json.Unmarshal(o.Document, &doc); err != nil {
		return nil, fmt.Errorf("read keys: %w", err)
	}
	if doc.Format != documentFormat {
		return nil, fmt.Errorf("the keys have format %d, this version knows %d", doc.Format, documentFormat)
	}
	if doc.Root != "" && (o.Root == nil || o.Root.Name != doc.Root) {
		return nil, fmt.Errorf("%w, named %q", ErrRoot, doc.Root)
	}
	for i := range doc.Keys {
		k := &doc.Keys[i]
		if err := r.read(k, doc.Root != ""); err != nil {
			return nil, err
		}
		r.keys[k.Name] = k
	}
	if o.Root != nil && r.keys[o.Root.Name] != nil {
		return nil, fmt.Errorf("%w: the root key has the name of one in the ring, %q; give it another", ErrKeyExists, o.Root.Name)
	}
	if o.Root != nil && doc.Root == "" {
		return r, r.save(r.keys)
	}
	return r, nil
}

// read checks a key of the document and takes off what it is wrapped with.
func (r *Ring) read(k *key, wrapped bool) error {
	if CheckName(k.Name) != nil || r.keys[k.Name] != nil || len(k.Versions) == 0 {
		return fmt.Errorf("read keys: entry %q is damaged", k.Name)
	}
	for i := range k.Versions {
		v := &k.Versions[i]
		if wrapped {
			secret, err := Unwrap(r.opts.Root.Key, v.Key, []byte(k.Name+"/"+v.ID))
			if err != nil {
				return fmt.Errorf("%w than %q", ErrRoot, r.opts.Root.Name)
			}
			v.Key = secret
		}
		if id, err := hex.DecodeString(v.ID); err != nil || len(id) != idSize || len(v.Key) != KeySize {
			return fmt.Errorf("read keys: entry %q is damaged", k.Name)
		}
	}
	return nil
}

func (r *Ring) newVersion() version {
	v := version{Created: r.opts.Now().UTC().Truncate(time.Second), Key: make([]byte, KeySize)}
	rand.Read(v.Key) // never fails
	id := make([]byte, idSize)
	rand.Read(id)
	v.ID = hex.EncodeToString(id)
	return v
}

// save stores keys as the ring's.
func (r *Ring) save(keys map[string]*key) error {
	doc := document{Format: documentFormat}
	if r.opts.Root != nil {
		doc.Root = r.opts.Root.Name
	}
	for _, name := range slices.Sorted(maps.Keys(keys)) {
		k := key{Name: name, Versions: slices.Clone(keys[name].Versions)}
		for i := range k.Versions {
			if r.opts.Root == nil {
				continue
			}
			v := &k.Versions[i]
			var err error
			if v.Key, err = Wrap(r.opts.Root.Key, v.Key, []byte(name+"/"+v.ID)); err != nil {
				return err
			}
		}
		doc.Keys = append(doc.Keys, k)
	}
	b, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return fmt.Errorf("write keys: %w", err)
	}
	if err := r.opts.Save(append(b, '\n')); err != nil {
		return fmt.Errorf("write keys: %w", err)
	}
	return nil
}

// Default is the key for who names none: the root key when there is one.
func (r *Ring) Default() string {
	if r.opts.Root != nil {
		return r.opts.Root.Name
	}
	return DefaultName
}

// rootVersion stands for the id of the root key's one version: idSize zeros, which no random id is.
const rootVersion = "\x00\x00\x00\x00\x00\x00\x00\x00"

// newest returns the version that seals.
func (r *Ring) newest(name string) (id, secret []byte, err error) {
	if root := r.opts.Root; root != nil && name == root.Name {
		return []byte(rootVersion), root.Key, nil
	}
	r.mu.RLock()
	k := r.keys[name]
	r.mu.RUnlock()
	if k == nil {
		return nil, nil, fmt.Errorf("key %q: %w", name, ErrNoKey)
	}
	v := &k.Versions[len(k.Versions)-1]
	id, err = hex.DecodeString(v.ID)
	return id, v.Key, err
}

// Seal encrypts a secret with the newest version of a key and binds it to a context. ErrNoKey.
func (r *Ring) Seal(_ context.Context, name string, secret, context []byte) ([]byte, error) {
	id, k, err := r.newest(name)
	if err != nil {
		return nil, err
	}
	wrapped, err := Wrap(k, secret, sealContext(name, id, context))
	return append(bytes.Clone(id), wrapped...), err
}

// sealContext binds what is sealed to the version of the key, besides the caller's context.
func sealContext(name string, id, context []byte) []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(len(name)))
	out = append(out, name...)
	return append(append(out, id...), context...)
}

// Unseal is the inverse of Seal. ErrNoKey also when the ring does not have the version; ErrWrongKey.
func (r *Ring) Unseal(_ context.Context, name string, sealed, context []byte) ([]byte, error) {
	if len(sealed) < idSize {
		return nil, fmt.Errorf("%d bytes: %w", len(sealed), ErrWrongKey)
	}
	id, wrapped := sealed[:idSize], sealed[idSize:]
	secret, err := r.version(name, id)
	if err != nil {
		return nil, err
	}
	return Unwrap(secret, wrapped, sealContext(name, id, context))
}

func (r *Ring) version(name string, id []byte) ([]byte, error) {
	if root := r.opts.Root; root != nil && name == root.Name && string(id) == rootVersion {
		return root.Key, nil
	}
	r.mu.RLock()
	k := r.keys[name]
	r.mu.RUnlock()
	if k == nil {
		return nil, fmt.Errorf("key %q: %w", name, ErrNoKey)
	}
	text := hex.EncodeToString(id)
	for i := range k.Versions {
		if k.Versions[i].ID == text {
			return k.Versions[i].Key, nil
		}
	}
	return nil, fmt.Errorf("version %s of key %q: %w", text, name, ErrNoKey)
}

// Newest tells whether something was sealed with the newest version of the key.
func (r *Ring) Newest(name string, sealed []byte) bool {
	id, _, err := r.newest(name)
	return err == nil && bytes.HasPrefix(sealed, id)
}

// Create makes a key. ErrKeyExists, ErrName.
func (r *Ring) Create(_ context.Context, name string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	return r.change(func(keys map[string]*key) error {
		if keys[name] != nil || r.opts.Root != nil && r.opts.Root.Name == name {
			return fmt.Errorf("key %q: %w", name, ErrKeyExists)
		}
		keys[name] = &key{Name: name, Versions: []version{r.newVersion()}}
		return nil
	})
}

// Rotate gives a key a new version, which seals from now on; the older ones go on to unseal. ErrNoKey, also for
// the root key, which is not the ring's to change.
func (r *Ring) Rotate(_ context.Context, name string) error {
	return r.change(func(keys map[string]*key) error {
		k := keys[name]
		if k == nil {
			return fmt.Errorf("key %q: %w", name, ErrNoKey)
		}
		keys[name] = &key{Name: name, Versions: append(slices.Clone(k.Versions), r.newVersion())}
		return nil
	})
}

// change stores a change of the keys before it counts.
func (r *Ring) change(f func(keys map[string]*key) error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	keys := maps.Clone(r.keys)
	if err := f(keys); err != nil {
		return err
	}
	if err := r.save(keys); err != nil {
		return err
	}
	r.keys = keys
	return nil
}

// List returns all keys by name.
func (r *Ring) List(context.Context) ([]Key, error) {
	r.mu.RLock()
	keys := r.keys
	r.mu.RUnlock()
	list := make([]Key, 0, len(keys)+1)
	for _, k := range keys {
		list = append(list, Key{Name: k.Name, Created: k.Versions[0].Created, Rotated: k.Versions[len(k.Versions)-1].Created, Versions: len(k.Versions)})
	}
	if root := r.opts.Root; root != nil {
		list = append(list, Key{Name: root.Name, Versions: 1, Root: true})
	}
	slices.SortFunc(list, func(a, b Key) int { return cmp.Compare(a.Name, b.Name) })
	return list, nil
}
