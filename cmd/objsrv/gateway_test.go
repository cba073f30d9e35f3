package main

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"
	"time"

	minio "github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/spf13/pflag"

	server "github.com/objsrv/objsrv/test/etcd"
)

// newGateway parses a command line of `gateway s3`; the address is any free one.
func newGateway(t *testing.T, env environ, args ...string) (p *Program, stdout, stderr *output) {
	t.Helper()
	fs := pflag.NewFlagSet("gateway", pflag.ContinueOnError)
	addFlagsOf(fs, gatewayMode)
	if err := fs.Parse(append([]string{"--address", "127.0.0.1:0", "--drain-timeout", "5s"}, args...)); err != nil {
		t.Fatal(err)
	}
	c, ignored, err := readGatewayConfig(fs, env, fs.Args())
	if err != nil {
		t.Fatal(err)
	}
	stdout, stderr = &output{}, &output{}
	return &Program{Config: c, Ignored: ignored, Stdout: stdout, Stderr: stderr}, stdout, stderr
}

// startGateway runs a gateway until the test ends.
func startGateway(t *testing.T, env environ, args ...string) (p *Program, stdout, stderr *output) {
	t.Helper()
	p, stdout, stderr = newGateway(t, env, args...)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p, stdout, stderr
}

func TestGatewaySettings(t *testing.T) {
	root := environ{"MINIO_ROOT_USER": "upstream", "MINIO_ROOT_PASSWORD": testPassword}
	read := func(env environ, args ...string) (*Config, error) {
		fs := pflag.NewFlagSet("gateway", pflag.ContinueOnError)
		addFlagsOf(fs, gatewayMode)
		if err := fs.Parse(args); err != nil {
			t.Fatal(err)
		}
		for k, v := range root {
			if _, ok := env[k]; !ok {
				env[k] = v
			}
		}
		c, _, err := readGatewayConfig(fs, env, fs.Args())
		return c, err
	}
	for _, tt := range []struct {
		env                   environ
		args                  []string
		endpoint, key, region string
	}{
		{environ{"MINIO_ETCD_ENDPOINTS": "a:1"}, nil, "https://s3.us-east-1.amazonaws.com", "upstream", "us-east-1"},
		{environ{"MINIO_ETCD_ENDPOINTS": "a:1", "MINIO_REGION": "eu-west-1"}, nil, "https://s3.eu-west-1.amazonaws.com", "upstream", "eu-west-1"},
		{environ{"OBJSRV_GATEWAY_REGION": "r2"}, []string{"--iam-dir", "/d", "http://host:1/"}, "http://host:1", "upstream", "r2"},
		{environ{"AWS_ACCESS_KEY_ID": "other", "OBJSRV_GATEWAY_SECRET_KEY": "s", "MINIO_ETCD_ENDPOINTS": "a:1"}, []string{"host.example.com"}, "https://host.example.com", "other", "us-east-1"},
	} {
		c, err := read(tt.env, tt.args...)
		if err != nil || c.Gateway.Endpoint != tt.endpoint || c.Gateway.AccessKey != tt.key || c.Gateway.Region != tt.region {
			t.Errorf("%v %v: %+v, %v", tt.env, tt.args, c, err)
		}
	}
	for what, tt := range map[string]struct {
		env  environ
		args []string
	}{
		"no place for identities":   {environ{}, []string{"http://host"}},
		"two places for identities": {environ{"MINIO_ETCD_ENDPOINTS": "a:1"}, []string{"http://host", "--iam-dir", "/d"}},
		"no root password":          {environ{"MINIO_ROOT_PASSWORD": "", "MINIO_ETCD_ENDPOINTS": "a:1"}, []string{"http://host"}},
		"half a key":                {environ{"OBJSRV_GATEWAY_ACCESS_KEY": "k", "MINIO_ETCD_ENDPOINTS": "a:1"}, []string{"http://host"}},
		"several endpoints":         {environ{"MINIO_ETCD_ENDPOINTS": "a:1"}, []string{"http://host", "http://host2"}},
		"a path":                    {environ{"MINIO_ETCD_ENDPOINTS": "a:1"}, []string{"http://host/path"}},
		"a cache without a place":   {environ{"MINIO_ETCD_ENDPOINTS": "a:1", "OBJSRV_GATEWAY_CACHE_SIZE": "1GiB"}, []string{"http://host"}},
		"a cache of no size":        {environ{"MINIO_ETCD_ENDPOINTS": "a:1"}, []string{"http://host", "--cache-dir", "/d", "--cache-size", "1KB"}},
		"a map that overlaps":       {environ{"MINIO_ETCD_ENDPOINTS": "a:1", "OBJSRV_GATEWAY_BUCKETS": "one=shared/x,two=shared/x/y"}, []string{"http://host"}},
		"a map that is not there":   {environ{"MINIO_ETCD_ENDPOINTS": "a:1"}, []string{"http://host", "--bucket-map", "@/none"}},
		"a setting of the server":   {environ{"MINIO_ETCD_ENDPOINTS": "a:1", "OBJSRV_VOLUMES": "/d"}, []string{"http://host"}},
	} {
		if c, err := read(tt.env, tt.args...); err == nil {
			t.Errorf("%s is taken: %+v", what, c)
		}
	}
	if _, _, err := readConfig(pflagSet(), environ{"OBJSRV_GATEWAY_REGION": "r"}, []string{"/data"}); err == nil {
		t.Error("a server takes a setting of the gateway")
	}
}

