package main

import (
	"cmp"
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/iam/adminapi"
)

// checks are what administrators have found of the directory, which tells nothing of itself.
type checks struct {
	mu   sync.Mutex
	last map[string]check
}

// check is what a provider answered at one time.
type check struct {
	at  time.Time
	err error
}

func (c *checks) note(id string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last == nil {
		c.last = map[string]check{}
	}
	c.last[id] = check{time.Now().UTC(), err}
}

func (c *checks) of(id string) (check, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	last, ok := c.last[id]
	return last, ok
}

// Providers implements adminapi.Providers.
func (h adminHost) Providers() []adminapi.Provider {
	var out []adminapi.Provider
	for _, id := range h.services.providerIDs() {
		kind, name, _ := strings.Cut(id, ":")
		p := adminapi.Provider{ID: id, Kind: kind, Name: cmp.Or(name, kind), RoleARN: h.services.roleOf(id), Settings: []adminapi.ProviderSetting{}}
		for _, s := range h.services.config.identities[id] {
			v := adminapi.ProviderSetting{Key: s.key, Value: s.value, Secret: s.secret}
			if s.secret {
				v.Value = "***"
			}
			p.Settings = append(p.Settings, v)
		}
		h.describe(&p)
		out = append(out, p)
	}
	return out
}

// describe adds what a provider is called, where its people have policies from, and how it does.
func (h adminHost) describe(p *adminapi.Provider) {
	s := h.services
	switch p.Kind {
	case iam.SourceOpenID:
		h.describeOpenID(p)
		return
	case iam.SourceLDAP:
		p.Title, p.PolicySource = "LDAP directory "+s.config.LDAP.Address, "policies that are attached to the person, or to groups of the directory"
	case iam.SourceTLS:
		p.Title, p.PolicySource = "Client certificates", "the policy with the name that the certificate is for"
		switch {
		case s.certs == nil:
			p.State, p.Error = adminapi.ProviderFailing, "there is no TLS: --certs-dir is not set"
			return
		case s.certs.Clients().Count == 0 && !s.config.ClientCertsUnverified:
			p.State, p.Error = adminapi.ProviderFailing, "no authority vouches for clients: its certificate belongs into the directory CAs of the certificates"
			return
		}
		p.State, p.Keys = adminapi.ProviderOK, s.certs.Clients().Count
		return
	case iam.SourceCustom:
		p.Title, p.PolicySource = "Identity plugin", "ROLE_POLICY, for everybody whom the plugin knows"
	}
	p.State = adminapi.ProviderUnused
	if last, ok := h.checked.of(p.ID); ok {
		p.State, p.Checked = adminapi.ProviderOK, &last.at
		if last.err != nil {
			p.State, p.Error, p.ErrorAt, p.Checked = adminapi.ProviderFailing, last.err.Error(), &last.at, nil
		}
	}
}

func (h adminHost) describeOpenID(p *adminapi.Provider) {
	for _, info := range h.services.openID.List() {
		if info.Name != p.Name {
			continue
		}
		p.Title = cmp.Or(info.Config.DisplayName, "OpenID Connect "+info.Name)
		p.PolicySource = "the claim " + info.Config.ClaimName
		if p.RoleARN != "" {
			p.PolicySource = "ROLE_POLICY, for everybody with a token of the provider"
		}
		if info.Config.GroupsClaim != "" {
			p.PolicySource += "; local groups that the claim " + info.Config.GroupsClaim + " names"
		}
	}
	st := h.services.openID.State(p.Name)
	p.State, p.Keys = adminapi.ProviderOK, st.Keys
	if !st.Fetched.IsZero() {
		at := st.Fetched.UTC()
		p.Checked = &at
	}
	switch {
	case st.Err != nil:
		at := st.ErrAt.UTC()
		p.State, p.Error, p.ErrorAt = adminapi.ProviderFailing, st.Err.Error(), &at
	case !st.Asked:
		p.State = adminapi.ProviderUnused
	}
}

// CheckProvider implements adminapi.Providers. What comes of it is found among Providers.
func (h adminHost) CheckProvider(ctx context.Context, id string) error {
	if !h.services.known(id) {
		return errNoProvider
	}
	switch kind, name, _ := strings.Cut(id, ":"); kind {
	case iam.SourceOpenID:
		if err := h.services.openID.Check(ctx, name); ctx.Err() != nil {
			return err
		}
	case iam.SourceLDAP:
		err := h.services.ldapDir.Check(ctx)
		if ctx.Err() != nil {
			return err
		}
		h.checked.note(id, err)
	case iam.SourceCustom:
		return &adminapi.Refusal{Status: http.StatusNotImplemented, Code: "NotImplemented", Message: "The identity plugin is asked about tokens alone: log in with one to see whether it answers."}
	}
	return nil // certificates are looked at where they are
}
