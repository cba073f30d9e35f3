package iamzip

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/iam/policy"
)

// planKeys plans service accounts.
func (p *planner) planKeys() {
	r := &p.report
	for _, name := range sorted(p.a.keys) {
		k := p.a.keys[name]
		if k.Expiration != nil && k.Expiration.Unix() > 0 && !k.Expiration.After(p.now) {
			r.Skipped.ServiceAccounts = append(r.Skipped.ServiceAccounts, name)
			p.note("the access key %s has expired", name)
			continue
		}
		n, err := p.newKey(name, &k)
		if err != nil {
			r.Failed.ServiceAccounts = append(r.Failed.ServiceAccounts, Failure{Name: name, Reason: err.Error()})
			continue
		}
		p.add(name, &r.Added.ServiceAccounts, &r.Failed.ServiceAccounts, func(ctx context.Context) error {
			return p.bringKey(ctx, n)
		})
	}
}

// newKey judges a service account. Nothing is taken from its claims but what an identity provider
// has said of a person; who it belongs to must be said twice alike.
func (p *planner) newKey(name string, k *keyEntry) (iam.NewAccessKey, error) {
	n := iam.NewAccessKey{
		By: p.By, AccessKey: name, Secret: k.SecretKey, Name: k.Name, Description: k.Description, Disabled: k.Status == "off",
	}
	if err := errors.Join(p.judgeKeyName(name), iam.CheckSecret(k.SecretKey)); err != nil {
		return n, err
	}
	claim := func(key string) string { s, _ := k.Claims[key].(string); return s }
	switch {
	case k.AccessKey != name || k.Claims["accessKey"] != nil && claim("accessKey") != name:
		return n, errors.New("it bears another access key")
	case k.Claims["parent"] != nil && claim("parent") != k.Parent:
		return n, errors.New("its claims name another parent")
	case k.Status != "on" && k.Status != "off":
		return n, fmt.Errorf("the status is %.20q", k.Status)
	case p.a.users[name] != (userEntry{}):
		return n, errors.New("the name is that of a user")
	}
	if len(k.SessionPolicy) > 0 && string(k.SessionPolicy) != "null" {
		n.Policy = k.SessionPolicy
		if len(n.Policy) > iam.MaxKeyPolicy {
			return n, fmt.Errorf("its policy is longer than %d bytes", iam.MaxKeyPolicy)
		}
		if err := compile(name, n.Policy); err != nil {
			return n, err
		}
	} else if claim("sa-policy") == "embedded-policy" {
		return n, errors.New("its policy is missing")
	}
	if k.Expiration != nil && k.Expiration.Unix() > 0 {
		n.Expires = k.Expiration.UTC()
	}
	var err error
	if n.Parent, n.Grants, err = p.parent(k); err != nil {
		return n, err
	}
	return n, p.judgeTaken(name, n.Parent)
}

// judgeTaken refuses the name of somebody else's key.
func (p *planner) judgeTaken(name, parent string) error {
	have, err := p.IAM.AccessKey(name)
	switch {
	case errors.Is(err, iam.ErrNoSuchKey):
		return nil
	case err != nil:
		return err
	case have.Own || have.Parent != parent:
		return errors.New("the name is that of an access key of somebody else")
	}
	return nil
}

// parent tells whose a key is, and what it has beside its user's rights.
func (p *planner) parent(k *keyEntry) (string, *iam.Grants, error) {
	_, ldap := k.Claims["ldapUser"]
	_, openID := k.Claims["sub"]
	source, _ := iam.SplitName(k.Parent)
	switch {
	case k.Parent == p.IAM.RootUser():
		if p.By != nil && !p.By.Root {
			return "", nil, errors.New("it is root's: only root brings in access keys of root")
		}
		return p.IAM.RootUser(), nil, nil
	case strings.EqualFold(strings.TrimSpace(k.Parent), p.IAM.RootUser()):
		return "", nil, errors.New("its parent's name could be taken for root's")
	case source == iam.SourceTLS || source == iam.SourceCustom:
		return external(k.Parent, nil)
	case ldap || strings.Contains(k.Parent, "="):
		return external(iam.QualifiedName(iam.SourceLDAP, k.Parent), p.ldapGrants(k))
	case openID && !p.users[k.Parent]:
		return external(iam.QualifiedName(iam.SourceOpenID, k.Parent), openIDGrants(k))
	case !p.users[k.Parent]:
		return "", nil, errors.New("its parent " + k.Parent + " is no user here or in the archive; was it root? Root's access keys come in where root has the same name")
	}
	return k.Parent, nil, nil
}

