package reqlog

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestMaskURI(t *testing.T) {
	for uri, want := range map[string]string{
		"/b/k":                           "/b/k",
		"/b/k?versionId=1&x-amz-acl":     "/b/k?versionId=1&x-amz-acl",
		"/b/k?X-Amz-Signature=abc&a=b":   "/b/k?X-Amz-Signature=***&a=b",
		"/b/k?x-amz-security-token=t":    "/b/k?x-amz-security-token=***",
		"/b/k?X%2DAmz%2DSignature=abc":   "/b/k?X%2DAmz%2DSignature=***",
		"/?WebIdentityToken=j&Action=A":  "/?WebIdentityToken=***&Action=A",
		"/?WebIdentityAccessToken=j&A=B": "/?WebIdentityAccessToken=***&A=B",
		"/b?X-Amz-Credential=AK%2F2026":  "/b?X-Amz-Credential=***",
		"/b/k?X-Amz-Server-Side-Encryption-Customer-Key=k&X-Amz-SignedHeaders=host": "/b/k?X-Amz-Server-Side-Encryption-Customer-Key=***&X-Amz-SignedHeaders=host",
		"/b?%zz=secret":                   "/b?%zz=***",
		"/b?Signature=s&Expires=1&a?b=c?": "/b?Signature=***&Expires=1&a?b=c?",
	} {
		if got := MaskURI(uri); got != want {
			t.Errorf("%s: %s, want %s", uri, got, want)
		}
	}
}

// FuzzLine: whatever a client sends, an event is one line of JSON without the secret.
func FuzzLine(f *testing.F) {
	f.Add("/b/k?X-Amz-Signature=", "agent\n\x1b[31m", "key\r\nx")
	f.Fuzz(func(t *testing.T, uri, agent, key string) {
		const secret = "s3cr3ts3cr3t"
		if strings.Contains(uri+agent+key, secret) || strings.Contains(uri, "#") {
			return
		}
		if strings.Contains(uri, "?") {
			uri += "&"
		} else {
			uri += "?"
		}
		e := &Event{ID: "1", Method: "GET", URI: uri + "X-Amz-Signature=" + secret, UserAgent: agent, Key: key, Status: 500, Err: errors.New(agent)}
		var out bytes.Buffer
		e.Line(slog.New(slog.NewJSONHandler(&out, nil)), time.Now())
		line := strings.TrimSuffix(out.String(), "\n")
		if !json.Valid([]byte(line)) || !utf8.ValidString(line) {
			t.Fatalf("not JSON: %q", line)
		}
		for _, c := range []byte(line) {
			if c < ' ' {
				t.Fatalf("control character in %q", line)
			}
		}
		if strings.Contains(line, secret) {
			t.Fatalf("secret in %q", line)
		}
	})
}
