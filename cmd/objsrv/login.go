package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/objsrv/objsrv/internal/stsclient"
)

// maxSecret bounds what is read of a secret: tokens are at most 20 000 characters long.
const maxSecret = 64 << 10

// login is one way to temporary credentials.
type login interface {
	// add adds its flags.
	add(fs *pflag.FlagSet)
	// identity says, beside the flags that are no secrets, whose credentials assume would return
	// now. It is no secret either.
	identity(r *loginRun) ([]string, error)
	// assume proves who it is and returns the credentials.
	assume(ctx context.Context, r *loginRun) (*stsclient.Credentials, error)
}

// loginRun is one run of a login command: its common flags, and what is made of them.
type loginRun struct {
	adminFlags // endpoint, CA file; assume-role fills in the access key
	duration   time.Duration
	policyFile string

	cmd     *cobra.Command
	client  *stsclient.Client
	process bool      // an SDK runs the command and keeps what it prints
	tty     *terminal // nil when nobody is there to be asked
	// page is what a browser shows when the credentials are there.
	page func(context.Context, *stsclient.Credentials) (contentType string, body []byte)
}

// loginKind describes a login command.
type loginKind struct {
	use, short, long, example string
	new                       func() login
}

// loginKinds are all login commands. The examples are those of the commands themselves.
func loginKinds() []loginKind {
	return []loginKind{webIdentityKind(), assumeRoleKind(), clientGrantsKind(), ldapKind(), certificateKind(), customTokenKind()}
}

// newLoginCommands returns the commands that print credentials for a person to see.
func newLoginCommands() []*cobra.Command {
	var list []*cobra.Command
	for _, k := range loginKinds() {
		list = append(list, k.command(k.example, showLogin))
	}
	return list
}

// command makes a command that ends with finish.
func (k *loginKind) command(example string, finish func(l login, r *loginRun) error) *cobra.Command {
	l, r := k.new(), &loginRun{}
	cmd := &cobra.Command{
		Use: k.use, Short: k.short, Long: k.short + ".\n\n" + k.long + "\nFlags may have one dash, as in MinIO's examples.", Example: example,
		Args: argCount(0, 0), Annotations: map[string]string{oneDash: "yes"},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := r.prepare(cmd); err != nil {
				return err
			}
			return finish(l, r)
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&r.endpoint, "sts-ep", "", "`URL` of the server [OBJSRV_ENDPOINT, AWS_ENDPOINT_URL] (default "+defaultEndpoint+")")
	fs.StringVar(&r.caFile, "ca-file", "", "PEM `file` of certificates to trust for the server, beside the system's [OBJSRV_CA_FILE]")
	fs.DurationVar(&r.duration, "duration", 0, "how long the credentials are to be valid, such as 12h; the server has a default")
	fs.StringVar(&r.policyFile, "policy-file", "", "JSON `file` of a policy that narrows what the credentials may do")
	l.add(fs)
	return cmd
}

// prepare makes the client.
func (r *loginRun) prepare(cmd *cobra.Command) error {
	r.cmd = cmd
	base, err := r.base()
	if err != nil {
		return err
	}
	hc, err := r.adminFlags.client()
	if err != nil {
		return err
	}
	if r.duration < 0 || r.duration%time.Second != 0 {
		return usagef("--duration is a number of seconds or more, such as 90m")
	}
	r.tty = openTerminal()
	r.client = &stsclient.Client{Endpoint: base, Region: "us-east-1", HTTP: hc}
	if region := os.Getenv("OBJSRV_REGION"); region != "" {
		r.client.Region = region
	}
	if !private(base) {
		fmt.Fprintf(cmd.ErrOrStderr(), "objsrv: warning: %s is not encrypted, and secrets go there\n", base)
	}
	return nil
}