func external(qualified string, g *iam.Grants) (string, *iam.Grants, error) {
	return qualified, g, iam.CheckUserName(qualified)
}

// ldapGrants are the groups and attributes that the directory has told of a person.
func (p *planner) ldapGrants(k *keyEntry) *iam.Grants {
	g := &iam.Grants{Claims: map[string][]string{}}
	for _, dn := range k.Groups {
		if q := iam.QualifiedName(iam.SourceLDAP, dn); iam.CheckGroupName(q) == nil {
			g.Groups = append(g.Groups, q)
		}
	}
	for claim, key := range map[string]string{"ldapUser": "ldap:user", "ldapUsername": "ldap:username"} {
		if s, ok := k.Claims[claim].(string); ok && policy.KnownKey(key) {
			g.Claims[key] = []string{s}
		}
	}
	return orNone(g)
}

// openIDGrants are the claims of a person's token that policies may ask for, and the policies that
// it named.
func openIDGrants(k *keyEntry) *iam.Grants {
	g := &iam.Grants{Claims: map[string][]string{}, Policies: texts(k.Claims["policy"])}
	for claim, v := range k.Claims {
		switch claim {
		case "accessKey", "parent", "sa-policy", "sessionPolicy", "sessionPolicy-extracted", "exp", "policy":
			continue // MinIO's own, or not of the person
		}
		key := "jwt:" + strings.ToLower(claim)
		if list := texts(v); len(list) > 0 && policy.KnownKey(key) {
			g.Claims[key] = list
		}
	}
	return orNone(g)
}

func orNone(g *iam.Grants) *iam.Grants {
	if len(g.Groups)+len(g.Policies)+len(g.Claims) == 0 {
		return nil
	}
	return g
}

// texts reads a claim that is a string, separated by commas, or a list of strings.
func texts(v any) (out []string) {
	switch v := v.(type) {
	case string:
		for s := range strings.SplitSeq(v, ",") {
			if s = strings.TrimSpace(s); s != "" {
				out = append(out, s)
			}
		}
	case []any:
		for _, one := range v {
			if s, ok := one.(string); ok && s != "" {
				out = append(out, s)
			}
		}
	}
	return out
}

// bringKey makes a key, or sets all of one that is here. One that has, or gets, grants of an identity
// provider is made anew, as those of a key do not change.
func (p *planner) bringKey(ctx context.Context, n iam.NewAccessKey) error {
	if err := errors.Join(p.judgeTaken(n.AccessKey, n.Parent), p.makeExternal(ctx, n.Parent)); err != nil {
		return err
	}
	have, err := p.IAM.AccessKey(n.AccessKey)
	switch {
	case err == nil && have.Grants == nil && n.Grants == nil:
		enabled := !n.Disabled
		_, err = p.IAM.UpdateAccessKey(ctx, n.AccessKey, iam.AccessKeyUpdate{
			Secret: &n.Secret, Policy: &n.Policy, Name: &n.Name, Description: &n.Description, Expires: &n.Expires, Enabled: &enabled,
		})
		return err
	case err == nil:
		if err := p.IAM.DeleteAccessKey(ctx, n.AccessKey); err != nil {
			return err
		}
	}
	_, _, err = p.IAM.CreateAccessKey(ctx, n)
	return err
}

// makeExternal makes an external user that has not been seen yet.
func (p *planner) makeExternal(ctx context.Context, name string) error {
	if source, _ := iam.SplitName(name); source == iam.SourceLocal {
		return nil
	}
	_, _, err := p.IAM.CreateUser(ctx, iam.NewUser{Name: name})
	if errors.Is(err, iam.ErrExists) {
		return nil
	}
	return err
}

// raw is a document or null.
func raw(doc json.RawMessage) json.RawMessage {
	if len(doc) == 0 {
		return json.RawMessage("null")
	}
	return doc
}
