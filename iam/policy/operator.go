package policy

import (
	"bytes"
	"encoding/base64"
	"errors"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

type quantifier uint8

const (
	plain quantifier = iota
	forAll
	forAny
)

// operand is one compiled value of a condition.
type operand struct {
	glob   glob         // String*
	arn    []glob       // Arn*: six parts, or one for "*"
	prefix netip.Prefix // IpAddress
	number number       // Numeric*
	time   time.Time    // Date*
	bytes  []byte       // BinaryEquals
	truth  bool         // Bool, Null
}

// family groups the operators that compare in the same way.
type family uint8

const (
	familyString family = iota
	familyARN
	familyNumber
	familyDate
	familyBool
	familyBinary
	familyIP
	familyNull
)

// operator is one row of the operator table.
type operator struct {
	family  family
	negated bool
	vars    bool // values may hold policy variables
	parse   func(value string, vars bool) (operand, error)
	holds   func(order int) bool // numbers and dates: request value against operand
}

// operators are the condition operators of AWS without quantifier and IfExists. Names
// are case-sensitive.
var operators = map[string]operator{
	"StringEquals":              {family: familyString, vars: true, parse: parseExact},
	"StringNotEquals":           {family: familyString, vars: true, parse: parseExact, negated: true},
	"StringEqualsIgnoreCase":    {family: familyString, vars: true, parse: parseFold},
	"StringNotEqualsIgnoreCase": {family: familyString, vars: true, parse: parseFold, negated: true},
	"StringLike":                {family: familyString, vars: true, parse: parseLike},
	"StringNotLike":             {family: familyString, vars: true, parse: parseLike, negated: true},

	"ArnEquals":    {family: familyARN, vars: true, parse: parseARN},
	"ArnLike":      {family: familyARN, vars: true, parse: parseARN},
	"ArnNotEquals": {family: familyARN, vars: true, parse: parseARN, negated: true},
	"ArnNotLike":   {family: familyARN, vars: true, parse: parseARN, negated: true},

	"NumericEquals":            {family: familyNumber, parse: parseNumeric, holds: equal},
	"NumericNotEquals":         {family: familyNumber, parse: parseNumeric, holds: equal, negated: true},
	"NumericLessThan":          {family: familyNumber, parse: parseNumeric, holds: less},
	"NumericLessThanEquals":    {family: familyNumber, parse: parseNumeric, holds: lessEqual},
	"NumericGreaterThan":       {family: familyNumber, parse: parseNumeric, holds: greater},
	"NumericGreaterThanEquals": {family: familyNumber, parse: parseNumeric, holds: greaterEqual},

	"DateEquals":            {family: familyDate, parse: parseDateOperand, holds: equal},
	"DateNotEquals":         {family: familyDate, parse: parseDateOperand, holds: equal, negated: true},
	"DateLessThan":          {family: familyDate, parse: parseDateOperand, holds: less},
	"DateLessThanEquals":    {family: familyDate, parse: parseDateOperand, holds: lessEqual},
	"DateGreaterThan":       {family: familyDate, parse: parseDateOperand, holds: greater},
	"DateGreaterThanEquals": {family: familyDate, parse: parseDateOperand, holds: greaterEqual},

	"Bool":         {family: familyBool, parse: parseBool},
	"BinaryEquals": {family: familyBinary, parse: parseBinary},
	"IpAddress":    {family: familyIP, parse: parseIP},
	"NotIpAddress": {family: familyIP, parse: parseIP, negated: true},
	"Null":         {family: familyNull, parse: parseBool},
}

func equal(order int) bool        { return order == 0 }
func less(order int) bool         { return order < 0 }
func lessEqual(order int) bool    { return order <= 0 }
func greater(order int) bool      { return order > 0 }
func greaterEqual(order int) bool { return order >= 0 }

// match compares one request value with one operand. It calls no function value that
// takes q, which would move every Query to the heap.
func (op *operator) match(o *operand, value string, q *Query) match {
	switch op.family {
	case familyString:
		return o.glob.match(&text{a: value}, q)
	case familyARN:
		return matchARN(o, value, q)
	case familyNumber:
		n, ok := parseNumber(value)
		return verdict(ok && op.holds(n.compare(o.number)))
	case familyDate:
		t, ok := parseDate(value)
		return verdict(ok && op.holds(t.Compare(o.time)))
	case familyBool:
		return verdict(value == "true" && o.truth || value == "false" && !o.truth)
	case familyBinary:
		b, err := base64.StdEncoding.DecodeString(value)
		return verdict(err == nil && bytes.Equal(b, o.bytes))
	case familyIP:
		a, err := netip.ParseAddr(value)
		return verdict(err == nil && o.prefix.Contains(a.Unmap().WithZone("")))
	}
	return no
}

// condition is a compiled Condition.
type condition struct {
	op         operator
	quantifier quantifier
	ifExists   bool
	key        string
	operands   []operand
}

var (
	errOperator   = errors.New("unknown condition operator")
	errKey        = errors.New("unknown condition key")
	errNullForm   = errors.New("Null takes neither ForAllValues, ForAnyValue nor IfExists")
	errVarOp      = errors.New("this operator takes no policy variables")
	errVarVersion = errors.New("policy variables need Version " + Version2012)
	errNumber     = errors.New("not a number")
	errDate       = errors.New("not a date: use 2006-01-02T15:04:05Z or seconds since 1970")
	errBool       = errors.New(`not "true" or "false"`)
	errBinary     = errors.New("not base64")
	errIP         = errors.New("not an IP address or CIDR range")
	errARN        = errors.New("not an ARN of six parts")
)

// splitOperator takes an operator's name apart.
func splitOperator(name string) (c condition, err error) {
	base := name
	if rest, ok := strings.CutPrefix(base, "ForAllValues:"); ok {
		c.quantifier, base = forAll, rest
	} else if rest, ok := strings.CutPrefix(base, "ForAnyValue:"); ok {
		c.quantifier, base = forAny, rest
	}
	if rest, ok := strings.CutSuffix(base, "IfExists"); ok {
		c.ifExists, base = true, rest
	}
	op, ok := operators[base]
	if !ok {
		return condition{}, errOperator
	}
	c.op = op
	if c.op.family == familyNull && (c.quantifier != plain || c.ifExists) {
		return condition{}, errNullForm
	}
	return c, nil
}

// compileValue compiles one value. vars tells whether the document's version knows
// policy variables.
func (c *condition) compileValue(value string, vars bool) (operand, error) {
	if strings.Contains(value, "${") {
		if !c.op.vars {
			return operand{}, errVarOp
		}
		if !vars {
			return operand{}, errVarVersion
		}
	}
	return c.op.parse(value, vars)
}

// matches evaluates the condition as AWS documents it: several policy values are
// alternatives; an absent key fails positive operators and ForAnyValue, and satisfies
// negated ones, ForAllValues and IfExists. sure is false when a policy variable that
// has no value was needed under a negation.
func (c *condition) matches(q *Query) (ok, sure bool) {
	var buf [1]string
	values, present := q.values(c.key, &buf)
	if c.op.family == familyNull {
		return c.anyTruth(!present), true
	}
	if !present {
		switch {
		case c.ifExists, c.quantifier == forAll:
			return true, true
		case c.quantifier == forAny:
			return false, true
		}
		return c.op.negated, true
	}
	sure = true
	switch c.quantifier {
	case forAll:
		for _, v := range values {
			if !c.satisfies(v, q, &sure) {
				return false, sure
			}
		}
		return true, sure
	case forAny:
		for _, v := range values {
			if c.satisfies(v, q, &sure) {
				return true, sure
			}
		}
		return false, sure
	}
	// Without a quantifier a key of several values matches when one of them does, and
	// the negated operator is the negation of that.
	for _, v := range values {
		if c.matchesAny(v, q, &sure) {
			return !c.op.negated, sure
		}
	}
	return c.op.negated, sure
}

// satisfies tells whether one request value satisfies the operator with its negation.
func (c *condition) satisfies(value string, q *Query, sure *bool) bool {
	return c.matchesAny(value, q, sure) != c.op.negated
}

// matchesAny tells whether value matches one of the operands, before negation.
func (c *condition) matchesAny(value string, q *Query, sure *bool) bool {
	for i := range c.operands {
		switch c.op.match(&c.operands[i], value, q) {
		case yes:
			return true
		case missing:
			if c.op.negated {
				*sure = false
			}
		}
	}
	return false
}

func (c *condition) anyTruth(v bool) bool {
	for i := range c.operands {
		if c.operands[i].truth == v {
			return true
		}
	}
	return false
}

func parseExact(v string, vars bool) (operand, error) { return parseGlob(v, false, vars, false) }
func parseFold(v string, vars bool) (operand, error)  { return parseGlob(v, false, vars, true) }
func parseLike(v string, vars bool) (operand, error)  { return parseGlob(v, true, vars, false) }

func parseGlob(v string, wild, vars, fold bool) (operand, error) {
	g, err := compileGlob(v, wild, vars, fold)
	return operand{glob: g}, err
}

// parseARN compiles a pattern whose six parts are matched one by one, so that a
// wildcard crosses no colon but those of the last part.
func parseARN(v string, vars bool) (operand, error) {
	if v == "*" {
		return operand{arn: []glob{{kind: globAll}}}, nil
	}
	parts := strings.SplitN(v, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" {
		return operand{}, errARN
	}
	o := operand{arn: make([]glob, 0, 6)}
	for i, p := range parts {
		if i < 5 && strings.Contains(p, "${") {
			return operand{}, errVariable
		}
		g, err := compileGlob(p, true, vars, false)
		if err != nil {
			return operand{}, err
		}
		o.arn = append(o.arn, g)
	}
	return o, nil
}

func matchARN(o *operand, v string, q *Query) match {
	if !strings.HasPrefix(v, "arn:") || strings.Count(v, ":") < 5 {
		return no
	}
	if len(o.arn) == 1 {
		return yes
	}
	for i := range o.arn {
		part := v
		if i < 5 {
			part, v, _ = strings.Cut(v, ":")
		}
		if m := o.arn[i].match(&text{a: part}, q); m != yes {
			return m
		}
	}
	return yes
}

// number is an integer when exact, else a float.
type number struct {
	exact bool
	i     int64
	f     float64
}

// parseNumber accepts decimal numbers with an optional sign, fraction and exponent.
func parseNumber(s string) (number, bool) {
	if s == "" || len(s) > 64 || strings.Trim(s, "+-.0123456789eE") != "" {
		return number{}, false
	}
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		return number{exact: true, i: i, f: float64(i)}, true
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		return number{}, false
	}
	return number{f: f}, true
}

