package policy

import (
	"errors"
	"net/netip"
	"strings"
	"time"
)

type quantifier uint8

const (
	plain quantifier = iota
	forAll
	forAny
)

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
		return verdict(value == o.bytes)
	case familyIP:
		a, err := netip.ParseAddr(value)
		return verdict(err == nil && o.prefix.Contains(a.Unmap().WithZone("")))
	}
	return no
}

// condition is a compiled Condition.
type condition struct {
	name       string // of the operator as written
	written    string // the key as written
	op         operator
	quantifier quantifier
	ifExists   bool
	key        string
	from       origin
	clock      bool // the key is the time of the request, compared as such
	operands   []operand
}

var (
	errOperator   = errors.New("unknown condition operator")
	errNullForm   = errors.New("Null takes neither ForAllValues, ForAnyValue nor IfExists")
	errVarOp      = errors.New("this operator takes no policy variables")
	errVarVersion = errors.New("policy variables need Version " + Version2012)
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
	if c.clock {
		return c.matchesClock(q), true
	}
	var buf [1]string
	values, present := q.values(c.key, c.from, &buf)
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

// matchesClock compares the time of the request, in whole seconds as its keys have it,
// without making a text of it. It is always present and one value.
func (c *condition) matchesClock(q *Query) bool {
	now := q.now().Unix()
	for i := range c.operands {
		o := &c.operands[i]
		var order int
		if c.op.family == familyDate {
			order = time.Unix(now, 0).Compare(o.time)
		} else {
			order = number{exact: true, i: now, f: float64(now)}.compare(o.number)
		}
		if c.op.holds(order) {
			return !c.op.negated
		}
	}
	return c.op.negated
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
