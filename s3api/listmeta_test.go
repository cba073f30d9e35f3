package s3api

import (
	"strings"
	"testing"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/storage"
)

func TestListMetadata(t *testing.T) {
	e := newSealedEnv(t)
	e.bucket("ver", storage.VersioningEnabled)
	for _, b := range []string{"bkt", "ver"} {
		e.must(200, "PUT", "/"+b+"/a", "x", "X-Amz-Meta-Color: <red> & blue", "X-Amz-Meta-No!name: x", "Content-Type: text/x", "X-Amz-Tagging: k=v%26w&l=")
		e.must(200, "PUT", "/"+b+"/c", "x", append(withCustomer(1), "X-Amz-Meta-Color: hidden")...)
		e.must(200, "PUT", "/"+b+"/d", "x", "X-Amz-Server-Side-Encryption: aws:kms")
	}
	e.must(204, "DELETE", "/ver/d", "")
	const meta = "<UserMetadata><content-type>text/x</content-type><X-Amz-Meta-Color>&lt;red&gt; &amp; blue</X-Amz-Meta-Color></UserMetadata>"
	const tags = "<UserTags>k=v%26w&amp;l=</UserTags>"
	for _, list := range []string{"/bkt?list-type=2&metadata=true", "/ver?versions&metadata=true"} {
		version := strings.HasPrefix(list, "/ver")
		got := e.must(200, "GET", list, "").body
		for _, want := range []string{meta, tags, "<X-Amz-Server-Side-Encryption>aws:kms</X-Amz-Server-Side-Encryption>"} {
			if strings.Count(got, want) != 1 {
				t.Errorf("%s lacks %s: %s", list, want, got)
			}
		}
		if strings.Contains(got, "hidden") || strings.Count(got, "<UserMetadata>") != 2 {
			t.Errorf("%s tells metadata that a customer's key guards: %s", list, got)
		}
		// Who may list need not be allowed to read.
		for _, row := range []struct {
			action       string
			meta, tagged bool
		}{{"s3:GetObject", version, true}, {"s3:GetObjectVersion", !version, true}, {"s3:GetObjectTagging", true, version}, {"s3:GetObjectVersionTagging", true, !version}} {
			e.iam.deny = func(r *iam.Request) bool { return r.Action == row.action && r.Key == "a" }
			got := e.must(200, "GET", list, "").body
			if strings.Contains(got, meta) != row.meta || strings.Contains(got, tags) != row.tagged {
				t.Errorf("%s without %s: %s", list, row.action, got)
			}
		}
		e.iam.deny = nil
	}
	for _, list := range []string{"/bkt?list-type=2", "/bkt?list-type=2&metadata=false", "/ver?versions", "/bkt?metadata=true"} {
		if got := e.must(200, "GET", list, "").body; strings.Contains(got, "UserMetadata") || strings.Contains(got, "UserTags") {
			t.Errorf("%s: %s", list, got)
		}
	}
}
