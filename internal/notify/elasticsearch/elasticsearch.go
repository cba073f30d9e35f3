// Package elasticsearch sends events to an index of Elasticsearch or OpenSearch: a document for each object, or one for
// each event. It imports internal/notify. Settings and documents are MinIO's, the ids of documents this server's own;
// requests are those of the document API, which both have.
package elasticsearch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/objsrv/objsrv/internal/notify"
)

const (
	callTimeout   = 25 * time.Second // of a bulk, on a server that is busy
	longestAnswer = 4 << 20
)

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
	prepared       bool // the index is there
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
		Transport:     &http.Transport{DialContext: s.Dial, TLSClientConfig: tc, TLSHandshakeTimeout: callTimeout / 5, MaxIdleConnsPerHost: 2, IdleConnTimeout: 30 * time.Second, MaxResponseHeaderBytes: 64 << 10},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return t, nil
}

// Send implements notify.Target.
func (t *target) Send(ctx context.Context, list []notify.Message) (n int, err error) {
	defer func() { t.prepared = t.prepared && err == nil }()
	if err := t.prepare(ctx); err != nil {
		return 0, err
	}
	n, err = t.bulk(ctx, list)
	if a := (*answered)(nil); !errors.As(err, &a) || !a.ofDocument() {
		return n, err
	}
	for ; n < len(list); n++ { // one of them is to blame, or the size of all together
		_, err := t.bulk(ctx, list[n:n+1])
		if a := (*answered)(nil); errors.As(err, &a) && a.ofDocument() {
			return n, &notify.Refusal{Err: err}
		} else if err != nil {
			return n, err
		}
	}
	return n, nil
}

// DocumentID is the id of the document of an object, BUCKET/KEY, when there is one for each object.
func DocumentID(key string) string {
	sum := sha256.Sum256([]byte(key))
	return base64.URLEncoding.EncodeToString(sum[:])
}

// answered is an answer that is no success.
type answered struct {
	code   int
	status string
	failure
}

// failure is the error in an answer.
type failure struct {
	Kind   string `json:"type"`
	Reason string `json:"reason"`
	Cause  struct {
		Reason string `json:"reason"`
	} `json:"caused_by"`
}

// Error implements error.
func (a *answered) Error() string {
	text := "it answered " + a.status
	for _, s := range []string{a.Kind, a.Reason, a.Cause.Reason} {
		if s != "" {
			text += ": " + s
		}
	}
	return text
}

// ofDocument tells whether a document is to blame: it is too large, or does not go with how others are indexed. What is
// said of the index itself would meet all of them, such as that an alias leads nowhere.
func (a *answered) ofDocument() bool {
	switch {
	case a.code == http.StatusRequestEntityTooLarge:
		return true
	case a.code != http.StatusBadRequest || a.Kind == "validation_exception":
		return false
	case a.Kind == "illegal_argument_exception":
		return !strings.HasPrefix(a.Reason, "no write index") && !strings.HasPrefix(a.Reason, "pipeline with id")
	}
	return true
}

// do sends one request, and reads the answer to a success into out unless that is nil. An answer that is no success is an
// error, *answered.
func (t *target) do(ctx context.Context, method, path string, body []byte, out any) error {
	r, err := http.NewRequestWithContext(ctx, method, t.url.JoinPath(path).String(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/x-ndjson") // which a line of JSON is
	}
	if t.user != "" {
		r.SetBasicAuth(t.user, t.password)
	}
	resp, err := t.http.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, longestAnswer)) // all of it, so that the connection can be used again
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		a := &answered{code: resp.StatusCode, status: resp.Status}
		var body struct {
			Error failure `json:"error"`
		}
		if json.Unmarshal(text, &body) == nil { // else it is of a server that balances load, or the like
			a.failure = body.Error
		}
		return a
	}
	if err == nil && out != nil {
		err = json.Unmarshal(text, out)
	}
	if err != nil {
		return fmt.Errorf("read its answer: %w", err)
	}
	return nil
}

// Check implements notify.Target: it asks for the index, which is made with the first event when it is missing.
func (t *target) Check(ctx context.Context) error {
	err := t.do(ctx, http.MethodHead, "/"+t.index, nil, nil)
	if a := (*answered)(nil); errors.As(err, &a) && a.code == http.StatusNotFound {
		return nil
	}
	return err
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
