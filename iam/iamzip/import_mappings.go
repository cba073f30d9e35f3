package iamzip

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/objsrv/objsrv/iam"
)

// planMappings plans which policies users and groups have.
func (p *planner) planMappings() {
	r := &p.report
	for _, name := range sorted(p.a.userPolicies) {
		p.mapping(name, p.a.userPolicies[name], p.localUser, p.setUser, &r.Added.UserPolicies, &r.Failed.UserPolicies)
	}
	for _, name := range sorted(p.a.groupPolicies) {
		p.mapping(name, p.a.groupPolicies[name], p.anyGroup, p.setGroup, &r.Added.GroupPolicies, &r.Failed.GroupPolicies)
	}
	for _, name := range sorted(p.a.stsPolicies) {
		p.mapping(name, p.a.stsPolicies[name], p.externalUser, p.setUser, &r.Added.STSPolicies, &r.Failed.STSPolicies)
	}
}

// mapping plans one user or group. A policy that failed to come in fails those who have it, since
// what it would have denied them is unknown; one that is nowhere, neither here nor in the archive,
// did nothing there either and is left out.
func (p *planner) mapping(name string, m mapping, find func(string) (string, error), set func(context.Context, string, []string) error, done *[]map[string][]string, failed *[]Failure) {
	policies := texts(m.Policy)
	fail := func(reason string) {
		*failed = append(*failed, Failure{Name: name, Policies: policies, Reason: reason})
	}
	qualified, err := find(name)
	if err != nil {
		fail(err.Error())
		return
	}
	var known, unknown []string
	for _, n := range policies {
		_, inArchive := p.a.policies[n]
		if _, err := p.IAM.Policy(n); err == nil || inArchive && !isEmpty(p.a.policies[n]) {
			known = append(known, n)
		} else {
			unknown = append(unknown, n)
		}
	}
	if len(unknown) > 0 {
		p.note("%s has policies that there are not: %.200s", name, strings.Join(unknown, ", "))
	}
	broken := func() string {
		if i := slices.IndexFunc(known, func(n string) bool { return p.broken[n] }); i >= 0 {
			return "the policy " + known[i] + " was not brought in"
		}
		return ""
	}
	if why := broken(); why != "" {
		fail(why)
		return
	}
	p.steps = append(p.steps, step{
		do:     func(ctx context.Context) error { return set(ctx, qualified, known) },
		needs:  broken,
		done:   func() { *done = append(*done, map[string][]string{name: policies}) },
		failed: fail,
	})
}

func (p *planner) localUser(name string) (string, error) {
	switch source, _ := iam.SplitName(name); {
	case name == p.IAM.RootUser():
		return "", errors.New("it is root, which has all rights and no policies")
	case source != iam.SourceLocal:
		return "", errors.New("it is an external user")
	case !p.users[name]:
		return "", iam.ErrNoSuchUser
	}
	return name, nil
}

// externalUser tells from the form of a name whose it is: a distinguished name is the
// directory's; names of certificates and plugins say so; what is left is the hash that stands for
// a person of an OpenID provider.
func (p *planner) externalUser(name string) (string, error) {
	source, _ := iam.SplitName(name)
	q := name
	switch {
	case strings.Contains(name, "="):
		q = iam.QualifiedName(iam.SourceLDAP, name)
	case source == iam.SourceTLS || source == iam.SourceCustom:
	default:
		q = iam.QualifiedName(iam.SourceOpenID, name)
	}
	return q, iam.CheckUserName(q)
}

// anyGroup finds a local group, or one of the directory.
func (p *planner) anyGroup(name string) (string, error) {
	switch {
	case p.groups[name]:
		return name, nil
	case strings.Contains(name, "="):
		q := iam.QualifiedName(iam.SourceLDAP, name)
		return q, iam.CheckGroupName(q)
	}
	return "", iam.ErrNoSuchGroup
}

func (p *planner) setUser(ctx context.Context, name string, policies []string) error {
	if err := p.makeExternal(ctx, name); err != nil {
		return err
	}
	_, err := p.IAM.UpdateUser(ctx, name, iam.UserUpdate{Policies: &policies})
	return err
}

func (p *planner) setGroup(ctx context.Context, name string, policies []string) error {
	_, err := p.IAM.UpdateGroup(ctx, name, iam.GroupUpdate{Policies: &policies})
	if source, _ := iam.SplitName(name); errors.Is(err, iam.ErrNoSuchGroup) && source != iam.SourceLocal {
		_, err = p.IAM.CreateGroup(ctx, iam.NewGroup{Name: name, Policies: policies})
	}
	return err
}
