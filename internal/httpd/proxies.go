package httpd

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Proxies are the networks whose X-Forwarded-For and X-Forwarded-Proto are believed.
// The zero value believes nobody.
type Proxies []netip.Prefix

// ParseProxies reads a comma-separated list of addresses and networks in CIDR notation.
func ParseProxies(list string) (Proxies, error) {
	var p Proxies
	for item := range strings.SplitSeq(list, ",") {
		item = strings.TrimSpace(item)
		if item == "" {
			continue
		}
		prefix, err := netip.ParsePrefix(item)
		if err != nil {
			addr, err := netip.ParseAddr(item)
			if err != nil {
				return nil, fmt.Errorf("%q is neither an IP address nor a network like 10.0.0.0/8", item)
			}
			prefix = netip.PrefixFrom(addr, addr.BitLen())
		}
		p = append(p, prefix.Masked())
	}
	return p, nil
}

func (p Proxies) trusts(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	for _, n := range p {
		if n.Contains(a) {
			return true
		}
	}
	return false
}

// client returns the address of the client of r, without port, and whether it spoke
// TLS. From a trusted proxy the address is the right-most hop of X-Forwarded-For that
// is not itself a trusted proxy: everything left of it may be made up. A hop that is
// no address ends the search at the hop right of it.
func (p Proxies) client(r *http.Request) (remote string, secure bool) {
	remote, secure = r.RemoteAddr, r.TLS != nil
	if host, _, err := net.SplitHostPort(remote); err == nil {
		remote = host
	}
	if len(p) == 0 {
		return remote, secure
	}
	addr, err := netip.ParseAddr(remote)
	if err != nil || !p.trusts(addr) {
		return remote, secure
	}
	if proto := r.Header.Values("X-Forwarded-Proto"); len(proto) > 0 {
		last := proto[len(proto)-1]
		if i := strings.LastIndexByte(last, ','); i >= 0 {
			last = last[i+1:]
		}
		secure = strings.EqualFold(strings.TrimSpace(last), "https")
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop, ok := parseHop(hops[i])
		if !ok {
			break
		}
		remote = hop.String()
		if !p.trusts(hop) {
			break
		}
	}
	return remote, secure
}

// parseHop reads an address as proxies write it: bare, with a port, or in brackets.
func parseHop(s string) (netip.Addr, bool) {
	s = strings.TrimSpace(s)
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap(), true
	}
	s = strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")
	a, err := netip.ParseAddr(s)
	return a.Unmap(), err == nil
}

// Forwarded returns what the proxy in front of this server says in a header such as X-Forwarded-Host: the
// right-most value, since those left of it may be made up. It is "" when the proxy is not trusted, or has said
// nothing.
func (p Proxies) Forwarded(r *http.Request, header string) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	addr, err := netip.ParseAddr(host)
	values := r.Header.Values(header)
	if err != nil || len(values) == 0 || !p.trusts(addr) {
		return ""
	}
	last := values[len(values)-1]
	return strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:])
}
