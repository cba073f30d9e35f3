package main

import (
	"context"
	"errors"
	"net/http"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/iam/adminapi"
	"github.com/objsrv/objsrv/s3api"
	"github.com/objsrv/objsrv/storage"
)

// bucketPolicyDoc names the policy among a bucket's documents, as package s3api stores it.
const bucketPolicyDoc = "policy"

// newAdminAPI returns the JSON face of administration, for requests signed with
// Signature Version 4 for service s3. It answers below adminapi.Prefix.
func newAdminAPI(s *services, h *host) http.Handler {
	return adminapi.Handler(adminapi.Config{
		Service: s.iam, Directory: s.testLDAP(), Tokens: s.testToken(), Encryption: s.encryption(), Migration: s.migrationFace(), Host: adminHost{h},
		Authenticate: func(r *http.Request) (*iam.Identity, error) {
			id, err := s.s3.Authenticate(r)
			var refused *s3api.Error
			if errors.As(err, &refused) && refused.Code != "InternalError" {
				return nil, &adminapi.Refusal{Status: http.StatusForbidden, Code: refused.Code, Message: refused.Message}
			}
			return id, err
		},
		BucketPolicy: func(ctx context.Context, bucket string) ([]byte, string, error) {
			b, err := s.backend.Bucket(ctx, bucket)
			if errors.Is(err, storage.ErrNoSuchBucket) {
				return nil, "", nil
			}
			if err != nil {
				return nil, "", err
			}
			return b.Docs[bucketPolicyDoc], b.Owner, nil
		},
	})
}
