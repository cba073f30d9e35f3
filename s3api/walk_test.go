package s3api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7/pkg/signer"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/storage"
)

// tripwire is a backend on which everything but looking up the bucket panics. Buckets are looked up
// by name, or in turn for a user who may list some of them.
type tripwire struct {
	storage.Backend
	bucket storage.Bucket
}

func (tw *tripwire) Bucket(_ context.Context, name string) (*storage.Bucket, error) {
	if name != tw.bucket.Name {
		return nil, storage.ErrNoSuchBucket
	}
	return &tw.bucket, nil
}

func (tw *tripwire) ListBuckets(context.Context, string, string, int) ([]*storage.Bucket, bool, error) {
	return []*storage.Bucket{&tw.bucket}, false, nil
}

// strangerIAM knows one user, who may do nothing.
type strangerIAM struct{}

func (strangerIAM) Credential(accessKey, _ string) (iam.Credential, error) {
	if accessKey != "STRANGER" {
		return iam.Credential{}, iam.ErrNoSuchKey
	}
	return iam.Credential{AccessKey: accessKey, Secret: "strangersecret",
		Identity: &iam.Identity{Account: "000000000001", ID: "AIDASTRANGER", Name: "stranger", AccessKey: accessKey}}, nil
}

func (strangerIAM) Authorize(*iam.Request) iam.Decision { return iam.Decision{} }

func (strangerIAM) CanonicalAccount(string) (string, bool) { return "", false }

func (strangerIAM) PrincipalID(string) (string, bool) { return "", false }

func (strangerIAM) Refuse(iam.Refusal) {}

func (strangerIAM) Renewed(id *iam.Identity) (*iam.Identity, error) { return id, nil }

func (strangerIAM) PublicAccess(string) (iam.PublicAccess, bool) {
	panic("a stranger has come to settings")
}

func (strangerIAM) SetPublicAccess(context.Context, string, *iam.PublicAccess) error {
	panic("a stranger has come to settings")
}

func (strangerIAM) PrincipalARN(string) (string, bool) { return "", false }

