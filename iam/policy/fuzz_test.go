package policy

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// FuzzParse demands that what is accepted compiles, evaluates, and survives printing,
// that a document means the same in both forms, and that whoever is allowed has a
// statement to thank.
func FuzzParse(f *testing.F) {
	seedDocuments(f, func(document []byte, resource bool) { f.Add(document, resource) })
	f.Fuzz(func(t *testing.T, data []byte, resource bool) {
		kind := Identity
		if resource {
			kind = Resource
		}
		d, err := Parse(data, kind)
		if err != nil {
			return
		}
		checkPrinted(t, data, kind)
		p, err := d.Compile("p", kind)
		if err != nil {
			t.Fatalf("accepted, but does not compile: %v", err)
		}
		q, err := parseQuery("s3:GetObject b/k s3:prefix=a aws:sourceip=10.0.0.1 s3:max-keys=10")
		if err != nil {
			t.Fatal(err)
		}
		res := p.Evaluate(q)
		if (res.Effect == NoEffect) != (res.Statement == "") {
			t.Errorf("decision %+v", res)
		}
		if res.Effect == Allow && !strings.Contains(string(data), "Allow") && !strings.Contains(string(data), `\u`) {
			t.Errorf("allowed by a document without Allow: %s", data)
		}
		if res.Effect == Allow && evaluateWithDeny(t, d, kind, q) != Deny {
			t.Error("an added Deny does not win")
		}
	})
}

// seedDocuments gives out the canned policies and those of the table of decisions.
func seedDocuments(f *testing.F, add func(document []byte, resource bool)) {
	for _, c := range CannedPolicies() {
		add([]byte(c.Document), false)
	}
	data, err := os.ReadFile("testdata/decisions.txt")
	if err != nil {
		f.Fatal(err)
	}
	for _, block := range strings.Split(string(data), "\n\n") {
		if i := strings.Index(block, "{\""); i >= 0 {
			add([]byte(block[i:]), strings.Contains(block, "resource "))
		}
	}
}

// FuzzEvaluate demands of every document and request that the order of statements and the
// white space of the text change nothing, that a further Deny, whatever it speaks of, never
// lets anything be done that was not (S-218), and that the trace agrees with the decision.
func FuzzEvaluate(f *testing.F) {
	seedDocuments(f, func(document []byte, resource bool) {
		f.Add(document, resource, "s3:GetObject", "b", "k", "alice", "10.0.0.1")
		f.Add(document, resource, "admin:CreateUser", "", "", "", "")
		f.Add(document, resource, "kms:CreateKey", "team-a", "", "root", "::1")
	})
	f.Fuzz(func(t *testing.T, data []byte, resource bool, action, bucket, key, name, value string) {
		kind := Identity
		if resource {
			kind = Resource
		}
		d, err := ParseStored(data, kind)
		if err != nil {
			return
		}
		values := anyKey{value}
		q := &Query{Action: action, Bucket: bucket, Key: key, KMSKey: bucket, Time: time.Unix(1767225600, 0), Conditions: values}
		if name != "" {
			q.Caller = Caller{ID: "AIDAALICEALICEALICEAL", Account: "111122223333", Name: name, Root: name == "root", ARN: "arn:aws:iam::111122223333:user/" + name, Attributes: values}
		}
		was := compileDocument(t, d, kind)
		checkTrace(t, 0, was, q)
		res := was.Evaluate(q)
		turned := *d
		turned.Statements = slices.Clone(d.Statements)
		slices.Reverse(turned.Statements)
		if got := compileDocument(t, &turned, kind).Evaluate(q); got.Effect != res.Effect || got.Account != res.Account {
			t.Errorf("with its statements in reverse order %+v, not %+v", got, res)
		}
		var spread bytes.Buffer
		if err := json.Indent(&spread, data, " ", "\t"); err != nil {
			t.Fatalf("not JSON, but accepted: %v", err)
		}
		if again, err := ParseStored(spread.Bytes(), kind); spread.Len() <= MaxDocument && (err != nil || !reflect.DeepEqual(again, d)) {
			t.Errorf("with other white space %+v, %v", again, err)
		}
		for _, s := range d.Statements {
			s.Effect, s.Sid = Deny, ""
			more := *d
			more.Statements = append(slices.Clone(d.Statements), s)
			if got := compileDocument(t, &more, kind).Evaluate(q); got.Effect == Allow && (res.Effect != Allow || !got.Account && res.Account) {
				t.Errorf("a further Deny makes %+v of %+v", got, res)
			}
		}
	})
}

// anyKey has one value for every key.
type anyKey struct{ value string }

func (k anyKey) Values(string) ([]string, bool) { return []string{k.value}, k.value != "" }

