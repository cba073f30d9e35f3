package adminapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"time"
)

// testKeys is an Encryption with one key, "team".
type testKeys struct{}

func (testKeys) Keys(context.Context) ([]EncryptionKey, error) {
	made := time.Unix(1_900_000_000, 0).UTC()
	return []EncryptionKey{{Name: "team", Default: true, Versions: 2, Created: &made, Rotated: &made}}, nil
}

func (testKeys) CreateKey(_ context.Context, name string) error {
	if name == "team" {
		return &Refusal{Status: http.StatusConflict, Code: "KeyExists", Message: "exists"}
	}
	return nil
}

func (testKeys) RotateKey(_ context.Context, name string) error {
	if name != "team" {
		return &Refusal{Status: http.StatusNotFound, Code: "NoSuchKey", Message: "none"}
	}
	return nil
}

func (testKeys) Reseal(_ context.Context, in Reseal) (Resealed, error) {
	switch in.Bucket {
	case "":
		return Resealed{Looked: 3, Resealed: 1, Next: &Reseal{Bucket: "b", Key: "k", VersionID: "v"}}, nil
	case "broken":
		return Resealed{}, errors.New("secret detail")
	}
	return Resealed{Looked: 1}, nil
}

func TestEncryption(t *testing.T) {
	s := newServer(t)
	var keys EncryptionKeys
	w := s.send(root, "GET", "encryption-keys", "")
	if err := json.Unmarshal(w.Body.Bytes(), &keys); err != nil || len(keys.Keys) != 1 || keys.Keys[0].Name != "team" || keys.Keys[0].Versions != 2 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	var page Resealed
	w = s.send(root, "POST", "encryption/reseal", "{}")
	if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || page.Looked != 3 || page.Resealed != 1 || page.Next == nil || *page.Next != (Reseal{"b", "k", "v"}) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	wantError(t, s.send(root, "PUT", "encryption-keys/team", ""), "KeyExists")
	wantError(t, s.send(root, "POST", "encryption-keys/other/rotate", ""), "NoSuchKey")
	wantError(t, s.send(root, "POST", "encryption/reseal", `{"bucket":"broken"}`), "InternalError")
}