// private tells whether nobody can listen on the way to a URL.
func private(base string) bool {
	u, err := url.Parse(base)
	if err != nil || u.Scheme == "https" {
		return err == nil
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return err == nil && ip.IsLoopback() || u.Hostname() == "localhost"
}

// params are those of all actions.
func (r *loginRun) params() (url.Values, error) {
	p := url.Values{}
	if r.duration > 0 {
		p.Set("DurationSeconds", strconv.Itoa(int(r.duration/time.Second)))
	}
	if r.policyFile != "" {
		doc, err := os.ReadFile(r.policyFile)
		if err != nil {
			return nil, usagef("--policy-file: %v", err)
		}
		p.Set("Policy", string(doc))
	}
	return p, nil
}

// transport is the one of the server's client, for changes.
func (r *loginRun) transport() *http.Transport { return r.client.HTTP.Transport.(*http.Transport) }

// loginDocument is what login commands print; the names are those of MinIO's quickstart.
type loginDocument struct {
	Buckets     []string         `json:"buckets"`
	Credentials loginCredentials `json:"credentials"`
}

type loginCredentials struct {
	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string
	Expiration      time.Time
	SignerType      string
}

// showLogin logs in and prints the credentials with the buckets that they open.
func showLogin(l login, r *loginRun) error {
	var doc []byte
	r.page = func(ctx context.Context, cred *stsclient.Credentials) (string, []byte) {
		buckets, err := r.client.Buckets(ctx, cred)
		if err != nil { // a policy need not allow it
			fmt.Fprintf(r.cmd.ErrOrStderr(), "objsrv: the buckets are not shown: %v\n", err)
			buckets = []string{}
		}
		v := loginDocument{buckets, loginCredentials{cred.AccessKeyID, cred.SecretAccessKey, cred.SessionToken, cred.Expiration, "SignatureV4"}}
		if doc, err = json.MarshalIndent(v, "", "  "); err != nil {
			panic(err) // strings and a time
		}
		doc = append(doc, '\n')
		return "application/json", doc
	}
	cred, err := l.assume(r.cmd.Context(), r)
	if err != nil {
		return err
	}
	if doc == nil {
		r.page(r.cmd.Context(), cred)
	}
	_, err = r.cmd.OutOrStdout().Write(doc)
	return err
}

// loginSecret says where a secret comes from, so that it need not be among the arguments, which
// everybody on the machine sees.
type loginSecret struct {
	what     string
	variable string // or the same with _FILE behind it
	flag     string // its name; "" for none
	value    string
	file     string
}

func (s *loginSecret) add(fs *pflag.FlagSet, fileFlag string) {
	if s.flag != "" {
		fs.StringVar(&s.value, s.flag, "", s.what+`; "-" reads it from standard input [`+s.variable+"]")
	}
	fs.StringVar(&s.file, fileFlag, "", "`file` of the "+s.what+`; "-" is standard input [`+s.variable+"_FILE]")
}

// read returns the secret, "" when there is none.
func (s *loginSecret) read(r *loginRun) (string, error) {
	switch {
	case s.value != "" && s.file != "":
		return "", usagef("give the %s once", s.what)
	case s.value == "-" || s.file == "-":
		if r.process {
			return "", usagef("the %s can't come from standard input here: use a file or %s", s.what, s.variable)
		}
		b, err := io.ReadAll(io.LimitReader(r.cmd.InOrStdin(), maxSecret))
		if err != nil {
			return "", fmt.Errorf("read the %s: %w", s.what, err)
		}
		v := strings.TrimRight(string(b), "\r\n")
		if v == "" {
			return "", usagef("standard input has no %s", s.what)
		}
		return v, nil
	case s.value != "":
		return s.value, nil
	case s.file != "":
		return readSecretFile(s.what, s.file)
	}
	if v := os.Getenv(s.variable); v != "" {
		return v, nil
	}
	if file := os.Getenv(s.variable + "_FILE"); file != "" {
		return readSecretFile(s.variable+"_FILE", file)
	}
	return "", nil
}

// terminal is where a person sits.
type terminal struct {
	out io.Writer
}

// openTerminal returns nil unless standard input is a terminal. SDKs keep standard error to
// themselves, so what is for the person goes to the terminal itself where there is such a file.
func openTerminal() *terminal {
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		return nil
	}
	if f, err := os.OpenFile("/dev/tty", os.O_WRONLY, 0); err == nil {
		return &terminal{f}
	}
	return &terminal{os.Stderr}
}

// ask asks for a secret, which is not shown as it is typed.
func (t *terminal) ask(prompt string) (string, error) {
	fmt.Fprint(t.out, prompt+": ")
	b, err := term.ReadPassword(int(os.Stdin.Fd()))
	fmt.Fprintln(t.out)
	if err != nil {
		return "", fmt.Errorf("read from the terminal: %w", err)
	}
	if len(b) == 0 {
		return "", errors.New("nothing was typed")
	}
	return string(b), nil
}

// oneDash marks commands whose long flags may have one dash, as those of Go's package flag.
const oneDash = "one-dash"

// longFlags gives such flags their second dash. What follows a flag that takes a value is that
// value, whatever it looks like.
func longFlags(root *cobra.Command, args []string) []string {
	words := 0
	for words < len(args) && !strings.HasPrefix(args[words], "-") {
		words++
	}
	cmd, _, err := root.Find(args[:words])
	if err != nil || cmd.Annotations[oneDash] == "" {
		return args
	}
	out := append([]string{}, args...)
	for i := words; i < len(out) && out[i] != "--"; i++ {
		name, _, hasValue := strings.Cut(strings.TrimLeft(out[i], "-"), "=")
		if !strings.HasPrefix(out[i], "-") || len(name) < 2 { // -h is short
			continue
		}
		if !strings.HasPrefix(out[i], "--") {
			out[i] = "-" + out[i]
		}
		if f := cmd.Flags().Lookup(name); f != nil && !hasValue && f.NoOptDefVal == "" {
			i++
		}
	}
	return out
}
