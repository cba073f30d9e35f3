package s3xml

import (
	"encoding/xml"
	"fmt"
	"reflect"
	"strings"
)

// shape is what an element may hold, by the fields of the struct that it is decoded into.
type shape struct {
	elements map[string]*shape
	many     bool // it may be there more than once
	open     bool // it may hold anything: nobody reads it, or somebody reads all of it
	number   int  // among its siblings
}

var unmarshaler = reflect.TypeFor[xml.Unmarshaler]()

// shapeOf derives the shape of elements that are decoded into t.
func shapeOf(t reflect.Type) *shape {
	s := &shape{}
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8 {
		s.many = s.many || t.Kind() == reflect.Slice
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || reflect.PointerTo(t).Implements(unmarshaler) {
		s.open = t.Kind() == reflect.Struct
		return s
	}
	s.open = t.NumField() == 0
	for i := range t.NumField() {
		f := t.Field(i)
		path, flags, _ := strings.Cut(f.Tag.Get("xml"), ",")
		switch {
		case flags == "any" || flags == "innerxml":
			s.open = true
		case f.Name == "XMLName" || path == "" || path == "-" || flags != "":
		default:
			s.add(strings.Split(path, ">"), shapeOf(f.Type))
		}
	}
	return s
}

// add puts what is at the end of a path below s.
func (s *shape) add(path []string, what *shape) {
	if s.elements == nil {
		s.elements = map[string]*shape{}
	}
	if len(path) == 1 {
		what.number = len(s.elements)
		s.elements[path[0]] = what
		return
	}
	next := s.elements[path[0]]
	if next == nil {
		next = &shape{number: len(s.elements)}
		s.elements[path[0]] = next
	}
	next.add(path[1:], what)
}

// place is an element that is being read.
type place struct {
	name string
	*shape
	seen uint64 // the numbers of those below that were there
}

// enter goes into an element below p. An element that has no place there, or is there a second time, is refused: what it
// asks for would be ignored.
func (p *place) enter(name string) (place, error) {
	s := p.elements[name]
	switch {
	case s == nil && p.open:
		return place{name, &shape{open: true}, 0}, nil
	case s == nil:
		return place{}, fmt.Errorf("%s holds an element that is not known: %s", p.name, name)
	case !s.many && p.seen&(1<<s.number) != 0:
		return place{}, fmt.Errorf("%s holds %s twice", p.name, name)
	}
	p.seen |= 1 << s.number
	return place{name, s, 0}, nil
}
