package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/iam/adminapi"
	storemem "github.com/objsrv/objsrv/iam/store/mem"
	"github.com/objsrv/objsrv/s3api"
	"github.com/objsrv/objsrv/storage/mem"
)

// adminSecret is root's.
const adminSecret = "a long root secret"

// adminServer is the JSON face behind real signatures, and a way to run admin commands
// against it.
type adminServer struct {
	t   *testing.T
	svc *iam.Service
	url string
}

func newAdminServer(t *testing.T) *adminServer {
	t.Helper()
	st := storemem.Open()
	svc, err := iam.Open(st, iam.Options{RootUser: "objroot", RootPassword: adminSecret})
	if err != nil {
		t.Fatal(err)
	}
	backend := mem.New(mem.Options{})
	srv := httptest.NewServer(newAdminAPI(&services{config: &Config{}, iam: svc, backend: backend, s3: s3api.New(s3api.Config{Backend: backend, IAM: svc})}, &host{}))
	t.Cleanup(func() { srv.Close(); svc.Close(); st.Close() })
	a := &adminServer{t, svc, srv.URL}
	a.environ()
	return a
}

// environ makes the environment name this server and root, and nothing else.
func (s *adminServer) environ() {
	t := s.t
	t.Helper()
	for _, name := range []string{"OBJSRV_ENDPOINT", "OBJSRV_URL", "OBJSRV_REGION", "OBJSRV_CA_FILE", "OBJSRV_ACCESS_KEY", "OBJSRV_SECRET_KEY",
		"MINIO_ROOT_USER", "MINIO_ROOT_PASSWORD", "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} {
		t.Setenv(name, "")
	}
	t.Setenv("OBJSRV_ENDPOINT", s.url)
	t.Setenv("OBJSRV_ROOT_USER", "objroot")
	t.Setenv("OBJSRV_ROOT_PASSWORD", adminSecret)
}

// run runs `objsrv admin` with args, which are separated by spaces.
func (s *adminServer) run(stdin, args string) (string, error) {
	cmd := newAdminCommand()
	cmd.SilenceUsage, cmd.SilenceErrors = true, true
	var out bytes.Buffer
	cmd.SetIn(strings.NewReader(stdin))
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SetArgs(strings.Fields(args))
	err := cmd.ExecuteContext(s.t.Context())
	return out.String(), err
}

func (s *adminServer) ok(stdin, args string, wants ...string) string {
	s.t.Helper()
	out, err := s.run(stdin, args)
	if err != nil {
		s.t.Errorf("admin %s: %v", args, err)
	}
	for _, want := range wants {
		if !strings.Contains(out, want) {
			s.t.Errorf("admin %s: no %q in\n%s", args, want, out)
		}
	}
	return out
}

func (s *adminServer) fails(stdin, args, want string) {
	s.t.Helper()
	out, err := s.run(stdin, args)
	if err == nil || !strings.Contains(err.Error(), want) {
		s.t.Errorf("admin %s: %v, want %q\n%s", args, err, want, out)
	}
}

func (s *adminServer) secret(name string) string {
	s.t.Helper()
	c, err := s.svc.Credential(name, "")
	if err != nil {
		s.t.Fatal(err)
	}
	return c.Secret
}

func TestAdminUsers(t *testing.T) {
	s := newAdminServer(t)
	s.ok("", "whoami", "everything (root)", "arn:aws:iam::"+s.svc.Account()+":root")
	out := s.ok("", "user add alice --policy readonly", "alice", "readonly")
	if !strings.Contains(out, s.secret("alice")) {
		t.Errorf("the made secret is not shown: %s", out)
	}
	out = s.ok("from standard input\n", "user add bob --secret-stdin", "bob")
	if s.secret("bob") != "from standard input" || strings.Contains(out, "from standard input") {
		t.Errorf("secret %q, output %s", s.secret("bob"), out)
	}
	s.fails("", "user add bob", "EntityAlreadyExists")
	s.fails("", "user add guest --account 222222222222", "NoSuchAccount")
	s.ok("", "account add guests --id 222222222222", "222222222222")
	s.ok("", "user add guest --account 222222222222", "guest")
	s.ok("", "user info guest", "222222222222", "arn:aws:iam::222222222222:user/guest")
	s.fails("", "user add other --account 12", "12 digits")
	s.ok("", "user rm guest", "guest")
	s.fails("", "user add bob --secret-stdin", "standard input has no secret")
	s.fails("short\n", "user add carol --secret-stdin", "secret key has")
	s.fails("", "user add a/b", "InvalidArgument")
	out = s.ok("", "user ls", "alice", "bob", "enabled")
	if strings.Contains(out, s.secret("alice")) {
		t.Errorf("a list shows a secret: %s", out)
	}
	s.ok("", "user attach bob readwrite diagnostics", "diagnostics, readwrite")
	s.ok("", "user detach bob diagnostics", "readwrite")
	s.ok("", "user info bob", "AIDA", "enabled")
	s.ok("", "user disable bob", "disabled")
	s.fails("", "whoami --access-key bob --secret-key from+standard+input", "InvalidAccessKeyId")
	s.ok("", "user enable bob", "enabled")
	old := s.secret("bob")
	out = s.ok("", "user secret bob", "bob")
	if s.secret("bob") == old || !strings.Contains(out, s.secret("bob")) {
		t.Errorf("secret %q after %q: %s", s.secret("bob"), old, out)
	}
	s.ok(s.secret("bob")+"\n", "whoami --access-key bob --secret-key -", "bob", "readwrite")
	s.fails(s.secret("bob")+"\n", "user ls --access-key bob --secret-key -", "AccessDenied")
	s.fails(old+"\n", "whoami --access-key bob --secret-key -", "SignatureDoesNotMatch")
	s.ok("", "user rm bob")
	s.fails("", "user info bob", "NoSuchUser")
}

