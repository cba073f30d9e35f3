package s3api

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/sigv4"
	"github.com/objsrv/objsrv/storage"
)

// asked is the decision under way: conditions speak of its resource, not of what the request as a
// whole is about. Of a copy that is first the target, then the source. The zero is none.
type asked struct {
	req     *iam.Request
	b       *storage.Bucket
	version string // of the object
}

// ref is the object that is asked about; its Key is empty when it is none.
func (a *asked) ref() storage.Ref {
	if a.req == nil {
		return storage.Ref{}
	}
	return storage.Ref{Bucket: a.req.Bucket, Key: a.req.Key, Version: a.version}
}

// Values answers a policy's condition key for this request. What it answers comes from the
// server: the verified signature, the connection, the parsed parameters. A header or parameter counts
// only for the key that is defined by it, and only where the operation has it (Service Authorization
// Reference, "Condition keys for Amazon S3"). Keys are lower-case.
func (c *call) Values(key string) ([]string, bool) {
	if get, ok := conditionKeys[key]; ok {
		v, ok := get(c)
		if !ok {
			return nil, false
		}
		return []string{v}, true
	}
	if name, ok := strings.CutPrefix(key, "s3:x-amz-"); ok {
		return c.headerValue("X-Amz-" + name)
	}
	return c.tagValues(key)
}

// conditionKeys answer with one value.
var conditionKeys = map[string]func(*call) (string, bool){
	"aws:securetransport":        func(c *call) (string, bool) { return strconv.FormatBool(c.ev.TLS), true },
	"aws:sourceip":               func(c *call) (string, bool) { return present(c.ev.Remote) },
	"aws:useragent":              func(c *call) (string, bool) { return present(c.r.Header.Get("User-Agent")) },
	"aws:referer":                func(c *call) (string, bool) { return present(c.r.Header.Get("Referer")) },
	"s3:authtype":                authType,
	"s3:signatureversion":        signatureVersion,
	"s3:signatureage":            signatureAge,
	"s3:tlsversion":              tlsVersion,
	"s3:prefix":                  listPrefix,
	"s3:delimiter":               queryKey("delimiter"),
	"s3:max-keys":                queryKey("max-keys"),
	"s3:versionid":               func(c *call) (string, bool) { return present(c.asked.version) },
	"s3:if-match":                conditionHeader("If-Match"),
	"s3:if-none-match":           conditionHeader("If-None-Match"),
	"s3:resourceaccount":         resourceAccount,
	"aws:resourceaccount":        resourceAccount,
	"s3:locationconstraint":      locationConstraint,
	"s3:objectcreationoperation": objectCreation,
	"s3:x-amz-content-sha256":    contentSHA256,
	"s3:x-amz-copy-source":       copySourceKey,

	"s3:object-lock-mode":                     lockKey(func(l *requestedLock) string { return l.mode }),
	"s3:object-lock-retain-until-date":        lockKey(func(l *requestedLock) string { return l.until }),
	"s3:object-lock-legal-hold":               lockKey(func(l *requestedLock) string { return l.hold }),
	"s3:object-lock-remaining-retention-days": lockKey(func(l *requestedLock) string { return l.days }),
}

func resourceAccount(c *call) (string, bool) {
	if c.asked.b == nil {
		return "", false
	}
	return c.asked.b.Owner, true
}

func present(s string) (string, bool) { return s, s != "" }

// listPrefix is the prefix of a listing, and the key where the right to list stands for that to
// know whether an object is there.
func listPrefix(c *call) (string, bool) {
	if c.prefix != "" {
		return c.prefix, true
	}
	return c.param("prefix")
}

func queryKey(name string) func(*call) (string, bool) {
	return func(c *call) (string, bool) { return c.param(name) }
}

// param returns a query parameter of a listing of objects.
func (c *call) param(name string) (string, bool) {
	if c.op == nil || c.level != bucketLevel || !c.query.Has(name) || !slices.Contains(c.op.params, name) {
		return "", false
	}
	return c.query.Get(name), true
}

// conditional are the operations that heed If-Match or If-None-Match.
var conditional = map[string]bool{
	"GetObject": true, "HeadObject": true, "PutObject": true, "CopyObject": true, "DeleteObject": true, "CompleteMultipartUpload": true, "RenameObject": true,
}

func conditionHeader(name string) func(*call) (string, bool) {
	return func(c *call) (string, bool) {
		v := c.r.Header.Get(name)
		return v, v != "" && c.op != nil && conditional[c.op.name]
	}
}

// headerValue answers a key that is named after an x-amz-* header. Where an operation does not know the
// header, the request is refused whatever the decision.
func (c *call) headerValue(name string) ([]string, bool) {
	// Header keys are canonical in the map; condition keys are lower-case.
	v := c.r.Header.Get(name)
	if v == "" {
		return nil, false
	}
	return []string{v}, true
}

func signatureVersion(c *call) (string, bool) {
	if c.auth.V2 {
		return "AWS", true
	}
	return "AWS4-HMAC-SHA256", c.auth.Mode != sigv4.Anonymous
}

