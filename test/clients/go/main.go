// Command go is the session of aws-sdk-go-v2 that run.sh starts. It is a module of its own, so
// that the server's module does not depend on the SDK. ENDPOINT, FILES, BIG and the credentials
// come from the environment; each check prints one line.
package main

import (
	"bytes"
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

const mib = 1 << 20

type session struct {
	*s3.Client
	bucket *string
	failed bool
}

func main() {
	cfg, err := config.LoadDefaultConfig(context.Background(), config.WithRetryMaxAttempts(1))
	if err != nil {
		fmt.Println("FAIL gosdk config:", err)
		os.Exit(1)
	}
	s := &session{bucket: aws.String(fmt.Sprintf("gosdk-%d", os.Getpid()))}
	s.Client = s3.NewFromConfig(cfg, func(o *s3.Options) {
		o.BaseEndpoint, o.UsePathStyle = aws.String(os.Getenv("ENDPOINT")), true
	})
	s.check("CreateBucket", func(ctx context.Context) error {
		_, err := s.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: s.bucket})
		return err
	})
	for _, size := range []int{0, 1, 5*mib - 1, 5 * mib, 5*mib + 1, 64 * mib} {
		s.check(fmt.Sprintf("PutObject and GetObject, %d bytes", size), func(ctx context.Context) error { return s.putGet(ctx, size) })
	}
	for _, alg := range types.ChecksumAlgorithm("").Values() {
		s.check("checksum "+string(alg), func(ctx context.Context) error { return s.checksum(ctx, alg) })
	}
	s.check("PutObject of a stream, with a trailing checksum", s.stream)
	s.check("transfermanager", s.transfer)
	s.check("multipart by hand and UploadPartCopy", s.multipart)
	s.check("conditional writes, reads and deletes", s.conditions)
	s.check("keys", s.keys)
	s.check("versions", s.versions)
	s.check("tagging", s.tagging)
	s.check("presigned GET, PUT, DELETE and POST", s.presigned)
	s.check("errors are typed", s.errors)
	if slices.Contains(strings.Fields(os.Getenv("BIG")), "gosdk") {
		s.check("5 GiB by multipart, and a copy of it by parts", s.big)
	}
	s.check("clean up", s.cleanUp)
	if s.failed {
		os.Exit(1)
	}
}

func (s *session) check(name string, run func(context.Context) error) {
	err := run(context.Background())
	if skip, ok := errors.AsType[skipped](err); ok {
		fmt.Printf("skip gosdk %s: %s\n", name, skip)
		return
	}
	if err != nil {
		s.failed = true
		fmt.Printf("FAIL gosdk %s: %s\n", name, clip(strings.Join(strings.Fields(err.Error()), " ")))
		return
	}
	fmt.Println("ok   gosdk", name)
}

func clip(s string) string { return s[:min(len(s), 700)] }

// skipped is the reason why a check does not apply.
type skipped string

func (s skipped) Error() string { return string(s) }

// refused returns nil when err is an API error with the code.
func refused(code string, err error) error {
	var api smithy.APIError
	if errors.As(err, &api) && api.ErrorCode() == code {
		return nil
	}
	return fmt.Errorf("wanted %s, got: %v", code, err)
}

func equal[T comparable](what string, got, want T) error {
	if got != want {
		return fmt.Errorf("%s: got %v, wanted %v", what, got, want)
	}
	return nil
}

func (s *session) put(ctx context.Context, key string, body []byte) (*s3.PutObjectOutput, error) {
	return s.PutObject(ctx, &s3.PutObjectInput{Bucket: s.bucket, Key: &key, Body: bytes.NewReader(body)})
}

// holds returns nil when the object has these bytes.
func (s *session) holds(ctx context.Context, key string, want []byte) error {
	out, err := s.GetObject(ctx, &s3.GetObjectInput{Bucket: s.bucket, Key: &key})
	if err != nil {
		return err
	}
	defer out.Body.Close()
	got, err := io.ReadAll(out.Body)
	if err != nil {
		return err
	}
	return equal("MD5 of "+key, md5.Sum(got), md5.Sum(want))
}

