package main

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/objsrv/objsrv/iam/adminapi"
	"github.com/objsrv/objsrv/iam/madmin"
	"github.com/objsrv/objsrv/internal/events"
	"github.com/objsrv/objsrv/internal/metrics"
	"github.com/objsrv/objsrv/internal/notify"
)

// arn names a target as MinIO does, which has no region in it where none was set.
func (s *services) arn(target string) string {
	region := s.config.Region
	if region == "us-east-1" {
		region = ""
	}
	return events.ARN(target, region)
}

// Notifications implements adminapi.Notifications.
func (h adminHost) Notifications() (out []adminapi.NotificationTarget) {
	s := h.services
	if s.notify == nil {
		return nil
	}
	for _, t := range s.notify.Status() {
		out = append(out, adminapi.NotificationTarget{Name: t.Target, Kind: t.Kind, ARN: s.arn(t.Target), Addresses: t.Addresses, State: string(t.State),
			Waiting: t.Waiting, Expected: t.Expected, Limit: t.Limit, Sent: t.Sent, Failures: t.Failures, Dropped: t.Dropped, Refused: t.Refused,
			LastError: t.LastError, LastErrorAt: when(t.LastErrorAt), LastSent: when(t.LastSent)})
	}
	return out
}

// when is nil for no time.
func when(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// CheckNotification implements adminapi.Notifications.
func (h adminHost) CheckNotification(ctx context.Context, target string) error {
	if s := h.services; s.notify != nil {
		if ok, err := s.notify.Check(ctx, target); ok {
			return err
		}
	}
	return errNoTarget
}

var errNoTarget = &adminapi.Refusal{Status: http.StatusNotFound, Code: "NoSuchTarget", Message: "There is no target of this name."}

// RefusedNotifications implements adminapi.Notifications.
func (h adminHost) RefusedNotifications(target string, most int) ([]adminapi.RefusedNotification, int, error) {
	if h.services.notify == nil {
		return nil, 0, errNoTarget
	}
	list, count, ok, err := h.services.notify.Refused(target, most)
	if !ok {
		return nil, 0, errNoTarget
	}
	out := make([]adminapi.RefusedNotification, 0, len(list))
	for i := range list {
		l, e := &list[i], &list[i].Event
		out = append(out, adminapi.RefusedNotification{Refused: l.Time, Error: l.Error, Event: string(e.Name), Time: e.Time.UTC(), Bucket: e.Bucket, Key: e.Key, Version: e.Version})
	}
	return out, count, err
}

// RetryNotifications implements adminapi.Notifications.
func (h adminHost) RetryNotifications(target string) (int, error) {
	return h.moveNotifications(target, (*notify.Hub).Retry)
}

// DiscardNotifications implements adminapi.Notifications.
func (h adminHost) DiscardNotifications(target string) (int, error) {
	return h.moveNotifications(target, (*notify.Hub).Discard)
}

func (h adminHost) moveNotifications(target string, move func(*notify.Hub, string) (int, bool, error)) (int, error) {
	if h.services.notify == nil {
		return 0, errNoTarget
	}
	n, ok, err := move(h.services.notify, target)
	switch {
	case !ok:
		return 0, errNoTarget
	case errors.Is(err, notify.ErrFull):
		return 0, &adminapi.Refusal{Status: http.StatusConflict, Code: "LimitExceeded", Message: "The queue of the target is full; try again when it has taken some of it."}
	}
	return n, err
}

// Targets implements madmin.Machine.
func (h *host) Targets(ctx context.Context) (out []madmin.Target) {
	s := h.services
	if s.notify == nil {
		return nil
	}
	guard := notify.Guard{Allow: s.config.NotifyAllow}
	online := s.notify.Reachable(ctx, guard.Dial)
	for _, t := range s.notify.Status() { // KIND:ID, in their order
		kind, id, _ := strings.Cut(t.Target, ":")
		out = append(out, madmin.Target{Kind: kind, ID: id, ARN: s.arn(t.Target), Online: online[t.Target] && t.State != notify.Failing})
	}
	return out
}

// notifyFigures are those of all targets together, for the metrics.
func (s *services) notifyFigures() []metrics.Stat {
	var waiting, sent, failures, dropped, refused, kept, failing float64
	list := s.notify.Status()
	for _, t := range list {
		waiting += float64(t.Waiting)
		sent += float64(t.Sent)
		failures += float64(t.Failures)
		dropped += float64(t.Dropped)
		refused += float64(t.RefusedTotal)
		kept += float64(t.Refused)
		if t.State == notify.Failing {
			failing++
		}
	}
	return []metrics.Stat{
		{Name: "targets", Help: "Targets of events.", Value: float64(len(list))},
		{Name: "targets_failing", Help: "Targets that did not take the last event.", Value: failing},
		{Name: "events_waiting", Help: "Events in the queues of targets.", Value: waiting},
		{Name: "events_sent_total", Help: "Events that targets have taken.", Counter: true, Value: sent},
		{Name: "failures_total", Help: "Attempts to send that failed.", Counter: true, Value: failures},
		{Name: "events_dropped_total", Help: "Events that found no room in a queue.", Counter: true, Value: dropped},
		{Name: "events_refused_total", Help: "Events that a target will never take.", Counter: true, Value: refused},
		{Name: "events_refused", Help: "Events that a target will never take, and that are kept until an administrator retries or discards them.", Value: kept},
	}
}
