package s3api

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"strings"
)

// The limits of a POST form: its fields may have 20 KB (S3 API reference, "POST Object"), and what
// is read before the file, part headers included, is bounded whatever it is.
const (
	maxFormFields   = 1000
	maxFormData     = 20 << 10
	maxFormPreamble = 256 << 10
	maxBoundary     = 70 // RFC 2046 section 5.1.1
)

// form is a POST form that has been read up to its file; it is the reader of the file. It returns
// io.EOF only when the rest of the form is well-formed and holds no second file.
type form struct {
	fields   map[string]string // by lower-case name
	filename string
	body     *gate
	parts    *multipart.Reader
	file     *multipart.Part
	size     int64
	limit    int64
	check    func(size int64) error // nil, or what the policy says of the file's size
	full     error                  // what a file larger than limit gets when the bucket's quota is the limit
	err      error
}

// gate bounds how much of a body is read: of everything but the file, which has its own limit.
type gate struct {
	r    io.Reader
	left int64
}

var errFormTooLong = errors.New("the form is longer than allowed")

func (g *gate) Read(p []byte) (int, error) {
	if g.left <= 0 {
		return 0, errFormTooLong
	}
	if int64(len(p)) > g.left {
		p = p[:g.left]
	}
	n, err := g.r.Read(p)
	g.left -= int64(n)
	return n, err
}

// errMalformedPost has no cause: package multipart's error for a form that breaks off wraps io.EOF,
// which a store could take for the end of the file.
func errMalformedPost() error {
	return errorf("MalformedPOSTRequest", "The body of your POST request is not well-formed multipart/form-data.")
}

func errFile() error {
	return errorf("InvalidArgument", "POST requires exactly one file upload per request.").with("ArgumentName", "file")
}

// readForm reads the fields in front of the file.
func readForm(r *http.Request) (*form, error) {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" {
		return nil, errPrecondition("Bucket POST must be of the enclosure-type multipart/form-data")
	}
	boundary := params["boundary"]
	if boundary == "" || len(boundary) > maxBoundary {
		return nil, errMalformedPost()
	}
	f := &form{fields: map[string]string{}, body: &gate{r: r.Body, left: maxFormPreamble}, limit: maxPut}
	f.parts = multipart.NewReader(f.body, boundary)
	data := 0
	for {
		p, err := f.parts.NextRawPart()
		if err == io.EOF { // wrapped, it means a form that breaks off
			return nil, errFile()
		}
		if err != nil {
			return nil, formError(err)
		}
		name := strings.ToLower(p.FormName())
		if name == "" || strings.HasPrefix(strings.ToLower(p.Header.Get("Content-Type")), "multipart/") {
			return nil, errMalformedPost()
		}
		if name == "file" {
			f.file, f.filename = p, p.FileName()
			f.body.left = r.ContentLength + 1
			return f, nil
		}
		if err := f.addField(name, p, &data); err != nil {
			return nil, err
		}
	}
}

// addField reads one field; data counts the bytes of all of them.
func (f *form) addField(name string, p *multipart.Part, data *int) error {
	value, err := io.ReadAll(io.LimitReader(p, maxFormData+1))
	if err != nil {
		return formError(err)
	}
	if *data += len(name) + len(value); *data > maxFormData || len(f.fields) == maxFormFields {
		return errorf("MaxPostPreDataLengthExceededError", "Your POST request fields preceding the upload file were too large.")
	}
	if _, ok := f.fields[name]; ok {
		return errorf("InvalidArgument", "The form has more than one field named %q.", name).with("ArgumentName", name)
	}
	f.fields[name] = string(value)
	return nil
}

// formError tells a form that breaks off or is no form from a failure of the connection.
func formError(err error) error {
	if errors.Is(err, errFormTooLong) {
		return errorf("MaxPostPreDataLengthExceededError", "Your POST request fields preceding the upload file were too large.")
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return bodyError(err)
	}
	return errMalformedPost()
}

// key returns the key that the form asks for, with ${filename} replaced.
func (f *form) key() (string, error) {
	key, ok := f.fields["key"]
	if !ok {
		return "", errorf("InvalidArgument", "Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the fields.").with("ArgumentName", "key")
	}
	// FileName has cut a path off; browsers of another system may send theirs.
	name := f.filename[strings.LastIndexByte(f.filename, '\\')+1:]
	key = strings.ReplaceAll(key, "${filename}", name)
	if key == "" {
		return "", errorf("InvalidArgument", "User key must have a length greater than 0.").with("ArgumentName", "key")
	}
	return key, checkKey(key)
}

