package madmin

import (
	"net/http"
	"slices"
	"strings"

	"github.com/objsrv/objsrv/iam"
)

// Providers are the identity providers of the server, which the environment has set.
type Providers interface {
	// Providers returns them, those of one kind in the order of their names.
	Providers() []Provider
}

// Provider is one identity provider as `mc idp` shows it.
type Provider struct {
	Kind     string // openid or ldap
	Name     string // "" for the one without a name
	RoleARN  string // "" where claims or attached policies decide
	Settings []ProviderSetting
}

// ProviderSetting is a setting that the environment has: a Key such as client_id. Secrets are left out.
type ProviderSetting struct{ Key, Value string }

// unnamed is what MinIO calls a provider without a name.
const unnamed = "_"

func (p *Provider) name() string {
	if p.Name == "" {
		return unnamed
	}
	return p.Name
}

var (
	errNoProvider = &Refusal{http.StatusBadRequest, "XMinioAdminNoSuchConfigTarget", "No such named configuration target exists"}
	errByEnviron  = &Refusal{http.StatusBadRequest, "XMinioAdminConfigEnvOverridden",
		"The identity provider is set by environment variables: change those and start the server anew."}
)

// listedProvider is a provider in a list.
type listedProvider struct {
	Type    string `json:"type"`
	Name    string `json:"name"`
	Enabled bool   `json:"enabled"`
	RoleARN string `json:"roleARN,omitempty"`
}

// providerInfo is a provider with its settings.
type providerInfo struct {
	Type string                `json:"type"`
	Name string                `json:"name"`
	Info []providerSettingInfo `json:"info"`
}

type providerSettingInfo struct {
	Key   string `json:"key"`
	Value string `json:"value"`
	IsCfg bool   `json:"isCfg"`
	IsEnv bool   `json:"isEnv"`
}

// providers returns those of the kind in the path.
func (c *call) providers() ([]Provider, error) {
	kind := c.args["type"]
	if kind != iam.SourceOpenID && kind != iam.SourceLDAP {
		return nil, &Refusal{http.StatusBadRequest, "XMinioAdminConfigInvalidIDPType", "The type of an identity provider is openid or ldap."}
	}
	return c.providersOf(kind), nil
}

// providersOf returns the providers of a kind.
func (c *call) providersOf(kind string) (list []Provider) {
	for _, p := range c.Host.Providers() {
		if p.Kind == kind {
			list = append(list, p)
		}
	}
	return list
}

// provider returns the one that the path names; ok is false for the one without a name, when there is none.
func (c *call) provider() (p Provider, ok bool, err error) {
	list, err := c.providers()
	if err != nil {
		return p, false, err
	}
	name := c.args["name"]
	if i := slices.IndexFunc(list, func(p Provider) bool { return p.name() == name }); i >= 0 {
		return list[i], true, nil
	}
	if name == unnamed {
		return Provider{Kind: c.args["type"]}, false, nil
	}
	return p, false, errNoProvider
}

// listProviders answers with the providers of a kind. The one without a name is always among them, as in MinIO.
func (c *call) listProviders() error {
	list, err := c.providers()
	if err != nil {
		return err
	}
	out := []listedProvider{{Type: c.args["type"], Name: unnamed}}
	for i := range list {
		l := listedProvider{list[i].Kind, list[i].name(), true, list[i].RoleARN}
		if l.Name == unnamed {
			out[0] = l
		} else {
			out = append(out, l)
		}
	}
	return c.replySealed(out)
}

// getProvider answers with the settings of one.
func (c *call) getProvider() error {
	p, ok, err := c.provider()
	if err != nil {
		return err
	}
	out := providerInfo{Type: p.Kind, Name: p.name(), Info: []providerSettingInfo{}}
	for _, s := range p.Settings {
		out.Info = append(out.Info, providerSettingInfo{s.Key, s.Value, true, true})
	}
	if ok && !slices.ContainsFunc(out.Info, func(s providerSettingInfo) bool { return s.Key == "enable" }) {
		out.Info = append(out.Info, providerSettingInfo{"enable", on, true, false})
	}
	if p.RoleARN != "" {
		out.Info = append(out.Info, providerSettingInfo{"roleARN", p.RoleARN, false, false})
	}
	slices.SortFunc(out.Info, func(a, b providerSettingInfo) int { return strings.Compare(a.Key, b.Key) })
	return c.replySealed(out)
}

// changeProvider refuses to change or remove what the environment has set, and there is nothing else.
func (c *call) changeProvider() error {
	_, ok, err := c.provider()
	switch {
	case err != nil:
		return err
	case !ok:
		return errNoProvider
	}
	return errByEnviron
}

// providerSettings splits the name of a sub-system of identity providers: identity_openid, identity_openid:NAME,
// identity_ldap. target is "" when all are meant.
func providerSettings(name string) (kind, target string, ok bool) {
	name, target, _ = strings.Cut(name, ":")
	switch name {
	case "identity_openid":
		return iam.SourceOpenID, target, true
	case "identity_ldap":
		return iam.SourceLDAP, target, true
	}
	return "", "", false
}

func firstWord(body []byte) string {
	word, _, _ := strings.Cut(strings.TrimSpace(string(body)), " ")
	return word
}

// providerText is what `mc admin config get` shows of the providers of a kind: variables, since nothing is stored.
func (c *call) providerText(kind, target string) (string, error) {
	var b strings.Builder
	for _, p := range c.providersOf(kind) {
		if target != "" && p.name() != target {
			continue
		}
		suffix, of := "", ""
		if p.Name != "" {
			suffix, of = "_"+p.Name, ":"+p.Name
		}
		for _, s := range p.Settings {
			b.WriteString("# MINIO_IDENTITY_" + strings.ToUpper(kind) + "_" + strings.ToUpper(s.Key) + suffix + "=" + s.Value + "\n")
		}
		b.WriteString("identity_" + kind + of + " \n")
	}
	switch {
	case b.Len() > 0:
		return b.String(), nil
	case target != "" && target != unnamed:
		return "", errNoProvider
	}
	return "identity_" + kind + " \n", nil
}
