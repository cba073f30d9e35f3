package s3api

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/objsrv/objsrv/internal/events"
	"github.com/objsrv/objsrv/internal/lifecycle"
	"github.com/objsrv/objsrv/internal/live"
	"github.com/objsrv/objsrv/storage"
)

// ruled counts how often it was told of changed rules.
type ruled struct{ changed int }

// Changed implements Lifecycle.
func (r *ruled) Changed() { r.changed++ }

func lifecycleDoc(rules ...string) string {
	return `<LifecycleConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">` + strings.Join(rules, "") + `</LifecycleConfiguration>`
}

const (
	enabled  = `<Status>Enabled</Status>`
	anyKey   = `<Filter/>`
	oneDay   = `<Expiration><Days>1</Days></Expiration>`
	twoTags  = `<Tag><Key>a</Key><Value>1</Value></Tag><Tag><Key>b</Key><Value>2</Value></Tag>`
	inFilter = `<Filter><And>` + twoTags + `</And></Filter>`
)

func rule(parts ...string) string { return `<Rule>` + strings.Join(parts, "") + `</Rule>` }

func TestLifecycleDocuments(t *testing.T) {
	e := newEnv(t)
	r := &ruled{}
	e.s.Lifecycle = r
	e.refused(404, "NoSuchLifecycleConfiguration", "GET", "/bkt?lifecycle", "")
	e.must(204, "DELETE", "/bkt?lifecycle", "")
	doc := lifecycleDoc(rule(`<ID>one &amp; two</ID><Prefix> logs/</Prefix>`, enabled, oneDay),
		rule(`<ID>x</ID><Filter><And><Prefix></Prefix><Tag><Key>a</Key><Value></Value></Tag><ObjectSizeGreaterThan>0</ObjectSizeGreaterThan></And></Filter><Status>Disabled</Status>`+
			`<Expiration><Date>2031-02-03</Date></Expiration><NoncurrentVersionExpiration><NoncurrentDays>2</NoncurrentDays><NewerNoncurrentVersions>3</NewerNoncurrentVersions></NoncurrentVersionExpiration>`))
	a := e.must(200, "PUT", "/bkt?lifecycle", doc)
	if r.changed != 1 || a.body != "" {
		t.Errorf("%d %q", r.changed, a.body)
	}
	got := e.must(200, "GET", "/bkt?lifecycle", "")
	e.wantHeader(got, "x-amz-transition-default-minimum-object-size", "all_storage_classes_128K")
	want := `<?xml version="1.0" encoding="UTF-8"?>` + "\n" + lifecycleDoc(
		`<Rule><ID>one &amp; two</ID><Prefix> logs/</Prefix><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule>`,
		`<Rule><ID>x</ID><Filter><And><Prefix></Prefix><Tag><Key>a</Key><Value></Value></Tag><ObjectSizeGreaterThan>0</ObjectSizeGreaterThan></And></Filter><Status>Disabled</Status>`+
			`<Expiration><Date>2031-02-03T00:00:00.000Z</Date></Expiration><NoncurrentVersionExpiration><NoncurrentDays>2</NoncurrentDays><NewerNoncurrentVersions>3</NewerNoncurrentVersions></NoncurrentVersionExpiration></Rule>`)
	e.wantHeader(got, "x-minio-lifecycleconfig-updatedat", "")
	e.wantHeader(e.must(200, "GET", "/bkt?lifecycle&withUpdatedAt=true", ""), "x-minio-lifecycleconfig-updatedat", "20300102T030405Z")
	if got.body != want {
		t.Errorf("got  %s\nwant %s", got.body, want)
	}
	e.must(200, "PUT", "/bkt?lifecycle", got.body, "x-amz-transition-default-minimum-object-size: varies_by_storage_class")
	again := e.must(200, "GET", "/bkt?lifecycle", "")
	e.wantHeader(again, "x-amz-transition-default-minimum-object-size", "varies_by_storage_class")
	if again.body != got.body {
		t.Errorf("what was answered can't be put again: %s", again.body)
	}
	e.refused(400, "InvalidArgument", "PUT", "/bkt?lifecycle", doc, "x-amz-transition-default-minimum-object-size: 5")
	e.must(204, "DELETE", "/bkt?lifecycle", "")
	e.refused(404, "NoSuchLifecycleConfiguration", "GET", "/bkt?lifecycle", "")
	if b, _ := e.s.Backend.Bucket(context.Background(), "bkt"); len(b.Docs) != 0 {
		t.Errorf("documents left: %v", b.Docs)
	}
	// Rules without an ID get one.
	e.must(200, "PUT", "/bkt?lifecycle", lifecycleDoc(rule(anyKey, enabled, oneDay), rule(anyKey, enabled, oneDay)))
	if id := e.must(200, "GET", "/bkt?lifecycle", "").element("ID"); len(id) < 10 {
		t.Errorf("id %q", id)
	}
	e.s.Lifecycle = nil
	e.refused(501, "NotImplemented", "PUT", "/bkt?lifecycle", doc)
}

