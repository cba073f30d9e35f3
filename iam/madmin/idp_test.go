package madmin

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/objsrv/objsrv/iam"
)

// TestProviders: what MinIO's clients are told of identity providers, as MinIO tells it, and that nothing can be
// changed there.
func TestProviders(t *testing.T) {
	s, host := newHostServer(t)
	host.idps = []Provider{
		{Kind: "openid", Settings: []ProviderSetting{{"client_id", "app"}, {"config_url", "http://idp/"}}},
		{Kind: "openid", Name: "ROLE", RoleARN: "arn:minio:iam:::role/x", Settings: []ProviderSetting{{"enable", "on"}, {"role_policy", "readonly"}}},
	}
	for _, tt := range []struct{ path, want string }{
		{"idp-config/openid", `[{"type":"openid","name":"_","enabled":true},{"type":"openid","name":"ROLE","enabled":true,"roleARN":"arn:minio:iam:::role/x"}]`},
		{"idp-config/ldap", `[{"type":"ldap","name":"_","enabled":false}]`},
		{"idp-config/ldap/_", `{"type":"ldap","name":"_","info":[]}`},
		{"idp-config/openid/_", `{"type":"openid","name":"_","info":[{"key":"client_id","value":"app","isCfg":true,"isEnv":true},{"key":"config_url","value":"http://idp/","isCfg":true,"isEnv":true},{"key":"enable","value":"on","isCfg":true,"isEnv":false}]}`},
		{"idp-config/openid/ROLE", `{"type":"openid","name":"ROLE","info":[{"key":"enable","value":"on","isCfg":true,"isEnv":true},{"key":"roleARN","value":"arn:minio:iam:::role/x","isCfg":false,"isEnv":false},{"key":"role_policy","value":"readonly","isCfg":true,"isEnv":true}]}`},
	} {
		if status, body := s.send(request{as: "objroot", method: get, path: tt.path}); status != 200 || strings.TrimSpace(body) != tt.want {
			t.Errorf("%s: %d %s", tt.path, status, body)
		}
	}
	for _, q := range []request{
		{method: get, path: "idp-config/openid/role"},
		{method: remove, path: "idp-config/openid/none"},
		{method: remove, path: "idp-config/ldap/_"},
		{method: post, path: "idp-config/openid/none", body: "enable=off"},
	} {
		q.as = "objroot"
		s.want(q, 400, "XMinioAdminNoSuchConfigTarget")
	}
	s.want(request{as: "objroot", method: get, path: "idp-config/saml"}, 400, "XMinioAdminConfigInvalidIDPType")
	s.want(request{as: "objroot", method: remove, path: "idp-config/openid/ROLE"}, 400, "XMinioAdminConfigEnvOverridden")
	s.want(request{as: "objroot", method: post, path: "idp-config/openid/_", body: "enable=off"}, 400, "XMinioAdminConfigEnvOverridden")
	s.want(request{as: "objroot", method: put, path: "idp-config/openid/new", body: "client_id=x"}, 501, "OBJSRV_IDENTITY_OPENID_")
}

// TestProviderSettings: `mc admin config get` shows the variables, without secrets, and nothing can be set.
func TestProviderSettings(t *testing.T) {
	s, host := newHostServer(t)
	host.idps = []Provider{{Kind: "openid", Settings: []ProviderSetting{{"client_id", "app"}}}, {Kind: "openid", Name: "LAB", Settings: []ProviderSetting{{"client_id", "lab"}, {"role_policy", "a,b"}}}}
	for name, want := range map[string]string{
		"identity_openid":     "# MINIO_IDENTITY_OPENID_CLIENT_ID=app\nidentity_openid \n# MINIO_IDENTITY_OPENID_CLIENT_ID_LAB=lab\n# MINIO_IDENTITY_OPENID_ROLE_POLICY_LAB=a,b\nidentity_openid:LAB \n",
		"identity_openid:_":   "# MINIO_IDENTITY_OPENID_CLIENT_ID=app\nidentity_openid \n",
		"identity_openid:LAB": "# MINIO_IDENTITY_OPENID_CLIENT_ID_LAB=lab\n# MINIO_IDENTITY_OPENID_ROLE_POLICY_LAB=a,b\nidentity_openid:LAB \n",
		"identity_ldap":       "identity_ldap \n",
	} {
		if status, body := s.send(request{as: "objroot", method: get, path: "get-config-kv", query: "key=" + name}); status != 200 || body != want {
			t.Errorf("%s: %d %q", name, status, body)
		}
	}
	s.want(request{as: "objroot", method: get, path: "get-config-kv", query: "key=identity_openid:none"}, 400, "XMinioAdminNoSuchConfigTarget")
	for _, body := range []string{"identity_openid client_id=x", "identity_openid:NEW client_id=x", " identity_ldap enable=off"} {
		s.want(request{as: "objroot", method: put, path: "set-config-kv", body: body}, 400, "XMinioAdminConfigEnvOverridden")
		s.want(request{as: "objroot", method: remove, path: "del-config-kv", body: body}, 400, "XMinioAdminConfigEnvOverridden")
	}
}

