package oidc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// maxDepth bounds how deep values of a token may be nested.
const maxDepth = 20

// parseObject reads one JSON object, in which no member may occur twice: readers differ in which
// of them counts (RFC 8259, section 4). Numbers stay as they are written.
func parseObject(data []byte) (map[string]any, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	v, err := parseValue(dec, 0)
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("text follows the object")
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("not an object")
	}
	return object, nil
}

func parseValue(dec *json.Decoder, depth int) (any, error) {
	t, err := dec.Token()
	if err != nil {
		return nil, err
	}
	open, ok := t.(json.Delim)
	if !ok {
		return t, nil
	}
	if depth == maxDepth {
		return nil, errors.New("nested too deeply")
	}
	object, list := map[string]any{}, []any{}
	for dec.More() {
		name := ""
		if open == '{' {
			t, err := dec.Token()
			if err != nil {
				return nil, err
			}
			name = t.(string) // Token returns nothing else here
			if _, twice := object[name]; twice {
				return nil, fmt.Errorf("the member %.40q occurs twice", name)
			}
		}
		v, err := parseValue(dec, depth+1)
		if err != nil {
			return nil, err
		}
		if open == '{' {
			object[name] = v
		} else {
			list = append(list, v)
		}
	}
	if _, err := dec.Token(); err != nil {
		return nil, err
	}
	if open == '{' {
		return object, nil
	}
	return list, nil
}

// lookup finds a claim by its name, or by a path whose dots lead into objects. A name that has
// dots itself wins.
func lookup(claims map[string]any, path string) (any, bool) {
	if v, ok := claims[path]; ok {
		return v, true
	}
	for i := len(path) - 1; i > 0; i-- {
		if path[i] != '.' {
			continue
		}
		if child, ok := claims[path[:i]].(map[string]any); ok {
			if v, ok := lookup(child, path[i+1:]); ok {
				return v, true
			}
		}
	}
	return nil, false
}

// names reads what a claim names: a string, or a list of strings; each is split at its commas.
// Anything else names nothing.
func names(v any) []string {
	var out []string
	add := func(v any) {
		s, _ := v.(string)
		for part := range strings.SplitSeq(s, ",") {
			if part = strings.TrimSpace(part); part != "" {
				out = append(out, part)
			}
		}
	}
	if list, ok := v.([]any); ok {
		for _, item := range list {
			add(item)
		}
		return out
	}
	add(v)
	return out
}

// text returns a claim's values when it is a string or a list of strings.
func text(v any) ([]string, bool) {
	switch v := v.(type) {
	case string:
		return []string{v}, true
	case []any:
		out := make([]string, len(v))
		for i := range v {
			s, ok := v[i].(string)
			if !ok {
				return nil, false
			}
			out[i] = s
		}
		return out, len(out) > 0
	}
	return nil, false
}

// groupNames are the local groups that a claim names. Keycloak writes groups as paths: "/staff" is
// the group staff; one inside another has no local counterpart.
func groupNames(v any) []string {
	list := names(v)
	for i := range list {
		list[i] = strings.TrimPrefix(list[i], "/")
	}
	return list
}
