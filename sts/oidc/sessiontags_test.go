package oidc

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/objsrv/objsrv/sts"
)

// TestSessionTags: the shapes of AWS, and what Keycloak makes of them; anything else under these names is
// refused, not left out.
func TestSessionTags(t *testing.T) {
	i := newIssuer(t)
	ps := i.providers(i.config(""))
	raw := func(s string) json.RawMessage { return json.RawMessage(s) }
	tags := func(pairs ...string) map[string]string {
		out := map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			out[pairs[i]] = pairs[i+1]
		}
		return out
	}
	for name, tt := range map[string]struct {
		claims []any
		want   sts.SessionTags
		says   string // of the refusal
	}{
		"none":             {nil, sts.SessionTags{Tags: tags()}, ""},
		"object":           {[]any{sts.ClaimTags, raw(`{"principal_tags":{"Team":["red"],"Site":"eu"},"transitive_tag_keys":["Team"]}`)}, sts.SessionTags{Tags: tags("Team", "red", "Site", "eu"), Transitive: []string{"Team"}}, ""},
		"list of Keycloak": {[]any{sts.ClaimTags, raw(`[{"principal_tags":{"Team":["red"]}}]`)}, sts.SessionTags{Tags: tags("Team", "red")}, ""},
		"flat":             {[]any{sts.ClaimTags + "/principal_tags/Team", "red", sts.ClaimTags + "/transitive_tag_keys", []string{"Team"}}, sts.SessionTags{Tags: tags("Team", "red"), Transitive: []string{"Team"}}, ""},
		"no transitive":    {[]any{sts.ClaimTags, raw(`{"principal_tags":{"a":"b"},"transitive_tag_keys":[]}`)}, sts.SessionTags{Tags: tags("a", "b")}, ""},
		"source identity":  {[]any{sts.ClaimSourceIdentity, "alice"}, sts.SessionTags{Tags: tags(), SourceIdentity: "alice"}, ""},
		"both, the same":   {[]any{sts.ClaimTags, raw(`{"principal_tags":{"a":"b"}}`), sts.ClaimTags + "/principal_tags/a", "b"}, sts.SessionTags{Tags: tags("a", "b")}, ""},
		"both, differ":     {[]any{sts.ClaimTags, raw(`{"principal_tags":{"a":"b"}}`), sts.ClaimTags + "/principal_tags/a", "c"}, sts.SessionTags{}, "twice"},
		"text":             {[]any{sts.ClaimTags, "red"}, sts.SessionTags{}, "principal_tags"},
		"several values":   {[]any{sts.ClaimTags, raw(`{"principal_tags":{"a":["b","c"]}}`)}, sts.SessionTags{}, "one string"},
		"a number":         {[]any{sts.ClaimTags + "/principal_tags/a", 1}, sts.SessionTags{}, "one string"},
		"tags in a list":   {[]any{sts.ClaimTags, raw(`{"principal_tags":["a"]}`)}, sts.SessionTags{}, "no object"},
		"odd transitive":   {[]any{sts.ClaimTags, raw(`{"transitive_tag_keys":7}`)}, sts.SessionTags{}, "transitive_tag_keys"},
		"odd source":       {[]any{sts.ClaimSourceIdentity, []string{"alice"}}, sts.SessionTags{}, "source_identity"},
		"empty source":     {[]any{sts.ClaimSourceIdentity, ""}, sts.SessionTags{}, "source_identity"},
	} {
		p, err := ps.Verify(t.Context(), sts.WebToken{Token: i.token(tt.claims...)})
		switch {
		case tt.says != "":
			if err == nil || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), sts.InvalidIdentityToken) {
				t.Errorf("%s: %v", name, err)
			}
		case err != nil:
			t.Errorf("%s: %v", name, err)
		case !reflect.DeepEqual(p.Tags, tt.want):
			t.Errorf("%s: %+v, want %+v", name, p.Tags, tt.want)
		}
	}
}

// TestTrace: who tries a token is told of each check, and which of them fails.
func TestTrace(t *testing.T) {
	i := newIssuer(t)
	ps := i.providers(i.config("one"), i.config("role", "CLIENT_ID", "app", "ROLE_POLICY", "readonly"))
	other := newIssuer(t)
	for name, tt := range map[string]struct {
		token  string
		named  string
		failed string // the step; "" for a good token
		says   string
	}{
		"good":               {i.token(), "", "", ""},
		"named":              {i.token(), "one", "", ""},
		"named, with a role": {i.token("aud", "app"), "role", "", ""},
		"another's client":   {i.token("aud", "app"), "one", "audience", "app"},
		"not a token":        {"x.y", "", "token", "2 parts"},
		"another issuer":     {other.token(), "", "provider", "no provider with a claim has the issuer"},
		"named, not its":     {other.token(), "one", "provider", "which is asked for"},
		"expired":            {i.token("exp", 1000), "", "claims", "expired"},
		"no provider":        {i.token(), "none", "provider", "none"},
	} {
		var trace sts.Trace
		_, err := ps.Verify(t.Context(), sts.WebToken{Token: tt.token, Provider: tt.named, Trace: &trace})
		last := trace.Steps[len(trace.Steps)-1]
		if (err != nil) != (tt.failed != "") || last.Failed != (err != nil) || trace.Verified != (err == nil) {
			t.Errorf("%s: %v, %+v", name, err, trace)
		}
		if tt.failed != "" && (last.Name != tt.failed || !strings.Contains(last.Result, tt.says)) {
			t.Errorf("%s: %+v", name, last)
		}
		if err == nil && trace.Claims["sub"] != "alice" {
			t.Errorf("%s: %v", name, trace.Claims)
		}
		for _, st := range trace.Steps {
			if strings.Contains(st.Result, tt.token) {
				t.Errorf("%s: the token is told", name)
			}
		}
	}
}
