package s3api

import (
	"bufio"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/objsrv/objsrv/internal/events"
	"github.com/objsrv/objsrv/internal/live"
	"github.com/objsrv/objsrv/storage"
)

const allEvents = "events=s3:ObjectCreated:*&events=s3:ObjectRemoved:*&events=s3:ObjectTagging:*&events=s3:ObjectAccessed:*"

// listen opens a stream; it is listened to when listen returns. The feed's end ends it.
func (e *env) listen(target string) func() []events.Record {
	e.t.Helper()
	sum := sha256.Sum256(nil)
	r := e.request("GET", target, "")
	e.signer().SignHeader(r, hex.EncodeToString(sum[:]), e.now)
	return e.streamOf(r)
}

// streamOf is listen of a request that is signed.
func (e *env) streamOf(r *http.Request) func() []events.Record {
	e.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	e.t.Cleanup(cancel)
	resp, err := e.srv.Client().Do(r.WithContext(ctx))
	if err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(func() { resp.Body.Close() })
	if resp.StatusCode != http.StatusOK {
		e.t.Fatalf("GET %s: %d", r.URL, resp.StatusCode)
	}
	return func() (all []events.Record) {
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			var m events.Message
			if len(lines.Bytes()) == 0 || json.Unmarshal(lines.Bytes(), &m) != nil {
				continue // a space that keeps the connection
			}
			all = append(all, m.Records...)
		}
		return all
	}
}

func told(list []events.Record) (out []string) {
	for _, r := range list {
		out = append(out, fmt.Sprintf("%s %s/%s %d", r.Name, r.S3.Bucket.Name, r.S3.Object.Key, r.S3.Object.Size))
	}
	return out
}

// TestEvents does one of everything and listens: to a bucket, to what a filter leaves, and to all buckets.
func TestEvents(t *testing.T) {
	e := newEnv(t)
	var feed live.Feed[events.Event]
	e.s.Events = &feed
	e.bucket("ver", storage.VersioningEnabled)
	of := e.listen("/bkt?" + allEvents)
	some := e.listen("/bkt?events=s3:ObjectCreated:Put&prefix=a&suffix=.txt")
	all := e.listen("/?ping=10&" + allEvents) // as minio-go asks

	e.must(200, "PUT", "/bkt/a%20b.txt", "one")
	e.must(200, "PUT", "/bkt/c", "", "X-Amz-Copy-Source: /bkt/a%20b.txt")
	e.must(200, "GET", "/bkt/c", "")
	e.must(200, "HEAD", "/bkt/c", "")
	e.must(200, "PUT", "/bkt/c?tagging", "<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>")
	e.must(204, "DELETE", "/bkt/c?tagging", "")
	e.must(204, "DELETE", "/bkt/c", "")
	e.refused(404, "NoSuchKey", "GET", "/bkt/c", "")
	v := e.must(200, "PUT", "/ver/k", "four").Get("X-Amz-Version-Id")
	e.must(204, "DELETE", "/ver/k", "")
	e.must(204, "DELETE", "/ver/k?versionId="+v, "")
	feed.Close()

	bkt := []string{"s3:ObjectCreated:Put bkt/a b.txt 3", "s3:ObjectCreated:Copy bkt/c 3", "s3:ObjectAccessed:Get bkt/c 3", "s3:ObjectAccessed:Head bkt/c 3",
		"s3:ObjectTagging:Put bkt/c 3", "s3:ObjectTagging:Delete bkt/c 3", "s3:ObjectRemoved:Delete bkt/c 0"}
	if got := told(of()); !slices.Equal(got, bkt) {
		t.Errorf("of the bucket: %q", got)
	}
	if got := told(some()); !slices.Equal(got, bkt[:1]) {
		t.Errorf("filtered: %q", got)
	}
	list := all()
	want := append(bkt, "s3:ObjectCreated:Put ver/k 4", "s3:ObjectRemoved:DeleteMarkerCreated ver/k 0", "s3:ObjectRemoved:Delete ver/k 0")
	if got := told(list); !slices.Equal(got, want) {
		t.Fatalf("of all: %q", got)
	}
	for i := 1; i < len(list); i++ {
		if list[i].S3.Object.Sequencer <= list[i-1].S3.Object.Sequencer {
			t.Errorf("%s is not after %s", list[i].S3.Object.Sequencer, list[i-1].S3.Object.Sequencer)
		}
	}
	if p := list[7]; p.S3.Object.Version != v || p.User.ID != "AKtest" || list[9].S3.Object.Version != v || list[0].S3.Object.Version != "" {
		t.Errorf("%+v", p)
	}
}

