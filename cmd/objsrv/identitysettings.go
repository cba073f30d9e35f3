package main

import (
	"maps"
	"slices"
	"strings"

	"github.com/objsrv/objsrv/iam"
)

// identitySetting is one setting of an identity provider as the environment has it.
type identitySetting struct {
	key      string // such as CLIENT_ID
	variable string // that has it
	value    string // "" for a secret
	secret   bool
}

// identitySecrets are the settings of identity providers that nobody is shown.
var identitySecrets = [...]string{secretKey, ldapSecret, "AUTH_TOKEN"}

// identitiesGiven returns the settings of identity providers in the environment, by the provider as
// iam.ProviderOf calls it, those of each in the order of their keys. The variables have been checked.
func identitiesGiven(env environ) map[string][]identitySetting {
	out := map[string][]identitySetting{}
	for _, variable := range slices.Sorted(maps.Keys(env)) {
		value := env[variable]
		_, rest, ours := strings.Cut(variable, "_")
		if !ours || value == "" || !strings.HasPrefix(variable, "OBJSRV_") && !strings.HasPrefix(variable, "MINIO_") {
			continue
		}
		id, key := identityOf(rest)
		if id == "" {
			continue
		}
		s := identitySetting{key: strings.TrimSuffix(key, "_FILE"), variable: variable, value: value}
		if s.secret = slices.Contains(identitySecrets[:], s.key); s.secret {
			s.value = ""
		} else {
			s.key = key // of a file that is none of a secret, such as CA_FILE
		}
		if !slices.ContainsFunc(out[id], func(o identitySetting) bool { return o.key == s.key }) { // both names may be set, to the same
			out[id] = append(out[id], s)
		}
	}
	for _, list := range out {
		slices.SortFunc(list, func(a, b identitySetting) int { return strings.Compare(a.key, b.key) })
	}
	return out
}

// identityOf splits the name of a variable without OBJSRV_ or MINIO_; id is empty for one that is no
// identity provider's.
func identityOf(name string) (id, key string) {
	if rest, ok := strings.CutPrefix(name, openIDVariable); ok {
		key, provider := splitSetting(rest)
		if provider == "" {
			provider = "default"
		}
		return iam.SourceOpenID + ":" + provider, key
	}
	for id, prefix := range map[string]string{iam.SourceLDAP: ldapVariable, iam.SourceTLS: "IDENTITY_TLS_", iam.SourceCustom: pluginVariable} {
		if key, ok := strings.CutPrefix(name, prefix); ok {
			return id, key
		}
	}
	return "", ""
}
