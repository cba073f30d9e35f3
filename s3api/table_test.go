package s3api

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/objsrv/objsrv/sts"
)

var update = flag.Bool("update", false, "rewrite golden files")

// TestCompatibilityDocument keeps docs/compatibility.md equal to the tables of S3 and of STS.
func TestCompatibilityDocument(t *testing.T) {
	const path = "../docs/compatibility.md"
	var b strings.Builder
	b.WriteString("# Compatibility\n\nMade by `make update-golden` from the tables that route requests. Tests hold them against the models of AWS's SDKs (botocore 1.43.11):\n" +
		"every operation of S3 and every action of STS is here. What is not implemented answers 501 NotImplemented before anything else happens,\n" +
		"after authentication and authorisation. \"Not configured\" operations answer as AWS does for a bucket on which the setting was never made.\n\n" +
		"[clients.md](clients.md) has what clients and the suites of others do with them, [mc.md](mc.md) MinIO's administration.\n\n")
	writeS3Table(t, &b)
	writeSTSTable(&b)
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
		t.Errorf("%s is not what the tables say; run with -update", path)
	}
}

func writeS3Table(t *testing.T, b *strings.Builder) {
	refused := map[string]string{}
	states := map[string]State{}
	for _, o := range Operations() {
		states[o.Name] = o.State
	}
	counts := map[State]int{}
	model := awsModel(t)
	for _, m := range model {
		counts[states[m.name]]++
		if list := m.refused(operations()); list != nil {
			refused[m.name] = "501: " + strings.Join(list, ", ")
		}
	}
	fmt.Fprintf(b, "## S3\n\nOf the %d operations of the model %d are implemented, %d answer \"not configured\", and %d answer 501. PostObject, Preflight, MinIO's streams of events and the public access block of an account, "+
		"the only one of S3 Control, are here besides.\nThe last column has limits, and the headers and parameters of the model that are answered with 501.\n\n"+
		"| Operation | Request | IAM action | Implemented | Limits |\n|---|---|---|---|---|\n",
		len(model), counts[Implemented], counts[NeverSet], counts[NotImplemented])
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
			limits = joined(limits, r)
		}
		fmt.Fprintf(b, "| %s | %s %s%s | %s | %s | %s |\n", o.Name, o.Method, o.Resource, sub, o.Action, o.State, limits)
	}
}

func writeSTSTable(b *strings.Builder) {
	b.WriteString("\n## STS\n\n`POST /`, version " + sts.Version + ": [sts.md](sts.md) says what each action gives. AWS's IAM API, which has the same address, answers 501: users and policies are administered\n" +
		"by `mc admin`, by `objsrv admin` and in the console. Parameters of the model that are not implemented answer 501, those of neither AWS nor MinIO 400.\n\n" +
		"| Action | Request | Implemented | Limits |\n|---|---|---|---|\n")
	for _, a := range sts.Actions() {
		request, state, limits := "signed", Implemented, a.Limits
		if !a.Signed {
			request = "with a proof"
		}
		if !a.Implemented {
			state = NotImplemented
		}
		if a.Refused != nil {
			limits = joined(limits, "501: "+strings.Join(a.Refused, ", "))
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", a.Name, request, state, limits)
	}
}

func joined(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}
