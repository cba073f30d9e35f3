package reqlog

import (
	"context"
	"log/slog"
	"net/url"
	"strings"
	"time"
)

// Lengths beyond which what a client chose is cut in a line, in bytes.
const (
	maxURI   = 2048
	maxAgent = 256
)

// Line writes e as one access line. Secrets in the query are masked; control
// characters are escaped by the handler's encoding.
func (e *Event) Line(log *slog.Logger, now time.Time) {
	attrs := make([]slog.Attr, 0, 20)
	str := func(name, v string) {
		if v != "" {
			attrs = append(attrs, slog.String(name, v))
		}
	}
	str("request", e.ID)
	str("remote", e.Remote)
	attrs = append(attrs, slog.Bool("tls", e.TLS))
	str("method", cut(e.Method, 32))
	str("host", cut(e.Host, maxAgent))
	str("uri", cut(MaskURI(e.URI), maxURI))
	str("agent", cut(e.UserAgent, maxAgent))
	str("op", e.Op)
	str("bucket", cut(e.Bucket, maxAgent))
	str("key", cut(e.Key, maxURI))
	str("version", cut(e.Version, maxAgent))
	str("accessKey", cut(e.AccessKey, maxAgent))
	str("principal", e.Principal)
	attrs = append(attrs, slog.Int("status", e.Status))
	str("code", e.Code)
	if e.Err != nil {
		str("error", e.Err.Error())
	}
	attrs = append(attrs, slog.Int64("bytesIn", e.BytesIn), slog.Int64("bytesOut", e.BytesOut),
		slog.Float64("ms", float64(now.Sub(e.Start).Microseconds())/1000))
	log.LogAttrs(context.Background(), slog.LevelInfo, "request", attrs...)
}

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:n] + "…"
}

// secretParams are query parameters whose values are credentials or prove one,
// lower-case.
var secretParams = map[string]bool{
	"x-amz-signature": true, "x-amz-credential": true, "x-amz-security-token": true,
	"signature": true, "awsaccesskeyid": true, "webidentitytoken": true,
	"webidentityaccesstoken": true, "webidentityrefreshtoken": true, "samlassertion": true,
	"ldappassword": true, "ldapusername": true, "token": true, "access_token": true,
	"id_token": true, "refresh_token": true, "code": true, "state": true, "secret": true,
	"client_secret": true, "password": true, "tokencode": true,
}

// Masked stands where a secret was.
const Masked = "***"

// IsSecret tells whether the value of a query parameter or of a field of this name, in any case,
// is a credential or proves one: those of the table, and headers that a presigned URL has in its query.
func IsSecret(name string) bool {
	name = strings.ToLower(name)
	return secretParams[name] || strings.HasPrefix(name, "x-amz-") && IsSecretHeader(name)
}

// secretWords are parts of the names of headers whose values are secret: Authorization, cookies,
// session tokens, keys of customers, and what clients send to others by mistake.
var secretWords = []string{"authorization", "cookie", "token", "secret", "password", "signature", "credential", "customer-key", "api-key", "apikey"}

// IsSecretHeader tells whether the value of a header is a credential or proves one.
func IsSecretHeader(name string) bool {
	name = strings.ToLower(name)
	for _, word := range secretWords {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

// MaskURI returns a request URI with the values of secret query parameters replaced.
func MaskURI(uri string) string {
	path, query, ok := strings.Cut(uri, "?")
	if !ok {
		return uri
	}
	var b strings.Builder
	b.Grow(len(uri))
	b.WriteString(path)
	sep := byte('?')
	for pair := range strings.SplitSeq(query, "&") {
		b.WriteByte(sep)
		sep = '&'
		name, value, has := strings.Cut(pair, "=")
		b.WriteString(name)
		if !has {
			continue
		}
		b.WriteByte('=')
		plain, err := url.QueryUnescape(name)
		if err != nil || IsSecret(plain) {
			value = Masked
		}
		b.WriteString(value)
	}
	return b.String()
}