func compileDocument(t *testing.T, d *Document, kind Kind) *Policy {
	t.Helper()
	p, err := d.Compile("p", kind)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// evaluateWithDeny evaluates d with a statement that denies everything to everybody.
func evaluateWithDeny(t *testing.T, d *Document, kind Kind, q *Query) Effect {
	s := Statement{Effect: Deny, Actions: []string{"*"}, Resources: []string{"*"}}
	if kind == Resource {
		s.Principal = &Principals{Everyone: true}
	}
	with := *d
	with.Statements = append(append([]Statement{}, d.Statements...), s)
	p, err := with.Compile("p", kind)
	if err != nil {
		t.Fatal(err)
	}
	return p.Evaluate(q).Effect
}

// characters splits s as "?" counts: a byte with the continuation bytes behind it.
func characters(s string) []string {
	var out []string
	for i := 0; i < len(s); {
		j := i + 1
		for j < len(s) && s[j]&0xC0 == 0x80 {
			j++
		}
		out = append(out, s[i:j])
		i = j
	}
	return out
}

// naive is the definition of a wildcard match, in a table of all suffixes.
func naive(pattern, s string) bool {
	p, c := characters(pattern), characters(s)
	row := make([]bool, len(c)+1) // row[j]: p[i:] matches c[j:]
	row[len(c)] = true
	for i := len(p) - 1; i >= 0; i-- {
		next := make([]bool, len(c)+1)
		for j := len(c); j >= 0; j-- {
			switch p[i] {
			case "*":
				next[j] = row[j] || j < len(c) && next[j+1]
			case "?":
				next[j] = j < len(c) && row[j+1]
			default:
				next[j] = j < len(c) && p[i] == c[j] && row[j+1]
			}
		}
		row = next
	}
	return row[0]
}

// FuzzGlob compares the matcher with the definition, on one string and on the same
// string cut at any "/".
func FuzzGlob(f *testing.F) {
	for _, s := range [][2]string{
		{"*", ""}, {"", ""}, {"a*", "abc"}, {"*a*b*", "xaxbx"}, {"a?c", "a€c"}, {"*??", "é"}, {"b/*", "b"}, {"b/*", "b/k"},
		{"**/x", "a/b/x"}, {"*a", "aaaa"}, {"?*?", "ab"}, {"a/b", "a/b"}, {"*b/c*", "b/b/c"}, {"*/?", "//"},
	} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, pattern, s string) {
		g, err := compileGlob(pattern, true, false, false)
		if err != nil {
			t.Fatalf("%q: %v", pattern, err)
		}
		// Documents and keys are UTF-8; elsewhere the matcher needs only to come to an end.
		want := naive(pattern, s)
		if !utf8.ValidString(pattern) || !utf8.ValidString(s) {
			want = g.match(&text{a: s}, nil) == yes
		}
		if got := g.match(&text{a: s}, nil) == yes; got != want {
			t.Fatalf("%q on %q: %v", pattern, s, got)
		}
		for i := range len(s) {
			if s[i] == '/' {
				if got := g.match(&text{a: s[:i], b: s[i+1:], joined: true}, nil) == yes; got != want {
					t.Fatalf("%q on %q + %q: %v", pattern, s[:i], s[i+1:], got)
				}
			}
		}
	})
}

// FuzzVariable demands that a variable's value is literal: the pattern with the variable
// matches exactly what the pattern with the escaped value matches.
func FuzzVariable(f *testing.F) {
	f.Add("home/", "*", "/x", "home/*/x")
	f.Add("home/", "a?", "/*", "home/ab/x")
	f.Add("", "${aws:username}", "", "alice")
	f.Fuzz(func(t *testing.T, before, value, after, s string) {
		if value == "" || strings.Contains(before+after, "$") {
			return
		}
		with, err := compileGlob(before+"${aws:username}"+after, true, true, false)
		if err != nil {
			return
		}
		var escaped strings.Builder
		for _, c := range []byte(value) {
			if c == '*' || c == '?' || c == '$' {
				escaped.WriteString("${" + string(c) + "}")
			} else {
				escaped.WriteByte(c)
			}
		}
		plain, err := compileGlob(before+escaped.String()+after, true, true, false)
		if err != nil {
			t.Fatal(err)
		}
		q := &Query{Caller: Caller{ID: "i", Name: value}}
		if a, b := with.match(&text{a: s}, q), plain.match(&text{a: s}, nil); a != b {
			t.Errorf("%q with %q on %q: %v, want %v", before+"..."+after, value, s, a, b)
		}
	})
}

// TestManyStars is S-219: a thousand stars take no time to speak of.
func TestManyStars(t *testing.T) {
	for _, unit := range []string{"*a", "*a*", "*?", "*aaaa"} {
		pattern := strings.Repeat(unit, 1000) + "b"
		g, err := compileGlob(pattern, true, false, false)
		if err != nil {
			t.Fatal(err)
		}
		least := time.Hour // of some tries: a busy machine takes its time now and then
		for range 10 {
			start := time.Now()
			if g.match(&text{a: "bucket", b: strings.Repeat("a", 1024), joined: true}, nil) == yes {
				t.Errorf("%.8s... matches", pattern)
			}
			least = min(least, time.Since(start))
		}
		if least > 100*time.Millisecond {
			t.Errorf("%.8s... took %v", pattern, least)
		}
	}
}
