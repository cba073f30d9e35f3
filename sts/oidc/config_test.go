package oidc

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	base := map[string]string{"CONFIG_URL": "https://idp.example.com/realms/a/.well-known/openid-configuration", "CLIENT_ID": "objsrv"}
	for name, tt := range map[string]struct {
		provider string
		set      []string
		off      bool
		says     string // of the error
	}{
		"plain":                       {},
		"switched off":                {set: []string{"ENABLE", "off", "CONFIG_URL", ""}, off: true},
		"nothing set":                 {set: []string{"CONFIG_URL", "", "CLIENT_ID", ""}, off: true},
		"only switched on":            {set: []string{"ENABLE", "on", "CONFIG_URL", "", "CLIENT_ID", ""}, says: "CONFIG_URL is missing"},
		"no client":                   {set: []string{"CLIENT_ID", ""}, says: "CLIENT_ID is missing"},
		"no document":                 {set: []string{"CONFIG_URL", ""}, says: "CONFIG_URL is missing"},
		"a switch":                    {set: []string{"ENABLE", "maybe"}, says: "ENABLE is neither on nor off"},
		"not a URL":                   {set: []string{"CONFIG_URL", "idp.example.com"}, says: "CONFIG_URL is not a URL"},
		"a file":                      {set: []string{"CONFIG_URL", "file:///etc/x" + wellKnown}, says: "CONFIG_URL is not a URL"},
		"a password in the URL":       {set: []string{"CONFIG_URL", "https://a:b@idp.example.com" + wellKnown}, says: "CONFIG_URL is not a URL"},
		"issuer unknown":              {set: []string{"CONFIG_URL", "https://idp.example.com/discovery"}, says: "set ISSUER"},
		"issuer given":                {set: []string{"CONFIG_URL", "https://idp.example.com/discovery", "ISSUER", "https://idp.example.com"}},
		"JWKS_URL":                    {set: []string{"JWKS_URL", "https://idp.example.com/keys"}, says: "JWKS_URL has no meaning"},
		"a vendor":                    {set: []string{"VENDOR", "okta"}, says: "the only one that is known is keycloak"},
		"Keycloak":                    {set: []string{"VENDOR", "keycloak", "KEYCLOAK_ADMIN_URL", "https://idp.example.com/admin", "CLIENT_SECRET", "s"}},
		"Keycloak without a secret":   {set: []string{"VENDOR", "keycloak", "KEYCLOAK_ADMIN_URL", "https://idp.example.com/admin"}, says: "CLIENT_SECRET is missing"},
		"Keycloak without its API":    {set: []string{"VENDOR", "keycloak", "CLIENT_SECRET", "s"}, says: "KEYCLOAK_ADMIN_URL is missing"},
		"Keycloak without encryption": {set: []string{"VENDOR", "keycloak", "CLIENT_SECRET", "s", "KEYCLOAK_ADMIN_URL", "http://idp.example.com/admin"}, says: "https where"},
		"a realm that is a path":      {set: []string{"VENDOR", "keycloak", "CLIENT_SECRET", "s", "KEYCLOAK_ADMIN_URL", "https://x/admin", "KEYCLOAK_REALM", ".."}, says: "KEYCLOAK_REALM is no name"},
		"a realm alone":               {set: []string{"KEYCLOAK_REALM", "a"}, says: "has no effect without VENDOR"},
		"an admin URL alone":          {set: []string{"KEYCLOAK_ADMIN_URL", "https://x/admin"}, says: "has no effect without VENDOR"},
		"role and claim":              {set: []string{"ROLE_POLICY", "readonly", "CLAIM_NAME", "groups"}, says: "unset the one or the others"},
		"role and prefix":             {set: []string{"ROLE_POLICY", "readonly", "CLAIM_PREFIX", "x"}, says: "unset the one or the others"},
		"role and the usual claim":    {set: []string{"ROLE_POLICY", "readonly", "CLAIM_NAME", "policy"}},
		"two ways to redirect":        {set: []string{"REDIRECT_URI", "https://s3.example.com/oauth_callback", "REDIRECT_URI_DYNAMIC", "on"}, says: "set one of them"},
		"a bad way to redirect":       {set: []string{"REDIRECT_URI", "/oauth_callback"}, says: "REDIRECT_URI is not a URL"},
		"an empty scope":              {set: []string{"SCOPES", "openid,,email"}, says: "SCOPES has an empty value"},
		"an empty audience":           {set: []string{"OTHER_AUDIENCES", "a,"}, says: "OTHER_AUDIENCES has an empty value"},
		"a name":                      {provider: "a b", says: "the name"},
		"a token without encryption":  {set: []string{"CONFIG_URL", "http://idp.example.com" + wellKnown, "TOKEN_FILE", "/t"}, says: "TOKEN_FILE would be sent"},
		"console's settings are read": {set: []string{"SCOPES", "openid, email", "DISPLAY_NAME", "Login", "REDIRECT_URI_DYNAMIC", "on", "USER_READABLE_CLAIM", "email", "USER_ID_CLAIM", "sub", "COMMENT", "c"}},
	} {
		values := map[string]string{}
		for k, v := range base {
			values[k] = v
		}
		for n := 0; n < len(tt.set); n += 2 {
			values[tt.set[n]] = tt.set[n+1]
		}
		c, ok, err := Parse(tt.provider, values)
		switch {
		case tt.says != "":
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%s: %v", name, err)
			}
		case err != nil || ok == tt.off:
			t.Errorf("%s: %v %v", name, ok, err)
		case ok && c.Issuer == "":
			t.Errorf("%s: %+v", name, c)
		}
		for k := range values {
			if !slices.Contains(Keys(), k) {
				t.Errorf("%s: Keys has no %s", name, k)
			}
		}
	}
}

