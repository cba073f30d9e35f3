package webhook

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/objsrv/objsrv/internal/events"
	"github.com/objsrv/objsrv/internal/notify"
)

func newWebhook(t *testing.T, values map[string]string) notify.Target {
	t.Helper()
	guard := notify.Guard{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	target, err := Kind().New(&notify.Settings{Values: values, Dial: guard.Dial})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { target.Close() })
	return target
}

func message() notify.Message {
	e := &events.Event{Name: events.CreatedPut, Time: time.Unix(0, 0), Region: "r", RequestID: "ID", Bucket: "b", Key: "a b", Sequence: 1}
	body, _ := json.Marshal(e.Log())
	return notify.Message{Event: e, Body: body}
}

// received is a request and its body.
type received struct {
	*http.Request
	body string
}

func serve(t *testing.T, status int, header ...string) (url string, got chan received) {
	got = make(chan received, 10)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got <- received{r, string(b)}
		if len(header) > 0 {
			w.Header().Set(header[0], header[1])
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(srv.Close)
	return srv.URL, got
}

// TestSend: the body is MinIO's, the token is in the header, and the signature holds.
func TestSend(t *testing.T) {
	url, got := serve(t, 202)
	target := newWebhook(t, map[string]string{"ENDPOINT": url + "/hook?x=1", "AUTH_TOKEN": "tok", "SIGNING_SECRET": "s3"})
	if n, err := target.Send(context.Background(), []notify.Message{message(), message()}); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	r := <-got
	if r.Method != "POST" || r.URL.String() != "/hook?x=1" || r.Header.Get("Authorization") != "Bearer tok" || r.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%s %s %v", r.Method, r.URL, r.Header)
	}
	var log events.Log
	if err := json.Unmarshal([]byte(r.body), &log); err != nil || log.Name != "s3:ObjectCreated:Put" || log.Key != "b/a b" || len(log.Records) != 1 || log.Records[0].S3.Object.Key != "a+b" {
		t.Errorf("%s %v", r.body, err)
	}
	sent := r.Header.Get(SignatureHeader)
	seconds, _, _ := strings.Cut(strings.TrimPrefix(sent, "t="), ",")
	at, err := time.Parse(time.RFC3339, "1970-01-01T00:00:00Z")
	if err != nil {
		t.Fatal(err)
	}
	var n int64
	if err := json.Unmarshal([]byte(seconds), &n); err != nil || Sign([]byte("s3"), at.Add(time.Duration(n)*time.Second), []byte(r.body)) != sent {
		t.Errorf("signature %q", sent)
	}
	// printf 0.body | openssl dgst -sha256 -hmac key
	if got := Sign([]byte("key"), time.Unix(0, 0), []byte("body")); got != "t=0,v1=e0af04d5c83b24373ff89f540d0c8fd9a4e097e2b3ee8318ab5541047697626d" {
		t.Errorf("%s", got)
	}
}

// TestCloudEvents has the record as the data of a CloudEvent.
func TestCloudEvents(t *testing.T) {
	url, got := serve(t, 200)
	target := newWebhook(t, map[string]string{"ENDPOINT": url, "FORMAT": "cloudevents", "AUTH_TOKEN": "Basic abc"})
	if _, err := target.Send(context.Background(), []notify.Message{message()}); err != nil {
		t.Fatal(err)
	}
	r := <-got
	const want = `{"specversion":"1.0","id":"ID.0000000000000001","source":"aws:s3.r.b","type":"com.amazonaws.s3.ObjectCreated:Put","subject":"a b","time":"1970-01-01T00:00:00.000Z","datacontenttype":"application/json","data":{"eventVersion":"2.1"`
	if !strings.HasPrefix(r.body, want) || r.Header.Get("Content-Type") != "application/cloudevents+json" || r.Header.Get("Authorization") != "Basic abc" || r.Header.Get(SignatureHeader) != "" {
		t.Errorf("%s %v", r.body, r.Header)
	}
}

