package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/sigv4"
)

// doors are the routes behind which other servers had, or have, something that was open to too many.
var doors = []struct{ row, method, path string }{
	{"S-019", "POST", "/minio/bootstrap/v1/verify"},
	{"S-019", "POST", "/minio/bootstrap/v1/health"},
	{"S-034", "POST", "/minio/storage/data/v63/readmultiple"},
	{"S-034", "GET", "/minio/grid/v1"},
	{"S-005", "POST", "/minio/peer/v39/getlocks"},
	{"S-047", "POST", "/minio/lock/v9/lock"},
	{"S-072", "POST", "/node_service.NodeService/Ping"},
	{"S-074", "POST", "/rustfs/rpc/read_file_stream"},
	{"S-085", "GET", "/rustfs/rpc/walk_dir"},
	{"S-090", "GET", "/debug/pprof/"},
	{"S-090", "GET", "/debug/pprof/profile?seconds=1"},
	{"S-090", "GET", "/debug/vars"},
	{"S-090", "GET", "/profile/cpu"},
	{"S-090", "GET", "/profile/memory"},
	{"S-095", "GET", "/metrics"},
	{"S-095", "GET", "/-/metrics"},
	{"S-095", "GET", "/minio/v2/metrics/cluster"},
	{"S-148", "GET", "/minio/v2/metrics/node"},
	{"S-148", "GET", "/minio/metrics/v3/api/requests"},
	{"S-148", "GET", "/prom"},
	{"S-004", "GET", "/.minio.sys/config/config.json"},
	{"S-004", "GET", "/.minio.sys"},
	{"S-004", "PUT", "/.minio.sys/config/iam/users/evil/identity.json"},
	{"S-004", "GET", "/iam.db"},
	{"S-004", "GET", "/root.json"},
	{"S-004", "GET", "/index/000001.log"},
	{"S-016", "POST", "/minio/admin/v3/update?updateURL=file:///etc/passwd"},
	{"S-016", "POST", "/minio/admin/v3/update?updateURL=/etc/passwd"},
	{"S-016", "GET", "/minio/admin/v3/inspect-data?volume=..&file=../../etc/passwd"},
	{"S-146", "GET", "/some-bucket?policy"},
	{"S-146", "GET", "/some-bucket?acl"},
	{"S-019", "GET", "/minio/admin/v3/info"},
	{"S-019", "GET", "/minio/admin/v3/config"},
	{"S-019", "GET", "/-/api/v1/whoami"},
	{"S-019", "GET", "/"},
}

