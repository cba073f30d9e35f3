package s3api

import (
	"github.com/objsrv/objsrv/internal/checksum"
)

// sumOf returns a checksum of data in base64.
func sumOf(name, data string) string {
	alg, ok := checksum.Parse(name)
	if !ok {
		panic(name)
	}
	h := alg.New()
	h.Write([]byte(data))
	return checksum.Encode(h.Sum(nil))
}
