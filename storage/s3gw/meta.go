package s3gw

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/objsrv/objsrv/storage"
)

const (
	metaPrefix  = "x-amz-meta-"
	sumPrefix   = "X-Amz-Checksum-"
	defaultType = "binary/octet-stream"
)

// keptHeaders are those that S3 keeps with an object beside users' metadata, as storage.Attr names them.
var keptHeaders = map[string]string{
	"cache-control": "Cache-Control", "content-disposition": "Content-Disposition", "content-encoding": "Content-Encoding", "content-language": "Content-Language",
	"content-type": "Content-Type", "expires": "Expires", "x-amz-website-redirect-location": "X-Amz-Website-Redirect-Location",
}

// algorithms are the checksums of S3 by the ends of their headers' names.
var algorithms = map[string]string{
	"CRC32": "Crc32", "CRC32C": "Crc32c", "CRC64NVME": "Crc64nvme", "SHA1": "Sha1", "SHA256": "Sha256",
	"SHA512": "Sha512", "MD5": "Md5", "XXHASH64": "Xxhash64", "XXHASH3": "Xxhash3", "XXHASH128": "Xxhash128",
}

// setMeta puts what is kept with an object into the headers of the request that writes it. b is its bucket.
func setMeta(h http.Header, b *storage.Bucket, m *storage.Meta) error {
	if m.Owner != "" && m.Owner != b.Owner {
		return fmt.Errorf("an object that another account than the bucket's owns: %w", storage.ErrNotSupported)
	}
	h.Set("Content-Type", defaultType)
	for _, a := range m.Attrs {
		name, kept := keptHeaders[a.Name]
		if !kept {
			name = a.Name
			if !strings.HasPrefix(name, metaPrefix) || !isToken(name) {
				return fmt.Errorf("metadata named %q: %w", a.Name, storage.ErrNotSupported)
			}
		}
		if !isValue(a.Value) {
			return fmt.Errorf("a value of %s that no header can carry: %w", a.Name, storage.ErrNotSupported)
		}
		h.Set(name, a.Value)
	}
	if m.Class != "" {
		h.Set("X-Amz-Storage-Class", m.Class)
	}
	if len(m.Tags) > 0 {
		h.Set("X-Amz-Tagging", encodeTags(m.Tags))
	}
	return setProps(h, m.Props)
}

// setProps sets the lock of a new object. Nothing else of what Props may hold has a place upstream.
func setProps(h http.Header, props map[string]string) error {
	for name, value := range props {
		switch name {
		case storage.PropLockMode:
			h.Set("X-Amz-Object-Lock-Mode", value)
		case storage.PropLockUntil:
			h.Set("X-Amz-Object-Lock-Retain-Until-Date", seconds(value))
		case storage.PropLegalHold:
			h.Set("X-Amz-Object-Lock-Legal-Hold", value)
		default:
			return fmt.Errorf("the property %s of an object: %w", name, storage.ErrNotSupported)
		}
	}
	return nil
}

// isToken tells whether s can be the name of a header.
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	})
}

// isValue tells whether s passes as the value of a header unchanged: no line ends, which would add headers of
// a client's making to a request with the upstream's key, and no spaces at its ends.
func isValue(s string) bool {
	if s != strings.Trim(s, " \t") {
		return false
	}
	for i := range len(s) {
		if s[i] < ' ' && s[i] != '\t' || s[i] == 0x7f {
			return false
		}
	}
	return true
}

// encodeTags writes tags in the form of x-amz-tagging.
func encodeTags(tags []storage.Tag) string {
	var b strings.Builder
	for i, t := range tags {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(escape(t.Key) + "=" + escape(t.Value))
	}
	return b.String()
}

func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// object makes the metadata of a version from an answer's headers, without its tags.
func object(b *storage.Bucket, key string, h http.Header) (*storage.Object, error) {
	o := &storage.Object{Key: key, Owner: b.Owner, Latest: true, ETag: strings.Trim(h.Get("Etag"), `"`), Class: class(h.Get("X-Amz-Storage-Class")), Checksum: checksumOf(h)}
	var err error
	if o.Size, err = strconv.ParseInt(h.Get("Content-Length"), 10, 64); err != nil || o.Size < 0 {
		return nil, fmt.Errorf("the upstream tells the length %q of %q", h.Get("Content-Length"), key)
	}
	if o.Modified, err = time.Parse(http.TimeFormat, h.Get("Last-Modified")); err != nil {
		return nil, fmt.Errorf("the upstream tells the time %q of %q", h.Get("Last-Modified"), key)
	}
	o.Modified = o.Modified.UTC()
	o.VersionID = versionOf(h)
	o.PartCount = partsOf(o.ETag)
	for name, values := range h {
		lower := strings.ToLower(name)
		value := strings.Join(values, ",")
		if lower == "content-encoding" {
			if value = storedEncoding(value); value == "" {
				continue
			}
		}
		if _, kept := keptHeaders[lower]; !kept && !strings.HasPrefix(lower, metaPrefix) || lower == "content-type" && value == defaultType {
			continue
		}
		o.Attrs = append(o.Attrs, storage.Attr{Name: lower, Value: value})
	}
	sortAttrs(o.Attrs)
	setLock(o, h)
	return o, nil
}

