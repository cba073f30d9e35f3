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
	resources    []glob // empty matches every resource
	notResources bool
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

// Compile parses and compiles a document under a name that decisions bear.
func Compile(name string, data []byte, kind Kind) (*Policy, error) {
	d, err := Parse(data, kind)
	if err != nil {
		return nil, err
	}
	return d.Compile(name, kind)
}

// Compile compiles a document of Parse. A document made otherwise gets its errors here.
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
	for _, r := range resources {
		g, err := compileResource(r, vars)
		if err != nil {
			return c, err
		}
		c.resources = append(c.resources, g)
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
	if !KnownKey(c.Key) {
		return condition{}, errKey
	}
	cc.key = lowerASCII(c.Key)
	for _, v := range c.Values {
		o, err := cc.compileValue(v, vars)
		if err == nil {
			err = checkVariables(o.globs())
		}
		if err != nil {
			return condition{}, err
		}
		cc.operands = append(cc.operands, o)
	}
	return cc, nil
}

func (o *operand) globs() []glob {
	if o.arn != nil {
		return o.arn
	}
	return []glob{o.glob}
}

var (
	errEffect    = errors.New(`the effect is "Allow" or "Deny"`)
	errAction    = errors.New(`not an action: use "*" or "service:Name"`)
	errService   = errors.New("unknown service")
	errResource  = errors.New(`not a resource: use "*", "arn:aws:s3:::bucket" or "arn:aws:s3:::bucket/key"`)
	errVarName   = errors.New("unknown policy variable")
	errVarAction = errors.New("actions take no policy variables")
)

// services are the prefixes of actions.
var services = map[string]bool{"s3": true, "admin": true, "kms": true, "sts": true, "iam": true}

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
	if !services[lowerASCII(service)] {
		return glob{}, errService
	}
	for _, c := range []byte(name) {
		if !isLetter(c) && !isDigit(c) && c != '*' && c != '?' && c != '-' {
			return glob{}, errAction
		}
	}
	return compileGlob(a, true, false, true)
}

// partitions are the accepted second parts of a resource; they all mean this server.
var partitions = map[string]bool{"aws": true, "aws-cn": true, "aws-us-gov": true, "*": true}

// compileResource compiles the part behind "arn:aws:s3:::", the bucket or bucket/key.
func compileResource(r string, vars bool) (glob, error) {
	if strings.Contains(r, "${") && !vars {
		return glob{}, errVarVersion
	}
	if r == "*" {
		return glob{kind: globAll}, nil
	}
	parts := strings.SplitN(r, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || !partitions[parts[1]] || parts[2] != "s3" ||
		parts[3] != "" && parts[3] != "*" || parts[4] != "" && parts[4] != "*" || parts[5] == "" {
		return glob{}, errResource
	}
	// What precedes the first "/" is a bucket, whose names have no spaces or control
	// characters; one there is a slip of the pen that would match nothing.
	bucket, _, _ := strings.Cut(parts[5], "/")
	if strings.ContainsAny(bucket, " \t\r\n\\") && !strings.Contains(bucket, "${") || strings.ContainsAny(parts[5], "\r\n") {
		return glob{}, errResource
	}
	g, err := compileGlob(parts[5], true, vars, false)
	if err != nil {
		return glob{}, err
	}
	return g, checkVariables([]glob{g})
}

// checkVariables refuses variables that no request can answer.
func checkVariables(globs []glob) error {
	for i := range globs {
		for _, e := range globs[i].elems {
			if e.kind == variable && !KnownKey(e.lit) {
				return errVarName
			}
		}
	}
	return nil
}

// Evaluate answers q by this policy alone.
func (p *Policy) Evaluate(q *Query) Result {
	var res Result
	for i := range p.statements {
		s := &p.statements[i]
		if s.effect == Allow && res.Effect == Allow && !res.Account {
			continue // only a Deny can change the outcome
		}
		ok, account := s.matches(q)
		switch {
		case !ok:
		case s.effect == Deny:
			return Result{Effect: Deny, Statement: s.label}
		case res.Effect == NoEffect || !account:
			res = Result{Effect: Allow, Account: account, Statement: s.label}
		}
	}
	return res
}

// matches tells whether the statement applies to q, and whether only because it names
// the caller's account.
func (s *statement) matches(q *Query) (ok, account bool) {
	if !s.matchesAction(q) {
		return false, false
	}
	if s.principals != nil {
		if ok, account = s.matchesPrincipal(&q.Caller); !ok {
			return false, false
		}
	}
	if !s.matchesResource(q) {
		return false, false
	}
	for i := range s.conditions {
		holds, sure := s.conditions[i].matches(q)
		// A negation whose variable has no value would widen an Allow.
		if !holds || !sure && s.effect == Allow {
			return false, false
		}
	}
	return true, account
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

func (s *statement) matchesResource(q *Query) bool {
	if len(s.resources) == 0 {
		return true
	}
	t := text{a: q.Bucket, b: q.Key, joined: q.Key != ""}
	for i := range s.resources {
		switch s.resources[i].match(&t, q) {
		case yes:
			return !s.notResources
		case missing:
			if s.notResources && s.effect == Allow {
				return false
			}
		}
	}
	return s.notResources
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