func authType(c *call) (string, bool) {
	switch c.auth.Mode {
	case sigv4.Header:
		return "REST-HEADER", true
	case sigv4.Presigned:
		return "REST-QUERY-STRING", true
	case sigv4.Form:
		return "POST", true
	}
	return "", false
}

// signatureAge is in milliseconds, of presigned requests. Version 2 tells no time of signing: such a URL counts as
// old as it can be.
func signatureAge(c *call) (string, bool) {
	if c.auth.Mode != sigv4.Presigned {
		return "", false
	}
	return strconv.FormatInt(c.s.Now().Sub(c.auth.Time).Milliseconds(), 10), true
}

// tlsVersion is absent without TLS, and where a proxy ended it, whose version is not known.
func tlsVersion(c *call) (string, bool) {
	if c.r.TLS == nil {
		return "", false
	}
	const tls10 = 0x0301
	return "1." + strconv.Itoa(int(c.r.TLS.Version)-tls10), true
}

// contentSHA256 is what the signature says of the body. Forms say nothing.
func contentSHA256(c *call) (string, bool) {
	if c.auth.V2 || c.auth.Mode == sigv4.Form || c.auth.Mode == sigv4.Anonymous && c.r.Header.Get("X-Amz-Content-Sha256") == "" {
		return "", false
	}
	switch c.auth.Payload {
	case sigv4.PayloadHash:
		return c.auth.PayloadHash, true
	case sigv4.PayloadStreamSigned:
		return "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", true
	case sigv4.PayloadStreamSignedTrailer:
		return "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", true
	case sigv4.PayloadStreamUnsignedTrailer:
		return "STREAMING-UNSIGNED-PAYLOAD-TRAILER", true
	}
	return "UNSIGNED-PAYLOAD", true
}

// copySourceKey is the source of a copy as "bucket/key", however it was spelled.
func copySourceKey(c *call) (string, bool) {
	if c.op == nil || c.op.header != copySourceHeader {
		return "", false
	}
	ref, err := parseCopySource(c.r.Header[copySourceHeader])
	if err != nil {
		c.unknown = err
		return "", false
	}
	return ref.Bucket + "/" + ref.Key, true
}

const copySourceHeader = "X-Amz-Copy-Source"

// objectCreation tells writes that make an object from those that prepare one (S3 user guide, "Enforce
// conditional writes on Amazon S3 buckets").
func objectCreation(c *call) (string, bool) {
	if c.op == nil || c.asked.req == nil || c.asked.req.Action != "s3:PutObject" {
		return "", false
	}
	switch c.op.name {
	case "PutObject", "CopyObject", "PostObject", "CompleteMultipartUpload", "RenameObject":
		return "true", true
	case "CreateMultipartUpload", "UploadPart", "UploadPartCopy":
		return "false", true
	}
	return "", false
}

// locationConstraint is that of CreateBucket's body, which is read for it.
func locationConstraint(c *call) (string, bool) {
	if c.op == nil || c.op.name != "CreateBucket" {
		return "", false
	}
	conf, err := c.bucketConfiguration()
	if err != nil {
		c.unknown = err
		return "", false
	}
	return present(conf.LocationConstraint)
}

// requestedLock is what a request asks of an object's lock, as conditions have it.
type requestedLock struct{ mode, until, hold, days string }

func lockKey(of func(*requestedLock) string) func(*call) (string, bool) {
	return func(c *call) (string, bool) {
		l, err := c.requestedLock()
		if err != nil {
			c.unknown = err
			return "", false
		}
		return present(of(&l))
	}
}

// requestedLock reads the headers of a write, or the body of PutObjectRetention or PutObjectLegalHold. A
// date that is none can't be decided on, and the request fails.
func (c *call) requestedLock() (l requestedLock, err error) {
	switch {
	case c.op == nil:
	case c.op.name == "PutObjectRetention":
		var doc retention
		if err = c.early(&doc); err != nil {
			return l, err
		}
		l.mode, l.until = doc.Mode, doc.Until
	case c.op.name == "PutObjectLegalHold":
		var doc legalHold
		if err = c.early(&doc); err != nil {
			return l, err
		}
		l.hold = doc.Status
	case c.op.name == "PostObject" || c.op.knowsHeader("X-Amz-Object-Lock-Mode"):
		h := c.r.Header
		l.mode, l.until, l.hold = h.Get("X-Amz-Object-Lock-Mode"), h.Get("X-Amz-Object-Lock-Retain-Until-Date"), h.Get("X-Amz-Object-Lock-Legal-Hold")
	}
	if l.until == "" {
		return l, nil
	}
	t, err := parseRetainUntil(l.until)
	if err != nil {
		return l, err
	}
	const day = 24 * time.Hour
	left := t.Sub(c.s.Now())
	days := int64(left / day)
	if left%day > 0 {
		days++ // a day that has begun counts
	}
	l.until, l.days = t.Format(time.RFC3339Nano), strconv.FormatInt(days, 10)
	return l, nil
}

// early reads the body of a request that must be known before it can be authorised.
func (c *call) early(v any) error {
	data, err := c.readBody(maxXML, false)
	if err != nil {
		return err
	}
	c.document = data
	return decodeXML(data, v)
}