// TestOpenIDKeys: keys and sessions of people are found by provider, by subject and by user.
func TestOpenIDKeys(t *testing.T) {
	s, host := newHostServer(t)
	host.idps = []Provider{{Kind: "openid", Settings: []ProviderSetting{{"user_readable_claim", "Name"}}}, {Kind: "openid", Name: "LAB"}, {Kind: "ldap"}}
	person := func(user, provider, subject string) iam.Credential {
		t.Helper()
		_, cred, err := s.svc.CreateSession(t.Context(), iam.NewSession{External: "openid:" + user, Duration: time.Hour, Grants: &iam.Grants{
			Provider: provider, Policies: []string{"readonly"}, Claims: map[string][]string{"jwt:sub": {subject}, "jwt:name": {"Name of " + subject}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		s.tokens[cred.AccessKey], s.secrets[cred.AccessKey] = cred.SessionToken, cred.Secret
		return cred
	}
	ann, bob := person("HASHANN", "default", "ann"), person("HASHBOB", "LAB", "bob")
	if _, _, err := s.svc.CreateAccessKey(t.Context(), iam.NewAccessKey{By: ann.Identity, Parent: ann.Identity.Name, AccessKey: "ANNSKEY"}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.svc.CreateUser(t.Context(), iam.NewUser{Name: "openid:HASHNONE"}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ as, query, want string }{
		{"objroot", "listType=all&all=true", "_: HASHANN/ann/Name of ann ANNSKEY S"},
		{"objroot", "listType=all&all=true&configName=_", "_: HASHANN/ann/Name of ann ANNSKEY S"},
		{"objroot", "listType=all&all=true&configName=LAB", "LAB: HASHBOB/bob/ S"},
		{"objroot", "listType=all&all=true&allConfigs=true", "LAB: HASHBOB/bob/ S; _: HASHANN/ann/Name of ann ANNSKEY S"},
		{"objroot", "listType=users-only&all=true", "_: HASHANN/ann/Name of ann"},
		{"objroot", "listType=svcacc-only&all=true&allConfigs=true", "LAB:; _: HASHANN/ann/Name of ann ANNSKEY"},
		{"objroot", "listType=sts-only&all=true&configName=LAB", "LAB: HASHBOB/bob/ S"},
		{"objroot", "listType=all&users=bob&users=ann&allConfigs=true", "LAB: HASHBOB/bob/ S; _: HASHANN/ann/Name of ann ANNSKEY S"},
		{"objroot", "listType=all&users=HASHBOB&configName=LAB", "LAB: HASHBOB/bob/ S"},
		{"objroot", "listType=all&users=nobody", "_:"},
		{"objroot", "listType=all", "_:"},
		{ann.AccessKey, "listType=all", "_: HASHANN/ann/Name of ann ANNSKEY S"},
		{bob.AccessKey, "listType=all&configName=LAB&users=HASHBOB", "LAB: HASHBOB/bob/ S"},
	} {
		status, body := s.send(request{as: tt.as, method: get, path: "idp/openid/list-access-keys-bulk", query: tt.query})
		var list []providerKeys
		if err := json.Unmarshal([]byte(body), &list); status != 200 || err != nil {
			t.Errorf("%s: %d %s", tt.query, status, body)
			continue
		}
		var got []string
		for _, p := range list {
			line := p.Provider + ":"
			for _, u := range p.Users {
				line += " " + u.User + "/" + u.Subject + "/" + u.Readable
				for _, k := range u.Keys {
					line += " " + k.AccessKey
				}
				line += strings.Repeat(" S", len(u.Sessions))
			}
			got = append(got, line)
		}
		if !slices.Equal(got, strings.Split(tt.want, "; ")) {
			t.Errorf("%s as %s: %q, want %q", tt.query, tt.as, got, tt.want)
		}
	}
	s.want(request{as: "objroot", method: get, path: "info-access-key", query: "accessKey=" + ann.AccessKey}, 200, `"openIDSpecificInfo":{"configName":"_","userID":"ann","userIDClaim":"sub"}`)
	s.want(request{as: "objroot", method: get, path: "info-access-key", query: "accessKey=ANNSKEY"}, 200, "s3:GetObject") // by the policy of the token
	const path = "idp/openid/list-access-keys-bulk"
	s.want(request{as: ann.AccessKey, method: get, path: path, query: "listType=all&users=HASHBOB"}, 403, "AccessDenied")
	s.want(request{as: ann.AccessKey, method: get, path: path, query: "listType=all&all=true"}, 403, "AccessDenied")
	s.want(request{as: "objroot", method: get, path: path, query: "listType=all&all=true&configName=none"}, 400, "XMinioAdminNoSuchConfigTarget")
	s.want(request{as: "objroot", method: get, path: path, query: "listType=odd&all=true"}, 400, "")
	s.want(request{as: "objroot", method: get, path: path, query: "listType=all&all=true&users=x"}, 400, "")
	s.want(request{as: "objroot", method: get, path: path, query: "listType=all&all=true&allConfigs=true&configName=LAB"}, 400, "")
}
