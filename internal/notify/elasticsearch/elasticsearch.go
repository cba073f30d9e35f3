// Package elasticsearch sends events to an index of Elasticsearch or OpenSearch: a document for each object, or one for
// each event. It imports internal/notify. Settings and documents are MinIO's, the ids of documents this server's own;
// requests are those of the document API, which both have.
package elasticsearch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"github.com/objsrv/objsrv/internal/notify"
)

const callTimeout = 10 * time.Second

// Kind describes Elasticsearch.
func Kind() notify.Kind {
	return notify.Kind{Name: "elasticsearch", Variable: "ELASTICSEARCH", Secrets: []string{"PASSWORD"}, New: newTarget,
		Keys: []string{"URL", "INDEX", "FORMAT", "USERNAME", "PASSWORD", "CA_FILE", "CLIENT_CERT", "CLIENT_KEY"}}
}

// indexName is what may be one and stand in a path as it is.
var indexName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,254}$`)

type target struct {
	url            *url.URL
	index          string
	access         bool
	user, password string
	http           *http.Client
}

func newTarget(s *notify.Settings) (notify.Target, error) {
	t := &target{user: s.Get("USERNAME"), password: s.Get("PASSWORD")}
	var err error
	if t.url, err = s.URL("URL", "http", "https"); err != nil {
		return nil, err
	}
	if t.url.RawQuery != "" {
		return nil, errors.New("URL has a query")
	}
	if t.url.User != nil && t.user == "" {
		t.user = t.url.User.Username()
		t.password, _ = t.url.User.Password()
	}
	t.url.User = nil
	if t.index, err = s.Need("INDEX"); err != nil {
		return nil, err
	}
	if !indexName.MatchString(t.index) {
		return nil, fmt.Errorf("INDEX consists of small letters, digits and . _ -: %q", t.index)
	}
	format, err := s.OneOf("FORMAT", notify.Namespace, notify.Access)
	if err != nil {
		return nil, err
	}
	t.access = format == notify.Access
	tc, err := s.TLS("CA_FILE", "CLIENT_CERT", "CLIENT_KEY")
	if err != nil {
		return nil, err
	}
	t.http = &http.Client{Timeout: callTimeout,
		Transport:     &http.Transport{DialContext: s.Dial, TLSClientConfig: tc, TLSHandshakeTimeout: callTimeout / 2, MaxIdleConnsPerHost: 2, IdleConnTimeout: 30 * time.Second, MaxResponseHeaderBytes: 64 << 10},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return t, nil
}

// Send implements notify.Target.
func (t *target) Send(ctx context.Context, list []notify.Message) (int, error) {
	for i := range list {
		if err := t.send(ctx, &list[i]); err != nil {
			return i, err
		}
	}
	return len(list), nil
}

func (t *target) send(ctx context.Context, m *notify.Message) error {
	id := DocumentID(m.Key())
	if !t.access && m.Event.Name.Removes() {
		return t.do(ctx, http.MethodDelete, "/"+t.index+"/_doc/"+id, nil)
	}
	value, err := m.Value()
	switch {
	case err != nil:
		return err
	case t.access:
		return t.do(ctx, http.MethodPost, "/"+t.index+"/_doc", value)
	}
	return t.do(ctx, http.MethodPut, "/"+t.index+"/_doc/"+id, value)
}

// DocumentID is the id of the document of an object, BUCKET/KEY.
func DocumentID(key string) string {
	sum := sha256.Sum256([]byte(key))
	return base64.URLEncoding.EncodeToString(sum[:])
}

// do sends one request. What is deleted may be missing; a document that is refused will always be.
func (t *target) do(ctx context.Context, method, path string, body []byte) error {
	r, err := http.NewRequestWithContext(ctx, method, t.url.JoinPath(path).String(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if t.user != "" {
		r.SetBasicAuth(t.user, t.password)
	}
	resp, err := t.http.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 1024))
	_, _ = io.CopyN(io.Discard, resp.Body, 64<<10) // so that the connection can be used again
	switch {
	case resp.StatusCode >= 200 && resp.StatusCode <= 299, method == http.MethodDelete && resp.StatusCode == http.StatusNotFound:
		return nil
	case (resp.StatusCode == http.StatusBadRequest || resp.StatusCode == http.StatusRequestEntityTooLarge) && body != nil:
		return &notify.Refusal{Err: fmt.Errorf("it answered %s: %q", resp.Status, text)}
	}
	return fmt.Errorf("it answered %s: %q", resp.Status, text)
}

// Check implements notify.Target: it asks for the index, which need not be there.
func (t *target) Check(ctx context.Context) error {
	return t.do(ctx, http.MethodGet, "/_resolve/index/"+t.index, nil)
}

// Addresses implements notify.Target.
func (t *target) Addresses() []string {
	return []string{notify.HostPort(t.url.Host, map[string]string{"http": "80", "https": "443"}[t.url.Scheme])}
}

// Close implements notify.Target.
func (t *target) Close() error {
	t.http.CloseIdleConnections()
	return nil
}
