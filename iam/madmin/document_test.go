package madmin

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the table of routes in docs/mc.md")

// TestDocument holds the table in docs/mc.md against that of the code.
func TestDocument(t *testing.T) {
	const file = "../../docs/mc.md"
	doc, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const head = "| Operation | Request | Action | Implemented |\n|---|---|---|---|\n"
	text, _, _ := strings.Cut(string(doc), head)
	var b strings.Builder
	b.WriteString(text + head)
	for _, r := range Routes() {
		request := r.Method + " " + r.Path
		if r.Query != "" {
			request += "?" + strings.ReplaceAll(r.Query, " ", "&")
		}
		actions := strings.Join(r.Actions, " or ")
		if r.All {
			actions = strings.Join(r.Actions, " and ")
		}
		if r.Own {
			actions = strings.TrimSuffix("own, or "+actions, ", or ")
		}
		done := "yes"
		if !r.Done {
			done = "501 NotImplemented"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", r.Op, request, actions, done)
	}
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if b.String() != string(doc) {
		t.Error("docs/mc.md is not what the table is; run this test with -update")
	}
}
