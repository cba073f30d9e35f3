package policy

import (
	"errors"
	"fmt"
	"strings"
)

// text is the string that a pattern is matched against: a, or a + "/" + b without
// making that string.
type text struct {
	a, b   string
	joined bool
}

func (t *text) len() int {
	if t.joined {
		return len(t.a) + 1 + len(t.b)
	}
	return len(t.a)
}

func (t *text) at(i int) byte {
	switch {
	case i < len(t.a):
		return t.a[i]
	case i == len(t.a):
		return '/'
	default:
		return t.b[i-len(t.a)-1]
	}
}

// has tells whether lit stands at byte i.
func (t *text) has(i int, lit string) bool {
	if i+len(lit) > t.len() {
		return false
	}
	if i < len(t.a) {
		n := min(len(t.a)-i, len(lit))
		if t.a[i:i+n] != lit[:n] {
			return false
		}
		i, lit = i+n, lit[n:]
	}
	if len(lit) == 0 {
		return true
	}
	if i == len(t.a) {
		if lit[0] != '/' {
			return false
		}
		i, lit = i+1, lit[1:]
	}
	j := i - len(t.a) - 1
	return t.b[j:j+len(lit)] == lit
}

// next returns the start of the character after the one at i. A character is a byte and
// all UTF-8 continuation bytes behind it, so that "?" is one character of any width.
func (t *text) next(i int) int {
	n := t.len()
	for i++; i < n && t.at(i)&0xC0 == 0x80; i++ {
	}
	return i
}

type elemKind uint8

const (
	literal  elemKind = iota // lit itself
	one                      // "?"
	star                     // "*"
	variable                 // the value of key lit, or def when hasDef
)

type elem struct {
	kind   elemKind
	lit    string
	def    string
	hasDef bool
	from   origin // of a variable
}

type globKind uint8

const (
	globAll    globKind = iota // "*"
	globExact                  // no wildcard
	globPrefix                 // one "*", at the end
	globElems                  // everything else
)

// glob is a compiled pattern.
type glob struct {
	kind  globKind
	lit   string // of globExact and globPrefix
	elems []elem
	vars  bool
	fold  bool // lit and literals are lower-case, ASCII letters match in either case
}

// maxElems is the number of elements of a pattern with variables, which are expanded on
// the stack.
const maxElems = 32

var (
	errVariable  = errors.New("malformed policy variable")
	errManyElems = errors.New("pattern has too many wildcards beside a policy variable")
)

// compileGlob compiles pattern. wild makes "*" and "?" wildcards; vars makes "${...}"
// variables; fold ignores the case of ASCII letters.
func compileGlob(pattern string, wild, vars, fold bool) (glob, error) {
	if fold {
		pattern = lowerASCII(pattern)
	}
	elems, hasVars, err := split(pattern, wild, vars)
	if err != nil {
		return glob{}, err
	}
	g := glob{elems: elems, vars: hasVars, fold: fold}
	switch {
	case hasVars:
		if len(elems) > maxElems {
			return glob{}, errManyElems
		}
		g.kind = globElems
	case len(elems) == 0:
		g.kind = globExact
	case len(elems) == 1 && elems[0].kind == literal:
		g.kind, g.lit = globExact, elems[0].lit
	case len(elems) == 1 && elems[0].kind == star:
		g.kind = globAll
	case len(elems) == 2 && elems[0].kind == literal && elems[1].kind == star:
		g.kind, g.lit = globPrefix, elems[0].lit
	default:
		g.kind = globElems
	}
	return g, nil
}

// split cuts a pattern into elements; runs of "*" become one, literals are joined.
func split(pattern string, wild, vars bool) (elems []elem, hasVars bool, err error) {
	var lit strings.Builder
	flush := func() {
		if lit.Len() > 0 {
			elems = append(elems, elem{kind: literal, lit: lit.String()})
			lit.Reset()
		}
	}
	for i := 0; i < len(pattern); {
		switch c := pattern[i]; {
		case vars && c == '$' && strings.HasPrefix(pattern[i:], "${"):
			e, n, err := parseVariable(pattern[i:])
			if err != nil {
				return nil, false, err
			}
			i += n
			if e.kind == literal {
				lit.WriteString(e.lit)
				continue
			}
			flush()
			elems, hasVars = append(elems, e), true
		case wild && c == '*':
			flush()
			if n := len(elems); n == 0 || elems[n-1].kind != star {
				elems = append(elems, elem{kind: star})
			}
			i++
		case wild && c == '?':
			flush()
			elems = append(elems, elem{kind: one})
			i++
		default:
			lit.WriteByte(c)
			i++
		}
	}
	flush()
	return elems, hasVars, nil
}

