// Package strictjson reads JSON of which nothing may be overlooked: encoding/json takes the last
// of repeated members, spells names in any case, and ignores what follows the document, so that
// two readers may see two things. It imports nothing of ours.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"unicode/utf8"
)

// MaxDepth is how deep documents may nest.
const MaxDepth = 64

// Decode reads one document into v, after Check. When v points to a struct, the members of the
// document must be its own, spelled as its tags are. The error says what is wrong, without the
// values.
func Decode(b []byte, v any) error {
	names, err := check(b)
	if err != nil {
		return err
	}
	if t := reflect.TypeOf(v).Elem(); t.Kind() == reflect.Struct {
		if !bytes.HasPrefix(bytes.TrimLeft(b, " \t\r\n"), []byte("{")) {
			return errors.New("an object is expected")
		}
		known := tags(t)
		for _, n := range names {
			if !known[n] {
				return fmt.Errorf("unknown member %q", n)
			}
		}
	}
	if err := json.Unmarshal(b, v); err != nil {
		var kind *json.UnmarshalTypeError
		if errors.As(err, &kind) {
			return fmt.Errorf("member %q can't be a %s", kind.Field, kind.Value)
		}
		return errors.New("not JSON")
	}
	return nil
}

// Check refuses what is not one document in UTF-8 of at most MaxDepth levels without repeated
// members.
func Check(b []byte) error {
	_, err := check(b)
	return err
}

// check returns the names of the outermost object's members, too.
func check(b []byte) (names []string, err error) {
	if !utf8.Valid(b) {
		return nil, errors.New("not UTF-8")
	}
	// Each level that is open has the names it has had, nil for an array.
	var open []map[string]bool
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	for wantName, first := false, true; first || len(open) > 0; first = false {
		t, err := dec.Token()
		if err != nil {
			return nil, errors.New("not JSON")
		}
		d, isDelim := t.(json.Delim)
		switch {
		case isDelim && (d == '{' || d == '['):
			if len(open) == MaxDepth {
				return nil, fmt.Errorf("nested deeper than %d levels", MaxDepth)
			}
			var seen map[string]bool
			if d == '{' {
				seen = map[string]bool{}
			}
			open = append(open, seen)
		case isDelim:
			open = open[:len(open)-1]
		case wantName:
			name, seen := t.(string), open[len(open)-1]
			if seen[name] {
				return nil, fmt.Errorf("member %q is repeated", name)
			}
			seen[name] = true
			if len(open) == 1 {
				names = append(names, name)
			}
			wantName = false
			continue
		}
		wantName = len(open) > 0 && open[len(open)-1] != nil
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("text follows the document")
	}
	return names, nil
}

// tags returns the names of a struct's members.
func tags(t reflect.Type) map[string]bool {
	out := map[string]bool{}
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" {
			name = f.Name
		}
		out[name] = true
	}
	return out
}
