package sts

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/objsrv/objsrv/iam"
)

// externalSession reads what a request says of the session of an external user. Until CreateSession
// nothing is written.
func (c *call) externalSession() (n iam.NewSession, err error) {
	n = iam.NewSession{Name: c.form.Get("RoleSessionName"), RevokeType: c.form.Get("TokenRevokeType"), Remote: c.ev.Remote}
	if !c.form.Has("RoleSessionName") {
		n.Name = "session"
	} else if !sessionName.MatchString(n.Name) {
		return n, invalid("RoleSessionName has the form 2 to 64 letters, digits and _ + = , . @ -.")
	}
	if n.Policy, n.Policies, err = c.sessionPolicy(); err != nil {
		return n, err
	}
	n.Duration, err = c.duration(defaultDuration, iam.MaxSession)
	return n, err
}

// admit tells whether user may have a session with grants by an action: not one who is disabled
// here, and not one whom a policy denies it.
func (c *call) admit(action, user string, g *iam.Grants) error {
	u, err := c.IAM.User(user)
	if err != nil && !errors.Is(err, iam.ErrNoSuchUser) {
		return err
	}
	if err == nil && !u.Enabled {
		c.refuse(action, user, "the user is disabled")
		return errDenied("The user is disabled on this server.")
	}
	d, err := c.IAM.AuthorizeExternal(user, g, iam.Request{Action: action, NoAllow: true, Conditions: conditions{c}, RequestID: c.ev.ID, Remote: c.ev.Remote})
	if err != nil {
		return err
	}
	if d.Explicit {
		return errDenied("A policy denies %s.", action)
	}
	return nil
}

// existing returns those of the policies that this server has: who names them may know more.
func (c *call) existing(names []string) (have []string, err error) {
	for _, name := range names {
		if _, err := c.IAM.Policy(name); err == nil {
			have = append(have, name)
		} else if !errors.Is(err, iam.ErrNoSuchPolicy) {
			return nil, err // what can't be read might have denied
		}
	}
	return have, nil
}

// claimKeys makes condition keys of claims. Names of keys know no case: where claims differ in case
// only, the lower-case one is meant, else the first of them.
func claimKeys(claims map[string][]string) map[string][]string {
	keys := map[string][]string{}
	for _, name := range slices.Backward(slices.Sorted(maps.Keys(claims))) {
		lower := strings.ToLower(name)
		if _, exact := claims[lower]; name == lower || !exact {
			keys["jwt:"+lower] = claims[name]
		}
	}
	return keys
}

// rejected keeps the reason of a refused proof for administrators and returns what the client is
// told.
func (c *call) rejected(action string, err error) error {
	var r *Rejection
	if !errors.As(err, &r) {
		return err
	}
	why := r.Reason
	if why == "" {
		why = r.Message
	}
	c.refuse(action, "", why)
	status := http.StatusBadRequest
	if r.Code == RejectedClaim || r.Code == AccessDenied {
		status = http.StatusForbidden
	}
	return &Error{status, r.Code, r.Message}
}

func (c *call) refuse(action, principal, why string) {
	if c.trace != nil {
		c.trace.reason = why
		return
	}
	c.IAM.Refuse(iam.Refusal{RequestID: c.ev.ID, Principal: principal, Remote: c.ev.Remote, Action: action, Statement: why})
}

// externalResult is what the answers for certificates and custom tokens have, as in MinIO.
type externalResult struct {
	AssumedRoleUser  assumedRoleUser
	Credentials      credentials
	PackedPolicySize *int `xml:",omitempty"`
}

// issueExternal makes the session of n.External with the role's name, after admit.
func (c *call) issueExternal(n *iam.NewSession, role string) (externalResult, error) {
	n.ARN = "arn:aws:sts::" + c.IAM.Account() + ":assumed-role/" + role + "/" + n.Name
	s, cred, err := c.IAM.CreateSession(c.r.Context(), *n)
	if err != nil {
		return externalResult{}, err
	}
	c.ev.Principal = n.ARN
	return externalResult{
		AssumedRoleUser: assumedRoleUser{Arn: n.ARN, AssumedRoleID: cred.Identity.ID + ":" + n.Name},
		Credentials:     shown(&cred, &s), PackedPolicySize: packedSize(n),
	}, nil
}
