package main

import (
	"context"
	"strings"

	"github.com/objsrv/objsrv/iam/config"
)

// given is how a setting was set when the program was started.
type given struct{ from, value string }

// storedTable is what `mc admin config` can set: the settings that are read after the identity
// store has been opened, under the names of MinIO's sub-systems.
func storedTable() []config.Subsystem {
	table := []config.Subsystem{
		{Name: "site", Description: "label the server and its location"},
		{Name: "api", Description: "what requests may do"},
		{Name: "compression", Description: "compress objects that shrink"},
	}
	for _, s := range settings() {
		sub, key, ok := strings.Cut(s.stored, " ")
		if !ok {
			continue
		}
		k := config.Key{Name: key, Type: s.kind, Default: s.def, Description: strings.ReplaceAll(s.usage, "`", ""), Check: func(v string) error { return s.set(&Config{}, v) }}
		if s.def != "" {
			k.Description += " (default: '" + s.def + "')"
		}
		for i := range table {
			if table[i].Name == sub {
				table[i].Keys = append(table[i].Keys, k)
			}
		}
	}
	return table
}

// overrides are the settings of the command line and the environment, which win.
func (c *Config) overrides() map[string]config.Override {
	out := map[string]config.Override{}
	for _, s := range settings() {
		if g, ok := c.given[s.name]; ok && s.stored != "" {
			out[s.stored] = config.Override{From: g.from, Value: g.value}
		}
	}
	return out
}

// mode is the command whose configuration it is.
func (c *Config) mode() string {
	if c.Gateway.Endpoint != "" {
		return gatewayMode
	}
	return serverMode
}

// withStored returns the configuration with what is stored and not overridden.
func (c *Config) withStored(v config.Values) (*Config, error) {
	out := *c
	out.stored = map[string]string{}
	for _, s := range settingsOf(c.mode()) {
		sub, key, ok := strings.Cut(s.stored, " ")
		if _, set := c.given[s.name]; set || !ok || v[sub][key] == "" {
			continue
		}
		out.stored[s.stored] = v[sub][key]
		if err := s.set(&out, v[sub][key]); err != nil {
			return c, usagef("the stored setting %s %s: %v; set %s instead", sub, key, err, s.variable())
		}
	}
	return &out, nil
}

// takeStored reads the settings that administrators have stored.
func (s *services) takeStored() error {
	s.settings = config.New(s.iamDB, storedTable(), s.config.overrides())
	v, err := s.settings.Values(context.Background())
	if err != nil {
		return err
	}
	s.config, err = s.config.withStored(v)
	return err
}