// TestLifecycleRefused has what AWS refuses, with its codes; S-240 is in it.
func TestLifecycleRefused(t *testing.T) {
	e := newEnv(t)
	e.s.Lifecycle = &ruled{}
	many := make([]string, 1001)
	for i := range many {
		many[i] = rule(fmt.Sprintf("<ID>%d</ID>", i), anyKey, enabled, oneDay)
	}
	for _, row := range []struct {
		name, code string
		doc        string
	}{
		{"no rules", "MalformedXML", lifecycleDoc()},
		{"S-240: 1001 rules", "MalformedXML", lifecycleDoc(many...)},
		{"another root", "MalformedXML", `<Lifecycle>` + rule(anyKey, enabled, oneDay) + `</Lifecycle>`},
		{"no XML", "MalformedXML", `{}`},
		{"long id", "InvalidArgument", lifecycleDoc(rule(`<ID>`+strings.Repeat("a", 256)+`</ID>`, anyKey, enabled, oneDay))},
		{"ids twice", "InvalidArgument", lifecycleDoc(rule(`<ID>a</ID>`, anyKey, enabled, oneDay), rule(`<ID>a</ID>`, anyKey, enabled, oneDay))},
		{"no status", "MalformedXML", lifecycleDoc(rule(anyKey, oneDay))},
		{"status in small letters", "MalformedXML", lifecycleDoc(rule(anyKey, `<Status>enabled</Status>`, oneDay))},
		{"neither prefix nor filter", "MalformedXML", lifecycleDoc(rule(enabled, oneDay))},
		{"prefix and filter", "MalformedXML", lifecycleDoc(rule(`<Prefix/>`, anyKey, enabled, oneDay))},
		{"two in a filter", "MalformedXML", lifecycleDoc(rule(`<Filter><Prefix>a</Prefix><ObjectSizeLessThan>5</ObjectSizeLessThan></Filter>`, enabled, oneDay))},
		{"two tags without And", "MalformedXML", lifecycleDoc(rule(`<Filter>`+twoTags+`</Filter>`, enabled, oneDay))},
		{"And of one", "MalformedXML", lifecycleDoc(rule(`<Filter><And><Prefix>a</Prefix></And></Filter>`, enabled, oneDay))},
		{"a tag twice", "InvalidTag", lifecycleDoc(rule(`<Filter><And>`+strings.Replace(twoTags, "b", "a", 1)+`</And></Filter>`, enabled, oneDay))},
		{"sizes that exclude each other", "InvalidRequest", lifecycleDoc(rule(`<Filter><And><ObjectSizeGreaterThan>5</ObjectSizeGreaterThan><ObjectSizeLessThan>5</ObjectSizeLessThan></And></Filter>`, enabled, oneDay))},
		{"a long prefix", "InvalidRequest", lifecycleDoc(rule(`<Prefix>`+strings.Repeat("a", 1025)+`</Prefix>`, enabled, oneDay))},
		{"no action", "InvalidRequest", lifecycleDoc(rule(anyKey, enabled))},
		{"an empty expiration", "MalformedXML", lifecycleDoc(rule(anyKey, enabled, `<Expiration/>`))},
		{"zero days", "InvalidArgument", lifecycleDoc(rule(anyKey, enabled, `<Expiration><Days>0</Days></Expiration>`))},
		{"negative days", "InvalidArgument", lifecycleDoc(rule(anyKey, enabled, `<Expiration><Days>-1</Days></Expiration>`))},
		{"days that overflow", "InvalidArgument", lifecycleDoc(rule(anyKey, enabled, `<Expiration><Days>2147483648</Days></Expiration>`))},
		{"days and date", "MalformedXML", lifecycleDoc(rule(anyKey, enabled, `<Expiration><Days>1</Days><Date>2031-01-01T00:00:00Z</Date></Expiration>`))},
		{"days and markers", "MalformedXML", lifecycleDoc(rule(anyKey, enabled, `<Expiration><Days>1</Days><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>`))},
		{"markers by tag", "InvalidRequest", lifecycleDoc(rule(inFilter, enabled, `<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>`))},
		{"a date at noon", "InvalidArgument", lifecycleDoc(rule(anyKey, enabled, `<Expiration><Date>2031-01-01T12:00:00Z</Date></Expiration>`))},
		{"a date before all", "InvalidArgument", lifecycleDoc(rule(anyKey, enabled, `<Expiration><Date>0001-01-01T00:00:00Z</Date></Expiration>`))},
		{"midnight elsewhere", "InvalidArgument", lifecycleDoc(rule(anyKey, enabled, `<Expiration><Date>2031-01-01T00:00:00+02:00</Date></Expiration>`))},
		{"no date", "MalformedXML", lifecycleDoc(rule(anyKey, enabled, `<Expiration><Date>20310101</Date></Expiration>`))},
		{"noncurrent without days", "MalformedXML", lifecycleDoc(rule(anyKey, enabled, `<NoncurrentVersionExpiration/>`))},
		{"noncurrent zero", "InvalidArgument", lifecycleDoc(rule(anyKey, enabled, `<NoncurrentVersionExpiration><NoncurrentDays>0</NoncurrentDays></NoncurrentVersionExpiration>`))},
		{"newer zero", "InvalidArgument", lifecycleDoc(rule(anyKey, enabled, `<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays><NewerNoncurrentVersions>0</NewerNoncurrentVersions></NoncurrentVersionExpiration>`))},
		{"abort without days", "MalformedXML", lifecycleDoc(rule(anyKey, enabled, `<AbortIncompleteMultipartUpload/>`))},
		{"abort by tag", "InvalidRequest", lifecycleDoc(rule(inFilter, enabled, `<AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation></AbortIncompleteMultipartUpload>`))},
		{"all versions on a date", "MalformedXML", lifecycleDoc(rule(anyKey, enabled, `<Expiration><Date>2031-01-01T00:00:00Z</Date><ExpiredObjectAllVersions>true</ExpiredObjectAllVersions></Expiration>`))},
		{"markers and all below by size", "InvalidRequest", lifecycleDoc(rule(`<Filter><ObjectSizeLessThan>5</ObjectSizeLessThan></Filter>`, enabled, `<DelMarkerExpiration><Days>1</Days></DelMarkerExpiration>`))},
		{"an element that is not known", "MalformedXML", lifecycleDoc(rule(anyKey, enabled, oneDay, `<Compression><Days>1</Days></Compression>`))},
		{"one in a filter", "MalformedXML", lifecycleDoc(rule(`<Filter><Owner>a</Owner></Filter>`, enabled, oneDay))},
		{"a transition on no date", "MalformedXML", lifecycleDoc(rule(anyKey, enabled, `<Transition><Date>20310101</Date><StorageClass>GLACIER</StorageClass></Transition>`))},
	} {
		if a := e.do("PUT", "/bkt?lifecycle", row.doc); a.status != 400 || a.code() != row.code {
			t.Errorf("%s: %d %s, want %s: %s", row.name, a.status, a.code(), row.code, a.body)
		}
	}
	for _, action := range []string{`<Transition><Days>1</Days><StorageClass>GLACIER</StorageClass></Transition>`,
		`<NoncurrentVersionTransition><NoncurrentDays>1</NoncurrentDays><StorageClass>X</StorageClass></NoncurrentVersionTransition>`} {
		a := e.refused(501, "NotImplemented", "PUT", "/bkt?lifecycle", lifecycleDoc(rule(anyKey, enabled, oneDay, action)))
		if !strings.Contains(a.body, "Transition is not implemented: this server keeps") {
			t.Errorf("the reason is missing: %s", a.body)
		}
	}
	e.refused(404, "NoSuchLifecycleConfiguration", "GET", "/bkt?lifecycle", "")
	e.refused(404, "NoSuchBucket", "PUT", "/none?lifecycle", lifecycleDoc(rule(anyKey, enabled, oneDay)))
	e.must(200, "PUT", "/bkt?lifecycle", lifecycleDoc(many[:1000]...))
}

