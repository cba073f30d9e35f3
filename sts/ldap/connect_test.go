package ldap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/objsrv/objsrv/sts"
	"github.com/objsrv/objsrv/test/identity/ldapserver"
)

// TestSlapdCertificates: S-214, nothing is sent to a server that can't prove who it is.
func TestSlapdCertificates(t *testing.T) {
	for name, kind := range map[string]ldapserver.Certificate{"other name": ldapserver.OtherName, "expired": ldapserver.Expired, "unknown authority": ldapserver.Foreign} {
		t.Run(name, func(t *testing.T) {
			s := ldapserver.Slapd(t, kind)
			before := strings.Count(s.Log(), " BIND dn=")
			for _, transport := range []Transport{LDAPS, StartTLS} {
				_, err := directory(t, over(s, transport)).Login(t.Context(), "alice", "alice-secret")
				if err == nil || errors.Is(err, sts.ErrWrongLogin) {
					t.Errorf("%v: %v", transport, err)
				}
			}
			if got := strings.Count(s.Log(), " BIND dn="); got != before {
				t.Error("a password was sent")
			}
			c := settingsFor(s)
			c.CAFile, c.SkipVerify = "", true
			if _, err := directory(t, c).Login(t.Context(), "alice", "alice-secret"); err != nil {
				t.Errorf("TLS_SKIP_VERIFY: %v", err)
			}
		})
	}
}

// TestSlapdStripped: S-214, somebody in between who answers that there is no StartTLS gets nothing.
func TestSlapdStripped(t *testing.T) {
	s := ldapserver.Slapd(t, ldapserver.Good)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var mu sync.Mutex
	var sent []byte
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				b := make([]byte, 4096)
				for {
					n, err := c.Read(b)
					mu.Lock()
					sent = append(sent, b[:n]...)
					mu.Unlock()
					if err != nil {
						return
					}
					// ExtendedResponse: protocolError, "no", as a server without TLS answers.
					if _, err := c.Write([]byte("\x30\x0e\x02\x01\x01\x78\x09\x0a\x01\x02\x04\x00\x04\x02no")); err != nil {
						return
					}
				}
			}()
		}
	}()
	c := over(s, StartTLS)
	c.Address = l.Addr().String()
	if _, err := directory(t, c).Login(t.Context(), "alice", "alice-secret"); err == nil || errors.Is(err, sts.ErrWrongLogin) {
		t.Errorf("it goes on: %v", err)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(sent) == 0 || strings.Contains(string(sent), "secret") {
		t.Errorf("sent: %q", sent)
	}
}

// TestSilentServer: a server that says nothing, or no end of it, is left.
func TestSilentServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	talk := make(chan bool, 2)
	talk <- false
	talk <- true
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if <-talk {
				go func() {
					// The head of a message of 2 GB, and then its bytes.
					c.Write([]byte("\x30\x84\x7f\xff\xff\xf0\x04\x84\x7f\xff\xff\xe0"))
					io.Copy(c, endless{})
					c.Close()
				}()
			} else {
				defer c.Close()
			}
		}
	}()
	c := Config{Address: l.Addr().String(), Transport: Plain, LookupDN: "cn=lookup", LookupPassword: "secret", UserBases: []string{"dc=test"}, UserFilter: "(uid=%s)"}
	d := directory(t, c)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := d.Login(ctx, "alice", "alice-secret"); err == nil || errors.Is(err, sts.ErrWrongLogin) {
		t.Errorf("silent: %v", err)
	}
	begin := time.Now()
	if _, err := d.Login(t.Context(), "alice", "alice-secret"); err == nil || errors.Is(err, sts.ErrWrongLogin) || time.Since(begin) > limit/2 {
		t.Errorf("endless: %v after %v", err, time.Since(begin))
	}
}

// endless is a reader without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// found answers for SRV records.
type found []*net.SRV

func (f found) LookupSRV(_ context.Context, service, proto, name string) (string, []*net.SRV, error) {
	if service+"."+proto+"."+name != "ldaps.tcp.example.test" && service+proto+name != "_x._tcp.example.test" {
		return "", nil, fmt.Errorf("asked for %s %s %s", service, proto, name)
	}
	return "", f, nil
}

func TestSlapdSRV(t *testing.T) {
	s := ldapserver.Slapd(t, ldapserver.Good)
	host, port, err := net.SplitHostPort(s.TLSAddr)
	if err != nil {
		t.Fatal(err)
	}
	n, err := net.LookupPort("tcp", port)
	if err != nil {
		t.Fatal(err)
	}
	for srv, name := range map[string]string{"ldaps": "example.test", "on": "_x._tcp.example.test"} {
		c := settingsFor(s)
		c.SRV, c.Address = srv, name
		d := directory(t, c)
		d.resolver = found{{Target: "127.0.0.1.", Port: 1}, {Target: host + ".", Port: uint16(n)}}
		if _, err := d.Login(t.Context(), "alice", "alice-secret"); err != nil {
			t.Errorf("%s: %v", srv, err)
		}
		d.resolver = found{}
		if _, err := d.Login(t.Context(), "alice", "alice-secret"); err == nil || errors.Is(err, sts.ErrWrongLogin) {
			t.Errorf("%s without servers: %v", srv, err)
		}
	}
}
