package notify

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"time"
)

// connectTimeout bounds the making of a connection.
const connectTimeout = 5 * time.Second

// awsMetadata is where machines of AWS find their credentials over IPv6.
var awsMetadata = netip.MustParseAddr("fd00:ec2::254")

// Guard decides which addresses targets may be at. This machine, link-local addresses, where clouds hand out
// credentials, and addresses of nobody are refused unless Allow has them (S-249).
type Guard struct {
	Allow []netip.Prefix
}

// Dial connects, and judges the address that a name has led to at the moment of connecting.
func (g *Guard) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{Timeout: connectTimeout, KeepAlive: 30 * time.Second,
		Control: func(_, address string, _ syscall.RawConn) error { return g.Check(address) }}
	return d.DialContext(ctx, network, address)
}

// Check judges an address, host:port with a number for the host.
func (g *Guard) Check(address string) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("connect to %s: not an address", address)
	}
	ip := translated(ap.Addr().Unmap().WithZone(""))
	refused := ip.IsUnspecified() || ip.IsMulticast() || ip.IsLinkLocalUnicast() || ip.IsLoopback() || ip == awsMetadata || ip == netip.AddrFrom4([4]byte{255, 255, 255, 255})
	if refused && !slices.ContainsFunc(g.Allow, func(p netip.Prefix) bool { return p.Contains(ip) }) {
		return fmt.Errorf("%s is no address for events; if it is meant, OBJSRV_NOTIFY_ALLOW must name it", ip)
	}
	return nil
}

// nat64 holds IPv4 addresses in its last four bytes, which a translator on the way reaches (RFC 6052, section 2.1).
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

func translated(ip netip.Addr) netip.Addr {
	if !nat64.Contains(ip) {
		return ip
	}
	b := ip.As16()
	return netip.AddrFrom4([4]byte(b[12:]))
}
