package s3api

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/objsrv/objsrv/storage"
)

// target is what the path and host of a request name.
type target struct {
	level       level
	bucket, key string
}

// router finds the row of the operation table that a request belongs to.
type router struct {
	domains []string
	subs    map[string]bool // every query name that selects a row
	rows    map[routeKey][]*op
	ops     []op
}

type routeKey struct {
	method string
	level  level
	sub    string
}

func newRouter(ops []op, domains []string) *router {
	rt := &router{domains: domains, subs: map[string]bool{}, rows: map[routeKey][]*op{}, ops: ops}
	for i := range ops {
		o := &ops[i]
		o.header = http.CanonicalHeaderKey(o.header)
		if o.sub != "" {
			rt.subs[o.sub] = true
		}
		k := routeKey{o.method, o.level, o.sub}
		rt.rows[k] = append(rt.rows[k], o)
	}
	for _, list := range rt.rows {
		// Rows that ask for a header or a parameter are tried before the plain one.
		slices.SortStableFunc(list, func(a, b *op) int { return b.weight() - a.weight() })
	}
	return rt
}

func (o *op) weight() int {
	n := 0
	if o.header != "" {
		n++
	}
	if o.param != "" {
		n++
	}
	return n
}

// target splits the request's path, and host when it is virtual-host style, into bucket
// and key. Nothing is cleaned: "a//b", "./x" and "../x" are keys like any other.
func (rt *router) target(r *http.Request) target {
	if _, there := r.Header[accountHeader]; there && strings.HasPrefix(r.URL.Path, controlPrefix) {
		return controlTarget(r.URL.Path)
	}
	path := strings.TrimPrefix(r.URL.Path, "/")
	if b := rt.hostBucket(r.Host); b != "" {
		if path == "" {
			return target{level: bucketLevel, bucket: b}
		}
		return target{objectLevel, b, path}
	}
	if path == "" {
		return target{level: serviceLevel}
	}
	bucket, key, _ := strings.Cut(path, "/")
	if key == "" {
		return target{level: bucketLevel, bucket: bucket}
	}
	return target{objectLevel, bucket, key}
}

// hostBucket returns the bucket of a virtual-host style request, or "".
func (rt *router) hostBucket(host string) string {
	if len(rt.domains) == 0 {
		return ""
	}
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.ToLower(host)
	for _, d := range rt.domains {
		if b, ok := strings.CutSuffix(host, "."+d); ok {
			return b
		}
	}
	return ""
}

// route returns the row for a request. A nil row with an error is a request that no row
// covers; the caller answers it only after it has authenticated the sender.
func (rt *router) route(r *http.Request, t target, query url.Values) (*op, error) {
	if t.level == controlLevel {
		return nil, errorf("NotImplemented", "This operation of S3 Control is not implemented: %s.", r.URL.Path)
	}
	sub, err := rt.sub(query)
	if err != nil {
		return nil, err
	}
	rows := rt.rows[routeKey{r.Method, t.level, sub}]
	for _, o := range rows {
		if _, there := r.Header[o.header]; o.header != "" && !there {
			continue
		}
		if o.param != "" && !query.Has(o.param) {
			continue
		}
		return o, o.understands(r, query)
	}
	if sub != "" && !rt.known(t.level, sub) {
		return nil, errorf("NotImplemented", "The sub-resource %q does not exist here.", sub)
	}
	return nil, errorf("MethodNotAllowed", "The specified method is not allowed against this resource.").
		with("Method", r.Method).with("ResourceType", strings.ToUpper(sub))
}

func (rt *router) known(l level, sub string) bool {
	for k := range rt.rows {
		if k.level == l && k.sub == sub {
			return true
		}
	}
	return false
}

// sub returns the one query name that selects a row.
func (rt *router) sub(query url.Values) (string, error) {
	found := ""
	for name := range query {
		if !rt.subs[name] {
			continue
		}
		if found != "" {
			return "", errorf("InvalidArgument", "Conflicting query parameters: %s and %s.", min(found, name), max(found, name))
		}
		found = name
	}
	return found, nil
}

// understands refuses query names and x-amz-* headers that the operation does not
// know, because ignoring one could do something else than what was asked. A read of an object or bucket
// passes over names with a value that are nobody's, as S3 does: "?v=2" of a page that wants no
// cached copy. A name without a value looks like a sub-resource and is refused.
func (o *op) understands(r *http.Request, query url.Values) error {
	for name, values := range query {
		if name == o.sub || name == o.param || slices.Contains(o.params, name) || o.harmless(name, query) {
			if len(values) > 1 && !(o.many && name == o.sub) {
				return errorf("InvalidArgument", "The query parameter %s appears more than once.", name)
			}
			continue
		}
		if o.reads() && !isAmz(name) && values[0] != "" {
			continue
		}
		return errorf("NotImplemented", "The query parameter %q is not implemented for %s.", name, o.name)
	}
	for name := range r.Header {
		if len(name) > 6 && name[:6] == "X-Amz-" && !o.knowsHeader(name) {
			return errorf("NotImplemented", "A header you provided implies functionality that is not implemented: %s.", strings.ToLower(name)).
				with("Header", strings.ToLower(name))
		}
	}
	return nil
}

func (o *op) reads() bool { return o.method == http.MethodGet || o.method == http.MethodHead }

func isAmz(name string) bool { return len(name) >= 6 && strings.EqualFold(name[:6], "x-amz-") }

