package loadgen

import (
	"context"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
)

// Names of the phases that are compared with each other.
const (
	phaseGetKeys    = "GET 4 KiB"
	phaseGetSession = "GET 4 KiB, session"
)

// SessionPhases returns the phases of temporary credentials, in the order in which they must run:
// what it takes to get them from AssumeRole of the Security Token Service, and what a GET with
// them costs beside one with the keys of whoever asked for them.
func SessionPhases() []Phase {
	return []Phase{
		{Name: "AssumeRole", Goal: 10, warm: 20, loop: true, prepare: prepareAssume, verify: verifyAssume, done: doneAssume},
		{Name: phaseGetKeys, Size: small, warm: 20, loop: true, prepare: prepareRead(http.MethodGet), verify: verifyGet},
		{Name: phaseGetSession, Size: small, warm: 20, loop: true, prepare: prepareSessionRead, verify: verifySessionGet},
	}
}

// SessionCost returns how much more processor time of the server a GET took with temporary
// credentials than with a user's keys: the median of the differences of each round, in
// microseconds. ok is false when the phases have not been measured on the target.
func (r *Report) SessionCost(target string) (us float64, ok bool) {
	keys := map[int]Sample{}
	for _, s := range r.Samples {
		if s.Target == target && s.Phase == phaseGetKeys {
			keys[s.Round] = s
		}
	}
	var with []Sample
	for _, s := range r.Samples {
		if _, found := keys[s.Round]; found && s.Target == target && s.Phase == phaseGetSession {
			with = append(with, s)
		}
	}
	if len(with) == 0 {
		return 0, false
	}
	return median(with, func(s Sample) float64 { return float64(s.ServerCPU-keys[s.Round].ServerCPU) / 1e3 }), true
}

// assume is an AssumeRole with the caller's own rights, the i-th of its kind.
func assume(t *Target, i int) Request {
	return t.Form(url.Values{
		"Action": {"AssumeRole"}, "Version": {"2011-06-15"}, "DurationSeconds": {"3600"},
		"RoleArn": {"arn:aws:iam::123456789012:role/bench"}, "RoleSessionName": {"bench-" + strconv.Itoa(i)},
	})
}

func prepareAssume(s *session, n int) []Request {
	return build(min(n, s.objects), func(i int) Request { return assume(s.target, i) })
}

// verifyAssume reads the credentials of one answer, and an object with them.
func verifyAssume(ctx context.Context, s *session) error {
	if err := s.login(ctx); err != nil {
		return err
	}
	return verifySessionGet(ctx, s)
}

// login gets temporary credentials.
func (s *session) login(ctx context.Context) error {
	temp, err := s.target.Assume(ctx)
	if err != nil {
		return err
	}
	s.temp = *temp
	return nil
}

// Assume sends an AssumeRole outside any measurement and returns the target as the temporary
// credentials see it.
func (t *Target) Assume(ctx context.Context) (*Target, error) {
	body, err := t.exchange(ctx, assume(t, 0))
	if err != nil {
		return nil, fmt.Errorf("AssumeRole: %w", err)
	}
	var answer struct {
		Result struct {
			Credentials struct {
				AccessKeyID     string `xml:"AccessKeyId"`
				SecretAccessKey string
				SessionToken    string
			}
		} `xml:"AssumeRoleResult"`
	}
	if err := xml.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("AssumeRole: %w", err)
	}
	c := answer.Result.Credentials
	if c.AccessKeyID == "" || c.SecretAccessKey == "" || c.SessionToken == "" {
		return nil, fmt.Errorf("AssumeRole: the answer lacks credentials")
	}
	temp := *t
	temp.AccessKey, temp.SecretKey, temp.SessionToken = c.AccessKeyID, c.SecretAccessKey, c.SessionToken
	return &temp, nil
}

// doneAssume ends the sessions by MinIO's route for it: a user of objsrv has at most 100 000.
func doneAssume(ctx context.Context, s *session, _ int) error {
	_, err := s.target.One(ctx, http.MethodPost, "/minio/admin/v3/revoke-tokens/builtin", url.Values{"fullRevoke": {"true"}}, Payload{})
	if err != nil {
		return fmt.Errorf("revoke sessions: %w", err)
	}
	return s.login(ctx)
}

func prepareSessionRead(s *session, n int) []Request {
	perm := order(s.objects)
	return build(min(n, s.objects), func(i int) Request {
		return s.temp.Request(http.MethodGet, s.path(dataKey(perm[i])), nil, Payload{}, small)
	})
}

func verifySessionGet(ctx context.Context, s *session) error {
	as := *s
	as.target = &s.temp
	return verifyGet(ctx, &as)
}
