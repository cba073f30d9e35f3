package s3api

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/objsrv/objsrv/internal/checksum"
	"github.com/objsrv/objsrv/internal/events"
	"github.com/objsrv/objsrv/s3api/s3xml"
	"github.com/objsrv/objsrv/storage"
)

// maxCompleteBody bounds the body of CompleteMultipartUpload: 10 000 parts with a SHA-512
// each, indented, are 3 MiB.
const maxCompleteBody = 4 << 20

// completeRequest is the body of CompleteMultipartUpload.
type completeRequest struct {
	XMLName xml.Name          `xml:"CompleteMultipartUpload"`
	Parts   []completeElement `xml:"Part"`
}

type completeElement struct {
	Number    string `xml:"PartNumber"`
	ETag      string `xml:"ETag"`
	CRC32     string `xml:"ChecksumCRC32"`
	CRC32C    string `xml:"ChecksumCRC32C"`
	CRC64NVME string `xml:"ChecksumCRC64NVME"`
	SHA1      string `xml:"ChecksumSHA1"`
	SHA256    string `xml:"ChecksumSHA256"`
	SHA512    string `xml:"ChecksumSHA512"`
	MD5       string `xml:"ChecksumMD5"`
	XXHASH64  string `xml:"ChecksumXXHASH64"`
	XXHASH3   string `xml:"ChecksumXXHASH3"`
	XXHASH128 string `xml:"ChecksumXXHASH128"`
}

// part checks an element. A part has one checksum; more than one is an error.
func (e *completeElement) part() (storage.CompletePart, error) {
	n, err := strconv.ParseUint(e.Number, 10, 31)
	if err != nil {
		return storage.CompletePart{}, errMalformedXML()
	}
	if n < 1 || n > maxParts {
		return storage.CompletePart{}, errorf("InvalidArgument", "PartNumber must be between 1 and %d", maxParts).
			with("ArgumentName", "partNumber").with("ArgumentValue", e.Number)
	}
	p := storage.CompletePart{Number: int(n), ETag: unquoteETag(e.ETag)}
	for _, v := range [...]string{e.CRC32, e.CRC32C, e.CRC64NVME, e.SHA1, e.SHA256, e.SHA512, e.MD5, e.XXHASH64, e.XXHASH3, e.XXHASH128} {
		switch {
		case v == "":
		case p.Checksum != "":
			return p, errorf("InvalidRequest", "Expecting a single checksum for part %d.", n)
		default:
			p.Checksum = v
		}
	}
	return p, nil
}

func completeMultipartUpload(c *call) error {
	b, err := c.needBucket()
	if err != nil {
		return err
	}
	in := storage.CompleteInput{Upload: c.uploadRef(), MinPartSize: minPartSize}
	if in.If, err = writeConditions(c.r.Header); err != nil {
		return err
	}
	claims, err := readClaims(c.r.Header)
	if err != nil {
		return err
	}
	if in.Parts, err = c.completeParts(); err != nil {
		return err
	}
	room, err := c.claimParts(b, &in)
	if err != nil {
		return err
	}
	defer room.release()
	in.Digest = func(u *storage.Upload, parts []storage.Part) (storage.Digest, error) {
		// AWS needs the customer's key where the upload was begun with a checksum algorithm.
		if err := c.proveKey(u, u.ChecksumAlgorithm != ""); err != nil {
			return storage.Digest{}, err
		}
		return claims.digest(u, parts)
	}
	if err := c.expect(b, aboutTo{name: events.CreatedComplete, key: c.key}); err != nil {
		return err
	}
	o, err := c.s.Backend.CompleteUpload(c.ctx, in)
	if err != nil {
		return conditionError(err, &in.If)
	}
	c.happened(events.CreatedComplete, b, o)
	c.setExpiration(b, o)
	c.setNewVersion(b, o.VersionID)
	s, err := sealingOf(o.Props)
	if err != nil {
		return err
	}
	h := newHeaders(c.w.Header(), 3)
	h.sealing(c, s)
	var doc s3xml.Writer
	doc.Start("CompleteMultipartUploadResult", true)
	doc.Elem("Location", c.location(c.key))
	doc.Elem("Bucket", c.bucket)
	doc.Elem("Key", c.key)
	doc.ETag(o.ETag)
	writeChecksum(&doc, o.Checksum)
	doc.Opt("ChecksumType", o.Checksum.Type)
	return c.replyXML(http.StatusOK, doc.End("CompleteMultipartUploadResult"))
}

