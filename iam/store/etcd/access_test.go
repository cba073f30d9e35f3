package etcd

import (
	"context"
	"crypto/tls"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/objsrv/objsrv/iam/store"
	server "github.com/objsrv/objsrv/test/etcd"
)

func TestOptions(t *testing.T) {
	pki := server.NewPKI(t, "objsrv")
	junk := filepath.Join(t.TempDir(), "junk.pem")
	if err := os.WriteFile(junk, []byte("junk"), 0o600); err != nil {
		t.Fatal(err)
	}
	here := []string{"http://127.0.0.1:1"}
	for _, tt := range []struct {
		o    Options
		want string // of the error
	}{
		{Options{}, "no endpoint"},
		{Options{Endpoints: []string{"ftp://h:1"}}, "want https://host:port"},
		{Options{Endpoints: []string{"http://h"}}, "want https://host:port"},
		{Options{Endpoints: []string{"http://h:1/path"}}, "want https://host:port"},
		{Options{Endpoints: []string{"h:1", "https://h:2"}}, "mixed"},
		{Options{Endpoints: here, CAFile: pki.CA}, "must be https"},
		{Options{Endpoints: here, TLS: &tls.Config{}}, "must be https"},
		{Options{Endpoints: []string{"h:1"}, TLS: &tls.Config{}, CAFile: pki.CA}, "given twice"},
		{Options{Endpoints: []string{"h:1"}, CertFile: pki.Client.Cert}, "both or none"},
		{Options{Endpoints: []string{"h:1"}, CertFile: pki.Client.Cert, KeyFile: pki.Server.Key}, "read client certificate"},
		{Options{Endpoints: []string{"h:1"}, CAFile: junk}, "has no certificate"},
		{Options{Endpoints: []string{"h:1"}, CAFile: junk + "x"}, "read certificate authorities"},
		{Options{Endpoints: here, Username: "u"}, "both or none"},
		{Options{Endpoints: here, Password: "p"}, "both or none"},
		{Options{Endpoints: here, Prefix: "/"}, "must name something"},
		{Options{Endpoints: here, Prefix: "a//b"}, "two slashes"},
		{Options{Endpoints: here, Prefix: "a\x00"}, "control characters"},
		{Options{Endpoints: here, Prefix: strings.Repeat("a", 257)}, "at most 256"},
		{Options{Endpoints: here, Timeout: -1}, "negative"},
	} {
		if s, err := Open(t.Context(), tt.o); err == nil || !strings.Contains(err.Error(), tt.want) {
			if err == nil {
				s.Close()
			}
			t.Errorf("%+v: %v, want %q", tt.o, err, tt.want)
		}
	}
	// What an endpoint holds beside the host shows in no error.
	_, err := Open(t.Context(), Options{Endpoints: []string{"http://user:geheim@h:1"}})
	if err == nil || strings.Contains(err.Error(), "geheim") {
		t.Errorf("endpoint with a password: %v", err)
	}
	for _, tt := range []struct {
		o    Options
		want string
	}{
		{Options{Endpoints: []string{"h:1"}}, "http://h:1"},
		{Options{Endpoints: []string{"h:1"}, CAFile: pki.CA}, "https://h:1"},
		{Options{Endpoints: []string{"https://[::1]:1/"}}, "https://[::1]:1"},
	} {
		if c, err := tt.o.config(); err != nil || c.client.Endpoints[0] != tt.want || (c.client.TLS != nil) != strings.HasPrefix(tt.want, "https") {
			t.Errorf("%v: %v, %v", tt.o.Endpoints, c.client.Endpoints, err)
		}
	}
}

// TestNobodyThere opens a store whose etcd is down.
func TestNobodyThere(t *testing.T) {
	t.Parallel()
	o := Options{Endpoints: []string{"http://127.0.0.1:1"}, Timeout: 500 * time.Millisecond}
	if _, err := Open(t.Context(), o); !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("open: %v", err)
	}
	o.Username, o.Password, o.DialTimeout = "u", "p", 200*time.Millisecond
	if _, err := Open(t.Context(), o); !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("open with a password: %v", err)
	}
	o.Timeout, o.DialTimeout = time.Hour, time.Hour
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	for range 2 {
		if _, err := Open(ctx, o); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("open with a context that ends: %v", err)
		}
		o.Username, o.Password = "", ""
	}
}