// TestDoors: nothing of the server is open to a stranger, to a user without policies or to a
// session of it, and no answer has a secret, a path of this machine or an error of ours. A door that
// is for nobody is closed to root as well.
func TestDoors(t *testing.T) {
	env := environ{"OBJSRV_ROOT_USER": "objroot", "OBJSRV_ROOT_PASSWORD": testPassword}
	p, _, _ := start(t, env, t.TempDir())
	_, user, err := p.services.iam.CreateUser(t.Context(), iam.NewUser{Name: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	_, session, err := p.services.iam.CreateSession(t.Context(), iam.NewSession{By: user.Identity, Duration: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	root := iam.Credential{AccessKey: "objroot", Secret: testPassword}
	secrets := []string{testPassword, user.Secret, session.Secret, session.SessionToken, "goroutine 1 [", "root:x:0:0", "OBJSRV_ROOT"}
	for who, cred := range map[string]iam.Credential{"anonymous": {}, "bearer": {SessionToken: "Bearer"}, "user": user, "session": session, "root": root} {
		for _, d := range doors {
			status, body := knock(t, p, d.method, d.path, cred)
			for _, s := range secrets {
				if strings.Contains(body, s) || who != "root" && strings.Contains(body, p.Config.Dir) {
					t.Errorf("%s %s as %s: the answer has %q", d.row, d.path, who, s)
				}
			}
			closed := status == 400 || status == 401 || status == 403 || status == 404 || status == 405 || status == 501
			open := who == "root" || d.path == "/-/api/v1/whoami" && (who == "user" || who == "session")
			if status >= 500 && status != 501 || !closed && !open {
				t.Errorf("%s %s %s as %s: %d %s", d.row, d.method, d.path, who, status, body)
			}
			if who == "root" && !closed && strings.Contains("S-034 S-005 S-047 S-072 S-074 S-085 S-090 S-004 S-016", d.row) {
				t.Errorf("%s %s %s is there: %d %s", d.row, d.method, d.path, status, body)
			}
		}
	}
	if status, _ := knock(t, p, "GET", "/-/api/v1/whoami", user); status != 200 {
		t.Errorf("the door that is a user's own is closed: %d", status)
	}
	if status, _ := knock(t, p, "GET", "/minio/admin/v3/info", root); status != 200 {
		t.Errorf("root's door is closed: %d", status)
	}
}

// knock sends a request as the credential's holder; a session token without a key is a bearer's
// (S-125: no door takes one).
func knock(t *testing.T, p *Program, method, path string, cred iam.Credential) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+p.Addr().String()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case cred.AccessKey != "":
		if cred.SessionToken != "" {
			r.Header.Set("X-Amz-Security-Token", cred.SessionToken)
		}
		s := sigv4.Signer{AccessKey: cred.AccessKey, Secret: cred.Secret, Region: "us-east-1", Service: "s3"}
		s.SignHeader(r, "", time.Now())
	case cred.SessionToken != "":
		r.Header.Set("Authorization", "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJyb290In0.")
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// TestDefaultPasswords is S-111: the passwords that other servers come with open nothing.
func TestDefaultPasswords(t *testing.T) {
	p, _, _ := start(t, environ{}, t.TempDir())
	for _, pair := range [][2]string{{"minioadmin", "minioadmin"}, {"rustfsadmin", "rustfsadmin"}, {"admin", "admin"}, {"admin", "minioadmin"}, {"admin", "password"}, {"root", "root"}} {
		for _, path := range []string{"/", "/minio/admin/v3/info", "/-/api/v1/whoami"} {
			if status, body := knock(t, p, "GET", path, iam.Credential{AccessKey: pair[0], Secret: pair[1]}); status != 403 {
				t.Errorf("%s opens %s: %d %s", pair, path, status, body)
			}
		}
	}
}

// TestOneListener is S-119 and S-025: the process listens on the address that it was told, and on no other: no
// further protocol has a way in.
func TestOneListener(t *testing.T) {
	if _, err := os.Stat("/proc/self/net/tcp"); err != nil {
		t.Skip("sockets of a process are looked up in /proc, which this system has not")
	}
	p := startProcess(t, t.TempDir())
	_, want, err := net.SplitHostPort(p.address(1))
	if err != nil {
		t.Fatal(err)
	}
	if got := listening(t, p.cmd.Process.Pid); !slices.Equal(got, []string{want}) {
		t.Errorf("it listens on ports %v, want %s", got, want)
	}
}

// listening returns the TCP ports on which a process listens.
func listening(t *testing.T, pid int) (ports []string) {
	t.Helper()
	dir := fmt.Sprintf("/proc/%d/", pid)
	mine := map[string]bool{}
	fds, err := os.ReadDir(dir + "fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		if to, err := os.Readlink(dir + "fd/" + fd.Name()); err == nil {
			mine[strings.TrimSuffix(strings.TrimPrefix(to, "socket:["), "]")] = true
		}
	}
	for _, table := range []string{"net/tcp", "net/tcp6"} {
		data, err := os.ReadFile(dir + table)
		if err != nil {
			continue // a system without IPv6
		}
		for line := range strings.Lines(string(data)) {
			f := strings.Fields(line)
			const listen = "0A"
			if len(f) < 10 || f[3] != listen || !mine[f[9]] {
				continue
			}
			_, hex, _ := strings.Cut(f[1], ":")
			port, err := strconv.ParseUint(hex, 16, 16)
			if err != nil {
				t.Fatal(err)
			}
			ports = append(ports, strconv.FormatUint(port, 10))
		}
	}
	return ports
}
