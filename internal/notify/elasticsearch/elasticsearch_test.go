package elasticsearch

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/objsrv/objsrv/internal/events"
	"github.com/objsrv/objsrv/internal/notify"
	"github.com/objsrv/objsrv/internal/notify/notifytest"
)

// fake answers as the document API does, where there is no real server; tests with "Server" in their names are for that.
type fake struct {
	got     []string          // METHOD PATH, and of a bulk its lines
	index   bool              // is there
	answers map[string]string // of a bulk, by a part of the request: STATUS BODY, or STATUS of the documents alone
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if user, password, _ := r.BasicAuth(); user != "u" || password != "p" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	path := strings.TrimPrefix(r.URL.Path, "/base/objects")
	switch f.got = append(f.got, r.Method+" "+path); {
	case r.Method == "HEAD" && !f.index:
		w.WriteHeader(http.StatusNotFound)
	case r.Method == "PUT" && string(body) == mapping:
		f.index = true
		w.WriteHeader(http.StatusBadRequest)
		io.WriteString(w, `{"error":{"type":"resource_already_exists_exception","reason":"another gateway was faster"},"status":400}`)
	case path == "/_bulk":
		f.bulk(w, string(body))
	}
}

func (f *fake) bulk(w http.ResponseWriter, body string) {
	for part, answer := range f.answers {
		if status, text, whole := strings.Cut(answer, " "); whole && strings.Contains(body, part) {
			code, _ := strconv.Atoi(status)
			w.WriteHeader(code)
			io.WriteString(w, text)
			return
		}
	}
	var items []string
	for lines := strings.Split(strings.TrimSuffix(body, "\n"), "\n"); len(lines) > 0; {
		line, item := lines[0], `{"index":{"status":201}}`
		if lines = lines[1:]; strings.HasPrefix(line, `{"delete"`) {
			item = `{"delete":{"status":404,"result":"not_found"}}` // which is as good
		} else {
			for part, answer := range f.answers {
				if strings.Contains(lines[0], part) {
					item = `{"index":{"status":` + answer + `,"error":{"type":"mapper_parsing_exception","reason":"failed to parse"}}}`
				}
			}
			line, lines = line+lines[0][:34], lines[1:]
		}
		f.got, items = append(f.got, line), append(items, item)
	}
	io.WriteString(w, `{"items":[`+strings.Join(items, ",")+`]}`)
}

func newFake(t *testing.T) (*fake, map[string]string) {
	f := &fake{answers: map[string]string{}}
	srv := httptest.NewServer(f)
	t.Cleanup(srv.Close)
	return f, map[string]string{"URL": srv.URL + "/base", "INDEX": "objects", "USERNAME": "u", "PASSWORD": "p"}
}

func TestElasticsearch(t *testing.T) {
	f, values := newFake(t)
	put, gone := notifytest.Message(t, events.CreatedPut, "a b"), notifytest.Message(t, events.RemovedDelete, "gone")
	documents := notifytest.New(t, Kind(), values)
	if err := documents.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	notifytest.Send(t, documents, put, gone)
	values["FORMAT"] = "access"
	notifytest.Send(t, notifytest.New(t, Kind(), values), put, gone)
	id := func(s string) string { return `{"index":{"_id":"` + DocumentID(s) + `"}}` }
	const head = `{"Records":[{"eventVersion":"2.1",`
	want := []string{"HEAD ", "HEAD ", "PUT ", "POST /_bulk", id("b/a b") + head, `{"delete":{"_id":"` + DocumentID("b/gone") + `"}}`,
		"HEAD ", "POST /_bulk", id("b/a b\x00\x00"+put.Event.Sequencer()) + head, id("b/gone\x00\x00"+gone.Event.Sequencer()) + head}
	if !slices.Equal(f.got, want) {
		t.Errorf("%q", f.got)
	}
	values["PASSWORD"] = "wrong"
	if notifytest.New(t, Kind(), values).Check(t.Context()) == nil {
		t.Error("a wrong password is taken")
	}
	notifytest.Guarded(t, Kind(), values)
}

// TestRefusal: what is said of a document is a refusal of it alone, what is said of the index or the server is none.
func TestRefusal(t *testing.T) {
	f, values := newFake(t)
	target := notifytest.New(t, Kind(), values)
	list := []notify.Message{notifytest.Message(t, events.CreatedPut, "one"), notifytest.Message(t, events.CreatedPut, "two"), notifytest.Message(t, events.RemovedDelete, "three")}
	for answer, refusal := range map[string]bool{
		"400": true, "413": true, "429": false, "403": false, "503": false, // of the document
		"400 ":                       true, // of the request
		"413 not of a server's kind": true,
		"503 ":                       false,
		`400 {"error":{"type":"illegal_argument_exception","reason":"Limit of total fields [1000] has been exceeded"}}`: true,
		`400 {"error":{"type":"illegal_argument_exception","reason":"no write index is defined for alias [objects]"}}`:  false,
		`400 {"error":{"type":"illegal_argument_exception","reason":"pipeline with id [x] does not exist"}}`:            false,
		`400 {"error":{"type":"validation_exception","reason":"this action would add [2] total shards"}}`:               false,
	} {
		f.answers["two"] = answer
		n, err := target.Send(t.Context(), list)
		got := (*notify.Refusal)(nil)
		if errors.As(err, &got) != refusal || err == nil {
			t.Errorf("%s: %v", answer, err)
		}
		if whole := strings.Contains(answer, " ") && !refusal; whole && n != 0 || !whole && n != 1 {
			t.Errorf("%s: sent %d", answer, n)
		}
	}
	delete(f.answers, "two")
	notifytest.Send(t, target, list...)
}

func TestSettings(t *testing.T) {
	const url = "https://es.example.com:9200"
	notifytest.Refused(t, Kind(), map[string]string{"INDEX": "i"}, map[string]string{"URL": "ftp://x", "INDEX": "i"}, map[string]string{"URL": url}, map[string]string{"URL": url, "INDEX": "../x"},
		map[string]string{"URL": url, "INDEX": "Upper"}, map[string]string{"URL": url + "/?x=1", "INDEX": "i"}, map[string]string{"URL": url, "INDEX": "i", "FORMAT": "x"})
}
