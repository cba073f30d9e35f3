package s3gw

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/objsrv/objsrv/storage"
)

// TestTrialOfRaces has upstreams that heed conditions one request at a time, and differ when several come at once.
func TestTrialOfRaces(t *testing.T) {
	for name, tt := range map[string]struct {
		puts, completes bool // are decided in one step
	}{
		"never": {false, false}, "uploads apart": {true, false}, "always": {true, true},
	} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			etags := map[string]string{}
			n := 0
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				n++
				q, match := r.URL.Query(), r.Header.Get("If-Match")
				known := etags[r.URL.Path]
				atomic := tt.puts && r.Method == http.MethodPut || tt.completes && r.Method == http.MethodPost
				switch {
				case q.Has("uploads"):
					fmt.Fprintf(w, "<R><UploadId>%d</UploadId></R>", n)
					return
				case r.Header.Get("If-None-Match") != "" && known != "", match == noETag, match != "" && atomic && match != known:
					w.WriteHeader(http.StatusPreconditionFailed)
					return
				case q.Has("partNumber"):
					w.Header().Set("Etag", `"part"`)
					return
				case r.Method == http.MethodPut || r.Method == http.MethodPost:
					etags[r.URL.Path] = fmt.Sprintf("%q", fmt.Sprint("etag", n))
					w.Header().Set("Etag", etags[r.URL.Path])
				}
				if r.Method == http.MethodPost {
					fmt.Fprint(w, "<R></R>")
				}
			}))
			defer srv.Close()
			s, err := Open(Options{Endpoint: srv.URL, AccessKey: "a", SecretKey: "s", Records: noRecords{}})
			if err != nil {
				t.Fatal(err)
			}
			a, err := s.can(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if !a.conditions || a.matches != tt.puts || a.completes != tt.completes || a.deletes != tt.completes {
				t.Errorf("found %s", a)
			}
			match := &storage.Conditions{IfMatch: "x"}
			if err := a.allow(match, &storage.Meta{}); (err == nil) != tt.puts {
				t.Errorf("If-Match: %v", err)
			}
			if a.allowKey("a/", 1) == nil || a.allowKey("a/", -1) == nil || a.allowKey("a/", 0) != nil || a.allowKey("a", 1) != nil {
				t.Error("contents go to a folder, or folders are not made, or objects are refused")
			}
			if err := a.allow(&storage.Conditions{}, &storage.Meta{Attrs: []storage.Attr{{Name: "x-amz-meta-a"}}}); err == nil {
				t.Error("metadata without a value goes to an upstream that drops it")
			}
		})
	}
}

