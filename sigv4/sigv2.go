package sigv4

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Version 2 of the signature is refused unless a caller allows it, for clients that make it by default (presigned URLs
// and POST forms of boto3 and of version 1 of the aws command line) or know nothing else (old ones). Rules: S3 user
// guide, "Signing and authenticating REST requests (AWS signature version 2)". It leaves most query parameters out of
// what it signs. Here one that is not signed is refused, but for those of v2Unsigned.

// v2Resources are the query parameters that version 2 signs as part of the resource, in a URL. They are of objects.
var v2Resources = []string{
	"acl", "legal-hold", "partNumber", "response-cache-control", "response-content-disposition", "response-content-encoding",
	"response-content-language", "response-content-type", "response-expires", "restore", "retention", "tagging", "uploadId",
	"uploads", "versionId",
}

// v2HeaderResources are those that are signed with a header: also the ones of buckets, as botocore has them.
var v2HeaderResources = append([]string{
	"accelerate", "analytics", "cors", "delete", "inventory", "lifecycle", "location", "logging", "metrics", "notification", "object-lock",
	"policy", "replication", "requestPayment", "select", "select-type", "storageClass", "torrent", "versioning", "versions", "website",
}, remove(v2Resources, "legal-hold", "retention")...)

// v2Unsigned are the parameters that a header need not sign. They say which part of a list is read, of what the
// signature names.
var v2Unsigned = []string{
	"continuation-token", "delimiter", "encoding-type", "fetch-owner", "key-marker", "list-type", "marker", "max-keys", "max-parts",
	"max-uploads", "part-number-marker", "prefix", "start-after", "upload-id-marker", "version-id-marker",
}

func remove(list []string, names ...string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return slices.Contains(names, s) })
}

// parseHeaderV2 reads "ID:SIGNATURE", what follows the scheme in an Authorization header, and the date, which is
// x-amz-date or, without it, Date.
func (v *Verifier) parseHeaderV2(r *http.Request, credential string, q *authQuery) (Auth, error) {
	accessKey, signature, ok := strings.Cut(strings.TrimSpace(credential), ":")
	if !ok || accessKey == "" || signature == "" {
		return Auth{}, errArgument("AWS authorization header is invalid. Expected AwsAccessKeyId:signature", "Authorization", "AWS")
	}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return Auth{}, errURI()
	}
	for name, v := range values {
		signed := slices.Contains(v2HeaderResources, name)
		if signed && len(v) != 1 {
			return Auth{}, errInvalidRequest("The query parameter " + name + " must not be specified more than once")
		}
		if !signed && !slices.Contains(v2Unsigned, name) {
			return Auth{}, errNotSignedV2(name)
		}
	}
	date := r.Header["X-Amz-Date"]
	if len(date) == 0 {
		date = r.Header["Date"]
	}
	if len(date) != 1 {
		return Auth{}, newError("AccessDenied", messageDate)
	}
	t, ok := parseTime(date[0])
	if !ok {
		t, ok = parseHTTPDate(date[0])
	}
	if !ok || t.Unix() < 0 {
		return Auth{}, newError("AccessDenied", messageDate)
	}
	a := Auth{Mode: Header, V2: true, AccessKey: accessKey, Service: v.Service, Time: t, SessionToken: first(r.Header["X-Amz-Security-Token"])}
	a.state.signature, a.state.amzDate = signature, date[0]
	if e := a.parsePayload(r, q); e != nil {
		return Auth{}, e
	}
	if a.Payload != PayloadUnsigned && a.Payload != PayloadHash {
		return Auth{}, errInvalidRequest("A streaming payload requires a signature of version 4")
	}
	return a, nil
}

func errNotSignedV2(name string) *Error {
	return newError("AccessDenied", "There were query parameters present in the request which were not signed", Field{"ParametersNotSigned", name})
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
			return Auth{}, errNotSignedV2(name)
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

// verifyV2 proves that r was signed with secret and is in time.
func (v *Verifier) verifyV2(r *http.Request, a *Auth, secret string) error {
	if err := v.checkTime(a); err != nil {
		return err
	}
	path := r.URL.EscapedPath()
	toSign := v.toSignV2(r, a, path)
	if equalV2(a.state.signature, []byte(toSign), secret) {
		return nil
	}
	// botocore signs "/bucket/" for a bucket, as if its name stood in the host, and sends "/bucket". Both name the same.
	bucketOnly := strings.LastIndexByte(path, '/') == 0 && len(path) > 1 && v.V2Bucket(r.Host) == ""
	if bucketOnly && equalV2(a.state.signature, []byte(v.toSignV2(r, a, path+"/")), secret) {
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

// toSignV2 returns the string to sign for a path. Clients may move headers that they sign into the query of a URL, from where
// they count like headers.
func (v *Verifier) toSignV2(r *http.Request, a *Auth, path string) string {
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
	known := v2HeaderResources
	if a.Mode == Presigned {
		known = v2Resources
	}
	var resources []string
	for name := range query {
		if strings.HasPrefix(name, "x-amz-") {
			amz[name] = query.Get(name)
		} else if slices.Contains(known, name) {
			resources = append(resources, name)
		}
	}
	standard := func(header, param string) string {
		if query.Has(param) {
			return query.Get(param)
		}
		return first(r.Header[header])
	}
	var b strings.Builder
	b.WriteString(r.Method + "\n" + standard("Content-Md5", "content-md5") + "\n" + standard("Content-Type", "content-type") + "\n" + dateV2(r, a) + "\n")
	for _, name := range slices.Sorted(maps.Keys(amz)) {
		b.WriteString(name + ":" + amz[name] + "\n")
	}
	if bucket := v.V2Bucket(r.Host); bucket != "" {
		b.WriteString("/" + bucket)
	}
	b.WriteString(path)
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

// dateV2 is the line of the date in the string to sign: when a URL expires, nothing when x-amz-date is signed as a
// header, or Date.
func dateV2(r *http.Request, a *Auth) string {
	switch {
	case a.Mode == Presigned:
		return strconv.FormatInt(a.Time.Add(a.Expires).Unix(), 10)
	case len(r.Header["X-Amz-Date"]) > 0:
		return ""
	}
	return first(r.Header["Date"])
}
