package s3gw

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/objsrv/objsrv/storage"
)

// TestOwnETag puts a body without an MD5: the upstream's checksum has to prove what it stored.
func TestOwnETag(t *testing.T) {
	const size = smallBody + 1
	sum := storage.Checksum{Algorithm: "CRC32", Type: "FULL_OBJECT", Value: "AAAAAA=="}
	for name, tt := range map[string]struct {
		header, value string
		want          error
	}{
		"the checksum":        {"X-Amz-Checksum-Crc32", "AAAAAA==", nil},
		"R-041 another":       {"X-Amz-Checksum-Crc32", "BBBBBB==", errAltered},
		"R-041 none":          {"X-Other", "x", errAltered},
		"R-041 of other kind": {"X-Amz-Checksum-Crc32c", "AAAAAA==", errAltered},
	} {
		s, u := before(t, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // what is wrong with it shows in the answer
			w.Header().Set("Etag", `"00112233445566778899aabbccddeeff"`)
			w.Header().Set(tt.header, tt.value)
		})
		caps := s.caps.known.Load()
		caps.sums["CRC32"], caps.proves = true, map[string]bool{"CRC32": true}
		if caps.partProves = false; s.OwnETag(size, "CRC32") {
			t.Errorf("%s: an upstream whose checksums of parts prove nothing is trusted", name)
		}
		caps.partProves = true
		if !s.OwnETag(size, "CRC32") || s.OwnETag(smallBody, "CRC32") || s.OwnETag(size, "") || s.OwnETag(size, "SHA1") || s.OwnETag(-1, "CRC32") {
			t.Errorf("%s: what needs no MD5 is not what it should be", name)
		}
		o, err := s.PutObject(t.Context(), storage.PutInput{Bucket: "bucket", Key: "key", Body: strings.NewReader(strings.Repeat("x", size)), Size: size,
			ChecksumAlgorithm: "CRC32", Digest: func() storage.Digest { return storage.Digest{Checksum: sum} }})
		if !errors.Is(err, tt.want) || err == nil && (o.ETag != "00112233445566778899aabbccddeeff" || o.Checksum != sum) {
			t.Errorf("%s: %+v, %v", name, o, err)
		}
		if tt.want != nil && !strings.HasPrefix(u.list()[len(u.list())-1], "DELETE") {
			t.Errorf("%s: what was stored wrongly stays: %v", name, u.list())
		}
	}
}
