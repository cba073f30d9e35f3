package adminapi

import (
	"context"
	"net/http"
	"strconv"
	"time"
)

// Notifications are the targets to which buckets may send events.
type Notifications interface {
	// Notifications returns them in the order of their names.
	Notifications() []NotificationTarget
	// CheckNotification asks a target whether it would take events; a webhook gets a message without records. The error is
	// a *Refusal when there is no such target, else it tells what is wrong with it.
	CheckNotification(ctx context.Context, target string) error
	// RefusedNotifications returns the events that a target has refused for good, the oldest first and at most so many, and
	// how many there are; RetryNotifications puts them into its queue again, as far as there is room, DiscardNotifications
	// forgets them, and both return how many. The error is a *Refusal when there is no such target.
	RefusedNotifications(target string, most int) (list []RefusedNotification, count int, err error)
	RetryNotifications(target string) (int, error)
	DiscardNotifications(target string) (int, error)
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
	Dropped     int64      `json:"dropped"`  // events that found no room
	Refused     int        `json:"refused"`  // events that it will never take, which are kept
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

// RefusedNotification is an event that a target has refused for good.
type RefusedNotification struct {
	Refused time.Time `json:"refused"` // when
	Error   string    `json:"error"`
	Event   string    `json:"event"`
	Time    time.Time `json:"time"` // of the event
	Bucket  string    `json:"bucket"`
	Key     string    `json:"key"`
	Version string    `json:"versionId,omitempty"`
}

// RefusedNotifications is the answer to GET notifications/{name}/refused.
type RefusedNotifications struct {
	Name   string                `json:"name"`
	Count  int                   `json:"count"`  // of all that there are
	Events []RefusedNotification `json:"events"` // the oldest
}

// MovedNotifications is the answer to POST notifications/{name}/refused/retry and DELETE notifications/{name}/refused.
type MovedNotifications struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
}

// Events that are listed at once.
const (
	usualNotifications = 100
	maxNotifications   = 1000
)

func (c *call) refusedNotifications() error {
	limit := usualNotifications
	if v := c.query.Get("limit"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > maxNotifications {
			return badArgument("limit is a number from 1 to %d.", maxNotifications)
		}
		limit = n
	}
	list, count, err := c.config.Host.RefusedNotifications(c.name, limit)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, RefusedNotifications{c.name, count, append([]RefusedNotification{}, list...)})
}

func (c *call) retryNotifications() error {
	return c.moveNotifications(c.config.Host.RetryNotifications)
}

func (c *call) discardNotifications() error {
	return c.moveNotifications(c.config.Host.DiscardNotifications)
}

func (c *call) moveNotifications(move func(target string) (int, error)) error {
	if err := c.noBody(); err != nil {
		return err
	}
	n, err := move(c.name)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, MovedNotifications{c.name, n})
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
