package adminapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"unicode/utf8"
)

// maxDepth bounds the nesting of a body: a policy inside a member needs eight.
const maxDepth = 32

func badBody(why string) error {
	return &Refusal{Status: http.StatusBadRequest, Code: "MalformedJSON", Message: "The body is not what is expected: " + why + "."}
}

// parse reads one JSON object strictly into v, a pointer to a struct whose fields all have a
// json tag: UTF-8, every member known by its exact name, none repeated at any depth, null only
// for a json.RawMessage, nothing behind the object.
func parse(b []byte, v any) error {
	if !utf8.Valid(b) {
		return badBody("it is not UTF-8")
	}
	if err := checkMembers(b, membersOf(reflect.TypeOf(v).Elem())); err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return badBody(err.Error())
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return badBody("text follows the document")
	}
	return nil
}

// membersOf returns the member names of a struct, and whether each may be null.
func membersOf(t reflect.Type) map[string]bool {
	out := make(map[string]bool, t.NumField())
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		out[name] = f.Type == reflect.TypeFor[json.RawMessage]()
	}
	return out
}

// level is one object or array that checkMembers is in.
type level struct {
	seen   map[string]bool // nil in an array
	inside bool            // a member's name has been read, its value follows
}

// checkMembers refuses what encoding/json lets pass: a document that is no object, members
// that are repeated or spelled in other case, null for a value.
func checkMembers(b []byte, known map[string]bool) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return badBody("an object is expected")
	}
	stack := []level{{seen: map[string]bool{}}}
	nullable := false
	for len(stack) > 0 {
		t, err := dec.Token()
		if err != nil {
			return badBody(err.Error())
		}
		top := &stack[len(stack)-1]
		if name, ok := t.(string); ok && top.seen != nil && !top.inside {
			if len(stack) == 1 {
				if nullable, ok = known[name]; !ok {
					return badBody("unknown member " + name)
				}
			}
			if top.seen[name] {
				return badBody("the member " + name + " is repeated")
			}
			top.seen[name], top.inside = true, true
			continue
		}
		switch t {
		case json.Delim('}'), json.Delim(']'):
			stack = stack[:len(stack)-1]
			continue
		case nil:
			if len(stack) == 1 && !nullable {
				return badBody("null is no value")
			}
		}
		top.inside = false
		switch t {
		case json.Delim('{'):
			stack = append(stack, level{seen: map[string]bool{}})
		case json.Delim('['):
			stack = append(stack, level{})
		}
		if len(stack) > maxDepth {
			return badBody("it is nested too deeply")
		}
	}
	return nil
}
