package main

import (
	"context"
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
			Waiting: t.Waiting, Expected: t.Expected, Limit: t.Limit, Sent: t.Sent, Failures: t.Failures, Dropped: t.Dropped,
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
	return &adminapi.Refusal{Status: http.StatusNotFound, Code: "NoSuchTarget", Message: "There is no target of this name."}
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
	var waiting, sent, failures, dropped, failing float64
	list := s.notify.Status()
	for _, t := range list {
		waiting += float64(t.Waiting)
		sent += float64(t.Sent)
		failures += float64(t.Failures)
		dropped += float64(t.Dropped)
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
		{Name: "events_dropped_total", Help: "Events that found no room in a queue, or that a target will never take.", Counter: true, Value: dropped},
	}
}