// TestGateways puts two gateways before one server, with their identities in one etcd: what is written at one
// is there at the other, and the policy that one sets counts at the other.
func TestGateways(t *testing.T) {
	up, _, _ := start(t, environ{"OBJSRV_ROOT_USER": "upstream", "OBJSRV_ROOT_PASSWORD": testPassword}, t.TempDir())
	c := server.Start(t, server.Options{})
	env := environ{
		"OBJSRV_ROOT_USER": "gateway", "OBJSRV_ROOT_PASSWORD": "gateway-password-1", "MINIO_ETCD_ENDPOINTS": c.Members[0].Endpoint,
		"OBJSRV_GATEWAY_ACCESS_KEY": "upstream", "OBJSRV_GATEWAY_SECRET_KEY": testPassword,
	}
	endpoint := "http://" + up.Addr().String()
	a, stdout, stderr := startGateway(t, env, endpoint)
	b, _, _ := startGateway(t, env, endpoint)
	for _, secret := range []string{testPassword, "gateway-password-1"} {
		if strings.Contains(stdout.String()+stderr.String(), secret) {
			t.Errorf("the output has a secret: %s %s", stdout, stderr)
		}
	}
	ctx := t.Context()
	ca, cb := s3Client(t, a), s3Client(t, b)
	if err := ca.MakeBucket(ctx, "bucket", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	content := bytes.Repeat([]byte("0123456789abcdef"), 20<<10)
	info, err := ca.PutObject(ctx, "bucket", "key", bytes.NewReader(content), int64(len(content)), minio.PutObjectOptions{ContentType: "text/x"})
	if sum := md5.Sum(content); err != nil || info.ETag != hex.EncodeToString(sum[:]) {
		t.Fatalf("%+v, %v", info, err)
	}
	wrongMD5 := base64.StdEncoding.EncodeToString(make([]byte, 16))
	if _, err := (minio.Core{Client: ca}).PutObject(ctx, "bucket", "wrong", bytes.NewReader(content), int64(len(content)), wrongMD5, "", minio.PutObjectOptions{}); minio.ToErrorResponse(err).Code != "BadDigest" {
		t.Errorf("a wrong Content-MD5: %v", err)
	}
	o, err := cb.GetObject(ctx, "bucket", "key", minio.GetObjectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(o); err != nil || !bytes.Equal(got, content) {
		t.Fatalf("read %d bytes, %v", len(got), err)
	}
	anonymous := func(p *Program) int {
		status, _ := get(t, p, "/bucket/key")
		return status
	}
	if s := anonymous(b); s != http.StatusForbidden {
		t.Errorf("anonymous read without a policy: %d", s)
	}
	policy := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/*"}]}`
	if err := ca.SetBucketPolicy(ctx, "bucket", policy); err != nil {
		t.Fatal(err)
	}
	if s := anonymous(a); s != http.StatusOK {
		t.Errorf("anonymous read with a policy, where it was set: %d", s)
	}
	awaitStatus(t, "with a policy, at the other gateway", http.StatusOK, func() int { return anonymous(b) })
	if s, _ := get(t, up, "/bucket/key"); s != http.StatusForbidden {
		t.Errorf("the upstream lets anonymous read: %d", s)
	}
	if err := cb.SetBucketPolicy(ctx, "bucket", ""); err != nil {
		t.Fatal(err)
	}
	awaitStatus(t, "after the policy was removed at the other", http.StatusForbidden, func() int { return anonymous(a) })
	// The upstream's key is not the gateway's.
	wrong, err := minio.New(a.Addr().String(), &minio.Options{Creds: credentials.NewStaticV4("upstream", testPassword, ""), Region: "us-east-1"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := wrong.ListBuckets(ctx); minio.ToErrorResponse(err).Code != "InvalidAccessKeyId" {
		t.Errorf("S-254 the upstream's key at the gateway: %v", err)
	}
}

// TestGatewayConsole logs in at the console of one gateway and goes on at that of another, as behind a load balancer; who
// logs out there is out here.
func TestGatewayConsole(t *testing.T) {
	c := server.Start(t, server.Options{})
	env := environ{"OBJSRV_ROOT_USER": "gateway", "OBJSRV_ROOT_PASSWORD": testPassword, "MINIO_ETCD_ENDPOINTS": c.Members[0].Endpoint}
	up, _, _ := start(t, environ{"OBJSRV_ROOT_USER": "gateway", "OBJSRV_ROOT_PASSWORD": testPassword}, t.TempDir())
	a, _, _ := startGateway(t, env, "http://"+up.Addr().String())
	b, _, _ := startGateway(t, env, "http://"+up.Addr().String())
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar} // a cookie is the host's, whatever its port
	do := func(p *Program, method, path, body string) (int, string) {
		t.Helper()
		r, err := http.NewRequest(method, "http://"+p.Addr().String()+"/-/console/"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		resp, err := browser.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(text)
	}
	user := func(p *Program) string { _, body := do(p, "GET", "session", ""); return body }
	if strings.Contains(user(b), `"gateway"`) {
		t.Fatalf("somebody is logged in: %s", user(b))
	}
	if status, body := do(a, "POST", "login", `{"accessKey":"gateway","secretKey":"`+testPassword+`"}`); status != http.StatusOK {
		t.Fatalf("login: %d %s", status, body)
	}
	if s := user(b); !strings.Contains(s, `"gateway"`) {
		t.Errorf("the other gateway does not know the session: %s", s)
	}
	if status, body := do(b, "POST", "logout", ""); status != http.StatusOK {
		t.Errorf("logout at the other: %d %s", status, body)
	}
	if s := user(a); strings.Contains(s, `"gateway"`) {
		t.Errorf("after the logout: %s", s)
	}
}

// awaitStatus repeats f until it gives a status.
func awaitStatus(t *testing.T, what string, want int, f func() int) {
	t.Helper()
	got := 0
	for began := time.Now(); time.Since(began) < 20*time.Second; time.Sleep(time.Millisecond) {
		if got = f(); got == want {
			return
		}
	}
	t.Errorf("%s: %d, want %d", what, got, want)
}

// TestGatewayUpstreamDown has the upstream go away and come back: probes and clients are told, and nothing
// has to be started again.
func TestGatewayUpstreamDown(t *testing.T) {
	dir := t.TempDir()
	env := environ{"OBJSRV_ROOT_USER": "upstream", "OBJSRV_ROOT_PASSWORD": testPassword}
	up, _, _ := start(t, env, dir)
	address := up.Addr().String()
	g, _, stderr := startGateway(t, env, "http://"+address, "--iam-dir", t.TempDir())
	if !strings.Contains(stderr.String(), "for this gateway alone") {
		t.Errorf("nothing is said of the place of identities: %s", stderr)
	}
	ctx := t.Context()
	client := s3Client(t, g)
	if err := client.MakeBucket(ctx, "bucket", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	ready := func() int { s, _ := get(t, g, "/minio/health/ready"); return s }
	if s := ready(); s != http.StatusOK {
		t.Errorf("ready: %d", s)
	}
	if err := up.Close(); err != nil {
		t.Fatal(err)
	}
	awaitStatus(t, "ready while the upstream is down", http.StatusServiceUnavailable, ready)
	if s, _ := get(t, g, "/minio/health/live"); s != http.StatusOK {
		t.Errorf("live: %d", s)
	}
	core := minio.Core{Client: client}
	if _, err := core.PutObject(ctx, "bucket", "key", strings.NewReader("x"), 1, "", "", minio.PutObjectOptions{}); minio.ToErrorResponse(err).StatusCode != http.StatusServiceUnavailable {
		t.Errorf("write while the upstream is down: %v", err)
	}
	again, _, _ := newProgram(t, env, "--address", address, dir)
	if err := again.Start(); err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	awaitStatus(t, "ready when the upstream is back", http.StatusOK, ready)
	if _, err := core.PutObject(ctx, "bucket", "key", strings.NewReader("x"), 1, "", "", minio.PutObjectOptions{}); err != nil {
		t.Errorf("write when the upstream is back: %v", err)
	}
}