// completeParts reads the list of parts. The x-amz-checksum-* headers of this request are about the
// object, so that only Content-MD5 and the signature cover the body.
func (c *call) completeParts() ([]storage.CompletePart, error) {
	r, _, _, err := c.body()
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(r, maxCompleteBody+1))
	if err != nil {
		return nil, bodyError(err)
	}
	if len(data) > maxCompleteBody {
		return nil, errorf("EntityTooLarge", "Your request is larger than the %d bytes allowed for this operation.", maxCompleteBody)
	}
	c.ev.BytesIn += int64(len(data))
	if v := c.r.Header.Get("Content-Md5"); v != "" {
		want, ok := checksum.DecodeMD5(v)
		if !ok {
			return nil, errContentMD5(v)
		}
		if md5.Sum(data) != want {
			return nil, errorf("BadDigest", "The Content-MD5 you specified did not match what we received.").with("ExpectedDigest", v)
		}
	}
	var req completeRequest
	if err := s3xml.Decode(data, &req); err != nil {
		e := errorf("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
		e.cause = err
		return nil, e
	}
	if len(req.Parts) == 0 || len(req.Parts) > maxParts {
		return nil, errMalformedXML()
	}
	parts := make([]storage.CompletePart, len(req.Parts))
	for i := range req.Parts {
		if parts[i], err = req.Parts[i].part(); err != nil {
			return nil, err
		}
	}
	return parts, nil
}

// location is the URL of an object in the form that this request has.
func (c *call) location(key string) string {
	scheme := "http://"
	if c.r.TLS != nil || c.ev.TLS {
		scheme = "https://"
	}
	path := "/" + c.bucket + "/"
	if c.s.router.hostBucket(c.r.Host) != "" {
		path = "/"
	}
	return scheme + c.r.Host + path + escapePath(key)
}

// escapePath percent-encodes a key for a URL's path as Signature V4 does.
func escapePath(key string) string {
	const hexDigits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(key) {
		ch := key[i]
		if ch >= 'a' && ch <= 'z' || ch >= 'A' && ch <= 'Z' || ch >= '0' && ch <= '9' || strings.IndexByte("-_.~/", ch) >= 0 {
			b.WriteByte(ch)
			continue
		}
		b.Write([]byte{'%', hexDigits[ch>>4], hexDigits[ch&15]})
	}
	return b.String()
}

// claims is what a CompleteMultipartUpload says about the object that it asks for.
type claims struct {
	alg   checksum.Algorithm
	value string
	typ   string
	size  int64 // -1 when not said
}

func readClaims(header http.Header) (claims, error) {
	cl := claims{size: -1, typ: header.Get("X-Amz-Checksum-Type")}
	for name, values := range header {
		if !strings.HasPrefix(name, checksumPrefix) || aboutChecksums(name) {
			continue
		}
		alg, ok := checksum.ParseHeader(name)
		switch {
		case !ok:
			return cl, errorf("InvalidRequest", "The algorithm type you specified in x-amz-checksum- header is invalid.")
		case cl.alg != checksum.None || len(values) != 1:
			return cl, errManyChecksums()
		}
		cl.alg, cl.value = alg, values[0]
	}
	if v := header.Get("X-Amz-Mp-Object-Size"); v != "" {
		n, err := parseSize(v)
		if err != nil {
			return cl, errorf("InvalidRequest", "Value for x-amz-mp-object-size header is invalid.")
		}
		cl.size = n
	}
	return cl, nil
}

