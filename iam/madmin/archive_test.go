package madmin

import (
	"archive/zip"
	"bytes"
	"strings"
	"testing"
)

// archiveOf makes an archive of one document.
func archiveOf(t *testing.T, name, content string) string {
	t.Helper()
	var out bytes.Buffer
	zw := zip.NewWriter(&out)
	w, err := zw.Create("iam-assets/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestImport is S-075, S-089 and S-246 for the routes: the action that exports does not import, a
// holder of the one that imports brings in no key of root, a restricted credential nothing, and
// what is no archive is 400.
func TestImport(t *testing.T) {
	s := newServer(t)
	s.user("exporter", "admin:ExportIAM")
	s.user("importer", "admin:ImportIAM")
	backdoor := archiveOf(t, "svcaccts", `{"BACKDOOR":{"parent":"objroot","accessKey":"BACKDOOR","secretKey":"a chosen secret","status":"on","claims":{"parent":"objroot"}}}`)
	users := archiveOf(t, "users", `{"newcomer":{"secretKey":"a chosen secret","status":"enabled"}}`)
	for _, path := range []string{"import-iam", "import-iam-v2"} {
		s.want(request{as: "exporter", method: put, path: path, body: users}, 403, "AccessDenied")
		s.want(request{as: "importer", method: put, path: path, body: "no archive"}, 400, "archive is not valid")
		s.want(request{as: "importer", method: put, path: path, body: ""}, 400, "")
		s.want(request{as: s.key("importer", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"admin:*"}]}`), method: put, path: path, body: users}, 403, "AccessDenied")
		s.want(request{as: "importer", method: put, path: path, body: users}, 200, "")
	}
	s.want(request{as: "importer", method: put, path: "import-iam-v2", body: backdoor}, 200, `"failed":{"serviceAccounts":[{"name":"BACKDOOR","reason":"it is root's`)
	s.want(request{as: "importer", method: put, path: "import-iam", body: backdoor}, 400, "1 entries")
	if _, err := s.svc.Credential("BACKDOOR", ""); err == nil {
		t.Error("the back door is open")
	}
	s.want(request{as: "objroot", method: put, path: "import-iam-v2", body: backdoor}, 200, `"added":{"serviceAccounts":["BACKDOOR"]}`)
	s.want(request{as: "importer", method: get, path: "export-iam"}, 403, "AccessDenied")
	if body := s.want(request{as: "exporter", method: get, path: "export-iam"}, 200, "PK"); !strings.Contains(body, "iam-assets/svcaccts.json") {
		t.Errorf("%d bytes", len(body))
	}
}
