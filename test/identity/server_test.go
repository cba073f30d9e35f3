package identity

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

const (
	rootUser   = "testroot"
	rootSecret = "testroot-secret-0815"
	bucket     = "data"
)

// need returns what run.sh has found or started, or skips the test and says what it lacks.
func need(t *testing.T, variable, what string) string {
	t.Helper()
	v := os.Getenv(variable)
	if v == "" {
		t.Skipf("%s is missing (%s): `make identity` starts it", what, variable)
	}
	return v
}

// server is an objsrv with a bucket and one object in it.
type server struct {
	t         *testing.T
	url       string
	env       []string          // of the server
	transport http.RoundTripper // of its clients; nil for the usual one
	root      *minio.Client
	out       *bytes.Buffer
	mu        sync.Mutex
}

// start runs objsrv with further variables until the test ends.
func start(t *testing.T, env ...string) *server { return startOver(t, nil, env...) }

// startOver is start for a server that clients reach by a transport of their own.
func startOver(t *testing.T, transport http.RoundTripper, env ...string) *server {
	t.Helper()
	binary := need(t, "IDENTITY_OBJSRV", "a binary of objsrv")
	s := &server{t: t, env: env, transport: transport, out: &bytes.Buffer{}}
	cmd := exec.Command(binary, "server", t.TempDir(), "--address", "127.0.0.1:0", "--drain-timeout", "2s")
	cmd.Env = append([]string{"OBJSRV_ROOT_USER=" + rootUser, "OBJSRV_ROOT_PASSWORD=" + rootSecret, "HOME=" + t.TempDir()}, env...)
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = pipeWriter{s}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(os.Interrupt)
		cmd.Wait()
		if t.Failed() {
			t.Logf("the server said:\n%s", s.output())
		}
	})
	found := make(chan string, 1)
	go func() {
		for in := bufio.NewScanner(pipe); in.Scan(); {
			line := in.Text()
			pipeWriter{s}.Write([]byte(line + "\n"))
			if address, ok := strings.CutPrefix(line, "S3:"); ok {
				found <- strings.TrimSpace(address)
			}
		}
		close(found)
	}()
	select {
	case s.url = <-found:
	case <-time.After(60 * time.Second):
	}
	if s.url == "" {
		t.Fatalf("the server did not start:\n%s", s.output())
	}
	s.root = s.client(credentials.NewStaticV4(rootUser, rootSecret, ""))
	if err := s.root.MakeBucket(t.Context(), bucket, minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := put(t.Context(), s.root); err != nil {
		t.Fatal(err)
	}
	return s
}

// admin runs objsrv admin as root.
func (s *server) admin(args ...string) {
	s.t.Helper()
	s.adminWith("", args...)
}

func (s *server) adminWith(stdin string, args ...string) {
	s.t.Helper()
	cmd := exec.Command(os.Getenv("IDENTITY_OBJSRV"), append([]string{"admin"}, args...)...)
	cmd.Env = []string{"OBJSRV_ENDPOINT=" + s.url, "OBJSRV_URL=" + s.url, "OBJSRV_ACCESS_KEY=" + rootUser, "OBJSRV_SECRET_KEY=" + rootSecret}
	for _, v := range s.env {
		if strings.HasPrefix(v, "OBJSRV_CA_FILE=") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Stdin = strings.NewReader(stdin)
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("admin %v: %v: %s", args, err, out)
	}
}

type pipeWriter struct{ s *server }

func (w pipeWriter) Write(p []byte) (int, error) {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	return w.s.out.Write(p)
}

func (s *server) output() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.String()
}

// role returns the ARN of the one role that the server has told at its start.
func (s *server) role() string {
	s.t.Helper()
	_, rest, ok := strings.Cut(s.output(), ", role ")
	role, _, _ := strings.Cut(rest, "\n")
	if !ok || !strings.HasPrefix(role, "arn:minio:iam:us-east-1::role/") {
		s.t.Fatalf("no role ARN is shown:\n%s", s.output())
	}
	return role
}

func (s *server) client(c *credentials.Credentials) *minio.Client {
	s.t.Helper()
	u, err := url.Parse(s.url)
	if err != nil {
		s.t.Fatal(err)
	}
	m, err := minio.New(u.Host, &minio.Options{Creds: c, Region: "us-east-1", MaxRetries: 1, Secure: u.Scheme == "https", Transport: s.transport})
	if err != nil {
		s.t.Fatal(err)
	}
	return m
}

func put(ctx context.Context, c *minio.Client) error {
	_, err := c.PutObject(ctx, bucket, "k", strings.NewReader("content"), 7, minio.PutObjectOptions{})
	return err
}

func get(ctx context.Context, c *minio.Client) error {
	_, err := c.StatObject(ctx, bucket, "k", minio.StatObjectOptions{})
	return err
}

// login asks for credentials with a token, as minio-go does.
func (s *server) login(tok tokens, role string) (credentials.Value, error) {
	s.t.Helper()
	c, err := credentials.NewSTSWebIdentity(s.url, func() (*credentials.WebIdentityToken, error) {
		return &credentials.WebIdentityToken{Token: tok.ID, AccessToken: tok.Access}, nil
	}, func(i *credentials.STSWebIdentity) { i.RoleARN = role })
	if err != nil {
		s.t.Fatal(err)
	}
	return c.Get()
}