// digest is storage.CompleteInput.Digest: ETag and checksum of the object that the parts make,
// when they are what the client claims.
func (cl *claims) digest(u *storage.Upload, parts []storage.Part) (storage.Digest, error) {
	var size int64
	for i := range parts {
		size += parts[i].Size
	}
	if cl.size >= 0 && cl.size != size {
		return storage.Digest{}, errorf("InvalidRequest", "The provided 'x-amz-mp-object-size' header value %d does not match what was computed: %d", cl.size, size)
	}
	if cl.typ != "" && u.ChecksumType != "" && cl.typ != u.ChecksumType {
		return storage.Digest{}, errorf("InvalidRequest", "The upload was created using the %s checksum mode. The complete request must use the same checksum mode.", u.ChecksumType)
	}
	etag, err := etagOfParts(parts)
	if err != nil {
		return storage.Digest{}, err
	}
	sum, err := checksumOfParts(u, parts)
	if err != nil {
		return storage.Digest{}, err
	}
	return storage.Digest{ETag: etag, Checksum: sum}, cl.checkSum(sum)
}

// checkSum compares the claimed checksum with the computed one. A composite one may be given
// without the number of parts.
func (cl *claims) checkSum(sum storage.Checksum) error {
	if cl.alg == checksum.None {
		return nil
	}
	if sum.Algorithm != cl.alg.String() {
		have := sum.Algorithm
		if have == "" {
			have = "null"
		}
		return errorf("InvalidRequest", "Checksum Type mismatch occurred, expected checksum Type: %s, actual checksum Type: %s", have, cl.alg)
	}
	bare, _, _ := strings.Cut(sum.Value, "-")
	if cl.value != sum.Value && cl.value != bare {
		return errBadChecksum(cl.alg)
	}
	return nil
}

func etagOfParts(parts []storage.Part) (string, error) {
	sums := make([][md5.Size]byte, len(parts))
	for i := range parts {
		if len(parts[i].ETag) != hex.EncodedLen(md5.Size) {
			return "", fmt.Errorf("compose ETag: part %d has the ETag %q", parts[i].Number, parts[i].ETag)
		}
		if _, err := hex.Decode(sums[i][:], []byte(parts[i].ETag)); err != nil {
			return "", fmt.Errorf("compose ETag: part %d has the ETag %q", parts[i].Number, parts[i].ETag)
		}
	}
	return checksum.ETag(sums), nil
}

// checksumOfParts composes the checksum of an object from those of its parts, as the upload
// declared. An upload that declared none has what its parts allow: a full-object checksum when all
// have the same composable algorithm, else none.
func checksumOfParts(u *storage.Upload, parts []storage.Part) (storage.Checksum, error) {
	alg, declared := checksum.Parse(u.ChecksumAlgorithm)
	typ := u.ChecksumType
	if !declared {
		alg, typ = algorithmOf(parts[0].Checksum), checksum.FullObject
		for i := range parts {
			if algorithmOf(parts[i].Checksum) != alg || !alg.Composable() {
				return storage.Checksum{}, nil
			}
		}
	}
	if typ == checksum.FullObject {
		return combineParts(alg, parts)
	}
	sums, err := sumsOfParts(alg, parts)
	if err != nil {
		return storage.Checksum{}, err
	}
	return storage.Checksum{Algorithm: alg.String(), Type: typ, Value: checksum.Compose(alg, sums)}, nil
}

// combineParts returns the checksum of the whole from those of its parts.
func combineParts(alg checksum.Algorithm, parts []storage.Part) (storage.Checksum, error) {
	sums, err := sumsOfParts(alg, parts)
	if err != nil {
		return storage.Checksum{}, err
	}
	var whole []byte
	for i := range sums {
		if whole, err = checksum.Combine(alg, whole, sums[i], parts[i].Size); err != nil {
			return storage.Checksum{}, err
		}
	}
	return storage.Checksum{Algorithm: alg.String(), Type: checksum.FullObject, Value: checksum.Encode(whole)}, nil
}

func sumsOfParts(alg checksum.Algorithm, parts []storage.Part) ([][]byte, error) {
	sums := make([][]byte, len(parts))
	for i := range parts {
		sum, ok := alg.Decode(parts[i].Checksum.Value)
		if !ok || algorithmOf(parts[i].Checksum) != alg {
			return nil, errorf("InvalidPart", "Part %d has no %s checksum.", parts[i].Number, alg)
		}
		sums[i] = sum
	}
	return sums, nil
}
