package policy

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
)

func (p *parser) principals() (*Principals, error) {
	t, err := p.token()
	if err != nil {
		return nil, err
	}
	if t == "*" {
		return &Principals{Everyone: true}, nil
	}
	if t != json.Delim('{') {
		return nil, p.fail(`a principal is "*" or {"AWS": ...}`)
	}
	pr := &Principals{}
	err = p.members(func(name string) error {
		if name != "AWS" {
			return p.fail("principals of this type are not supported")
		}
		list, err := p.list(false, checkPrincipal)
		if err != nil {
			return err
		}
		for _, v := range list {
			if v == "*" {
				pr.Everyone = true
			}
		}
		if !pr.Everyone {
			pr.AWS = list
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if !pr.Everyone && pr.AWS == nil {
		return nil, p.fail("there is no principal")
	}
	return pr, nil
}

func (p *parser) conditions() ([]Condition, error) {
	var out []Condition
	keys := 0
	err := p.object(func(name string) error {
		op, err := splitOperator(name)
		if err != nil {
			return p.fail("%v", err)
		}
		seen := map[string]bool{}
		err = p.object(func(key string) error {
			if _, err := keyOrigin(lowerASCII(key)); err != nil {
				return p.fail("%v", err)
			}
			if seen[lowerASCII(key)] {
				return p.fail("the key is repeated in other case")
			}
			seen[lowerASCII(key)] = true
			values, err := p.list(true, func(v string) error { return op.check(v) })
			if err != nil {
				return err
			}
			if keys++; keys > maxValues {
				return p.fail("more than %d conditions", maxValues)
			}
			out = append(out, Condition{Operator: name, Key: key, Values: values})
			return nil
		})
		if err == nil && len(seen) == 0 {
			err = p.fail("there is no condition key")
		}
		return err
	})
	return out, err
}

// check judges a value as if the document had the version that knows variables.
func (c *condition) check(v string) error {
	_, err := c.compileValue(v, true)
	return err
}

// checkStatements checks what concerns the whole document.
func (p *parser) checkStatements(d *Document) error {
	sids := map[string]bool{}
	for i := range d.Statements {
		s := &d.Statements[i]
		p.path = []string{"Statement", "[" + strconv.Itoa(i) + "]"}
		if s.Sid != "" && sids[s.Sid] {
			return p.fail("the Sid %q is repeated", s.Sid)
		}
		sids[s.Sid] = true
		if _, err := s.compile(d.Version == Version2012); err != nil {
			return p.fail("%v", err)
		}
	}
	p.path = nil
	return nil
}

func (p *parser) checkAction(v string) error {
	if p.known != nil {
		return p.known.check(v)
	}
	_, err := compileAction(v)
	return err
}

func checkResource(v string) error {
	_, err := compileResource(v, true)
	return err
}

var errPrincipal = errors.New(`not a principal: use "*", an account id, a unique id, or the ARN of a user or of an account's root`)

// checkPrincipal accepts "*", an account id, the ARN of a user or a root, and a unique id.
func checkPrincipal(v string) error {
	if v == "*" || isAccount(v) || isUniqueID(v) {
		return nil
	}
	rest, ok := strings.CutPrefix(v, "arn:aws:iam::")
	if !ok {
		return errPrincipal
	}
	account, name, ok := strings.Cut(rest, ":")
	if !ok || !isAccount(account) {
		return errPrincipal
	}
	if name == "root" {
		return nil
	}
	user, ok := strings.CutPrefix(name, "user/")
	if !ok || user == "" || strings.ContainsAny(user, "*?${} \t\r\n") {
		return errPrincipal
	}
	return nil
}

func isAccount(s string) bool {
	if len(s) != 12 {
		return false
	}
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return true
}

// isUniqueID tells whether s has the form of a user's unique id, "AIDA" and 17 more.
func isUniqueID(s string) bool {
	if len(s) != 21 || !strings.HasPrefix(s, "AIDA") {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !isDigit(c) && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}

// printable tells whether s is at most n bytes without control characters.
func printable(s string, n int) bool {
	if len(s) > n {
		return false
	}
	for _, r := range s {
		if r < ' ' || r == 0x7F {
			return false
		}
	}
	return true
}
