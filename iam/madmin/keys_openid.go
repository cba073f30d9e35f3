package madmin

import (
	"cmp"
	"slices"
	"strings"

	"github.com/objsrv/objsrv/iam"
)

// personKeys are the keys of one person of an OpenID Connect provider.
type personKeys struct {
	User     string      `json:"minioAccessKey"` // without the source
	Subject  string      `json:"ID"`             // of the tokens; "" when no credential tells
	Readable string      `json:"readableName"`   // by USER_READABLE_CLAIM
	Keys     []listedKey `json:"serviceAccounts"`
	Sessions []listedKey `json:"stsKeys"`
}

// providerKeys are those of a provider's people.
type providerKeys struct {
	Provider string       `json:"configName"`
	Users    []personKeys `json:"users"`
}

// listKeysOfAllOpenID answers with the keys of all people of one provider, or of each.
func (c *call) listKeysOfAllOpenID() error {
	l, err := c.listType()
	if err != nil {
		return err
	}
	if c.query.Has("users") {
		return invalid("Either users are named, or all are asked for.")
	}
	return c.replyPersons(l, nil)
}

// listKeysOpenID answers with the keys of the caller or of the people that are named by subject or by user; those
// that there are not are left out, as in MinIO.
func (c *call) listKeysOpenID() error {
	l, err := c.listType()
	if err != nil {
		return err
	}
	switch c.param("all") {
	case "", "false":
	default:
		return invalid("The parameter all is true or false.")
	}
	names, self := c.query["users"], plainName(c.self())
	if len(names) == 0 {
		names = []string{self}
	}
	owns := !slices.ContainsFunc(names, func(n string) bool { return n != self && n != c.id.AccessKey })
	if err := c.mayOrOwns("admin:ListServiceAccounts", owns); err != nil {
		return err
	}
	if owns {
		return c.replyPersons(l, func(k *personKeys) bool { return k.User == self && c.self() != self })
	}
	return c.replyPersons(l, func(k *personKeys) bool { return slices.Contains(names, k.User) || slices.Contains(names, k.Subject) })
}

// replyPersons answers with the people that keep takes, nil for all.
func (c *call) replyPersons(l listing, keep func(*personKeys) bool) error {
	providers, err := c.askedProviders()
	if err != nil {
		return err
	}
	out := []providerKeys{}
	for i := range providers {
		out = append(out, providerKeys{providers[i].name(), c.persons(&providers[i], l, keep)})
	}
	return c.replySealed(out)
}

// askedProviders are the one that configName names, by default the one without a name, or all.
func (c *call) askedProviders() ([]Provider, error) {
	every, err := c.flag("allConfigs")
	if err != nil {
		return nil, err
	}
	list := c.providersOf(iam.SourceOpenID)
	slices.SortFunc(list, func(a, b Provider) int { return strings.Compare(a.name(), b.name()) })
	name := c.param("configName")
	switch i := slices.IndexFunc(list, func(p Provider) bool { return p.name() == cmp.Or(name, unnamed) }); {
	case every && name != "":
		return nil, invalid("Either one provider is named, or all are asked for.")
	case every:
		return list, nil
	case i >= 0:
		return list[i : i+1], nil
	case name == "":
		return []Provider{{Kind: iam.SourceOpenID}}, nil
	}
	return nil, errNoProvider
}

// persons returns the people of a provider with their keys; those without any where keys are asked for are
// left out. Credentials that do not tell their provider are of every one.
func (c *call) persons(p *Provider, l listing, keep func(*personKeys) bool) []personKeys {
	of := iam.SourceOpenID + ":" + cmp.Or(p.Name, "default")
	out := []personKeys{}
	for _, user := range c.usersOf(iam.SourceOpenID) {
		k := personKeys{User: plainName(user)}
		found := false
		note := func(key listedKey, to *[]listedKey, g *iam.Grants) {
			if !iam.FromProvider(iam.ProviderOf(user, g), of) {
				return
			}
			found = true
			if g != nil && k.Subject == "" {
				k.Subject = first(g.Claims["jwt:sub"])
				k.Readable = first(g.Claims["jwt:"+strings.ToLower(p.readableClaim())])
			}
			if to != nil {
				*to = append(*to, key)
			}
		}
		keys, sessions := c.serviceKeys(user), c.sessionKeys(user)
		grants := map[string]*iam.Grants{}
		for _, a := range c.IAM.AccessKeys(user) {
			grants[a.AccessKey] = a.Grants
		}
		for _, s := range c.IAM.Sessions(user) {
			grants[s.AccessKey] = s.Grants
		}
		for _, a := range keys {
			note(a, where(l.keys, &k.Keys), grants[a.AccessKey])
		}
		for _, a := range sessions {
			note(a, where(l.sessions, &k.Sessions), grants[a.AccessKey])
		}
		if !found || l.keys != l.sessions && len(k.Keys)+len(k.Sessions) == 0 || keep != nil && !keep(&k) {
			continue
		}
		out = append(out, k)
	}
	return out
}

// readableClaim is the claim with people's names; "" for none.
func (p *Provider) readableClaim() string {
	for _, s := range p.Settings {
		if s.Key == "user_readable_claim" {
			return s.Value
		}
	}
	return ""
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// where returns to if it is wanted.
func where(wanted bool, to *[]listedKey) *[]listedKey {
	if wanted {
		return to
	}
	return nil
}

// openIDInfo is what a credential tells of its person.
func (c *call) openIDInfo(g *iam.Grants) idInfo {
	out := idInfo{UserIDClaim: "sub"}
	if g == nil {
		return out
	}
	if out.UserID = first(g.Claims["jwt:sub"]); g.Provider != "" {
		out.ConfigName = g.Provider
		if g.Provider == "default" {
			out.ConfigName = unnamed
		}
	}
	return out
}
