package elasticsearch

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/objsrv/objsrv/internal/events"
	"github.com/objsrv/objsrv/internal/notify"
	"github.com/objsrv/objsrv/internal/notify/notifytest"
)

// TestElasticsearch sends to a server of its own that answers as the document API does: there is no real one to be had
// as a package.
func TestElasticsearch(t *testing.T) {
	var got []string
	answer := 200
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if user, password, _ := r.BasicAuth(); user != "u" || password != "p" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		got = append(got, strings.TrimRight(r.Method+" "+r.URL.Path+" "+string(body[:min(len(body), 34)]), " "))
		if r.Method == "DELETE" {
			w.WriteHeader(http.StatusNotFound) // which is as good
			return
		}
		w.WriteHeader(answer)
	}))
	defer srv.Close()
	values := map[string]string{"URL": srv.URL + "/base", "INDEX": "objects", "USERNAME": "u", "PASSWORD": "p"}
	put, gone := notifytest.Message(t, events.CreatedPut, "a b"), notifytest.Message(t, events.RemovedDelete, "gone")
	documents := notifytest.New(t, Kind(), values)
	if err := documents.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	notifytest.Send(t, documents, put, gone)
	values["FORMAT"] = "access"
	notifytest.Send(t, notifytest.New(t, Kind(), values), put, gone)
	const head = `{"Records":[{"eventVersion":"2.1",`
	want := []string{"GET /base/_resolve/index/objects", "PUT /base/objects/_doc/" + DocumentID("b/a b") + " " + head, "DELETE /base/objects/_doc/" + DocumentID("b/gone"),
		"POST /base/objects/_doc " + head, "POST /base/objects/_doc " + head}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	answer = 503
	if n, err := documents.Send(t.Context(), []notify.Message{gone, put}); n != 1 || err == nil {
		t.Errorf("%d %v", n, err)
	}
	answer = 400
	_, err := documents.Send(t.Context(), []notify.Message{put})
	if refused := (*notify.Refusal)(nil); !errors.As(err, &refused) {
		t.Error(err)
	}
	values["PASSWORD"] = "wrong"
	if notifytest.New(t, Kind(), values).Check(t.Context()) == nil {
		t.Error("a wrong password is taken")
	}
	notifytest.Guarded(t, Kind(), values)
}

func TestSettings(t *testing.T) {
	const url = "https://es.example.com:9200"
	notifytest.Refused(t, Kind(), map[string]string{"INDEX": "i"}, map[string]string{"URL": "ftp://x", "INDEX": "i"}, map[string]string{"URL": url}, map[string]string{"URL": url, "INDEX": "../x"},
		map[string]string{"URL": url, "INDEX": "Upper"}, map[string]string{"URL": url + "/?x=1", "INDEX": "i"}, map[string]string{"URL": url, "INDEX": "i", "FORMAT": "x"})
}
