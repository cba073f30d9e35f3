package adminapi

import (
	"context"
	"net/http"
	"strconv"
	"time"
)

// Lifecycles are the lifecycle rules of buckets at work.
type Lifecycles interface {
	// LifecycleStatus tells how far the server is with the rules of a bucket.
	LifecycleStatus(ctx context.Context, bucket string) (*LifecycleStatus, error)
	// LifecyclePreview returns a page of what the rules will delete, and when.
	LifecyclePreview(ctx context.Context, in LifecycleQuery) (*LifecyclePreview, error)
	// LifecycleRun has all of a bucket looked at now. It does not wait.
	LifecycleRun(ctx context.Context, bucket string) error
}

// LifecycleStatus is the answer to GET and POST lifecycle/{name}.
type LifecycleStatus struct {
	Bucket  string          `json:"bucket"`
	Walking bool            `json:"walking,omitempty"` // all of the bucket is looked at, because its rules have changed or a run was asked for
	At      string          `json:"at,omitempty"`      // the key up to which that has come
	Next    *time.Time      `json:"next,omitempty"`    // when something may be due
	Last    *time.Time      `json:"last,omitempty"`    // when something was done last
	Day     string          `json:"day,omitempty"`     // the length of a day, when tests have shortened it
	Held    bool            `json:"held,omitempty"`    // the clock has jumped ahead and is not believed yet
	Error   string          `json:"error,omitempty"`   // of the last try
	Rules   []LifecycleRule `json:"rules"`
}

// LifecycleRule says what a rule has done since the rules were changed last.
type LifecycleRule struct {
	ID         string `json:"id"`
	Enabled    bool   `json:"enabled"`
	Expired    int64  `json:"expired"`           // current versions
	ExpiredAll int64  `json:"expiredAll"`        // versions that went with all others of their key
	Noncurrent int64  `json:"noncurrent"`        // noncurrent versions
	Markers    int64  `json:"deleteMarkers"`     // lone delete markers
	Uploads    int64  `json:"uploads"`           // unfinished uploads
	Bytes      int64  `json:"bytes"`             // content that went for good
	Locked     int64  `json:"locked,omitempty"`  // deletions that a retention or a legal hold refused
	Changed    int64  `json:"changed,omitempty"` // what had changed before it could be deleted, and stays
	Failed     int64  `json:"failed,omitempty"`
}

// LifecycleQuery selects a page of a preview.
type LifecycleQuery struct {
	Bucket string
	Until  time.Time // zero for whatever will be due some day
	Cursor string
	Limit  int
}

// LifecyclePreview is the answer to GET lifecycle/{name}/dry-run. A page may be empty and not the last.
type LifecyclePreview struct {
	Planned []LifecyclePlan `json:"planned"`
	Next    string          `json:"next,omitempty"` // the cursor of the next page
}

// LifecyclePlan is something that is going to be deleted.
type LifecyclePlan struct {
	Key          string    `json:"key"`
	VersionID    string    `json:"versionId,omitempty"`
	UploadID     string    `json:"uploadId,omitempty"`
	Size         int64     `json:"size"`
	DeleteMarker bool      `json:"deleteMarker,omitempty"`
	Action       string    `json:"action"`
	Rule         string    `json:"rule"`
	Due          time.Time `json:"due"`
	Locked       bool      `json:"locked,omitempty"` // now: it would stay
}

const (
	lifecyclePage    = 1000
	maxLifecyclePage = 10000
)

func (c *call) lifecycleStatus() error {
	s, err := c.config.Host.LifecycleStatus(c.r.Context(), c.name)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, s)
}

func (c *call) lifecycleRun() error {
	if len(c.body) > 0 {
		return badBody("this request has none")
	}
	if err := c.config.Host.LifecycleRun(c.r.Context(), c.name); err != nil {
		return err
	}
	return c.lifecycleStatus()
}

func (c *call) lifecyclePreview() error {
	in := LifecycleQuery{Bucket: c.name, Cursor: c.query.Get("cursor"), Limit: lifecyclePage}
	if v := c.query.Get("limit"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > maxLifecyclePage {
			return badArgument("limit is a number from 1 to %d.", maxLifecyclePage)
		}
		in.Limit = n
	}
	if v := c.query.Get("until"); v != "" {
		t, err := time.Parse(time.RFC3339, v)
		if err != nil {
			return badArgument("until is a time such as 2026-01-01T00:00:00Z.")
		}
		in.Until = t
	}
	p, err := c.config.Host.LifecyclePreview(c.r.Context(), in)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, p)
}