// rights logs in and tells what the credentials may: "get put", or the code of the refusal with
// its message.
func (s *server) rights(tok tokens, role string) string {
	s.t.Helper()
	v, err := s.login(tok, role)
	if err != nil {
		var r credentials.ErrorResponse
		if !errors.As(err, &r) {
			return err.Error()
		}
		return r.STSError.Code + ": " + r.STSError.Message
	}
	return s.allowed(credentials.NewStatic(v.AccessKeyID, v.SecretAccessKey, v.SessionToken, credentials.SignatureV4))
}

func (s *server) allowed(creds *credentials.Credentials) string {
	s.t.Helper()
	c := s.client(creds)
	var may []string
	for _, try := range []struct {
		name string
		do   func(context.Context, *minio.Client) error
	}{{"get", get}, {"put", put}} {
		switch err := try.do(s.t.Context(), c); {
		case err == nil:
			may = append(may, try.name)
		case minio.ToErrorResponse(err).Code != "AccessDenied":
			return try.name + ": " + err.Error()
		}
	}
	return strings.Join(may, " ")
}

// tokens are what a token endpoint answers.
type tokens struct {
	ID      string `json:"id_token"`
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
}

// grant asks a token endpoint.
func grant(t *testing.T, endpoint string, form url.Values) tokens {
	t.Helper()
	var out tokens
	if code := post(t, endpoint, "application/x-www-form-urlencoded", form.Encode(), "", &out); code != 200 {
		t.Fatalf("%s answered %d", endpoint, code)
	}
	return out
}

// post sends a body and reads the JSON of the answer into v, unless that is nil.
func post(t *testing.T, address, kind, body, bearer string, v any) int {
	t.Helper()
	return send(t, http.MethodPost, address, kind, body, bearer, v)
}

func send(t *testing.T, method, address, kind, body, bearer string, v any) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", kind)
	if bearer != "" {
		r.Header.Set("Authorization", "Bearer "+bearer)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if v != nil && resp.StatusCode < 300 {
		if err := json.Unmarshal(data, v); err != nil {
			t.Fatalf("%v: %s", err, data)
		}
	}
	if resp.StatusCode >= 300 {
		t.Logf("%s: %d %s", address, resp.StatusCode, data)
	}
	return resp.StatusCode
}

// claims reads a token's claims without a look at its signature.
func claims(t *testing.T, token string) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	data, err := base64.RawURLEncoding.DecodeString(parts[1%len(parts)])
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]any{}
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// unsigned is a token that looks like one of an issuer. While that can't be asked nobody can tell.
func unsigned(issuer, client string) tokens {
	b64 := base64.RawURLEncoding.EncodeToString
	return tokens{ID: b64([]byte(`{"alg":"RS256"}`)) + "." + b64(fmt.Appendf(nil, `{"iss":%q,"sub":"a","aud":%q,"exp":9999999999}`, issuer, client)) + ".AAAA"}
}

// policyFile writes a policy that allows actions on everything.
func policyFile(t *testing.T, actions ...string) string {
	t.Helper()
	data, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{"Effect": "Allow", "Action": actions, "Resource": "arn:aws:s3:::*"}}})
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "policy.json")
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// gate passes connections on to a server, or is closed as if that were down.
type gate struct {
	t               *testing.T
	address, target string
	listener        net.Listener
	mu              sync.Mutex
	connections     []net.Conn
}

func newGate(t *testing.T, target string) *gate {
	return &gate{t: t, address: "127.0.0.1:" + freePort(t), target: target}
}

// open lets connections through until close or the test's end.
func (g *gate) open() {
	g.t.Helper()
	l, err := net.Listen("tcp", g.address)
	if err != nil {
		g.t.Fatal(err)
	}
	g.listener = l
	g.t.Cleanup(g.close)
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", g.target)
			if err != nil {
				in.Close()
				continue
			}
			g.mu.Lock()
			g.connections = append(g.connections, in, out)
			g.mu.Unlock()
			go func() { io.Copy(out, in); out.Close() }()
			go func() { io.Copy(in, out); in.Close() }()
		}
	}()
}

// close ends all connections, and takes no new ones.
func (g *gate) close() {
	g.listener.Close()
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range g.connections {
		c.Close()
	}
	g.connections = nil
}

// await asks again until ok, for as long as limit.
func await(t *testing.T, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !ok(); time.Sleep(200 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within %v", what, limit)
		}
	}
}

// freePort returns one that nobody listened on a moment ago, below those that systems give to
// outgoing connections, which would take it now and then before the server does.
func freePort(t *testing.T) string {
	t.Helper()
	for range 100 {
		port := fmt.Sprint(20000 + rand.IntN(12000))
		if l, err := net.Listen("tcp", "127.0.0.1:"+port); err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("no port from 20000 to 31999 is free")
	return ""
}
