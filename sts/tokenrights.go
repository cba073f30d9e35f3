package sts

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/objsrv/objsrv/iam"
)

// grantsOf returns what the token of p gives user, unless that is nothing, or the user may not have
// a session. Policies that do not exist are left out: a provider names more than this server has.
func (c *call) grantsOf(user string, p *Person) (*iam.Grants, error) {
	g := &iam.Grants{Provider: p.Provider, Claims: claimKeys(p.Claims)}
	var err error
	if g.Policies, err = c.tokenPolicies(p); err != nil {
		return nil, err
	}
	if g.Groups, err = c.tokenGroups(user, p); err != nil {
		return nil, err
	}
	g.Claims["aws:federatedprovider"] = []string{strings.TrimPrefix(p.Issuer, "https://")}
	u, err := c.IAM.User(user)
	if err != nil && !errors.Is(err, iam.ErrNoSuchUser) {
		return nil, err
	}
	c.sayUser(user, &u, err == nil)
	if len(g.Policies)+len(g.Groups)+len(u.Policies)+len(u.Groups) == 0 {
		return nil, c.trace.Fail("rights", c.rejected(actionWebIdentity, &Rejection{RejectedClaim, noPolicy(p), ""}))
	}
	if err := c.admit(actionWebIdentity, user, g); err != nil {
		return nil, c.trace.Fail("rights", err)
	}
	return g, c.addTags(user, &p.Tags, g)
}

// tokenPolicies returns those policies of the token or its role that exist here.
func (c *call) tokenPolicies(p *Person) ([]string, error) {
	have, err := c.existing(p.Policies)
	if err != nil {
		return nil, err
	}
	r := Rule{Name: "claim", Claim: p.Claim, Found: p.Claimed, Values: p.Policies, Used: have, Unknown: slices.DeleteFunc(slices.Clone(p.Policies), func(n string) bool { return slices.Contains(have, n) })}
	switch {
	case p.Claim == "":
		r.Name, r.Found, r.Result = "rolePolicy", true, "everybody with a token of the provider has the policies of its role"
	case !p.Claimed:
		r.Result = "the token has no such claim"
	case len(p.Policies) == 0:
		r.Result = "the claim is there and names no policy: a string, or a list of strings, is expected"
	case len(have) == 0:
		r.Result = "no policy of these names is on this server"
	default:
		r.Result = "the claim names policies of this server"
	}
	c.trace.Rule(r)
	return have, nil
}

// tokenGroups returns those groups of the token that exist here; a disabled one locks its members out.
func (c *call) tokenGroups(user string, p *Person) (groups []string, err error) {
	var unknown []string
	for _, name := range slices.Compact(slices.Sorted(slices.Values(p.Groups))) {
		if source, _ := iam.SplitName(name); source != iam.SourceLocal {
			unknown = append(unknown, name)
			continue // a provider speaks for no other one's groups
		}
		group, err := c.IAM.Group(name)
		switch {
		case err == nil && !group.Enabled:
			c.refuse(actionWebIdentity, user, "the group "+name+" is disabled")
			return nil, c.trace.Fail("groups", errDenied("The group %s of the token is disabled on this server.", printable(name)))
		case err == nil:
			groups = append(groups, name)
		case errors.Is(err, iam.ErrNoSuchGroup):
			unknown = append(unknown, name)
		default:
			return nil, err
		}
	}
	if p.GroupsClaim != "" {
		c.trace.Rule(Rule{Name: "groups", Claim: p.GroupsClaim, Found: len(p.Groups) > 0, Values: p.Groups, Used: groups, Unknown: unknown,
			Result: "groups of the claim that are groups of this server count"})
	}
	return groups, nil
}

// sayUser tells a trace of the user as it is here.
func (c *call) sayUser(name string, u *iam.User, there bool) {
	switch {
	case c.trace == nil:
	case !there:
		c.trace.Say("user", "%s is made with the first login", name)
	default:
		state := "enabled"
		if !u.Enabled {
			state = "disabled"
		}
		c.trace.Say("user", "%s is here, and %s", name, state)
		c.trace.Rule(Rule{Name: "attached", Found: len(u.Policies)+len(u.Groups) > 0, Values: u.Policies, Used: u.Policies,
			Result: "policies that administrators have attached to the user; it is in the groups: " + orNone(u.Groups)})
	}
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// noPolicy tells the holder of a good token why it is worth nothing here.
func noPolicy(p *Person) string {
	switch {
	case p.Claim == "":
		return "None of the policies of the provider's role exists on this server."
	case len(p.Policies) > 0:
		return fmt.Sprintf("The claim %s names the policies %s, none of which exists on this server.", printable(p.Claim), list(p.Policies))
	}
	return fmt.Sprintf("The claim %s names no policy. The token has the claims %s.", printable(p.Claim), list(p.Names))
}

// list shows names that the client may see, but not without end.
func list(names []string) string {
	var b strings.Builder
	for i, n := range names {
		if i > 0 {
			b.WriteString(", ")
		}
		if b.Len() > 600 {
			return b.String() + "..."
		}
		b.WriteString(printable(n))
	}
	return b.String()
}
