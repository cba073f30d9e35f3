package madmin

import (
	"archive/zip"
	"io"
	"strings"
	"testing"

	"github.com/objsrv/objsrv/iam"
)

// TestOtherAccountsAreNotListed: mc admin shows and exports the deployment's account, as if it were the only one.
func TestOtherAccountsAreNotListed(t *testing.T) {
	s := newServer(t)
	s.user("local")
	if _, _, err := s.svc.CreateAccount(t.Context(), iam.NewAccount{ID: "222222222222", Name: "tenant", Root: "tenant-root"}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.svc.CreateUser(t.Context(), iam.NewUser{Name: "tenant-user", Account: "222222222222", Policies: []string{"readonly"}}); err != nil {
		t.Fatal(err)
	}
	s.key("tenant-user", "")
	for _, q := range []request{
		{as: "objroot", method: get, path: "list-users"},
		{as: "objroot", method: get, path: "list-access-keys-bulk", query: "all=true&listType=svcacc-only"},
		{as: "objroot", method: get, path: "idp/builtin/policy-entities"},
		{as: "objroot", method: get, path: "export-iam"},
	} {
		code, body := s.send(q)
		if z, err := zip.NewReader(strings.NewReader(body), int64(len(body))); err == nil {
			body = ""
			for _, f := range z.File {
				r, err := f.Open()
				if err != nil {
					t.Fatal(err)
				}
				text, err := io.ReadAll(r)
				if err != nil {
					t.Fatal(err)
				}
				body += f.Name + string(text)
			}
		}
		if code != 200 || strings.Contains(body, "tenant") {
			t.Errorf("%s: %d %s", q.path, code, body)
		}
	}
	if _, body := s.send(request{as: "objroot", method: get, path: "list-users"}); !strings.Contains(body, "local") {
		t.Error(body)
	}
}
