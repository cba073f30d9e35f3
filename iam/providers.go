package iam

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// ProviderOf returns which provider of identities a credential of a user comes from: "" for a local user,
// else the source, which for an OpenID Connect provider whose name is known has a colon and the name behind
// it: "ldap", "tls", "custom", "openid:NAME".
func ProviderOf(user string, g *Grants) string {
	source, _ := SplitName(user)
	if source == SourceOpenID && g != nil && g.Provider != "" {
		return source + ":" + g.Provider
	}
	return source
}

// FromProvider tells whether what ProviderOf returned is of a provider: "openid" stands for all of that kind.
// Credentials of which only the kind is known belong to all providers of the kind.
func FromProvider(of, provider string) bool {
	if of == "" || provider == "" {
		return false
	}
	kind, _, named := strings.Cut(provider, ":")
	return of == provider || !named && strings.HasPrefix(of, kind+":") || named && of == kind
}

// SessionsOf returns the live sessions of the people of a provider (FromProvider), in byte order of their
// access keys.
func (s *Service) SessionsOf(provider string) []Session {
	return slices.DeleteFunc(s.Sessions(""), func(ss Session) bool { return !FromProvider(ss.Provider, provider) })
}

// RevokeProvider ends the sessions of the people of a provider (FromProvider) at once, and returns how many
// there were.
func (s *Service) RevokeProvider(ctx context.Context, provider string) (int, error) {
	return s.revokeWhere(ctx, func(of string) bool { return FromProvider(of, provider) })
}

// KeepProviders ends the sessions of people whose provider is not among those that are given, which are as of
// ProviderOf, and returns how many there were: a provider that is not configured any more vouches for nobody.
// A server calls it when it starts.
func (s *Service) KeepProviders(ctx context.Context, providers []string) (int, error) {
	return s.revokeWhere(ctx, func(of string) bool {
		return of != "" && !slices.ContainsFunc(providers, func(p string) bool { return FromProvider(of, p) })
	})
}

func (s *Service) revokeWhere(ctx context.Context, gone func(provider string) bool) (int, error) {
	var names []string
	s.snap.Load().sessions.all(func(name string, ss *session) bool {
		if gone(ProviderOf(ss.UserName, ss.Grants)) {
			names = append(names, name)
		}
		return true
	})
	if err := s.deleteAll(ctx, kindSession, names); err != nil {
		return 0, fmt.Errorf("revoke sessions of a provider: %w", err)
	}
	return len(names), nil
}

// Counts are how many identities there are. Sessions may have among them some that have just expired, and root is
// none of the users.
type Counts struct{ Users, Groups, Policies, Keys, Sessions int }

// Counts returns how many identities there are, without a look at each.
func (s *Service) Counts() Counts {
	sn := s.snap.Load()
	out := Counts{Users: sn.users.n, Keys: sn.keys.n, Sessions: sn.sessions.n}
	// Of groups and policies that are gone, places may be left.
	sn.groups.all(func(_ string, sl *groupSlot) bool {
		if sl.current.Load() != nil {
			out.Groups++
		}
		return true
	})
	sn.policies.all(func(_ string, sl *policySlot) bool {
		if sl.current.Load() != nil {
			out.Policies++
		}
		return true
	})
	return out
}

// SessionsByProvider counts the sessions by ProviderOf, "" for local users; some of them may have just expired.
func (s *Service) SessionsByProvider() map[string]int {
	out := map[string]int{}
	s.snap.Load().sessions.all(func(_ string, ss *session) bool {
		out[ProviderOf(ss.UserName, ss.Grants)]++
		return true
	})
	return out
}