// TestPrefixes has stores whose prefixes begin with each other: each sees its own
// records and commits, and those alone.
func TestPrefixes(t *testing.T) {
	c := server.Start(t, server.Options{})
	prefixes := []string{"", "a", "a/b", "ab", "/a", "a/record", "a/record/user", "a0"}
	var stores []*Store
	var watchers []store.Watcher
	for _, p := range prefixes {
		s := openStore(t, Options{Endpoints: c.Endpoints(), Prefix: p})
		w, err := s.Watch(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		stores, watchers = append(stores, s), append(watchers, w)
	}
	revs := make([]uint64, len(stores))
	for i, s := range stores {
		revs[i] = commit(t, s, put("same", prefixes[i], 0), put("/record/user/same", prefixes[i], 0))
	}
	for i, s := range stores {
		l, err := s.List(t.Context(), "")
		if err != nil || len(l.Records) != 2 || string(l.Records[1].Value) != prefixes[i] || l.Revision != revs[i] {
			t.Errorf("prefix %q: %+v, %v", prefixes[i], l, err)
		}
		commit(t, s, store.Change{Op: store.Delete, Kind: "user", Name: "same", Revision: revs[i]})
	}
	for i, w := range watchers {
		for n, want := range []string{prefixes[i], ""} {
			ev, err := w.Next(t.Context())
			if err != nil || len(ev.Records) != 2-n || string(ev.Records[0].Value) != want {
				t.Errorf("prefix %q: event %d %+v, %v", prefixes[i], n, ev, err)
			}
		}
	}
	// Slashes at the end make no other store.
	same := openStore(t, Options{Endpoints: c.Endpoints(), Prefix: "a/b//"})
	if _, err := same.Get(t.Context(), "user", "/record/user/same"); err != nil {
		t.Error(err)
	}
}

// TestTLS has a server that wants client certificates of its authority.
func TestTLS(t *testing.T) {
	t.Parallel()
	pki, foreign := server.NewPKI(t, "objsrv"), server.NewPKI(t, "objsrv")
	c := server.Start(t, server.Options{PKI: pki})
	sound := Options{Endpoints: c.Endpoints(), CAFile: pki.CA, CertFile: pki.Client.Cert, KeyFile: pki.Client.Key}
	s := openStore(t, sound)
	rev := commit(t, s, put("a", "1", 0))
	s = openStore(t, Options{Endpoints: []string{strings.TrimPrefix(c.Members[0].Endpoint, "https://")}, TLS: pki.ClientTLS(t)})
	if r, err := s.Get(t.Context(), "user", "a"); err != nil || r.Revision != rev {
		t.Errorf("get %+v, %v", r, err)
	}
	for name, tt := range map[string]struct {
		change func(*Options)
		want   string
	}{
		// A server that refuses the client ends the connection; how much of its alert is read is chance.
		"no certificate":       {func(o *Options) { o.CertFile, o.KeyFile = "", "" }, ""},
		"foreign certificate":  {func(o *Options) { o.CertFile, o.KeyFile = foreign.Client.Cert, foreign.Client.Key }, ""},
		"foreign authority":    {func(o *Options) { o.CAFile = foreign.CA }, "certificate signed by unknown authority"},
		"system's authorities": {func(o *Options) { o.CAFile = "" }, "certificate signed by unknown authority"},
		"another name":         {func(o *Options) { o.Endpoints = []string{strings.Replace(o.Endpoints[0], "127.0.0.1", "localhost", 1)} }, "certificate is"},
		"no TLS": {func(o *Options) {
			*o = Options{Endpoints: []string{strings.Replace(o.Endpoints[0], "https", "http", 1)}}
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := sound
			tt.change(&o)
			o.Timeout = 2 * time.Second
			if s, err := Open(t.Context(), o); err == nil {
				s.Close()
				t.Error("it opens")
			} else if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

// TestRenewedCertificate replaces the client's files: the next connection has the new ones.
func TestRenewedCertificate(t *testing.T) {
	t.Parallel()
	pki, foreign := server.NewPKI(t, "objsrv"), server.NewPKI(t, "objsrv")
	c := server.Start(t, server.Options{PKI: pki})
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "c"), filepath.Join(dir, "k")
	install := func(p server.Pair) {
		for to, from := range map[string]string{cert: p.Cert, key: p.Key} {
			b, err := os.ReadFile(from)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(to, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	install(pki.Client)
	s := openStore(t, Options{Endpoints: c.Endpoints(), CAFile: pki.CA, CertFile: cert, KeyFile: key, Timeout: 2 * time.Second})
	commit(t, s, put("a", "1", 0))
	install(foreign.Client)
	c.Members[0].Kill()
	c.Members[0].Restart()
	if _, err := s.Get(t.Context(), "user", "a"); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("with a foreign certificate: %v", err)
	}
	install(pki.Client)
	eventually(t, func() error { _, err := s.Get(t.Context(), "user", "a"); return err })
}

// TestPassword has a server with users, one of which may use one prefix only.
func TestPassword(t *testing.T) {
	c := server.Start(t, server.Options{})
	raw := rawClient(t, c, "", "")
	ctx := t.Context()
	steps := []func() error{
		func() error { _, err := raw.UserAdd(ctx, "root", "root-secret"); return err },
		func() error { _, err := raw.UserGrantRole(ctx, "root", "root"); return err },
		func() error { _, err := raw.RoleAdd(ctx, "objsrv"); return err },
		func() error {
			_, err := raw.RoleGrantPermission(ctx, "objsrv", "mine//", "mine/0", 2) // read and write
			return err
		},
		func() error { _, err := raw.UserAdd(ctx, "objsrv", "secret"); return err },
		func() error { _, err := raw.UserGrantRole(ctx, "objsrv", "objsrv"); return err },
		func() error { _, err := raw.AuthEnable(ctx); return err },
	}
	for i, step := range steps {
		if _, err := raw.RoleAdd(ctx, "root"); i == 0 && err != nil {
			t.Fatal(err)
		}
		if err := step(); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
	}
	o := Options{Endpoints: c.Endpoints(), Prefix: "mine", Username: "objsrv", Password: "secret"}
	for want, change := range map[string]func(*Options){
		"refuses user or password": func(o *Options) { o.Password = "wrong" },
		"wants a user":             func(o *Options) { o.Username, o.Password = "", "" },
		"do not cover the prefix":  func(o *Options) { o.Prefix = "mine/too" },
	} {
		other := o
		change(&other)
		if s, err := Open(ctx, other); err == nil {
			s.Close()
			t.Errorf("%s: it opens", want)
		} else if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%v, want %q", err, want)
		}
	}
	s := openStore(t, o)
	w, err := s.Watch(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	session := put("a", "1", 0)
	session.Expires = time.Now().Add(time.Hour)
	rev := commit(t, s, session)
	// A server that starts anew has forgotten the session of its client.
	c.Members[0].Kill()
	c.Members[0].Restart()
	if r, err := s.Get(ctx, "user", "a"); err != nil || r.Revision != rev {
		t.Errorf("get %+v, %v", r, err)
	}
	c.Members[0].Kill()
	c.Members[0].Restart()
	eventually(t, func() error { _, err := s.Commit(ctx, put("b", "1", store.Any)); return err })
	for _, name := range []string{"a", "b"} {
		if ev, err := w.Next(ctx); err != nil || ev.Records[0].Name != name {
			t.Errorf("event %+v, %v, want %s", ev, err, name)
		}
	}
	// So has one whose roles have changed.
	admin := rawClient(t, c, "root", "root-secret")
	if _, err := admin.RoleAdd(ctx, "another"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Commit(ctx, put("c", "1", 0)); err != nil {
		t.Errorf("after a change of roles: %v", err)
	}
}