// formHeaders are the fields that stand for a header of the same meaning.
var formHeaders = map[string]string{
	"acl": "X-Amz-Acl", "cache-control": "Cache-Control", "content-type": "Content-Type", "content-disposition": "Content-Disposition",
	"content-encoding": "Content-Encoding", "content-language": "Content-Language", "content-md5": "Content-Md5", "expires": "Expires",
	"x-amz-acl": "X-Amz-Acl", "x-amz-storage-class": "X-Amz-Storage-Class", "x-amz-website-redirect-location": "X-Amz-Website-Redirect-Location",
	"x-amz-sdk-checksum-algorithm": "X-Amz-Sdk-Checksum-Algorithm", "x-amz-object-lock-mode": "X-Amz-Object-Lock-Mode",
	"x-amz-server-side-encryption": sseHeader, "x-amz-server-side-encryption-aws-kms-key-id": sseKeyHeader,
	"x-amz-server-side-encryption-context": sseContextHeader, "x-amz-server-side-encryption-bucket-key-enabled": sseBucketKeyHeader,
	"x-amz-server-side-encryption-customer-algorithm": customerHeader.algorithm,
	"x-amz-server-side-encryption-customer-key":       customerHeader.key,
	"x-amz-server-side-encryption-customer-key-md5":   customerHeader.md5,
	"x-amz-object-lock-retain-until-date":             "X-Amz-Object-Lock-Retain-Until-Date", "x-amz-object-lock-legal-hold": "X-Amz-Object-Lock-Legal-Hold",
}

// formAuth are the fields of the signature.
var formAuth = map[string]bool{
	"x-amz-algorithm": true, "x-amz-credential": true, "x-amz-date": true, "x-amz-signature": true, "x-amz-security-token": true,
}

// header returns the headers that the form's fields stand for. An x-amz-* field that is not
// understood is refused, as such a header would be.
func (f *form) header() (http.Header, error) {
	h := http.Header{}
	for name, value := range f.fields {
		canonical, ok := formHeaders[name]
		switch {
		case ok:
		case strings.HasPrefix(name, attrMetaPrefix), strings.HasPrefix(name, "x-amz-checksum-"):
			canonical = http.CanonicalHeaderKey(name)
		case formAuth[name] || !strings.HasPrefix(name, "x-amz-"):
			continue
		default:
			return nil, errorf("NotImplemented", "A form field you provided implies functionality that is not implemented: %s.", name).with("Field", name)
		}
		if !validToken(canonical) || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			return nil, errorf("InvalidArgument", "The form field %q can't be a header.", name).with("ArgumentName", name)
		}
		if len(h[canonical]) > 0 {
			return nil, errorf("InvalidArgument", "The form has more than one field for %s.", canonical).with("ArgumentName", name)
		}
		h[canonical] = []string{value}
	}
	return h, nil
}

// validToken tells whether s can be a header's name (RFC 9110 section 5.6.2).
func validToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0) {
			return false
		}
	}
	return s != ""
}

// Read implements io.Reader.
func (f *form) Read(p []byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	n, err := f.file.Read(p)
	if f.size += int64(n); f.size > f.limit {
		err = f.tooLarge()
	} else if errors.Is(err, io.EOF) {
		err = f.finish()
	} else if err != nil {
		err = formError(err)
	}
	f.err = err
	return n, err
}

// bound keeps the file within the room that was claimed for it.
func (f *form) bound(room claim) {
	if room.of != nil && room.n < f.limit {
		f.limit, f.full = room.n, errQuota(room.bucket, room.limit)
	}
}

func (f *form) tooLarge() error {
	if f.full != nil {
		return f.full
	}
	if f.check != nil {
		if err := f.check(f.size); err != nil {
			return err
		}
	}
	return errTooLarge(f.size, f.limit)
}

// finish reads the form behind its file. Fields there are ignored, as S3 does.
func (f *form) finish() error {
	if f.check != nil {
		if err := f.check(f.size); err != nil {
			return err
		}
	}
	f.body.left = min(f.body.left, maxFormPreamble)
	for {
		p, err := f.parts.NextRawPart()
		switch {
		case err == io.EOF:
			return io.EOF
		case err != nil:
			return formError(err)
		case strings.EqualFold(p.FormName(), "file"):
			return errFile()
		}
	}
}
