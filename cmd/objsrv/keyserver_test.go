package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/encrypt"

	"github.com/objsrv/objsrv/iam/adminapi"
	"github.com/objsrv/objsrv/internal/transit"
)

// transitServer speaks as much of Vault's transit engine as objects need, for one key, and can be out of order.
type transitServer struct {
	*httptest.Server
	latest  atomic.Int64 // version of the key
	trouble atomic.Value // string: "" for none
	ended   chan struct{}
}

func newTransitServer(t *testing.T) *transitServer {
	s := &transitServer{ended: make(chan struct{})}
	s.latest.Store(1)
	s.trouble.Store("")
	s.Server = httptest.NewServer(s)
	t.Cleanup(func() { close(s.ended); s.Close() })
	return s
}

// ServeHTTP implements http.Handler.
func (s *transitServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	wait := func() {
		select {
		case <-r.Context().Done():
		case <-s.ended:
		}
	}
	var in struct {
		Plaintext, Ciphertext string
		Data                  string `json:"associated_data"`
	}
	json.NewDecoder(r.Body).Decode(&in) // requests without a body have none of these
	switch s.trouble.Load() {
	case "silent":
		wait()
		return
	case "stops speaking":
		w.Header().Set("Content-Length", "100")
		io.WriteString(w, `{"data":`)
		w.(http.Flusher).Flush()
		wait()
		return
	case "sealed":
		w.WriteHeader(http.StatusServiceUnavailable)
		io.WriteString(w, `{"errors":["Vault is sealed"]}`)
		return
	}
	data := map[string]any{}
	switch op := strings.TrimPrefix(r.URL.Path, "/v1/"); op {
	case "auth/token/lookup-self":
	case "transit/keys/objects":
		data["type"], data["latest_version"] = "aes256-gcm96", s.latest.Load()
	case "transit/keys/objects/rotate":
		s.latest.Add(1)
	case "transit/encrypt/objects":
		data["ciphertext"] = fmt.Sprintf("vault:v%d:%s:%s", s.latest.Load(), in.Data, in.Plaintext)
	case "transit/decrypt/objects":
		parts := strings.Split(in.Ciphertext, ":")
		if len(parts) != 4 || parts[2] != in.Data {
			w.WriteHeader(http.StatusBadRequest)
			io.WriteString(w, `{"errors":["cipher: message authentication failed"]}`)
			return
		}
		data["plaintext"] = parts[3]
	default:
		w.WriteHeader(http.StatusNotFound)
	}
	json.NewEncoder(w).Encode(map[string]any{"data": data})
}

// TestKeyServerTrouble has a key server that is sealed, silent, or falls silent in the middle of an answer. What needs its
// keys ends in 503 before long, with a message that says why, and has written nothing; what needs none goes on.
func TestKeyServerTrouble(t *testing.T) {
	remote, ctx := newTransitServer(t), t.Context()
	p, _, _ := newProgram(t, environ{"OBJSRV_ROOT_PASSWORD": testPassword}, t.TempDir())
	p.Config.Vault = vaultConfig{Options: transit.Options{Endpoint: remote.URL, Key: "objects", Token: "t", Timeout: 3 * time.Second}}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	root := p.services.root
	c, err := minio.New(p.Addr().String(), &minio.Options{Creds: credentials.NewStaticV4(root.User, root.Password, ""), Region: p.Config.Region, MaxRetries: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.MakeBucket(ctx, "bucket", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	content := sealedContent(200_000)
	put := func(name string, sse encrypt.ServerSide) error {
		_, err := c.PutObject(ctx, "bucket", name, bytes.NewReader(content), int64(len(content)), minio.PutObjectOptions{ServerSideEncryption: sse})
		return err
	}
	get := func(name string) error {
		o, err := c.GetObject(ctx, "bucket", name, minio.GetObjectOptions{})
		if err != nil {
			return err
		}
		got, err := io.ReadAll(o)
		if err == nil && !bytes.Equal(got, content) {
			err = fmt.Errorf("%d bytes of something else", len(got))
		}
		return err
	}
	for name, sse := range map[string]encrypt.ServerSide{"plain": nil, "sealed": encrypt.NewSSE()} {
		if err := errors.Join(put(name, sse), get(name)); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	admin := p.services.encryption()
	if err := admin.RotateKey(ctx, "objects"); err != nil {
		t.Fatal(err)
	}
	needsKeys := map[string]func() error{
		"put": func() error { return put("new", encrypt.NewSSE()) },
		"get": func() error { return get("sealed") },
		"upload": func() error {
			_, err := minio.Core{Client: c}.NewMultipartUpload(ctx, "bucket", "new", minio.PutObjectOptions{ServerSideEncryption: encrypt.NewSSE()})
			return err
		},
		"copy": func() error {
			_, err := c.CopyObject(ctx, minio.CopyDestOptions{Bucket: "bucket", Object: "new", Encryption: encrypt.NewSSE()}, minio.CopySrcOptions{Bucket: "bucket", Object: "plain"})
			return err
		},
		"copy of": func() error {
			_, err := c.CopyObject(ctx, minio.CopyDestOptions{Bucket: "bucket", Object: "new"}, minio.CopySrcOptions{Bucket: "bucket", Object: "sealed"})
			return err
		},
		"rotate": func() error { return admin.RotateKey(ctx, "objects") },
		"reseal": func() error { _, err := admin.Reseal(ctx, adminapi.Reseal{}); return err },
		"list":   func() error { _, err := admin.Keys(ctx); return err },
	}
	for _, trouble := range []string{"sealed", "silent", "stops speaking"} {
		remote.trouble.Store(trouble)
		var all sync.WaitGroup
		begun := time.Now()
		for what, do := range needsKeys {
			all.Go(func() {
				err := do()
				var refused *adminapi.Refusal
				e := minio.ToErrorResponse(err)
				if errors.As(err, &refused) {
					e.StatusCode, e.Code, e.Message = refused.Status, refused.Code, refused.Message
				}
				if e.StatusCode != http.StatusServiceUnavailable || e.Code != "ServiceUnavailable" || !strings.Contains(e.Message, "can't be asked") {
					t.Errorf("%s, %s: %v", trouble, what, err)
				}
			})
		}
		if err := errors.Join(put("plain", nil), get("plain")); err != nil {
			t.Errorf("%s: a plain object: %v", trouble, err)
		}
		all.Wait()
		if d := time.Since(begun); d > time.Minute {
			t.Errorf("%s: that took %v", trouble, d)
		}
		remote.trouble.Store("")
		if _, err := c.StatObject(ctx, "bucket", "new", minio.StatObjectOptions{}); minio.ToErrorResponse(err).StatusCode != http.StatusNotFound {
			t.Errorf("%s: something was written: %v", trouble, err)
		}
		if err := get("sealed"); err != nil {
			t.Errorf("after %s: %v", trouble, err)
		}
	}
	if n := remote.latest.Load(); n != 2 {
		t.Errorf("the key has %d versions", n)
	}
	page, err := admin.Reseal(ctx, adminapi.Reseal{})
	if err != nil || page.Looked != 2 || page.Resealed != 1 || page.Failed != 0 {
		t.Errorf("%+v, %v", page, err)
	}
	if err := get("sealed"); err != nil {
		t.Error(err)
	}
}
