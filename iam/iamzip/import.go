package iamzip

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/iam/policy"
)

// Importer brings archives into a service.
type Importer struct {
	IAM *iam.Service
	// By is who imports. Only root, or who has all of its rights, brings in access keys of root.
	// Nil is the server's own administrator, at its command line: it counts as root.
	By *iam.Identity
}

// ErrRestricted is the error for an Importer or Exporter whose By is restricted by policies of its
// own: an archive would make it more than it may be.
var ErrRestricted = errors.New("identities are not imported or exported by a restricted credential")

// Plan tells what Apply would do, and changes nothing. Errors: ErrArchive, ErrRestricted.
func (im *Importer) Plan(data []byte) (*Report, error) {
	p, err := im.plan(data)
	if err != nil {
		return nil, err
	}
	for _, s := range p.steps {
		s.done()
	}
	return &p.report, nil
}

// Apply brings an archive in, entry by entry: what fails is in the report with the reason, and
// keeps nothing else from being brought in but what needs it. Entries that are here already are
// replaced, secrets and policies included; what is here only, stays. Errors, before anything is
// changed: ErrArchive, ErrRestricted; that of ctx.
func (im *Importer) Apply(ctx context.Context, data []byte) (*Report, error) {
	p, err := im.plan(data)
	if err != nil {
		return nil, err
	}
	for _, s := range p.steps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if s.needs != nil {
			if why := s.needs(); why != "" {
				s.failed(why)
				continue
			}
		}
		if err := s.do(ctx); err != nil {
			s.failed(err.Error())
			continue
		}
		s.done()
	}
	return &p.report, nil
}

// step is one entry that will be brought in.
type step struct {
	do     func(context.Context) error
	needs  func() string // why it can't be done, by what has failed before
	done   func()        // reports it
	failed func(reason string)
}

// planner turns an archive into steps and a report of what it does not take.
type planner struct {
	*Importer
	a      *archive
	report Report
	steps  []step
	broken map[string]bool // policies of the archive that are not as they were there
	users  map[string]bool // local users that there will be: true for the deployment's, false for those of other accounts
	groups map[string]bool // and local groups
	now    time.Time
}

func (im *Importer) plan(data []byte) (*planner, error) {
	if im.By != nil && im.By.Restricted() {
		return nil, ErrRestricted
	}
	a, err := read(data)
	if err != nil {
		return nil, err
	}
	p := &planner{Importer: im, a: a, broken: map[string]bool{}, users: map[string]bool{}, groups: map[string]bool{}, now: time.Now()}
	for _, f := range a.ignored {
		p.note("the file %s is not known and was left out", f)
	}
	for _, u := range im.IAM.Users() {
		p.users[u.Name] = !p.elsewhere(u.Account)
	}
	for _, g := range im.IAM.Groups() {
		p.groups[g.Name] = !p.elsewhere(g.Account)
	}
	p.planPolicies()
	p.planUsers()
	p.planGroups()
	p.planKeys()
	p.planMappings()
	return p, nil
}

// elsewhere tells whether what has an account is of another one than the deployment's, which an archive means. What is
// damaged has none.
func (p *planner) elsewhere(account string) bool { return account != "" && account != p.IAM.Account() }

func isElsewhere(known map[string]bool, name string) bool {
	here, found := known[name]
	return found && !here
}

var errElsewhere = errors.New("the name is taken in another account")

func (p *planner) note(format string, args ...any) {
	p.report.Notes = append(p.report.Notes, fmt.Sprintf(format, args...))
}

// add plans one entry whose name goes to one list of the report or the other.
func (p *planner) add(name string, done *[]string, failed *[]Failure, do func(context.Context) error) *step {
	p.steps = append(p.steps, step{
		do:     do,
		done:   func() { *done = append(*done, name) },
		failed: func(reason string) { *failed = append(*failed, Failure{Name: name, Reason: reason}) },
	})
	return &p.steps[len(p.steps)-1]
}

// sorted returns the names of a document in byte order, so that every run does the same.
func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// planPolicies plans policies. Canned ones stay what they are here.
func (p *planner) planPolicies() {
	r := &p.report
	for _, name := range sorted(p.a.policies) {
		doc := p.a.policies[name]
		switch {
		case isEmpty(doc):
			p.add(name, &r.Removed.Policies, &r.Failed.Policies, func(ctx context.Context) error {
				if err := p.IAM.DeletePolicy(ctx, name); !errors.Is(err, iam.ErrNoSuchPolicy) {
					return err
				}
				return nil
			})
			continue
		case p.isCanned(name):
			r.Skipped.Policies = append(r.Skipped.Policies, name)
			if have, err := p.IAM.Policy(name); err != nil || !sameDocument(have.Document, doc) {
				p.note("the policy %s is another one in the archive; that of this server stays", name)
			}
			continue
		}
		if err := errors.Join(iam.CheckPolicyName(name), compile(name, doc)); err != nil {
			p.broken[name] = true
			r.Failed.Policies = append(r.Failed.Policies, Failure{Name: name, Reason: err.Error()})
			continue
		}
		s := p.add(name, &r.Added.Policies, &r.Failed.Policies, func(ctx context.Context) error {
			_, err := p.IAM.SetPolicy(ctx, name, doc)
			return err
		})
		failed := s.failed
		s.failed = func(reason string) {
			p.broken[name] = true
			failed(reason)
		}
	}
}

func (p *planner) isCanned(name string) bool {
	have, err := p.IAM.Policy(name)
	return err == nil && have.Canned
}