// walkRequest builds a plausible request for a row.
func walkRequest(t *testing.T, o *op) *http.Request {
	t.Helper()
	path := map[level]string{serviceLevel: "/", accountLevel: controlPath, bucketLevel: "/walked", objectLevel: "/walked/a/key"}[o.level]
	var query []string
	switch o.sub {
	case "":
	case "list-type", "select":
		query = append(query, o.sub+"=2")
	case "uploadId":
		query = append(query, "uploadId=0123456789abcdef", "partNumber=1")
	default:
		query = append(query, o.sub+"=")
	}
	if o.param != "" {
		query = append(query, o.param+"=x")
	}
	if o.name != "UploadPart" && o.name != "UploadPartCopy" {
		query = remove(query, "partNumber=1")
	}
	body, contentType := []byte("<X/>"), ""
	switch o.name {
	case "DeleteObjects":
		body = []byte("<Delete><Object><Key>k</Key></Object></Delete>")
	case "PostObject":
		body, contentType = walkForm(t)
	}
	if o.method == "GET" || o.method == "HEAD" || o.method == "DELETE" || o.method == "OPTIONS" {
		body = nil
	}
	r := httptest.NewRequest(o.method, "http://s3.test"+path+"?"+strings.Join(query, "&"), bytes.NewReader(body))
	if o.header != "" {
		r.Header.Set(o.header, "/walked/source")
	}
	if o.level == accountLevel {
		r.Header.Set(accountHeader, "000000000001")
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	if o.method == "OPTIONS" {
		r.Header.Set("Origin", "https://elsewhere.test")
		r.Header.Set("Access-Control-Request-Method", "GET")
	}
	if o.name == "DeleteObjects" {
		r.Header.Set("X-Amz-Checksum-Sha256", b64sha256(body))
	}
	sum := sha256.Sum256(body)
	r.Header.Set("X-Amz-Content-Sha256", hex.EncodeToString(sum[:]))
	return r
}

func signV2(key, secret string) func(*http.Request) *http.Request {
	return func(r *http.Request) *http.Request {
		r.Header.Del("X-Amz-Content-Sha256")
		return signer.SignV2(*r, key, secret, false)
	}
}

func remove(list []string, v string) []string {
	var out []string
	for _, s := range list {
		if s != v {
			out = append(out, s)
		}
	}
	return out
}

func walkForm(t *testing.T) ([]byte, string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	w.WriteField("key", "k")
	f, err := w.CreateFormFile("file", "f")
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(f, "content")
	w.Close()
	return b.Bytes(), w.FormDataContentType()
}

// TestWalkAsStranger sends every operation of the table as somebody who may do nothing:
// the answer is 403 and the backend is not touched, also for what is not implemented.
func TestWalkAsStranger(t *testing.T) {
	walkAsStranger(t, &tripwire{bucket: storage.Bucket{Name: "walked", Owner: "000000000001"}})
}

func walkAsStranger(t *testing.T, backend storage.Backend) {
	s := New(Config{IAM: strangerIAM{}, Backend: backend, SigV2: true})
	sign := func(secret string) func(*http.Request) *http.Request {
		return func(r *http.Request) *http.Request {
			return signer.SignV4(*r, "STRANGER", secret, "", "us-east-1")
		}
	}
	strangers := []struct {
		name  string
		codes []string
		sign  func(*http.Request) *http.Request
	}{
		{"anonymous", []string{"AccessDenied", "AccessForbidden"}, func(r *http.Request) *http.Request {
			r.Header.Del("X-Amz-Content-Sha256")
			return r
		}},
		{"without policy", []string{"AccessDenied", "AccessForbidden"}, sign("strangersecret")},
		{"wrong signature", []string{"SignatureDoesNotMatch"}, sign("othersecret")},
		{"unknown key", []string{"InvalidAccessKeyId"}, func(r *http.Request) *http.Request {
			return signer.SignV4(*r, "NOBODY", "strangersecret", "", "us-east-1")
		}},
		// Version 2 refuses what it does not sign before it looks at the signature; minio-go signs fewer sub-resources.
		{"without policy, version 2", []string{"AccessDenied", "AccessForbidden", "SignatureDoesNotMatch"}, signV2("STRANGER", "strangersecret")},
		{"wrong signature, version 2", []string{"SignatureDoesNotMatch", "AccessDenied"}, signV2("STRANGER", "othersecret")},
		{"unknown key, version 2", []string{"InvalidAccessKeyId", "AccessDenied"}, signV2("NOBODY", "strangersecret")},
	}
	for _, o := range operations() {
		for _, who := range strangers {
			t.Run(fmt.Sprintf("%s/%s", o.name, who.name), func(t *testing.T) {
				r := who.sign(walkRequest(t, &o))
				w := httptest.NewRecorder()
				s.ServeHTTP(w, r)
				body := w.Body.String()
				if o.name == "DeleteObjects" && strings.HasPrefix(who.name, "without policy") {
					if w.Code != 200 || !strings.Contains(body, "<Code>AccessDenied</Code>") || strings.Contains(body, "<Deleted>") {
						t.Fatalf("DeleteObjects answers each key with AccessDenied, got %d %s", w.Code, body)
					}
					return
				}
				if w.Code != http.StatusForbidden {
					t.Fatalf("status %d, want 403: %s", w.Code, body)
				}
				codes := who.codes
				if o.sub == "" {
					codes = codes[:min(len(codes), 2)]
				}
				if o.action == noAction {
					codes = []string{"AccessForbidden"} // it is never asked who it is
				}
				if r.Method == http.MethodHead {
					if got := w.Header().Get("X-Minio-Error-Code"); !slices.Contains(codes, got) || w.Header().Get("X-Minio-Error-Desc") == "" {
						t.Errorf("the header's code %q is none of %v", got, codes)
					}
					return
				}
				for _, c := range codes {
					if strings.Contains(body, "<Code>"+c+"</Code>") {
						return
					}
				}
				t.Errorf("code is none of %v: %s", codes, body)
			})
		}
	}
}
