package main

import (
	"net/url"
	"strings"
	"testing"
	"time"

	minio "github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	server "github.com/objsrv/objsrv/test/etcd"
)

func TestEtcdSettings(t *testing.T) {
	read := func(env environ) (*Config, error) {
		c, _, err := readConfig(pflagSet(), env, []string{"/data"})
		return c, err
	}
	c, err := read(environ{
		"MINIO_ETCD_ENDPOINTS": "https://a:2379, https://b:2379", "MINIO_ETCD_PATH_PREFIX": "team/", "OBJSRV_ETCD_USERNAME": "u", "OBJSRV_ETCD_PASSWORD": "p",
		"OBJSRV_ETCD_CA_FILE": "ca", "MINIO_ETCD_CLIENT_CERT": "crt", "MINIO_ETCD_CLIENT_CERT_KEY": "key", "OBJSRV_ETCD_TRUST": "90s",
	})
	if err != nil {
		t.Fatal(err)
	}
	o := c.Etcd.Options
	if strings.Join(o.Endpoints, " ") != "https://a:2379 https://b:2379" || o.Prefix != "team/" || o.Username != "u" || o.Password != "p" ||
		o.CAFile != "ca" || o.CertFile != "crt" || o.KeyFile != "key" || c.trust() != 90*time.Second {
		t.Errorf("%+v", c.Etcd)
	}
	if c, err := read(environ{}); err != nil || c.Etcd.used() || c.trust() != 0 {
		t.Errorf("without etcd: %+v, %v", c.Etcd, err)
	}
	for _, env := range []environ{
		{"OBJSRV_ETCD_USERNAME": "u"},
		{"OBJSRV_ETCD_ENDPOINTS": "a:1", "MINIO_ETCD_ENDPOINTS": "b:1"},
		{"OBJSRV_ETCD_ENDPOINTS": "a:1", "OBJSRV_ETCD_TRUST": "1s"},
		{"OBJSRV_ETCD_ENDPONTS": "a:1"},
	} {
		if _, err := read(env); err == nil {
			t.Errorf("%v is taken", env)
		}
	}
}

// TestServersShareIdentities has two servers with data of their own and one etcd: who got a session at one uses
// it at the other at once.
func TestServersShareIdentities(t *testing.T) {
	c := server.Start(t, server.Options{})
	env := environ{"OBJSRV_ROOT_PASSWORD": testPassword, "MINIO_ETCD_ENDPOINTS": strings.Join(c.Endpoints(), ",")}
	a, stdout, _ := start(t, env, t.TempDir())
	b, _, _ := start(t, env, t.TempDir())
	if !strings.Contains(stdout.String(), c.Members[0].Endpoint) || strings.Contains(stdout.String(), testPassword) {
		t.Errorf("the banner says %s", stdout)
	}
	root := a.services.root
	for range 20 {
		sts := credentials.New(&credentials.STSAssumeRole{
			STSEndpoint: (&url.URL{Scheme: "http", Host: a.Addr().String()}).String(),
			Options:     credentials.STSAssumeRoleOptions{AccessKey: root.User, SecretKey: root.Password, Location: "us-east-1", DurationSeconds: 3600},
		})
		client, err := minio.New(b.Addr().String(), &minio.Options{Creds: sts, Region: "us-east-1"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.ListBuckets(t.Context()); err != nil {
			t.Fatalf("a session of one server at the other: %v", err)
		}
	}
}
