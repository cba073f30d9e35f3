package identity

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"
)

// keycloak is the realm of keycloak/objsrv.json.
type keycloak struct {
	t    *testing.T
	base string
}

func realm(t *testing.T) *keycloak {
	return &keycloak{t, need(t, "IDENTITY_KEYCLOAK", "a Keycloak")}
}

func (k *keycloak) configURL() string {
	return k.base + "/realms/objsrv/.well-known/openid-configuration"
}

func (k *keycloak) endpoint() string {
	return k.base + "/realms/objsrv/protocol/openid-connect/token"
}

// user logs a person in at a client of the realm.
func (k *keycloak) user(client, name string) tokens {
	k.t.Helper()
	return grant(k.t, k.endpoint(), url.Values{"grant_type": {"password"}, "scope": {"openid"}, "client_id": {client},
		"client_secret": {client + "-secret"}, "username": {name}, "password": {name + "-secret"}})
}

// admin returns an access token of Keycloak's administrator.
func (k *keycloak) admin() string {
	k.t.Helper()
	return grant(k.t, k.base+"/realms/master/protocol/openid-connect/token", url.Values{"grant_type": {"password"}, "client_id": {"admin-cli"},
		"username": {"admin"}, "password": {"admin-secret-0815"}}).Access
}

// settings are of one provider, for the client objsrv.
func (k *keycloak) settings(more ...string) []string {
	return append([]string{"MINIO_IDENTITY_OPENID_CONFIG_URL=" + k.configURL(), "MINIO_IDENTITY_OPENID_CLIENT_ID=objsrv",
		"MINIO_IDENTITY_OPENID_CLIENT_SECRET=objsrv-secret"}, more...)
}

// four are providers for four clients of the realm: with a claim that is a string, a list or nested,
// and with a role.
func (k *keycloak) four() []string {
	env := k.settings("OBJSRV_IDENTITY_OPENID_GROUPS_CLAIM=groups")
	for name, set := range map[string][]string{
		"LIST":   {"CLIENT_ID=other", "CLAIM_NAME=policies"},
		"NESTED": {"CLIENT_ID=nested", "CLAIM_NAME=realm_access.roles"},
		"ROLE":   {"CLIENT_ID=roleapp", "ROLE_POLICY=readonly"},
	} {
		for _, s := range append(set, "CONFIG_URL="+k.configURL()) {
			key, value, _ := strings.Cut(s, "=")
			env = append(env, "MINIO_IDENTITY_OPENID_"+key+"_"+name+"="+value)
		}
	}
	return env
}

