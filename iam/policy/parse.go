package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Parse reads a document that somebody makes or changes, strictly: valid UTF-8, no
// unknown, repeated or missing elements, nothing behind it, and only actions, resources,
// principals, operators, keys and variables that this server knows. Every error is a
// *SyntaxError.
func Parse(data []byte, kind Kind) (*Document, error) {
	p := newParser(data, kind)
	p.known = newActionNames()
	if p.kind == Resource {
		p.limit = MaxBucketDocument
	}
	return p.parse()
}

// ParseStored reads a document that was accepted before. It differs from Parse in two
// things only, so that no version of this program takes a policy for damaged which an
// earlier one, or another server, has let pass: an action need not be known, for it is compared
// with those of requests as text and does no harm, and there is no limit but MaxDocument.
func ParseStored(data []byte, kind Kind) (*Document, error) { return newParser(data, kind).parse() }

func newParser(data []byte, kind Kind) *parser {
	p := &parser{data: data, kind: kind, dec: json.NewDecoder(bytes.NewReader(data)), limit: MaxDocument}
	p.dec.UseNumber()
	return p
}

func (p *parser) parse() (*Document, error) {
	data := p.data
	switch {
	case len(data) > p.limit:
		return nil, p.fail("the document is longer than %d bytes", p.limit)
	case !utf8.Valid(data):
		return nil, p.fail("the document is not UTF-8")
	}
	d := &Document{}
	if err := p.document(d); err != nil {
		return nil, err
	}
	p.path = nil
	if _, err := p.dec.Token(); !errors.Is(err, io.EOF) {
		return nil, p.fail("text follows the document")
	}
	return d, nil
}

type parser struct {
	data  []byte
	kind  Kind
	dec   *json.Decoder
	path  []string
	limit int         // of data
	known actionNames // what actions must be; nil for any
}

// fail makes a SyntaxError at the present place.
func (p *parser) fail(format string, args ...any) error {
	off := min(int(p.dec.InputOffset()), len(p.data))
	before := p.data[:off]
	line := 1 + bytes.Count(before, []byte("\n"))
	col := off - bytes.LastIndexByte(before, '\n')
	return &SyntaxError{Path: strings.Join(p.path, ""), Line: line, Column: col, Reason: fmt.Sprintf(format, args...)}
}

func (p *parser) push(s string) {
	if len(p.path) > 0 && !strings.HasPrefix(s, "[") {
		s = "." + s
	}
	p.path = append(p.path, s)
}

func (p *parser) pop() { p.path = p.path[:len(p.path)-1] }

// token reads the next JSON token; its syntax errors become ours.
func (p *parser) token() (json.Token, error) {
	t, err := p.dec.Token()
	if err != nil {
		return nil, p.fail("not valid JSON: %v", err)
	}
	return t, nil
}

// object reads an object and calls member for each of its keys, which must differ.
func (p *parser) object(member func(name string) error) error {
	t, err := p.token()
	if err != nil {
		return err
	}
	if t != json.Delim('{') {
		return p.fail("an object is expected here")
	}
	return p.members(member)
}

// members reads the rest of an object whose brace has been read.
func (p *parser) members(member func(name string) error) error {
	seen := map[string]bool{}
	for p.dec.More() {
		t, err := p.token()
		if err != nil {
			return err
		}
		name, ok := t.(string)
		if !ok {
			return p.fail("a member name is expected here")
		}
		if len(name) > 256 {
			return p.fail("an element's name is too long")
		}
		p.push(name)
		if seen[name] {
			return p.fail("the element is repeated")
		}
		seen[name] = true
		if err := member(name); err != nil {
			return err
		}
		p.pop()
	}
	_, err := p.token()
	return err
}

func (p *parser) text() (string, error) {
	t, err := p.token()
	if err != nil {
		return "", err
	}
	s, ok := t.(string)
	if !ok {
		return "", p.fail("a string is expected here")
	}
	return s, nil
}

// list reads a string or an array of at least one; scalars also lets numbers and
// booleans stand for their text. check judges each value at its place.
func (p *parser) list(scalars bool, check func(string) error) ([]string, error) {
	t, err := p.token()
	if err != nil {
		return nil, err
	}
	if t != json.Delim('[') {
		s, err := p.scalar(t, scalars, check)
		return []string{s}, err
	}
	var out []string
	for p.dec.More() {
		p.push("[" + strconv.Itoa(len(out)) + "]")
		t, err := p.token()
		if err != nil {
			return nil, err
		}
		s, err := p.scalar(t, scalars, check)
		if err != nil {
			return nil, err
		}
		if out = append(out, s); len(out) > maxValues {
			return nil, p.fail("the list is longer than %d", maxValues)
		}
		p.pop()
	}
	if _, err := p.token(); err != nil {
		return nil, err
	}
	if len(out) == 0 {
		return nil, p.fail("the list is empty")
	}
	return out, nil
}

