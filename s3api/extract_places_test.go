package s3api

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/objsrv/objsrv/sigv4"
)

// TestSlowArchives: clients of one account that send archives slowly do not keep those of another account waiting.
func TestSlowArchives(t *testing.T) {
	a := newAccounts(t, "")
	path := a.newBucket()
	a.wants(200, "", "stranger", "PUT", "/strangers", "")
	body := packed(t, "k", "content")
	sum := sha256.Sum256([]byte(body))
	s := &sigv4.Signer{AccessKey: "owner", Secret: "owner-key-secret", Region: "us-east-1", Service: "s3"}
	var ends []*io.PipeWriter
	var wg sync.WaitGroup
	for range provenAtOnce + 1 {
		r := a.request("PUT", path+"/x.tar", body, extract)
		s.SignHeader(r, hex.EncodeToString(sum[:]), a.now)
		slow, end := io.Pipe()
		r.Body, ends = slow, append(ends, end)
		wg.Go(func() {
			resp, err := a.srv.Client().Transport.RoundTrip(r)
			if err == nil {
				resp.Body.Close()
			}
		})
	}
	for end := time.Now().Add(20 * time.Second); len(a.s.proving) < provenOfOne; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("no archive is waited for")
		}
	}
	a.wants(200, "", "stranger", "PUT", "/strangers/x.tar", body, extract)
	for _, end := range ends {
		end.CloseWithError(io.ErrUnexpectedEOF)
	}
	wg.Wait()
	a.wants(200, "", "owner", "PUT", path+"/x.tar", body, extract)
}
