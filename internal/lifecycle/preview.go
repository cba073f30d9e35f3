package lifecycle

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"time"

	"github.com/objsrv/objsrv/storage"
)

// ErrCursor says that a cursor is none that a preview has given.
var ErrCursor = errors.New("the cursor is none of a preview's")

// maxLooked is how many versions one page of a preview looks at, so that it ends soon where little is due.
const maxLooked = 100000

// PreviewInput selects a page of what is going to be deleted.
type PreviewInput struct {
	Bucket string
	Until  time.Time // what is due later is left out; zero for nothing
	Cursor string    // Next of the page before
	Limit  int       // at most this many
}

// Preview is a page of what the rules will delete when nothing changes any more. It may be empty and not the last.
type Preview struct {
	Planned []Planned `json:"planned"`
	Next    string    `json:"next,omitempty"` // "" on the last page
}

// Planned is something that is going to be deleted.
type Planned struct {
	Key     string    `json:"key"`
	Version string    `json:"versionId,omitempty"`
	Upload  string    `json:"uploadId,omitempty"`
	Size    int64     `json:"size,omitempty"`
	Marker  bool      `json:"deleteMarker,omitempty"`
	Action  Action    `json:"action"`
	Rule    string    `json:"rule"`
	Due     time.Time `json:"due"`
	Locked  bool      `json:"locked,omitempty"` // now; it would stay
}

// cursor is where a preview goes on.
type cursor struct {
	Judge    *judge `json:",omitempty"`
	Key      place  // of the uploads, when Judge is nil
	UploadID string
}

// Preview tells what is going to be deleted, and when, without deleting anything: versions in the order of their keys,
// then uploads. ErrNoRules, ErrCursor, and the errors of the store.
func (r *Runner) Preview(ctx context.Context, in PreviewInput) (*Preview, error) {
	b, rules, err := r.ruled(ctx, in.Bucket)
	if err != nil {
		return nil, err
	}
	at := cursor{Judge: &judge{}}
	if in.Cursor != "" {
		raw, err := base64.RawURLEncoding.DecodeString(in.Cursor)
		if at = (cursor{}); err != nil || json.Unmarshal(raw, &at) != nil {
			return nil, ErrCursor
		}
	}
	p := &preview{r: r, b: b, rules: rules, in: in, until: maxDay}
	if !in.Until.IsZero() {
		p.until = storage.DayOf(in.Until, r.day)
	}
	p.out.Planned = []Planned{}
	if at.Judge != nil {
		if done, err := p.versions(ctx, *at.Judge); err != nil || !done {
			return &p.out, err
		}
	}
	return &p.out, p.uploads(ctx, &at)
}

// preview is a page that is being made.
type preview struct {
	r      *Runner
	b      *storage.Bucket
	rules  *Rules
	in     PreviewInput
	until  int64
	looked int
	out    Preview
}

// full tells whether the page ends here, and if so marks the place.
func (p *preview) full(at cursor) (bool, error) {
	if len(p.out.Planned) < p.in.Limit && p.looked < maxLooked {
		return false, nil
	}
	raw, err := json.Marshal(at)
	p.out.Next = base64.RawURLEncoding.EncodeToString(raw)
	return true, err
}

func (p *preview) versions(ctx context.Context, j judge) (done bool, err error) {
	j.rules, j.day, j.until = p.rules, p.r.day, p.until
	list := storage.ListInput{Bucket: p.b.Name, After: string(j.Key), AfterID: j.ID, Limit: pageSize}
	done = true
	err = p.rules.versions(ctx, p.r.Backend, list, func(o *storage.Object, more bool) (bool, error) {
		if full, err := p.full(cursor{Judge: &j}); full || err != nil {
			done = false
			return false, err
		}
		p.looked++
		v, ok := j.next(o, more)
		if ok && v.Due <= p.until {
			p.out.Planned = append(p.out.Planned, Planned{Key: o.Key, Version: o.VersionID, Size: o.Size, Marker: o.DeleteMarker,
				Action: v.Action, Rule: v.Rule.ID, Due: dayTime(v.Due, p.r.day), Locked: p.locked(ctx, o, v.Action)})
		}
		return true, ctx.Err()
	})
	return done, err
}

// locked tells whether a version that would go for good is locked now.
func (p *preview) locked(ctx context.Context, o *storage.Object, a Action) bool {
	if !p.b.ObjectLock || o.DeleteMarker || a == Expire {
		return false
	}
	full, err := p.r.Backend.StatObject(ctx, storage.Ref{Bucket: p.b.Name, Key: o.Key, Version: o.VersionID})
	if err != nil {
		return false
	}
	_, locked := p.r.Locked(full, p.r.Now())
	return locked
}

func (p *preview) uploads(ctx context.Context, at *cursor) error {
	if !p.rules.aborts() {
		return nil
	}
	in := storage.ListInput{Bucket: p.b.Name, After: string(at.Key), AfterID: at.UploadID, Limit: pageSize}
	for {
		page, err := p.r.Backend.ListUploads(ctx, in)
		if err != nil {
			return err
		}
		for i := range page.Uploads {
			u := &page.Uploads[i]
			if full, err := p.full(cursor{Key: place(in.After), UploadID: in.AfterID}); full || err != nil {
				return err
			}
			p.looked++
			if v, ok := p.rules.DecideUpload(u.Key, u.Begun, p.r.day); ok && v.Due <= p.until {
				p.out.Planned = append(p.out.Planned, Planned{Key: u.Key, Upload: u.ID, Action: v.Action, Rule: v.Rule.ID, Due: dayTime(v.Due, p.r.day)})
			}
			in.After, in.AfterID = u.Key, u.ID
		}
		if !page.Truncated {
			return nil
		}
	}
}
