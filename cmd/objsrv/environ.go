package main

import (
	"fmt"
	"os"
	"slices"
	"sort"
	"strings"

	"github.com/spf13/pflag"
)

// environ is an environment by name.
type environ map[string]string

func environment(list []string) environ {
	env := environ{}
	for _, kv := range list {
		if name, value, ok := strings.Cut(kv, "="); ok {
			env[name] = value
		}
	}
	return env
}

// clientVariables are of commands that call a server; `server` ignores them.
var clientVariables = []string{"OBJSRV_ENDPOINT", "OBJSRV_URL", "OBJSRV_ACCESS_KEY", "OBJSRV_SECRET_KEY", "OBJSRV_SECRET_KEY_FILE", "OBJSRV_CA_FILE",
	"OBJSRV_CLIENT_SECRET", "OBJSRV_CLIENT_SECRET_FILE", "OBJSRV_CLIENT_TOKEN", "OBJSRV_CLIENT_TOKEN_FILE",
	"OBJSRV_LDAP_PASSWORD", "OBJSRV_LDAP_PASSWORD_FILE", "OBJSRV_CUSTOM_TOKEN", "OBJSRV_CUSTOM_TOKEN_FILE"}

// flagValue collects the values of a flag.
type flagValue struct {
	values []string
	def    string
	list   bool
}

// String implements pflag.Value.
func (f *flagValue) String() string {
	if len(f.values) == 0 {
		return f.def
	}
	if f.list {
		return strings.Join(f.values, ",")
	}
	return f.values[len(f.values)-1]
}

// Set implements pflag.Value.
func (f *flagValue) Set(v string) error {
	f.values = append(f.values, v)
	return nil
}

// Type implements pflag.Value.
func (f *flagValue) Type() string { return "string" }

// settingsOf returns the settings of a command.
func settingsOf(mode string) []setting {
	return slices.DeleteFunc(settings(), func(s setting) bool { return s.only != "" && s.only != mode })
}

// addFlags adds the flags of the settings of `server`.
func addFlags(fs *pflag.FlagSet) { addFlagsOf(fs, serverMode) }

// addFlagsOf adds the flags of the settings of a command.
func addFlagsOf(fs *pflag.FlagSet, mode string) {
	for _, s := range settingsOf(mode) {
		if s.flag == "" {
			continue
		}
		f := fs.VarPF(&flagValue{def: s.def, list: s.list}, s.flag, "", s.usage+" ["+s.variable()+"]")
		if s.yes {
			f.NoOptDefVal = "on"
		}
	}
}

func (s *setting) variable() string { return "OBJSRV_" + s.name }

// readConfig makes the configuration from defaults, environment, flags and the arguments
// of `server`. ignored names variables of MinIO that mean nothing here.
func readConfig(fs *pflag.FlagSet, env environ, args []string) (c *Config, ignored []string, err error) {
	c, known := newConfig()
	var skip []string
	if len(args) > 0 {
		skip = []string{"VOLUMES"}
	}
	if err := c.readSettings(fs, env, known, serverMode, skip); err != nil {
		return nil, nil, err
	}
	if len(args) > 1 {
		return nil, nil, errSeveral
	}
	if len(args) == 1 {
		if err := c.setDir(args[0]); err != nil {
			return nil, nil, err
		}
	}
	if c.Dir == "" {
		return nil, nil, usagef("no directory: `objsrv server DIR`, or OBJSRV_VOLUMES=DIR")
	}
	if err := c.checkMigrate(); err != nil {
		return nil, nil, err
	}
	ignored, err = c.finish(env, known)
	return c, ignored, err
}

// readGatewayConfig is readConfig for `gateway s3`.
func readGatewayConfig(fs *pflag.FlagSet, env environ, args []string) (c *Config, ignored []string, err error) {
	c, known := newConfig()
	var skip []string
	if len(args) > 0 {
		skip = []string{"GATEWAY_ENDPOINT"}
	}
	if err := c.readSettings(fs, env, known, gatewayMode, skip); err != nil {
		return nil, nil, err
	}
	if len(args) > 1 {
		return nil, nil, usagef("a gateway stands before one endpoint: put a load balancer before several")
	}
	if len(args) == 1 {
		if err := c.setEndpoint(args[0]); err != nil {
			return nil, nil, usagef("%v", err)
		}
	}
	if err := c.checkGateway(); err != nil {
		return nil, nil, err
	}
	ignored, err = c.finish(env, known)
	return c, ignored, err
}

func newConfig() (c *Config, known map[string]bool) {
	known = map[string]bool{}
	for _, name := range clientVariables {
		known[name] = true
	}
	return &Config{given: map[string]given{}}, known
}

