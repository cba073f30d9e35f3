package main

import (
	"net/http"
	"strings"
	"time"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/internal/httpd"
	"github.com/objsrv/objsrv/internal/metrics"
	"github.com/objsrv/objsrv/internal/reqlog"
)

// admitScrape takes a signed request, or one with the token that `mc admin prometheus generate` makes.
func (s *services) admitScrape(w http.ResponseWriter, r *http.Request) bool {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return s.admit(w, r, "admin:Prometheus")
	}
	if id := s.scraper(token); id != nil {
		reqlog.From(r.Context()).AccessKey, reqlog.From(r.Context()).Principal = id.AccessKey, id.ARN
		return s.allow(w, r, id, "admin:Prometheus")
	}
	reqlog.From(r.Context()).Code = "AccessDenied"
	httpd.Text(w, http.StatusForbidden, "access denied: the bearer token is not valid; `mc admin prometheus generate` makes one")
	return false
}

// scraper returns whose token this is, or nil. An unknown key takes as long as a wrong secret.
func (s *services) scraper(token string) *iam.Identity {
	b, err := metrics.ParseBearer(token)
	if err != nil {
		return nil
	}
	cred, err := s.iam.Credential(b.AccessKey, "")
	if !b.Verify(cred.Secret, time.Now()) || err != nil {
		return nil
	}
	return cred.Identity
}

// requestConditions answers the condition keys of a request that is none of S3.
func requestConditions(r *http.Request) reqlog.Conditions {
	return reqlog.Conditions{Event: reqlog.From(r.Context()), Referer: r.Referer()}
}
