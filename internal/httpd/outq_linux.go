package httpd

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// unsent returns the number of bytes that the kernel holds for a socket and the peer
// has not acknowledged; 0 when it can't tell.
func unsent(nc net.Conn) int64 {
	sc, ok := nc.(syscall.Conn)
	if !ok {
		return 0
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return 0
	}
	var n int
	raw.Control(func(fd uintptr) {
		n, err = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ)
	})
	if err != nil {
		return 0
	}
	return int64(n)
}
