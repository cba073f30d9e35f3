package madmin

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/objsrv/objsrv/iam"
)

// DefaultKey implements Keys.
func (h *testHost) DefaultKey() string { return "default" }

// EncryptionKeys implements Keys.
func (h *testHost) EncryptionKeys(context.Context) ([]EncryptionKey, error) { return h.keys, nil }

// CreateEncryptionKey implements Keys.
func (h *testHost) CreateEncryptionKey(_ context.Context, name string) error {
	if slices.ContainsFunc(h.keys, func(k EncryptionKey) bool { return k.Name == name }) {
		return &Refusal{http.StatusConflict, "XMinioKMSKeyAlreadyExists", "exists"}
	}
	h.keys = append(h.keys, EncryptionKey{Name: name, Created: time.Unix(1_900_000_000, 0).UTC()})
	return nil
}

// TryEncryptionKey implements Keys.
func (h *testHost) TryEncryptionKey(_ context.Context, name string) (encrypt, decrypt error) {
	switch name {
	case "default":
		return nil, nil
	case "half":
		return nil, errors.New("does not decrypt")
	}
	return errors.New("does not exist"), nil
}

// kms sends a request below kms/v1/.
func (s *server) kms(as, method, path string) (int, string) {
	r := httptest.NewRequest(method, Root+"kms/v1/"+path, nil)
	r.Header.Set("X-Test-User", as)
	w := httptest.NewRecorder()
	s.h.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// TestKMS answers as MinIO does with a key of its own, which `mc admin kms key` was seen to read.
func TestKMS(t *testing.T) {
	s, host := newHostServer(t)
	for _, row := range []struct {
		method, path string
		status       int
		body         string
	}{
		{get, "status", 200, `{"name":"objsrv builtin","default-key-id":"default","endpoints":{"127.0.0.1:9000":"online"}}`},
		{get, "version", 200, `{"version":"v1"}`},
		{get, "key/list?pattern=*", 200, `[]`},
		{post, "key/create?key-id=team-a", 200, ``},
		{post, "key/create?key-id=team-a", 409, `XMinioKMSKeyAlreadyExists`},
		{post, "key/create?key-id=other", 200, ``},
		{get, "key/list?pattern=*", 200, `[{"createdAt":"2030-03-17T17:46:40Z","createdBy":"","name":"team-a"},{"createdAt":"2030-03-17T17:46:40Z","createdBy":"","name":"other"}]`},
		{get, "key/list?pattern=team-*", 200, `[{"createdAt":"2030-03-17T17:46:40Z","createdBy":"","name":"team-a"}]`},
		{get, "key/list?pattern=[", 400, `malformed`},
		{get, "key/status", 200, `{"key-id":"default"}`},
		{get, "key/status?key-id=", 200, `{"key-id":"default"}`},
		{get, "key/status?key-id=none", 200, `{"key-id":"none","encryption-error":"does not exist"}`},
		{get, "key/status?key-id=half", 200, `{"key-id":"half","decryption-error":"does not decrypt"}`},
		{get, "key/status?key-id=a&key-id=b", 400, `repeated`},
		{get, "metrics", 501, `KMSMetrics`}, {get, "apis", 501, `KMSAPIs`},
	} {
		if status, body := s.kms("objroot", row.method, row.path); status != row.status || !strings.Contains(body, row.body) || row.body == "" && body != "" {
			t.Errorf("%s %s: %d %s", row.method, row.path, status, body)
		}
	}
	s.want(request{as: "objroot", method: post, path: "kms/status"}, 200, "default-key-id")
	s.want(request{as: "objroot", method: post, path: "kms/key/create", query: "key-id=old"}, 200, "")
	s.want(request{as: "objroot", method: get, path: "kms/key/status", query: "key-id=default"}, 200, `{"key-id":"default"}`)
	if len(host.keys) != 3 {
		t.Errorf("keys: %v", host.keys)
	}
}

// TestKMSResources: a policy of keys counts for the key that is named.
func TestKMSResources(t *testing.T) {
	s, host := newHostServer(t)
	host.keys = []EncryptionKey{{Name: "other"}, {Name: "team-b"}}
	doc := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["kms:CreateKey","kms:KeyStatus","kms:ListKeys"],"Resource":["arn:minio:kms:::team-*"]}]}`
	if _, err := s.svc.SetPolicy(t.Context(), "team", []byte(doc)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.svc.CreateUser(t.Context(), iam.NewUser{Name: "ann", Secret: secret, Policies: []string{"team"}}); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{"POST key/create?key-id=team-a": 200, "POST key/create?key-id=other": 403, "GET key/status?key-id=team-a": 200,
		"GET key/status?key-id=other": 403, "GET key/status": 403, "GET status": 403} {
		method, path, _ := strings.Cut(path, " ")
		if status, body := s.kms("ann", method, path); status != want {
			t.Errorf("%s %s: %d %s", method, path, status, body)
		}
	}
	if _, body := s.kms("ann", get, "key/list?pattern=*"); !strings.Contains(body, "team-b") || strings.Contains(body, "other") {
		t.Errorf("listed: %s", body)
	}
}