func TestAdminPolicies(t *testing.T) {
	s := newAdminServer(t)
	s.ok("", "policy ls", "consoleAdmin", "canned")
	s.ok("", "policy info readonly", "s3:GetObject")
	s.ok(`{"Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}]}`, "policy set mine -")
	s.ok("", "policy info mine", "arn:aws:s3:::b/*")
	s.fails(`{"Statement":[{"Effect":"allow","Action":"s3:GetObject","Resource":"*"}]}`, "policy set mine -", "Statement[0].Effect")
	s.ok("", "policy rm mine")
	s.fails("", "policy rm readonly", "ReservedName")
}

func TestAdminJSON(t *testing.T) {
	s := newAdminServer(t)
	var created adminapi.CreatedUser
	if err := json.Unmarshal([]byte(s.ok("", "user add alice --json")), &created); err != nil || created.Secret != s.secret("alice") {
		t.Errorf("%+v, %v", created, err)
	}
	var list adminapi.UserList
	if err := json.Unmarshal([]byte(s.ok("", "user ls --json")), &list); err != nil || len(list.Users) != 1 {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestAdminUsage(t *testing.T) {
	s := newAdminServer(t)
	s.ok("", "user", "attach", "disable")
	s.fails("", "user bogus", `unknown command "bogus"`)
	s.fails("", "bogus", `unknown command "bogus"`)
	s.fails("", "user add", "0 arguments given")
	s.fails("", "user attach alice", "1 arguments given")
	s.fails("", "whoami --access-key alice", "go together")
	s.fails("", "whoami --endpoint ftp://x", "the endpoint is a URL")
	s.fails("", "whoami --endpoint http://x/path", "the endpoint is a URL")
	t.Setenv("OBJSRV_ROOT_USER", "")
	s.fails("", "whoami", "no credentials")
	t.Setenv("AWS_ACCESS_KEY_ID", "objroot")
	t.Setenv("AWS_SECRET_ACCESS_KEY", adminSecret)
	s.ok("", "whoami", "root")
}

// TestAdminHostileServer has servers that answer anything: the terminal is not written
// to with their control characters, and no redirect takes the signed request elsewhere.
func TestAdminHostileServer(t *testing.T) {
	s := newAdminServer(t)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "users") {
			http.Redirect(w, r, s.url+r.URL.Path, http.StatusTemporaryRedirect)
			return
		}
		w.WriteHeader(http.StatusForbidden)
		w.Write([]byte(`{"code":"A\u001b[2J","message":"m\u0007","requestId":"r"}`))
	}))
	defer srv.Close()
	t.Setenv("OBJSRV_ENDPOINT", srv.URL)
	_, err := s.run("", "whoami")
	if err == nil || strings.ContainsAny(err.Error(), "\x1b\x07") || !strings.Contains(err.Error(), "request id r") {
		t.Errorf("%q", err)
	}
	s.fails("", "user ls", "redirects")
}

// TestAdminUnsigned is S-002: the face takes requests signed in their headers only.
func TestAdminUnsigned(t *testing.T) {
	s := newAdminServer(t)
	for _, path := range []string{"whoami", "users", "users/alice", "policies", "nothing"} {
		for _, header := range []string{"", "Bearer x", "Basic b2JqOng=", "AWS objroot:x"} {
			r, err := http.NewRequestWithContext(t.Context(), "GET", s.url+adminapi.Prefix+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			if header != "" {
				r.Header.Set("Authorization", header)
			}
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != http.StatusForbidden {
				t.Errorf("%s with %q: %s", path, header, resp.Status)
			}
		}
	}
}
