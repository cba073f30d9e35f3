package s3gw

import (
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/objsrv/objsrv/storage"
)

// racers is how many writes under one condition are sent at once, and races how often at most.
const (
	racers = 8
	races  = 3
)

// races sends writes under one If-Match at once. When more than one of them succeeds the upstream looks first and writes
// later, and loses writes that the condition was to keep: SeaweedFS does so when it completes uploads, and when it deletes
// where there are versions. Deletes are believed where completions are right.
func (p *probe) races() {
	if !p.a.conditions {
		return
	}
	p.a.matches = p.oneWins("race", func(content, etag string) bool {
		status, _ := p.write("race", "", content, etag)
		return status == http.StatusOK
	})
	p.a.completes = p.a.matches && p.oneWins("race-parts", func(content, etag string) bool { return p.complete("race-parts", content, etag) })
	p.a.deletes = p.a.deletes && p.a.completes
}

// oneWins lets writers of a key race. Each gets a content of its own, and the ETag that all have seen.
func (p *probe) oneWins(key string, write func(content, etag string) bool) bool {
	p.keys = append(p.keys, key)
	for round := range races {
		status, h := p.write(key, "", fmt.Sprintf("round %d", round), "")
		if status != http.StatusOK {
			return false
		}
		var winners atomic.Int64
		var wg sync.WaitGroup
		for i := range racers {
			wg.Go(func() {
				if write(fmt.Sprintf("round %d, racer %d", round, i), h.Get("Etag")) {
					winners.Add(1)
				}
			})
		}
		wg.Wait()
		if winners.Load() > 1 {
			return false
		}
	}
	return true
}

// write puts an object, or the only part of an upload. It returns 0 when there was no answer: another request finds out why.
func (p *probe) write(key, upload, content, etag string) (status int, h http.Header) {
	r := &request{method: http.MethodPut, bucket: p.bucket, key: key, header: http.Header{}, body: strings.NewReader(content), size: int64(len(content)), hash: unsigned}
	if etag != "" {
		r.header.Set("If-Match", etag)
	}
	if upload != "" {
		r.query = url.Values{"uploadId": {upload}, "partNumber": {"1"}}
	}
	h, err := p.s.client.call(p.ctx, r)
	var e *Error
	switch {
	case err == nil:
		return http.StatusOK, h
	case errors.As(err, &e):
		return e.Status, nil
	}
	return 0, nil
}

// complete makes an upload of one part and completes it under If-Match. One that was not completed is aborted.
func (p *probe) complete(key, content, etag string) bool {
	resp, err := p.s.client.do(p.ctx, &request{method: http.MethodPost, bucket: p.bucket, key: key, query: url.Values{"uploads": {""}}})
	var made struct {
		XMLName xml.Name
		ID      string `xml:"UploadId"`
	}
	if err != nil || decode(resp, &made) != nil || made.ID == "" {
		return false
	}
	id := url.Values{"uploadId": {made.ID}}
	if status, h := p.write(key, made.ID, content, ""); status == http.StatusOK {
		r := &request{method: http.MethodPost, bucket: p.bucket, key: key, query: id, header: http.Header{"If-Match": {etag}}}
		if r.document(completeRequest{Parts: []completePart{{Number: 1, ETag: h.Get("Etag")}}}) == nil {
			var answer copyResult
			if resp, err := p.s.client.do(p.ctx, r); err == nil && decode(resp, &answer) == nil {
				return true
			}
		}
	}
	_, _ = p.s.client.call(p.ctx, &request{method: http.MethodDelete, bucket: p.bucket, key: key, query: id}) // the bucket's removal tells
	return false
}

// partSums looks whether the checksums of an upload's parts are listed, and prove what is stored of them.
func (p *probe) partSums() {
	const alg, key = "CRC32", "part-sums"
	if !p.a.sums[alg] {
		return
	}
	ref := storage.UploadRef{Bucket: p.bucket, Key: key}
	resp, err := p.s.client.do(p.ctx, &request{method: http.MethodPost, bucket: p.bucket, key: key, query: url.Values{"uploads": {""}}, header: http.Header{"X-Amz-Checksum-Algorithm": {alg}}})
	var made struct {
		XMLName xml.Name
		ID      string `xml:"UploadId"`
	}
	if err != nil || decode(resp, &made) != nil || made.ID == "" {
		return
	}
	ref.ID = made.ID
	id := url.Values{"uploadId": {made.ID}, "partNumber": {"1"}}
	put := func(body string) (http.Header, error) {
		r := &request{method: http.MethodPut, bucket: p.bucket, key: key, query: id, header: http.Header{}, body: strings.NewReader(body), size: int64(len(body)), hash: unsigned}
		r.header.Set(sumPrefix+algorithms[alg], probeSums[alg])
		return p.s.client.call(p.ctx, r)
	}
	_, wrong := put(strings.ToUpper(probeBody))
	if told, err := put(probeBody); err == nil {
		p.a.partProves = told.Get(sumPrefix+algorithms[alg]) == probeSums[alg] && p.status(wrong)/100 == 4
		if doc, err := p.s.listParts(p.ctx, ref, 0, 1); err == nil {
			parts := doc.parts()
			p.a.partSums = len(parts) == 1 && parts[0].Checksum.Value == probeSums[alg]
		}
	}
	id.Del("partNumber")
	_, _ = p.s.client.call(p.ctx, &request{method: http.MethodDelete, bucket: p.bucket, key: key, query: id}) // the bucket's removal tells
}

// folders looks whether a key that ends in "/" has a content of its own: in SeaweedFS it is a folder, and the content is lost.
func (p *probe) folders() {
	const key = "folder/"
	p.keys = append(p.keys, key)
	if status, _ := p.write(key, "", probeBody, ""); status != http.StatusOK {
		return
	}
	h, err := p.s.client.call(p.ctx, &request{method: http.MethodHead, bucket: p.bucket, key: key})
	p.a.folders = p.status(err) == http.StatusOK && h.Get("Content-Length") == fmt.Sprint(len(probeBody))
}

// metadata looks whether a name without a value is kept.
func (p *probe) metadata() {
	if p.put("meta", "X-Amz-Meta-Empty", "") != http.StatusOK {
		return
	}
	h, err := p.s.client.call(p.ctx, &request{method: http.MethodHead, bucket: p.bucket, key: "meta"})
	_, p.a.emptyMeta = h["X-Amz-Meta-Empty"]
	_ = p.status(err)
}
