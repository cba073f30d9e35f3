package stsclient

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/objsrv/objsrv/sigv4"
)

// newServer answers every request alike and keeps the last one.
func newServer(t *testing.T, status int, answer string) (*Client, *http.Request, *string) {
	t.Helper()
	var last http.Request
	var body string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		last, body = *r, string(b)
		w.WriteHeader(status)
		io.WriteString(w, answer)
	}))
	t.Cleanup(srv.Close)
	return &Client{Endpoint: srv.URL, Region: "us-east-1", HTTP: srv.Client()}, &last, &body
}

func answer(action, access, secret, token, expiration string) string {
	return fmt.Sprintf(`<%[1]sResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><%[1]sResult><Credentials><AccessKeyId>%s</AccessKeyId>`+
		`<SecretAccessKey>%s</SecretAccessKey><SessionToken>%s</SessionToken><Expiration>%s</Expiration></Credentials></%[1]sResult>`+
		`<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></%[1]sResponse>`, action, access, secret, token, expiration)
}

func TestAssume(t *testing.T) {
	soon := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	const action = "AssumeRoleWithLDAPIdentity"
	c, last, body := newServer(t, 200, answer(action, "A", "S", "T", soon.Format(time.RFC3339)))
	cred, err := c.Assume(t.Context(), action, url.Values{"LDAPPassword": {"a&b"}}, nil)
	if err != nil || *cred != (Credentials{"A", "S", "T", soon}) {
		t.Fatalf("%+v %v", cred, err)
	}
	if last.Method != "POST" || last.URL.RawQuery != "" || last.Header.Get("Authorization") != "" || *body != "Action="+action+"&LDAPPassword=a%26b&Version=2011-06-15" {
		t.Errorf("%v %s", last, *body)
	}
	if _, err := c.Assume(t.Context(), action, nil, &sigv4.Signer{AccessKey: "key", Secret: "secret"}); err != nil || !strings.Contains(last.Header.Get("Authorization"), "/us-east-1/sts/aws4_request") {
		t.Errorf("%v %v", err, last.Header)
	}
}

func TestAssumeRefusals(t *testing.T) {
	const action = "AssumeRole"
	soon, past := time.Now().Add(time.Hour).Format(time.RFC3339), time.Now().Add(-time.Hour).Format(time.RFC3339)
	for name, tt := range map[string]struct {
		status       int
		answer, says string
	}{
		"STS refuses":      {403, `<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>No ` + "\u009b" + `.</Message></Error><RequestId>r1</RequestId></ErrorResponse>`, "AssumeRole: AccessDenied: No \uFFFD. (request id r1)"},
		"S3 refuses":       {400, `<Error><Code>InvalidRequest</Code><Message>No.</Message></Error>`, "InvalidRequest: No."},
		"something else":   {502, "<html>", "502 Bad Gateway"},
		"no document":      {200, "hello", "EOF"},
		"another action's": {200, answer("AssumeRoleWithSAML", "A", "S", "T", soon), "not the answer"},
		"no token":         {200, answer(action, "A", "S", "", soon), "incomplete"},
		"no secret":        {200, answer(action, "A", "", "T", soon), "incomplete"},
		"expired":          {200, answer(action, "A", "S", "T", past), "expired"},
		"no time":          {200, answer(action, "A", "S", "T", "soon"), "parsing time"},
		"no credentials":   {200, "<AssumeRoleResponse><AssumeRoleResult/></AssumeRoleResponse>", "no credentials"},
	} {
		c, _, _ := newServer(t, tt.status, tt.answer)
		if cred, err := c.Assume(t.Context(), action, nil, nil); err == nil || cred != nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v, %v", name, cred, err)
		}
	}
}

func TestBuckets(t *testing.T) {
	cred := &Credentials{AccessKeyID: "A", SecretAccessKey: "S", SessionToken: "T"}
	c, last, _ := newServer(t, 200, `<ListAllMyBucketsResult><Owner/><Buckets><Bucket><Name>one</Name></Bucket><Bucket><Name>two</Name></Bucket></Buckets></ListAllMyBucketsResult>`)
	got, err := c.Buckets(t.Context(), cred)
	if err != nil || !slices.Equal(got, []string{"one", "two"}) || last.Header.Get("X-Amz-Security-Token") != "T" {
		t.Errorf("%v %v %v", got, err, last.Header)
	}
	c, _, _ = newServer(t, 200, `<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>`)
	if got, err := c.Buckets(t.Context(), cred); err != nil || got == nil || len(got) != 0 {
		t.Errorf("%v %v", got, err)
	}
}