func file(size int) []byte {
	b, err := os.ReadFile(fmt.Sprintf("%s/%d", os.Getenv("FILES"), size))
	if err != nil {
		panic(err)
	}
	return b
}

func (s *session) putGet(ctx context.Context, size int) error {
	key, body := fmt.Sprintf("size/%d", size), file(size)
	if _, err := s.put(ctx, key, body); err != nil {
		return err
	}
	return s.holds(ctx, key, body)
}

func (s *session) checksum(ctx context.Context, alg types.ChecksumAlgorithm) error {
	key := "sum/" + string(alg)
	put, err := s.PutObject(ctx, &s3.PutObjectInput{Bucket: s.bucket, Key: &key, Body: strings.NewReader("hello"), ChecksumAlgorithm: alg})
	if err != nil && strings.Contains(err.Error(), "unknown checksum algorithm") {
		return skipped("the SDK can't compute it")
	}
	if err != nil {
		return err
	}
	head, err := s.HeadObject(ctx, &s3.HeadObjectInput{Bucket: s.bucket, Key: &key, ChecksumMode: types.ChecksumModeEnabled})
	if err != nil {
		return err
	}
	sums := func(all ...*string) string {
		for _, p := range all {
			if p != nil {
				return *p
			}
		}
		return ""
	}
	sent := sums(put.ChecksumCRC32, put.ChecksumCRC32C, put.ChecksumCRC64NVME, put.ChecksumSHA1, put.ChecksumSHA256, put.ChecksumSHA512,
		put.ChecksumMD5, put.ChecksumXXHASH3, put.ChecksumXXHASH64, put.ChecksumXXHASH128)
	kept := sums(head.ChecksumCRC32, head.ChecksumCRC32C, head.ChecksumCRC64NVME, head.ChecksumSHA1, head.ChecksumSHA256, head.ChecksumSHA512,
		head.ChecksumMD5, head.ChecksumXXHASH3, head.ChecksumXXHASH64, head.ChecksumXXHASH128)
	if sent == "" {
		return fmt.Errorf("no checksum in the answer of the PUT")
	}
	return equal("checksum", kept, sent)
}

func (s *session) stream(ctx context.Context) error {
	// a reader that can't seek: only a trailer can carry the checksum
	body := file(5*mib + 1)
	_, err := s.PutObject(ctx, &s3.PutObjectInput{Bucket: s.bucket, Key: aws.String("stream"), ContentLength: aws.Int64(5*mib + 1),
		Body: struct{ io.Reader }{bytes.NewReader(body)}, ChecksumAlgorithm: types.ChecksumAlgorithmCrc32c})
	if err != nil && strings.Contains(err.Error(), "unseekable stream is not supported without TLS") {
		return skipped("the SDK sends no such stream without TLS")
	}
	if err != nil {
		return err
	}
	return s.holds(ctx, "stream", body)
}

func (s *session) transfer(ctx context.Context) error {
	body := file(64 * mib)
	t := transfermanager.New(s.Client, func(o *transfermanager.Options) { o.PartSizeBytes = 5 * mib })
	_, err := t.UploadObject(ctx, &transfermanager.UploadObjectInput{Bucket: s.bucket, Key: aws.String("transfer"), Body: bytes.NewReader(body)})
	if err != nil {
		return err
	}
	got, err := t.GetObject(ctx, &transfermanager.GetObjectInput{Bucket: s.bucket, Key: aws.String("transfer")})
	if err != nil {
		return err
	}
	sum := md5.New()
	if _, err := io.Copy(sum, got.Body); err != nil {
		return err
	}
	return equal("MD5", [16]byte(sum.Sum(nil)), md5.Sum(body))
}

