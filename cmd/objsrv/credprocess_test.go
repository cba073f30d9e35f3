package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
)

// clientCertServer asks clients for certificates.
func clientCertServer() *tls.Config { return &tls.Config{ClientAuth: tls.RequestClientCert} }

func pemOf(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}

// kept returns the files of kept credentials.
func kept(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(os.Getenv("XDG_CACHE_HOME"), "objsrv", "credentials", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestCredentialProcess: credentials are kept for their user until a minute before their end.
func TestCredentialProcess(t *testing.T) {
	cleanLogin(t)
	p := newLoginProvider(t)
	server, _, _ := start(t, p.environ(), t.TempDir())
	t.Setenv("OBJSRV_ENDPOINT", "http://"+server.Addr().String())
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte(p.sign(map[string]any{"sub": "alice", "aud": loginClient, "policy": "readwrite"})), 0o600); err != nil {
		t.Fatal(err)
	}
	ask := func(args ...string) string {
		t.Helper()
		code, out, errs := loginRunOf(append([]string{"credential-process", "web-identity", "-token-file", token}, args...)...)
		if code != 0 || errs != "" {
			t.Fatalf("%d %s", code, errs)
		}
		return out
	}
	first := ask()
	files := kept(t)
	if len(files) != 1 {
		t.Fatal(files)
	}
	info, err := os.Stat(files[0])
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	if dir, err := os.Stat(filepath.Dir(files[0])); err != nil || dir.Mode().Perm() != 0o700 {
		t.Errorf("%v %v", dir, err)
	}
	if ask() != first {
		t.Error("credentials are not kept")
	}
	if ask("--session-name", "other") == first || len(kept(t)) != 2 {
		t.Error("other credentials are those that were kept")
	}
	second := ask("--renew")
	if second == first || ask() != second {
		t.Error("--renew keeps no new ones")
	}
	var c processCredentials
	if err := json.Unmarshal([]byte(second), &c); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(){
		"a minute before the end": func() { c.Expiration = time.Now().Add(59 * time.Second) },
		"a file that others read": func() { c.Expiration = time.Now().Add(time.Hour); os.Chmod(files[0], 0o640) },
		"a damaged file":          func() { c.Version = 2 },
	} {
		mode := os.FileMode(0o600)
		os.Chmod(files[0], mode)
		change()
		doc, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(files[0], doc, mode); err != nil {
			t.Fatal(err)
		}
		if out := ask(); out == string(doc) || out == second {
			t.Errorf("%s: it is used", name)
		}
		if info, err := os.Stat(files[0]); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", name, info, err)
		}
		c.Version = 1
	}
	if len(kept(t)) != 2 {
		t.Errorf("%v", kept(t))
	}
}

// TestCredentialProcessAlone: where nobody can be asked, nothing waits.
func TestCredentialProcessAlone(t *testing.T) {
	cleanLogin(t)
	for args, says := range map[string]string{
		"web-identity -cid x -config-ep http://127.0.0.1:1/.well-known/openid-configuration": "there is no terminal",
		"ldap --user alice":                       "no password",
		"ldap --user alice --password-file -":     "can't come from standard input here",
		"web-identity":                            "-config-ep and -cid are needed",
		"certificate --cert x --key y":            "TLS only",
		"custom-token --role-arn x":               "a token are needed",
		"assume-role":                             "no credentials",
		"assume-role --access-key x":              "goes with --secret-key-file",
		"ldap --user alice --duration 1ms":        "--duration",
		"client-grants -cid x -config-ep nowhere": "CONFIG_URL",
	} {
		code, out, errs := loginRunOf(append([]string{"credential-process"}, strings.Fields(args)...)...)
		if code == 0 || out != "" || !strings.Contains(errs, says) {
			t.Errorf("%s: %d %s %s", args, code, out, errs)
		}
	}
	if len(kept(t)) != 0 {
		t.Error(kept(t))
	}
}

// TestLongFlags: one dash is as good as two, and values stay as they are.
func TestLongFlags(t *testing.T) {
	for in, want := range map[string]string{
		"web-identity -cid a -csec -port -port 1 -open -cscopes=x,y -h": "web-identity --cid a --csec -port --port 1 --open --cscopes=x,y -h",
		"credential-process ldap --user -user -user u -x":               "credential-process ldap --user -user --user u -x",
		"web-identity -- -cid":    "web-identity -- -cid",
		"admin user ls -endpoint": "admin user ls -endpoint",
		"":                        "",
	} {
		if got := strings.Join(longFlags(newRoot(nil), strings.Fields(in)), " "); got != want {
			t.Errorf("%s: %s", in, got)
		}
	}
}

// TestLoginHelp: every command has a sentence and an example that names it.
func TestLoginHelp(t *testing.T) {
	root := newRoot(nil)
	for path, cmd := range commandsOf(root) {
		if cmd.Annotations[oneDash] == "" {
			continue
		}
		if cmd.Short == "" || !strings.Contains(cmd.Example, path) {
			t.Errorf("%s: %q", path, cmd.Example)
		}
	}
}

// TestCredentialProcessOfAWS: the AWS command line logs in by a profile that names the command.
func TestCredentialProcessOfAWS(t *testing.T) {
	aws, err := exec.LookPath("aws")
	if err != nil {
		t.Skip("the AWS command line is not installed")
	}
	env := os.Environ() // before HOME changes: aws may be found by it
	cleanLogin(t)
	p := newLoginProvider(t)
	server, _, _ := start(t, p.environ(), t.TempDir())
	if err := s3Client(t, server).MakeBucket(t.Context(), "data", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	if err := os.Symlink(exe, filepath.Join(dir, "objsrv")); err != nil { // testscript.Main runs the command of this name
		t.Fatal(err)
	}
	endpoint := "http://" + server.Addr().String()
	token := write("token", p.sign(map[string]any{"sub": "alice", "aud": loginClient, "policy": "readwrite"}))
	root := write("root", server.services.root.Password)
	config := write("config", "[profile sso]\ncredential_process = "+dir+"/objsrv credential-process web-identity --token-file "+token+" --sts-ep "+endpoint+
		"\nregion = us-east-1\nendpoint_url = "+endpoint+
		"\n[profile key]\ncredential_process = "+dir+"/objsrv credential-process assume-role --access-key "+server.services.root.User+" --secret-key-file "+root+" --sts-ep "+endpoint+
		"\nregion = us-east-1\nendpoint_url = "+endpoint+"\n")
	env = slices.DeleteFunc(env, func(v string) bool { return strings.HasPrefix(v, "AWS_") })
	env = append(env, "AWS_CONFIG_FILE="+config, "AWS_SHARED_CREDENTIALS_FILE="+filepath.Join(dir, "none"), "XDG_CACHE_HOME="+filepath.Join(dir, "cache"))
	run := func(args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), aws, args...)
		cmd.Env = env
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("aws %v: %v %s", args, err, out)
		}
		return string(out)
	}
	if out := run("--profile", "sso", "sts", "get-caller-identity", "--output", "text", "--query", "Arn"); !strings.Contains(out, ":assumed-role/") {
		t.Error(out)
	}
	run("--profile", "sso", "s3", "cp", token, "s3://data/k")
	if out := run("--profile", "key", "s3", "ls", "s3://data"); !strings.HasSuffix(out, " k\n") {
		t.Error(out)
	}
	if list := server.services.iam.Sessions(""); len(list) != 2 {
		t.Errorf("three commands of two profiles have made %d sessions", len(list))
	}
}