func (p *parser) scalar(t json.Token, scalars bool, check func(string) error) (string, error) {
	var s string
	switch v := t.(type) {
	case string:
		s = v
	case bool:
		if !scalars {
			return "", p.fail("a string is expected here")
		}
		s = strconv.FormatBool(v)
	case json.Number:
		if !scalars {
			return "", p.fail("a string is expected here")
		}
		s = v.String()
	default:
		return "", p.fail("a string or a list of strings is expected here")
	}
	if err := check(s); err != nil {
		return "", p.fail("%v: %q", err, s)
	}
	return s, nil
}

func (p *parser) document(d *Document) error {
	id, statements := false, false
	err := p.object(func(name string) (err error) {
		switch name {
		case "Version":
			if d.Version, err = p.text(); err != nil {
				return err
			}
			if d.Version != Version2012 && d.Version != Version2008 {
				return p.fail("the version is %q or %q", Version2012, Version2008)
			}
		case "Id", "ID": // MinIO writes the second
			if id {
				return p.fail("the element is repeated")
			}
			id = true
			if d.ID, err = p.text(); err == nil && !printable(d.ID, 512) {
				err = p.fail("malformed Id")
			}
		case "Statement":
			statements = true
			err = p.statements(d)
		default:
			err = p.fail("unknown element")
		}
		return err
	})
	if err != nil {
		return err
	}
	if !statements {
		return p.fail("the element Statement is missing")
	}
	return p.checkStatements(d)
}

// statements reads one statement or an array of them.
func (p *parser) statements(d *Document) error {
	t, err := p.token()
	if err != nil {
		return err
	}
	switch t {
	case json.Delim('{'):
		s := Statement{}
		err := p.statement(&s)
		d.Statements = []Statement{s}
		return err
	case json.Delim('['):
	default:
		return p.fail("a statement or a list of statements is expected here")
	}
	for p.dec.More() {
		p.push("[" + strconv.Itoa(len(d.Statements)) + "]")
		t, err := p.token()
		if err != nil {
			return err
		}
		if t != json.Delim('{') {
			return p.fail("a statement is expected here")
		}
		s := Statement{}
		if err := p.statement(&s); err != nil {
			return err
		}
		if d.Statements = append(d.Statements, s); len(d.Statements) > maxStatements {
			return p.fail("more than %d statements", maxStatements)
		}
		p.pop()
	}
	if _, err := p.token(); err != nil {
		return err
	}
	if len(d.Statements) == 0 {
		return p.fail("there is no statement")
	}
	return nil
}

// statement reads the members of one statement. What depends on Version, which may
// follow in the text, is checked by checkStatements.
func (p *parser) statement(s *Statement) error {
	err := p.members(func(name string) (err error) {
		switch name {
		case "Sid":
			if s.Sid, err = p.text(); err == nil && !printable(s.Sid, 256) {
				err = p.fail("malformed Sid")
			}
		case "Effect":
			var v string
			if v, err = p.text(); err != nil {
				return err
			}
			switch v {
			case "Allow":
				s.Effect = Allow
			case "Deny":
				s.Effect = Deny
			default:
				err = p.fail("%v, not %q", errEffect, v)
			}
		case "Action":
			s.Actions, err = p.list(false, p.checkAction)
		case "NotAction":
			s.NotActions, err = p.list(false, p.checkAction)
		case "Resource":
			s.Resources, err = p.list(false, checkResource)
		case "NotResource":
			s.NotResources, err = p.list(false, checkResource)
		case "Principal":
			s.Principal, err = p.principals()
		case "NotPrincipal":
			s.NotPrincipal, err = p.principals()
		case "Condition":
			s.Conditions, err = p.conditions()
		default:
			err = p.fail("unknown element")
		}
		return err
	})
	if err != nil {
		return err
	}
	return p.complete(s)
}

// complete checks that a statement has the elements it needs and none that exclude each other.
func (p *parser) complete(s *Statement) error {
	switch {
	case s.Effect == NoEffect:
		return p.fail("the element Effect is missing")
	case s.Actions == nil && s.NotActions == nil:
		return p.fail("the element Action or NotAction is missing")
	case s.Actions != nil && s.NotActions != nil:
		return p.fail("Action and NotAction exclude each other")
	case s.Resources != nil && s.NotResources != nil:
		return p.fail("Resource and NotResource exclude each other")
	case s.Principal != nil && s.NotPrincipal != nil:
		return p.fail("Principal and NotPrincipal exclude each other")
	case s.NotPrincipal != nil && s.Effect == Allow:
		return p.fail("NotPrincipal with Allow would admit everybody else and is not supported")
	case s.NotPrincipal != nil && s.NotPrincipal.Everyone:
		return p.fail(`NotPrincipal "*" would match nobody`)
	}
	noResource := s.Resources == nil && s.NotResources == nil
	noPrincipal := s.Principal == nil && s.NotPrincipal == nil
	if p.kind == Resource {
		switch {
		case noPrincipal:
			return p.fail("the element Principal is missing")
		case noResource:
			return p.fail("the element Resource is missing")
		}
		return nil
	}
	switch {
	case !noPrincipal:
		return p.fail("an identity policy has no Principal")
	case noResource && !withoutResource(s.Actions):
		return p.fail("the element Resource is missing")
	}
	return nil
}