func (s *session) multipart(ctx context.Context) error {
	key, body := aws.String("parts"), file(5*mib)
	up, err := s.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: s.bucket, Key: key, ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme})
	if err != nil {
		return err
	}
	one, err := s.UploadPart(ctx, &s3.UploadPartInput{Bucket: s.bucket, Key: key, UploadId: up.UploadId, PartNumber: aws.Int32(1), Body: bytes.NewReader(body), ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme})
	if err != nil {
		return err
	}
	two, err := s.UploadPartCopy(ctx, &s3.UploadPartCopyInput{Bucket: s.bucket, Key: key, UploadId: up.UploadId, PartNumber: aws.Int32(2),
		CopySource: aws.String(*s.bucket + "/transfer"), CopySourceRange: aws.String("bytes=10-19")})
	if err != nil {
		return err
	}
	parts := []types.CompletedPart{{PartNumber: aws.Int32(1), ETag: one.ETag, ChecksumCRC64NVME: one.ChecksumCRC64NVME},
		{PartNumber: aws.Int32(2), ETag: two.CopyPartResult.ETag, ChecksumCRC64NVME: two.CopyPartResult.ChecksumCRC64NVME}}
	whole := append(slices.Clone(body), file(64 * mib)[10:20]...)
	_, err = s.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: s.bucket, Key: key, UploadId: up.UploadId,
		MpuObjectSize: aws.Int64(int64(len(whole)) + 1), MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}})
	if err = refused("InvalidRequest", err); err != nil {
		return fmt.Errorf("wrong MpuObjectSize: %w", err)
	}
	done, err := s.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: s.bucket, Key: key, UploadId: up.UploadId,
		MpuObjectSize: aws.Int64(int64(len(whole))), MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}})
	if err != nil {
		return err
	}
	return errors.Join(equal("checksum type", done.ChecksumType, types.ChecksumTypeFullObject), s.holds(ctx, *key, whole))
}

func (s *session) conditions(ctx context.Context) error {
	key := aws.String("cond")
	first, err := s.PutObject(ctx, &s3.PutObjectInput{Bucket: s.bucket, Key: key, IfNoneMatch: aws.String("*")})
	if err != nil {
		return err
	}
	_, again := s.PutObject(ctx, &s3.PutObjectInput{Bucket: s.bucket, Key: key, IfNoneMatch: aws.String("*")})
	_, changed := s.PutObject(ctx, &s3.PutObjectInput{Bucket: s.bucket, Key: key, IfMatch: first.ETag, Body: strings.NewReader("2")})
	_, read := s.GetObject(ctx, &s3.GetObjectInput{Bucket: s.bucket, Key: key, IfMatch: first.ETag})
	_, gone := s.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: s.bucket, Key: key, IfMatch: first.ETag})
	_, size := s.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: s.bucket, Key: key, IfMatchSize: aws.Int64(7)})
	return errors.Join(refused("PreconditionFailed", again), changed, refused("PreconditionFailed", read),
		refused("PreconditionFailed", gone), refused("PreconditionFailed", size))
}

func (s *session) keys(ctx context.Context) error {
	keys := []string{"a", "a/b", "a//b", "a/", "./x", "../x", "/leading", "//", strings.Repeat("c", 1000) + "/d", strings.Repeat("k", 1024),
		"ünï/日本語 ☃ 😀", "sp ace", "+plus", "%25", "?q=1", "#h", "&amp;<x>", "'\"", "\x01ctl\x7f", "tab\t", "nl\n", "back\\slash", "*", ".."}
	var bad []error
	for _, k := range keys {
		_, err := s.put(ctx, k, []byte(k))
		if err == nil {
			err = s.holds(ctx, k, []byte(k))
		}
		if err != nil {
			bad = append(bad, fmt.Errorf("key %.20q: %w", k, err))
		}
	}
	var listed []string
	pages := s3.NewListObjectsV2Paginator(s.Client, &s3.ListObjectsV2Input{Bucket: s.bucket, MaxKeys: aws.Int32(5), EncodingType: types.EncodingTypeUrl})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return errors.Join(append(bad, err)...)
		}
		for _, o := range page.Contents {
			listed = append(listed, *o.Key)
		}
	}
	if !slices.Contains(listed, "sp+ace") && !slices.Contains(listed, "sp%20ace") {
		bad = append(bad, fmt.Errorf("encoding-type=url: no encoded 'sp ace' in %.200q", listed))
	}
	return errors.Join(bad...)
}

