package oidc

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/objsrv/objsrv/sts"
)

// accounts is an issuer with a token endpoint and Keycloak's admin API for the realm "lab".
func accounts(t *testing.T, answers map[string]string) (i *issuer, valid *atomic.Int32, grants *atomic.Int32) {
	i, valid, grants = newIssuer(t), &atomic.Int32{}, &atomic.Int32{}
	i.set("/token", func(w http.ResponseWriter, r *http.Request) {
		if id, secret, _ := r.BasicAuth(); id != clientID || secret != "objsrv-secret" || r.FormValue("grant_type") != "client_credentials" {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(map[string]string{"access_token": fmt.Sprint("t", grants.Add(1)), "token_type": "Bearer"})
	})
	for subject, answer := range answers {
		i.set("/admin/realms/lab/users/"+subject, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != fmt.Sprint("Bearer t", valid.Load()) {
				http.Error(w, "no", http.StatusUnauthorized)
				return
			}
			if answer == "" {
				http.Error(w, "forbidden", http.StatusForbidden)
				return
			}
			io.WriteString(w, answer)
		})
	}
	valid.Store(1)
	return i, valid, grants
}

func TestKeycloakAccounts(t *testing.T) {
	i, valid, grants := accounts(t, map[string]string{
		"alice": `{"id":"alice","enabled":true}`, "disabled": `{"enabled":false}`, "odd": `{}`, "forbidden": "", "a/b": `{"enabled":true}`,
	})
	ps := i.providers(i.config("", "VENDOR", "keycloak", "KEYCLOAK_REALM", "lab", "KEYCLOAK_ADMIN_URL", i.URL+"/admin/"))
	if !ps.HasAccounts() || i.providers(i.config("")).HasAccounts() {
		t.Error("HasAccounts")
	}
	for subject, want := range map[string]struct {
		code   string // "" for taken
		reason string
	}{
		"alice": {}, "a/b": {},
		"disabled":  {sts.RejectedClaim, ""},
		"gone":      {sts.RejectedClaim, ""},
		"..":        {sts.RejectedClaim, ""},
		"forbidden": {sts.CommunicationError, "403"},
		"odd":       {sts.CommunicationError, "does not tell"},
	} {
		_, err := ps.Verify(t.Context(), sts.WebToken{Token: i.token("sub", subject)})
		r, _ := err.(*sts.Rejection)
		if want.code == "" && err != nil || want.code != "" && (r == nil || r.Code != want.code || !strings.Contains(r.Reason, want.reason)) {
			t.Errorf("%s: %v", subject, err)
		}
		active, known, err := ps.Active(t.Context(), i.URL, subject)
		if active != (want.code == "") || known != (want.code != sts.CommunicationError) || (err == nil) != known {
			t.Errorf("%s: active %v, known %v, %v", subject, active, known, err)
		}
	}
	if n := grants.Load(); n != 1 {
		t.Errorf("the service account got %d tokens", n)
	}
	if _, known, err := ps.Active(t.Context(), "https://other.example.com", "alice"); known || err != nil {
		t.Errorf("another issuer's account is known: %v", err)
	}
	valid.Store(2) // the token has ended
	verify(t, ps, i.token())
	valid.Store(100) // no token is good any more
	if r := refused(t, ps, sts.WebToken{Token: i.token()}); r.Code != sts.CommunicationError || !strings.Contains(r.Reason, "401") {
		t.Error(r)
	}
}