// TestListenRefusals: nobody listens without the right to, and names that are never sent are refused.
func TestListenRefusals(t *testing.T) {
	e := newEnv(t)
	e.refused(501, "NotImplemented", "GET", "/bkt?"+allEvents, "")
	var feed live.Feed[events.Event]
	e.s.Events = &feed
	e.refused(400, "InvalidArgument", "GET", "/bkt?events=s3:Nothing:*", "")
	e.refused(400, "InvalidArgument", "GET", "/bkt?events=s3:*", "")
	for _, ping := range []string{"0", "-1", "soon", "3601"} {
		e.refused(400, "InvalidArgument", "GET", "/bkt?"+allEvents+"&ping="+ping, "")
	}
	e.refused(404, "NoSuchBucket", "GET", "/none?"+allEvents, "")
	e.iam.deny = denyActions("s3:ListenNotification")
	e.refused(403, "AccessDenied", "GET", "/?"+allEvents, "")
	e.iam.deny = denyActions("s3:ListenBucketNotification")
	e.refused(403, "AccessDenied", "GET", "/bkt?"+allEvents, "")
	if feed.Active() {
		t.Error("a listener who was refused listens")
	}
}

// TestListenLimit is S-209: a user has few streams.
func TestListenLimit(t *testing.T) {
	e := newEnv(t)
	var feed live.Feed[events.Event]
	e.s.Events = &feed
	defer feed.Close()
	for range live.MaxOfOne {
		e.listen("/bkt?" + allEvents)
	}
	e.refused(503, "SlowDown", "GET", "/bkt?"+allEvents, "")
}

// BenchmarkNobodyListens is what an event costs that nobody wants.
func BenchmarkNobodyListens(b *testing.B) {
	var feed live.Feed[events.Event]
	c := &call{s: &Server{Config: Config{Events: &feed}}}
	bucket, o := &storage.Bucket{}, &storage.Object{}
	b.ReportAllocs()
	for b.Loop() {
		c.happened(events.CreatedPut, bucket, o)
	}
}

// TestEventsOfMany is about requests of several steps or objects: each object is told once, what failed is not.
func TestEventsOfMany(t *testing.T) {
	e := newEnv(t)
	var feed live.Feed[events.Event]
	e.s.Events = &feed
	of := e.listen("/bkt?events=s3:ObjectCreated:*&events=s3:ObjectRemoved:*")
	started := e.must(200, "POST", "/bkt/m?uploads", "").body
	_, id, _ := strings.Cut(started, "<UploadId>")
	id, _, _ = strings.Cut(id, "<")
	etag := e.must(200, "PUT", "/bkt/m?partNumber=1&uploadId="+id, "part").Get("Etag")
	e.must(200, "POST", "/bkt/m?uploadId="+id, "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"+etag+"</ETag></Part></CompleteMultipartUpload>")
	e.must(200, "PUT", "/bkt/n", "n")
	body := `<Delete><Object><Key>m</Key></Object><Object><Key>n</Key><ETag>"no"</ETag></Object></Delete>`
	sum := md5.Sum([]byte(body))
	e.must(200, "POST", "/bkt?delete", body, "Content-Md5: "+base64.StdEncoding.EncodeToString(sum[:]))
	feed.Close()
	want := []string{"s3:ObjectCreated:CompleteMultipartUpload bkt/m 4", "s3:ObjectCreated:Put bkt/n 1", "s3:ObjectRemoved:Delete bkt/m 0"}
	if got := told(of()); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