func (s *session) versions(ctx context.Context) error {
	key := aws.String("versioned")
	_, err := s.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{Bucket: s.bucket, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled}})
	if err != nil {
		return err
	}
	old, err := s.put(ctx, *key, []byte("1"))
	if err != nil {
		return err
	}
	_, err = s.put(ctx, *key, []byte("2"))
	marker, err2 := s.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: s.bucket, Key: key})
	if err = errors.Join(err, err2); err != nil {
		return err
	}
	_, gone := s.GetObject(ctx, &s3.GetObjectInput{Bucket: s.bucket, Key: key})
	_, named := s.HeadObject(ctx, &s3.HeadObjectInput{Bucket: s.bucket, Key: key, VersionId: marker.VersionId})
	head, err := s.HeadObject(ctx, &s3.HeadObjectInput{Bucket: s.bucket, Key: key, VersionId: old.VersionId})
	if err != nil {
		return err
	}
	return errors.Join(equal("marker", aws.ToBool(marker.DeleteMarker), true), refused("NoSuchKey", gone), refused("MethodNotAllowed", named),
		equal("version", *head.VersionId, *old.VersionId))
}

func (s *session) tagging(ctx context.Context) error {
	key := aws.String("tagged")
	_, err := s.PutObject(ctx, &s3.PutObjectInput{Bucket: s.bucket, Key: key, Tagging: aws.String("a=1&b=2+3")})
	if err != nil {
		return err
	}
	got, err := s.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Bucket: s.bucket, Key: key})
	if err != nil {
		return err
	}
	if len(got.TagSet) != 2 {
		return fmt.Errorf("%d tags", len(got.TagSet))
	}
	_, err = s.DeleteObjectTagging(ctx, &s3.DeleteObjectTaggingInput{Bucket: s.bucket, Key: key})
	return errors.Join(err, equal("tag", *got.TagSet[1].Value, "2 3"))
}

// send makes a plain request and returns its status.
func send(method, target, body string, header http.Header) (int, string, error) {
	req, err := http.NewRequest(method, target, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	for k, v := range header {
		if k != "Host" && k != "Content-Length" {
			req.Header[k] = v
		}
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return res.StatusCode, string(b), err
}

func (s *session) presigned(ctx context.Context) error {
	p, key := s3.NewPresignClient(s.Client), aws.String("pre signed/ü")
	put, err := p.PresignPutObject(ctx, &s3.PutObjectInput{Bucket: s.bucket, Key: key, ContentType: aws.String("text/x")})
	if err != nil {
		return err
	}
	status, text, err := send(put.Method, put.URL, "hello", put.SignedHeader)
	if err = errors.Join(err, equal("PUT "+text, status, 200)); err != nil {
		return err
	}
	get, err := p.PresignGetObject(ctx, &s3.GetObjectInput{Bucket: s.bucket, Key: key})
	if err != nil {
		return err
	}
	status, text, err = send(get.Method, get.URL, "", get.SignedHeader)
	if err = errors.Join(err, equal("GET", status, 200), equal("body", text, "hello")); err != nil {
		return err
	}
	status, text, err = send("DELETE", get.URL, "", get.SignedHeader)
	if err = errors.Join(err, equal("DELETE by the URL of a GET "+text, status, 403)); err != nil {
		return err
	}
	del, err := p.PresignDeleteObject(ctx, &s3.DeleteObjectInput{Bucket: s.bucket, Key: key})
	if err != nil {
		return err
	}
	status, text, err = send(del.Method, del.URL, "", del.SignedHeader)
	if err = errors.Join(err, equal("DELETE "+text, status, 204)); err != nil {
		return err
	}
	post, err := p.PresignPostObject(ctx, &s3.PutObjectInput{Bucket: s.bucket, Key: aws.String("posted")})
	if err != nil {
		return err
	}
	var form strings.Builder
	for k, v := range post.Values {
		fmt.Fprintf(&form, "--edge\r\nContent-Disposition: form-data; name=%q\r\n\r\n%s\r\n", k, v)
	}
	form.WriteString("--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\nposted\r\n--edge--\r\n")
	status, text, err = send("POST", post.URL, form.String(), http.Header{"Content-Type": {"multipart/form-data; boundary=edge"}})
	return errors.Join(err, equal("POST "+text, status, 204), s.holds(ctx, "posted", []byte("posted")))
}

func (s *session) errors(ctx context.Context) error {
	_, err := s.GetObject(ctx, &s3.GetObjectInput{Bucket: s.bucket, Key: aws.String("none")})
	if _, ok := errors.AsType[*types.NoSuchKey](err); !ok {
		return fmt.Errorf("NoSuchKey: %v", err)
	}
	_, err = s.HeadObject(ctx, &s3.HeadObjectInput{Bucket: s.bucket, Key: aws.String("none")})
	if _, ok := errors.AsType[*types.NotFound](err); !ok {
		return fmt.Errorf("NotFound: %v", err)
	}
	_, err = s.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: s.bucket}, func(o *s3.Options) { o.Region = "eu-west-1" })
	if err == nil {
		return errors.New("a request signed for another region was accepted")
	}
	return nil
}

