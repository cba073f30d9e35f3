// Package oidc knows OpenID Connect providers and judges their tokens: settings, discovery,
// keys, claims. It is the only user of go-oidc, and imports sts for the words of its answers;
// it never sees iam: whether a policy or a group exists is not its business. Its rules are those of
// OpenID Connect Core 1.0 and Discovery 1.0, RFC 7515 to 7519 and RFC 8725; the names of its
// settings, how claims name policies and how roles are named are MinIO's.
package oidc

import (
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/objsrv/objsrv/internal/values"
)

// Config are the settings of one provider.
type Config struct {
	Name      string // "" for the one whose settings have no suffix
	ConfigURL string // of the discovery document
	Issuer    string // expected there and in tokens; without a slash at its end when it was derived
	ClientID  string
	// Audiences are accepted in tokens: the client's id and what was set beside it.
	Audiences    []string
	ClaimName    string   // names policies; "" with RolePolicies
	RolePolicies []string // of everybody with a token of this provider
	GroupsClaim  string   // names local groups; "" for none
	Userinfo     bool     // claims are completed from the userinfo endpoint
	CAFile       string   // certificates that vouch for the provider; "" for the system's
	TokenFile    string   // sent to the provider with requests for metadata and keys, as Kubernetes wants it

	// With KeycloakAdminURL accounts of KeycloakRealm are looked up by Keycloak's admin API.
	KeycloakAdminURL string
	KeycloakRealm    string
	ClientSecret     string

	// The rest is for the console and for lists.
	DisplayName        string
	Scopes             []string
	RedirectURI        string
	RedirectURIDynamic bool
	UserReadableClaim  string
	UserIDClaim        string
	Comment            string
}

// defaultClaim names policies unless CLAIM_NAME says otherwise.
const defaultClaim = "policy"

// wellKnown ends the discovery document's URL (OpenID Connect Discovery 1.0, section 4).
const wellKnown = "/.well-known/openid-configuration"

// Keys returns the names of all settings as they stand in variables behind IDENTITY_OPENID_ and
// before the provider's name.
func Keys() []string {
	return []string{
		"ENABLE", "COMMENT", "CONFIG_URL", "CLIENT_ID", "CLIENT_SECRET", "DISPLAY_NAME",
		"CLAIM_NAME", "CLAIM_PREFIX", "CLAIM_USERINFO", "ROLE_POLICY", "SCOPES", "REDIRECT_URI", "REDIRECT_URI_DYNAMIC",
		"VENDOR", "KEYCLOAK_REALM", "KEYCLOAK_ADMIN_URL", "USER_READABLE_CLAIM", "USER_ID_CLAIM", "JWKS_URL",
		// MinIO does not have these.
		"ISSUER", "GROUPS_CLAIM", "CA_FILE", "TOKEN_FILE", "OTHER_AUDIENCES",
	}
}

// Parse reads the settings of the provider name, by Keys; empty values count as absent. ok is false
// for a provider that is switched off or not set at all. An error names the key it is about.
func Parse(name string, given map[string]string) (c Config, ok bool, err error) {
	s := &settings{values.Reader{Values: given}}
	enabled := s.Yes("ENABLE", true)
	if s.Err == nil && (!enabled || s.Empty()) {
		return c, false, nil
	}
	if !nameForm(name) {
		return c, false, fmt.Errorf("the name %q of a provider consists of letters, digits, _ and -", name)
	}
	s.refuse("JWKS_URL", "has no meaning since keys are found by CONFIG_URL: unset it")
	c = Config{
		Name: name, ConfigURL: s.need("CONFIG_URL"), Issuer: s.Text("ISSUER"), ClientID: s.need("CLIENT_ID"),
		RolePolicies: s.list("ROLE_POLICY"), GroupsClaim: s.Text("GROUPS_CLAIM"), Userinfo: s.Yes("CLAIM_USERINFO", false),
		CAFile: s.Text("CA_FILE"), TokenFile: s.Text("TOKEN_FILE"),
		ClientSecret: given["CLIENT_SECRET"], DisplayName: s.Text("DISPLAY_NAME"), Scopes: s.list("SCOPES"),
		RedirectURI: s.Text("REDIRECT_URI"), RedirectURIDynamic: s.Yes("REDIRECT_URI_DYNAMIC", false),
		UserReadableClaim: s.Text("USER_READABLE_CLAIM"), UserIDClaim: s.Text("USER_ID_CLAIM"), Comment: s.Text("COMMENT"),
	}
	c.Audiences = append([]string{c.ClientID}, s.list("OTHER_AUDIENCES")...)
	s.claim(&c)
	s.urls(&c)
	s.vendor(&c)
	return c, s.Err == nil, s.Err
}

// Role returns the role ARN of a provider with RolePolicies as MinIO derives it, else "".
func (c *Config) Role(region string) string {
	if len(c.RolePolicies) == 0 {
		return ""
	}
	sum := sha1.Sum([]byte(c.ClientID))
	return "arn:minio:iam:" + region + "::role/" + base64.RawURLEncoding.EncodeToString(sum[:])
}