func TestExpirationHeaders(t *testing.T) {
	e := newEnv(t) // at 2030-01-02 03:04:05
	e.s.Lifecycle = &ruled{}
	e.bucket("ver", storage.VersioningEnabled)
	tagged := `<Rule><ID>by "tag"</ID><Filter><Tag><Key>a</Key><Value>1</Value></Tag></Filter><Status>Enabled</Status><Expiration><Date>2030-05-01</Date></Expiration></Rule>`
	abort := `<Rule><ID>abort</ID><Prefix>logs/</Prefix><Status>Enabled</Status><AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule>`
	for _, b := range []string{"bkt", "ver"} {
		e.must(200, "PUT", "/"+b+"?lifecycle", lifecycleDoc(rule(`<ID>ten</ID><Prefix>logs/</Prefix>`, enabled, `<Expiration><Days>10</Days></Expiration>`), tagged, abort))
	}
	const ten = `expiry-date="Sun, 13 Jan 2030 00:00:00 GMT", rule-id="ten"`
	const byTag = `expiry-date="Wed, 01 May 2030 00:00:00 GMT", rule-id="by%20%22tag%22"`
	e.wantHeader(e.must(200, "PUT", "/bkt/logs/a", "x"), "x-amz-expiration", ten)
	e.wantHeader(e.must(200, "GET", "/bkt/logs/a", ""), "x-amz-expiration", ten)
	e.wantHeader(e.must(200, "HEAD", "/bkt/logs/a", ""), "x-amz-expiration", ten)
	e.wantHeader(e.must(200, "PUT", "/bkt/b", "x"), "x-amz-expiration", "")
	e.wantHeader(e.must(200, "PUT", "/bkt/b", "x", "x-amz-tagging: a=1"), "x-amz-expiration", byTag)
	e.wantHeader(e.must(200, "GET", "/bkt/b", ""), "x-amz-expiration", byTag)
	e.wantHeader(e.must(200, "PUT", "/bkt/logs/c", "", "x-amz-copy-source: /bkt/b"), "x-amz-expiration", ten)

	first := e.must(200, "PUT", "/ver/logs/a", "x").Get("x-amz-version-id")
	e.wantHeader(e.must(200, "GET", "/ver/logs/a?versionId="+first, ""), "x-amz-expiration", ten)
	e.must(200, "PUT", "/ver/logs/a", "y")
	e.wantHeader(e.must(200, "GET", "/ver/logs/a?versionId="+first, ""), "x-amz-expiration", "")

	a := e.must(200, "POST", "/bkt/logs/up?uploads", "")
	e.wantHeader(a, "x-amz-abort-date", "Thu, 10 Jan 2030 00:00:00 GMT")
	e.wantHeader(a, "x-amz-abort-rule-id", "abort")
	a = e.must(200, "GET", "/bkt/logs/up?uploadId="+a.element("UploadId"), "")
	e.wantHeader(a, "x-amz-abort-date", "Thu, 10 Jan 2030 00:00:00 GMT")
	e.wantHeader(e.must(200, "POST", "/bkt/up?uploads", ""), "x-amz-abort-date", "")
}

