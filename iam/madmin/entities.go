package madmin

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/objsrv/objsrv/iam"
)

// entities is the answer to policy-entities.
type entities struct {
	Timestamp      time.Time        `json:"timestamp"`
	UserMappings   []userEntities   `json:"userMappings,omitempty"`
	GroupMappings  []groupEntities  `json:"groupMappings,omitempty"`
	PolicyMappings []policyEntities `json:"policyMappings,omitempty"`
}

type userEntities struct {
	User     string          `json:"user"`
	Policies []string        `json:"policies"`
	MemberOf []groupEntities `json:"memberOfMappings,omitempty"`
}

type groupEntities struct {
	Group    string   `json:"group"`
	Policies []string `json:"policies"`
}

type policyEntities struct {
	Policy string   `json:"policy"`
	Users  []string `json:"users"`
	Groups []string `json:"groups"`
}

func (c *call) entitiesBuiltin() error { return c.policyEntities(iam.SourceLocal) }
func (c *call) entitiesLDAP() error    { return c.policyEntities(iam.SourceLDAP) }

// policyEntities tells which policies the named users and groups of a source have, and who has
// the named policies, or any when nothing is named. Who has none is left out.
func (c *call) policyEntities(source string) error {
	users, groups, policies := c.query["user"], c.query["group"], c.query["policy"]
	for _, list := range [][]string{users, groups, policies} {
		for _, n := range list {
			if _, err := checkName(n); err != nil {
				return err
			}
		}
	}
	out := entities{Timestamp: time.Now().UTC()}
	byGroup := map[string]iam.Group{}
	for _, g := range c.groups() {
		byGroup[g.Name] = g
	}
	for _, n := range unique(users) {
		u, err := c.IAM.User(iam.QualifiedName(source, n))
		if err != nil {
			continue
		}
		e := userEntities{User: n, Policies: orNil(u.Policies)}
		for _, g := range u.Groups {
			if p := byGroup[g].Policies; len(p) > 0 {
				e.MemberOf = append(e.MemberOf, groupEntities{plainName(g), p})
			}
		}
		if e.Policies != nil || e.MemberOf != nil {
			out.UserMappings = append(out.UserMappings, e)
		}
	}
	for _, n := range unique(groups) {
		if p := byGroup[iam.QualifiedName(source, n)].Policies; len(p) > 0 {
			out.GroupMappings = append(out.GroupMappings, groupEntities{n, p})
		}
	}
	if len(policies) > 0 || len(users)+len(groups) == 0 {
		out.PolicyMappings = c.holders(source, policies)
	}
	return c.replySealed(out)
}

// holders tells who has each of the named policies, or each policy that somebody has.
func (c *call) holders(source string, policies []string) []policyEntities {
	found := map[string]*policyEntities{}
	add := func(names []string, list func(*policyEntities) *[]string, who string) {
		for _, p := range names {
			if len(policies) > 0 && !slices.Contains(policies, p) {
				continue
			}
			if found[p] == nil {
				found[p] = &policyEntities{Policy: p}
			}
			to := list(found[p])
			*to = append(*to, plainName(who))
		}
	}
	for _, u := range c.users() {
		if u.Source == source {
			add(u.Policies, func(e *policyEntities) *[]string { return &e.Users }, u.Name)
		}
	}
	for _, g := range c.groups() {
		if g.Source == source && g.Damaged == "" {
			add(g.Policies, func(e *policyEntities) *[]string { return &e.Groups }, g.Name)
		}
	}
	var out []policyEntities
	for _, e := range found {
		out = append(out, *e)
	}
	slices.SortFunc(out, func(a, b policyEntities) int { return strings.Compare(a.Policy, b.Policy) })
	return out
}

// unique sorts names and drops repetitions.
func unique(names []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(names)))
}

// orNil is null in JSON for no names, as in MinIO.
func orNil(names []string) []string {
	if len(names) == 0 {
		return nil
	}
	return names
}

// rights returns one document with all statements of the policies of a user and its groups, and of what a
// credential has besides, as clients show what a key without a policy of its own may. Root's is that of
// consoleAdmin, and the root of an account has all that belongs to accounts.
func (c *call) rights(parent string, more *iam.Grants) (json.RawMessage, error) {
	names := []string{"consoleAdmin"}
	switch {
	case parent != c.root():
		u, err := c.IAM.User(parent)
		if err != nil {
			return nil, err
		}
		names = slices.Clone(u.Policies)
		groups := u.Groups
		if more != nil {
			names, groups = append(names, more.Policies...), slices.Concat(groups, more.Groups)
		}
		for _, n := range groups {
			if g, err := c.IAM.Group(n); err == nil && g.Enabled {
				names = append(names, g.Policies...)
			}
		}
	case c.IAM.Bounded():
		return json.Marshal(document{"2012-10-17", []any{map[string]any{
			"Effect": "Allow", "Action": iam.AccountActions(), "Resource": []string{"arn:aws:s3:::*"},
		}}})
	}
	out := document{"2012-10-17", []any{}}
	for _, n := range unique(names) {
		p, err := c.IAM.Policy(n)
		if err != nil || p.Damaged != "" {
			continue
		}
		list, err := statements(p.Document)
		if err != nil {
			return nil, err
		}
		for _, st := range list {
			out.Statement = append(out.Statement, st)
		}
	}
	return json.Marshal(out)
}

// document is a policy that is made here.
type document struct {
	Version   string
	Statement []any
}

// statements returns the statements of a document, which has one or a list of them.
func statements(doc json.RawMessage) ([]json.RawMessage, error) {
	var p struct{ Statement json.RawMessage }
	if err := json.Unmarshal(doc, &p); err != nil {
		return nil, err
	}
	var list []json.RawMessage
	if json.Unmarshal(p.Statement, &list) == nil {
		return list, nil
	}
	return []json.RawMessage{p.Statement}, nil
}
