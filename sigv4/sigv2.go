package sigv4

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Version 2 of the signature is refused, but for two uses that a caller can allow, because
// clients of today still make them by default: presigned URLs (boto3 and version 1 of the aws
// command line, unless told otherwise) and POST forms. Rules: S3 user guide, "Signing and
// authenticating REST requests (AWS signature version 2)". Version 2 leaves most query parameters out of
// what it signs; here a URL with a parameter that is not signed is refused.

// v2Resources are the query parameters that version 2 signs as part of the resource.
var v2Resources = []string{
	"acl", "legal-hold", "partNumber", "response-cache-control", "response-content-disposition", "response-content-encoding",
	"response-content-language", "response-content-type", "response-expires", "restore", "retention", "tagging", "uploadId",
	"uploads", "versionId",
}

// parsePresignedV2 reads AWSAccessKeyId, Signature and Expires.
func (v *Verifier) parsePresignedV2(r *http.Request, q *authQuery) (Auth, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return Auth{}, errURI()
	}
	for name, v := range values {
		if len(v) != 1 {
			return Auth{}, errQuery("The query parameter " + name + " must not be specified more than once")
		}
		switch name {
		case "AWSAccessKeyId", "Signature", "Expires", "content-type", "content-md5":
			continue
		}
		if !slices.Contains(v2Resources, name) && !strings.HasPrefix(name, "x-amz-") {
			return Auth{}, newError("AccessDenied", "There were query parameters present in the request which were not signed", Field{"ParametersNotSigned", name})
		}
	}
	expires, err := strconv.ParseInt(values.Get("Expires"), 10, 64)
	if err != nil || expires < 0 || q.value[qV2AccessKey] == "" || q.value[qV2Signature] == "" {
		return Auth{}, newError("AccessDenied", "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters")
	}
	// When the URL was signed is not known. The longest life that is accepted gives the
	// earliest moment, so that a policy that limits the age of signatures errs towards refusing.
	const life = maxPresign * time.Second
	a := Auth{Mode: Presigned, V2: true, AccessKey: q.value[qV2AccessKey], Service: v.Service, Expires: life,
		Time: time.Unix(expires, 0).UTC().Add(-life), SessionToken: values.Get("x-amz-security-token")}
	if token := r.Header["X-Amz-Security-Token"]; len(token) > 0 {
		if a.SessionToken != "" {
			return Auth{}, errSeveralMechanisms()
		}
		a.SessionToken = token[0]
	}
	a.state.signature = q.value[qV2Signature]
	if e := a.parsePayload(r, &authQuery{}); e != nil {
		return Auth{}, e
	}
	if a.Payload == PayloadStreamSigned || a.Payload == PayloadStreamSignedTrailer {
		return Auth{}, errInvalidRequest("A signed streaming payload requires a signature of version 4")
	}
	return a, nil
}

// verifyPresignedV2 proves that r was signed with secret and has not expired.
func (v *Verifier) verifyPresignedV2(r *http.Request, a *Auth, secret string) error {
	if err := v.checkTime(a); err != nil {
		return err
	}
	toSign := v.toSignV2(r, a)
	if equalV2(a.state.signature, []byte(toSign), secret) {
		return nil
	}
	return newError("SignatureDoesNotMatch", messageSignatureDoesNotMatch,
		Field{"AWSAccessKeyId", a.AccessKey}, Field{"StringToSign", toSign},
		Field{"SignatureProvided", a.state.signature}, Field{"StringToSignBytes", spacedHex([]byte(toSign))})
}

// equalV2 reports, in constant time, whether signature is the base64 of the HMAC-SHA1 of
// msg. An empty secret proves nothing.
func equalV2(signature string, msg []byte, secret string) bool {
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write(msg)
	want := base64.StdEncoding.EncodeToString(mac.Sum(nil))
	return subtle.ConstantTimeCompare([]byte(want), []byte(signature)) == 1 && secret != ""
}

// toSignV2 returns the string to sign. Clients may move headers that they sign into the
// query, from where they count like headers.
func (v *Verifier) toSignV2(r *http.Request, a *Auth) string {
	query := r.URL.Query()
	amz := map[string]string{}
	for name, values := range r.Header {
		if isAmz(name) {
			trimmed := make([]string, len(values))
			for i, value := range values {
				trimmed[i] = strings.Trim(value, " \t")
			}
			amz[strings.ToLower(name)] = strings.Join(trimmed, ",")
		}
	}
	var resources []string
	for name := range query {
		if strings.HasPrefix(name, "x-amz-") {
			amz[name] = query.Get(name)
		} else if slices.Contains(v2Resources, name) {
			resources = append(resources, name)
		}
	}
	standard := func(header, param string) string {
		if query.Has(param) {
			return query.Get(param)
		}
		return first(r.Header[header])
	}
	expires := a.Time.Add(a.Expires).Unix()
	var b strings.Builder
	b.WriteString(r.Method + "\n" + standard("Content-Md5", "content-md5") + "\n" + standard("Content-Type", "content-type") + "\n" + strconv.FormatInt(expires, 10) + "\n")
	names := make([]string, 0, len(amz))
	for name := range amz {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		b.WriteString(name + ":" + amz[name] + "\n")
	}
	if bucket := v.V2Bucket(r.Host); bucket != "" {
		b.WriteString("/" + bucket)
	}
	b.WriteString(r.URL.EscapedPath())
	slices.Sort(resources)
	for i, name := range resources {
		b.WriteByte("?&"[min(i, 1)])
		b.WriteString(name)
		if value := query.Get(name); value != "" {
			b.WriteString("=" + value)
		}
	}
	return b.String()
}