// storedEncoding takes out of a Content-Encoding what was that of a request: S3 keeps it without, SeaweedFS with it.
func storedEncoding(v string) string {
	if !strings.Contains(v, "aws-chunked") {
		return v
	}
	return strings.Join(slices.DeleteFunc(strings.Split(v, ","), func(e string) bool { return strings.TrimSpace(e) == "aws-chunked" }), ",")
}

// sortAttrs orders attributes as package s3api makes them: those that S3 knows first.
func sortAttrs(attrs []storage.Attr) {
	slices.SortFunc(attrs, func(a, b storage.Attr) int {
		am, bm := strings.HasPrefix(a.Name, metaPrefix), strings.HasPrefix(b.Name, metaPrefix)
		if am != bm {
			if am {
				return 1
			}
			return -1
		}
		return strings.Compare(a.Name, b.Name)
	})
}

func setLock(o *storage.Object, h http.Header) {
	for header, prop := range map[string]string{
		"X-Amz-Object-Lock-Mode": storage.PropLockMode, "X-Amz-Object-Lock-Retain-Until-Date": storage.PropLockUntil, "X-Amz-Object-Lock-Legal-Hold": storage.PropLegalHold,
	} {
		if v := h.Get(header); v != "" {
			if o.Props == nil {
				o.Props = map[string]string{}
			}
			o.Props[prop] = v
		}
	}
}

func versionOf(h http.Header) string {
	if v := h.Get("X-Amz-Version-Id"); v != "" {
		return v
	}
	return storage.NullVersion
}

// partsOf returns the number of parts that an ETag tells, 0 for an object put whole.
func partsOf(etag string) int {
	_, n, ok := strings.Cut(etag, "-")
	if !ok {
		return 0
	}
	count, err := strconv.Atoi(n)
	if err != nil || count < 1 || count > 10_000 {
		return 0
	}
	return count
}

// checksumOf reads the additional checksum of an answer.
func checksumOf(h http.Header) storage.Checksum {
	for name, end := range algorithms {
		if v := h.Get(sumPrefix + end); v != "" {
			return storage.Checksum{Algorithm: name, Type: sumType(h.Get("X-Amz-Checksum-Type"), v), Value: v}
		}
	}
	return storage.Checksum{}
}

// sumType is the type of a checksum, which older servers do not tell.
func sumType(typ, value string) string {
	switch {
	case typ != "":
		return typ
	case strings.Contains(value, "-"):
		return "COMPOSITE"
	}
	return "FULL_OBJECT"
}

// sums are the checksum elements of documents.
type sums struct {
	CRC32     string `xml:"ChecksumCRC32,omitempty"`
	CRC32C    string `xml:"ChecksumCRC32C,omitempty"`
	CRC64NVME string `xml:"ChecksumCRC64NVME,omitempty"`
	SHA1      string `xml:"ChecksumSHA1,omitempty"`
	SHA256    string `xml:"ChecksumSHA256,omitempty"`
	SHA512    string `xml:"ChecksumSHA512,omitempty"`
	MD5       string `xml:"ChecksumMD5,omitempty"`
	XXHASH64  string `xml:"ChecksumXXHASH64,omitempty"`
	XXHASH3   string `xml:"ChecksumXXHASH3,omitempty"`
	XXHASH128 string `xml:"ChecksumXXHASH128,omitempty"`
}

// fields pairs the algorithms with their elements.
func (s *sums) fields() map[string]*string {
	return map[string]*string{
		"CRC32": &s.CRC32, "CRC32C": &s.CRC32C, "CRC64NVME": &s.CRC64NVME, "SHA1": &s.SHA1, "SHA256": &s.SHA256,
		"SHA512": &s.SHA512, "MD5": &s.MD5, "XXHASH64": &s.XXHASH64, "XXHASH3": &s.XXHASH3, "XXHASH128": &s.XXHASH128,
	}
}

// checksum returns the one that is there.
func (s *sums) checksum(typ string) storage.Checksum {
	for name, v := range s.fields() {
		if *v != "" {
			return storage.Checksum{Algorithm: name, Type: sumType(typ, *v), Value: *v}
		}
	}
	return storage.Checksum{}
}

// setConditions puts conditions of a write into its headers.
func setConditions(h http.Header, c *storage.Conditions) {
	quote := func(etag string) string {
		if etag == "*" {
			return etag
		}
		return `"` + etag + `"`
	}
	if c.IfMatch != "" {
		h.Set("If-Match", quote(c.IfMatch))
	}
	if c.IfNoneMatch != "" {
		h.Set("If-None-Match", quote(c.IfNoneMatch))
	}
}
