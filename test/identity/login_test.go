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

// formAction finds where Keycloak's login page sends its form.
var formAction = regexp.MustCompile(`action="([^"]+)"`)

// loginAt runs objsrv web-identity and logs a person in at Keycloak's own page, as a browser does.
// It returns what the command prints, and what the browser shows at the end.
func loginAt(t *testing.T, s *server, k *keycloak, client, name string) (printed, shown string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), need(t, "IDENTITY_OBJSRV", "a binary of objsrv"), "web-identity", "-cid", client, "-config-ep", k.configURL(),
		"-cscopes", "openid", "-port", "0", "-sts-ep", s.url)
	cmd.Env = []string{"OBJSRV_CLIENT_SECRET=" + client + "-secret", "HOME=" + t.TempDir()}
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
	read := func(resp *http.Response, err error) string {
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	form := formAction.FindStringSubmatch(read(browser.Get(page)))
	if form == nil {
		t.Fatalf("Keycloak shows no form for %s", client)
	}
	shown = read(browser.PostForm(html.UnescapeString(form[1]), url.Values{"username": {name}, "password": {name + "-secret"}}))
	said, _ := io.ReadAll(lines)
	if err := cmd.Wait(); err != nil {
		return string(said), shown
	}
	return out.String(), shown
}

// TestKeycloakLogin is the quickstart of MinIO's STS: the sample client's login at a real Keycloak,
// and its credentials used within their policy and beyond.
func TestKeycloakLogin(t *testing.T) {
	k := realm(t)
	s := start(t, k.four()...)
	for name, tt := range map[string]struct{ client, want string }{"alice": {"objsrv", "get put"}, "bob": {"other", "get"}} {
		printed, shown := loginAt(t, s, k, tt.client, name)
		var doc struct {
			Buckets     []string                                                                `json:"buckets"`
			Credentials struct{ AccessKeyID, SecretAccessKey, SessionToken, SignerType string } `json:"credentials"`
		}
		if err := json.Unmarshal([]byte(printed), &doc); err != nil || printed != shown {
			t.Fatalf("%s: %v\n%s\n%s", name, err, printed, shown)
		}
		c := doc.Credentials
		if strings.Join(doc.Buckets, " ") != bucket || c.SignerType != "SignatureV4" {
			t.Errorf("%s: %s", name, printed)
		}
		if got := s.allowed(credentials.NewStaticV4(c.AccessKeyID, c.SecretAccessKey, c.SessionToken)); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
	if said, shown := loginAt(t, s, k, "objsrv", "nopol"); !strings.HasPrefix(said, "objsrv: AssumeRoleWithWebIdentity: IDPRejectedClaim: ") || !strings.Contains(shown, "IDPRejectedClaim") {
		t.Errorf("without a policy: %s\n%s", said, shown)
	}
}