// harmless tells query names that do not select what is done: the signature's own, headers that
// the presigner of an SDK has moved into the query, and other names that start with "x-", which S3 leaves
// to clients for their logs.
func (o *op) harmless(name string, query url.Values) bool {
	switch name {
	case "AWSAccessKeyId", "Signature", "Expires": // of version 2, which package sigv4 takes or refuses
		return true
	}
	if !isAmz(name) {
		return len(name) > 2 && (name[0] == 'x' || name[0] == 'X') && name[1] == '-'
	}
	return signatureParams[name] || query.Has("X-Amz-Signature") && headerName(name) && o.knowsHeader(http.CanonicalHeaderKey(name))
}

// signatureParams are the query parameters of a presigned URL.
var signatureParams = map[string]bool{
	"X-Amz-Algorithm": true, "X-Amz-Credential": true, "X-Amz-Date": true, "X-Amz-Expires": true,
	"X-Amz-SignedHeaders": true, "X-Amz-Signature": true, "X-Amz-Security-Token": true, "X-Amz-Content-Sha256": true,
}

// takeHoisted gives the headers that an SDK's presigner has moved into the query back to
// the request, once the signature over the query has been verified. Checksums are left: SDKs put that of
// the empty body there, because they presign before there is a body.
func (c *call) takeHoisted() {
	var header http.Header
	for name, values := range c.query {
		canonical := http.CanonicalHeaderKey(name)
		if signatureParams[name] || !strings.HasPrefix(canonical, "X-Amz-") || commonHeaders[canonical] ||
			strings.HasPrefix(canonical, "X-Amz-Checksum-") || strings.HasPrefix(canonical, "X-Amz-Sdk-") {
			continue
		}
		if _, there := c.r.Header[canonical]; there {
			continue
		}
		if header == nil {
			header = c.r.Header.Clone()
		}
		header[canonical] = values
	}
	if header != nil {
		r := *c.r
		r.Header = header
		c.r = &r
	}
}

// commonHeaders are understood by every operation.
var commonHeaders = map[string]bool{
	"X-Amz-Date": true, "X-Amz-Content-Sha256": true, "X-Amz-Security-Token": true,
	"X-Amz-User-Agent": true, "X-Amz-Expected-Bucket-Owner": true, "X-Amz-Cf-Id": true,
	// Who pays makes no difference where nobody is billed.
	"X-Amz-Request-Payer": true,
	// Sent by SDKs for their own tracing.
	"X-Amz-Te": true, "X-Amz-Id-2": true, "X-Amz-Request-Id": true, "X-Amzn-Trace-Id": true,
	"X-Amz-Sdk-Request": true, "X-Amz-Sdk-Invocation-Id": true, "X-Amz-Retry-Attempts": true,
}

func (o *op) knowsHeader(canonical string) bool {
	if commonHeaders[canonical] {
		return true
	}
	for _, h := range o.headers {
		if len(canonical) < len(h) {
			continue
		}
		if strings.EqualFold(canonical, h) || (h[len(h)-1] == '-' && strings.EqualFold(canonical[:len(h)], h)) {
			return true
		}
	}
	return false
}

// checkNames validates bucket and key of an authenticated request.
func (t target) checkNames(o *op) error {
	if t.level == serviceLevel || t.level == accountLevel {
		return nil
	}
	if err := checkBucketName(t.bucket); err != nil {
		if o.name == "CreateBucket" {
			return err
		}
		if !validForLookup(t.bucket) {
			return err
		}
	}
	if t.level == objectLevel {
		return checkKey(t.key)
	}
	return nil
}

// checkKey accepts every string of 1 to 1024 bytes of UTF-8 (S3 user guide, "Naming
// Amazon S3 objects").
func checkKey(key string) error {
	if len(key) > storage.MaxKey {
		return errorf("KeyTooLongError", "Your key is too long").with("Size", itoa(len(key))).with("MaxSizeAllowed", itoa(storage.MaxKey))
	}
	if !utf8.ValidString(key) {
		return errorf("InvalidURI", "Couldn't parse the specified URI: the key is not valid UTF-8.")
	}
	return nil
}

// validForLookup tells whether a name, though not allowed for a new bucket, is harmless
// to look up: it will simply not be found.
func validForLookup(name string) bool {
	return len(name) >= 3 && len(name) <= 255 && utf8.ValidString(name) && !strings.ContainsAny(name, "/\x00")
}

// checkBucketName applies the rules of the S3 user guide, "General purpose bucket naming rules".
func checkBucketName(name string) error {
	bad := func(why string) error {
		return errorf("InvalidBucketName", "The specified bucket is not valid: %s.", why).with("BucketName", name)
	}
	if len(name) < 3 || len(name) > 63 {
		return bad("a name has 3 to 63 characters")
	}
	for i := range len(name) {
		c := name[i]
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '.') {
			return bad("a name has lower-case letters, digits, dots and hyphens only")
		}
	}
	if !alnum(name[0]) || !alnum(name[len(name)-1]) {
		return bad("a name begins and ends with a letter or digit")
	}
	if name == "minio" {
		return bad("the path /minio/ is the server's own")
	}
	if strings.Contains(name, "..") {
		return bad("two dots may not be next to each other")
	}
	if strings.Trim(name, "0123456789.") == "" && net.ParseIP(name) != nil {
		return bad("a name is not formatted as an IP address")
	}
	for _, p := range []string{"xn--", "sthree-", "amzn-s3-demo-"} {
		if strings.HasPrefix(name, p) {
			return bad("the prefix " + p + " is reserved")
		}
	}
	for _, s := range []string{"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"} {
		if strings.HasSuffix(name, s) {
			return bad("the suffix " + s + " is reserved")
		}
	}
	return nil
}

func alnum(c byte) bool { return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' }
