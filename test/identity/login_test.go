package identity

import (
	"bufio"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"
)

// formAction finds where a login page sends its form.
var formAction = regexp.MustCompile(`action="([^"]+)"`)

// person is somebody who logs in at the page of a provider.
type person struct {
	configURL, client, scopes string
	form                      url.Values // what the page asks for
}

// loginAt runs objsrv web-identity and logs a person in at the provider's own page, as a browser does.
// It returns what the command prints, and what the browser shows at the end.
func loginAt(t *testing.T, s *server, who person) (printed, shown string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), need(t, "IDENTITY_OBJSRV", "a binary of objsrv"), "web-identity", "-cid", who.client, "-config-ep", who.configURL,
		"-cscopes", who.scopes, "-port", "0", "-sts-ep", s.url)
	cmd.Env = []string{"OBJSRV_CLIENT_SECRET=" + who.client + "-secret", "HOME=" + t.TempDir()}
	var out strings.Builder
	cmd.Stdout = &out
	pipe, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(pipe)
	line, err := lines.ReadString('\n')
	page, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if !ok {
		t.Fatalf("%v: %s", err, line)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar, Timeout: time.Minute}
	read := func(resp *http.Response, err error) (string, *url.URL) {
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(b), resp.Request.URL
	}
	text, at := read(browser.Get(page))
	form := formAction.FindStringSubmatch(text)
	if form == nil {
		t.Fatalf("the provider shows no form for %s: %s", who.client, text)
	}
	to, err := at.Parse(html.UnescapeString(form[1]))
	if err != nil {
		t.Fatal(err)
	}
	shown, _ = read(browser.PostForm(to.String(), who.form))
	said, _ := io.ReadAll(lines)
	if err := cmd.Wait(); err != nil {
		return string(said), shown
	}
	return out.String(), shown
}

// credentialsIn reads what the command has printed, and the browser shown.
func credentialsIn(t *testing.T, printed, shown string) *credentials.Credentials {
	t.Helper()
	var doc struct {
		Buckets     []string                                                                `json:"buckets"`
		Credentials struct{ AccessKeyID, SecretAccessKey, SessionToken, SignerType string } `json:"credentials"`
	}
	if err := json.Unmarshal([]byte(printed), &doc); err != nil || printed != shown {
		t.Fatalf("%v\n%s\n%s", err, printed, shown)
	}
	c := doc.Credentials
	if strings.Join(doc.Buckets, " ") != bucket || c.SignerType != "SignatureV4" {
		t.Errorf("%s", printed)
	}
	return credentials.NewStaticV4(c.AccessKeyID, c.SecretAccessKey, c.SessionToken)
}

// TestKeycloakLogin is the sample client's login at a real Keycloak, and its credentials used within
// their policy and beyond.
func TestKeycloakLogin(t *testing.T) {
	k := realm(t)
	s := start(t, k.four()...)
	who := func(client, name string) person {
		return person{configURL: k.configURL(), client: client, scopes: "openid", form: url.Values{"username": {name}, "password": {name + "-secret"}}}
	}
	for name, tt := range map[string]struct{ client, want string }{"alice": {"objsrv", "get put"}, "bob": {"other", "get"}} {
		printed, shown := loginAt(t, s, who(tt.client, name))
		if got := s.allowed(credentialsIn(t, printed, shown)); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
	if said, shown := loginAt(t, s, who("objsrv", "nopol")); !strings.HasPrefix(said, "objsrv: AssumeRoleWithWebIdentity: IDPRejectedClaim: ") || !strings.Contains(shown, "IDPRejectedClaim") {
		t.Errorf("without a policy: %s\n%s", said, shown)
	}
}