// eventList keeps the events that it is told of.
type eventList struct {
	mu   sync.Mutex
	list []string
}

func (l *eventList) Active() bool { return true }

func (l *eventList) Publish(e events.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, string(e.Name)+" "+e.Bucket+"/"+e.Key)
}

func (l *eventList) Watch(string, func(*events.Event) bool) (*live.Watcher[events.Event], error) {
	return nil, live.ErrTooMany
}

func (l *eventList) take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.list
}

// TestLifecycleAtWork puts the rules, the store and the runner together; listeners and targets learn of what goes.
func TestLifecycleAtWork(t *testing.T) {
	e := newEnv(t)
	feed := &eventList{}
	e.s.Events = feed
	r, err := lifecycle.New(lifecycle.Config{Backend: e.s.Backend, Rules: e.s.LifecycleRules, Locked: Locked, Announce: e.s.AnnounceLifecycle,
		Report: func(err error) { t.Error(err) }, Now: func() time.Time { return e.now.Add(3 * 24 * time.Hour) }})
	if err != nil {
		t.Fatal(err)
	}
	e.s.Lifecycle = r
	e.bucket("ver", storage.VersioningEnabled)
	e.must(200, "PUT", "/bkt/a", "x")
	e.must(200, "PUT", "/ver/a", "x")
	h, sinks := e.targets(t)
	for _, b := range []string{"bkt", "ver"} {
		e.must(200, "PUT", "/"+b+"?notification", notificationXML(queueXML(fakeARN, "", "s3:LifecycleExpiration:*", "s3:ObjectRemoved:*")))
	}
	r.Start()
	defer r.Close()
	for _, b := range []string{"bkt", "ver"} {
		e.must(200, "PUT", "/"+b+"?lifecycle", lifecycleDoc(rule(anyKey, enabled, oneDay)))
	}
	deadline := time.Now().Add(time.Minute)
	for e.do("HEAD", "/bkt/a", "").status != 404 || e.do("HEAD", "/ver/a", "").status != 404 {
		if time.Now().After(deadline) {
			t.Fatal("nothing has expired")
		}
		time.Sleep(10 * time.Millisecond)
	}
	r.Close()
	got := feed.take()
	want := []string{"s3:LifecycleExpiration:Delete bkt/a", "s3:ObjectRemoved:Delete bkt/a",
		"s3:LifecycleExpiration:DeleteMarkerCreated ver/a", "s3:ObjectRemoved:DeleteMarkerCreated ver/a"}
	for _, w := range want {
		if !strings.Contains(strings.Join(got, "\n"), w) {
			t.Errorf("%q is missing in %q", w, got)
		}
		if at := slices.Index(sinks[0].wait(t, len(want)), w+" 0"); at < 0 {
			t.Errorf("the target was not told of %q", w)
		}
	}
	if s := h.Status()[0]; s.Expected != 0 || s.Sent != int64(len(want)) {
		t.Errorf("%+v", s)
	}
	if a := e.must(200, "GET", "/ver?versions", ""); strings.Count(a.body, "<Version>") != 1 || strings.Count(a.body, "<DeleteMarker>") != 1 {
		t.Error(a.body)
	}
}

