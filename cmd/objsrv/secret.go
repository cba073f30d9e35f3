package main

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/objsrv/objsrv/iam"
)

// rootFile, in the data directory, holds the root credentials that the first start made.
const rootFile = "root.json"

// tempSuffix ends the name of a file that is being written.
const tempSuffix = ".tmp"

// defaultRootUser is the root user when none is given.
const defaultRootUser = "admin"

// rootCredentials are the access key and the secret key of root.
type rootCredentials struct {
	User     string `json:"user"`
	Password string `json:"password"`

	made bool // just now, and not shown to anybody yet
}

// loadRoot returns the root credentials: those configured, else those of the data
// directory, which are made when missing.
func loadRoot(c *Config) (rootCredentials, error) {
	r := rootCredentials{User: c.RootUser, Password: c.RootPassword}
	if r.Password != "" {
		if r.User == "" {
			r.User = defaultRootUser
		}
		return r, nil
	}
	name := filepath.Join(c.Dir, rootFile)
	b, err := os.ReadFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return makeRoot(name, r.User)
	case err != nil:
		return r, fmt.Errorf("read root credentials: %w", err)
	}
	var stored rootCredentials
	if err := json.Unmarshal(b, &stored); err != nil || iam.CheckAccessKey(stored.User) != nil || iam.CheckSecret(stored.Password) != nil {
		return r, fmt.Errorf("%s does not hold the root user and password; set OBJSRV_ROOT_PASSWORD, or remove the file to have a new password made", name)
	}
	if r.User != "" {
		stored.User = r.User
	}
	return stored, nil
}

// makeRoot makes a password and stores it so that it is never shown and then lost.
func makeRoot(name, user string) (rootCredentials, error) {
	if user == "" {
		user = defaultRootUser
	}
	r := rootCredentials{User: user, Password: rand.Text(), made: true}
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return r, fmt.Errorf("encode root credentials: %w", err)
	}
	if err := writeDurably(name, append(b, '\n')); err != nil {
		return r, fmt.Errorf("store root credentials: %w", err)
	}
	return r, nil
}

// writeDurably puts a file of mode 0600 in place, whole or not at all, and returns when
// file and name are on stable storage.
func writeDurably(name string, b []byte) error {
	dir := filepath.Dir(name)
	tmp := name + tempSuffix
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer os.Remove(tmp) // fails after the rename, as it should
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(tmp, name)
	}
	if err != nil {
		return err
	}
	return syncDir(dir)
}

// makeDurably makes a directory with those that lead to it. While it is empty it returns when their names are on stable
// storage, whoever has made them: a process that was killed had no time to. What this process may not read it has not made.
func makeDurably(dir string) error {
	dir, err := filepath.Abs(dir)
	if err == nil {
		err = os.MkdirAll(dir, 0o700)
	}
	if err != nil {
		return err
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		return err
	}
	for parent := filepath.Dir(dir); parent != dir; dir, parent = parent, filepath.Dir(parent) {
		err := syncDir(parent)
		switch {
		case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EINVAL), errors.Is(err, syscall.EROFS): // fsync(2)
		case err != nil:
			return err
		}
	}
	return nil
}

// syncDir makes the names in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
