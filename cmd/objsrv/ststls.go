package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/sts"
	"github.com/objsrv/objsrv/sts/plugin"
)

// pluginVariable begins the names of the plugin's variables, behind OBJSRV_ or MINIO_.
const pluginVariable = "IDENTITY_PLUGIN_"

// identitySettings are those of the identities that come by client certificates and by the plugin.
func identitySettings() []setting {
	switchOf := func(name string, field func(*Config) *bool) setting {
		return setting{name: name, minio: []string{"MINIO_" + name}, def: "off", set: func(c *Config, v string) (err error) {
			*field(c), err = parseSwitch(v)
			return err
		}}
	}
	text := func(name string, minio, secret bool, set func(*plugin.Config, string)) setting {
		s := setting{name: pluginVariable + name, secret: secret, set: func(c *Config, v string) error {
			set(&c.Plugin, v)
			return nil
		}}
		if minio {
			s.minio = []string{"MINIO_" + s.name}
		}
		return s
	}
	return []setting{
		switchOf("IDENTITY_TLS_ENABLE", func(c *Config) *bool { return &c.ClientCerts }),
		switchOf("IDENTITY_TLS_SKIP_VERIFY", func(c *Config) *bool { return &c.ClientCertsUnverified }),
		text("URL", true, false, func(p *plugin.Config, v string) { p.URL = v }),
		text("AUTH_TOKEN", true, true, func(p *plugin.Config, v string) { p.AuthToken = v }),
		text("ROLE_POLICY", true, false, func(p *plugin.Config, v string) {
			for name := range strings.SplitSeq(v, ",") {
				p.Policies = append(p.Policies, strings.TrimSpace(name))
			}
		}),
		text("ROLE_ID", true, false, func(p *plugin.Config, v string) { p.RoleID = v }),
		text("CA_FILE", false, false, func(p *plugin.Config, v string) { p.CAFile = v }),
	}
}

// checkPlugin refuses settings with which the plugin can't be asked. With none there is no plugin.
func (c *Config) checkPlugin() error {
	p := &c.Plugin
	if p.URL == "" && p.AuthToken == "" && len(p.Policies) == 0 && p.RoleID == "" && p.CAFile == "" {
		return nil
	}
	if _, err := plugin.New(*p, c.Region); err != nil {
		return usagef("the variable %s%v", pluginVariable, err)
	}
	return nil
}

// addIdentities sets what the Security Token Service knows of certificates and of the plugin.
func (s *services) addIdentities(c *sts.Config) (err error) {
	if s.config.ClientCerts {
		c.ClientCertificates = &sts.ClientCertificates{SkipVerify: s.config.ClientCertsUnverified, Authorities: noAuthorities}
		if s.certs != nil {
			c.ClientCertificates.Authorities = func() (*x509.CertPool, []*x509.RevocationList) {
				have := s.certs.Clients()
				return have.Pool, have.Lists
			}
		}
	}
	if s.config.Plugin.URL != "" {
		if s.plugin, err = plugin.New(s.config.Plugin, s.config.Region); err != nil {
			return fmt.Errorf("identity plugin: %w", err)
		}
		c.CustomToken = s.plugin
	}
	return nil
}

// noAuthorities vouch for nobody: without TLS nobody asks them either.
func noAuthorities() (*x509.CertPool, []*x509.RevocationList) { return x509.NewCertPool(), nil }

// identityWarnings are about certificates and a plugin that can't be meant as they are.
func (s *services) identityWarnings() (out []string) {
	switch {
	case !s.config.ClientCerts:
	case s.certs == nil:
		out = append(out, "IDENTITY_TLS_ENABLE has no effect without TLS: set --certs-dir")
	case s.config.ClientCertsUnverified:
		out = append(out, "IDENTITY_TLS_SKIP_VERIFY is on: everybody who can connect can make a certificate for any policy, and has all rights")
	case s.certs.Clients().Count == 0:
		out = append(out, fmt.Sprintf("no client certificate is taken: put the certificates of the authorities that vouch for clients into %s/CAs", s.config.CertsDir))
	}
	p := &s.config.Plugin
	if p.URL == "" {
		return out
	}
	if u, err := url.Parse(p.URL); err == nil && u.Scheme == "http" && !isThisMachine(u.Hostname()) {
		out = append(out, "the identity plugin is asked over a connection that is not encrypted: whoever can change it can log in as anybody")
	}
	for _, name := range p.Policies {
		if _, err := s.iam.Policy(name); errors.Is(err, iam.ErrNoSuchPolicy) {
			out = append(out, fmt.Sprintf("ROLE_POLICY of the identity plugin names the policy %s, which does not exist yet", name))
		}
	}
	return out
}
