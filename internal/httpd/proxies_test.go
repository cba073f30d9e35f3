package httpd

import (
	"crypto/tls"
	"net/http"
	"testing"
)

// TestClientBehindProxies takes the right-most address that is no proxy, and headers from proxies alone (S-226).
func TestClientBehindProxies(t *testing.T) {
	const trusted = "10.0.0.0/8, 192.168.1.1, 2001:db8::/32"
	for _, tc := range []struct {
		name    string
		proxies string
		peer    string
		tls     bool
		xff     []string
		proto   []string
		remote  string
		secure  bool
	}{
		{name: "nobody trusted", peer: "10.0.0.1:5", xff: []string{"1.1.1.1"}, proto: []string{"https"}, remote: "10.0.0.1"},
		{name: "peer not trusted", proxies: trusted, peer: "9.9.9.9:5", xff: []string{"1.1.1.1"}, proto: []string{"https"}, remote: "9.9.9.9"},
		{name: "one hop", proxies: trusted, peer: "10.0.0.1:5", xff: []string{"1.1.1.1"}, remote: "1.1.1.1"},
		{name: "made-up left part", proxies: trusted, peer: "10.0.0.1:5", xff: []string{"127.0.0.1, 1.1.1.1"}, remote: "1.1.1.1"},
		{name: "chain of proxies", proxies: trusted, peer: "10.0.0.1:5", xff: []string{"6.6.6.6, 1.1.1.1, 192.168.1.1, 10.2.3.4"}, remote: "1.1.1.1"},
		{name: "two headers", proxies: trusted, peer: "10.0.0.1:5", xff: []string{"6.6.6.6", "1.1.1.1, 10.9.9.9"}, remote: "1.1.1.1"},
		{name: "proxies only", proxies: trusted, peer: "10.0.0.1:5", xff: []string{"10.0.0.7, 10.0.0.8"}, remote: "10.0.0.7"},
		{name: "no header", proxies: trusted, peer: "10.0.0.1:5", remote: "10.0.0.1"},
		{name: "rubbish ends the search", proxies: trusted, peer: "10.0.0.1:5", xff: []string{"1.1.1.1, unknown, 10.0.0.8"}, remote: "10.0.0.8"},
		{name: "rubbish only", proxies: trusted, peer: "10.0.0.1:5", xff: []string{"<script>"}, remote: "10.0.0.1"},
		{name: "with port", proxies: trusted, peer: "10.0.0.1:5", xff: []string{"1.1.1.1:4711"}, remote: "1.1.1.1"},
		{name: "v6 in brackets", proxies: trusted, peer: "[2001:db8::1]:5", xff: []string{"[2a00::1]:4711"}, remote: "2a00::1"},
		{name: "v6 bare", proxies: trusted, peer: "[2001:db8::1]:5", xff: []string{"2a00::1"}, remote: "2a00::1"},
		{name: "mapped peer", proxies: trusted, peer: "[::ffff:10.0.0.1]:5", xff: []string{"::ffff:1.1.1.1"}, remote: "1.1.1.1"},
		{name: "proto from proxy", proxies: trusted, peer: "10.0.0.1:5", xff: []string{"1.1.1.1"}, proto: []string{"https"}, remote: "1.1.1.1", secure: true},
		{name: "last proto counts", proxies: trusted, peer: "10.0.0.1:5", xff: []string{"1.1.1.1"}, proto: []string{"https, http"}, remote: "1.1.1.1"},
		{name: "TLS to us, plain to the proxy", proxies: trusted, peer: "10.0.0.1:5", tls: true, proto: []string{"http"}, remote: "10.0.0.1"},
		{name: "TLS to us", proxies: trusted, peer: "10.0.0.1:5", tls: true, remote: "10.0.0.1", secure: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p, err := ParseProxies(tc.proxies)
			if err != nil {
				t.Fatal(err)
			}
			r := &http.Request{RemoteAddr: tc.peer, Header: http.Header{}}
			if tc.tls {
				r.TLS = &tls.ConnectionState{}
			}
			r.Header["X-Forwarded-For"], r.Header["X-Forwarded-Proto"] = tc.xff, tc.proto
			if remote, secure := p.client(r); remote != tc.remote || secure != tc.secure {
				t.Errorf("%s, secure %v; want %s, %v", remote, secure, tc.remote, tc.secure)
			}
		})
	}
}

func TestParseProxiesRefuses(t *testing.T) {
	for _, list := range []string{"proxy.example", "10.0.0.0/33", "10.0.0.1, x"} {
		if p, err := ParseProxies(list); err == nil {
			t.Errorf("%q: %v", list, p)
		}
	}
}

// TestForwarded: what a header says counts from a trusted proxy alone, and the last value of it (S-226).
func TestForwarded(t *testing.T) {
	p, err := ParseProxies("10.0.0.0/8")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		peer   string
		values []string
		want   string
	}{
		{"10.0.0.1:5", []string{"files.example.com"}, "files.example.com"},
		{"10.0.0.1:5", []string{"evil.example, files.example.com"}, "files.example.com"},
		{"10.0.0.1:5", []string{"evil.example", "files.example.com "}, "files.example.com"},
		{"9.9.9.9:5", []string{"files.example.com"}, ""},
		{"10.0.0.1:5", nil, ""},
		{"nonsense", []string{"files.example.com"}, ""},
	} {
		r := &http.Request{RemoteAddr: tc.peer, Header: http.Header{"X-Forwarded-Host": tc.values}}
		if got := p.Forwarded(r, "X-Forwarded-Host"); got != tc.want {
			t.Errorf("%s %q: %q", tc.peer, tc.values, got)
		}
		if got := Proxies(nil).Forwarded(r, "X-Forwarded-Host"); got != "" {
			t.Errorf("nobody is trusted: %q", got)
		}
	}
}
