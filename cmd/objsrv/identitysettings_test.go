package main

import (
	"fmt"
	"strings"
	"testing"
)

// TestIdentitiesGiven: settings are kept by provider, and no secret among them (S-250).
func TestIdentitiesGiven(t *testing.T) {
	got := identitiesGiven(environ{
		"MINIO_IDENTITY_OPENID_CLIENT_ID": "app", "OBJSRV_IDENTITY_OPENID_CLIENT_ID": "app", "MINIO_IDENTITY_OPENID_CLIENT_SECRET": "hidden",
		"OBJSRV_IDENTITY_OPENID_CLIENT_SECRET_FILE_LAB": "/hidden", "OBJSRV_IDENTITY_OPENID_CA_FILE_LAB": "/ca", "MINIO_IDENTITY_OPENID_SCOPES": "",
		"MINIO_IDENTITY_LDAP_SERVER_ADDR": "ldap:636", "MINIO_IDENTITY_LDAP_LOOKUP_BIND_PASSWORD": "hidden",
		"MINIO_IDENTITY_PLUGIN_URL": "http://p/", "MINIO_IDENTITY_PLUGIN_AUTH_TOKEN": "hidden", "OBJSRV_IDENTITY_TLS_ENABLE": "on",
		"OBJSRV_ROOT_PASSWORD": "hidden", "PATH": "/bin", "XMINIO_IDENTITY_LDAP_SERVER_ADDR": "x", "MINIO": "x",
	})
	var out []string
	for id, list := range map[string][]identitySetting{"openid:default": got["openid:default"], "openid:LAB": got["openid:LAB"], "ldap": got["ldap"], "custom": got["custom"], "tls": got["tls"]} {
		for _, s := range list {
			out = append(out, fmt.Sprintf("%s %s=%s %v", id, s.key, s.value, s.secret))
		}
	}
	all := strings.Join(out, "\n")
	if len(got) != 5 || len(out) != 9 || strings.Contains(fmt.Sprint(got), "hidden") {
		t.Errorf("%d of %d providers: %v", len(out), len(got), got)
	}
	for _, want := range []string{"openid:default CLIENT_ID=app false", "openid:default CLIENT_SECRET= true", "openid:LAB CA_FILE=/ca false", "openid:LAB CLIENT_SECRET= true",
		"ldap SERVER_ADDR=ldap:636 false", "ldap LOOKUP_BIND_PASSWORD= true", "custom URL=http://p/ false", "custom AUTH_TOKEN= true", "tls ENABLE=on false"} {
		if !strings.Contains(all, want) {
			t.Errorf("no %q in\n%s", want, all)
		}
	}
}
