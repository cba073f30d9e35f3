package policy

import (
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// FuzzParse demands that what is accepted compiles, evaluates, and survives printing,
// that a document means the same in both forms, and that whoever is allowed has a
// statement to thank.
func FuzzParse(f *testing.F) {
	for _, c := range CannedPolicies() {
		f.Add([]byte(c.Document), false)
	}
	data, err := os.ReadFile("testdata/decisions.txt")
	if err != nil {
		f.Fatal(err)
	}
	for _, block := range strings.Split(string(data), "\n\n") {
		if i := strings.Index(block, "{\""); i >= 0 {
			f.Add([]byte(block[i:]), strings.Contains(block, "resource "))
		}
	}
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
		start := time.Now()
		if g.match(&text{a: "bucket", b: strings.Repeat("a", 1024), joined: true}, nil) == yes {
			t.Errorf("%.8s... matches", pattern)
		}
		if d := time.Since(start); d > 100*time.Millisecond {
			t.Errorf("%.8s... took %v", pattern, d)
		}
	}
}

func BenchmarkEvaluate(b *testing.B) {
	home := `{"Version":"2012-10-17","Statement":[
 {"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::data/${aws:username}/*"},
 {"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`
	readwrite, _ := cannedDocument("canned:readwrite")
	readonly, _ := cannedDocument("canned:readonly")
	for _, bb := range []struct{ name, document string }{{"readwrite", readwrite}, {"readonly", readonly}, {"home", home}} {
		b.Run(bb.name, func(b *testing.B) {
			p, err := Compile(bb.name, []byte(bb.document), Identity)
			if err != nil {
				b.Fatal(err)
			}
			q, err := parseQuery("s3:GetObject data/alice/some/key/of/usual/length.txt aws:securetransport=true")
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if p.Evaluate(q).Effect != Allow {
					b.Fatal("denied")
				}
			}
		})
	}
}
