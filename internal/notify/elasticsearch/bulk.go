package elasticsearch

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/objsrv/objsrv/internal/notify"
)

// bulk stores and removes documents with one request, since a server syncs its log for each. It returns how many of the
// first are done, and the error of the first that is not, *answered where the server has said so; those behind it may be done.
func (t *target) bulk(ctx context.Context, list []notify.Message) (int, error) {
	var body bytes.Buffer
	for i := range list {
		if err := t.action(&body, &list[i]); err != nil {
			return 0, err
		}
	}
	var answer struct {
		Items []map[string]result `json:"items"`
	}
	if err := t.do(ctx, http.MethodPost, "/"+t.index+"/_bulk", body.Bytes(), &answer); err != nil {
		return 0, err
	}
	if len(answer.Items) != len(list) {
		return 0, fmt.Errorf("it answered %d of %d", len(answer.Items), len(list))
	}
	for i, item := range answer.Items {
		for action, r := range item { // there is one
			missing := action == "delete" && r.Status == http.StatusNotFound
			if (r.Status < 200 || r.Status > 299) && !missing {
				return i, &answered{code: r.Status, status: fmt.Sprintf("%d %s", r.Status, http.StatusText(r.Status)), failure: r.Error}
			}
		}
	}
	return len(list), nil
}

// result is what has become of one document.
type result struct {
	Status int     `json:"status"`
	Error  failure `json:"error"`
}

// action writes what is to be done about a message: a line for what, and one for the document unless that is removed.
// The id of a document about an event is the event's, so that what comes twice is there once.
func (t *target) action(out *bytes.Buffer, m *notify.Message) error {
	id, what := DocumentID(m.Key()), "index"
	if t.access {
		id = DocumentID(m.Key() + "\x00" + m.Event.Deployment + "\x00" + m.Event.Sequencer())
	} else if m.Event.Name.Removes() {
		what = "delete"
	}
	lines := json.NewEncoder(out)
	if err := lines.Encode(map[string]map[string]string{what: {"_id": id}}); err != nil || what == "delete" {
		return err
	}
	value, err := m.Value()
	if err == nil {
		err = lines.Encode(json.RawMessage(value))
	}
	return err
}
