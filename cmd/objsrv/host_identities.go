package main

import (
	"strings"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/iam/madmin"
)

// Providers implements madmin.Providers.
func (h *host) Providers() []madmin.Provider {
	var out []madmin.Provider
	ids := h.services.providerIDs()
	for _, id := range ids {
		kind, name, _ := strings.Cut(id, ":")
		if kind != iam.SourceOpenID && kind != iam.SourceLDAP {
			continue
		}
		p := madmin.Provider{Kind: kind}
		if name != "default" {
			p.Name = name
		}
		for _, s := range h.services.config.identities[id] {
			if !s.secret {
				p.Settings = append(p.Settings, madmin.ProviderSetting{Key: strings.ToLower(s.key), Value: s.value})
			}
		}
		p.RoleARN = h.services.roleOf(id)
		out = append(out, p)
	}
	return out
}

// roleOf returns the ARN of a provider's role, "" for one without.
func (s *services) roleOf(id string) string {
	if id == iam.SourceCustom && s.plugin != nil {
		return s.plugin.RoleARN()
	}
	if s.openID == nil {
		return ""
	}
	for _, p := range s.openID.List() {
		if iam.SourceOpenID+":"+p.Name == id {
			return p.RoleARN
		}
	}
	return ""
}