func TestStoredEncoding(t *testing.T) {
	for in, want := range map[string]string{"": "", "gzip": "gzip", "aws-chunked": "", "aws-chunked,gzip": "gzip", "gzip, aws-chunked": "gzip", "gzip,br": "gzip,br"} {
		if got := storedEncoding(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// TestPartsSentAgain lists a part beside the one that it replaced.
func TestPartsSentAgain(t *testing.T) {
	var d partsAnswer
	resp := &http.Response{StatusCode: http.StatusOK}
	text := `<R><Part><PartNumber>1</PartNumber><LastModified>2026-01-01T00:00:02Z</LastModified><ETag>"new"</ETag></Part>` +
		`<Part><PartNumber>1</PartNumber><LastModified>2026-01-01T00:00:01Z</LastModified><ETag>"old"</ETag></Part><Part><PartNumber>2</PartNumber><ETag>"two"</ETag></Part></R>`
	resp.Body = io.NopCloser(strings.NewReader(text))
	if err := decode(resp, &d); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range d.parts() {
		got = append(got, fmt.Sprint(p.Number, p.ETag))
	}
	if want := []string{"1new", "2two"}; !reflect.DeepEqual(got, want) {
		t.Errorf("parts %v, want %v", got, want)
	}
	have := map[int][]storage.Part{}
	for _, p := range d.every() {
		have[p.Number] = append(have[p.Number], p)
	}
	for etag, ok := range map[string]bool{"new": true, "old": true, "two": false} {
		if _, err := choose(&storage.CompleteInput{Parts: []storage.CompletePart{{Number: 1, ETag: etag}}}, have, true); (err == nil) != ok {
			t.Errorf("part 1 with the ETag %s: %v", etag, err)
		}
	}
	for listed, ok := range map[bool]bool{true: false, false: true} { // does the upstream list checksums?
		if _, err := choose(&storage.CompleteInput{Parts: []storage.CompletePart{{Number: 1, ETag: "new", Checksum: "AAAAAA=="}}}, have, listed); (err == nil) != ok {
			t.Errorf("part 1 with a checksum, listed %v: %v", listed, err)
		}
	}
}

func TestDigestible(t *testing.T) {
	in := []storage.Part{{Number: 1, ETag: "9dd4e461268c8034f5c8564e155c67a6"}, {Number: 2, ETag: "7a70d7745d37b63fd5d93ff88afb671e-2"}}
	out := digestible(in)
	if out[0] != in[0] || !isMD5(out[1].ETag) || out[1].Number != 2 || in[1].ETag != "7a70d7745d37b63fd5d93ff88afb671e-2" {
		t.Errorf("%v of %v", out, in)
	}
}

func TestUploadIDs(t *testing.T) {
	for _, alg := range []string{"", "CRC32C", "SHA256"} {
		for _, typ := range []string{"", "FULL_OBJECT", "COMPOSITE"} {
			for _, id := range []string{"abc_def", "a.b.c", "x.CRC32"} {
				if gotID, gotAlg, gotTyp := splitID(markID(id, alg, typ)); gotID != id || gotAlg != alg || alg != "" && gotTyp != typ {
					t.Errorf("%s of %s %s: %s of %s %s", id, alg, typ, gotID, gotAlg, gotTyp)
				}
			}
		}
	}
	for _, id := range []string{"", ".", "..", "a.NONE.COMPOSITE", "a.CRC32.PART", ".CRC32.COMPOSITE"} {
		if got := upstreamID(id); got != id {
			t.Errorf("%q is taken for %q", id, got)
		}
	}
}

// TestPartsBehind has an upstream whose pages begin with the part that was named, and one that never ends.
func TestPartsBehind(t *testing.T) {
	const parts = 2500
	stuck := false
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		first, _ := strconv.Atoi(q.Get("part-number-marker"))
		limit, _ := strconv.Atoi(q.Get("max-parts"))
		first = max(first, 1)
		if stuck {
			first = 1
		}
		last := min(first+limit-1, parts)
		fmt.Fprintf(w, "<R><IsTruncated>%v</IsTruncated>", last < parts)
		for n := first; n <= last; n++ {
			fmt.Fprintf(w, "<Part><PartNumber>%d</PartNumber><ETag>e</ETag></Part>", n)
		}
		fmt.Fprint(w, "</R>")
	}))
	defer srv.Close()
	s, err := Open(Options{Endpoint: srv.URL, AccessKey: "a", SecretKey: "s", Records: noRecords{}})
	if err != nil {
		t.Fatal(err)
	}
	id := storage.UploadRef{Bucket: "bucket", Key: "key", ID: "id"}
	_, all, err := s.allParts(t.Context(), &storage.Bucket{}, id)
	if err != nil || len(all) != parts {
		t.Errorf("%d parts, %v", len(all), err)
	}
	doc, err := s.listParts(t.Context(), id, 7, 1)
	if err != nil || len(doc.Parts) != 1 || doc.Parts[0].Number != 8 || !doc.Truncated {
		t.Errorf("behind 7: %+v, %v", doc, err)
	}
	doc, err = s.listParts(t.Context(), id, parts-1, 1)
	if err != nil || len(doc.Parts) != 1 || doc.Truncated {
		t.Errorf("the last: %+v, %v", doc, err)
	}
	stuck = true
	if _, all, err := s.allParts(t.Context(), &storage.Bucket{}, id); err == nil {
		t.Errorf("a list without an end has %d parts", len(all))
	}
}

// TestListsThatStandStill (S-254) has an upstream that gives the entry behind which it was to go on, again and again.
func TestListsThatStandStill(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch q := r.URL.Query(); {
		case q.Has("versions"):
			fmt.Fprint(w, "<R><IsTruncated>true</IsTruncated><NextKeyMarker>k</NextKeyMarker><NextVersionIdMarker>1</NextVersionIdMarker>"+
				"<Version><Key>k</Key><VersionId>1</VersionId></Version></R>")
		case q.Has("uploads"):
			fmt.Fprint(w, "<R><IsTruncated>true</IsTruncated><NextKeyMarker>k</NextKeyMarker><NextUploadIdMarker>1</NextUploadIdMarker>"+
				"<Upload><Key>k</Key><UploadId>1</UploadId></Upload></R>")
		default:
			fmt.Fprint(w, "<VersioningConfiguration/>")
		}
	}))
	defer srv.Close()
	s, err := Open(Options{Endpoint: srv.URL, AccessKey: "a", SecretKey: "s", Records: noRecords{}})
	if err != nil {
		t.Fatal(err)
	}
	in := storage.ListInput{Bucket: "bucket", After: "k", AfterID: "1", Limit: 1}
	if page, err := s.ListVersions(t.Context(), in); err == nil {
		t.Errorf("versions: %+v", page)
	}
	if page, err := s.ListUploads(t.Context(), in); err == nil {
		t.Errorf("uploads: %+v", page)
	}
}
