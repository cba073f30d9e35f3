package policy

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

type conditionMap map[string][]string

func (m conditionMap) Values(key string) ([]string, bool) {
	v, ok := m[key]
	return v, ok
}

// TestDecisions runs the table in testdata, whose head explains its form.
func TestDecisions(t *testing.T) {
	data, err := os.ReadFile("testdata/decisions.txt")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(data), "\n")
	rows := 0
	for i := 0; i < len(lines); i++ {
		head := strings.Fields(lines[i])
		if len(head) == 0 || head[0][0] == '#' {
			continue
		}
		if len(head) != 2 || head[0] != "identity" && head[0] != "resource" {
			t.Fatalf("line %d: a policy is expected here", i+1)
		}
		kind := Identity
		if head[0] == "resource" {
			kind = Resource
		}
		document, canned := cannedDocument(head[1])
		for i++; !canned && lines[i] != ""; i++ {
			document += lines[i] + "\n"
		}
		for i < len(lines) && lines[i] == "" {
			i++
		}
		var p *Policy
		d, err := Parse([]byte(document), kind)
		if err == nil {
			checkPrinted(t, []byte(document), kind)
			p, err = d.Compile(head[1], kind)
		}
		for ; i < len(lines) && lines[i] != ""; i++ {
			rows++
			want, rest, _ := strings.Cut(lines[i], " ")
			if want == "refused" {
				wantRefused(t, i+1, err, rest)
				continue
			}
			if err != nil {
				t.Fatalf("line %d: %s: %v", i+1, head[1], err)
			}
			q, err := parseQuery(rest)
			if err != nil {
				t.Fatalf("line %d: %v", i+1, err)
			}
			if got := outcome(p.Evaluate(q)); got != want {
				t.Errorf("line %d, %s: %s: got %s, for %+v", i+1, head[1], lines[i], got, p.Trace(q))
			}
			checkTrace(t, i+1, p, q)
		}
	}
	t.Logf("%d rows", rows)
	if rows < 836 {
		t.Errorf("only %d rows were read", rows)
	}
}

// checkTrace demands that the trace of a query explains its decision.
func checkTrace(t *testing.T, line int, p *Policy, q *Query) {
	t.Helper()
	var allowed, account, denied bool
	for _, s := range p.Trace(q) {
		if s.Matched != (s.Failed == "") || s.Key != "" != (s.Failed == "Condition") || s.Statement == "" {
			t.Errorf("line %d: trace %+v", line, s)
		}
		switch {
		case s.Matched && s.Effect == Deny:
			denied = true
		case s.Matched && s.Account:
			account = true
		case s.Matched:
			allowed = true
		}
	}
	want := "none"
	switch {
	case denied:
		want = "deny"
	case allowed:
		want = "allow"
	case account:
		want = "account"
	}
	if got := outcome(p.Evaluate(q)); got != want {
		t.Errorf("line %d: the trace says %s, the decision is %s", line, want, got)
	}
}

func cannedDocument(name string) (string, bool) {
	for _, c := range CannedPolicies() {
		if "canned:"+c.Name == name {
			return c.Document, true
		}
	}
	return "", false
}

func wantRefused(t *testing.T, line int, err error, path string) {
	t.Helper()
	var syntax *SyntaxError
	if !errors.As(err, &syntax) || !strings.HasPrefix(syntax.Path, path) {
		t.Errorf("line %d: %v, want a refusal at %s", line, err, path)
	}
}

func outcome(r Result) string {
	switch {
	case r.Effect == Deny:
		return "deny"
	case r.Effect == Allow && r.Account:
		return "account"
	case r.Effect == Allow:
		return "allow"
	}
	return "none"
}

// fields splits at spaces outside double quotes.
func fields(s string) []string {
	var out []string
	quoted, start := false, -1
	for i := 0; i <= len(s); i++ {
		switch {
		case i == len(s) || s[i] == ' ' && !quoted:
			if start >= 0 {
				out = append(out, s[start:i])
			}
			start = -1
		default:
			if s[i] == '"' {
				quoted = !quoted
			}
			if start < 0 {
				start = i
			}
		}
	}
	return out
}

func unquote(s string) string {
	if u, err := strconv.Unquote(s); err == nil {
		return u
	}
	return s
}

func parseQuery(s string) (*Query, error) {
	f := fields(s)
	if len(f) < 2 {
		return nil, errors.New("a row has an action and a resource")
	}
	q := &Query{Action: unquote(f[0]), Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	if r := unquote(f[1]); r != "-" {
		q.Bucket, q.Key, _ = strings.Cut(r, "/")
	}
	c := Caller{ID: "AIDAALICEALICEALICEAL", Account: "111122223333", Name: "alice"}
	m, attributes := conditionMap{}, conditionMap{}
	for _, kv := range f[2:] {
		k, v, _ := strings.Cut(kv, "=")
		v = unquote(v)
		switch k {
		case "user":
			c.Name, c.Root = v, v == "root"
		case "id":
			c.ID = v
		case "account":
			c.Account = v
		case "kms":
			q.KMSKey = v
		case "session":
			c.Session = v == "true"
		case "time":
			at, err := time.Parse(time.RFC3339, v)
			if err != nil {
				return nil, err
			}
			q.Time = at
		default:
			of, name := m, k
			if rest, ok := strings.CutPrefix(k, "caller:"); ok {
				of, name = attributes, rest
			}
			if !KnownKey(name) {
				return nil, errors.New("unknown key " + name)
			}
			of[name] = append(of[name], v)
		}
	}
	c.ARN = "arn:aws:iam::" + c.Account + ":user/" + c.Name
	if c.Root {
		c.ID = c.Account
		c.ARN = "arn:aws:iam::" + c.Account + ":root"
	}
	c.Attributes = attributes
	if c.Name != "anonymous" {
		q.Caller = c
	}
	q.Conditions = m
	return q, nil
}
