package s3api

import (
	"strings"
	"testing"

	"github.com/objsrv/objsrv/storage"
)

func encryptionDoc(inner string) string {
	return "<ServerSideEncryptionConfiguration><Rule>" + inner + "</Rule></ServerSideEncryptionConfiguration>"
}

func byDefault(algorithm, key string) string {
	if key != "" {
		key = "<KMSMasterKeyID>" + key + "</KMSMasterKeyID>"
	}
	return encryptionDoc("<ApplyServerSideEncryptionByDefault><SSEAlgorithm>" + algorithm + "</SSEAlgorithm>" + key + "</ApplyServerSideEncryptionByDefault>")
}

// TestBucketEncryption sets, reads and removes a default, which counts for what is written after it.
func TestBucketEncryption(t *testing.T) {
	e := newSealedEnv(t)
	e.refused(404, "ServerSideEncryptionConfigurationNotFoundError", "GET", "/bkt?encryption", "")
	e.must(200, "PUT", "/bkt/before", "x")
	e.must(200, "PUT", "/bkt?encryption", byDefault("AES256", ""))
	got := e.must(200, "GET", "/bkt?encryption", "")
	if got.element("SSEAlgorithm") != "AES256" || got.element("BucketKeyEnabled") != "false" || strings.Contains(got.body, "KMSMasterKeyID") {
		t.Errorf("got %s", got.body)
	}
	e.wantHeader(e.must(200, "GET", "/bkt/before", ""), "X-Amz-Server-Side-Encryption", "")
	for key, write := range map[string]func(){
		"put":  func() { e.must(200, "PUT", "/bkt/put", "x") },
		"copy": func() { e.must(200, "PUT", "/bkt/copy", "", "X-Amz-Copy-Source: bkt/before") },
		"multipart": func() {
			id := e.must(200, "POST", "/bkt/multipart?uploads", "").element("UploadId")
			e.complete("multipart", id, 1, e.must(200, "PUT", "/bkt/multipart?partNumber=1&uploadId="+id, "x").Get("Etag"))
		},
	} {
		write()
		a := e.must(200, "GET", "/bkt/"+key, "")
		if e.wantHeader(a, "X-Amz-Server-Side-Encryption", "AES256"); a.body != "x" || string(e.content(key)) == "x" {
			t.Errorf("%s: %q, stored %q", key, a.body, e.content(key))
		}
	}
	// The request's own word counts before the bucket's.
	e.wantHeader(e.must(200, "PUT", "/bkt/k", "x", "X-Amz-Server-Side-Encryption: aws:kms"), "X-Amz-Server-Side-Encryption", "aws:kms")
	e.must(200, "PUT", "/bkt/c", "x", withCustomer(1)...)
	e.must(400, "HEAD", "/bkt/c", "")

	e.must(200, "PUT", "/bkt?encryption", strings.Replace(byDefault("aws:kms", "arn:aws:kms:us-east-1:1:key/second"), "</Rule>", "<BucketKeyEnabled>true</BucketKeyEnabled></Rule>", 1))
	a := e.must(200, "PUT", "/bkt/k", "x")
	e.wantHeader(a, "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id", "second")
	e.wantHeader(a, "X-Amz-Server-Side-Encryption-Bucket-Key-Enabled", "true")
	if got := e.must(200, "GET", "/bkt?encryption", ""); got.element("KMSMasterKeyID") != "arn:aws:kms:us-east-1:1:key/second" {
		t.Errorf("got %s", got.body)
	}
	e.must(204, "DELETE", "/bkt?encryption", "")
	e.refused(404, "ServerSideEncryptionConfigurationNotFoundError", "GET", "/bkt?encryption", "")
	e.wantHeader(e.must(200, "PUT", "/bkt/after", "x"), "X-Amz-Server-Side-Encryption", "")
	e.wantHeader(e.must(200, "GET", "/bkt/k", ""), "X-Amz-Server-Side-Encryption", "aws:kms")
}

