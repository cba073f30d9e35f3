// Package webhook sends events to a URL. It imports internal/notify. The settings and the form of a request are MinIO's;
// signatures, CA_FILE and CloudEvents (specification 1.0, "JSON format", and its adapter for AWS S3) are this server's own.
package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/objsrv/objsrv/internal/notify"
)

// The settings.
const (
	keyEndpoint = "ENDPOINT"
	keyToken    = "AUTH_TOKEN"
	keySecret   = "SIGNING_SECRET"
	keyFormat   = "FORMAT"
	keyCert     = "CLIENT_CERT"
	keyKey      = "CLIENT_KEY"
	keyCA       = "CA_FILE"
)

// The values of FORMAT.
const (
	formatMinIO       = "minio"
	formatCloudEvents = "cloudevents"
)

// SignatureHeader has the time of a request and its signature: t=SECONDS,v1=HEX. The signature is the HMAC-SHA256,
// with SIGNING_SECRET as the key, of the seconds, a full stop and the body.
const SignatureHeader = "X-Objsrv-Signature"

const callTimeout = 10 * time.Second

// Kind describes webhooks.
func Kind() notify.Kind {
	return notify.Kind{Name: "webhook", Variable: "WEBHOOK", Keys: []string{keyEndpoint, keyToken, keySecret, keyFormat, keyCert, keyKey, keyCA},
		Secrets: []string{keyToken, keySecret}, New: newTarget}
}

type target struct {
	endpoint      *url.URL
	authorization string
	secret        []byte
	cloudEvents   bool
	http          *http.Client
}

func newTarget(s *notify.Settings) (notify.Target, error) {
	u, err := s.URL(keyEndpoint, "http", "https")
	if err != nil {
		return nil, err
	}
	t := &target{endpoint: u, secret: []byte(s.Get(keySecret))}
	if t.authorization, err = authorization(s.Get(keyToken)); err != nil {
		return nil, err
	}
	format, err := s.OneOf(keyFormat, formatMinIO, formatCloudEvents)
	if err != nil {
		return nil, err
	}
	t.cloudEvents = format == formatCloudEvents
	tc, err := s.TLS(keyCA, keyCert, keyKey)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSClientConfig: tc, TLSHandshakeTimeout: callTimeout / 2,
		MaxIdleConnsPerHost: 2, IdleConnTimeout: 30 * time.Second, MaxResponseHeaderBytes: 64 << 10,
	}
	if !proxied(u) { // else it is the proxy that looks names up
		transport.DialContext = s.Dial
	}
	t.http = &http.Client{Timeout: callTimeout, Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return t, nil
}

// authorization makes the header of AUTH_TOKEN: one word is a bearer token, two are the header as it is.
func authorization(token string) (string, error) {
	if strings.ContainsFunc(token, func(r rune) bool { return r < ' ' || r > '~' }) {
		return "", errors.New(keyToken + " consists of printable ASCII characters, as a header does")
	}
	switch len(strings.Fields(token)) {
	case 0:
		return "", nil
	case 1:
		return "Bearer " + strings.TrimSpace(token), nil
	}
	return token, nil
}

func proxied(u *url.URL) bool {
	p, err := http.ProxyFromEnvironment(&http.Request{URL: u})
	return err != nil || p != nil
}

// Send implements notify.Target.
func (t *target) Send(ctx context.Context, list []notify.Message) (int, error) {
	for i := range list {
		body, contentType := list[i].Body, "application/json"
		if t.cloudEvents {
			var err error
			if body, err = cloudEvent(&list[i]); err != nil {
				return i, err
			}
			contentType = "application/cloudevents+json"
		}
		if err := t.post(ctx, body, contentType); err != nil {
			if answer := (answered{}); errors.As(err, &answer) && answer.ofBody() {
				err = &notify.Refusal{Err: err}
			}
			return i, err
		}
	}
	return len(list), nil
}

// answered is an answer that is no success.
type answered struct {
	code   int
	status string
}

// Error implements error.
func (a answered) Error() string { return "it answered " + a.status }

// ofBody tells whether the answer is about the body, which alone differs from event to event. What else clients are told
// to have done wrong, such as a URL, a token, a method or a type of content, would meet all of them.
func (a answered) ofBody() bool {
	switch a.code {
	case http.StatusBadRequest, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		return true
	}
	return false
}

// Check implements notify.Target. It sends the message with which S3 tests a destination, which has no records.
func (t *target) Check(ctx context.Context) error {
	body := `{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"` + time.Now().UTC().Format("2006-01-02T15:04:05.000Z") + `"}`
	return t.post(ctx, []byte(body), "application/json")
}

// post sends one body. What is answered is not looked at, but for the status.
func (t *target) post(ctx context.Context, body []byte, contentType string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, t.endpoint.String(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("User-Agent", "objsrv")
	if t.authorization != "" {
		r.Header.Set("Authorization", t.authorization)
	}
	if len(t.secret) > 0 {
		r.Header.Set(SignatureHeader, Sign(t.secret, time.Now(), body))
	}
	resp, err := t.http.Do(r)
	if err != nil {
		var ue *url.Error
		if errors.As(err, &ue) { // whose text has the URL, and may have a password
			err = ue.Err
		}
		return err
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, 64<<10) // so that the connection can be used again
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return answered{resp.StatusCode, resp.Status}
	}
	return nil
}

// Sign returns the value of SignatureHeader for a body.
func Sign(secret []byte, now time.Time, body []byte) string {
	seconds := strconv.FormatInt(now.Unix(), 10)
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(seconds + "."))
	mac.Write(body)
	return "t=" + seconds + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}

// cloudEvent wraps the record of a message.
func cloudEvent(m *notify.Message) ([]byte, error) {
	record := m.Event.Log().Records[0]
	return json.Marshal(struct {
		Spec        string `json:"specversion"`
		ID          string `json:"id"`
		Source      string `json:"source"`
		Type        string `json:"type"`
		Subject     string `json:"subject"`
		Time        string `json:"time"`
		ContentType string `json:"datacontenttype"`
		Data        any    `json:"data"`
	}{"1.0", record.Response.RequestID + "." + record.S3.Object.Sequencer, record.EventSource + "." + record.Region + "." + record.S3.Bucket.Name,
		"com.amazonaws.s3." + strings.TrimPrefix(record.Name, "s3:"), m.Event.Key, record.Time, "application/json", record})
}

// Addresses implements notify.Target.
func (t *target) Addresses() []string {
	return []string{notify.HostPort(t.endpoint.Host, map[string]string{"http": "80", "https": "443"}[t.endpoint.Scheme])}
}

// Close implements notify.Target.
func (t *target) Close() error {
	t.http.CloseIdleConnections()
	return nil
}
