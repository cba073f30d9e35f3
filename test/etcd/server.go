// Package etcd starts real etcd servers for tests, and puts faults between them and their
// clients. It imports the standard library only. The program is the one that the variable
// OBJSRV_TEST_ETCD names, or else etcd from the PATH; get.sh beside this file gets one.
package etcd

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Program is the variable that names the etcd to test with.
const Program = "OBJSRV_TEST_ETCD"

// Options of a cluster.
type Options struct {
	Members int      // 0 is 1
	PKI     *PKI     // https with client certificates, or nil for http
	Args    []string // further arguments of each etcd
}

// Cluster is made of servers of its test, which end with it.
type Cluster struct {
	t       testing.TB
	program string
	o       Options
	Members []*Member
}

// Member is one server. Its directory and addresses stay when it is started again.
type Member struct {
	Endpoint string // URL for clients
	Dir      string // data

	c    *Cluster
	name string
	peer string
	cmd  *exec.Cmd
	done chan struct{}
}

// Start runs a cluster and returns when all members are healthy. Without an etcd it skips
// the test and names what is missing.
func Start(t testing.TB, o Options) *Cluster {
	t.Helper()
	program := os.Getenv(Program)
	if program == "" {
		var err error
		if program, err = exec.LookPath("etcd"); err != nil {
			t.Skipf("etcd is missing: name one in %s, have it in the PATH, or run test/etcd/get.sh", Program)
		}
	}
	o.Members = max(o.Members, 1)
	c := &Cluster{t: t, program: program, o: o}
	scheme := "http://"
	if o.PKI != nil {
		scheme = "https://"
	}
	for i := range o.Members {
		c.Members = append(c.Members, &Member{
			c: c, name: fmt.Sprint("m", i), Dir: filepath.Join(t.TempDir(), "data"),
			Endpoint: scheme + freeAddress(t), peer: "http://" + freeAddress(t),
		})
	}
	t.Cleanup(func() {
		for _, m := range c.Members {
			m.Kill()
		}
	})
	for _, m := range c.Members {
		m.launch()
	}
	for _, m := range c.Members {
		m.await()
	}
	return c
}

// Endpoints returns those of all members.
func (c *Cluster) Endpoints() []string {
	var all []string
	for _, m := range c.Members {
		all = append(all, m.Endpoint)
	}
	return all
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

// launch starts the program.
func (m *Member) launch() {
	c := m.c
	c.t.Helper()
	var members []string
	for _, other := range c.Members {
		members = append(members, other.name+"="+other.peer)
	}
	args := []string{
		"--name", m.name, "--data-dir", m.Dir, "--logger", "zap",
		"--listen-client-urls", m.Endpoint, "--advertise-client-urls", m.Endpoint,
		"--listen-peer-urls", m.peer, "--initial-advertise-peer-urls", m.peer,
		"--initial-cluster", strings.Join(members, ","),
		"--heartbeat-interval", "20", "--election-timeout", "200",
	}
	if c.o.PKI != nil {
		args = append(args, "--cert-file", c.o.PKI.Server.Cert, "--key-file", c.o.PKI.Server.Key,
			"--trusted-ca-file", c.o.PKI.CA, "--client-cert-auth")
	}
	log, err := os.OpenFile(m.logName(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		c.t.Fatal(err)
	}
	defer log.Close()
	m.cmd = exec.Command(c.program, append(args, c.o.Args...)...)
	m.cmd.Stdout, m.cmd.Stderr = log, log
	m.cmd.Env = environ()
	if err := m.cmd.Start(); err != nil {
		c.t.Fatalf("start %s: %v", c.program, err)
	}
	m.done = make(chan struct{})
	go func(cmd *exec.Cmd, done chan struct{}) {
		_ = cmd.Wait() // how it ended is in its log
		close(done)
	}(m.cmd, m.done)
}

// environ is the environment without settings of etcd, but one: where it is known (from
// 3.5 on) nothing is synced, which a killed process does not need.
func environ() []string {
	env := []string{"ETCD_UNSAFE_NO_FSYNC=true"}
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "ETCD_") {
			env = append(env, e)
		}
	}
	return env
}

func (m *Member) logName() string { return filepath.Join(filepath.Dir(m.Dir), "log") }

// await returns when the member says that it is healthy.
func (m *Member) await() {
	t := m.c.t
	t.Helper()
	transport := &http.Transport{}
	if m.c.o.PKI != nil {
		transport.TLSClientConfig = m.c.o.PKI.ClientTLS(t)
	}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: time.Second}
	var err error
	for began := time.Now(); time.Since(began) < 30*time.Second; {
		var res *http.Response
		if res, err = client.Get(m.Endpoint + "/health"); err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-m.done:
			t.Fatalf("etcd has ended: %s", m.tail())
		case <-time.After(5 * time.Millisecond):
		}
	}
	t.Fatalf("etcd is not healthy after 30 s: %v: %s", err, m.tail())
}

func (m *Member) tail() []byte {
	b, err := os.ReadFile(m.logName())
	if err != nil {
		return []byte(err.Error())
	}
	return bytes.TrimSpace(b[max(0, len(b)-2000):])
}

// Kill ends the member as a power cut would, and returns when it is gone.
func (m *Member) Kill() {
	if m.cmd == nil {
		return
	}
	_ = m.cmd.Process.Kill() // it fails when the process has ended by itself
	<-m.done
	m.cmd = nil
}

// Restart starts a killed member on the same data and returns when it is healthy.
func (m *Member) Restart() {
	m.c.t.Helper()
	m.Launch()
	m.await()
}

// Launch starts a killed member on the same data and does not wait for it.
func (m *Member) Launch() {
	m.c.t.Helper()
	if m.cmd != nil {
		m.c.t.Fatal("the member is running")
	}
	m.launch()
}