func TestBucketEncryptionRefused(t *testing.T) {
	e := newSealedEnv(t)
	for _, row := range []struct {
		status    int
		code, doc string
	}{
		{400, "MalformedXML", ""}, {400, "MalformedXML", "<ServerSideEncryptionConfiguration/>"}, {400, "MalformedXML", encryptionDoc("")},
		{400, "MalformedXML", byDefault("AES128", "")}, {400, "MalformedXML", byDefault("", "")},
		{400, "MalformedXML", strings.Replace(byDefault("AES256", ""), "<Rule>", "<Rule></Rule><Rule>", 1)},
		{400, "InvalidArgument", byDefault("AES256", "second")},
		{400, "KMS.NotFoundException", byDefault("aws:kms", "third")},
		{501, "NotImplemented", byDefault("aws:kms:dsse", "")},
		{400, "MalformedXML", encryptionDoc("<BlockedEncryptionTypes><EncryptionType>SSE-S3</EncryptionType></BlockedEncryptionTypes>")},
		{400, "MalformedXML", encryptionDoc("<BlockedEncryptionTypes><EncryptionType>NONE</EncryptionType><EncryptionType>SSE-C</EncryptionType></BlockedEncryptionTypes>")},
	} {
		e.refused(row.status, row.code, "PUT", "/bkt?encryption", row.doc)
	}
	e.refused(404, "ServerSideEncryptionConfigurationNotFoundError", "GET", "/bkt?encryption", "")
	newEnv(t).refused(501, "NotImplemented", "PUT", "/bkt?encryption", byDefault("AES256", ""))
}

// TestBlockedTypes keeps customers' keys out of a bucket.
func TestBlockedTypes(t *testing.T) {
	e := newSealedEnv(t)
	e.must(200, "PUT", "/bkt/before", "x", withCustomer(1)...)
	e.must(200, "PUT", "/bkt?encryption", encryptionDoc("<BlockedEncryptionTypes><EncryptionType>SSE-C</EncryptionType></BlockedEncryptionTypes>"))
	e.refused(403, "AccessDenied", "PUT", "/bkt/k", "x", withCustomer(1)...)
	e.refused(403, "AccessDenied", "POST", "/bkt/k?uploads", "", withCustomer(1)...)
	e.refused(403, "AccessDenied", "PUT", "/bkt/k", "", append(withCustomer(1), "X-Amz-Copy-Source: bkt/before", fromCustomer(1)[0], fromCustomer(1)[1], fromCustomer(1)[2])...)
	e.must(200, "GET", "/bkt/before", "", withCustomer(1)...)
	e.wantHeader(e.must(200, "PUT", "/bkt/k", "x"), "X-Amz-Server-Side-Encryption", "")
	e.must(200, "PUT", "/bkt?encryption", encryptionDoc("<BlockedEncryptionTypes><EncryptionType>NONE</EncryptionType></BlockedEncryptionTypes>"))
	e.must(200, "PUT", "/bkt/k", "x", withCustomer(1)...)
}

// TestUnreadableEncryption writes nothing where the default can't be known.
func TestUnreadableEncryption(t *testing.T) {
	e := newSealedEnv(t)
	err := e.s.Backend.UpdateBucket(t.Context(), "bkt", func(b *storage.Bucket) error {
		b.Docs[docEncryption] = []byte("<damaged")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	e.refused(500, "InternalError", "PUT", "/bkt/k", "x")
	e.refused(403, "AccessDenied", "PUT", "/bkt/k", "x", withCustomer(1)...)
	e.must(404, "HEAD", "/bkt/k", "")
	e.must(200, "PUT", "/bkt/k", "x", "X-Amz-Server-Side-Encryption: AES256")
}

// TestAutoEncrypt is MinIO's setting that encrypts whatever says nothing.
func TestAutoEncrypt(t *testing.T) {
	e := newSealedEnv(t, func(c *Config) { c.AutoEncrypt = true })
	e.wantHeader(e.must(200, "PUT", "/bkt/k", "x"), "X-Amz-Server-Side-Encryption", "AES256")
	if string(e.content("k")) == "x" {
		t.Error("the content lies in the clear")
	}
}
