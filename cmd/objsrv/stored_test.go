package main

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"

	"github.com/objsrv/objsrv/iam/config"
	"github.com/objsrv/objsrv/s3api"
)

// TestStoredSettings: what `mc admin config` has set is in force at the next start, unless the environment
// or the command line says otherwise, which they tell.
func TestStoredSettings(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	env := environ{"OBJSRV_ROOT_PASSWORD": testPassword}
	p, _, stderr := start(t, env, dir)
	if got, err := p.host.Settings().Text(ctx, "site"); err != nil || got != "site region= name= \n" {
		t.Errorf("%q, %v", got, err)
	}
	for _, text := range []string{"site region=eu-west-9 name=cal-rack0", "api object_ownership=ObjectWriter sigv2=on"} {
		if err := p.host.Settings().Set(ctx, text); err != nil {
			t.Fatal(err)
		}
	}
	for _, text := range []string{"site region=a!b", "site name=Upper", "api sigv2=perhaps", "api object_ownership=Nobody", "api cors_allow_origin=app.example"} {
		if err := p.host.Settings().Set(ctx, text); !errors.Is(err, config.ErrValue) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if err := s3Client(t, p).MakeBucket(ctx, "before", minio.MakeBucketOptions{}); err != nil {
		t.Errorf("in force before the next start: %v", err)
	}
	p.Close()
	if strings.Contains(stderr.String(), "damaged") {
		t.Errorf("the identity store complains: %s", stderr)
	}

	p, stdout, stderr := start(t, env, dir)
	c := p.services.config
	if c.Region != "eu-west-9" || c.ObjectOwnership != s3api.ObjectWriter || !c.SigV2 || !strings.Contains(stdout.String(), "cal-rack0") {
		t.Errorf("%+v\n%s", c, stdout)
	}
	s, err := p.host.Server(ctx)
	if err != nil || s.Region != "eu-west-9" {
		t.Errorf("%+v, %v", s, err)
	}
	if status, _ := signedGet(t, p, "/"); status < 400 { // it signs for us-east-1
		t.Errorf("a signature for another region is taken: %d", status)
	}
	p.Close()
	if strings.Contains(stderr.String(), "damaged") {
		t.Errorf("the identity store complains: %s", stderr)
	}

	env["MINIO_SITE_REGION"] = "here-1"
	p, _, _ = start(t, env, "--object-ownership", "BucketOwnerPreferred", dir)
	if c := p.services.config; c.Region != "here-1" || c.ObjectOwnership != s3api.OwnerPreferred || !c.SigV2 {
		t.Errorf("%+v", c)
	}
	got, err := p.host.Settings().Text(ctx, "")
	want := "# MINIO_SITE_REGION=here-1\nsite region=eu-west-9 name=cal-rack0 \n" +
		"# by --object-ownership:\n# MINIO_API_OBJECT_OWNERSHIP=BucketOwnerPreferred\napi object_ownership=ObjectWriter sigv2=on cors_allow_origin= requests_max= requests_deadline= requests_per_address= \n" +
		"compression enable= extensions= mime_types= allow_encryption= \n"
	if err != nil || got != want {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
	if err := s3Client(t, p).MakeBucket(ctx, "bucket", minio.MakeBucketOptions{}); err != nil {
		t.Error(err)
	}
}

// TestStoredTable: everything that can be stored has a place in the table, and help.
func TestStoredTable(t *testing.T) {
	n := 0
	for _, sub := range storedTable() {
		for _, k := range sub.Keys {
			if n++; k.Type == "" || k.Description == "" || k.Check("!?") == nil {
				t.Errorf("%s %s: %+v", sub.Name, k.Name, k)
			}
		}
	}
	for _, s := range settings() {
		if s.stored != "" {
			n--
		}
	}
	if n != 0 {
		t.Errorf("%d settings have no sub-system", -n)
	}
}
