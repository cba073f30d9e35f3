package s3api

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite golden files")

// TestOperationsDocument keeps docs/s3-operations.md equal to the table.
func TestOperationsDocument(t *testing.T) {
	const path = "../docs/s3-operations.md"
	var b strings.Builder
	b.WriteString("# S3 operations\n\nMade from the operation table of package s3api (`go test ./s3api -run TestOperationsDocument -update`).\n" +
		"Every operation of the AWS model is here; what is not implemented answers 501 NotImplemented before anything else happens,\n" +
		"after authentication and authorisation. \"Not configured\" operations answer as AWS does for a bucket on which the setting was never made.\n\n")
	b.WriteString("The last column has limits, and the headers and parameters of the AWS model that are answered with 501.\n\n" +
		"| Operation | Request | IAM action | Implemented | Limits |\n|---|---|---|---|---|\n")
	refused := map[string]string{}
	for _, m := range awsModel(t) {
		if list := m.refused(operations()); list != nil {
			refused[m.name] = "501: " + strings.Join(list, ", ")
		}
	}
	for _, o := range Operations() {
		sub := ""
		if o.SubResource != "" {
			sub = "?" + o.SubResource
		}
		if o.Header != "" {
			sub += ", " + o.Header
		}
		limits := o.Limits
		if r := refused[o.Name]; r != "" && o.State == Implemented {
			if limits != "" {
				limits += "; "
			}
			limits += r
		}
		fmt.Fprintf(&b, "| %s | %s %s%s | %s | %s | %s |\n", o.Name, o.Method, o.Resource, sub, o.Action, o.State, limits)
	}
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != b.String() {
		t.Errorf("%s is not what the table says; run with -update", path)
	}
}
