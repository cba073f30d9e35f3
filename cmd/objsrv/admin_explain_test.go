package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/iam/adminapi"
	"github.com/objsrv/objsrv/sigv4"
)

// TestExplainS3: what S3 has refused is explained under the id that its client got, which
// itself learns nothing of the reason.
func TestExplainS3(t *testing.T) {
	p, _, _ := start(t, environ{"OBJSRV_ROOT_USER": "objroot", "OBJSRV_ROOT_PASSWORD": adminSecret}, t.TempDir())
	ctx, svc := t.Context(), p.services.iam
	rootClient := s3Client(t, p)
	if err := rootClient.MakeBucket(ctx, "photos", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	deny := `{"Statement":[{"Sid":"shut","Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::photos/private/*"}]}`
	if err := rootClient.SetBucketPolicy(ctx, "photos", deny); err != nil {
		t.Fatal(err)
	}
	if _, _, err := svc.CreateUser(ctx, iam.NewUser{Name: "alice", Secret: testPassword, Policies: []string{"readonly"}}); err != nil {
		t.Fatal(err)
	}
	admin := &adminServer{t: t, svc: svc, url: "http://" + p.Addr().String()}
	admin.environ()
	client := func(c *credentials.Credentials) *minio.Client {
		t.Helper()
		m, err := minio.New(p.Addr().String(), &minio.Options{Creds: c, Region: p.Config.Region})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	alice, nobody := client(credentials.NewStaticV4("alice", testPassword, "")), client(credentials.NewStatic("", "", "", credentials.SignatureAnonymous))
	for _, tt := range []struct {
		client *minio.Client
		key    string
		put    bool
		wants  []string
	}{
		{alice, "private/a", false, []string{"user/alice", "s3:GetObject", "photos/private/a", "shut (it denies)"}},
		{alice, "b", true, []string{"user/alice", "s3:PutObject", "photos/b", "no statement matched"}},
		{nobody, "c", false, []string{"anonymous", "s3:GetObject", "photos/c", "no statement matched"}},
	} {
		var err error
		if tt.put {
			_, err = tt.client.PutObject(ctx, "photos", tt.key, strings.NewReader("x"), 1, minio.PutObjectOptions{})
		} else {
			var o *minio.Object
			if o, err = tt.client.GetObject(ctx, "photos", tt.key, minio.GetObjectOptions{}); err == nil {
				_, err = o.Read(make([]byte, 1))
			}
		}
		resp := minio.ToErrorResponse(err)
		if resp.Code != "AccessDenied" || resp.RequestID == "" || strings.Contains(resp.Message, "shut") {
			t.Errorf("%s: %+v", tt.key, resp)
			continue
		}
		admin.ok("", "explain "+resp.RequestID, tt.wants...)
		admin.fails(testPassword+"\n", "explain "+resp.RequestID+" --access-key alice --secret-key -", "AccessDenied: Access Denied. (request id")
	}
	admin.ok("", "simulate alice s3:GetObject photos/private/a", "denied", "shut (it denies)", "stored")
	admin.ok("", "simulate alice s3:GetObject photos/b", "allowed", "stored")
}

// TestAdminOtherDoors is S-002, S-021 and S-170: a signature in the query, a form and a streaming
// body open no route of the JSON face, whoever they are from.
func TestAdminOtherDoors(t *testing.T) {
	s := newAdminServer(t)
	signer := &sigv4.Signer{AccessKey: "objroot", Secret: adminSecret, Region: "us-east-1", Service: "s3"}
	send := func(r *http.Request) {
		t.Helper()
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusForbidden {
			t.Errorf("%s %s: %s", r.Method, r.URL, resp.Status)
		}
	}
	request := func(method, path, body string) *http.Request {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, s.url+adminapi.Prefix+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for _, door := range []struct{ method, path, body string }{
		{"GET", "whoami", ""}, {"GET", "users", ""}, {"PUT", "users/eve", "{}"}, {"POST", "keys", "{}"}, {"DELETE", "users/eve", ""},
		{"GET", "explain", ""}, {"POST", "simulate", "{}"}, {"POST", "import-minio-iam", "x"}, {"GET", "sessions", ""},
	} {
		presigned := request(door.method, door.path, door.body)
		signer.Presign(presigned, time.Minute, time.Now())
		send(presigned)

		form := request(door.method, door.path, "--b\r\nContent-Disposition: form-data; name=\"policy\"\r\n\r\ne30=\r\n--b--\r\n")
		form.Header.Set("Content-Type", "multipart/form-data; boundary=b")
		send(form)

		streaming := request(door.method, door.path, door.body)
		streaming.Header.Set("X-Amz-Content-Sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
		send(streaming)

		// The body is what was signed, or nothing happens.
		other := request(door.method, door.path, door.body)
		signer.SignHeader(other, strings.Repeat("0", 64), time.Now())
		resp, err := http.DefaultClient.Do(other)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode/100 != 4 {
			t.Errorf("%s %s with another body: %s", door.method, door.path, resp.Status)
		}
	}
	if users, keys := s.svc.Users(), s.svc.AccessKeys(""); len(users)+len(keys) != 0 {
		t.Errorf("there are %+v %+v", users, keys)
	}
}

// TestImportProgress: what an import sends is told while it goes on, beside the report.
func TestImportProgress(t *testing.T) {
	release := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-release
		w.Write([]byte(`{"dryRun":true,"report":{"skipped":{},"removed":{},"added":{},"failed":{}}}`))
	}))
	defer srv.Close()
	f := &adminFlags{endpoint: srv.URL, accessKey: "objroot", secretKey: adminSecret}
	cmd := newAdminImportCommand(f)
	var out bytes.Buffer
	errs := &output{}
	cmd.SetOut(&out)
	cmd.SetErr(errs)
	cmd.SetArgs([]string{"../../iam/iamzip/testdata/minio.zip"})
	done := make(chan error)
	go func() { done <- cmd.ExecuteContext(t.Context()) }()
	waitFor(t, func() bool { return strings.Contains(errs.String(), "bytes are sent to the server.") })
	close(release)
	if err := <-done; err != nil || !strings.Contains(out.String(), "dry run") {
		t.Errorf("%v: %s", err, &out)
	}
}
