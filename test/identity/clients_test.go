package identity

import (
	"encoding/base64"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// run runs a stock client that finds its token in a file, as it does in a pod of Kubernetes.
func run(t *testing.T, s *server, tokenFile string, command ...string) (string, error) {
	t.Helper()
	home := t.TempDir()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "AWS_CONFIG_FILE=/dev/null", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1", "AWS_ENDPOINT_URL=" + s.url, "NO_PROXY=127.0.0.1",
		"AWS_ROLE_ARN=arn:aws:iam::123456789012:role/anything", "AWS_WEB_IDENTITY_TOKEN_FILE=" + tokenFile}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestStockClients: AWS_ROLE_ARN, AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ENDPOINT_URL are all that the
// aws command line and boto3 need.
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
	t.Run("aws", func(t *testing.T) {
		aws := need(t, "IDENTITY_AWS", "the aws command line")
		if out, err := run(t, s, token, aws, "sts", "get-caller-identity"); err != nil || !strings.Contains(out, ":assumed-role/anything/") {
			t.Errorf("%v: %s", err, out)
		}
		if out, err := run(t, s, token, aws, "s3", "cp", object, "s3://"+bucket+"/by-aws"); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
	t.Run("boto3", func(t *testing.T) {
		python := need(t, "IDENTITY_PYTHON", "a python with boto3")
		out, err := run(t, s, token, python, "-c", `
import boto3
print(boto3.client("sts").get_caller_identity()["Arn"])
boto3.client("s3").put_object(Bucket="data", Key="by-boto3", Body=b"content")
answer = boto3.client("sts").assume_role_with_web_identity(RoleArn="arn:aws:iam::123456789012:role/any", RoleSessionName="app",
    WebIdentityToken=open("`+token+`").read(), DurationSeconds=900)
print(answer["SubjectFromWebIdentityToken"], answer["Audience"], answer["Provider"], answer["AssumedRoleUser"]["Arn"])
try:
    boto3.client("sts").assume_role_with_web_identity(RoleArn="arn:aws:iam::123456789012:role/any", RoleSessionName="app", WebIdentityToken="forged")
except boto3.client("sts").exceptions.InvalidIdentityTokenException as e:
    print("refused as it should be")
`)
		for _, want := range []string{":assumed-role/anything/", "alice s3console " + p.issuer() + " arn:aws:sts::", "refused as it should be"} {
			if err != nil || !strings.Contains(out, want) {
				t.Errorf("no %q: %v: %s", want, err, out)
			}
		}
	})
}
