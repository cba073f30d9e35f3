package s3api

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/objsrv/objsrv/internal/checksum"
	"github.com/objsrv/objsrv/internal/keyring"
	"github.com/objsrv/objsrv/storage"
)

// Headers of encryption.
const (
	sseHeader          = "X-Amz-Server-Side-Encryption"
	sseKeyHeader       = "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id"
	sseContextHeader   = "X-Amz-Server-Side-Encryption-Context"
	sseBucketKeyHeader = "X-Amz-Server-Side-Encryption-Bucket-Key-Enabled"
)

// customerNames are the headers of a customer's key. They are written out: putting names together would cost every
// request.
type customerNames struct{ algorithm, key, md5 string }

// Of what is read or written, and of the source of a copy.
var (
	customerHeader = customerNames{"X-Amz-Server-Side-Encryption-Customer-Algorithm", "X-Amz-Server-Side-Encryption-Customer-Key",
		"X-Amz-Server-Side-Encryption-Customer-Key-Md5"}
	sourceCustomerHeader = customerNames{"X-Amz-Copy-Source-Server-Side-Encryption-Customer-Algorithm", "X-Amz-Copy-Source-Server-Side-Encryption-Customer-Key",
		"X-Amz-Copy-Source-Server-Side-Encryption-Customer-Key-Md5"}
)

// keyARN is what AWS's and MinIO's clients may put before the name of a key: the one as a whole ARN with a region and
// an account, the other as "arn:aws:kms:" alone.
const keyARN = "arn:aws:kms:"

// keyName is the name of a key that a client has written as one or as an ARN.
func keyName(id string) string {
	rest, ok := strings.CutPrefix(id, keyARN)
	if !ok {
		return id
	}
	if i := strings.LastIndexByte(rest, ':'); i >= 0 {
		rest = rest[i+1:]
	}
	return strings.TrimPrefix(rest, "key/")
}

// errSSE is the refusal of a header of encryption.
func errSSE(name, value, message string) *Error {
	return errorf("InvalidArgument", "%s", message).with("ArgumentName", strings.ToLower(name)).with("ArgumentValue", value)
}

// customerKey reads the key of SSE-C from the headers of these names; nil when there are none.
func (c *call) customerKey(names *customerNames) ([]byte, error) {
	h := c.r.Header
	algorithm, key, sum := h[names.algorithm], h[names.key], h[names.md5]
	if len(algorithm)+len(key)+len(sum) == 0 {
		return nil, nil
	}
	const requests = "Requests specifying Server Side Encryption with Customer provided keys must "
	switch {
	case c.r.TLS == nil && !c.ev.TLS:
		return nil, errorf("InvalidRequest", "%sbe made over a secure connection.", requests)
	case len(algorithm) != 1 || algorithm[0] != sseS3:
		return nil, errSSE(names.algorithm, strings.Join(algorithm, ","), requests+"provide a valid encryption algorithm.")
	case len(key) != 1:
		return nil, errSSE(names.key, "", requests+"provide an appropriate secret key.")
	case len(sum) != 1:
		return nil, errSSE(names.md5, "", requests+"provide the client calculated MD5 of the secret key.")
	}
	k, err := base64.StdEncoding.DecodeString(key[0])
	if err != nil || len(k) != keyring.KeySize {
		return nil, errSSE(names.key, "", "The secret key was invalid for the specified algorithm.") // never the key itself
	}
	want, ok := checksum.DecodeMD5(sum[0])
	if !ok || md5.Sum(k) != want {
		return nil, errSSE(names.md5, "", "The calculated MD5 hash of the key did not match the hash that was provided.")
	}
	return k, nil
}

