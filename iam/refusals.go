package iam

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Refusal says why a request, or one of the questions it raised, was denied.
type Refusal struct {
	RequestID string    `json:"requestId"`
	Time      time.Time `json:"time"`
	Principal string    `json:"principal"` // ARN, "anonymous" without one
	AccessKey string    `json:"accessKey,omitempty"`
	Remote    string    `json:"remote,omitempty"`
	Action    string    `json:"action"`
	Bucket    string    `json:"bucket,omitempty"`
	Key       string    `json:"key,omitempty"`
	Statement string    `json:"statement,omitempty"` // what decided; "" when no statement matched
	Explicit  bool      `json:"explicit"`            // a Deny decided
}

// maxRefusals bounds the refusals that are kept, and maxKept the bytes that a client's
// names may take in one of them.
const (
	maxRefusals = 10000
	maxKept     = 256
)

// refusals is a ring of the last refusals, found by request id.
type refusals struct {
	mu   sync.Mutex
	ring []Refusal
	next int
}

func refusalOf(r *Request, d Decision, now time.Time) Refusal {
	out := Refusal{
		RequestID: r.RequestID, Time: now.UTC(), Principal: "anonymous", Remote: r.Remote,
		Action: r.Action, Bucket: cut(r.Bucket), Key: cut(r.Key), Statement: d.Statement, Explicit: d.Explicit,
	}
	if r.Identity != nil {
		out.Principal, out.AccessKey = r.Identity.ARN, r.Identity.AccessKey
	}
	return out
}

// cut copies at most maxKept bytes, so that a refusal keeps no request alive.
func cut(s string) string {
	if len(s) > maxKept {
		return s[:maxKept] + "..."
	}
	return string([]byte(s))
}

func (f *refusals) add(r Refusal) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.ring) < maxRefusals {
		f.ring = append(f.ring, r)
		return
	}
	f.ring[f.next] = r
	f.next = (f.next + 1) % maxRefusals
}

// each calls yield for the refusals from the newest to the oldest, until it returns false.
func (f *refusals) each(yield func(*Refusal) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := len(f.ring)
	for i := range n {
		if !yield(&f.ring[(f.next+n-1-i)%n]) {
			return
		}
	}
}

// Refuse keeps a refusal that Authorize did not make, such as one of the public access
// block. An empty Time means now.
func (s *Service) Refuse(r Refusal) {
	if r.Time.IsZero() {
		r.Time = s.now().UTC()
	}
	if r.Principal == "" {
		r.Principal = "anonymous"
	}
	r.Bucket, r.Key = cut(r.Bucket), cut(r.Key)
	s.refusals.add(r)
}

// Refusals returns what was refused to one request, the first refusal first. It is kept in memory:
// the last 10 000 refusals are, until the server ends.
func (s *Service) Refusals(requestID string) []Refusal {
	out := []Refusal{}
	s.refusals.each(func(r *Refusal) bool {
		if r.RequestID == requestID {
			out = append(out, *r)
		}
		return true
	})
	slices.Reverse(out)
	return out
}

// LastRefusals returns the last n refusals, the newest first.
func (s *Service) LastRefusals(n int) []Refusal {
	out := []Refusal{}
	s.refusals.each(func(r *Refusal) bool {
		if len(out) < n {
			out = append(out, *r)
		}
		return len(out) < n
	})
	return out
}

// Simulate decides what Authorize would decide for a principal: a qualified user name, an access
// key (its own policy counts), root's user name, or "" for the anonymous caller. Nothing of it is
// kept. ErrNoSuchUser when there is no such principal; a disabled one is decided as disabled.
func (s *Service) Simulate(principal string, r Request) (Decision, error) {
	r.RequestID = ""
	id, err := s.principal(principal)
	if err != nil {
		return Decision{}, fmt.Errorf("simulate: %w", err)
	}
	r.Identity = id
	return s.decide(&r), nil
}

// principal returns the identity that a name stands for, without a credential.
func (s *Service) principal(name string) (*Identity, error) {
	switch name {
	case "":
		return nil, nil
	case s.root.AccessKey:
		return s.root.Identity, nil
	}
	sn := s.snap.Load()
	if u, ok := sn.users.get(name); ok {
		return &Identity{Account: u.Account, ID: u.ID, Name: u.Name, ARN: u.arn}, nil
	}
	if k, ok := sn.keys.get(name); ok {
		return k.identity, nil
	}
	if ss, ok := sn.sessions.get(name); ok {
		return &ss.identity, nil
	}
	return nil, errors.Join(ErrNoSuchUser, sn.absent(kindUser, name, nil))
}
