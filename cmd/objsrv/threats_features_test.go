package main

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/encrypt"
	"github.com/minio/minio-go/v7/pkg/notification"

	"github.com/objsrv/objsrv/sigv4"
)

// targetsWithSecrets are settings of a target of each kind, at an address where nobody is, and their secrets.
func targetsWithSecrets(address string) (env environ, names, secrets []string) {
	host, port, _ := net.SplitHostPort(address)
	env = environ{}
	for kind, values := range map[string]map[string]string{
		"WEBHOOK":       {"ENDPOINT": "http://u:SECRET@" + address + "/hook", "AUTH_TOKEN": "SECRET", "SIGNING_SECRET": "SECRET"},
		"POSTGRES":      {"CONNECTION_STRING": "host=" + host + " port=" + port + " user=u password=SECRET dbname=d sslmode=disable", "TABLE": "t", "FORMAT": "namespace"},
		"MYSQL":         {"DSN_STRING": "u:SECRET@tcp(" + address + ")/d", "TABLE": "t", "FORMAT": "namespace"},
		"REDIS":         {"ADDRESS": address, "KEY": "k", "FORMAT": "namespace", "PASSWORD": "SECRET"},
		"AMQP":          {"URL": "amqp://u:SECRET@" + address, "EXCHANGE": "e", "EXCHANGE_TYPE": "fanout"},
		"MQTT":          {"BROKER": "tcp://" + address, "TOPIC": "t", "USERNAME": "u", "PASSWORD": "SECRET"},
		"NATS":          {"ADDRESS": address, "SUBJECT": "s", "USERNAME": "u", "PASSWORD": "SECRET"},
		"KAFKA":         {"BROKERS": address, "TOPIC": "t", "SASL": "on", "SASL_USERNAME": "u", "SASL_PASSWORD": "SECRET"},
		"ELASTICSEARCH": {"URL": "http://" + address, "INDEX": "i", "FORMAT": "namespace", "USERNAME": "u", "PASSWORD": "SECRET"},
	} {
		env["OBJSRV_NOTIFY_"+kind+"_ENABLE_T"] = "on"
		for key, v := range values {
			secret := "hidden" + strings.ToLower(kind+key)
			if strings.Contains(v, "SECRET") {
				secrets = append(secrets, secret)
			}
			env["OBJSRV_NOTIFY_"+kind+"_"+key+"_T"] = strings.ReplaceAll(v, "SECRET", secret)
		}
		name := strings.ToLower(kind)
		if name == "postgres" {
			name = "postgresql"
		}
		names = append(names, name)
	}
	return env, names, secrets
}

