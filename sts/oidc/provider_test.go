package oidc

import (
	"encoding/json"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/objsrv/objsrv/sts"
)

// TestPolicyClaims: how claims name policies (FEATURES.md C4).
func TestPolicyClaims(t *testing.T) {
	i := newIssuer(t)
	for name, tt := range map[string]struct {
		claim  string // CLAIM_NAME
		claims []any
		want   string
	}{
		"string":               {"", []any{"policy", "readwrite"}, "readwrite"},
		"list":                 {"", []any{"policy", []string{"readonly", "diagnostics"}}, "readonly diagnostics"},
		"commas and blanks":    {"", []any{"policy", "readonly,diagnostics , writeonly"}, "readonly diagnostics writeonly"},
		"list with commas":     {"", []any{"policy", []string{"a, b", "c"}}, "a b c"},
		"list with other than": {"", []any{"policy", []any{"a", 1, true, nil, []string{"b"}}}, "a"},
		"empty between commas": {"", []any{"policy", ", a,,"}, "a"},
		"missing":              {"", []any{"policy", nil}, ""},
		"null":                 {"", []any{"policy", json.RawMessage("null")}, ""},
		"empty":                {"", []any{"policy", ""}, ""},
		"empty list":           {"", []any{"policy", []string{}}, ""},
		"object":               {"", []any{"policy", map[string]any{"not": "a list"}}, ""},
		"number":               {"", []any{"policy", 7}, ""},
		"nested":               {"realm_access.roles", []any{"realm_access", map[string]any{"roles": []string{"r1", "r2"}}}, "r1 r2"},
		"nested deeply":        {"a.b.c", []any{"a", map[string]any{"b": map[string]any{"c": "x"}}}, "x"},
		"dots in a name":       {"https://example.com/policy", []any{"https://example.com/policy", "x"}, "x"},
		"dots in an inner name": {"resource_access.my.client.roles", []any{"resource_access",
			map[string]any{"my.client": map[string]any{"roles": "x"}, "my": "y"}}, "x"},
		"a name with dots wins": {"a.b", []any{"a.b", "x", "a", map[string]any{"b": "y"}}, "x"},
		"a path into a string":  {"policy.x", nil, ""},
	} {
		ps := i.providers(i.config("", "CLAIM_NAME", tt.claim))
		p := verify(t, ps, i.token(tt.claims...))
		if got := strings.Join(p.Policies, " "); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
	p := verify(t, i.providers(i.config("", "CLAIM_NAME", "roles", "CLAIM_PREFIX", "x-")), i.token("x-roles", "a", "z", 1))
	if !slices.Equal(p.Policies, []string{"a"}) || p.Claim != "x-roles" || !slices.Equal(p.Names, []string{"aud", "exp", "iat", "iss", "policy", "sub", "x-roles", "z"}) {
		t.Errorf("%+v", p)
	}
}

func TestGroupsAndClaims(t *testing.T) {
	i := newIssuer(t)
	p := verify(t, i.providers(i.config("", "GROUPS_CLAIM", "groups")), i.token("groups", []string{"/staff", "guests", "/a/b"}, "n", 1, "mixed", []any{"a", 1}, "empty", []string{}))
	if !slices.Equal(p.Groups, []string{"staff", "guests", "a/b"}) {
		t.Errorf("%q", p.Groups)
	}
	if !slices.Equal(p.Claims["groups"], []string{"/staff", "guests", "/a/b"}) || !slices.Equal(p.Claims["sub"], []string{"alice"}) {
		t.Errorf("%q", p.Claims)
	}
	for _, name := range []string{"n", "exp", "mixed", "empty"} {
		if _, ok := p.Claims[name]; ok {
			t.Errorf("%s is no text", name)
		}
	}
	if p := verify(t, i.providers(i.config("")), i.token("groups", "staff")); p.Groups != nil {
		t.Errorf("%q without GROUPS_CLAIM", p.Groups)
	}
}

// TestChoice: issuer, audience and role decide whose token it is.
func TestChoice(t *testing.T) {
	i, j := newIssuer(t), newIssuer(t)
	ps := i.providers(
		i.config("one"), i.config("two", "CLIENT_ID", "second"), j.config("elsewhere"),
		i.config("role", "CLIENT_ID", "app", "ROLE_POLICY", "readonly, diagnostics"), j.config("role2", "CLIENT_ID", "app2", "ROLE_POLICY", "writeonly"))
	role, role2 := ps.List()[3].RoleARN, ps.List()[4].RoleARN
	for name, tt := range map[string]struct {
		from *issuer
		aud  string
		role string
		want string // "" for refused
	}{
		"first client":                {i, clientID, "", "one"},
		"second client":               {i, "second", "", "two"},
		"other issuer":                {j, clientID, "", "elsewhere"},
		"any role, as SDKs send one":  {i, clientID, "arn:aws:iam::123456789012:role/any", "one"},
		"unknown role of ours":        {i, "second", "arn:minio:iam:us-east-1::role/x", "two"},
		"by role":                     {i, "app", role, "role"},
		"by the other role":           {j, "app2", role2, "role2"},
		"role's client, without role": {i, "app", "", ""},
		"role, client of a claim":     {i, clientID, role, ""},
		"role of another issuer":      {j, "app", role, ""},
		"second client elsewhere":     {j, "second", "", ""},
	} {
		w := sts.WebToken{Token: tt.from.token("aud", tt.aud), RoleARN: tt.role}
		if tt.want == "" {
			if r := refused(t, ps, w); r.Code != sts.InvalidIdentityToken {
				t.Errorf("%s: %v", name, r)
			}
			continue
		}
		p, err := ps.Verify(t.Context(), w)
		if err != nil || p.Provider != tt.want || p.Issuer != tt.from.URL {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
		if strings.HasPrefix(tt.want, "role") != (p.Claim == "") {
			t.Errorf("%s: %+v", name, p)
		}
	}
	p, err := ps.Verify(t.Context(), sts.WebToken{Token: i.token("aud", "app", "policy", "consoleAdmin"), RoleARN: role})
	if err != nil || !slices.Equal(p.Policies, []string{"readonly", "diagnostics"}) {
		t.Errorf("a role's policies are its own: %+v, %v", p, err)
	}
	only := i.providers(i.config("role", "ROLE_POLICY", "readonly"))
	if r := refused(t, only, sts.WebToken{Token: i.token(), RoleARN: "arn:aws:iam::123456789012:role/any"}); !strings.Contains(r.Message, "RoleArn") {
		t.Errorf("no provider with a claim: %v", r)
	}
}

func TestUserinfo(t *testing.T) {
	i := newIssuer(t)
	info := map[string]any{"sub": "alice", "policy": "fromuserinfo", "email": "a@example.com", "exp": 1}
	i.set("/userinfo", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer access" {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		json.NewEncoder(w).Encode(info)
	})
	ps := i.providers(i.config("", "CLAIM_USERINFO", "on"))
	ask := func(access string, pairs ...any) (*sts.Person, error) {
		return ps.Verify(t.Context(), sts.WebToken{Token: i.token(pairs...), AccessToken: access})
	}
	if p, err := ask("access", "policy", nil); err != nil || !slices.Equal(p.Policies, []string{"fromuserinfo"}) || p.Claims["email"][0] != "a@example.com" {
		t.Errorf("%+v, %v", p, err)
	}
	if p, err := ask("access"); err != nil || !slices.Equal(p.Policies, []string{"readwrite"}) {
		t.Errorf("only what is missing is added: %+v, %v", p, err)
	}
	for name, tt := range map[string]struct {
		access string
		sub    any
		code   string
	}{
		"no access token":     {"", "alice", sts.InvalidIdentityToken},
		"a wrong one":         {"wrong", "alice", sts.CommunicationError},
		"two lines":           {"access\r\nX: y", "alice", sts.InvalidIdentityToken},
		"somebody else's":     {"access", "bob", sts.RejectedClaim},
		"somebody, not named": {"access", nil, sts.RejectedClaim},
	} {
		info["sub"] = tt.sub
		if _, err := ask(tt.access); err == nil || err.(*sts.Rejection).Code != tt.code {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestPrivateCA: CA_FILE is trusted, and it alone; TOKEN_FILE is sent, as it is at the time.
func TestPrivateCA(t *testing.T) {
	i := newIssuer(t)
	asked := make(chan string, 10)
	secure := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Header.Get("Authorization")
		i.serve(w, r)
	}))
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains of clients that do not trust it
	secure.StartTLS()
	defer secure.Close()
	i.metadata = map[string]any{"issuer": secure.URL, "jwks_uri": secure.URL + "/keys"}
	dir := t.TempDir()
	ca, file := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "token")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw})
	for name, data := range map[string]string{ca: string(block), file: "secret-of-the-pod\n"} {
		if err := os.WriteFile(name, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	token := func() string { return i.token("iss", secure.URL) }
	with := i.providers(i.config("", "CONFIG_URL", secure.URL+wellKnown, "CA_FILE", ca, "TOKEN_FILE", file))
	verify(t, with, token())
	for range 2 {
		if got := <-asked; got != "Bearer secret-of-the-pod" {
			t.Errorf("Authorization: %q", got)
		}
	}
	without := i.providers(i.config("", "CONFIG_URL", secure.URL+wellKnown))
	if r := refused(t, without, sts.WebToken{Token: token()}); r.Code != sts.CommunicationError || !strings.Contains(r.Reason, "certificate") {
		t.Error(r)
	}
	// No way leads from https to http.
	i.metadata["jwks_uri"] = i.URL + "/keys"
	down := i.providers(i.config("", "CONFIG_URL", secure.URL+wellKnown, "CA_FILE", ca))
	if r := refused(t, down, sts.WebToken{Token: token()}); !strings.Contains(r.Reason, "not encrypted") {
		t.Error(r)
	}
	os.Remove(file)
	gone := i.providers(i.config("", "CONFIG_URL", secure.URL+wellKnown, "CA_FILE", ca, "TOKEN_FILE", file))
	if r := refused(t, gone, sts.WebToken{Token: token()}); !strings.Contains(r.Reason, "TOKEN_FILE") {
		t.Error(r)
	}
}

// FuzzClaims: whatever the claims are, nothing breaks, and policies are names without commas
// and blanks around them.
func FuzzClaims(f *testing.F) {
	f.Add(`{"policy":"a, b"}`, "policy")
	f.Add(`{"realm_access":{"roles":["a",["b"]]}}`, "realm_access.roles")
	f.Add(`{"a":{"a":{"a":{"a":1}}}}`, "a.a.a.a")
	f.Fuzz(func(t *testing.T, claims, path string) {
		m, err := parseObject([]byte(claims))
		if err != nil {
			return
		}
		var plain map[string]any
		if err := json.NewDecoder(strings.NewReader(claims)).Decode(&plain); err != nil && err != io.EOF || len(plain) != len(m) {
			t.Fatalf("another reader sees %d members, not %d: %v", len(plain), len(m), err)
		}
		v, _ := lookup(m, path)
		for _, n := range names(v) {
			if n == "" || n != strings.TrimSpace(n) || strings.Contains(n, ",") {
				t.Fatalf("%q", n)
			}
		}
	})
}
