package oidc

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/objsrv/objsrv/sts"
)

// keycloakVendor is the one vendor whose accounts can be looked up (MinIO's VENDOR).
const keycloakVendor = "keycloak"

// keycloak looks accounts up by Keycloak's admin API, as the provider's own client: its service
// account needs the role view-users of realm-management.
type keycloak struct {
	p    *provider
	flow *Flow

	mu    sync.Mutex
	token string // of the service account; "" when there is none that is good
}

// HasAccounts tells whether Active knows accounts of any provider.
func (ps *Providers) HasAccounts() bool {
	for _, p := range ps.list {
		if p.keycloak != nil {
			return true
		}
	}
	return false
}

// Active tells whether the account of a subject may still log in. known is false for an issuer
// whose accounts can't be looked up.
func (ps *Providers) Active(ctx context.Context, issuer, subject string) (active, known bool, err error) {
	for _, p := range ps.list {
		if p.keycloak != nil && p.issues(issuer) {
			active, err = p.keycloak.active(ctx, subject)
			return active, err == nil, err
		}
	}
	return false, false, nil
}

// active asks for one account. One that is gone is not active.
func (k *keycloak) active(ctx context.Context, subject string) (bool, error) {
	if subject == "." || subject == ".." {
		return false, nil // no name of an account; in a path it would be another question
	}
	address := strings.TrimSuffix(k.p.KeycloakAdminURL, "/") + "/realms/" + url.PathEscape(k.p.KeycloakRealm) + "/users/" + url.PathEscape(subject)
	for attempt := 0; ; attempt++ {
		token, err := k.bearer(ctx)
		if err != nil {
			return false, fmt.Errorf("look up an account at provider %s: %w", k.p.title(), err)
		}
		var account struct {
			Enabled *bool `json:"enabled"`
		}
		err = k.p.source.client.get(ctx, address, token, &account)
		var status *statusError
		switch {
		case err == nil && account.Enabled == nil:
			return false, fmt.Errorf("look up an account at provider %s: the answer does not tell whether it is enabled", k.p.title())
		case err == nil:
			return *account.Enabled, nil
		case errors.As(err, &status) && status.code == http.StatusNotFound:
			return false, nil
		case errors.As(err, &status) && status.code == http.StatusUnauthorized && attempt == 0:
			k.forget(token)
		default:
			return false, fmt.Errorf("look up an account at provider %s: %w", k.p.title(), err)
		}
	}
}

// bearer returns the access token of the service account, a new one when there is none.
func (k *keycloak) bearer(ctx context.Context) (string, error) {
	k.mu.Lock()
	token := k.token
	k.mu.Unlock()
	if token != "" {
		return token, nil
	}
	got, err := k.flow.ClientCredentials(ctx)
	if err != nil {
		return "", err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.token = got.Access
	return k.token, nil
}

func (k *keycloak) forget(token string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if subtle.ConstantTimeCompare([]byte(k.token), []byte(token)) == 1 {
		k.token = ""
	}
}

// checkAccount refuses the token of an account that is disabled or gone: the token lives on.
func (p *provider) checkAccount(ctx context.Context, subject string) error {
	if p.keycloak == nil {
		return nil
	}
	active, err := p.keycloak.active(ctx, subject)
	if err != nil {
		return p.unreachable(err)
	}
	if !active {
		return &sts.Rejection{Code: sts.RejectedClaim, Message: "The account of the token is disabled at its identity provider, or gone."}
	}
	return nil
}