// TestSecretsOfFeatures is S-250 and S-093 of encryption and events: keys of customers in every place where a request has
// them, the root key, and what targets log in with, are in no trace, log, answer to an administrator or file of the server.
func TestSecretsOfFeatures(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close() // nobody is there
	env, targets, secrets := targetsWithSecrets(address)
	rootKey := base64.StdEncoding.EncodeToString([]byte("the root key of thirty-two bytes"))
	env["OBJSRV_ROOT_PASSWORD"], env["OBJSRV_NOTIFY_ALLOW"], env["OBJSRV_KMS_SECRET_KEY"] = testPassword, "127.0.0.0/8", "mine:"+rootKey
	certs, dir := t.TempDir(), t.TempDir()
	writeTestCert(t, certs, "localhost")
	p, stdout, stderr := start(t, env, dir, "--certs-dir", certs, "--access-log", "stdout")
	w, err := p.host.Requests().Watch("test", nil)
	if err != nil {
		t.Fatal(err)
	}
	c, ctx := tlsClient(t, p), t.Context()
	if err := c.MakeBucket(ctx, "bucket", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	var rules notification.Configuration
	for i, name := range targets {
		conf := notification.NewConfig(notification.NewArn("minio", "sqs", "", "T", name))
		conf.AddEvents(notification.ObjectCreatedAll)
		conf.AddFilterPrefix(fmt.Sprint(i)) // two queues may not want the same
		rules.AddQueue(conf)
	}
	if err := c.SetBucketNotification(ctx, "bucket", rules); err != nil {
		t.Fatal(err)
	}
	first, second := []byte("a customer's key of thirty-two b"), []byte("another customer's key of thirty")
	one, err := encrypt.NewSSEC(first)
	if err != nil {
		t.Fatal(err)
	}
	two, err := encrypt.NewSSEC(second)
	if err != nil {
		t.Fatal(err)
	}
	for i := range targets {
		if _, err := c.PutObject(ctx, "bucket", fmt.Sprint(i), strings.NewReader("x"), 1, minio.PutObjectOptions{ServerSideEncryption: one}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.CopyObject(ctx, minio.CopyDestOptions{Bucket: "bucket", Object: "copy", Encryption: two}, minio.CopySrcOptions{Bucket: "bucket", Object: "0", Encryption: encrypt.SSECopy(one)}); err != nil {
		t.Fatal(err)
	}
	for _, key := range [][]byte{first, second} {
		sum := md5.Sum(key)
		secrets = append(secrets, string(key), base64.StdEncoding.EncodeToString(key), base64.StdEncoding.EncodeToString(sum[:]))
	}
	secrets = append(secrets, rootKey, testPassword)

	var answers strings.Builder
	client := http.Client{Transport: insecureTransport()}
	ask := func(method, target string, presigned bool) int {
		t.Helper()
		r, err := http.NewRequestWithContext(ctx, method, "https://"+p.Addr().String()+target, nil)
		if err != nil {
			t.Fatal(err)
		}
		s := sigv4.Signer{AccessKey: p.services.root.User, Secret: p.services.root.Password, Region: "us-east-1", Service: "s3"}
		if presigned {
			s.Presign(r, time.Minute, time.Now())
		} else {
			s.SignHeader(r, "", time.Now())
		}
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		answers.Write(body)
		return resp.StatusCode
	}
	// A presigner moves headers into the URL.
	sum := md5.Sum(first)
	q := url.Values{"x-amz-server-side-encryption-customer-algorithm": {"AES256"}, "x-amz-server-side-encryption-customer-key": {base64.StdEncoding.EncodeToString(first)},
		"x-amz-server-side-encryption-customer-key-MD5": {base64.StdEncoding.EncodeToString(sum[:])}}
	if status := ask("GET", "/bucket/0?"+q.Encode(), true); status != http.StatusOK {
		t.Errorf("a read with the key in its URL: %d", status)
	}
	if status := ask("GET", "/bucket/copy?"+q.Encode(), true); status != http.StatusForbidden {
		t.Errorf("a read with another key in its URL: %d", status)
	}
	for _, name := range targets {
		if status := ask("POST", "/-/api/v1/notifications/"+name+":T/test", false); status != http.StatusOK {
			t.Errorf("test of %s: %d", name, status)
		}
	}
	for _, path := range []string{"/-/api/v1/notifications", "/-/api/v1/encryption-keys", "/-/api/v1/config", "/-/api/v1/server", "/minio/admin/v3/info", "/minio/kms/v1/status", "/bucket?notification"} {
		if status := ask("GET", path, false); status != http.StatusOK {
			t.Errorf("%s: %d", path, status)
		}
	}
	p.Close()
	var traced strings.Builder
	for e := range w.Entries() {
		fmt.Fprintf(&traced, "%s %v %v\n", e.Event.URI, e.Event.Header, e.Event.Answer)
	}
	if !strings.Contains(traced.String(), "Customer-Key") || !strings.Contains(answers.String(), "webhook:T") {
		t.Error("nothing was traced or asked")
	}
	lines, _, _ := p.host.Log().Watch("test", 0, nil)
	logged, err := json.Marshal(lines)
	if err != nil {
		t.Fatal(err)
	}
	for where, text := range map[string]string{"a trace": traced.String(), "what is logged": string(logged) + stdout.String() + stderr.String(), "an answer": answers.String()} {
		for _, s := range secrets {
			if strings.Contains(text, s) {
				t.Errorf("%q is in %s", s, where)
			}
		}
	}
	wantNowhere(t, dir, secrets...)
}
