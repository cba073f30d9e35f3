package elasticsearch

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/objsrv/objsrv/internal/events"
	"github.com/objsrv/objsrv/internal/notify"
	"github.com/objsrv/objsrv/internal/notify/notifytest"
)

// server is a real OpenSearch or Elasticsearch; with passwords where it is asked over TLS.
type server struct {
	url    string
	secure bool
	http   *http.Client
}

func realServer(t testing.TB) *server {
	t.Helper()
	s := &server{url: notifytest.Server(t, "OBJSRV_TEST_ELASTICSEARCH"), http: http.DefaultClient}
	if s.secure = strings.HasPrefix(s.url, "https:"); s.secure {
		tc, err := (&notify.Settings{Values: s.settings("")}).TLS("CA_FILE", "", "")
		if err != nil {
			t.Fatal(err)
		}
		s.http = &http.Client{Transport: &http.Transport{TLSClientConfig: tc}}
		t.Cleanup(s.http.CloseIdleConnections)
	}
	return s
}

// settings of a target; more has NAME=VALUE.
func (s *server) settings(index string, more ...string) map[string]string {
	v := map[string]string{"URL": s.url, "INDEX": index}
	if s.secure {
		maps.Copy(v, map[string]string{"CA_FILE": notifytest.Certificate("ca.crt"), "USERNAME": "test", "PASSWORD": "secret"})
	}
	for _, m := range more {
		name, value, _ := strings.Cut(m, "=")
		v[name] = value
	}
	return v
}

// ask sends a request that must succeed, and reads the answer into out unless that is nil.
func (s *server) ask(t *testing.T, method, path, body string, out any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth("test", "secret")
	resp, err := s.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode > 299 {
		t.Fatalf("%s %s: %s %s %v", method, path, resp.Status, text, err)
	}
	if out != nil {
		if err := json.Unmarshal(text, out); err != nil {
			t.Fatal(err)
		}
	}
}

// fresh is the name of an index that is not there.
func fresh() string { return fmt.Sprintf("objsrv-%d", time.Now().UnixNano()) }

// events returns "NAME KEY" of each document.
func (s *server) events(t *testing.T, index, query string) (out []string) {
	t.Helper()
	var answer struct {
		Hits struct {
			Hits []struct {
				Source struct{ Records []events.Record } `json:"_source"`
			}
		}
	}
	s.ask(t, "POST", "/"+index+"/_refresh", "", nil)
	s.ask(t, "POST", "/"+index+"/_search", `{"size":100,"sort":[{"Records.s3.object.sequencer.keyword":"asc"}],"query":`+query+`}`, &answer)
	for _, h := range answer.Hits.Hits {
		out = append(out, h.Source.Records[0].Name+" "+h.Source.Records[0].S3.Object.Key)
	}
	return out
}

const everything = `{"match_all":{}}`

func equal(t *testing.T, got []string, want ...string) {
	t.Helper()
	if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
		t.Errorf("%q, not %q", got, want)
	}
}

// TestServer keeps events in a real server in both formats; the index is not there at first.
func TestServer(t *testing.T) {
	s := realServer(t)
	for _, format := range []string{notify.Namespace, notify.Access} {
		index := fresh()
		target := notifytest.New(t, Kind(), s.settings(index, "FORMAT="+format))
		if err := target.Check(t.Context()); err != nil {
			t.Error(err)
		}
		put, gone := notifytest.Message(t, events.CreatedPut, "a b 🪣"), notifytest.Message(t, events.RemovedDelete, "gone")
		if format == notify.Namespace {
			notifytest.Send(t, target, gone) // of what is not there
		}
		notifytest.Send(t, target, put, put, notifytest.Message(t, events.CreatedPut, "gone"), notifytest.Message(t, events.RemovedDelete, "gone"))
		if err := target.Check(t.Context()); err != nil {
			t.Error(err)
		}
		const one = "s3:ObjectCreated:Put a+b+%F0%9F%AA%A3"
		if format == notify.Namespace {
			equal(t, s.events(t, index, everything), one)
			s.ask(t, "GET", "/"+index+"/_doc/"+DocumentID("b/a b 🪣"), "", nil)
		} else {
			equal(t, s.events(t, index, everything), one, "s3:ObjectCreated:Put gone", "s3:ObjectRemoved:Delete gone")
		}
		equal(t, s.events(t, index, `{"bool":{"filter":[{"term":{"Records.s3.bucket.name.keyword":"b"}},{"range":{"Records.eventTime":{"gte":"2030-01-02","lt":"2030-01-03"}}},{"prefix":{"Records.s3.object.key.keyword":"a+b"}}]}}`),
			s.events(t, index, `{"term":{"Records.s3.object.key.keyword":"a+b+%F0%9F%AA%A3"}}`)...)
	}
}

// message is one about an object with metadata.
func message(t *testing.T, key string, metadata map[string]string) notify.Message {
	m := notifytest.Message(t, events.CreatedPut, key)
	m.Event.Metadata = metadata
	return m
}

