package adminapi

import (
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestHostileBodies is S-056 and S-239: every route gets bodies that nobody means, as root; all
// are refused without an effect, and the next request is served.
func TestHostileBodies(t *testing.T) {
	s := newServer(t)
	s.fixture(t)
	deep := strings.Repeat(`[`, 10000) + strings.Repeat(`]`, 10000)
	bodies := map[string]string{
		"array": `[]`, "string": `"x"`, "number": `1e400`, "null": `null`, "half": `{"a":`, "bom": "\ufeff{}", "utf-8": "{\"a\":\"\xff\"}",
		"unknown": `{"nothing":1}`, "other case": `{"Enabled":true,"Parent":"victim","Policies":[]}`,
		"deep array": deep, "deep member": `{"policy":` + deep + `}`, "deep object": strings.Repeat(`{"a":`, 10000) + `1` + strings.Repeat(`}`, 10000),
		"repeated": `{"enabled":true,"enabled":true}`, "repeated inside": `{"policy":{"Statement":1,"Statement":2}}`,
		"trailing": `{} x`, "two": `{}{}`, "null member": `{"enabled":null}`, "large": `{"a":"` + strings.Repeat("a", 10<<20) + `"}`,
	}
	before := s.state(t)
	for _, rt := range routes() {
		path := strings.Replace(rt.pattern, "{name}", "victim", 1)
		for name, body := range bodies {
			w := s.send(root, rt.method, path, body)
			switch {
			case rt.pattern == "policies/validate" && name != "large":
				var v Validation
				if w.Code != http.StatusOK || json.Unmarshal(w.Body.Bytes(), &v) != nil || v.Valid {
					t.Errorf("%s %s with %s: %d %s", rt.method, path, name, w.Code, w.Body)
				}
				continue
			case w.Code != http.StatusBadRequest && w.Code != http.StatusRequestEntityTooLarge:
				// A key or a group that is not there is told before the body is looked at.
				if w.Code != http.StatusNotFound || rt.gate == always {
					t.Errorf("%s %s with %s: %d %s", rt.method, path, name, w.Code, w.Body)
				}
			}
			wantError(t, w, "")
		}
	}
	if s.state(t) != before {
		t.Error("a refused body has an effect")
	}
	s.done(t, root, "GET", "users", "")
}

// FuzzParse: what parse accepts is one object with the members of the type, in their spelling,
// each once, and printing it and reading it again gives the same.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"enabled":true,"secret":"s"}`, `{"policy":{"Statement":[]}}`, `{"policy":null}`, `{"expires":"","name":"n"}`,
		`{"ENABLED":true}`, `{"name":"a","name":"b"}`, `{"name":null}`, `[]`, `{"name":"a"} `, `{"n\u0061me":"a"}`,
	} {
		f.Add([]byte(seed))
	}
	known := slices.Sorted(maps.Keys(membersOf(reflect.TypeFor[UpdateKey]())))
	f.Fuzz(func(t *testing.T, b []byte) {
		var v UpdateKey
		if parse(b, &v) != nil {
			return
		}
		var members map[string]json.RawMessage
		if err := json.Unmarshal(b, &members); err != nil {
			t.Fatalf("%q: %v", b, err)
		}
		for m := range members {
			if !slices.Contains(known, m) {
				t.Fatalf("%q: member %s", b, m)
			}
		}
		if v.Name == nil && members["name"] != nil || v.Name != nil && members["name"] == nil || (v.Policy == nil) != (members["policy"] == nil) {
			t.Fatalf("%q: %+v", b, v)
		}
		printed, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var again UpdateKey
		if err := parse(printed, &again); err != nil {
			t.Fatalf("%q: printed %q: %v", b, printed, err)
		}
		second, err := json.Marshal(again)
		if err != nil || string(second) != string(printed) {
			t.Fatalf("%q: %q, then %q", b, printed, second)
		}
	})
}
