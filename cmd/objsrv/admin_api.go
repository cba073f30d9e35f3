package main

import (
	"errors"
	"net/http"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/iam/adminapi"
	"github.com/objsrv/objsrv/s3api"
)

// newAdminAPI returns the JSON face of identity management, for requests signed with
// Signature Version 4 for service s3. It answers below adminapi.Prefix.
func newAdminAPI(s3 *s3api.Server, svc *iam.Service) http.Handler {
	return adminapi.Handler(svc, func(r *http.Request) (*iam.Identity, error) {
		id, err := s3.Authenticate(r)
		var refused *s3api.Error
		if errors.As(err, &refused) && refused.Code != "InternalError" {
			return nil, &adminapi.Refusal{Status: http.StatusForbidden, Code: refused.Code, Message: refused.Message}
		}
		return id, err
	})
}
