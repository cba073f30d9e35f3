package policy

import (
	"encoding/base64"
	"errors"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// operand is one compiled value of a condition.
type operand struct {
	glob   glob         // String*
	arn    []glob       // Arn*: six parts, or one for "*"
	prefix netip.Prefix // IpAddress
	number number       // Numeric*
	time   time.Time    // Date*
	bytes  string       // BinaryEquals, decoded
	truth  bool         // Bool, Null
}

var (
	errNumber = errors.New("not a number")
	errDate   = errors.New("not a date: use 2006-01-02T15:04:05Z or seconds since 1970")
	errBool   = errors.New(`not "true" or "false"`)
	errBinary = errors.New("not base64")
	errIP     = errors.New("not an IP address or CIDR range")
	errARN    = errors.New("not an ARN of six parts")
)

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
	if strings.Trim(s, "+-0123456789") == "" { // else the error would cost an allocation
		if i, err := strconv.ParseInt(s, 10, 64); err == nil {
			return number{exact: true, i: i, f: float64(i)}, true
		}
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
	return operand{bytes: string(b)}, nil
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