// parseVariable reads "${key}", "${key, 'default'}" or one of the escapes "${*}", "${?}"
// and "${$}" at the start of s, and returns the bytes it takes.
func parseVariable(s string) (elem, int, error) {
	// A default may contain "}", so the end is looked for behind its quotes.
	body := s[2:]
	i := strings.IndexAny(body, "},")
	if i < 0 {
		return elem{}, 0, errVariable
	}
	name := body[:i]
	if body[i] == '}' {
		n := 2 + i + 1
		switch name {
		case "*", "?", "$":
			return elem{kind: literal, lit: name}, n, nil
		}
		if !validKeyName(name) {
			return elem{}, 0, errVariable
		}
		e, err := newVariable(name)
		return e, n, err
	}
	rest := strings.TrimLeft(body[i+1:], " ")
	if !validKeyName(name) || !strings.HasPrefix(rest, "'") {
		return elem{}, 0, errVariable
	}
	def, after, ok := strings.Cut(rest[1:], "'")
	after = strings.TrimLeft(after, " ")
	if !ok || !strings.HasPrefix(after, "}") {
		return elem{}, 0, errVariable
	}
	e, err := newVariable(name)
	e.def, e.hasDef = def, true
	return e, len(s) - len(after) + 1, err
}

// newVariable makes the element for the value of a condition key.
func newVariable(key string) (elem, error) {
	key = lowerASCII(key)
	from, err := keyOrigin(key)
	if err != nil {
		err = fmt.Errorf("%w: %w", errVarName, err)
	}
	return elem{kind: variable, lit: key, from: from}, err
}

// validKeyName tells whether s has the form of a condition key, "prefix:name" or
// "prefix:name/suffix".
func validKeyName(s string) bool {
	prefix, name, ok := strings.Cut(s, ":")
	if !ok || prefix == "" || name == "" {
		return false
	}
	for _, c := range []byte(prefix) {
		if !isLetter(c) && !isDigit(c) {
			return false
		}
	}
	for _, c := range []byte(name) {
		if c <= ' ' || c == 0x7F || strings.IndexByte("{}$'\"*?,", c) >= 0 {
			return false
		}
	}
	return true
}

// result of a match with variables.
type match uint8

const (
	no match = iota
	yes
	missing // a variable has no value: the pattern matches nothing
)

// match matches g against t; q gives the values of variables.
func (g *glob) match(t *text, q *Query) match {
	switch g.kind {
	case globAll:
		return yes
	case globExact:
		return verdict(t.len() == len(g.lit) && g.hasAt(t, 0, g.lit))
	case globPrefix:
		return verdict(g.hasAt(t, 0, g.lit))
	}
	if !g.vars {
		return verdict(g.run(g.elems, t))
	}
	var buf [maxElems]elem
	elems := buf[:0]
	for i := range g.elems {
		e := g.elems[i]
		if e.kind == variable {
			v, ok := q.variable(&e)
			switch {
			case ok:
			case e.hasDef:
				v = e.def
			default:
				return missing
			}
			e = elem{kind: literal, lit: v}
		}
		elems = append(elems, e)
	}
	return verdict(g.run(elems, t))
}

func verdict(ok bool) match {
	if ok {
		return yes
	}
	return no
}

// run matches expanded elements. Only the last star is ever revisited, so the time is
// bounded by len(elems) * len(t), whatever the number of stars.
func (g *glob) run(elems []elem, t *text) bool {
	n := t.len()
	p, i := 0, 0
	starP, starI := -1, 0
	for {
		if p == len(elems) {
			if i == n {
				return true
			}
		} else {
			switch e := &elems[p]; e.kind {
			case star:
				if p == len(elems)-1 {
					return true
				}
				starP, starI = p, i
				p++
				continue
			case one:
				if i < n {
					i = t.next(i)
					p++
					continue
				}
				return false // text is used up, and a star that takes more leaves less
			case literal:
				if g.hasAt(t, i, e.lit) {
					i += len(e.lit)
					p++
					continue
				}
			}
		}
		if starP < 0 || starI >= n {
			return false
		}
		starI = t.next(starI)
		p, i = starP+1, starI
	}
}

// hasAt is text.has, without regard to the case of ASCII letters when g folds.
func (g *glob) hasAt(t *text, i int, lit string) bool {
	if !g.fold {
		return t.has(i, lit)
	}
	if i+len(lit) > t.len() {
		return false
	}
	if !t.joined {
		for j, c := range []byte(t.a[i : i+len(lit)]) {
			if c != lit[j] && lower(c) != lower(lit[j]) {
				return false
			}
		}
		return true
	}
	for j := range len(lit) {
		if lower(t.at(i+j)) != lower(lit[j]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func isLetter(c byte) bool { return 'a' <= lower(c) && lower(c) <= 'z' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// lowerASCII lowers the letters A to Z only, so that no other character can come to
// equal an ASCII one.
func lowerASCII(s string) string {
	for i := range len(s) {
		if 'A' <= s[i] && s[i] <= 'Z' {
			b := []byte(s)
			for j := i; j < len(b); j++ {
				b[j] = lower(b[j])
			}
			return string(b)
		}
	}
	return s
}