// TestRefused: an answer that is no success leaves the event where it is; a redirect is not followed (S-249).
func TestRefused(t *testing.T) {
	canary, touched := serve(t, 200)
	for _, row := range []struct {
		status int
		header []string
	}{{500, nil}, {403, nil}, {302, []string{"Location", canary}}, {307, []string{"Location", canary}}, {304, nil}} {
		url, _ := serve(t, row.status, row.header...)
		if n, err := newWebhook(t, map[string]string{"ENDPOINT": url}).Send(context.Background(), []notify.Message{message()}); n != 0 || err == nil {
			t.Errorf("%d: sent %d, %v", row.status, n, err)
		}
	}
	if len(touched) > 0 {
		t.Error("a redirect was followed")
	}
	url, got := serve(t, 200)
	target, err := Kind().New(&notify.Settings{Values: map[string]string{"ENDPOINT": strings.Replace(url, "127.0.0.1", "localhost", 1)}, Dial: (&notify.Guard{}).Dial})
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	if err := target.Check(context.Background()); err == nil || !strings.Contains(err.Error(), "OBJSRV_NOTIFY_ALLOW") || len(got) > 0 {
		t.Error("a name that leads to this machine (S-249):", err)
	}
}

// TestRefusal: an answer about the body is a refusal of the event; one that any event would get is not, and the event waits.
func TestRefusal(t *testing.T) {
	for status, refusal := range map[int]bool{400: true, 409: true, 413: true, 422: true, 401: false, 403: false, 404: false, 405: false, 407: false, 408: false, 410: false,
		411: false, 415: false, 421: false, 425: false, 429: false, 301: false, 500: false, 501: false, 502: false, 503: false, 507: false} {
		url, _ := serve(t, status)
		target := newWebhook(t, map[string]string{"ENDPOINT": url})
		n, err := target.Send(t.Context(), []notify.Message{message()})
		if got := (*notify.Refusal)(nil); n != 0 || errors.As(err, &got) != refusal {
			t.Errorf("%d: sent %d, %v", status, n, err)
		}
		if err := target.Check(t.Context()); err == nil || strings.Contains(err.Error(), "never") {
			t.Errorf("%d: check: %v", status, err)
		}
	}
}

// TestCheck sends a message without records.
func TestCheck(t *testing.T) {
	url, got := serve(t, 200)
	if err := newWebhook(t, map[string]string{"ENDPOINT": url}).Check(context.Background()); err != nil {
		t.Fatal(err)
	}
	if r := <-got; !strings.Contains(r.body, `"Event":"s3:TestEvent"`) || strings.Contains(r.body, "Records") {
		t.Error(r.body)
	}
}

// TestTLS: the endpoint's certificate is verified, with CA_FILE if it is set.
func TestTLS(t *testing.T) {
	srv := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer srv.Close()
	if newWebhook(t, map[string]string{"ENDPOINT": srv.URL}).Check(context.Background()) == nil {
		t.Error("a certificate that nobody vouches for is taken")
	}
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := newWebhook(t, map[string]string{"ENDPOINT": srv.URL, "CA_FILE": ca}).Check(context.Background()); err != nil {
		t.Error(err)
	}
}

// TestSettings refuses what can't be meant, without showing what may hold a password.
func TestSettings(t *testing.T) {
	for _, row := range []map[string]string{
		{},
		{"ENDPOINT": "file:///etc/passwd"},
		{"ENDPOINT": "gopher://example.com/"},
		{"ENDPOINT": "https://"},
		{"ENDPOINT": "://user:hidden@x"},
		{"ENDPOINT": "http://example.com", "FORMAT": "xml"},
		{"ENDPOINT": "http://example.com", "AUTH_TOKEN": "a\r\nX: y"},
		{"ENDPOINT": "https://example.com", "CLIENT_CERT": "/none"},
		{"ENDPOINT": "https://example.com", "CA_FILE": "/none"},
	} {
		target, err := Kind().New(&notify.Settings{Values: row})
		if err == nil {
			target.Close()
			t.Errorf("%v is taken", row)
		} else if strings.Contains(err.Error(), "hidden") {
			t.Errorf("%v shows a password", err)
		}
	}
	for address, want := range map[string]string{"http://example.com/x": "example.com:80", "https://[2001:db8::1]/": "[2001:db8::1]:443", "https://example.com:8443": "example.com:8443"} {
		target, err := Kind().New(&notify.Settings{Values: map[string]string{"ENDPOINT": address}})
		if err != nil || target.Addresses()[0] != want {
			t.Error(address, target.Addresses(), err)
		}
	}
}
