package policy

import (
	"errors"
	"strconv"
	"strings"
)

// Policy is a compiled document: immutable, safe for concurrent use.
type Policy struct {
	name       string
	kind       Kind
	statements []statement
}

// statement is a compiled Statement.
type statement struct {
	label        string
	effect       Effect
	actions      []glob
	notActions   bool
	resources    []resource // empty matches every resource
	notResources bool
	freestanding bool // its actions need no resource
	principals   *Principals
	notPrincipal bool
	conditions   []condition
}

// Result is the outcome of Evaluate.
type Result struct {
	// Effect is Deny when a Deny statement matched, else Allow when an Allow statement
	// matched, else NoEffect.
	Effect Effect
	// Account is set when an Allow of a resource policy names the caller's account as a
	// whole: within that account it grants nothing by itself, the identity policies
	// decide; across accounts it is the resource's half of the permission.
	Account bool
	// Statement names what decided: "readwrite[0]", or "readwrite[1] Sid".
	Statement string
}

// Name returns the name given to Compile.
func (p *Policy) Name() string { return p.name }

// Compile parses a stored document, as ParseStored does, and compiles it under a name that
// decisions bear. A document that is new is for Parse first.
func Compile(name string, data []byte, kind Kind) (*Policy, error) {
	d, err := ParseStored(data, kind)
	if err != nil {
		return nil, err
	}
	return d.Compile(name, kind)
}

// Compile compiles a document of Parse or ParseStored. A document made otherwise gets its errors here.
func (d *Document) Compile(name string, kind Kind) (*Policy, error) {
	p := &Policy{name: name, kind: kind}
	vars := d.Version == Version2012
	for i := range d.Statements {
		s := &d.Statements[i]
		c, err := s.compile(vars)
		if err != nil {
			return nil, err
		}
		c.label = name + "[" + strconv.Itoa(i) + "]"
		if s.Sid != "" {
			c.label += " " + s.Sid
		}
		p.statements = append(p.statements, c)
	}
	return p, nil
}

func (s *Statement) compile(vars bool) (statement, error) {
	c := statement{effect: s.Effect, notActions: s.NotActions != nil, notResources: s.NotResources != nil}
	if s.Effect != Allow && s.Effect != Deny {
		return c, errEffect
	}
	actions, resources := s.Actions, s.Resources
	if c.notActions {
		actions = s.NotActions
	}
	if c.notResources {
		resources = s.NotResources
	}
	for _, a := range actions {
		g, err := compileAction(a)
		if err != nil {
			return c, err
		}
		c.actions = append(c.actions, g)
	}
	c.freestanding = withoutResource(s.Actions)
	for _, r := range resources {
		res, err := compileResource(r, vars)
		if err != nil {
			return c, err
		}
		c.resources = append(c.resources, res)
	}
	c.principals = s.Principal
	if s.NotPrincipal != nil {
		c.principals, c.notPrincipal = s.NotPrincipal, true
	}
	for i := range s.Conditions {
		cc, err := s.Conditions[i].compile(vars)
		if err != nil {
			return c, err
		}
		c.conditions = append(c.conditions, cc)
	}
	return c, nil
}

func (c *Condition) compile(vars bool) (condition, error) {
	cc, err := splitOperator(c.Operator)
	if err != nil {
		return condition{}, err
	}
	cc.name, cc.written, cc.key = c.Operator, c.Key, lowerASCII(c.Key)
	if cc.from, err = keyOrigin(cc.key); err != nil {
		return condition{}, err
	}
	cc.clock = cc.key == "aws:currenttime" && cc.op.family == familyDate ||
		cc.key == "aws:epochtime" && (cc.op.family == familyDate || cc.op.family == familyNumber)
	for _, v := range c.Values {
		o, err := cc.compileValue(v, vars)
		if err != nil {
			return condition{}, err
		}
		cc.operands = append(cc.operands, o)
	}
	return cc, nil
}

var (
	errEffect    = errors.New(`the effect is "Allow" or "Deny"`)
	errAction    = errors.New(`not an action: use "*" or "service:Name"`)
	errService   = errors.New("unknown service")
	errVarName   = errors.New("unknown policy variable")
	errVarAction = errors.New("actions take no policy variables")
)

