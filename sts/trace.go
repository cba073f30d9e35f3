package sts

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/internal/reqlog"
)

// Trace gathers what became of a token, for administrators who try one. A nil *Trace gathers nothing,
// so that the code which judges tokens for logins can tell of itself.
type Trace struct {
	Verified bool           // a known provider has signed the token, for us, and it has not ended
	Claims   map[string]any // as they are in the token, completed by userinfo; nil when it can't be read
	Steps    []Step
	Rules    []Rule

	reason string // of a refusal, for administrators
}

// Step is one check of a token.
type Step struct {
	Name   string
	Result string
	Failed bool
}

// Rule is one way by which a token gives rights.
type Rule struct {
	Name    string // rolePolicy, claim, groups, tags, sourceIdentity, attached
	Claim   string // that was looked for; "" for none
	Found   bool
	Values  []string
	Used    []string
	Unknown []string // which this server does not have, or does not take
	Result  string
}

// Say adds a step that has succeeded.
func (t *Trace) Say(step, format string, args ...any) {
	if t != nil {
		t.Steps = append(t.Steps, Step{step, fmt.Sprintf(format, args...), false})
	}
}

// Fail adds a step that has failed, if err is an error, and returns it.
func (t *Trace) Fail(step string, err error) error {
	var r *Rejection
	var e *Error
	switch {
	case t == nil || err == nil:
		return err
	case errors.As(err, &r) && r.Reason != "":
		t.Steps = append(t.Steps, Step{step, r.Reason, true})
	case errors.As(err, &r):
		t.Steps = append(t.Steps, Step{step, r.Message, true})
	case errors.As(err, &e):
		t.Steps = append(t.Steps, Step{step, e.Message, true})
	default:
		t.Steps = append(t.Steps, Step{step, err.Error(), true})
	}
	return err
}

// Rule adds a rule that was tried.
func (t *Trace) Rule(r Rule) {
	if t != nil {
		t.Rules = append(t.Rules, r)
	}
}

// Trial is what would become of a token.
type Trial struct {
	Trace
	Person   *Person     // nil unless the token is good
	User     string      // qualified name; "" unless the token is good
	Grants   *iam.Grants // that the session would have; nil for a refusal
	Policies []string    // all that would count, in byte order: the token's, the user's, those of the groups
	Groups   []string    // likewise
	Expires  time.Time   // when the session would end
	// Refusal is what AssumeRoleWithWebIdentity would answer; nil when it would issue a session. Reason is
	// for administrators, "" when the message says all.
	Refusal *Error
	Reason  string
}

// TryWebIdentity does with a token what AssumeRoleWithWebIdentity does, by the same code, but for the
// session: nothing is written, no refusal is kept, and the limit of bad tokens does not count. r is
// the request of the administrator who tries; policies see its address. t.Trace is replaced.
func TryWebIdentity(c Config, r *http.Request, t WebToken) *Trial {
	out := &Trial{}
	t.Trace = &out.Trace
	ev := *reqlog.From(r.Context())
	ev.ID = "" // so that no refusal is kept under it
	k := &call{Service: &Service{Config: c}, r: r, ev: &ev, trace: t.Trace}
	n := iam.NewSession{Name: "session", Remote: ev.Remote}
	err := k.checkToken(&t)
	if err == nil {
		n.Duration, err = k.duration(0, iam.MaxSession)
	}
	if err == nil {
		out.Person, err = k.judgeToken(&n, t)
	}
	out.User = n.External
	if err == nil {
		out.Grants, out.Expires = n.Grants, k.now().Add(k.lasts).UTC().Truncate(time.Second)
		out.Policies, out.Groups, err = k.allRights(&n)
	}
	if err != nil {
		out.Refusal, out.Reason = asError(err), t.Trace.reason
		if out.Reason == out.Refusal.Message {
			out.Reason = ""
		}
		return out
	}
	out.Say("session", "a login would get a session until %s", out.Expires.Format(time.RFC3339))
	return out
}

// allRights returns the policies and groups that count for the session n.
func (c *call) allRights(n *iam.NewSession) (policies, groups []string, err error) {
	u, err := c.IAM.User(n.External)
	if err != nil && !errors.Is(err, iam.ErrNoSuchUser) {
		return nil, nil, err
	}
	groups = slices.Concat(n.Grants.Groups, u.Groups)
	policies = slices.Concat(n.Grants.Policies, u.Policies)
	for _, name := range groups {
		g, err := c.IAM.Group(name)
		if err != nil && !errors.Is(err, iam.ErrNoSuchGroup) {
			return nil, nil, err
		}
		policies = append(policies, g.Policies...)
	}
	slices.Sort(policies)
	slices.Sort(groups)
	return slices.Compact(policies), slices.Compact(groups), nil
}
