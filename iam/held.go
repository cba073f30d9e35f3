package iam

import "slices"

// Held returns the names of the policies that give an identity its rights, and of the groups that it is in,
// both in byte order: the user's own, those of its groups, and what its credential has beside them. What does
// not exist is left out; policies have the names that they have in the account. It says nothing of restrictions, nor of rights, which Authorize alone knows; root
// has everything without any.
func (s *Service) Held(id *Identity) (policies, groups []string) {
	policies, groups = []string{}, []string{}
	take := func(slots []*policySlot) {
		for _, sl := range slots {
			if sl.current.Load() != nil {
				policies = append(policies, nameFor(id.Account, sl.name))
			}
		}
	}
	join := func(sl *groupSlot, unique string) {
		if g := sl.current.Load(); g != nil && g.err == nil && g.is(unique, id.Account) {
			groups = append(groups, g.Name)
			take(g.slots)
		}
	}
	if u, ok := s.snap.Load().ids.get(id.ID); ok {
		take(u.slots)
		for i, sl := range u.groups {
			join(sl, u.Groups[i].ID)
		}
	}
	if id.scope != nil {
		take(id.scope.slots)
		for _, sl := range id.scope.groups {
			join(sl, "")
		}
	}
	slices.Sort(policies)
	slices.Sort(groups)
	return slices.Compact(policies), slices.Compact(groups)
}