// title is the provider's name in messages.
func (c *Config) title() string {
	if c.Name == "" {
		return "default"
	}
	return c.Name
}

// loopback tells whether the provider is configured to be on this machine.
func (c *Config) loopback() bool {
	u, err := url.Parse(c.ConfigURL)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return err == nil && ip.IsLoopback() || u.Hostname() == "localhost"
}

func nameForm(s string) bool {
	return len(s) <= 64 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == ""
}

// settings reads values and keeps the first error.
type settings struct{ values.Reader }

func (s *settings) need(key string) string {
	v := s.Text(key)
	if v == "" {
		s.Fail(key, "is missing: a provider needs CONFIG_URL and CLIENT_ID; ENABLE=off switches it off")
	}
	return v
}

func (s *settings) refuse(key, why string) {
	if s.Text(key) != "" {
		s.Fail(key, "%s", why)
	}
}

// list reads values that are separated by commas; empty ones are an error.
func (s *settings) list(key string) []string {
	if s.Text(key) == "" {
		return nil
	}
	var out []string
	for v := range strings.SplitSeq(s.Text(key), ",") {
		if v = strings.TrimSpace(v); v == "" {
			s.Fail(key, "has an empty value between its commas: %q", s.Text(key))
		}
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

// claim reads where policies come from: the role or a claim, not both.
func (s *settings) claim(c *Config) {
	name, prefix := s.Text("CLAIM_NAME"), s.Text("CLAIM_PREFIX")
	if len(c.RolePolicies) > 0 {
		if name != "" && name != defaultClaim || prefix != "" {
			s.Fail("ROLE_POLICY", "gives everybody the same policies, so CLAIM_NAME and CLAIM_PREFIX would have no effect: unset the one or the others")
		}
		return
	}
	if name == "" {
		name = defaultClaim
	}
	c.ClaimName = prefix + name
}

// urls judges the addresses and derives the issuer.
func (s *settings) urls(c *Config) {
	u := s.url("CONFIG_URL", c.ConfigURL)
	if c.RedirectURI != "" {
		s.url("REDIRECT_URI", c.RedirectURI)
		if c.RedirectURIDynamic {
			s.Fail("REDIRECT_URI", "is fixed, and REDIRECT_URI_DYNAMIC=on makes it from each request: set one of them")
		}
	}
	if c.TokenFile != "" && u != nil && u.Scheme != "https" {
		s.Fail("TOKEN_FILE", "would be sent over a connection that is not encrypted: CONFIG_URL must be https")
	}
	switch base, ok := strings.CutSuffix(c.ConfigURL, wellKnown); {
	case c.Issuer != "":
		s.url("ISSUER", c.Issuer)
	case ok:
		c.Issuer = strings.TrimSuffix(base, "/")
	default:
		s.Fail("CONFIG_URL", "does not end with %s, so it does not tell the issuer: set ISSUER to what the document at CONFIG_URL says", wellKnown)
	}
}

// vendor reads how accounts are looked up. MinIO's default realm is master.
func (s *settings) vendor(c *Config) {
	switch v := s.Text("VENDOR"); v {
	case "":
		s.refuse("KEYCLOAK_REALM", "has no effect without VENDOR=keycloak")
		s.refuse("KEYCLOAK_ADMIN_URL", "has no effect without VENDOR=keycloak")
		return
	case keycloakVendor:
	default:
		s.Fail("VENDOR", "is %q; the only one that is known is keycloak", v)
		return
	}
	if c.KeycloakAdminURL = s.Text("KEYCLOAK_ADMIN_URL"); c.KeycloakAdminURL == "" {
		s.Fail("KEYCLOAK_ADMIN_URL", "is missing: VENDOR=keycloak looks accounts up there, such as https://idp.example.com/admin")
		return
	}
	if u := s.url("KEYCLOAK_ADMIN_URL", c.KeycloakAdminURL); u != nil && (u.RawQuery != "" || endpoint("KEYCLOAK_ADMIN_URL", c.KeycloakAdminURL, c.ConfigURL) != nil) {
		s.Fail("KEYCLOAK_ADMIN_URL", "must be a URL without a query, and https where CONFIG_URL is")
	}
	if c.KeycloakRealm = s.Text("KEYCLOAK_REALM"); c.KeycloakRealm == "" {
		c.KeycloakRealm = "master"
	}
	if c.KeycloakRealm == "." || c.KeycloakRealm == ".." {
		s.Fail("KEYCLOAK_REALM", "is no name of a realm: %q", c.KeycloakRealm)
	}
	if c.ClientSecret == "" {
		s.Fail("CLIENT_SECRET", "is missing: VENDOR=keycloak looks accounts up as this client, whose service account needs the role view-users")
	}
}

func (s *settings) url(key, v string) *url.URL {
	u, err := url.Parse(v)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Fragment != "" {
		s.Fail(key, "is not a URL of http or https without user and fragment: %q", v)
		return nil
	}
	return u
}
