package iamzip

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"strings"
	"time"

	"github.com/objsrv/objsrv/iam"
)

// Exporter writes archives of what is in a service.
type Exporter struct {
	IAM *iam.Service
	// By is who exports, as in Importer: whoever reads an archive has the secrets of all in it. So
	// a restricted credential gets none, and only root gets the access keys of root.
	By *iam.Identity
}

// Export writes everything that a MinIO server can import, secrets included. Left out are access
// keys that a restricted credential has made: in MinIO's form they would be less restricted. A
// record that can't be read is an error, and what has been written is then no archive. Errors:
// ErrRestricted, iam.ErrDamaged, those of w.
func (ex *Exporter) Export(w io.Writer, now time.Time) error {
	if ex.By != nil && ex.By.Restricted() {
		return ErrRestricted
	}
	a, err := ex.collect()
	if err != nil {
		return fmt.Errorf("export identities: %w", err)
	}
	zw := zip.NewWriter(w)
	for _, f := range []struct {
		name string
		v    any
	}{
		{filePolicies, a.policies}, {fileUsers, a.users}, {fileGroups, a.groups}, {fileKeys, a.keys},
		{fileUserPolicies, a.userPolicies}, {fileGroupPolicies, a.groupPolicies}, {fileSTSPolicies, a.stsPolicies},
	} {
		h := &zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: now}
		h.SetMode(0o600)
		to, err := zw.CreateHeader(h)
		if err != nil {
			return fmt.Errorf("export identities: %w", err)
		}
		if err := json.NewEncoder(to).Encode(f.v); err != nil {
			return fmt.Errorf("export identities: %w", err)
		}
	}
	if err := zw.Close(); err != nil {
		return fmt.Errorf("export identities: %w", err)
	}
	return nil
}

// collect makes an archive of what is in the service.
func (ex *Exporter) collect() (*archive, error) {
	svc := ex.IAM
	a := &archive{
		policies: map[string]json.RawMessage{}, users: map[string]userEntry{}, groups: map[string]groupEntry{}, keys: map[string]keyEntry{},
		userPolicies: map[string]mapping{}, groupPolicies: map[string]mapping{}, stsPolicies: map[string]mapping{},
	}
	damaged := func(what, name, why string) error {
		return fmt.Errorf("%w: %s %s: %s", iam.ErrDamaged, what, name, why)
	}
	for _, p := range svc.Policies() {
		if p.Damaged != "" {
			return nil, damaged("policy", p.Name, p.Damaged)
		}
		if p.Account == "" {
			a.policies[p.Name] = p.Document
		}
	}
	others := map[string]bool{} // users of other accounts than the deployment's, which MinIO has not
	for _, u := range svc.Users() {
		if u.Damaged != "" {
			return nil, damaged("user", u.Name, u.Damaged)
		}
		if u.Account != svc.Account() {
			others[u.Name] = true
			continue
		}
		if err := a.addUser(svc, &u); err != nil {
			return nil, err
		}
	}
	for _, g := range svc.Groups() {
		if g.Damaged != "" {
			return nil, damaged("group", g.Name, g.Damaged)
		}
		if g.Account != svc.Account() {
			continue
		}
		if g.Source == iam.SourceLocal {
			a.groups[g.Name] = groupEntry{Version: 1, Status: status(g.Enabled), Members: g.Members, UpdatedAt: g.Updated}
		}
		if len(g.Policies) > 0 {
			a.groupPolicies[PlainName(g.Name)] = mapping{Policy: strings.Join(g.Policies, ","), UpdatedAt: g.Updated}
		}
	}
	for _, k := range svc.AccessKeys("") {
		switch {
		case k.Damaged != "":
			return nil, damaged("access key", k.AccessKey, k.Damaged)
		case k.Own || k.Bounded, others[k.Parent], k.Parent == svc.RootUser() && ex.By != nil && !ex.By.Root:
			continue
		}
		secret, err := svc.Secret(k.AccessKey)
		if err != nil {
			return nil, err
		}
		a.keys[k.AccessKey] = newKeyEntry(&k, secret)
	}
	return a, nil
}

func (a *archive) addUser(svc *iam.Service, u *iam.User) error {
	m := mapping{Policy: strings.Join(u.Policies, ","), UpdatedAt: u.Updated}
	if u.Source != iam.SourceLocal {
		if m.Policy != "" {
			a.stsPolicies[PlainName(u.Name)] = m
		}
		return nil
	}
	secret, err := svc.Secret(u.Name)
	if err != nil {
		return err
	}
	a.users[u.Name] = userEntry{SecretKey: secret, Status: status(u.Enabled)}
	if m.Policy != "" {
		a.userPolicies[u.Name] = m
	}
	return nil
}

// newKeyEntry describes a service key as MinIO does.
func newKeyEntry(k *iam.AccessKey, secret string) keyEntry {
	parent := PlainName(k.Parent)
	e := keyEntry{
		Parent: parent, AccessKey: k.AccessKey, SecretKey: secret, SessionPolicy: raw(k.Policy), Status: "on",
		Name: k.Name, Description: k.Description, Expiration: k.Expires,
		Claims: map[string]any{"accessKey": k.AccessKey, "parent": parent, "sa-policy": "inherited-policy"},
	}
	if !k.Enabled {
		e.Status = "off"
	}
	if k.Expires == nil {
		never := time.Unix(0, 0).UTC()
		e.Expiration = &never
	}
	if len(k.Policy) > 0 {
		e.Claims["sa-policy"] = "embedded-policy"
		e.Claims["sessionPolicy"] = []byte(k.Policy)
	}
	source, _ := iam.SplitName(k.Parent)
	if source == iam.SourceLDAP {
		e.Claims["ldapUser"] = parent
	}
	if k.Grants != nil {
		for _, g := range k.Grants.Groups {
			e.Groups = append(e.Groups, PlainName(g))
		}
		maps.Copy(e.Claims, exportedClaims(k.Grants))
	}
	return e
}

// exportedClaims are those of an identity provider under the names that MinIO has for them.
func exportedClaims(g *iam.Grants) map[string]any {
	out := map[string]any{}
	for key, values := range g.Claims {
		name, jwt := strings.CutPrefix(key, "jwt:")
		switch {
		case key == "ldap:username" && len(values) == 1:
			out["ldapUsername"] = values[0]
		case jwt && len(values) == 1:
			out[name] = values[0]
		case jwt:
			out[name] = values
		}
	}
	if len(g.Policies) > 0 {
		out["policy"] = strings.Join(g.Policies, ",")
	}
	return out
}

func status(enabled bool) string {
	if enabled {
		return "enabled"
	}
	return "disabled"
}

// PlainName is a qualified name as MinIO has it: users and groups of a directory and persons of an
// OpenID provider have no source before their names, those of certificates and plugins have.
func PlainName(qualified string) string {
	switch source, name := iam.SplitName(qualified); source {
	case iam.SourceLDAP, iam.SourceOpenID:
		return name
	}
	return qualified
}