// askedSealing reads how a write is to be encrypted: as its headers say, else as the bucket's default does, else as
// the server's. nil when not at all. The customer's key comes with it for SSE-C.
func (c *call) askedSealing(b *storage.Bucket) (s *sealing, customer []byte, err error) {
	if customer, err = c.customerKey(&customerHeader); err != nil {
		return nil, nil, err
	}
	s, err = namedSealing(c.r.Header)
	conf := c.s.settings(b).encryption
	switch {
	case err != nil:
		return nil, nil, err
	case customer != nil && s != nil:
		return nil, nil, errorf("InvalidArgument", "Server Side Encryption with Customer provided key is incompatible with the encryption method specified").
			with("ArgumentName", "x-amz-server-side-encryption").with("ArgumentValue", s.Mode)
	case customer != nil && conf.blocksCustomer():
		return nil, nil, errorf("AccessDenied", "Server-side encryption with customer-provided keys (SSE-C) is blocked in this bucket.")
	case customer != nil && c.s.Keys == nil:
		return nil, nil, errNoKeys()
	case customer != nil:
		return &sealing{Mode: sseCustomer}, customer, nil
	case s == nil && conf.unreadable:
		return nil, nil, errorf("InternalError", "The bucket's encryption configuration can't be read; nothing is written without it.")
	case s == nil && conf.Rule != nil && conf.Rule.Default != nil:
		d := conf.Rule.Default
		s = &sealing{Mode: d.Algorithm, KeyName: keyName(d.KeyID), BucketKey: d.Algorithm == sseKMS && conf.Rule.BucketKey}
	case s == nil && c.s.AutoEncrypt:
		s = &sealing{Mode: sseS3}
	}
	if s == nil {
		return nil, nil, nil
	}
	if c.s.Keys == nil {
		return nil, nil, errNoKeys()
	}
	if s.KeyName == "" {
		s.KeyName = c.s.Keys.Default()
	}
	return s, nil, nil
}

// namedSealing reads the headers of SSE-S3 and SSE-KMS; nil when there are none.
func namedSealing(h http.Header) (*sealing, error) {
	mode, id, context, bucketKey := h[sseHeader], h.Get(sseKeyHeader), h.Get(sseContextHeader), h.Get(sseBucketKeyHeader)
	if len(mode) == 0 {
		for _, name := range []string{sseKeyHeader, sseContextHeader} {
			if h.Get(name) != "" {
				return nil, errSSE(name, h.Get(name), strings.ToLower(name)+" needs x-amz-server-side-encryption: aws:kms.")
			}
		}
		return nil, nil
	}
	s := &sealing{Mode: strings.Join(mode, ",")}
	switch s.Mode {
	case sseS3:
		if id != "" || context != "" {
			return nil, errSSE(sseHeader, s.Mode, "Server Side Encryption with AES256 takes neither a KMS key nor an encryption context.")
		}
		return s, nil
	case sseKMS:
	case "aws:kms:dsse":
		return nil, errorf("NotImplemented", "A header you provided implies functionality that is not implemented: dual-layer encryption (aws:kms:dsse). Use aws:kms.").with("Header", "x-amz-server-side-encryption")
	default:
		return nil, errSSE(sseHeader, s.Mode, "The encryption method specified is not supported")
	}
	s.KeyName = keyName(id)
	if id != "" && keyring.CheckName(s.KeyName) != nil {
		return nil, errNoKey(id, nil)
	}
	switch bucketKey {
	case "", "false", "true":
		s.BucketKey = bucketKey == "true"
	default:
		return nil, errSSE(sseBucketKeyHeader, bucketKey, "Invalid value for x-amz-server-side-encryption-bucket-key-enabled: it is true or false.")
	}
	var err error
	s.Context, err = encryptionContext(context)
	return s, err
}

// maxContext bounds an encryption context, which is kept with the object (AWS KMS developer guide, "Quotas").
const maxContext = 8 << 10

// encryptionContext reads the base64 of a JSON object of strings, and returns it with its names in order.
func encryptionContext(header string) (string, error) {
	if header == "" {
		return "", nil
	}
	var pairs map[string]string
	raw, err := base64.StdEncoding.DecodeString(header)
	if err == nil {
		err = json.Unmarshal(raw, &pairs)
	}
	if err != nil || len(raw) > maxContext {
		return "", errSSE(sseContextHeader, header, "The header 'x-amz-server-side-encryption-context' shall be Base64-encoded UTF-8 string holding JSON which represents a string-string map")
	}
	out, err := json.Marshal(pairs) // sorts
	return string(out), err
}

// refuseSealing refuses headers that ask for encryption where nothing is written: AWS does too, and a client that
// sends them believes something that is not so.
func refuseSealing(h http.Header) error {
	for _, name := range []string{sseHeader, sseKeyHeader, sseContextHeader, sseBucketKeyHeader} {
		if _, there := h[name]; there {
			return errSSE(name, h.Get(name), strings.ToLower(name)+" header is not supported for this operation.")
		}
	}
	return nil
}
