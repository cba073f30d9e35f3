package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"

	"github.com/objsrv/objsrv/sigv4"
)

// TestAdminScripts runs the scripts of testdata/admin: `objsrv admin` against a server of its own
// for each script, both the real program.
func TestAdminScripts(t *testing.T) {
	archive, err := filepath.Abs("../../iam/iamzip/testdata/minio.zip")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/admin",
		Setup: func(env *testscript.Env) error {
			env.Setenv("OBJSRV_ROOT_USER", "objroot")
			env.Setenv("OBJSRV_ROOT_PASSWORD", testPassword)
			env.Setenv("ARCHIVE", archive)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"serve": serve, "keep": keep, "assume": assume},
	})
}

// serve starts a server until the script ends, and sets OBJSRV_ENDPOINT.
func serve(ts *testscript.TestScript, _ bool, _ []string) {
	exe, err := exec.LookPath("objsrv") // the script's PATH is the test's, with the program in front
	ts.Check(err)
	cmd := exec.Command(exe, "server", ts.MkAbs("data"), "--address", "127.0.0.1:0")
	cmd.Env = bareEnviron("OBJSRV_ROOT_USER="+ts.Getenv("OBJSRV_ROOT_USER"), "OBJSRV_ROOT_PASSWORD="+ts.Getenv("OBJSRV_ROOT_PASSWORD"))
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	ts.Defer(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	timer := time.AfterFunc(time.Minute, func() { cmd.Process.Kill() })
	defer timer.Stop()
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if address, ok := strings.CutPrefix(lines.Text(), "S3:"); ok {
			ts.Setenv("OBJSRV_ENDPOINT", strings.TrimSpace(address))
			return
		}
	}
	ts.Fatalf("the server has not said where it serves")
}

// keep NAME REGEXP sets a variable to the first group of what matches in the last output,
// standard output and then standard error.
func keep(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: keep NAME REGEXP")
	}
	re, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	m := re.FindStringSubmatch(ts.ReadFile("stdout") + ts.ReadFile("stderr"))
	if len(m) < 2 {
		ts.Fatalf("no match for %s", args[1])
	}
	ts.Setenv(args[0], m[1])
}

// assume NAME ACCESS-KEY SECRET gets a session by AssumeRole and sets NAME, NAME_SECRET, NAME_TOKEN.
func assume(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: assume NAME ACCESS-KEY SECRET")
	}
	form := url.Values{
		"Action": {"AssumeRole"}, "Version": {"2011-06-15"}, "DurationSeconds": {"900"},
		"RoleArn": {"arn:aws:iam::000000000000:role/any"}, "RoleSessionName": {"script"},
	}.Encode()
	r, err := http.NewRequest("POST", ts.Getenv("OBJSRV_ENDPOINT")+"/", strings.NewReader(form))
	ts.Check(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	sum := sha256.Sum256([]byte(form))
	(&sigv4.Signer{AccessKey: args[1], Secret: args[2], Region: "us-east-1", Service: "sts"}).SignHeader(r, hex.EncodeToString(sum[:]), time.Now())
	resp, err := http.DefaultClient.Do(r)
	ts.Check(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	ts.Check(err)
	for element, suffix := range map[string]string{"AccessKeyId": "", "SecretAccessKey": "_SECRET", "SessionToken": "_TOKEN"} {
		_, rest, _ := strings.Cut(string(body), "<"+element+">")
		value, _, ok := strings.Cut(rest, "</")
		if !ok {
			ts.Fatalf("%s %s", resp.Status, body)
		}
		ts.Setenv(args[0]+suffix, value)
	}
}

// TestAdminHelp: every command has a sentence and an example that names it, and no example
// names a command that there is not.
func TestAdminHelp(t *testing.T) {
	root := newAdminCommand()
	all := commandsOf(root)
	if len(all) < 40 {
		t.Fatalf("%d commands", len(all))
	}
	for path, cmd := range all {
		if cmd.Short == "" || strings.HasSuffix(cmd.Short, ".") {
			t.Errorf("%s: %q", path, cmd.Short)
		}
		if cmd.HasSubCommands() {
			continue
		}
		if !strings.Contains(cmd.Example, "objsrv "+path) {
			t.Errorf("%s: no example in %q", path, cmd.Example)
		}
	}
}

// commandsOf returns a command and all below it by their paths.
func commandsOf(cmd *cobra.Command) map[string]*cobra.Command {
	all := map[string]*cobra.Command{cmd.CommandPath(): cmd}
	for _, c := range cmd.Commands() {
		for path, below := range commandsOf(c) {
			all[path] = below
		}
	}
	return all
}