func compile(name string, doc []byte) error {
	_, err := policy.Compile(name, doc, policy.Identity)
	return err
}

// isEmpty tells the policy without version and statements, which stands for none.
func isEmpty(doc json.RawMessage) bool {
	var d struct {
		Version   string
		Statement []json.RawMessage
	}
	return json.Unmarshal(doc, &d) == nil && d.Version == "" && len(d.Statement) == 0
}

// sameDocument compares documents, whatever the order of their lists.
func sameDocument(a, b []byte) bool {
	normal := func(doc []byte) string {
		var v any
		if json.Unmarshal(doc, &v) != nil {
			return ""
		}
		out, err := json.Marshal(ordered(v))
		if err != nil {
			return ""
		}
		return string(out)
	}
	return normal(a) != "" && normal(a) == normal(b)
}

// ordered sorts the lists in a document.
func ordered(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = ordered(v[k])
		}
	case []any:
		keys := make(map[string]any, len(v))
		for i := range v {
			b, err := json.Marshal(ordered(v[i]))
			if err != nil {
				return v
			}
			keys[string(b)] = v[i]
		}
		out := []any{}
		for _, k := range sorted(keys) {
			out = append(out, keys[k])
		}
		return out
	}
	return v
}

// planUsers plans local users.
func (p *planner) planUsers() {
	r := &p.report
	for _, name := range sorted(p.a.users) {
		u := p.a.users[name]
		if err := p.judgeUser(name, &u); err != nil {
			r.Failed.Users = append(r.Failed.Users, Failure{Name: name, Reason: err.Error()})
			continue
		}
		p.users[name] = true
		enabled := u.Status == "enabled"
		p.add(name, &r.Added.Users, &r.Failed.Users, func(ctx context.Context) error {
			if have, err := p.IAM.User(name); err == nil && p.elsewhere(have.Account) {
				return errElsewhere
			} else if err == nil {
				_, err = p.IAM.UpdateUser(ctx, name, iam.UserUpdate{Secret: &u.SecretKey, Enabled: &enabled})
				return err
			}
			_, _, err := p.IAM.CreateUser(ctx, iam.NewUser{Name: name, Secret: u.SecretKey, Disabled: !enabled})
			return err
		})
	}
}

func (p *planner) judgeUser(name string, u *userEntry) error {
	if err := p.judgeKeyName(name); err != nil {
		return err
	}
	if isElsewhere(p.users, name) {
		return errElsewhere
	}
	if k, err := p.IAM.AccessKey(name); err == nil && !k.Own {
		return fmt.Errorf("the name is that of an access key of %s", k.Parent)
	}
	if u.Status != "enabled" && u.Status != "disabled" {
		return fmt.Errorf("the status is %.20q", u.Status)
	}
	return iam.CheckSecret(u.SecretKey)
}

// judgeKeyName refuses names that can't be, and root's in any spelling.
func (p *planner) judgeKeyName(name string) error {
	if strings.EqualFold(strings.TrimSpace(name), p.IAM.RootUser()) {
		return errors.New("the name is root's")
	}
	return iam.CheckAccessKey(name)
}

// planGroups plans local groups with their members. Members that there are not are reported, and
// the others brought in.
func (p *planner) planGroups() {
	r := &p.report
	for _, name := range sorted(p.a.groups) {
		g := p.a.groups[name]
		fail := func(reason string) {
			r.Failed.Groups = append(r.Failed.Groups, Failure{Name: name, Reason: reason})
		}
		source, _ := iam.SplitName(name)
		switch err := iam.CheckGroupName(name); {
		case source != iam.SourceLocal:
			fail("the name is that of an external group")
			continue
		case err != nil:
			fail(err.Error())
			continue
		case isElsewhere(p.groups, name):
			fail(errElsewhere.Error())
			continue
		case g.Status != "enabled" && g.Status != "disabled":
			fail(fmt.Sprintf("the status is %.20q", g.Status))
			continue
		}
		p.groups[name] = true
		var members, missing []string
		for _, m := range g.Members {
			if source, _ := iam.SplitName(m); p.users[m] && source == iam.SourceLocal {
				members = append(members, m)
			} else {
				missing = append(missing, m)
			}
		}
		if len(missing) > 0 {
			p.note("the group %s has members that are not there: %.200s", name, strings.Join(missing, ", "))
		}
		p.add(name, &r.Added.Groups, &r.Failed.Groups, func(ctx context.Context) error {
			return p.bringGroup(ctx, name, g.Status == "enabled", members)
		})
	}
}

// bringGroup makes or changes a group. Its state is set before anybody gets its rights.
func (p *planner) bringGroup(ctx context.Context, name string, enabled bool, members []string) error {
	if have, err := p.IAM.Group(name); err == nil && p.elsewhere(have.Account) {
		return errElsewhere
	}
	_, err := p.IAM.UpdateGroup(ctx, name, iam.GroupUpdate{Enabled: &enabled})
	if errors.Is(err, iam.ErrNoSuchGroup) {
		_, err = p.IAM.CreateGroup(ctx, iam.NewGroup{Name: name, Disabled: !enabled})
	}
	if err != nil {
		return err
	}
	members = slices.DeleteFunc(slices.Clone(members), func(m string) bool {
		_, err := p.IAM.User(m)
		return errors.Is(err, iam.ErrNoSuchUser) // it has failed before
	})
	if len(members) == 0 {
		return nil
	}
	return p.IAM.AddMembers(ctx, name, members...)
}