// TestKeycloakClaims: each shape of a claim, as Keycloak's mappers make it.
func TestKeycloakClaims(t *testing.T) {
	k := realm(t)
	s := start(t, k.four()...)
	role := s.role()
	const any = "arn:aws:iam::123456789012:role/any"
	for _, tt := range []struct{ name, client, user, role, want string }{
		{"string", "objsrv", "alice", "", "get put"},
		{"string, with the role of a stock SDK", "objsrv", "alice", any, "get put"},
		{"commas and blanks", "objsrv", "carol", "", "get put"},
		{"one of two policies exists", "objsrv", "mixed", "", "get"},
		{"no policy exists", "objsrv", "unknown", "", `IDPRejectedClaim: The claim "policy" names the policies "no-such-policy", none of which exists`},
		{"no policy", "objsrv", "nopol", "", `IDPRejectedClaim: The claim "policy" names no policy. The token has the claims "acr", `},
		{"list", "other", "bob", "", "get"},
		{"list, missing", "other", "alice", "", `IDPRejectedClaim: The claim "policies" names no policy.`},
		{"nested", "nested", "bob", "", "get"},
		{"nested, without a policy among them", "nested", "alice", "", `IDPRejectedClaim: The claim "realm_access.roles" names the policies `},
		{"role", "roleapp", "alice", role, "get"},
		{"role's client without the role", "roleapp", "alice", "", "InvalidIdentityToken: "},
		{"role with another client's token", "objsrv", "alice", role, "InvalidIdentityToken: "},
	} {
		if got := s.rights(k.user(tt.client, tt.user), tt.role); !strings.HasPrefix(got, tt.want) || !strings.Contains(tt.want, ":") && got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	// A group of the provider gives what the local group of its name gives.
	s.admin("group", "add", "guests", "--policy", "readonly")
	if got := s.rights(k.user("objsrv", "nopol"), ""); got != "get" {
		t.Errorf("by a group: %q", got)
	}
}

// TestKeycloakOtherTokens: access tokens are taken from the client they were issued to, and what
// is no login is not taken.
func TestKeycloakOtherTokens(t *testing.T) {
	k := realm(t)
	s := start(t, k.four()...)
	alice := k.user("objsrv", "alice")
	for name, tt := range map[string]struct {
		token string
		want  string
	}{
		"access token":  {alice.Access, "get put"},
		"refresh token": {alice.Refresh, "InvalidIdentityToken: "},
		"S-130 another client's": {grant(t, k.endpoint(), url.Values{"grant_type": {"password"}, "scope": {"openid"}, "client_id": {"admin-cli"},
			"username": {"alice"}, "password": {"alice-secret"}}).Access, "InvalidIdentityToken: "},
		"S-106 a changed signature": {alice.ID[:len(alice.ID)-8] + "AAAAAAAA", "InvalidIdentityToken: "},
	} {
		if got := s.rights(tokens{ID: tt.token}, ""); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
	program := grant(t, k.endpoint(), url.Values{"grant_type": {"client_credentials"}, "client_id": {"objsrv"}, "client_secret": {"objsrv-secret"}})
	c, err := credentials.NewSTSClientGrants(s.url, func() (*credentials.ClientGrantsToken, error) {
		return &credentials.ClientGrantsToken{Token: program.Access, Expiry: 900}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := s.allowed(c); got != "get" {
		t.Errorf("client grants: %q with the claims %v", got, claims(t, program.Access))
	}
}

// TestKeycloakUserinfo: claims that the token lacks come from the userinfo endpoint.
func TestKeycloakUserinfo(t *testing.T) {
	k := realm(t)
	s := start(t, append(k.four(), "MINIO_IDENTITY_OPENID_CLAIM_USERINFO=on")...)
	alice, bob := k.user("objsrv", "alice"), k.user("objsrv", "bob")
	if got := s.rights(alice, ""); got != "get put" {
		t.Errorf("%q", got)
	}
	if got := s.rights(tokens{ID: alice.ID}, ""); !strings.Contains(got, "WebIdentityAccessToken") {
		t.Errorf("without an access token: %q", got)
	}
	if got := s.rights(tokens{ID: alice.ID, Access: bob.Access}, ""); !strings.HasPrefix(got, "IDPRejectedClaim: ") {
		t.Errorf("with somebody else's: %q", got)
	}
}

// TestKeycloakAccounts: with VENDOR=keycloak the token of an account that is disabled, and then gone,
// is refused though it is still good.
func TestKeycloakAccounts(t *testing.T) {
	k := realm(t)
	s := start(t, append(k.four(), "MINIO_IDENTITY_OPENID_VENDOR=keycloak", "MINIO_IDENTITY_OPENID_KEYCLOAK_REALM=objsrv",
		"MINIO_IDENTITY_OPENID_KEYCLOAK_ADMIN_URL="+k.base+"/admin")...)
	dave := k.user("objsrv", "dave")
	if got := s.rights(dave, ""); got != "get put" {
		t.Fatal(got)
	}
	account := k.base + "/admin/realms/objsrv/users/" + claims(t, dave.ID)["sub"].(string)
	for _, enabled := range []string{"false", "true"} {
		if code := send(t, "PUT", account, "application/json", `{"enabled":`+enabled+`}`, k.admin(), nil); code != 204 {
			t.Fatalf("enabled %s: %d", enabled, code)
		}
		want := map[string]string{"false": "IDPRejectedClaim: The account of the token is disabled", "true": "get put"}[enabled]
		if got := s.rights(dave, ""); !strings.HasPrefix(got, want) {
			t.Errorf("enabled %s: %q", enabled, got)
		}
	}
	if code := send(t, "DELETE", account, "application/json", "", k.admin(), nil); code != 204 {
		t.Fatal(code)
	}
	if got := s.rights(dave, ""); !strings.HasPrefix(got, "IDPRejectedClaim: ") {
		t.Errorf("gone: %q", got)
	}
}

// TestKeycloakRotation: tokens that a new key has signed are taken, at the latest a minute later.
func TestKeycloakRotation(t *testing.T) {
	k := realm(t)
	s := start(t, k.four()...)
	old := k.user("objsrv", "alice")
	if got := s.rights(old, ""); got != "get put" {
		t.Fatal(got)
	}
	admin := k.admin()
	body, err := json.Marshal(map[string]any{"name": "rotated", "providerId": "rsa-generated", "providerType": "org.keycloak.keys.KeyProvider",
		"config": map[string][]string{"priority": {"1000"}, "enabled": {"true"}, "active": {"true"}, "algorithm": {"RS256"}, "keySize": {"2048"}}})
	if err != nil {
		t.Fatal(err)
	}
	if code := post(t, k.base+"/admin/realms/objsrv/components", "application/json", string(body), admin, nil); code != 201 {
		t.Fatalf("a new key: %d", code)
	}
	fresh := k.user("objsrv", "alice")
	if header(fresh.ID) == header(old.ID) {
		t.Fatal("the key has not changed")
	}
	await(t, 90*time.Second, "a token of the new key", func() bool { return s.rights(fresh, "") == "get put" })
	if got := s.rights(old, ""); got != "get put" {
		t.Errorf("the old key is still published: %s", got)
	}
}

// TestKeycloakDown: the server starts while nobody can reach Keycloak, finds it when it is there, and
// lives on its keys when it is gone. A gate in front of it opens and closes.
func TestKeycloakDown(t *testing.T) {
	k := realm(t)
	g := newGate(t, strings.TrimPrefix(k.base, "http://"))
	k = &keycloak{t, "http://" + g.address} // which calls itself by the address that it is asked under
	s := start(t, k.settings()...)
	if got := s.rights(unsigned(k.base+"/realms/objsrv", "objsrv"), ""); !strings.HasPrefix(got, "IDPCommunicationError: ") {
		t.Errorf("while it is down: %q", got)
	}
	g.open()
	alice := k.user("objsrv", "alice")
	await(t, 90*time.Second, "Keycloak is found", func() bool { return s.rights(alice, "") == "get put" })
	g.close()
	if got := s.rights(alice, ""); got != "get put" {
		t.Errorf("after it has gone: %q", got)
	}
}

func header(token string) string { return strings.SplitN(token, ".", 2)[0] }
