package main

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/sts"
	"github.com/objsrv/objsrv/sts/oidc"
)

// openIDVariable begins the names of the variables of OpenID Connect providers, behind OBJSRV_ or
// MINIO_. A setting of oidc.Keys follows, and for every provider but one _NAME.
const openIDVariable = "IDENTITY_OPENID_"

// secretKey may come from a file, as in CLIENT_SECRET_FILE_NAME.
const (
	secretKey     = "CLIENT_SECRET"
	secretFileKey = secretKey + "_FILE"
)

// readOpenID reads the providers from the environment, and notes the names it has.
func readOpenID(env environ, known map[string]bool, region string) ([]oidc.Config, error) {
	values := map[string]map[string]string{} // by provider and setting
	from := map[[2]string]string{}           // the variable of a provider's setting
	for _, name := range slices.Sorted(maps.Keys(env)) {
		rest, ok := openIDSetting(name)
		if !ok {
			continue
		}
		key, provider := splitSetting(rest)
		if key == "" {
			return nil, usagef("unknown variable %s; the settings of an OpenID Connect provider are %s%s with one of %s, and _NAME behind it for further providers",
				name, "OBJSRV_", openIDVariable, strings.Join(oidc.Keys(), ", "))
		}
		known[name] = true
		value := env[name]
		if value == "" {
			continue
		}
		if key == secretFileKey {
			var err error
			if value, err = readSecretFile(name, value); err != nil {
				return nil, err
			}
			key = secretKey
		}
		at := [2]string{provider, key}
		if values[provider] == nil {
			values[provider] = map[string]string{}
		}
		if old := from[at]; old != "" && values[provider][key] != value {
			return nil, usagef("%s and %s are both set and differ: unset one of them", old, name)
		}
		values[provider][key], from[at] = value, name
	}
	var out []oidc.Config
	for _, provider := range slices.Sorted(maps.Keys(values)) {
		c, ok, err := oidc.Parse(provider, values[provider])
		if err != nil {
			return nil, usagef("OpenID Connect provider%s: %sIDENTITY_OPENID_%v", named(provider), prefixOf(from, provider), err)
		}
		if ok {
			out = append(out, c)
		}
	}
	if _, err := oidc.New(oidc.Options{Providers: out, Region: region}); err != nil {
		return nil, usagef("%v", err)
	}
	return out, nil
}

func named(provider string) string {
	if provider == "" {
		return ""
	}
	return " " + provider
}

// prefixOf is how the variables of a provider begin.
func prefixOf(from map[[2]string]string, provider string) string {
	for at, name := range from {
		if at[0] == provider && strings.HasPrefix(name, "MINIO_") {
			return "MINIO_"
		}
	}
	return "OBJSRV_"
}

// openIDSetting returns what follows the prefix in the name of a provider's variable.
func openIDSetting(name string) (rest string, ok bool) {
	for _, prefix := range []string{"OBJSRV_", "MINIO_"} {
		if rest, ok := strings.CutPrefix(name, prefix+openIDVariable); ok {
			return rest, true
		}
	}
	return "", false
}

// splitSetting splits SETTING_NAME; the longest setting that fits is meant. key is empty for none.
func splitSetting(rest string) (key, provider string) {
	for _, k := range append(oidc.Keys(), secretFileKey) {
		if len(k) <= len(key) {
			continue
		}
		if rest == k {
			key, provider = k, ""
		} else if after, ok := strings.CutPrefix(rest, k+"_"); ok && after != "" {
			key, provider = k, after
		}
	}
	return key, provider
}

// newSTS makes the Security Token Service with the sources of identities that there are.
func (s *services) newSTS() (*sts.Service, error) {
	c := sts.Config{IAM: s.iam, Region: s.config.Region, Duration: s.config.SessionDuration}
	if len(s.config.OpenID) > 0 {
		var err error
		if s.openID, err = oidc.New(oidc.Options{Providers: s.config.OpenID, Region: s.config.Region, Log: s.log}); err != nil {
			return nil, err
		}
		c.WebIdentity = s.openID
		if s.openID.HasAccounts() {
			s.stopAccounts = s.watchAccounts(s.openID)
		}
	}
	if err := s.openLDAP(&c); err != nil {
		return nil, err
	}
	if err := s.addIdentities(&c); err != nil {
		return nil, err
	}
	s.stsConfig = c
	return sts.New(c), nil
}

// openIDWarnings are about providers that can't be meant as they are.
func (s *services) openIDWarnings() []string {
	var out []string
	for _, p := range s.config.OpenID {
		if u, err := url.Parse(p.ConfigURL); err == nil && u.Scheme == "http" && !isThisMachine(u.Hostname()) {
			out = append(out, fmt.Sprintf("the keys of the OpenID Connect provider at %s come over a connection that is not encrypted: whoever can change it can log in as anybody", p.ConfigURL))
		}
		for _, name := range p.RolePolicies {
			if _, err := s.iam.Policy(name); errors.Is(err, iam.ErrNoSuchPolicy) {
				out = append(out, fmt.Sprintf("ROLE_POLICY of the OpenID Connect provider%s names the policy %s, which does not exist yet", named(p.Name), name))
			}
		}
	}
	return out
}

func isThisMachine(host string) bool {
	return host == "localhost" || host == "::1" || strings.HasPrefix(host, "127.")
}