// readSettings sets the settings of a command, but those to skip, and notes the names that there are.
func (c *Config) readSettings(fs *pflag.FlagSet, env environ, known map[string]bool, mode string, skip []string) error {
	for _, s := range settingsOf(mode) {
		value, from, err := s.lookup(env, known)
		if err != nil {
			return err
		}
		if s.flag != "" {
			if f := fs.Lookup(s.flag); f.Changed {
				value, from = f.Value.String(), "--"+s.flag
			}
		}
		if slices.Contains(skip, s.name) {
			continue
		}
		if value == "" {
			if from == "" || s.def == "" {
				value = s.def
			}
			if value == "" {
				continue
			}
		}
		if err := s.set(c, value); err != nil {
			if _, ok := err.(*usageError); ok {
				return err
			}
			return usagef("%s: %v", from, err)
		}
		if from != "" {
			c.given[s.name] = given{from, value}
		}
	}
	return nil
}

// finish reads what has names of its own, and refuses what does not go together and what is not known.
func (c *Config) finish(env environ, known map[string]bool) (ignored []string, err error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if c.OpenID, err = readOpenID(env, known, c.Region); err != nil {
		return nil, err
	}
	if c.LDAP, err = readLDAP(env, known); err != nil {
		return nil, err
	}
	if err := c.checkPlugin(); err != nil {
		return nil, err
	}
	if err := c.readNotify(env, known); err != nil {
		return nil, err
	}
	c.identities = identitiesGiven(env)
	return strangers(env, known)
}

// check refuses what does not go together.
func (c *Config) check() error {
	if c.ConsoleAddress != "" && c.ConsoleAddress == c.Address && !strings.HasSuffix(c.Address, ":0") {
		return usagef("--address and --console-address are both %s: give the console a port of its own, such as :9001", c.Address)
	}
	if err := c.checkVault(); err != nil {
		return err
	}
	if err := c.checkKES(); err != nil {
		return err
	}
	return c.Etcd.check()
}

// lookup finds the value of a setting in the environment and notes the names it has.
func (s *setting) lookup(env environ, known map[string]bool) (value, from string, err error) {
	for _, name := range append([]string{s.variable()}, s.minio...) {
		names := []string{name}
		if s.secret {
			names = append(names, name+"_FILE")
		}
		for _, n := range names {
			known[n] = true
			v, ok := env[n]
			if !ok || v == "" {
				continue
			}
			if n != name {
				if v, err = readSecretFile(n, v); err != nil {
					return "", "", err
				}
			}
			v = s.canonical(v)
			if from != "" && v != value {
				return "", "", usagef("%s and %s are both set and differ: unset one of them", from, n)
			}
			value, from = v, n
		}
	}
	return value, from, nil
}

// canonical maps MinIO's words to ours, so that two names of one thing can agree.
func (s *setting) canonical(v string) string {
	if s.name == "METRICS_PUBLIC" {
		switch v {
		case "public":
			return "on"
		case "jwt":
			return "off"
		}
	}
	return v
}

// readSecretFile reads the value of a variable from the file that NAME_FILE names; a
// line end behind it does not count.
func readSecretFile(variable, file string) (string, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return "", usagef("%s: %v", variable, err)
	}
	v := strings.TrimRight(string(b), "\r\n")
	if v == "" {
		return "", usagef("%s: %s is empty", variable, file)
	}
	return v, nil
}

// strangers refuses variables that only a misspelling explains, and returns those of
// MinIO that this server does not have.
func strangers(env environ, known map[string]bool) (ignored []string, err error) {
	var wrong []string
	for name, value := range env {
		switch {
		case known[name], value == "":
		case strings.HasPrefix(name, "OBJSRV_"):
			wrong = append(wrong, name)
		case strings.HasPrefix(name, "MINIO_KMS_"):
			return nil, usagef("%s: no setting of keys that this version has; unset it, and see docs/encryption.md", name)
		case strings.HasPrefix(name, "MINIO_"):
			ignored = append(ignored, name)
		}
	}
	if len(wrong) > 0 {
		sort.Strings(wrong)
		var have []string
		for name := range known {
			if strings.HasPrefix(name, "OBJSRV_") && !slices.Contains(clientVariables, name) {
				have = append(have, name)
			}
		}
		sort.Strings(have)
		return nil, usagef("unknown variable %s; there are %s", strings.Join(wrong, ", "), strings.Join(have, ", "))
	}
	sort.Strings(ignored)
	return ignored, nil
}

// describe returns why the configuration deserves a word at start.
func (c *Config) warnings(ignored []string) []string {
	var w []string
	if len(ignored) > 0 {
		w = append(w, fmt.Sprintf("variables without a meaning here, ignored: %s", strings.Join(ignored, ", ")))
	}
	return append(w, c.Console.warnings()...)
}
