package main

import (
	"fmt"
	"net"
	"strings"
)

// banner says what is served where, once the server is ready.
func (p *Program) banner() {
	scheme := "http"
	if p.certs != nil {
		scheme = "https"
	}
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-10s%s\n", name, fmt.Sprintf(format, args...))
	}
	s3 := scheme + "://" + reachable(p.Addr())
	what := p.Config.Dir
	if p.Config.Gateway.Endpoint != "" {
		what = p.Config.Gateway.Endpoint
	}
	fmt.Fprintf(&b, "objsrv %s serves %s\n", readVersion().Version, what)
	if name := p.services.config.SiteName; name != "" {
		line("Site:", "%s", name)
	}
	line("S3:", "%s", s3)
	switch a := p.ConsoleAddr(); {
	case p.services.console == nil:
		line("Console:", "switched off")
	case p.Config.Console.PublicURL != nil:
		line("Console:", "%s", p.Config.Console.PublicURL)
	case a != nil:
		line("Console:", "%s://%s", scheme, reachable(a))
	default:
		line("Console:", "%s", s3)
	}
	line("Health:", "%s/-/health/ready", s3)
	if e := &p.Config.Etcd; e.used() {
		line("IAM:", "%s", e.where())
	}
	root := p.services.root
	line("User:", "%s", root.User)
	if root.made {
		line("Password:", "%s", root.Password)
		line("", "shown this once; it is stored in %s/%s", strings.TrimRight(p.Config.Dir, "/"), rootFile)
	}
	if p.services.openID != nil {
		for _, provider := range p.services.openID.List() {
			if provider.RoleARN != "" {
				line("OpenID:", "%s, role %s", provider.Name, provider.RoleARN)
			} else {
				line("OpenID:", "%s, policies from the claim %s", provider.Name, provider.Config.ClaimName)
			}
		}
	}
	if p.services.plugin != nil {
		line("Plugin:", "role %s", p.services.plugin.RoleARN())
	}
	if c := p.Config.LDAP; c != nil {
		line("LDAP:", "%s", c.Address)
	}
	fmt.Fprint(p.Stdout, b.String())
	warnings := append(p.Config.warnings(p.Ignored), p.services.warnings()...)
	p.host.warnings.Store(&warnings)
	for _, w := range warnings {
		p.log.Warn(w)
	}
}

// reachable turns a listening address into one that can be typed on this machine.
func reachable(a net.Addr) string {
	host, port, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}
