// Package ldapserver starts real directories for tests: OpenLDAP's slapd and Samba's Active
// Directory domain controller. It imports go-ldap to fill them. The programs are those of the PATH
// and of /usr/sbin; get.sh beside this file installs Debian's where it may.
package ldapserver

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// Server is a directory of its test, which ends with it.
type Server struct {
	Addr, TLSAddr string // host:port for plain connections and StartTLS, and for TLS from the first byte
	CAFile        string // vouches for it
	Base          string
	LookupDN      string // an account that may read
	Lookup        string // its password

	t                   testing.TB
	dir                 string
	admin, adminsSecret string
	program             string
	args                []string
	cmd                 *exec.Cmd
	done                chan struct{}
}

// find returns the path of a program, or skips the test.
func find(t testing.TB, name string) string {
	t.Helper()
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	path := filepath.Join("/usr/sbin", name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("%s is missing: test/identity/ldapserver/get.sh installs it where it may", name)
	}
	return path
}

// Start starts the server, again after Stop, and returns when it answers.
func (s *Server) Start() {
	s.t.Helper()
	log, err := os.OpenFile(s.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		s.t.Fatal(err)
	}
	defer log.Close()
	s.cmd = exec.Command(s.program, s.args...)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // its children end with it
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	done := make(chan struct{})
	s.done = done
	go func() { s.cmd.Wait(); close(done) }()
	end := time.Now().Add(time.Minute)
	for err = s.Do(func(*ldap.Conn) error { return nil }); err != nil; err = s.Do(func(*ldap.Conn) error { return nil }) {
		select {
		case <-done:
			s.t.Fatalf("the directory has ended: %s", s.Log())
		case <-time.After(50 * time.Millisecond):
		}
		if time.Now().After(end) {
			s.t.Fatalf("the directory does not answer: %v: %s", err, s.Log())
		}
	}
}

// Stop ends the server; its data stays.
func (s *Server) Stop() {
	if s.cmd == nil {
		return
	}
	syscall.Kill(-s.cmd.Process.Pid, syscall.SIGTERM)
	select {
	case <-s.done:
	case <-time.After(10 * time.Second):
		syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
		<-s.done
	}
	s.cmd = nil
}

func (s *Server) logFile() string { return filepath.Join(s.dir, "log") }

// Log returns what the server has logged.
func (s *Server) Log() string {
	b, err := os.ReadFile(s.logFile())
	if err != nil {
		s.t.Fatal(err)
	}
	return string(b)
}

// Do calls f with the rights of the directory's administrator.
func (s *Server) Do(f func(*ldap.Conn) error) error {
	pem, err := os.ReadFile(s.CAFile)
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	tc := &tls.Config{RootCAs: pool}
	if s.adminsSecret == slapdSecret {
		tc.InsecureSkipVerify = true // some tests give it a certificate that is not good
	}
	c, err := ldap.DialURL("ldaps://"+s.TLSAddr, ldap.DialWithTLSConfig(tc))
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Bind(s.admin, s.adminsSecret); err != nil {
		return err
	}
	return f(c)
}

// Entry is one to add: its name below Base, and attributes.
type Entry struct {
	RDN        string
	Attributes map[string][]string
}

// Add adds entries.
func (s *Server) Add(entries ...Entry) {
	s.t.Helper()
	err := s.Do(func(c *ldap.Conn) error {
		for _, e := range entries {
			dn := s.Base
			if e.RDN != "" {
				dn = e.RDN + "," + s.Base
			}
			r := ldap.NewAddRequest(dn, nil)
			for name, values := range e.Attributes {
				r.Attribute(name, values)
			}
			if err := c.Add(r); err != nil {
				return fmt.Errorf("add %s: %w", dn, err)
			}
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// Modify changes an entry below Base: values by attribute, none to remove it.
func (s *Server) Modify(rdn string, attributes map[string][]string) {
	s.t.Helper()
	err := s.Do(func(c *ldap.Conn) error {
		r := ldap.NewModifyRequest(rdn+","+s.Base, nil)
		for name, values := range attributes {
			r.Replace(name, values)
		}
		return c.Modify(r)
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// Delete removes an entry below Base.
func (s *Server) Delete(rdn string) {
	s.t.Helper()
	if err := s.Do(func(c *ldap.Conn) error { return c.Del(ldap.NewDelRequest(rdn+","+s.Base, nil)) }); err != nil {
		s.t.Fatal(err)
	}
}

// freeAddress returns one that nobody listened on a moment ago. It is below the ports that systems
// give to outgoing connections, which would take it now and then before the server does.
func freeAddress(t testing.TB) string {
	t.Helper()
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(12000))
		if l, err := net.Listen("tcp", address); err == nil {
			l.Close()
			return address
		}
	}
	t.Fatal("no port from 20000 to 31999 is free")
	return ""
}

// run runs a program to its end.
func run(dir, program string, args ...string) error {
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = errors.Join(err, errors.New(string(out)))
	}
	return err
}
