package main

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	minio "github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/objsrv/objsrv/iam"
)

// TestGatewayMap works through a gateway whose buckets are prefixes of one bucket upstream. No answer has a name that is
// the upstream's.
func TestGatewayMap(t *testing.T) {
	env := environ{"OBJSRV_ROOT_USER": "upstream", "OBJSRV_ROOT_PASSWORD": testPassword}
	up, _, _ := start(t, env, t.TempDir())
	cu := s3Client(t, up)
	ctx := t.Context()
	for _, bucket := range []string{"hidden-shared", "other"} {
		if err := cu.MakeBucket(ctx, bucket, minio.MakeBucketOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(t.TempDir(), "map")
	if err := os.WriteFile(file, []byte("# all in one\nphotos = hidden-shared/hidden-photos\n*=hidden-shared/hidden-all/{bucket}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env["OBJSRV_GATEWAY_ACCESS_KEY"], env["OBJSRV_GATEWAY_SECRET_KEY"] = sharedKey(t, up)
	g, _, _ := startGateway(t, env, "http://"+up.Addr().String(), "--iam-dir", t.TempDir(), "--bucket-map", "@"+file)
	spy := &spying{}
	c, err := minio.New(g.Addr().String(), &minio.Options{Creds: credentials.NewStaticV4("upstream", testPassword, ""), Region: "us-east-1", Transport: spy})
	if err != nil {
		t.Fatal(err)
	}
	core := minio.Core{Client: c}
	if err := c.MakeBucket(ctx, "made", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	put := func(bucket, key, content string) {
		t.Helper()
		if _, err := c.PutObject(ctx, bucket, key, strings.NewReader(content), int64(len(content)), minio.PutObjectOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 5 {
		put("made", fmt.Sprintf("dir%d/key", i), "content")
	}
	put("photos", "a b&c", "photo")
	list, err := c.ListBuckets(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, b := range list {
		names = append(names, b.Name)
	}
	if !slices.Equal(names, []string{"made", "photos"}) {
		t.Errorf("buckets %v", names)
	}
	// Pages, of keys, prefixes and versions.
	var keys []string
	for token := ""; ; {
		page, err := core.ListObjectsV2("made", "", "", token, "/", 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range page.CommonPrefixes {
			keys = append(keys, p.Prefix)
		}
		if token = page.NextContinuationToken; !page.IsTruncated {
			break
		}
	}
	if !slices.Equal(keys, []string{"dir0/", "dir1/", "dir2/", "dir3/", "dir4/"}) {
		t.Errorf("prefixes %v", keys)
	}
	for o := range c.ListObjects(ctx, "made", minio.ListObjectsOptions{WithVersions: true, Recursive: true}) {
		if o.Err != nil || !strings.HasPrefix(o.Key, "dir") {
			t.Errorf("version %+v", o)
		}
	}
	if v1, err := core.ListObjects("made", "", "dir1/key", "", 2); err != nil || len(v1.Contents) != 2 || v1.Contents[0].Key != "dir2/key" || v1.NextMarker != "" && v1.NextMarker != "dir3/key" {
		t.Errorf("%+v, %v", v1, err)
	}
	// An upload, with a part that is a copy from another bucket; Location is local.
	upload, err := core.NewMultipartUpload(ctx, "made", "big", minio.PutObjectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if page, err := core.ListMultipartUploads(ctx, "made", "", "", "", "", 10); err != nil || len(page.Uploads) != 1 || page.Uploads[0].Key != "big" {
		t.Errorf("uploads %+v, %v", page, err)
	}
	part := bytes.Repeat([]byte("x"), 5<<20)
	p1, err := core.PutObjectPart(ctx, "made", "big", upload, 1, bytes.NewReader(part), int64(len(part)), minio.PutObjectPartOptions{})
	if err != nil {
		t.Fatal(err)
	}
	p2, err := core.CopyObjectPart(ctx, "photos", "a b&c", "made", "big", upload, 2, 0, -1, nil)
	if err != nil {
		t.Fatal(err)
	}
	done, err := core.CompleteMultipartUpload(ctx, "made", "big", upload, []minio.CompletePart{{PartNumber: 1, ETag: p1.ETag}, p2}, minio.PutObjectOptions{})
	if err != nil || !strings.HasSuffix(done.Location, "/made/big") {
		t.Errorf("%+v, %v", done, err)
	}
	if _, err := c.CopyObject(ctx, minio.CopyDestOptions{Bucket: "photos", Object: "copy"}, minio.CopySrcOptions{Bucket: "made", Object: "dir1/key"}); err != nil {
		t.Error(err)
	}
	postForm(t, g, c, "photos", "form/${filename}")
	// Errors.
	for what, err := range map[string]error{
		"no such key":       secondOf(c.StatObject(ctx, "made", "none", minio.StatObjectOptions{})),
		"no such bucket":    secondOf(c.StatObject(ctx, "hidden-shared", "hidden-photos/copy", minio.StatObjectOptions{})),
		"not in the map":    secondOf(core.ListObjectsV2("other", "", "", "", "", 1)),
		"a key above":       secondOf(core.PutObject(ctx, "made", "../x", strings.NewReader(""), 0, "", "", minio.PutObjectOptions{})),
		"named by the map":  c.RemoveBucket(ctx, "photos"),
		"versioning of all": c.EnableVersioning(ctx, "made"),
	} {
		if err == nil {
			t.Errorf("%s: no error", what)
		}
	}
	for e := range c.RemoveObjects(ctx, "made", c.ListObjects(ctx, "made", minio.ListObjectsOptions{Recursive: true}), minio.RemoveObjectsOptions{}) {
		t.Error(e)
	}
	if err := c.RemoveBucket(ctx, "made"); err != nil {
		t.Error(err)
	}
	if !bytes.Contains(spy.seen.Bytes(), []byte("<ListBucketResult")) {
		t.Error("no document has been looked at")
	}
	if bytes.Contains(spy.seen.Bytes(), []byte("hidden")) {
		at := bytes.Index(spy.seen.Bytes(), []byte("hidden"))
		t.Errorf("an answer has a name of the upstream's: %s", spy.seen.Bytes()[max(0, at-300):min(spy.seen.Len(), at+300)])
	}
	var above []string
	for o := range cu.ListObjects(ctx, "hidden-shared", minio.ListObjectsOptions{Recursive: true}) {
		above = append(above, o.Key)
	}
	if !slices.Equal(above, []string{"hidden-photos/a b&c", "hidden-photos/copy", "hidden-photos/form/name.txt"}) {
		t.Errorf("the upstream has %q", above)
	}
}

// sharedKey makes a key of the upstream's that may work in the bucket hidden-shared alone, and neither list nor make buckets.
func sharedKey(t *testing.T, up *Program) (access, secret string) {
	t.Helper()
	const doc = `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":["s3:ListBucket","s3:ListBucketVersions","s3:ListBucketMultipartUploads","s3:GetBucketVersioning"],"Resource":"arn:aws:s3:::hidden-shared"},
		{"Effect":"Allow","Action":["s3:GetObject*","s3:PutObject*","s3:DeleteObject*","s3:AbortMultipartUpload","s3:ListMultipartUploadParts"],"Resource":"arn:aws:s3:::hidden-shared/*"}]}`
	if _, err := up.services.iam.SetPolicy(t.Context(), "shared", []byte(doc)); err != nil {
		t.Fatal(err)
	}
	_, cred, err := up.services.iam.CreateUser(t.Context(), iam.NewUser{Name: "gateway-user", Policies: []string{"shared"}})
	if err != nil {
		t.Fatal(err)
	}
	return cred.AccessKey, cred.Secret
}

func secondOf[T any](_ T, err error) error { return err }

// postForm uploads with a form.
func postForm(t *testing.T, p *Program, c *minio.Client, bucket, key string) {
	t.Helper()
	policy := minio.NewPostPolicy()
	for _, err := range []error{policy.SetBucket(bucket), policy.SetKeyStartsWith("form/"), policy.SetExpires(time.Now().UTC().Add(time.Hour))} {
		if err != nil {
			t.Fatal(err)
		}
	}
	u, fields, err := c.PresignedPostPolicy(t.Context(), policy)
	if err != nil {
		t.Fatal(err)
	}
	fields["key"] = key
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for name, value := range fields {
		if err := form.WriteField(name, value); err != nil {
			t.Fatal(err)
		}
	}
	w, err := form.CreateFormFile("file", "name.txt")
	if err == nil {
		_, err = io.WriteString(w, "content")
	}
	if err == nil {
		err = form.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Post(u.String(), form.FormDataContentType(), &body)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode/100 != 2 || strings.Contains(fmt.Sprint(resp.Header), "hidden") {
		t.Errorf("form: %d %v", resp.StatusCode, resp.Header)
	}
}

// spying is a transport that keeps headers and documents of answers.
type spying struct {
	mu   sync.Mutex
	seen bytes.Buffer
}

// RoundTrip implements http.RoundTripper. The echo of what was asked for is no leak.
func (s *spying) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || strings.Contains(r.URL.Path, "hidden") {
		return resp, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintln(&s.seen, r.Method, r.URL.Path, resp.Header)
	if strings.Contains(resp.Header.Get("Content-Type"), "xml") {
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			return nil, err
		}
		resp.Body = io.NopCloser(bytes.NewReader(b))
		s.seen.Write(b)
	}
	return resp, nil
}
