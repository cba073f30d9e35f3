package main

import (
	"crypto/hmac"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/objsrv/objsrv/iam"
)

// scrapeToken is what `mc admin prometheus generate` makes.
func scrapeToken(accessKey, secret string) string {
	b64 := base64.RawURLEncoding.EncodeToString
	signed := b64([]byte(`{"alg":"HS512","typ":"JWT"}`)) + "." +
		b64(fmt.Appendf(nil, `{"iss":"prometheus","sub":%q,"exp":%d}`, accessKey, time.Now().Add(time.Hour).Unix()))
	m := hmac.New(sha512.New, []byte(secret))
	m.Write([]byte(signed))
	return signed + "." + b64(m.Sum(nil))
}

// TestScrapeToken is S-095: a token opens the metrics, and nothing else, to those who may read them.
func TestScrapeToken(t *testing.T) {
	p, _, _ := start(t, environ{"OBJSRV_ROOT_PASSWORD": testPassword}, t.TempDir())
	svc, ctx := p.services.iam, t.Context()
	if _, err := svc.SetPolicy(ctx, "scrape", []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"admin:Prometheus"}]}`)); err != nil {
		t.Fatal(err)
	}
	for name, doc := range map[string]string{
		"from-here": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"admin:Prometheus","Condition":{"IpAddress":{"aws:SourceIp":"127.0.0.0/8"}}}]}`,
		"not-here":  `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"admin:Prometheus"},{"Effect":"Deny","Action":"admin:*","Condition":{"IpAddress":{"aws:SourceIp":"127.0.0.0/8"}}}]}`,
	} {
		if _, err := svc.SetPolicy(ctx, name, []byte(doc)); err != nil {
			t.Fatal(err)
		}
	}
	for name, policies := range map[string][]string{"here": {"from-here"}, "elsewhere": {"not-here"}, "scraper": {"scrape"}, "reader": {"readonly"}, "gone": {"scrape"}} {
		if _, _, err := svc.CreateUser(ctx, iam.NewUser{Name: name, Secret: testPassword, Policies: policies, Disabled: name == "gone"}); err != nil {
			t.Fatal(err)
		}
	}
	ask := func(path, token string) int {
		t.Helper()
		r, err := http.NewRequest("GET", "http://"+p.Addr().String()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	for _, path := range []string{"/-/metrics", "/minio/v2/metrics/cluster"} {
		for _, row := range []struct {
			token string
			want  int
		}{
			{scrapeToken("admin", testPassword), 200}, {scrapeToken("scraper", testPassword), 200},
			{scrapeToken("here", testPassword), 200}, {scrapeToken("elsewhere", testPassword), 403},
			{scrapeToken("reader", testPassword), 403}, {scrapeToken("gone", testPassword), 403}, {scrapeToken("nobody", testPassword), 403},
			{scrapeToken("nobody", ""), 403}, {scrapeToken("scraper", "another secret"), 403}, {"", 403}, {"x.y.z", 403},
		} {
			if got := ask(path, row.token); got != row.want {
				t.Errorf("%s with %q: %d, want %d", path, row.token, got, row.want)
			}
		}
	}
	for _, path := range []string{fsckPath, "/-/api/whoami", "/minio/admin/v3/info", "/bucket/key", "/"} {
		if got := ask(path, scrapeToken("admin", testPassword)); got < 400 {
			t.Errorf("the token opens %s: %d", path, got)
		}
	}
	if _, err := svc.SetStatus(ctx, "scraper", false); err != nil {
		t.Fatal(err)
	}
	if got := ask("/-/metrics", scrapeToken("scraper", testPassword)); got != 403 {
		t.Errorf("S-228: the token of a disabled user: %d", got)
	}
}
