package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	minio "github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/tags"

	"github.com/objsrv/objsrv/iam"
)

// decisionPolicies are attached to a user each.
var decisionPolicies = map[string]string{
	"nothing":  "",
	"all":      `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::*"}]}`,
	"read":     `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],"Resource":["arn:aws:s3:::bucket","arn:aws:s3:::bucket/*"]}]}`,
	"write":    `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:PutObject"],"Resource":"arn:aws:s3:::bucket/*"}]}`,
	"prefix":   `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::bucket","Condition":{"StringLike":{"s3:prefix":"open/*"}}},{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::bucket/open/*"}]}`,
	"tagged":   `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/*","Condition":{"StringEquals":{"s3:ExistingObjectTag/colour":"red"}}}]}`,
	"denied":   `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::*"},{"Effect":"Deny","Action":["s3:DeleteObject","s3:GetObjectTagging"],"Resource":"arn:aws:s3:::bucket/open/*"}]}`,
	"versions": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObjectVersion","s3:ListBucketVersions"],"Resource":["arn:aws:s3:::bucket","arn:aws:s3:::bucket/*"]}]}`,
	"settings": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetBucketPolicy","s3:PutBucketVersioning","s3:GetBucketVersioning"],"Resource":"arn:aws:s3:::bucket"}]}`,
}

// bucketPolicy lets everybody read what lies below public/, and nobody write below frozen/.
const decisionBucketPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/public/*"},` +
	`{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::bucket/frozen/*"}]}`

// decisions tries operations as every user and tells how each was answered.
func decisions(t *testing.T, p *Program) map[string]string {
	t.Helper()
	ctx := t.Context()
	root := s3Client(t, p)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(root.MakeBucket(ctx, "bucket", minio.MakeBucketOptions{}))
	must(root.EnableVersioning(ctx, "bucket"))
	versions := map[string]string{}
	for _, key := range []string{"open/a", "closed/a", "public/a", "red", "blue", "frozen/a"} {
		info, err := root.PutObject(ctx, "bucket", key, strings.NewReader("x"), 1, minio.PutObjectOptions{UserTags: map[string]string{"colour": key}})
		must(err)
		versions[key] = info.VersionID
	}
	must(root.SetBucketPolicy(ctx, "bucket", decisionBucketPolicy))
	out := map[string]string{}
	try := func(who string, c *minio.Client) {
		note := func(what string, err error) {
			out[who+": "+what] = fmt.Sprint("ok")
			if err != nil {
				e := minio.ToErrorResponse(err)
				out[who+": "+what] = fmt.Sprint(e.StatusCode, " ", e.Code)
			}
		}
		core := minio.Core{Client: c}
		for _, key := range []string{"open/a", "closed/a", "public/a", "red", "blue", "missing"} {
			body, _, _, err := core.GetObject(ctx, "bucket", key, minio.GetObjectOptions{})
			if err == nil {
				_, err = io.Copy(io.Discard, body)
				body.Close()
			}
			note("get "+key, err)
		}
		_, _, _, err := core.GetObject(ctx, "bucket", "red", minio.GetObjectOptions{VersionID: versions["red"]})
		note("get a version", err)
		for _, key := range []string{"open/" + who, "new/" + who, "frozen/" + who} {
			_, err := core.PutObject(ctx, "bucket", key, bytes.NewReader([]byte("x")), 1, "", "", minio.PutObjectOptions{})
			note("put "+strings.TrimSuffix(key, who), err)
		}
		for _, prefix := range []string{"", "open/", "closed/"} {
			_, err := core.ListObjectsV2("bucket", prefix, "", "", "", 10)
			note("list "+prefix, err)
		}
		_, err = c.GetObjectTagging(ctx, "bucket", "open/a", minio.GetObjectTaggingOptions{})
		note("tags", err)
		set, err := tags.NewTags(map[string]string{"colour": "green"}, true)
		must(err)
		note("tag", c.PutObjectTagging(ctx, "bucket", "closed/a", set, minio.PutObjectTaggingOptions{}))
		_, err = c.CopyObject(ctx, minio.CopyDestOptions{Bucket: "bucket", Object: "copy/" + who}, minio.CopySrcOptions{Bucket: "bucket", Object: "public/a"})
		note("copy", err)
		note("delete", c.RemoveObject(ctx, "bucket", "open/"+who, minio.RemoveObjectOptions{}))
		_, err = core.NewMultipartUpload(ctx, "bucket", "upload", minio.PutObjectOptions{})
		note("begin an upload", err)
		_, err = c.GetBucketPolicy(ctx, "bucket")
		note("read the policy", err)
		note("enable versioning", c.EnableVersioning(ctx, "bucket"))
		note("remove the bucket", c.RemoveBucket(ctx, "bucket"))
		note("make a bucket", c.MakeBucket(ctx, "bucket-of-"+who, minio.MakeBucketOptions{}))
	}
	for _, name := range slices.Sorted(maps.Keys(decisionPolicies)) {
		var attach []string
		if doc := decisionPolicies[name]; doc != "" {
			_, err := p.services.iam.SetPolicy(ctx, "p-"+name, []byte(doc))
			must(err)
			attach = []string{"p-" + name}
		}
		_, cred, err := p.services.iam.CreateUser(context.WithoutCancel(ctx), iam.NewUser{Name: name, Policies: attach})
		must(err)
		c, err := minio.New(p.Addr().String(), &minio.Options{Creds: credentials.NewStaticV4(cred.AccessKey, cred.Secret, ""), Region: "us-east-1"})
		must(err)
		try(name, c)
	}
	anonymous, err := minio.New(p.Addr().String(), &minio.Options{Creds: credentials.NewStaticV4("", "", ""), Region: "us-east-1"})
	must(err)
	try("anonymous", anonymous)
	return out
}

// TestGatewayDecidesAsServer tries the same operations as the same users at a server and at a gateway.
func TestGatewayDecidesAsServer(t *testing.T) {
	env := environ{"OBJSRV_ROOT_USER": "upstream", "OBJSRV_ROOT_PASSWORD": testPassword}
	p, _, _ := start(t, env, t.TempDir())
	up, _, _ := start(t, env, t.TempDir())
	g, _, _ := startGateway(t, env, "http://"+up.Addr().String(), "--iam-dir", t.TempDir())
	want, got := decisions(t, p), decisions(t, g)
	refused := 0
	for _, what := range slices.Sorted(maps.Keys(want)) {
		if strings.Contains(want[what], "AccessDenied") {
			refused++
		}
		if got[what] != want[what] {
			t.Errorf("%s: the gateway answers %q, the server %q", what, got[what], want[what])
		}
	}
	if len(want) != len(got) || refused < 50 || len(want)-refused < 50 {
		t.Errorf("%d and %d decisions, %d refused", len(want), len(got), refused)
	}
}
