package adminapi

import (
	"context"
	"net/http"
	"time"
)

// Notifications are the targets to which buckets may send events.
type Notifications interface {
	// Notifications returns them in the order of their names.
	Notifications() []NotificationTarget
	// CheckNotification asks a target whether it would take events; a webhook gets a message without records. The error is
	// a *Refusal when there is no such target, else it tells what is wrong with it.
	CheckNotification(ctx context.Context, target string) error
}

// NotificationTarget is a target of events, and how it is since the server started.
type NotificationTarget struct {
	Name        string     `json:"name"` // KIND:ID
	Kind        string     `json:"kind"`
	ARN         string     `json:"arn"`
	Addresses   []string   `json:"addresses"`
	State       string     `json:"state"`    // ok, unused, failing
	Waiting     int        `json:"waiting"`  // events in its queue
	Expected    int        `json:"expected"` // of requests that run, or whose end is not known
	Limit       int        `json:"limit"`    // events that may wait
	Sent        int64      `json:"sent"`
	Failures    int64      `json:"failures"` // attempts
	Dropped     int64      `json:"dropped"`  // events that found no room, or that it will never take
	LastError   string     `json:"lastError,omitempty"`
	LastErrorAt *time.Time `json:"lastErrorAt,omitempty"`
	LastSent    *time.Time `json:"lastSent,omitempty"`
}

// NotificationList is the answer to GET notifications.
type NotificationList struct {
	Targets []NotificationTarget `json:"targets"`
}

// NotificationCheck is the answer to POST notifications/{name}/test.
type NotificationCheck struct {
	Name  string `json:"name"`
	OK    bool   `json:"ok"`
	Error string `json:"error,omitempty"`
}

func (c *call) listNotifications() error {
	return c.reply(http.StatusOK, NotificationList{append([]NotificationTarget{}, c.config.Host.Notifications()...)})
}

// testNotification answers with what has become of it: that a target fails is no failure of the request.
func (c *call) testNotification() error {
	if err := c.noBody(); err != nil {
		return err
	}
	out := NotificationCheck{Name: c.name, OK: true}
	if err := c.config.Host.CheckNotification(c.r.Context(), c.name); err != nil {
		if r, ok := err.(*Refusal); ok {
			return r
		}
		out.OK, out.Error = false, err.Error()
	}
	return c.reply(http.StatusOK, out)
}
