package s3api

import (
	"strings"
	"testing"
)

// The statements of the policies that `mc anonymous set` makes for a bucket, as it sends them.
const (
	mcLocation  = `{"Action":["s3:GetBucketLocation"],"Effect":"Allow","Principal":{"AWS":["*"]},"Resource":["arn:aws:s3:::BUCKET"],"Sid":""}`
	mcLocations = `{"Action":["s3:GetBucketLocation","s3:ListBucketMultipartUploads"],"Effect":"Allow","Principal":{"AWS":["*"]},"Resource":["arn:aws:s3:::BUCKET"],"Sid":""}`
	mcPrefix    = `{"Action":["s3:ListBucket"],"Condition":{"StringEquals":{"s3:prefix":["pre"]}},"Effect":"Allow","Principal":{"AWS":["*"]},"Resource":["arn:aws:s3:::BUCKET"],"Sid":""}`
	mcWrite     = `"s3:AbortMultipartUpload","s3:DeleteObject",`
	mcParts     = `"s3:ListMultipartUploadParts","s3:PutObject"`
)

func mcObjects(actions, resource string) string {
	return `{"Action":[` + actions + `],"Effect":"Allow","Principal":{"AWS":["*"]},"Resource":["arn:aws:s3:::BUCKET/` + resource + `"],"Sid":""}`
}

// mcDownload and mcPublic replace mcLocation where the whole bucket may be listed.
var (
	mcDownload = strings.Replace(mcLocation, `"s3:GetBucketLocation"`, `"s3:GetBucketLocation","s3:ListBucket"`, 1)
	mcPublic   = strings.Replace(mcLocation, `"s3:GetBucketLocation"`, `"s3:GetBucketLocation","s3:ListBucket","s3:ListBucketMultipartUploads"`, 1)
)

// TestAnonymousPolicies is what the policies of `mc anonymous` give to whom nobody knows, and to a user
// without any policy.
func TestAnonymousPolicies(t *testing.T) {
	actions := []struct{ letter, method, target, body string }{
		{"l", "GET", "?location", ""},
		{"L", "GET", "", ""},
		{"p", "GET", "?prefix=pre", ""},
		{"x", "GET", "?prefix=pref", ""},
		{"U", "GET", "?uploads", ""},
		{"V", "GET", "?versions", ""},
		{"G", "GET", "/other", ""},
		{"g", "GET", "/pre/k", ""},
		{"P", "PUT", "/new", "x"},
		{"n", "PUT", "/pre/new", "x"},
		{"D", "DELETE", "/gone", ""},
		{"d", "DELETE", "/pre/gone", ""},
		{"T", "GET", "/pre/k?tagging", ""},
		{"Y", "GET", "?policy", ""},
		{"Z", "PUT", "?policy", "{}"},
		{"B", "PUT", "?versioning", "<VersioningConfiguration/>"},
		{"R", "DELETE", "", ""},
	}
	rows := []struct{ name, statements, allowed string }{
		{"download", mcDownload + "," + mcObjects(`"s3:GetObject"`, "*"), "lLpxGg"},
		{"upload", mcLocations + "," + mcObjects(mcWrite+mcParts, "*"), "lUPnDd"},
		{"public", mcPublic + "," + mcObjects(mcWrite+`"s3:GetObject",`+mcParts, "*"), "lLpxUGgPnDd"},
		{"download of a prefix", mcLocation + "," + mcPrefix + "," + mcObjects(`"s3:GetObject"`, "pre*"), "lpg"},
		{"upload to a prefix", mcLocations + "," + mcObjects(mcWrite+mcParts, "pre*"), "lUnd"},
		{"public prefix", mcLocations + "," + mcPrefix + "," + mcObjects(mcWrite+`"s3:GetObject",`+mcParts, "pre*"), "lpUgnd"},
		{"none", "", ""},
	}
	a := newAccounts(t, "")
	for _, row := range rows {
		for _, who := range []string{"", "bare"} {
			path := a.newBucket()
			for _, key := range []string{"/other", "/gone", "/pre/k", "/pre/gone"} {
				a.wants(200, "", "owner", "PUT", path+key, "content")
			}
			if row.statements != "" {
				doc := `{"Statement":[` + strings.ReplaceAll(row.statements, "BUCKET", path[1:]) + `],"Version":"2012-10-17"}`
				a.wants(204, "", "owner", "PUT", path+"?policy", doc)
				// mc recognises its own by comparing what it reads with what it would make.
				if got := a.wants(200, "", "owner", "GET", path+"?policy", "").body; got != doc {
					t.Errorf("%s is read as %s", doc, got)
				}
				if got := a.wants(200, "", "owner", "GET", path+"?policyStatus", "").element("IsPublic"); got != "true" {
					t.Errorf("%s: public is %q", row.name, got)
				}
			}
			got := ""
			for _, act := range actions {
				switch ans := a.as(who, act.method, path+act.target, act.body); {
				case ans.status/100 == 2:
					got += act.letter
				case ans.status != 403 || ans.code() != "AccessDenied":
					t.Errorf("%s, %q: %s %s: %d %s", row.name, who, act.method, act.target, ans.status, ans.body)
				}
			}
			if got != row.allowed {
				t.Errorf("%s: %q may do %q, want %q", row.name, who, got, row.allowed)
			}
		}
	}
}
