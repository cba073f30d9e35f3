package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/iam/adminapi"
	"github.com/objsrv/objsrv/sts"
)

// providerIDs are the identity providers that are configured, as iam.ProviderOf calls them.
func (s *services) providerIDs() []string {
	var ids []string
	if s.openID != nil {
		for _, p := range s.openID.List() {
			ids = append(ids, iam.SourceOpenID+":"+p.Name)
		}
	}
	for id, there := range map[string]bool{
		iam.SourceLDAP: s.config.LDAP != nil, iam.SourceTLS: s.config.ClientCerts, iam.SourceCustom: s.config.Plugin.URL != "",
	} {
		if there {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// endOrphans ends the sessions of people whose provider has been taken out of the configuration since. Their
// access keys stay for the administrator to judge, who is told of them by keyWarnings.
func (s *services) endOrphans(ctx context.Context) error {
	n, err := s.iam.KeepProviders(ctx, s.providerIDs())
	if n > 0 {
		s.log.Info("sessions have ended, since their identity provider is not configured any more", "sessions", n)
	}
	return err
}

// keyWarnings tell of access keys whose people nobody vouches for any more.
func (s *services) keyWarnings() (out []string) {
	ids, counts := s.providerIDs(), map[string]int{}
	for _, k := range s.iam.AccessKeys("") {
		of := iam.ProviderOf(k.Parent, k.Grants)
		if of != "" && k.Enabled && !slices.ContainsFunc(ids, func(id string) bool { return iam.FromProvider(of, id) }) {
			counts[of]++
		}
	}
	for of, n := range counts {
		out = append(out, fmt.Sprintf("access keys of people of the identity provider %s, which is not configured any more, are still good: %d; `objsrv admin key ls --all` lists them", of, n))
	}
	slices.Sort(out)
	return out
}

// testToken is what administrators try tokens by; nil without an OpenID Connect provider.
func (s *services) testToken() adminapi.Tokens {
	if len(s.config.OpenID) == 0 {
		return nil
	}
	return func(r *http.Request, in adminapi.TestOpenID) (adminapi.OpenIDTest, error) {
		if in.Provider != "" && !slices.Contains(s.providerIDs(), iam.SourceOpenID+":"+in.Provider) {
			return adminapi.OpenIDTest{}, &adminapi.Refusal{Status: http.StatusNotFound, Code: "NoSuchProvider", Message: "There is no OpenID Connect provider of this name."}
		}
		t := sts.TryWebIdentity(s.stsConfig, r, sts.WebToken{Token: in.Token, AccessToken: in.AccessToken, RoleARN: in.RoleARN, Provider: in.Provider})
		return openIDTest(t), nil
	}
}

// openIDTest is a trial as the face tells it.
func openIDTest(t *sts.Trial) adminapi.OpenIDTest {
	out := adminapi.OpenIDTest{
		Allowed: t.Refusal == nil, User: t.User, Verified: t.Verified, Claims: t.Claims,
		Steps: []adminapi.TestStep{}, Rules: []adminapi.TokenRule{}, Policies: list(t.Policies), Groups: list(t.Groups),
	}
	if out.Claims == nil {
		out.Claims = map[string]any{}
	}
	for _, st := range t.Steps {
		out.Steps = append(out.Steps, adminapi.TestStep{Step: st.Name, Result: st.Result, Failed: st.Failed})
	}
	for _, r := range t.Rules {
		out.Rules = append(out.Rules, adminapi.TokenRule{
			Rule: r.Name, Claim: r.Claim, Found: r.Found, Values: list(r.Values), Used: list(r.Used), Unknown: list(r.Unknown), Result: r.Result,
		})
	}
	if t.Person != nil {
		out.Provider = t.Person.Provider
	}
	if t.Refusal != nil {
		out.Error = &adminapi.TokenError{Code: t.Refusal.Code, Message: t.Refusal.Message, Reason: t.Reason}
		return out
	}
	out.Expires = &t.Expires
	return out
}

// list returns l, never nil: an empty list is one in JSON.
func list(l []string) []string {
	if l == nil {
		return []string{}
	}
	return l
}
