package webui

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/iam/adminapi"
	"github.com/objsrv/objsrv/sigv4"
)

// shareRequest is the body of POST share.
type shareRequest struct {
	Bucket    string `json:"bucket"`
	Key       string `json:"key"`
	VersionID string `json:"versionId"` // "" for whatever is the newest
	ExpiresIn int64  `json:"expiresIn"` // seconds
	Download  bool   `json:"download"`  // else browsers show what they can
}

// shared is a link for whoever has it. It is good while its access key is there and its user may read the
// object.
type shared struct {
	URL       string    `json:"url"`
	AccessKey string    `json:"accessKey"`
	Expires   time.Time `json:"expires"`
}

// maxShare is how long S3 lets a presigned URL live.
const maxShare = 7 * 24 * time.Hour

// shareName begins the names of access keys that stand behind links.
const shareName = "share: "

// share makes a link to one object. A session's own signature would end with the session and could not be taken
// back alone: the link has an access key of its own, which may read this object and nothing else, ends with its
// user, and is seen and revoked among the user's access keys.
func (v *visit) share() error {
	s, err := v.identify()
	if err != nil {
		return err
	}
	var in shareRequest
	if err := v.read(&in); err != nil {
		return err
	}
	life := time.Duration(in.ExpiresIn) * time.Second
	if in.ExpiresIn < 1 || in.ExpiresIn > int64(maxShare/time.Second) {
		return badRequest("expiresIn is a number of seconds, from 1 to 604800.")
	}
	if s.cred.Identity.Restricted() {
		return &refusal{http.StatusForbidden, "AccessDenied", "The credential that you have logged in with has a policy of its own, and can't make access keys, which links need. Log in as the user."}
	}
	if err := v.mayShare(s, &in); err != nil {
		return err
	}
	if err := v.dropExpired(s); err != nil {
		return err
	}
	now := v.Now()
	key, err := v.shareKey(s, &in, now.Add(life))
	if err != nil {
		return err
	}
	link, err := url.Parse(v.s3URL())
	if err != nil {
		return fmt.Errorf("share: %w", err)
	}
	link.Path = "/" + in.Bucket + "/" + in.Key
	link.RawQuery = in.query().Encode()
	signer := sigv4.Signer{AccessKey: key.AccessKey.AccessKey, Secret: key.Secret, Region: v.Region, Service: "s3"}
	signer.Presign(&http.Request{Method: http.MethodGet, URL: link, Host: link.Host, Header: http.Header{}}, life, now)
	return v.reply(http.StatusOK, shared{link.String(), key.AccessKey.AccessKey, now.Add(life).UTC().Truncate(time.Second)})
}

// query is what the link asks for beside the object.
func (in *shareRequest) query() url.Values {
	q := url.Values{}
	if in.VersionID != "" {
		q.Set("versionId", in.VersionID)
	}
	if in.Download {
		q.Set("response-content-disposition", "attachment")
	}
	return q
}

// mayShare refuses an object that is not there for the session, so that nobody hands a link on which opens nothing.
func (v *visit) mayShare(s *session, in *shareRequest) error {
	if in.Bucket == "" || strings.Contains(in.Bucket, "/") || in.Key == "" {
		return badRequest("A bucket and a key are needed.")
	}
	q := in.query()
	q.Del("response-content-disposition")
	a := newAnswer()
	v.ask(s, v.S3, a, http.MethodHead, "/"+in.Bucket+"/"+in.Key, q, nil)
	switch {
	case a.status == http.StatusOK:
		return nil
	case a.status == http.StatusForbidden:
		return &refusal{http.StatusForbidden, "AccessDenied", "You may not read this object, so there is nothing to share."}
	case a.status < http.StatusInternalServerError:
		return &refusal{http.StatusNotFound, "NoSuchKey", "The object or this version of it does not exist."}
	}
	return &refusal{a.status, "ServiceUnavailable", "The object can't be read now. Try again."}
}

// dropExpired removes the user's keys of links that are over, so that they don't pile up.
func (v *visit) dropExpired(s *session) error {
	for _, k := range v.IAM.AccessKeys(s.cred.Identity.Name) {
		if k.Own || !strings.HasPrefix(k.Name, shareName) || k.Expires == nil || v.Now().Before(*k.Expires) {
			continue
		}
		if err := v.IAM.DeleteAccessKey(v.r.Context(), k.AccessKey); err != nil && !errors.Is(err, iam.ErrNoSuchKey) {
			return err
		}
	}
	return nil
}

// shareKey asks the administration for the key, as any client of the user's would.
func (v *visit) shareKey(s *session, in *shareRequest, expires time.Time) (key adminapi.CreatedKey, err error) {
	action := "s3:GetObject"
	if in.VersionID != "" {
		action = "s3:GetObjectVersion"
	}
	type statement struct{ Effect, Action, Resource string }
	policy, err := json.Marshal(struct {
		Version   string
		Statement []statement
	}{"2012-10-17", []statement{{"Allow", action, "arn:aws:s3:::" + literal(in.Bucket+"/"+in.Key)}}})
	if err != nil {
		return key, err
	}
	body, err := json.Marshal(adminapi.CreateKey{
		Name: label(shareName+in.Bucket+"/"+in.Key, iam.MaxKeyName), Description: label(in.Bucket+"/"+in.Key, iam.MaxKeyDescription),
		Policy: policy, Expires: expires.UTC().Format(time.RFC3339Nano),
	})
	if err != nil {
		return key, err
	}
	a := newAnswer()
	v.ask(s, v.Admin, a, http.MethodPost, v.AdminPrefix+"keys", nil, body)
	if a.status != http.StatusCreated {
		var e adminapi.Error
		if err := json.Unmarshal(a.body.Bytes(), &e); err != nil {
			return key, fmt.Errorf("make an access key for a link: %w", err)
		}
		return key, &refusal{a.status, e.Code, "The link's access key can't be made: " + e.Message}
	}
	if err := json.Unmarshal(a.body.Bytes(), &key); err != nil {
		return key, fmt.Errorf("read the access key of a link: %w", err)
	}
	return key, nil
}

// literal writes a key so that policies match nothing else (IAM user guide, "Policy elements: variables", special
// characters).
func literal(key string) string {
	return strings.NewReplacer("*", "${*}", "?", "${?}", "$", "${$}").Replace(key)
}

// label shortens a name to n characters that can be shown.
func label(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
	if runes := []rune(s); len(runes) > n {
		return string(runes[:n-3]) + "..."
	}
	return s
}
