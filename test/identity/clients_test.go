package identity

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// run runs a stock client that finds its token in a file, as it does in a pod of Kubernetes, with
// further variables.
func run(t *testing.T, s *server, tokenFile string, env []string, command ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "NO_PROXY=127.0.0.1", "AWS_ENDPOINT_URL=" + s.url,
		"AWS_ROLE_ARN=arn:aws:iam::123456789012:role/anything", "AWS_WEB_IDENTITY_TOKEN_FILE=" + tokenFile}, env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestStockClients: AWS_ROLE_ARN, AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ENDPOINT_URL are all that the
// server wants. What a client itself wants beside them is said here: most want a region for whatever
// is not S3, and say so before they ask anybody. That of Go takes no notice of AWS_ENDPOINT_URL when
// it changes its token for credentials, and wants that of STS by its own name.
func TestStockClients(t *testing.T) {
	p := newProvider(t)
	p.start()
	s := start(t, p.settings()...)
	dir := t.TempDir()
	token, object := filepath.Join(dir, "token"), filepath.Join(dir, "object")
	for name, data := range map[string]string{token: p.user("alice").ID, object: "content"} {
		if err := os.WriteFile(name, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const caller = ":assumed-role/anything/"
	for _, tt := range []struct {
		name    string
		program []string // variables that run.sh sets, and what they are
		command func(program string) []string
		wants   []string // by the client, beside the three
		says    string   // by the client, without them; "" when it wants none
		prints  []string
	}{
		{"aws sts", []string{"IDENTITY_AWS", "the aws command line"}, func(aws string) []string { return []string{aws, "sts", "get-caller-identity"} },
			[]string{"AWS_DEFAULT_REGION=us-east-1"}, "You must specify a region", []string{caller}},
		{"aws s3", []string{"IDENTITY_AWS", "the aws command line"}, func(aws string) []string { return []string{aws, "s3", "cp", object, "s3://" + bucket + "/by-aws"} },
			nil, "", []string{"upload: "}},
		{"boto3 s3", []string{"IDENTITY_PYTHON", "a python with boto3"}, func(python string) []string {
			return []string{python, "-c", `
import boto3
s3 = boto3.client("s3")
s3.put_object(Bucket="data", Key="by-boto3", Body=b"content")
print(s3.get_object(Bucket="data", Key="by-boto3")["Body"].read())
s3.delete_object(Bucket="data", Key="by-boto3")
`}
		}, nil, "", []string{"b'content'"}},
		{"boto3 sts", []string{"IDENTITY_PYTHON", "a python with boto3"}, func(python string) []string {
			return []string{python, "-c", `
import boto3
print(boto3.client("sts").get_caller_identity()["Arn"])
answer = boto3.client("sts").assume_role_with_web_identity(RoleArn="arn:aws:iam::123456789012:role/any", RoleSessionName="app",
    WebIdentityToken=open("` + token + `").read(), DurationSeconds=900)
print(answer["SubjectFromWebIdentityToken"], answer["Audience"], answer["Provider"], answer["AssumedRoleUser"]["Arn"])
try:
    boto3.client("sts").assume_role_with_web_identity(RoleArn="arn:aws:iam::123456789012:role/any", RoleSessionName="app", WebIdentityToken="forged")
except boto3.client("sts").exceptions.InvalidIdentityTokenException as e:
    print("refused as it should be")
`}
		}, []string{"AWS_DEFAULT_REGION=us-east-1"}, "You must specify a region", []string{caller, "alice s3console " + p.issuer() + " arn:aws:sts::", "refused as it should be"}},
		{"aws-sdk-go-v2", []string{"IDENTITY_GOSDK", "a program of aws-sdk-go-v2"}, func(program string) []string { return []string{program, bucket} },
			[]string{"AWS_REGION=us-east-1", "AWS_ENDPOINT_URL_STS=" + s.url}, "Missing Region", []string{"caller arn:", caller, "put, got and deleted"}},
		{"aws-sdk-js v3", []string{"IDENTITY_JSSDK", "the AWS SDK for JavaScript"}, func(script string) []string {
			return []string{need(t, "IDENTITY_NODE", "node"), script, bucket}
		}, []string{"AWS_REGION=us-east-1"}, "Region is missing", []string{"caller arn:", caller, "put, got and deleted"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			command := tt.command(need(t, tt.program[0], tt.program[1]))
			out, err := run(t, s, token, nil, command...)
			if err != nil && tt.says != "" && strings.Contains(out, tt.says) {
				out, err = run(t, s, token, tt.wants, command...)
			}
			for _, want := range tt.prints {
				if err != nil || !strings.Contains(out, want) {
					t.Errorf("no %q: %v: %s", want, err, out)
				}
			}
		})
	}
}
