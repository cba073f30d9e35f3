// Package iamzip reads and writes the archive in which MinIO exports its identities (`mc admin
// cluster iam export`), and brings what is in it into iam.Service. It imports package iam,
// iam/policy and the strict reader of JSON, never net/http. The archive's form is that of MinIO's
// servers of 2025: a zip with seven JSON documents below iam-assets/.
//
// An archive is hostile data: it is read within limits, and every entry is judged by itself. It
// can make whom it likes an administrator, so that to bring one in is for administrators; it can
// do nothing about root.
package iamzip

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"github.com/objsrv/objsrv/internal/strictjson"
)

// Limits of an archive.
const (
	MaxSize    = 32 << 20  // bytes of the zip
	MaxContent = 128 << 20 // bytes of the documents together
	MaxFiles   = 100
	maxRatio   = 200 // of a document's length to that of its compressed form
	freeRatio  = 1 << 20
)

// dir has the documents of an archive.
const dir = "iam-assets/"

// The documents.
const (
	filePolicies      = dir + "policies.json"
	fileUsers         = dir + "users.json"
	fileGroups        = dir + "groups.json"
	fileKeys          = dir + "svcaccts.json"
	fileUserPolicies  = dir + "user_mappings.json"
	fileGroupPolicies = dir + "group_mappings.json"
	fileSTSPolicies   = dir + "stsuser_mappings.json"
)

// ErrArchive is what every error of Read is: the archive is not what it should be.
var ErrArchive = errors.New("archive is not valid")

// archive is what is in one, by name.
type archive struct {
	policies      map[string]json.RawMessage
	users         map[string]userEntry
	groups        map[string]groupEntry
	keys          map[string]keyEntry
	userPolicies  map[string]mapping
	groupPolicies map[string]mapping
	stsPolicies   map[string]mapping
	ignored       []string // files that are none of the documents
}

// userEntry is a local user.
type userEntry struct {
	SecretKey string `json:"secretKey"`
	Status    string `json:"status"`
}

// groupEntry is a local group.
type groupEntry struct {
	Version   int       `json:"version"`
	Status    string    `json:"status"`
	Members   []string  `json:"members"`
	UpdatedAt time.Time `json:"updatedAt"`
}

// keyEntry is a service account.
type keyEntry struct {
	Parent        string          `json:"parent"`
	AccessKey     string          `json:"accessKey"`
	SecretKey     string          `json:"secretKey"`
	Groups        []string        `json:"groups"`
	Claims        map[string]any  `json:"claims"`
	SessionPolicy json.RawMessage `json:"sessionPolicy"`
	Status        string          `json:"status"`
	Name          string          `json:"name"`
	Description   string          `json:"description"`
	Expiration    *time.Time      `json:"expiration,omitempty"`
}

// mapping has the policies of a user or group, separated by commas.
type mapping struct {
	Version   int       `json:"version"`
	Policy    string    `json:"policy"`
	UpdatedAt time.Time `json:"updatedAt"`
}

// read reads an archive within the limits. What it does not take is ErrArchive.
func read(data []byte) (*archive, error) {
	bad := func(format string, args ...any) (*archive, error) {
		return nil, fmt.Errorf("%w: %s", ErrArchive, fmt.Sprintf(format, args...))
	}
	if len(data) > MaxSize {
		return bad("it is longer than %d bytes", MaxSize)
	}
	// Every file has a record of this signature in the directory, whatever number of them the
	// archive claims. They are counted before anything is made of them.
	if bytes.Count(data, []byte("PK\x01\x02")) > MaxFiles {
		return bad("it has more than %d files", MaxFiles)
	}
	zr, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return bad("it is no zip")
	}
	a := &archive{}
	documents := map[string]any{
		filePolicies: &a.policies, fileUsers: &a.users, fileGroups: &a.groups, fileKeys: &a.keys,
		fileUserPolicies: &a.userPolicies, fileGroupPolicies: &a.groupPolicies, fileSTSPolicies: &a.stsPolicies,
	}
	seen, total := map[string]bool{}, int64(0)
	for _, f := range zr.File {
		name := strings.TrimSuffix(f.Name, "/")
		switch {
		case path.Clean(name) != name || path.IsAbs(name) || strings.HasPrefix(name, "..") || strings.ContainsAny(name, "\\\x00:"):
			return bad("a file has the name %.100q", f.Name)
		case seen[name]:
			return bad("the file %.100q is there twice", f.Name)
		case !f.Mode().IsRegular() && !f.Mode().IsDir():
			return bad("the file %.100q is neither a file nor a directory", f.Name)
		}
		seen[name] = true
		to, known := documents[f.Name]
		if !known {
			if !f.Mode().IsDir() {
				a.ignored = append(a.ignored, f.Name)
			}
			continue
		}
		doc, err := content(f, MaxContent-total)
		if err != nil {
			return bad("%s: %s", f.Name, err)
		}
		total += int64(len(doc))
		if err := decode(doc, to); err != nil {
			return bad("%s: %s", f.Name, err)
		}
	}
	if total == 0 {
		return bad("it has no identities")
	}
	return a, nil
}

// content returns the bytes of a file, at most limit.
func content(f *zip.File, limit int64) ([]byte, error) {
	limit = min(limit, freeRatio+maxRatio*int64(min(f.CompressedSize64, MaxSize)))
	r, err := f.Open()
	if err != nil {
		return nil, errors.New("it can't be read")
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	switch {
	case err != nil:
		return nil, errors.New("it is damaged")
	case int64(len(b)) > limit:
		return nil, errors.New("it is too long")
	}
	return b, nil
}

// decode reads a document of entries by name. Members that are not known are left out: later
// servers may have more.
func decode(doc []byte, to any) error {
	if err := strictjson.Check(doc); err != nil {
		return err
	}
	if json.Unmarshal(doc, to) != nil {
		return errors.New("it is not of the right form")
	}
	return nil
}