// big moves 5 GiB of bytes that differ in every block, which the reader makes on the way.
func (s *session) big(ctx context.Context) error {
	const size = 5 << 30
	t := transfermanager.New(s.Client, func(o *transfermanager.Options) { o.PartSizeBytes, o.Concurrency = 64*mib, 2 })
	_, err := t.UploadObject(ctx, &transfermanager.UploadObjectInput{Bucket: s.bucket, Key: aws.String("5G"), Body: io.LimitReader(noise(), size)})
	if err != nil {
		return err
	}
	up, err := s.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: s.bucket, Key: aws.String("5G-copy")})
	if err != nil {
		return err
	}
	var parts []types.CompletedPart
	for n := range int32(5) {
		r, err := s.UploadPartCopy(ctx, &s3.UploadPartCopyInput{Bucket: s.bucket, Key: aws.String("5G-copy"), UploadId: up.UploadId, PartNumber: aws.Int32(n + 1),
			CopySource: aws.String(*s.bucket + "/5G"), CopySourceRange: aws.String(fmt.Sprintf("bytes=%d-%d", int64(n)<<30, int64(n+1)<<30-1))})
		if err != nil {
			return err
		}
		parts = append(parts, types.CompletedPart{PartNumber: aws.Int32(n + 1), ETag: r.CopyPartResult.ETag})
	}
	_, err = s.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: s.bucket, Key: aws.String("5G-copy"), UploadId: up.UploadId,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}})
	if err != nil {
		return err
	}
	got, err := s.GetObject(ctx, &s3.GetObjectInput{Bucket: s.bucket, Key: aws.String("5G-copy")})
	if err != nil {
		return err
	}
	defer got.Body.Close()
	want, a, b := noise(), make([]byte, mib), make([]byte, mib)
	for off := int64(0); off < size; off += mib {
		io.ReadFull(want, a)
		if _, err := io.ReadFull(got.Body, b); err != nil {
			return err
		}
		if !bytes.Equal(a, b) {
			return fmt.Errorf("differs in the MiB at %d", off)
		}
	}
	return nil
}

func noise() io.Reader { return rand.NewChaCha8([32]byte{'5', 'G'}) }

func (s *session) cleanUp(ctx context.Context) error {
	// url: some keys have characters that XML can't carry
	pages := s3.NewListObjectVersionsPaginator(s.Client, &s3.ListObjectVersionsInput{Bucket: s.bucket, EncodingType: types.EncodingTypeUrl})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, v := range page.Versions {
			if err := s.remove(ctx, *v.Key, v.VersionId); err != nil {
				return err
			}
		}
		for _, v := range page.DeleteMarkers {
			if err := s.remove(ctx, *v.Key, v.VersionId); err != nil {
				return err
			}
		}
	}
	_, err := s.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: s.bucket})
	return err
}

func (s *session) remove(ctx context.Context, encoded string, version *string) error {
	key, err := url.QueryUnescape(encoded)
	if err != nil {
		return err
	}
	_, err = s.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: s.bucket, Key: &key, VersionId: version})
	return err
}