// FuzzLifecycle has every configuration that is accepted be answered as one that means the same.
func FuzzLifecycle(f *testing.F) {
	f.Add(lifecycleDoc(rule(`<ID>a</ID>`, inFilter, enabled, oneDay)))
	f.Add(lifecycleDoc(rule(`<Prefix>&lt;</Prefix>`, enabled, `<Expiration><Date>2031-01-01T02:00:00+02:00</Date></Expiration>`)))
	f.Add(lifecycleDoc(rule(anyKey, enabled, `<Expiration><Days>1</Days><ExpiredObjectAllVersions>true</ExpiredObjectAllVersions></Expiration><DelMarkerExpiration><Days>2</Days></DelMarkerExpiration>`)))
	f.Add(lifecycleDoc(rule(anyKey, enabled, `<AllVersionsExpiration><Days>1</Days><DeleteMarker>true</DeleteMarker></AllVersionsExpiration><AbortIncompleteMultipartUpload><DaysAfterInitiation>2</DaysAfterInitiation></AbortIncompleteMultipartUpload>`)))
	f.Fuzz(func(t *testing.T, doc string) {
		id := func() string { return "made" }
		conf, rules, err := parseLifecycle([]byte(doc), id)
		if err != nil {
			return
		}
		written := conf.write()
		_, again, err := parseLifecycle(written, id)
		if err != nil {
			t.Fatalf("%s: %v", written, err)
		}
		if !reflect.DeepEqual(rules, again) {
			t.Fatalf("%+v became %+v by %s", rules, again, written)
		}
	})
}
