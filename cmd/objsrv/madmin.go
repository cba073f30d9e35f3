package main

import (
	"errors"
	"net/http"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/iam/madmin"
	"github.com/objsrv/objsrv/s3api"
)

// newMadmin returns MinIO's admin API over the services. It answers below madmin.Root.
func newMadmin(s *services, h *host) http.Handler {
	return madmin.Handler(madmin.Config{
		IAM:  s.iam,
		Root: s.root.User,
		Host: h,
		Authenticate: func(r *http.Request) (iam.Credential, error) {
			cred, err := s.s3.AuthenticateKey(r)
			var refused *s3api.Error
			if errors.As(err, &refused) && refused.Code != "InternalError" {
				err = &madmin.Refusal{Status: http.StatusForbidden, Code: refused.Code, Message: refused.Message}
			}
			return cred, err
		},
	})
}
