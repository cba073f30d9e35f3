package sigv4

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A browser's POST form carries its signature in form fields. In all functions here a
// form is a map from field names in lower case to values; the caller refuses fields that
// occur twice, and stops at the field "file". Rules: S3 API reference, "Authenticating Requests in
// Browser-Based Uploads Using POST" and "POST Policy".

// maxPolicy bounds a policy document in bytes.
const maxPolicy = 64 << 10

// formFields are the fields of a signed form, in the order in which S3 misses them.
var formFields = []struct{ name, display string }{
	{"x-amz-algorithm", "X-Amz-Algorithm"}, {"x-amz-credential", "X-Amz-Credential"}, {"x-amz-signature", "X-Amz-Signature"},
	{"x-amz-date", "X-Amz-Date"}, {"policy", "Policy"},
}

var formFieldsV2 = []struct{ name, display string }{
	{"awsaccesskeyid", "AWSAccessKeyId"}, {"signature", "Signature"}, {"policy", "Policy"},
}

// ParseForm reads the authentication of a POST form: Mode Form, or Anonymous when it has
// none of its fields. A form signed with version 2 gives InvalidRequest unless v.FormV2.
func (v *Verifier) ParseForm(form map[string]string) (Auth, error) {
	has := func(name string) bool { _, ok := form[name]; return ok }
	v2 := has("awsaccesskeyid") || has("signature")
	v4 := has("x-amz-algorithm") || has("x-amz-credential") || has("x-amz-signature") || has("x-amz-date")
	switch {
	case v2 && v4:
		return Auth{}, errSeveralMechanisms()
	case v2 && !v.FormV2:
		return Auth{}, errSigV2()
	case v2:
		return parseFormV2(form)
	case !v4 && has("policy"):
		return Auth{}, newError("AccessDenied", "Access Denied")
	case !v4:
		return Auth{}, nil
	}
	for _, f := range formFields {
		if form[f.name] == "" {
			return Auth{}, errMissingField(f.display)
		}
	}
	if form["x-amz-algorithm"] != algorithm {
		return Auth{}, errArgument("X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"", "X-Amz-Algorithm", form["x-amz-algorithm"])
	}
	a := Auth{Mode: Form, SessionToken: form["x-amz-security-token"]}
	if err := a.parseCredential(form["x-amz-credential"]); err != nil {
		return Auth{}, err
	}
	t, ok := parseTime(form["x-amz-date"])
	if !ok {
		return Auth{}, errArgument(`X-Amz-Date must be in the ISO8601 Long Format "yyyyMMdd'T'HHmmss'Z'"`, "X-Amz-Date", form["x-amz-date"])
	}
	a.Time, a.state.amzDate, a.state.signature = t, form["x-amz-date"], form["x-amz-signature"]
	if err := a.checkDate(); err != nil {
		return Auth{}, err
	}
	return a, nil
}

func parseFormV2(form map[string]string) (Auth, error) {
	for _, f := range formFieldsV2 {
		if form[f.name] == "" {
			return Auth{}, errMissingField(f.display)
		}
	}
	return Auth{Mode: Form, V2: true, AccessKey: form["awsaccesskeyid"], SessionToken: form["x-amz-security-token"],
		state: authState{signature: form["signature"]}}, nil
}

func errMissingField(name string) *Error {
	return errArgument("Bucket POST must contain a field named '"+name+"'.  If it is specified, please check the order of the fields.", name, "")
}

// VerifyForm proves that the form's policy was signed with secret: scope, a date not in the
// future and not older than the seven days that a signing key lives, and the signature over the
// policy as sent, in constant time. It says nothing of what the policy allows: see PostPolicy.
// As with Verify, secret "" never verifies.
func (v *Verifier) VerifyForm(form map[string]string, a *Auth, secret string) error {
	if a.Mode != Form {
		return newError("AccessDenied", "Access Denied")
	}
	if a.V2 {
		return verifyFormV2(form, a, secret)
	}
	if err := v.checkScope(a); err != nil {
		return err
	}
	now := v.now()
	if a.Time.After(now.Add(v.maxSkew())) {
		return newError("AccessDenied", "Request is not yet valid", Field{"ServerTime", now.UTC().Format(time.RFC3339)})
	}
	if now.Sub(a.Time) > maxPresign*time.Second+v.maxSkew() {
		return errPolicyExpired()
	}
	var buf []byte
	policy := form["policy"]
	if equalHex(a.state.signature, hmacSHA256(v.signingKey(a, secret)[:], []byte(policy), &buf)) && secret != "" {
		return nil
	}
	return errFormSignature(a, policy)
}

func verifyFormV2(form map[string]string, a *Auth, secret string) error {
	if equalV2(a.state.signature, []byte(form["policy"]), secret) {
		return nil
	}
	return errFormSignature(a, form["policy"])
}

func errFormSignature(a *Auth, policy string) *Error {
	return newError("SignatureDoesNotMatch", messageSignatureDoesNotMatch,
		Field{"AWSAccessKeyId", a.AccessKey}, Field{"StringToSign", policy},
		Field{"SignatureProvided", a.state.signature}, Field{"StringToSignBytes", spacedHex([]byte(policy))})
}

// PostPolicy is what a signed form may do.
type PostPolicy struct {
	Expiration time.Time
	// MinSize and MaxSize bound the file's size in bytes, both inclusive; 0 and
	// math.MaxInt64 without a content-length-range.
	MinSize, MaxSize int64

	conditions []condition
}

// condition is an eq or starts-with.
type condition struct {
	op, name string // lower-case, the name with its '$'
	value    string
	display  string // as S3 writes it in an error
}

func errPolicy(detail string) *Error {
	return newError("InvalidPolicyDocument", "Invalid Policy: "+detail)
}

func errAccordingToPolicy(detail string) *Error {
	return newError("AccessDenied", "Invalid according to Policy: "+detail)
}

func errPolicyExpired() *Error { return errAccordingToPolicy("Policy expired.") }

// ParsePostPolicy reads the base64 of a form's field "policy", after VerifyForm. Anything
// that S3 does not define is refused with InvalidPolicyDocument: unknown members and operators, conditions
// of another shape, an expiration that is absent or not in UTC ("Z"), an empty size range.
func ParsePostPolicy(encoded string) (*PostPolicy, error) {
	doc, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(doc) > maxPolicy {
		return nil, errPolicy("Invalid Base64 encoding.")
	}
	// A map, because the decoder matches struct fields in any case and S3 does not.
	var members map[string]json.RawMessage
	if decodeStrict(doc, &members) != nil || members == nil {
		return nil, errPolicy("Invalid JSON.")
	}
	var expiration *string
	var conditions []json.RawMessage
	for name, raw := range members {
		switch name {
		case "expiration":
			if json.Unmarshal(raw, &expiration) != nil {
				return nil, errPolicy("Invalid 'expiration' value.")
			}
		case "conditions":
			if json.Unmarshal(raw, &conditions) != nil {
				return nil, errPolicy("Invalid 'conditions' value: must be a List.")
			}
		default:
			return nil, errPolicy("Unexpected: '" + name + "'.")
		}
	}
	if expiration == nil {
		return nil, errPolicy("Policy missing expiration.")
	}
	if conditions == nil {
		return nil, errPolicy("Policy missing conditions.")
	}
	p := &PostPolicy{MaxSize: math.MaxInt64}
	if p.Expiration, err = time.Parse(time.RFC3339, *expiration); err != nil || !strings.HasSuffix(*expiration, "Z") {
		return nil, errPolicy("Invalid 'expiration' value: '" + *expiration + "'")
	}
	for _, raw := range conditions {
		if err := p.addCondition(raw); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// decodeStrict decodes one JSON value and nothing after it.
func decodeStrict(doc []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("data after the JSON value")
	}
	return nil
}

func (p *PostPolicy) addCondition(raw json.RawMessage) error {
	var value any
	if decodeStrict(raw, &value) != nil {
		return errPolicy("Invalid JSON.")
	}
	switch c := value.(type) {
	case map[string]any:
		return p.addSimple(c)
	case []any:
		return p.addList(c)
	}
	return errPolicy("Invalid Condition: must be a List or a Simple-Condition.")
}

func (p *PostPolicy) addSimple(c map[string]any) error {
	if len(c) != 1 {
		return errPolicy("Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.")
	}
	for name, v := range c {
		value, ok := v.(string)
		if !ok {
			return errPolicy("Invalid Simple-Condition: value must be a string.")
		}
		p.add("eq", "$"+name, value)
	}
	return nil
}

func (p *PostPolicy) addList(c []any) error {
	if len(c) != 3 {
		return errPolicy("Invalid Condition: wrong number of arguments.")
	}
	op, _ := c[0].(string)
	op = strings.ToLower(op)
	switch op {
	case "eq", "starts-with":
		name, ok1 := c[1].(string)
		value, ok2 := c[2].(string)
		if !ok1 || !ok2 {
			return errPolicy("Invalid Condition: the arguments of " + op + " must be strings.")
		}
		p.add(op, name, value)
		return nil
	case "content-length-range":
		low, ok1 := sizeOf(c[1])
		high, ok2 := sizeOf(c[2])
		if !ok1 || !ok2 || low > high {
			return errPolicy("Invalid content-length-range: two sizes in ascending order are needed.")
		}
		p.MinSize, p.MaxSize = max(p.MinSize, low), min(p.MaxSize, high)
		return nil
	}
	return errPolicy("Invalid Condition: unknown operation '" + op + "'.")
}

// sizeOf reads a size, which S3 takes as a number or as a string of digits.
func sizeOf(v any) (int64, bool) {
	var s string
	switch v := v.(type) {
	case json.Number:
		s = v.String()
	case string:
		s = v
	}
	n, err := strconv.ParseUint(s, 10, 63)
	return int64(n), err == nil
}

func (p *PostPolicy) add(op, name, value string) {
	display := `["` + op + `", ` + strconv.Quote(name) + ", " + strconv.Quote(value) + "]"
	p.conditions = append(p.conditions, condition{op, strings.ToLower(name), value, display})
}

// Check holds a form, sent to bucket at the time now, against the policy: it has not expired, every
// condition holds, and every field is named by a condition, save those that S3 exempts (x-amz-signature,
// file, policy, x-ignore-*). bucket is that of the request, never that of a form field, and must be named by a
// condition itself. The key in form is the final one, with ${filename} replaced. See CheckSize for the size.
func (p *PostPolicy) Check(bucket string, form map[string]string, now time.Time) error {
	if !now.Before(p.Expiration) {
		return errPolicyExpired()
	}
	if field, ok := form["bucket"]; ok && field != bucket {
		return errAccordingToPolicy(`Policy Condition failed: ["eq", "$bucket", ` + strconv.Quote(bucket) + "]")
	}
	covered := map[string]bool{}
	for _, c := range p.conditions {
		name, ok := strings.CutPrefix(c.name, "$")
		value, present := form[name]
		if name == "bucket" {
			value, present = bucket, true
		}
		if !ok || !c.holds(name, value, present) {
			return errAccordingToPolicy("Policy Condition failed: " + c.display)
		}
		covered[name] = true
	}
	if !covered["bucket"] {
		return errAccordingToPolicy("Extra input fields: bucket")
	}
	var extra []string
	for name := range form {
		if !covered[name] && !exempt(name) {
			extra = append(extra, name)
		}
	}
	if len(extra) > 0 {
		slices.Sort(extra)
		return errAccordingToPolicy("Extra input fields: " + strings.Join(extra, ", "))
	}
	return nil
}

// holds reports whether the condition is met. A field that is absent meets only a
// starts-with of "", and only when it is one that S3 knows.
func (c *condition) holds(name, value string, present bool) bool {
	if !present && (c.op != "starts-with" || !knownField(name)) {
		return false
	}
	if c.op == "eq" {
		return value == c.value
	}
	if name == "content-type" && c.value != "" {
		// S3 reads a Content-Type with commas as a list, each of which must match.
		for v := range strings.SplitSeq(value, ",") {
			if !strings.HasPrefix(strings.Trim(v, " "), c.value) {
				return false
			}
		}
		return true
	}
	return strings.HasPrefix(value, c.value)
}

// knownField reports whether S3 defines a form field of that name.
func knownField(name string) bool {
	switch name {
	case "acl", "key", "cache-control", "content-type", "content-disposition", "content-encoding", "expires", "redirect",
		"success_action_redirect", "success_action_status", "tagging":
		return true
	}
	return strings.HasPrefix(name, "x-amz-")
}

// exempt reports whether a field needs no condition. The two of version 2 are signed in its place.
func exempt(name string) bool {
	switch name {
	case "x-amz-signature", "file", "policy", "bucket", "awsaccesskeyid", "signature":
		return true
	}
	return strings.HasPrefix(name, "x-ignore-")
}

// CheckSize holds the size of the file in bytes against the content-length-range.
// A caller that streams the file compares with MaxSize as it goes and calls CheckSize at the end.
func (p *PostPolicy) CheckSize(size int64) error {
	proposed := Field{"ProposedSize", strconv.FormatInt(size, 10)}
	switch {
	case size > p.MaxSize:
		return newError("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size",
			proposed, Field{"MaxSizeAllowed", strconv.FormatInt(p.MaxSize, 10)})
	case size < p.MinSize:
		return newError("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size",
			proposed, Field{"MinSizeAllowed", strconv.FormatInt(p.MinSize, 10)})
	}
	return nil
}
