package etcd

import (
	"net"
	"strings"
	"sync"
	"testing"
)

// Link is a way to a member that can be cut, and can lose answers.
type Link struct {
	Endpoint string // URL for clients

	target   string
	listener net.Listener

	mu    sync.Mutex
	state linkState
	conns map[net.Conn]struct{}
	done  sync.WaitGroup
}

type linkState int

const (
	whole linkState = iota
	deaf            // requests pass, answers are lost
	cut             // connections are closed
)

// NewLink makes a link to a member of a cluster without TLS. It ends with the test.
func NewLink(t testing.TB, m *Member) *Link {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &Link{
		Endpoint: "http://" + listener.Addr().String(), target: strings.TrimPrefix(m.Endpoint, "http://"),
		listener: listener, conns: make(map[net.Conn]struct{}),
	}
	l.done.Go(l.serve)
	t.Cleanup(func() {
		listener.Close()
		l.Cut()
		l.done.Wait()
	})
	return l
}

// Cut ends all connections and refuses new ones.
func (l *Link) Cut() { l.set(cut) }

// Deafen lets requests pass, on connections that are open, and drops what is answered.
func (l *Link) Deafen() { l.set(deaf) }

// Mend lets new connections pass.
func (l *Link) Mend() { l.set(whole) }

func (l *Link) set(s linkState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.state = s
	if s != deaf {
		for c := range l.conns {
			c.Close()
		}
		clear(l.conns)
	}
}

func (l *Link) is(s linkState) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state == s
}

func (l *Link) serve() {
	for {
		in, err := l.listener.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", l.target)
		if err != nil {
			in.Close()
			continue
		}
		l.mu.Lock()
		if l.state == cut {
			in.Close()
			out.Close()
		} else {
			l.conns[in], l.conns[out] = struct{}{}, struct{}{}
			l.done.Go(func() { l.pass(out, in, false) })
			l.done.Go(func() { l.pass(in, out, true) })
		}
		l.mu.Unlock()
	}
}

// pass copies until either side ends.
func (l *Link) pass(to, from net.Conn, answers bool) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 && !(answers && l.is(deaf)) {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
