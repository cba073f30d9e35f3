package sts

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// TestAWSModel: every action of the AWS model, which testdata/aws-model.txt lists (made from botocore 1.43.11), is a row of the table;
// and the model's parameters of an action are all taken, or refused by name.
func TestAWSModel(t *testing.T) {
	data, err := os.ReadFile("testdata/aws-model.txt")
	if err != nil {
		t.Fatal(err)
	}
	model := map[string][]string{}
	for line := range strings.Lines(string(data)) {
		fields := strings.Fields(line)
		model[fields[0]] = fields[1:]
	}
	if len(model) != 11 {
		t.Errorf("the model has %d actions", len(model))
	}
	for name, params := range model {
		o := opOf(name)
		switch {
		case o == nil:
			t.Errorf("%s of the AWS model is not in the table", name)
			continue
		case o.serve == nil:
			continue
		}
		known := func(p string) func(string) bool { return func(have string) bool { return familyOf(have) == p } }
		for _, p := range params {
			if !slices.ContainsFunc(o.params, known(p)) && !slices.ContainsFunc(o.lacks, known(p)) {
				t.Errorf("%s: the parameter %s is neither taken nor refused as not implemented", name, p)
			}
		}
		for _, p := range o.lacks {
			if !slices.Contains(params, familyOf(p)) {
				t.Errorf("%s lacks %s, which the model does not have", name, p)
			}
		}
	}
	minio := []string{"AssumeRoleWithClientGrants", "AssumeRoleWithLDAPIdentity", "AssumeRoleWithCertificate", "AssumeRoleWithCustomToken"}
	for _, o := range ops {
		if model[o.name] == nil && o.name != "GetCallerIdentity" && !slices.Contains(minio, o.name) {
			t.Errorf("%s is neither AWS's nor MinIO's", o.name)
		}
	}
}

// TestLacking: a parameter of the model that is not built is said to be so, whether it is a list or not; one that nobody knows is refused.
func TestLacking(t *testing.T) {
	s := start(t, Config{})
	cred := s.user("ann")
	rows := []struct {
		param, code string
		status      int
	}{
		{"SerialNumber", "NotImplemented", 501},
		{"TokenCode", "NotImplemented", 501},
		{"ProvidedContexts.member.1.ProviderArn", "NotImplemented", 501},
		{"ProvidedContexts", "ValidationError", 400},
		{"SerialNumber.member.1", "ValidationError", 400},
		{"Nobody", "ValidationError", 400},
	}
	for _, row := range rows {
		body := form("AssumeRole", "RoleArn", "arn:aws:iam::123456789012:role/any", "RoleSessionName", "one", row.param, "x")
		if a := s.do(cred, body, nil); a.status != row.status || a.Code != row.code {
			t.Errorf("%s: %d %s", row.param, a.status, a.body)
		}
	}
}