// services are the prefixes of actions. The actions of those that are true are listed in
// actions.txt. The others are AWS's beside S3, which its managed policies for S3 name: this
// server has none of them, so that no request is ever of theirs.
var services = map[string]bool{
	"s3": true, "admin": true, "kms": true, "sts": true, "iam": true,
	"s3-object-lambda": false, "s3-outposts": false, "s3express": false, "s3tables": false, "s3vectors": false,
}

// compileAction compiles "*" or "service:pattern". Actions are compared without regard to case.
func compileAction(a string) (glob, error) {
	if strings.Contains(a, "${") {
		return glob{}, errVarAction
	}
	if a == "*" {
		return glob{kind: globAll}, nil
	}
	service, name, ok := strings.Cut(a, ":")
	if !ok || name == "" {
		return glob{}, errAction
	}
	if _, ok := services[lowerASCII(service)]; !ok {
		return glob{}, errService
	}
	for _, c := range []byte(name) {
		if !isLetter(c) && !isDigit(c) && c != '*' && c != '?' && c != '-' {
			return glob{}, errAction
		}
	}
	return compileGlob(a, true, false, true)
}

// Evaluate answers q by this policy alone.
func (p *Policy) Evaluate(q *Query) Result {
	var res Result
	for i := range p.statements {
		s := &p.statements[i]
		if s.effect == Allow && res.Effect == Allow && !res.Account {
			continue // only a Deny can change the outcome
		}
		failed, _, account := s.check(q)
		switch {
		case failed != matched:
		case s.effect == Deny:
			return Result{Effect: Deny, Statement: s.label}
		case res.Effect == NoEffect || !account:
			res = Result{Effect: Allow, Account: account, Statement: s.label}
		}
	}
	return res
}

// step is the part of a statement that keeps it from matching.
type step uint8

const (
	matched step = iota
	actionStep
	principalStep
	resourceStep
	conditionStep
)

// check tells which part of the statement does not apply to q, if any, and which of its
// conditions that is. account is set when it applies only because it names the caller's account.
func (s *statement) check(q *Query) (failed step, condition int, account bool) {
	if !s.matchesAction(q) {
		return actionStep, 0, false
	}
	if s.principals != nil {
		ok := false
		if ok, account = s.matchesPrincipal(&q.Caller); !ok {
			return principalStep, 0, false
		}
	}
	if !s.matchesResource(q) {
		return resourceStep, 0, false
	}
	for i := range s.conditions {
		holds, sure := s.conditions[i].matches(q)
		// A negation whose variable has no value would widen an Allow.
		if !holds || !sure && s.effect == Allow {
			return conditionStep, i, false
		}
	}
	return matched, 0, account
}

func (s *statement) matchesAction(q *Query) bool {
	t := text{a: q.Action}
	for i := range s.actions {
		if s.actions[i].match(&t, q) == yes {
			return !s.notActions
		}
	}
	return s.notActions
}

// matchesPrincipal tells whether the caller is among the statement's principals. An
// account stands for everybody in it, except under NotPrincipal, where it exempts its
// root only.
func (s *statement) matchesPrincipal(c *Caller) (ok, account bool) {
	p := s.principals
	if s.notPrincipal {
		direct, _ := p.match(c)
		return !direct, false
	}
	direct, account := p.match(c)
	return direct || account, account && !direct
}

func (p *Principals) match(c *Caller) (direct, account bool) {
	if p.Everyone {
		return true, false
	}
	if c.ID == "" {
		return false, false
	}
	for _, v := range p.AWS {
		switch {
		case v == c.ARN || v == c.ID && !c.Root:
			return true, false
		case v == c.Account || isRootARN(v, c.Account):
			if c.Root {
				return true, false
			}
			account = true
		}
	}
	return false, account
}

// isRootARN tells whether v is "arn:aws:iam::<account>:root".
func isRootARN(v, account string) bool {
	v, ok := strings.CutPrefix(v, "arn:aws:iam::")
	if !ok {
		return false
	}
	v, ok = strings.CutSuffix(v, ":root")
	return ok && v == account
}
