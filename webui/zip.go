package webui

import (
	"archive/zip"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// zipRequest is the body of POST zip: what an archive is to have. Names in it are those behind Base.
type zipRequest struct {
	Bucket   string   `json:"bucket"`
	Base     string   `json:"base"`     // begins all keys and prefixes, and is left out of the names
	Keys     []string `json:"keys"`     // objects
	Prefixes []string `json:"prefixes"` // all objects whose keys begin so
}

// Limits of archives.
const (
	zipLife     = time.Minute // until the download has to begin
	zipsOfOne   = 10          // of one user, that wait for it
	zipsWaiting = 1000
	maxNames    = 64 << 20 // bytes of the names of all that wait
	maxEntries  = 100_000
)

// zips are archives that wait for their download.
type zips struct {
	mu   sync.Mutex
	list []waitingZip // oldest first
}

type waitingZip struct {
	zipRequest
	id, owner string
	until     time.Time
}

// size is about what an archive's names take.
func (w *waitingZip) size() (n int) {
	for _, list := range [][]string{w.Keys, w.Prefixes} {
		for _, name := range list {
			n += len(name) + 16
		}
	}
	return n
}

// add keeps an archive, in the place of the oldest ones when there are too many, or too long ones.
func (z *zips) add(w waitingZip, now time.Time) {
	z.mu.Lock()
	defer z.mu.Unlock()
	own, all, size := 1, 1, w.size()
	kept := []waitingZip{}
	for _, old := range slices.Backward(z.list) {
		if old.owner == w.owner {
			own++
		}
		all, size = all+1, size+old.size()
		if now.After(old.until) || own > zipsOfOne && old.owner == w.owner || all > zipsWaiting || size > maxNames {
			continue
		}
		kept = append(kept, old)
	}
	slices.Reverse(kept)
	z.list = append(kept, w)
}

// take gives an archive out, once, to who has asked for it.
func (z *zips) take(id, owner string, now time.Time) (zipRequest, bool) {
	z.mu.Lock()
	defer z.mu.Unlock()
	for i, w := range z.list {
		if w.id == id && w.owner == owner {
			z.list = append(z.list[:i], z.list[i+1:]...)
			return w.zipRequest, !now.After(w.until)
		}
	}
	return zipRequest{}, false
}

// newZip keeps what an archive is to have and tells where it is downloaded. A download begins with a GET, which
// has no room for ten thousand keys.
func (v *visit) newZip() error {
	s, err := v.identify()
	if err != nil {
		return err
	}
	w := waitingZip{id: random(18), owner: s.cred.Identity.ID, until: v.Now().Add(zipLife)}
	if err := v.read(&w.zipRequest); err != nil {
		return err
	}
	if w.Bucket == "" || strings.Contains(w.Bucket, "/") || len(w.Keys)+len(w.Prefixes) == 0 {
		return badRequest("A bucket and keys or prefixes are needed.")
	}
	for _, name := range append(append([]string{}, w.Keys...), w.Prefixes...) {
		if !strings.HasPrefix(name, w.Base) {
			return badRequest("All keys and prefixes begin with base.")
		}
	}
	v.waiting.add(w, v.Now())
	return v.reply(http.StatusOK, map[string]string{"url": "./zip/" + w.id})
}

// zip streams an archive. Each object is read as the session, by S3; what it may not read, or what has gone, is
// told in a file of the archive. One that breaks off cuts the connection, so that nobody takes a part for the whole.
func (v *visit) zip() error {
	s, err := v.identify()
	if err != nil {
		return err
	}
	if v.r.Method != http.MethodGet {
		return errNothing
	}
	in, ok := v.waiting.take(strings.TrimPrefix(v.rest, "zip/"), s.cred.Identity.ID, v.Now())
	if !ok {
		return &refusal{http.StatusNotFound, "NoSuchArchive", "The download was begun already, or it was too late. Choose the objects again."}
	}
	name := in.Bucket
	if last := path.Base(strings.TrimSuffix(in.Base, "/")); in.Base != "" && last != "/" && last != "." {
		name = last
	}
	h := v.w.Header()
	h.Set("Content-Type", "application/zip")
	h.Set("Content-Security-Policy", storedPolicy)
	h.Set("Content-Disposition", "attachment")
	if value := mime.FormatMediaType("attachment", map[string]string{"filename": safeElement(name) + ".zip"}); value != "" {
		h.Set("Content-Disposition", value)
	}
	v.ev.Status, v.ev.Bucket = http.StatusOK, in.Bucket
	a := &archive{v: v, s: s, in: &in, w: zip.NewWriter(v.w), names: map[string]int{}}
	if err := a.write(); err != nil {
		v.ev.Err = err
		panic(http.ErrAbortHandler)
	}
	return nil
}

// archive is one on its way.
type archive struct {
	v       *visit
	s       *session
	in      *zipRequest
	w       *zip.Writer
	names   map[string]int
	entries int
	missing []string // why what is not there
}

var errEnough = errors.New("the archive has as many files as it may")

func (a *archive) write() error {
	err := a.all()
	if errors.Is(err, errEnough) {
		a.miss(fmt.Sprintf("everything behind the first %d objects", maxEntries), "an archive has no more")
	} else if err != nil {
		return err
	}
	if len(a.missing) > 0 {
		w, err := a.w.CreateHeader(&zip.FileHeader{Name: a.unique("NOT IN THIS ARCHIVE.txt"), Method: zip.Deflate, Modified: a.v.Now()})
		if err != nil {
			return err
		}
		if _, err := io.WriteString(w, strings.Join(a.missing, "\r\n")+"\r\n"); err != nil {
			return err
		}
	}
	return a.w.Close()
}

func (a *archive) all() error {
	for _, key := range a.in.Keys {
		if err := a.object(key, time.Time{}); err != nil {
			return err
		}
	}
	for _, prefix := range a.in.Prefixes {
		if err := a.prefix(prefix); err != nil {
			return err
		}
	}
	return nil
}

// listPage is a page of ListObjectsV2.
type listPage struct {
	XMLName  xml.Name `xml:"ListBucketResult"`
	Next     string   `xml:"NextContinuationToken"`
	Contents []struct {
		Key          string
		LastModified time.Time
	}
}

// prefix writes all objects whose keys begin with it.
func (a *archive) prefix(prefix string) error {
	q := url.Values{"list-type": {"2"}, "prefix": {prefix}, "encoding-type": {"url"}}
	for {
		got := newAnswer()
		a.v.ask(a.s, a.v.S3, got, http.MethodGet, "/"+a.in.Bucket, q, nil)
		if got.status != http.StatusOK {
			a.miss(prefix, reason(got))
			return nil
		}
		var page listPage
		if err := xml.Unmarshal(got.body.Bytes(), &page); err != nil {
			return fmt.Errorf("read a list of objects: %w", err)
		}
		for _, o := range page.Contents {
			key, err := url.QueryUnescape(o.Key)
			if err != nil {
				return fmt.Errorf("read a list of objects: %w", err)
			}
			if err := a.object(key, o.LastModified); err != nil {
				return err
			}
		}
		if page.Next == "" {
			return nil
		}
		q.Set("continuation-token", page.Next)
	}
}

// object writes one object. What S3 refuses is noted.
func (a *archive) object(key string, modified time.Time) error {
	if err := a.v.r.Context().Err(); err != nil {
		return err
	}
	if a.entries++; a.entries > maxEntries {
		return errEnough
	}
	e := &entry{answer: newAnswer(), a: a, key: key, modified: modified}
	a.v.ask(a.s, a.v.S3, e, http.MethodGet, "/"+a.in.Bucket+"/"+key, nil, nil)
	switch {
	case e.status != http.StatusOK:
		a.miss(key, reason(e.answer))
		return nil
	case e.to == nil && e.err == nil:
		e.err = e.begin() // an empty object
	}
	return e.err
}

// miss notes what the archive lacks.
func (a *archive) miss(what, why string) {
	a.missing = append(a.missing, label(what, 1024)+": "+why)
}

// reason is the code of an error document.
func reason(a *answer) string {
	var doc struct{ Code string }
	if xml.Unmarshal(a.body.Bytes(), &doc) == nil && doc.Code != "" {
		return doc.Code
	}
	return http.StatusText(a.status)
}

// entry is a file of an archive that S3 writes to.
type entry struct {
	*answer
	a        *archive
	key      string
	modified time.Time
	to       io.Writer // nil until it has begun
	err      error
}

// begin writes the file's header.
func (e *entry) begin() (err error) {
	if t, terr := http.ParseTime(e.header.Get("Last-Modified")); terr == nil {
		e.modified = t
	}
	h := &zip.FileHeader{Name: e.a.unique(safeName(strings.TrimPrefix(e.key, e.a.in.Base))), Method: zip.Store, Modified: e.modified}
	e.to, err = e.a.w.CreateHeader(h)
	return err
}

// Write implements io.Writer.
func (e *entry) Write(p []byte) (int, error) {
	e.WriteHeader(http.StatusOK)
	if e.status != http.StatusOK {
		return e.answer.Write(p)
	}
	if e.to == nil && e.err == nil {
		e.err = e.begin()
	}
	if e.err != nil {
		return 0, e.err
	}
	n, err := e.to.Write(p)
	e.err = err
	return n, err
}
