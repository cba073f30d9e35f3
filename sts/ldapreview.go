package sts

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/objsrv/objsrv/iam"
)

// Review asks the directory, again and again, whether the people who have credentials from it are
// still there and in their groups. Who has gone loses all sessions, and access keys are disabled;
// nothing is deleted, since an administrator may know better. A session whose person has left a group
// that it has rights of ends; access keys get the groups of now. While the directory can't be asked,
// nothing changes (S-216). While nobody has such credentials, it sleeps until identities change.
type Review struct {
	IAM       *iam.Service
	Directory Directory
	Interval  time.Duration
	Log       *slog.Logger
}

// Run reviews until ctx ends.
func (r *Review) Run(ctx context.Context) {
	for {
		changed := r.IAM.Changed()
		people := r.people()
		switch err := r.review(ctx, people); {
		case ctx.Err() != nil:
			return
		case err != nil:
			r.Log.Warn("the LDAP directory can't be asked whether people are still there; their credentials stay as they are", "people", len(people), "error", err)
		}
		if len(people) == 0 {
			select {
			case <-changed:
			case <-ctx.Done():
				return
			}
		}
		timer := time.NewTimer(r.Interval)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// holder is a person with credentials.
type holder struct {
	user     string // qualified
	sessions []iam.Session
	keys     []iam.AccessKey // that are enabled
	DirectoryEntry
}

// people are those of the directory who have credentials.
func (r *Review) people() []holder {
	var out []holder
	for _, u := range r.IAM.Users() {
		if u.Source != iam.SourceLDAP || u.Damaged != "" {
			continue
		}
		h := holder{user: u.Name, sessions: r.IAM.Sessions(u.Name)}
		_, h.DN = iam.SplitName(u.Name)
		var newest time.Time
		know := func(g *iam.Grants, created time.Time) {
			// The directory's own spelling, which some of its attributes may need.
			if g == nil || len(g.Claims["ldap:user"]) != 1 || created.Before(newest) || iam.QualifiedName(iam.SourceLDAP, g.Claims["ldap:user"][0]) != u.Name {
				return
			}
			newest, h.DN, h.Name, h.Groups = created, g.Claims["ldap:user"][0], "", g.Claims["ldap:groups"]
			if names := g.Claims["ldap:username"]; len(names) == 1 {
				h.Name = names[0]
			}
		}
		for i := range h.sessions {
			know(h.sessions[i].Grants, h.sessions[i].Created)
		}
		for _, name := range u.AccessKeys {
			if k, err := r.IAM.AccessKey(name); err == nil && k.Enabled {
				h.keys = append(h.keys, k)
				know(k.Grants, k.Created)
			}
		}
		if len(h.sessions)+len(h.keys) > 0 {
			out = append(out, h)
		}
	}
	return out
}

// review asks for people and does what follows.
func (r *Review) review(ctx context.Context, people []holder) error {
	if len(people) == 0 {
		return nil
	}
	entries := make([]DirectoryEntry, len(people))
	for i := range people {
		entries[i] = people[i].DirectoryEntry
	}
	return r.Directory.Review(ctx, entries, func(i int, now *DirectoryEntry) error {
		var err error
		if now == nil {
			err = r.gone(ctx, &people[i])
		} else {
			err = r.regroup(ctx, &people[i], now)
		}
		if err != nil {
			return fmt.Errorf("review %s: %w", people[i].user, err)
		}
		return nil
	})
}

// gone takes the credentials of a person who is not in the directory any more.
func (r *Review) gone(ctx context.Context, h *holder) error {
	n, err := r.IAM.RevokeSessions(ctx, h.user, "")
	if err != nil && !errors.Is(err, iam.ErrNoSuchUser) {
		return err
	}
	off := false
	for i := range h.keys {
		if _, err := r.IAM.UpdateAccessKey(ctx, h.keys[i].AccessKey, iam.AccessKeyUpdate{Enabled: &off}); err != nil && !errors.Is(err, iam.ErrNoSuchKey) {
			return err
		}
	}
	r.Log.Warn("a person is not in the LDAP directory any more: sessions end, access keys are disabled", "user", h.user, "sessions", n, "keys", len(h.keys))
	return nil
}

// regroup brings credentials in line with the groups that the person is in now.
func (r *Review) regroup(ctx context.Context, h *holder, now *DirectoryEntry) error {
	g, err := GrantsOf(r.IAM, now)
	if err != nil {
		return err
	}
	for i := range h.sessions {
		s := &h.sessions[i]
		if s.Grants == nil || !left(s.Grants.Groups, g.Groups) {
			continue
		}
		if err := r.IAM.RevokeSession(ctx, s.AccessKey); err != nil && !errors.Is(err, iam.ErrNoSuchKey) {
			return err
		}
		r.Log.Info("a session ends, since its person has left a group in the LDAP directory", "user", h.user, "session", s.AccessKey)
	}
	for i := range h.keys {
		k := &h.keys[i]
		next := withGroups(k.Grants, g)
		if k.Grants != nil && slices.Equal(k.Grants.Groups, next.Groups) && slices.Equal(k.Grants.Claims["ldap:groups"], next.Claims["ldap:groups"]) {
			continue
		}
		if _, err := r.IAM.UpdateAccessKey(ctx, k.AccessKey, iam.AccessKeyUpdate{Grants: next}); err != nil && !errors.Is(err, iam.ErrNoSuchKey) {
			return err
		}
		r.Log.Info("an access key has other groups, as its person in the LDAP directory", "user", h.user, "key", k.AccessKey)
	}
	return nil
}

// left tells whether a group of the directory is in before and not in now.
func left(before, now []string) bool {
	return slices.ContainsFunc(before, func(name string) bool {
		source, _ := iam.SplitName(name)
		return source == iam.SourceLDAP && !slices.Contains(now, name)
	})
}

// withGroups returns old with the groups of now, and the rest of now where old has nothing.
func withGroups(old, now *iam.Grants) *iam.Grants {
	next := &iam.Grants{Groups: now.Groups, Claims: map[string][]string{}}
	for key, values := range now.Claims {
		next.Claims[key] = values
	}
	if old == nil {
		return next
	}
	next.Policies, next.Provider = old.Policies, old.Provider
	for key, values := range old.Claims {
		if key != "ldap:groups" {
			next.Claims[key] = values
		}
	}
	return next
}