// TestServerFields: what is in one document does not decide what may be in the next ones, whatever keys and metadata are.
func TestServerFields(t *testing.T) {
	s := realServer(t)
	index := fresh()
	target := notifytest.New(t, Kind(), s.settings(index))
	many := map[string]string{}
	for i := range 1200 { // an index has 1000 fields at most
		many[fmt.Sprintf("X-Amz-Meta-N%d", i)] = "v"
	}
	notifytest.Send(t, target, message(t, "2020-01-01", map[string]string{"X-Amz-Meta-When": "2020-01-01", "X-Amz-Meta-N": "1"}), message(t, "no date", map[string]string{"X-Amz-Meta-When": "now", "X-Amz-Meta-N": "one"}),
		message(t, "object", map[string]string{"X-Amz-Meta-When.Exactly": "now", "": "x", ".": "x", ".a": "x", "a..b": "x"}), message(t, "many", many))
	if got := s.events(t, index, everything); len(got) != 4 {
		t.Errorf("%q", got)
	}
}

// TestServerRefusal: in an index that others have made, a document that does not go with it is refused, and no other.
func TestServerRefusal(t *testing.T) {
	s := realServer(t)
	index := fresh()
	s.ask(t, "PUT", "/"+index, `{"mappings":{"properties":{"Records":{"properties":{"s3":{"properties":{"object":{"properties":{"key":{"type":"date"}}}}}}}}}}`, nil)
	target := notifytest.New(t, Kind(), s.settings(index))
	list := []notify.Message{message(t, "2020-01-01", nil), message(t, "no date", nil), message(t, "2020-01-02", nil)}
	n, err := target.Send(t.Context(), list)
	if refused := (*notify.Refusal)(nil); n != 1 || !errors.As(err, &refused) || !strings.Contains(err.Error(), "no+date") {
		t.Errorf("sent %d: %v", n, err)
	}
	notifytest.Send(t, target, list[2])
}

// TestServerInTheWay: what is wrong with the index and not with a document is no refusal: the events wait.
func TestServerInTheWay(t *testing.T) {
	s := realServer(t)
	index, alias := fresh(), fresh()
	s.ask(t, "PUT", "/"+index, `{"aliases":{"`+alias+`":{"is_write_index":false}}}`, nil)
	closed := fresh()
	s.ask(t, "PUT", "/"+closed, `{}`, nil)
	s.ask(t, "PUT", "/"+closed+"/_settings", `{"index.blocks.write":true}`, nil)
	piped := fresh()
	s.ask(t, "PUT", "/"+piped, `{"settings":{"index.default_pipeline":"objsrv-none"}}`, nil)
	for _, name := range []string{alias, closed, piped} {
		target := notifytest.New(t, Kind(), s.settings(name))
		n, err := target.Send(t.Context(), []notify.Message{message(t, "k", nil)})
		if refused := (*notify.Refusal)(nil); n != 0 || err == nil || errors.As(err, &refused) {
			t.Errorf("sent %d: %v", n, err)
		}
	}
	s.ask(t, "PUT", "/"+closed+"/_settings", `{"index.blocks.write":false}`, nil)
	notifytest.Send(t, notifytest.New(t, Kind(), s.settings(closed)), message(t, "k", nil))
}

// TestServerLogin: passwords, client certificates, and a user who may write but not look.
func TestServerLogin(t *testing.T) {
	s := realServer(t)
	if !s.secure {
		t.Skip("the server has no passwords: it is asked over plain HTTP")
	}
	index := fresh()
	certificate := []string{"CLIENT_CERT=" + notifytest.Certificate("client.crt"), "CLIENT_KEY=" + notifytest.Certificate("client.key"), "USERNAME=", "PASSWORD="}
	for _, row := range []struct {
		settings    map[string]string
		check, send string // why not, "" for success
	}{
		{s.settings(index, "USERNAME=writer"), "403 Forbidden", "403 Forbidden"}, // the index is not there
		{s.settings(index), "", ""},
		{s.settings(index, certificate...), "", ""},
		{s.settings(index, "USERNAME=writer"), "403 Forbidden", ""},
		{s.settings(index, "USERNAME=nobody"), "403 Forbidden", "403 Forbidden"},
		{s.settings(index, "PASSWORD=wrong"), "401 Unauthorized", "401 Unauthorized"},
		{s.settings(index, "USERNAME=", "PASSWORD="), "401 Unauthorized", "401 Unauthorized"},
		{s.settings(index, "CA_FILE="), "unknown authority", "unknown authority"},
	} {
		target := notifytest.New(t, Kind(), row.settings)
		says(t, row.settings, target.Check(t.Context()), row.check)
		_, err := target.Send(t.Context(), []notify.Message{message(t, "k", nil)})
		says(t, row.settings, err, row.send)
		if refused := (*notify.Refusal)(nil); errors.As(err, &refused) {
			t.Errorf("the event is refused: %v", err)
		}
	}
}

func says(t *testing.T, settings map[string]string, err error, why string) {
	t.Helper()
	if (err == nil) != (why == "") || err != nil && !strings.Contains(err.Error(), why) {
		t.Errorf("%v: %v", settings, err)
	}
}

// BenchmarkServer tells how many events a second a real server takes.
func BenchmarkServer(b *testing.B) {
	target := notifytest.New(b, Kind(), realServer(b).settings(fresh(), "FORMAT=access"))
	list := make([]notify.Message, 64)
	for i := range list {
		list[i] = notifytest.Message(b, events.CreatedPut, fmt.Sprintf("key %d", i))
	}
	for b.Loop() {
		notifytest.Send(b, target, list...)
	}
	b.ReportMetric(float64(b.N*len(list))/b.Elapsed().Seconds(), "events/s")
}
