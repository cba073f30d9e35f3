package identity

import (
	"strings"
	"testing"
)

// cell is how a provider makes a shape of claim: whose token, and which claim is looked at, with a +
// behind its prefix. Without a person the provider can't make it.
type cell struct{ person, claim string }

// TestClaimShapes: each shape of a claim from each provider gives the rights that it names.
func TestClaimShapes(t *testing.T) {
	type source struct {
		settings func(more ...string) []string
		user     func(name string) tokens
	}
	open := map[string]func(*testing.T) source{
		"keycloak": func(t *testing.T) source {
			k := realm(t)
			return source{k.settings, func(name string) tokens { return k.user("objsrv", name) }}
		},
		"dex": func(t *testing.T) source {
			d := newDex(t, nil)
			d.start()
			return source{d.settings, d.user}
		},
		"oidc-provider": func(t *testing.T) source {
			p := newProvider(t)
			p.start()
			return source{p.settings, p.user}
		},
	}
	shapes := []struct {
		name, want string
		more       []string
		from       map[string]cell
	}{
		{"string", "get put", nil, map[string]cell{"keycloak": {"alice", "policy"}, "dex": {"alice", "name"}, "oidc-provider": {"alice", "policy"}}},
		{"list", "get", nil, map[string]cell{"keycloak": {"bob", "policies"}, "dex": {"alice", "groups"}, "oidc-provider": {"bob", "policy"}}},
		{"commas and blanks", "get put", nil, map[string]cell{"keycloak": {"carol", "policy"}, "dex": {"carol", "name"}, "oidc-provider": {"carol", "policy"}}},
		{"nested string", "get", nil, map[string]cell{"keycloak": {"reader", "app.policy"}, "dex": {"alice", "federated_claims.user_id"}, "oidc-provider": {"dora", "app.policy"}}},
		{"nested roles", "get", nil, map[string]cell{"keycloak": {"bob", "realm_access.roles"}, "oidc-provider": {"dora", "realm_access.roles"}}},
		{"prefix", "get put", nil, map[string]cell{"keycloak": {"alice", "po+licy"}, "dex": {"alice", "na+me"}, "oidc-provider": {"alice", "po+licy"}}},
		{"groups", "get", []string{"OBJSRV_IDENTITY_OPENID_GROUPS_CLAIM=groups"},
			map[string]cell{"keycloak": {"nopol", "policy"}, "dex": {"grace", "policy"}, "oidc-provider": {"grace", "policy"}}},
		{"role", "get", []string{"MINIO_IDENTITY_OPENID_ROLE_POLICY=readonly"}, map[string]cell{"keycloak": {"alice", ""}, "dex": {"nopol", ""}, "oidc-provider": {"alice", ""}}},
		{"no claim", `IDPRejectedClaim: The claim "policy" names no policy. The token has the claims "`, nil,
			map[string]cell{"keycloak": {"nopol", "policy"}, "dex": {"nopol", "policy"}, "oidc-provider": {"nopol", "policy"}}},
	}
	for name, open := range open {
		t.Run(name, func(t *testing.T) {
			from := open(t)
			for _, shape := range shapes {
				t.Run(shape.name, func(t *testing.T) {
					c := shape.from[name]
					if c.person == "" {
						t.Skipf("%s makes no such claim here", name)
					}
					env := from.settings(shape.more...)
					if prefix, claim, ok := strings.Cut(c.claim, "+"); ok {
						env = append(env, "MINIO_IDENTITY_OPENID_CLAIM_PREFIX="+prefix, "MINIO_IDENTITY_OPENID_CLAIM_NAME="+claim)
					} else if c.claim != "" {
						env = append(env, "MINIO_IDENTITY_OPENID_CLAIM_NAME="+c.claim)
					}
					s := start(t, env...)
					s.admin("group", "add", "guests", "--policy", "readonly")
					role := ""
					if shape.name == "role" {
						role = s.role()
					}
					tok := from.user(c.person)
					if got := s.rights(tok, role); got != shape.want && !(strings.Contains(shape.want, ":") && strings.HasPrefix(got, shape.want)) {
						t.Errorf("%q, want %q, with the claims %v", got, shape.want, claims(t, tok.ID))
					}
				})
			}
		})
	}
}
