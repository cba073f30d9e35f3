package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/encrypt"
	"github.com/minio/minio-go/v7/pkg/sse"

	"github.com/objsrv/objsrv/sigv4"
)

// sealedContent repeats a word that must not be found on the disk.
func sealedContent(n int) []byte {
	var b bytes.Buffer
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "%06d unencryptedcontent ", i)
	}
	return b.Bytes()[:n]
}

// tlsClient returns a client of a server with a certificate of a test.
func tlsClient(t *testing.T, p *Program) *minio.Client {
	t.Helper()
	root := p.services.root
	c, err := minio.New(p.Addr().String(), &minio.Options{Creds: credentials.NewStaticV4(root.User, root.Password, ""), Secure: true, Region: p.Config.Region,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// wantNowhere looks for words in every file of a directory.
func wantNowhere(t *testing.T, dir string, words ...string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(name)
		for _, w := range words {
			if bytes.Contains(b, []byte(w)) {
				t.Errorf("%s holds %q", name, w)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// put sends a PUT of root's with a header more, over TLS, and wants it to succeed.
func put(t *testing.T, p *Program, target string, body []byte, headers http.Header, name, value string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "https://"+p.Addr().String()+target, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = headers.Clone()
	r.Header.Set(name, value)
	root := p.services.root
	s := sigv4.Signer{AccessKey: root.User, Secret: root.Password, Region: p.Config.Region, Service: "s3"}
	s.SignHeader(r, "UNSIGNED-PAYLOAD", time.Now())
	client := http.Client{Transport: insecureTransport()}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if answer, err := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK || err != nil {
		t.Fatalf("PUT %s: %d %s, %v", target, resp.StatusCode, answer, err)
	}
}

// TestEncryptedOnDisk (S-109, S-250): nothing of encrypted objects lies on the disk in the clear, in files, index or log,
// nor the customer's key, there or in what the server has printed; and all of them read after a restart.
func TestEncryptedOnDisk(t *testing.T) {
	certs, dir := t.TempDir(), t.TempDir()
	writeTestCert(t, certs, "localhost")
	env := environ{"OBJSRV_ROOT_PASSWORD": testPassword, "OBJSRV_COMPRESSION_ENABLE": "on", "OBJSRV_COMPRESSION_ALLOW_ENCRYPTION": "on", "OBJSRV_COMPRESSION_EXTENSIONS": ".shrunk",
		"OBJSRV_COMPRESSION_MIME_TYPES": "none/none"}
	p, stdout, stderr := start(t, env, dir, "--certs-dir", certs, "--access-log", "stderr")
	c, ctx := tlsClient(t, p), t.Context()
	if err := c.MakeBucket(ctx, "bucket", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	customerKey := []byte("a customer's key of thirty-two b")
	customer, err := encrypt.NewSSEC(customerKey)
	if err != nil {
		t.Fatal(err)
	}
	kms, err := encrypt.NewSSEKMS("", map[string]string{"a": "b"})
	if err != nil {
		t.Fatal(err)
	}
	sizes := map[string]int{"inline": 3000, "large": 1 << 20, "multipart": 12 << 20, "large.shrunk": 1 << 20, "multipart.shrunk": 12 << 20}
	modes := map[string]encrypt.ServerSide{"s3": encrypt.NewSSE(), "kms": kms, "c": customer}
	for mode, sse := range modes {
		for name, n := range sizes {
			opts := minio.PutObjectOptions{ServerSideEncryption: sse, PartSize: 5 << 20}
			if _, err := c.PutObject(ctx, "bucket", mode+"/"+name, bytes.NewReader(sealedContent(n)), int64(n), opts); err != nil {
				t.Fatalf("put %s/%s: %v", mode, name, err)
			}
		}
		src := minio.CopySrcOptions{Bucket: "bucket", Object: mode + "/large"}
		if mode == "c" {
			src.Encryption = encrypt.SSECopy(sse)
		}
		if _, err := c.CopyObject(ctx, minio.CopyDestOptions{Bucket: "bucket", Object: mode + "/large copy", Encryption: sse}, src); err != nil {
			t.Fatalf("copy %s: %v", mode, err)
		}
	}
	sizes["large copy"] = sizes["large"]
	// What comes in an archive, by pieces, or gets another name.
	for mode, sse := range modes {
		files := make(chan minio.SnowballObject, 2)
		for name, n := range map[string]int{"extracted": 1 << 20, "extracted.shrunk": 200_000} {
			files <- minio.SnowballObject{Key: mode + "/" + name, Size: int64(n), Content: bytes.NewReader(sealedContent(n))}
			sizes[name] = n
		}
		close(files)
		if err := c.PutObjectsSnowball(ctx, "bucket", minio.SnowballOptions{Opts: minio.PutObjectOptions{ServerSideEncryption: sse}, InMemory: true}, files); err != nil {
			t.Fatalf("archive of %s: %v", mode, err)
		}
		headers := http.Header{}
		if mode == "c" {
			sse.Marshal(headers)
		}
		if _, err := c.PutObject(ctx, "bucket", mode+"/appended", bytes.NewReader(sealedContent(50_000)), 50_000, minio.PutObjectOptions{ServerSideEncryption: sse, DisableMultipart: true}); err != nil {
			t.Fatal(err)
		}
		put(t, p, "/bucket/"+mode+"/appended", sealedContent(400_000)[50_000:], headers, "X-Amz-Write-Offset-Bytes", "50000")
		put(t, p, "/bucket/"+mode+"/renamed?renameObject", nil, headers, "X-Amz-Rename-Source", mode+"/large copy")
	}
	sizes["appended"], sizes["renamed"] = 400_000, sizes["large copy"]
	delete(sizes, "large copy")
	check := func(c *minio.Client) {
		t.Helper()
		for mode, sse := range modes {
			for name, n := range sizes {
				opts := minio.GetObjectOptions{}
				if mode == "c" {
					opts.ServerSideEncryption = sse
				}
				o, err := c.GetObject(ctx, "bucket", mode+"/"+name, opts)
				if err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(o)
				if err != nil || !bytes.Equal(got, sealedContent(n)) {
					t.Errorf("%s/%s: %d bytes of %d, %v", mode, name, len(got), n, err)
				}
			}
		}
	}
	check(c)
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	secrets := []string{string(customerKey), base64.StdEncoding.EncodeToString(customerKey)}
	wantNowhere(t, dir, append(secrets, "unencryptedcontent")...)
	for _, s := range secrets {
		if strings.Contains(stdout.String()+stderr.String(), s) {
			t.Errorf("the server has printed the customer's key")
		}
	}
	if info, err := os.Stat(filepath.Join(dir, keysFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%s: %v, %v", keysFile, info, err)
	}
	p, _, _ = start(t, env, dir, "--certs-dir", certs)
	check(tlsClient(t, p))
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	if code := run([]string{"fsck", dir}, nil, &out, &errs); code != exitOK {
		t.Errorf("fsck: %d, %s%s", code, &out, &errs)
	}
}

// TestRootKey: with a key from outside nothing in the directory opens the objects, and the server does not start
// without it.
func TestRootKey(t *testing.T) {
	dir := t.TempDir()
	rootKey := base64.StdEncoding.EncodeToString([]byte("a root key of thirty-two bytes.."))
	env := environ{"OBJSRV_ROOT_PASSWORD": testPassword}
	ctx := t.Context()
	put := func(env environ, name string) {
		t.Helper()
		p, _, _ := start(t, env, dir)
		c := s3Client(t, p)
		if err := c.MakeBucket(ctx, "bucket", minio.MakeBucketOptions{}); err != nil && minio.ToErrorResponse(err).Code != "BucketAlreadyOwnedByYou" {
			t.Fatal(err)
		}
		if _, err := c.PutObject(ctx, "bucket", name, strings.NewReader(name), -1, minio.PutObjectOptions{ServerSideEncryption: encrypt.NewSSE()}); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"first", name} {
			o, err := c.GetObject(ctx, "bucket", key, minio.GetObjectOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(o); err != nil || string(got) != key {
				t.Errorf("%s: %q, %v", key, got, err)
			}
		}
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
	}
	put(env, "first")
	withRoot := environ{"OBJSRV_ROOT_PASSWORD": testPassword, "MINIO_KMS_SECRET_KEY": "mine:" + rootKey}
	put(withRoot, "second")
	put(withRoot, "third")
	wantNowhere(t, dir, rootKey)
	for name, env := range map[string]environ{"none": env, "another": {"OBJSRV_ROOT_PASSWORD": testPassword, "OBJSRV_KMS_SECRET_KEY": "mine:" + base64.StdEncoding.EncodeToString(make([]byte, 32))}} {
		p, _, _ := newProgram(t, env, dir)
		if err := p.Start(); err == nil || !strings.Contains(err.Error(), "OBJSRV_KMS_SECRET_KEY") {
			t.Errorf("%s: %v", name, err)
		}
		p.Close()
	}
}

// TestKeysLost: a read says what is missing, and damaged keys stop the start before anything is written.
func TestKeysLost(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	env := environ{"OBJSRV_ROOT_PASSWORD": testPassword, "OBJSRV_KMS_AUTO_ENCRYPTION": "on"}
	p, _, _ := start(t, env, dir)
	c := s3Client(t, p)
	if err := c.MakeBucket(ctx, "bucket", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.PutObject(ctx, "bucket", "k", strings.NewReader("x"), 1, minio.PutObjectOptions{}); err != nil {
		t.Fatal(err)
	}
	if o, err := c.StatObject(ctx, "bucket", "k", minio.StatObjectOptions{}); err != nil || o.Metadata.Get("X-Amz-Server-Side-Encryption") != "AES256" {
		t.Errorf("%v, %v", o.Metadata, err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, keysFile)
	if err := os.Rename(file, file+".kept"); err != nil {
		t.Fatal(err)
	}
	kept, err := os.ReadFile(file + ".kept")
	if err != nil {
		t.Fatal(err)
	}
	os.Remove(file + ".kept") // the store refuses a file that it does not know
	p, _, _ = start(t, env, dir)
	o, err := s3Client(t, p).GetObject(ctx, "bucket", "k", minio.GetObjectOptions{})
	if err == nil {
		_, err = io.ReadAll(o)
	}
	if e := minio.ToErrorResponse(err); e.Code != "InternalError" || !strings.Contains(e.Message, "objsrv-default") {
		t.Errorf("read without its key: %v", err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	for _, damaged := range []string{"", "{", string(kept[:len(kept)/2])} {
		if err := os.WriteFile(file, []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		p, _, _ := newProgram(t, env, dir)
		if err := p.Start(); err == nil || !strings.Contains(err.Error(), keysFile) {
			t.Errorf("damaged keys: %v", err)
		}
		p.Close()
	}
}

// TestGatewayHasNoKeys: what asks a gateway for encryption, or for keys, is refused, and nothing is stored.
func TestGatewayHasNoKeys(t *testing.T) {
	env := environ{"OBJSRV_ROOT_USER": "upstream", "OBJSRV_ROOT_PASSWORD": testPassword}
	up, _, _ := start(t, env, t.TempDir())
	p, _, _ := startGateway(t, env, "--iam-dir", t.TempDir(), "http://"+up.Addr().String())
	c, ctx := s3Client(t, p), t.Context()
	if err := c.MakeBucket(ctx, "bucket", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	_, err := c.PutObject(ctx, "bucket", "k", strings.NewReader("x"), 1, minio.PutObjectOptions{ServerSideEncryption: encrypt.NewSSE()})
	if e := minio.ToErrorResponse(err); e.Code != "NotImplemented" {
		t.Errorf("PUT with SSE-S3: %v", err)
	}
	if err := c.SetBucketEncryption(ctx, "bucket", sse.NewConfigurationSSES3()); minio.ToErrorResponse(err).Code != "NotImplemented" {
		t.Errorf("PutBucketEncryption: %v", err)
	}
	if _, err := c.StatObject(ctx, "bucket", "k", minio.StatObjectOptions{}); minio.ToErrorResponse(err).Code != "NoSuchKey" {
		t.Errorf("the object: %v", err)
	}
	for _, path := range []string{"/minio/kms/v1/status", "/minio/kms/v1/key/list?pattern=*", "/minio/kms/v1/key/status", "/-/api/v1/encryption-keys"} {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.Addr().String()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		signRequest(r, p.services.root, "us-east-1")
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != http.StatusNotImplemented {
			t.Errorf("%s: %d %s", path, resp.StatusCode, body)
		}
	}
}
