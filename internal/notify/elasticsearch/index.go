package elasticsearch

import (
	"context"
	"errors"
	"net/http"
)

// mapping is how documents are indexed where this server makes the index. Metadata of objects is kept and not indexed, and
// no text is taken for a date: else the first objects decide which the next ones may be, a key or metadata that looks
// like a date makes all refused that don't, and each name of metadata is a field, of which an index has only so many.
const mapping = `{"mappings":{"date_detection":false,"properties":{"Records":{"properties":{"eventTime":{"type":"date"},` +
	`"s3":{"properties":{"object":{"properties":{"userMetadata":{"type":"object","enabled":false}}}}}}}}}}`

// prepare makes the index if it is missing. Who may write but neither look at it nor make it goes on: writing tells.
func (t *target) prepare(ctx context.Context) error {
	if t.prepared {
		return nil
	}
	err := t.do(ctx, http.MethodHead, "/"+t.index, nil, nil)
	if a := (*answered)(nil); errors.As(err, &a) && a.code == http.StatusNotFound {
		err = t.do(ctx, http.MethodPut, "/"+t.index, []byte(mapping), nil)
		if errors.As(err, &a) && a.Kind == "resource_already_exists_exception" { // another server was faster
			err = nil
		}
	} else if errors.As(err, &a) && a.code == http.StatusForbidden {
		err = nil
	}
	t.prepared = err == nil
	return err
}
