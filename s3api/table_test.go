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
	b.WriteString("| Operation | Request | IAM action | Implemented |\n|---|---|---|---|\n")
	for _, o := range Operations() {
		sub := ""
		if o.SubResource != "" {
			sub = "?" + o.SubResource
		}
		if o.Header != "" {
			sub += ", " + o.Header
		}
		fmt.Fprintf(&b, "| %s | %s %s%s | %s | %s |\n", o.Name, o.Method, o.Resource, sub, o.Action, o.State)
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