func TestParseValues(t *testing.T) {
	c, _, err := Parse("dev", map[string]string{
		"CONFIG_URL": "https://idp.example.com/realms/a/.well-known/openid-configuration", "CLIENT_ID": " objsrv ", "CLIENT_SECRET": " s ",
		"CLAIM_NAME": "roles", "CLAIM_PREFIX": "https://example.com/", "OTHER_AUDIENCES": "a, b ,a", "SCOPES": "openid,email",
		"GROUPS_CLAIM": "groups", "CLAIM_USERINFO": "on",
	})
	if err != nil {
		t.Fatal(err)
	}
	if c.Issuer != "https://idp.example.com/realms/a" || c.ClaimName != "https://example.com/roles" || !slices.Equal(c.Audiences, []string{"objsrv", "a", "b"}) ||
		!slices.Equal(c.Scopes, []string{"openid", "email"}) || c.ClientSecret != " s " || !c.Userinfo || c.Role("us-east-1") != "" {
		t.Errorf("%+v", c)
	}
}

// TestRoleARN: the ARN is what MinIO makes of the client's id.
func TestRoleARN(t *testing.T) {
	c := Config{ClientID: "minio-client-app", RolePolicies: []string{"readonly"}}
	// It is printf minio-client-app | openssl sha1 -binary | base64, with - and _ and no padding
	if got, want := c.Role("eu-1"), "arn:minio:iam:eu-1::role/nOybJqMNzNmroqEKq5D0EUsRZw0"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestContradictions(t *testing.T) {
	config := func(name, realm, client string, pairs ...string) Config {
		values := map[string]string{"CONFIG_URL": "https://idp.example.com/" + realm + wellKnown, "CLIENT_ID": client}
		for n := 0; n < len(pairs); n += 2 {
			values[pairs[n]] = pairs[n+1]
		}
		c, _, err := Parse(name, values)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	notPEM := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(notPEM, []byte("no"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		configs []Config
		says    string
	}{
		"two realms, one client id":   {[]Config{config("a", "a", "x"), config("b", "b", "x")}, ""},
		"one realm, two clients":      {[]Config{config("a", "a", "x"), config("b", "a", "y")}, ""},
		"one realm, role and claim":   {[]Config{config("a", "a", "x"), config("b", "a", "x", "ROLE_POLICY", "readonly")}, ""},
		"twice the same":              {[]Config{config("a", "a", "x"), config("b", "a", "x")}, "does not tell them apart"},
		"the audience of another one": {[]Config{config("a", "a", "x"), config("b", "a", "y", "OTHER_AUDIENCES", "x")}, "does not tell them apart"},
		"one name":                    {[]Config{config("a", "a", "x"), config("a", "b", "y")}, "configured twice"},
		"one role":                    {[]Config{config("a", "a", "x", "ROLE_POLICY", "p"), config("b", "b", "x", "ROLE_POLICY", "q")}, "same role ARN"},
		"a CA that is not there":      {[]Config{config("a", "a", "x", "CA_FILE", notPEM+".not")}, "CA_FILE can't be read"},
		"a CA that is none":           {[]Config{config("a", "a", "x", "CA_FILE", notPEM)}, "no certificate"},
	} {
		_, err := New(Options{Providers: tt.configs, Region: "r"})
		if (tt.says == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ps, err := New(Options{Providers: []Config{config("a", "a", "x", "ROLE_POLICY", "p", "CLIENT_SECRET", "hidden-one")}, Region: "r"})
	if err != nil {
		t.Fatal(err)
	}
	if l := ps.List(); len(l) != 1 || l[0].Config.ClientSecret != "" || !strings.HasPrefix(l[0].RoleARN, "arn:minio:iam:r::role/") {
		t.Errorf("%+v", l)
	}
}
