package events

import (
	"slices"
	"strings"
)

// Rule sends events of a bucket to one target.
type Rule struct {
	ID     string // of the configuration; "" when it has none
	Target string // name of the target, see ParseARN
	Filter
}

// Addressed is an event for one target.
type Addressed struct {
	Target string
	Event  Event
}

// Route returns what of e goes where: once to each target, under the name that the rule asks for. Nothing
// is added to the events but that.
func Route(rules []Rule, e *Event) (out []Addressed) {
	for i := range rules {
		r := &rules[i]
		name, ok := r.match(e)
		if !ok || slices.ContainsFunc(out, func(a Addressed) bool { return a.Target == r.Target }) {
			continue
		}
		a := Addressed{r.Target, *e}
		a.Event.Name, a.Event.Rule = name, r.ID
		out = append(out, a)
	}
	return out
}

// Notifier keeps events for targets until they have them. *notify.Hub is one.
type Notifier interface {
	// Known tells whether there is such a target.
	Known(target string) bool
	// Expect notes events that are about to happen, and returns when that is durable. What happens is told by
	// Happened of the result; the caller ends it in any case. After an error nothing may be done that was expected.
	Expect([]Addressed) (Expected, error)
	// Send keeps an event that has happened; lasting says that it must be durable when Send returns.
	Send(e Addressed, lasting bool) error
}

// Expected are events that were expected and have not happened yet.
type Expected interface {
	// Happened tells that the event of this place in the list has happened, and how.
	Happened(i int, e Event)
	// End forgets those that have not happened. With unknown they stay, and are looked into at the next start.
	End(unknown bool)
}

// Overlap tells whether two rules of one target can't stand side by side: an event that both have, and the same filter.
func (r *Rule) Overlap(o *Rule) bool {
	return r.Target == o.Target && r.Prefix == o.Prefix && r.Suffix == o.Suffix && Overlap(r.Names, o.Names)
}

// Overlap tells whether two lists of patterns have an event in common.
func Overlap(a, b []Pattern) bool {
	return slices.ContainsFunc(known, func(n Name) bool { return matches(a, n) && matches(b, n) })
}

func matches(list []Pattern, n Name) bool {
	return slices.ContainsFunc(list, func(p Pattern) bool { return p.Match(n) })
}

// ParseARN returns the name of a target, KIND:ID, from MinIO's form of it, arn:minio:sqs:REGION:ID:KIND. An empty
// region is any.
func ParseARN(arn, region string) (target string, ok bool) {
	p := strings.Split(arn, ":")
	if len(p) != 6 || p[0] != "arn" || p[1] != "minio" || p[2] != "sqs" || p[3] != "" && p[3] != region || p[4] == "" || p[5] == "" {
		return "", false
	}
	return p[5] + ":" + p[4], true
}

// ARN is the reverse of ParseARN.
func ARN(target, region string) string {
	kind, id, _ := strings.Cut(target, ":")
	return "arn:minio:sqs:" + region + ":" + id + ":" + kind
}
