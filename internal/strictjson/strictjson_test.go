package strictjson

import (
	"encoding/json"
	"strings"
	"testing"
)

type sample struct {
	Name string          `json:"name"`
	Many []string        `json:"many,omitempty"`
	Raw  json.RawMessage `json:"raw"`
	Bare int
}

// TestDecode is S-056: wrong types, repeated and unknown members, depth, text behind the document.
func TestDecode(t *testing.T) {
	for doc, want := range map[string]string{
		`{"name":"a","many":["x","x"],"raw":{"a":[{"b":1},{"b":2}]},"Bare":1}`: "",
		`{}`:                                  "",
		`{"name":"a","name":"b"}`:             `member "name" is repeated`,
		`{"raw":{"x":1,"y":[{"z":1,"z":2}]}}`: `member "z" is repeated`,
		`{"Name":"a"}`:                        `unknown member "Name"`,
		`{"name":"a","NAME":"b"}`:             `unknown member "NAME"`,
		`{"name":1}`:                          `member "name" can't be a number`,
		`{"many":"x"}`:                        `member "many" can't be a string`,
		`[]`:                                  "an object is expected",
		` null `:                              "an object is expected",
		`{"name":"a"} {}`:                     "text follows the document",
		`{"name":"a"`:                         "not JSON",
		``:                                    "not JSON",
		"{\"name\":\"\xff\"}":                 "not UTF-8",
		strings.Repeat("[", 10000):            "nested deeper than 64 levels",
		strings.Repeat(`{"raw":`, 10000):      "nested deeper than 64 levels",
		strings.Repeat("[", 64) + "1":         "not JSON",
		`{"raw":` + strings.Repeat("[", 63) + strings.Repeat("]", 63) + `}`: "",
	} {
		var v sample
		got := ""
		if err := Decode([]byte(doc), &v); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%.60s: %q, want %q", doc, got, want)
		}
	}
}

// FuzzDecode: what is taken has the meaning that encoding/json gives it, whichever of two
// repeated members another reader takes.
func FuzzDecode(f *testing.F) {
	f.Add(`{"name":"a","many":["b"],"raw":{"c":1}}`)
	f.Add(`{"name":"a","Name":"b"}`)
	f.Fuzz(func(t *testing.T, doc string) {
		var v sample
		if Decode([]byte(doc), &v) != nil {
			return
		}
		var plain map[string]json.RawMessage
		if err := json.Unmarshal([]byte(doc), &plain); err != nil {
			t.Fatalf("%q: %v", doc, err)
		}
		var name string
		if raw, ok := plain["name"]; ok && json.Unmarshal(raw, &name) == nil && name != v.Name {
			t.Fatalf("%q: name is %q and %q", doc, v.Name, name)
		}
	})
}