func (a number) compare(b number) int {
	switch {
	case a.exact && b.exact && a.i < b.i, (!a.exact || !b.exact) && a.f < b.f:
		return -1
	case a.exact && b.exact && a.i > b.i, (!a.exact || !b.exact) && a.f > b.f:
		return 1
	}
	return 0
}

func parseNumeric(v string, _ bool) (operand, error) {
	n, ok := parseNumber(v)
	if !ok {
		return operand{}, errNumber
	}
	return operand{number: n}, nil
}

// parseDate accepts the W3C profile of ISO 8601 from the year to fractions of a second,
// and whole seconds since 1970.
func parseDate(s string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && len(s) > 4 {
		return time.Unix(n, 0), true
	}
	for _, layout := range []string{"2006-01", "2006"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

func parseDateOperand(v string, _ bool) (operand, error) {
	t, ok := parseDate(v)
	if !ok {
		return operand{}, errDate
	}
	return operand{time: t}, nil
}

func parseBool(v string, _ bool) (operand, error) {
	if v != "true" && v != "false" {
		return operand{}, errBool
	}
	return operand{truth: v == "true"}, nil
}

func parseBinary(v string, _ bool) (operand, error) {
	b, err := base64.StdEncoding.Strict().DecodeString(v)
	if err != nil {
		return operand{}, errBinary
	}
	return operand{bytes: b}, nil
}

// parseIP accepts an address or a range. IPv4-mapped IPv6 forms mean the IPv4 ones.
func parseIP(v string, _ bool) (operand, error) {
	p, err := netip.ParsePrefix(v)
	if err != nil {
		a, err := netip.ParseAddr(v)
		if err != nil || a.Zone() != "" {
			return operand{}, errIP
		}
		p = netip.PrefixFrom(a, a.BitLen())
	}
	if p.Addr().Is4In6() {
		if p.Bits() < 96 {
			return operand{}, errIP
		}
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return operand{prefix: p.Masked()}, nil
}
