package madmin

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/objsrv/objsrv/iam/config"
)

// TestConfig walks through what `mc admin config` does.
func TestConfig(t *testing.T) {
	s, _ := newHostServer(t)
	do := func(method, path, query, body string, want int) string {
		t.Helper()
		status, answer := s.send(request{as: "objroot", method: method, path: path, query: query, body: body})
		if status != want {
			t.Errorf("%s %s?%s %q: %d %s, want %d", method, path, query, body, status, answer, want)
		}
		return answer
	}
	get1 := func() string { t.Helper(); return do(get, "get-config-kv", "key=site", "", 200) }
	do(put, "set-config-kv", "", "site region=eu comment=a b", 200)
	if got, want := get1(), "site region=eu comment=\"a b\" \n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	for body, code := range map[string]string{
		"site regoin=x": "XMinioConfigError", "nosuch a=b": "XMinioConfigError", "site region=bad": "XMinioAdminConfigBadJSON", "site": "XMinioConfigError",
	} {
		for _, path := range []string{"set-config-kv", "config"} {
			if answer := do(put, path, "", body, 400); !strings.Contains(answer, code) {
				t.Errorf("%s %q: %s", path, body, answer)
			}
		}
	}
	do(get, "get-config-kv", "key=nosuch", "", 400)
	do(get, "get-config-kv", "key=", "", 400)
	if got := get1(); !strings.HasPrefix(got, "site region=eu ") {
		t.Errorf("a refused change was made: %q", got)
	}
	var list []config.Entry
	if err := json.Unmarshal([]byte(do(get, "list-config-history-kv", "count=10", "", 200)), &list); err != nil || len(list) != 1 || list[0].Text != "site region=eu comment=a b" {
		t.Fatalf("history %v, %v", list, err)
	}
	do(get, "list-config-history-kv", "count=x", "", 400)
	exported := do(get, "config", "", "", 200)
	do(remove, "del-config-kv", "", "site", 200)
	if got := get1(); got != "site region= \n" {
		t.Errorf("reset: %q", got)
	}
	do(remove, "del-config-kv", "", "nosuch", 400)
	do(put, "config", "", exported, 200)
	if got := get1(); !strings.HasPrefix(got, "site region=eu ") {
		t.Errorf("imported: %q", got)
	}
	do(put, "set-config-kv", "", "site region=us", 200)
	do(put, "restore-config-history-kv", "restoreId="+list[0].ID, "", 200)
	if got := get1(); !strings.HasPrefix(got, "site region=eu ") {
		t.Errorf("restored: %q", got)
	}
	do(put, "restore-config-history-kv", "restoreId="+list[0].ID, "", 404)
	do(remove, "clear-config-history-kv", "restoreId=all", "", 200)
	do(remove, "clear-config-history-kv", "restoreId=x", "", 404)
	if got := do(get, "list-config-history-kv", "count=10", "", 200); got != "[]" {
		t.Errorf("cleared: %s", got)
	}
	var help configHelp
	s.ask(request{method: get, path: "help-config-kv", query: "subSys=&key="}, &help)
	if len(help.Keys) != 1 || help.Keys[0].Key != "site" {
		t.Errorf("help: %+v", help)
	}
	s.ask(request{method: get, path: "help-config-kv", query: "subSys=site&key=&env="}, &help)
	if help.SubSys != "site" || len(help.Keys) != 1 || help.Keys[0].Key != "MINIO_SITE_REGION" {
		t.Errorf("help on variables: %+v", help)
	}
	do(get, "help-config-kv", "subSys=nosuch&key=", "", 400)
	if status, _ := s.send(request{as: "objroot", method: put, path: "set-config-kv", body: "site region=" + strings.Repeat("x", maxConfig)}); status != http.StatusBadRequest {
		t.Errorf("a body that is too large: %d", status)
	}
}
