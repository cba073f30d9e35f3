package s3api

import (
	"bufio"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
)

// modelled is an operation of the AWS model with the headers and the query parameters that its input may have.
type modelled struct {
	name    string
	headers []string
	params  []string
}

// awsModel reads testdata/aws-model.txt, which was made from the S3 service model of botocore 1.43.11.
func awsModel(t *testing.T) []modelled {
	t.Helper()
	f, err := os.Open("testdata/aws-model.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []modelled
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		m := modelled{name: fields[0]}
		for _, field := range fields[1:] {
			if name, ok := strings.CutPrefix(field, "?"); ok {
				m.params = append(m.params, name)
			} else {
				m.headers = append(m.headers, field)
			}
		}
		out = append(out, m)
	}
	return out
}

// refused lists what of the model no row of the operation takes: such a request is answered with 501.
func (m *modelled) refused(ops []op) (out []string) {
	known := func(takes func(*op) bool) bool {
		return slices.ContainsFunc(ops, func(o op) bool { return o.name == m.name && takes(&o) })
	}
	for _, h := range m.headers {
		if strings.HasPrefix(h, "x-amz-") && !known(func(o *op) bool { return o.header == h || o.knowsHeader(http.CanonicalHeaderKey(h)) }) {
			out = append(out, h)
		}
	}
	for _, p := range m.params {
		if !known(func(o *op) bool { return p == o.sub || p == o.param || slices.Contains(o.params, p) }) {
			out = append(out, "?"+p)
		}
	}
	return out
}

// TestAWSModel: every operation of the model is a row of the table, and what is in the table besides is known.
func TestAWSModel(t *testing.T) {
	rows := map[string]*op{}
	ops := operations()
	for i := range ops {
		rows[ops[i].name] = &ops[i]
	}
	model := awsModel(t)
	if len(model) != 111 {
		t.Errorf("the model has %d operations", len(model))
	}
	for _, m := range model {
		if rows[m.name] == nil {
			t.Errorf("%s of the AWS model is not in the table", m.name)
		}
		delete(rows, m.name)
	}
	for _, own := range []string{"PostObject", "Preflight", "ListenNotification", "ListenBucketNotification",
		"GetAccountPublicAccessBlock", "PutAccountPublicAccessBlock", "DeleteAccountPublicAccessBlock"} {
		delete(rows, own)
	}
	for name := range rows {
		t.Errorf("%s is in the table and neither of the AWS model nor known", name)
	}
	for row := range operationLimits {
		name, header, _ := strings.Cut(row, ", ")
		if !rowNamed(ops, name, header) {
			t.Errorf("a limit is told of %s, which is not in the table", row)
		}
	}
}

// rowNamed tells whether a row with that name, and that header unless it is "", is implemented.
func rowNamed(ops []op, name, header string) bool {
	return slices.ContainsFunc(ops, func(o op) bool { return o.name == name && (header == "" || o.header == header) && o.handle != nil })
}
