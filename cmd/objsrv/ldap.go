package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/iam/adminapi"
	"github.com/objsrv/objsrv/sts"
	"github.com/objsrv/objsrv/sts/ldap"
)

// ldapVariable begins the names of the variables of the LDAP directory, behind OBJSRV_ or MINIO_. A
// setting of ldap.Keys follows.
const ldapVariable = "IDENTITY_LDAP_"

// ldapSecret may come from a file that LOOKUP_BIND_PASSWORD_FILE names.
const ldapSecret = "LOOKUP_BIND_PASSWORD"

// readLDAP reads the settings of the directory from the environment, and notes the names it has. It
// returns nil without a directory.
func readLDAP(env environ, known map[string]bool) (*ldap.Config, error) {
	values := map[string]string{}
	ours := map[string]bool{} // names that there could be
	prefix := "OBJSRV_"
	for _, key := range ldap.Keys() {
		s := setting{name: ldapVariable + key, minio: []string{"MINIO_" + ldapVariable + key}, secret: key == ldapSecret}
		value, from, err := s.lookup(env, ours)
		if err != nil {
			return nil, err
		}
		if values[key] = value; strings.HasPrefix(from, "MINIO_") {
			prefix = "MINIO_"
		}
	}
	for name, value := range env {
		if ours[name] {
			known[name] = true
			continue
		}
		for _, p := range []string{"OBJSRV_", "MINIO_"} {
			if strings.HasPrefix(name, p+ldapVariable) && value != "" {
				return nil, usagef("unknown variable %s; the settings of the LDAP directory are OBJSRV_%s with one of %s", name, ldapVariable, strings.Join(ldap.Keys(), ", "))
			}
		}
	}
	c, ok, err := ldap.Parse(values)
	if err != nil {
		return nil, usagef("LDAP directory: %s%s%v", prefix, ldapVariable, err)
	}
	if !ok {
		return nil, nil
	}
	if _, err := ldap.New(c); err != nil {
		return nil, usagef("LDAP directory: %v", err)
	}
	return &c, nil
}

// openLDAP gives the Security Token Service the directory, and begins to ask it whether people are
// still there.
func (s *services) openLDAP(c *sts.Config) error {
	if s.config.LDAP == nil {
		return nil
	}
	d, err := ldap.New(*s.config.LDAP)
	if err != nil {
		return err
	}
	c.Directory, s.ldapDir = d, d
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	review := sts.Review{IAM: s.iam, Directory: d, Interval: s.config.LDAP.Interval, Log: s.log}
	go func() {
		defer close(done)
		review.Run(ctx)
	}()
	s.stopLDAP = func() {
		stop()
		<-done
	}
	return nil
}

// testLDAP is what administrators ask the directory by; nil without one.
func (s *services) testLDAP() adminapi.Directory {
	if s.config.LDAP == nil {
		return nil
	}
	return func(ctx context.Context, name string) (out []adminapi.TestStep, dn string, groups []string) {
		steps, e := s.ldapDir.Trace(ctx, name)
		for _, st := range steps {
			out = append(out, adminapi.TestStep{Step: st.Name, Result: st.Result, Failed: st.Failed})
		}
		if e == nil {
			return out, "", nil
		}
		return out, e.DN, e.Groups
	}
}

// findLDAP finds people by their login names for administrators; nil without a directory.
func (s *services) findLDAP() func(context.Context, string) (string, *iam.Grants, error) {
	if s.config.LDAP == nil {
		return nil
	}
	return func(ctx context.Context, name string) (string, *iam.Grants, error) {
		e, err := s.ldapDir.Find(ctx, name)
		if errors.Is(err, sts.ErrWrongLogin) {
			return "", nil, fmt.Errorf("%w: %w", iam.ErrNoSuchUser, err)
		}
		if err != nil {
			return "", nil, fmt.Errorf("ask the LDAP directory: %v", err) // not wrapped: its connection is not the client's
		}
		g, err := sts.GrantsOf(s.iam, e)
		return iam.QualifiedName(iam.SourceLDAP, e.DN), g, err
	}
}

// ldapWarnings are about a directory that can't be meant as it is.
func (s *services) ldapWarnings() []string {
	c := s.config.LDAP
	if c == nil {
		return nil
	}
	host, _, err := net.SplitHostPort(c.Address)
	switch {
	case c.Transport == ldap.Plain && (err != nil || !isThisMachine(host)):
		return []string{fmt.Sprintf("passwords go to the LDAP directory %s unencrypted, since SERVER_INSECURE is on: everybody on the way reads them", c.Address)}
	case c.SkipVerify:
		return []string{fmt.Sprintf("the certificate of the LDAP directory %s is not looked at, since TLS_SKIP_VERIFY is on: somebody on the way can read passwords; CA_FILE is the better way", c.Address)}
	}
	return nil
}
