package s3api

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/objsrv/objsrv/internal/keyring"
	"github.com/objsrv/objsrv/storage"
	"github.com/objsrv/objsrv/storage/mem"
)

// newSealedEnv is newEnv over TLS with keys: the default one and "second". configure, when given, has the last word.
func newSealedEnv(t testing.TB, configure ...func(*Config)) *env {
	t.Helper()
	ring, err := keyring.Open(keyring.Options{Save: func([]byte) error { return nil }})
	if err == nil {
		err = ring.Create(t.Context(), "second")
	}
	if err != nil {
		t.Fatal(err)
	}
	e := &env{t: t, iam: &fakeIAM{}, now: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)}
	clock := func() time.Time { return e.now }
	c := Config{Backend: mem.New(mem.Options{Now: clock}), IAM: e.iam, Now: clock, Keys: ring}
	for _, f := range configure {
		f(&c)
	}
	e.s = New(c)
	e.srv = httptest.NewTLSServer(e.s)
	e.srv.Client().Transport.(*http.Transport).DisableCompression = true
	t.Cleanup(e.srv.Close)
	e.bucket("bkt", storage.VersioningUnset)
	return e
}

// withCustomer gives the headers of SSE-C with a key made of one byte.
func withCustomer(fill byte) []string { return customerLines("X-Amz-", fill) }

// fromCustomer gives those for the source of a copy.
func fromCustomer(fill byte) []string { return customerLines("X-Amz-Copy-Source-", fill) }

func customerLines(prefix string, fill byte) []string {
	key := bytes.Repeat([]byte{fill}, 32)
	sum := md5.Sum(key)
	return []string{prefix + "Server-Side-Encryption-Customer-Algorithm: AES256",
		prefix + "Server-Side-Encryption-Customer-Key: " + base64.StdEncoding.EncodeToString(key),
		prefix + "Server-Side-Encryption-Customer-Key-MD5: " + base64.StdEncoding.EncodeToString(sum[:])}
}

// sseMode is a way to keep an object: the headers of the write, and those of a read, and of a copy's source.
type sseMode struct {
	name                string
	write, read, source []string
	told                string // X-Amz-Server-Side-Encryption of the answers
	md5                 bool   // the ETag is the content's MD5
}

func sseModes() []sseMode {
	return []sseMode{
		{name: "plain", md5: true},
		{name: "s3", write: []string{"X-Amz-Server-Side-Encryption: AES256"}, told: "AES256", md5: true},
		{name: "kms", write: []string{"X-Amz-Server-Side-Encryption: aws:kms"}, told: "aws:kms"},
		{name: "kms second", write: []string{"X-Amz-Server-Side-Encryption: aws:kms", "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id: second",
			"X-Amz-Server-Side-Encryption-Context: eyJhIjoiYiJ9"}, told: "aws:kms"},
		{name: "c", write: withCustomer(1), read: withCustomer(1), source: fromCustomer(1)},
		{name: "c another", write: withCustomer(2), read: withCustomer(2), source: fromCustomer(2)},
	}
}

// content is what the store holds of a key, as it lies there.
func (e *env) content(key string) []byte {
	e.t.Helper()
	_, c, err := e.s.Backend.GetObject(e.t.Context(), storage.Ref{Bucket: "bkt", Key: key})
	if err != nil {
		e.t.Fatal(err)
	}
	defer c.Close()
	b, ok := c.Bytes()
	if !ok {
		var buf bytes.Buffer
		o, err := e.s.Backend.StatObject(e.t.Context(), storage.Ref{Bucket: "bkt", Key: key})
		if err == nil {
			_, err = buf.ReadFrom(c.Range(0, o.Length()))
		}
		if err != nil {
			e.t.Fatal(err)
		}
		b = buf.Bytes()
	}
	return bytes.Clone(b)
}
