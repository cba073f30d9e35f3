package s3api

import (
	"crypto/md5"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/objsrv/objsrv/internal/archive"
	"github.com/objsrv/objsrv/internal/events"
	"github.com/objsrv/objsrv/sigv4"
	"github.com/objsrv/objsrv/storage"
)

// MinIO's header that has a read look into a zip archive, and where the archive's key ends in the one that is asked for.
const (
	lookIntoHeader = "X-Minio-Extract"
	archiveEnd     = ".zip/"
)

// lookingAtOnce is how many directories of archives are held at a time, each of some 30 MB at most.
const lookingAtOnce = 4

// zipLimits bound a file of an archive, and how many there may be.
var zipLimits = archive.Limits{Entries: 200_000, Size: maxPut, Ratio: 200, Free: 64 << 20}

func (c *call) asksToLookInto() bool {
	v := c.r.Header[lookIntoHeader]
	return len(v) > 0 && strings.EqualFold(v[0], "true")
}

// cutArchive splits the key of a file in an archive.
func cutArchive(key string) (zip, inner string, ok bool) {
	zip, inner, ok = strings.Cut(key, archiveEnd)
	return zip + strings.TrimSuffix(archiveEnd, "/"), inner, ok
}

// lookInto has GetObject and HeadObject of a file in an archive be about the archive from here on, rights included. The
// header changes what is meant, and so must be signed as others of the kind.
func (c *call) lookInto(o *op) error {
	if o.level != objectLevel || !c.asksToLookInto() || o.name != "GetObject" && o.name != "HeadObject" {
		return nil
	}
	zip, inner, ok := cutArchive(c.key)
	if !ok || inner == "" {
		return nil
	}
	if err := c.lookIsSigned(); err != nil {
		return err
	}
	c.key, c.inner = zip, inner
	return nil
}

func (c *call) lookIsSigned() error {
	if c.auth.Mode == sigv4.Anonymous || c.auth.Signs(strings.ToLower(lookIntoHeader)) {
		return nil
	}
	return errorf("AccessDenied", "There were headers present in the request which were not signed").with("HeadersNotSigned", strings.ToLower(lookIntoHeader))
}

// openArchive opens the archive that a version of an object is, and has find take what the request needs of its directory.
// Directories may be large: few are held at a time, and each only until find returns.
func (c *call) openArchive(b *storage.Bucket, ref storage.Ref, find func(*storage.Object, *archive.Zip) error) (*storage.Object, *archive.Zip, io.Closer, error) {
	o, content, err := c.s.Backend.GetObject(c.ctx, ref)
	if err != nil {
		return nil, nil, nil, c.missing(b, ref, err)
	}
	err = c.recheck(b, o)
	if err == nil {
		c.sealed, err = c.mayOpen(ref, o, &customerHeader)
	}
	if err == nil && c.sealed.sealing != nil {
		content, err = c.open(&c.sealed, ref, o, content)
	}
	if err != nil {
		if content != nil {
			content.Close()
		}
		return nil, nil, nil, err
	}
	select {
	case c.s.looking <- struct{}{}:
		defer func() { <-c.s.looking }()
	case <-c.ctx.Done():
		content.Close()
		return nil, nil, nil, c.ctx.Err()
	}
	z, err := archive.OpenZip(content, o.Size, zipLimits)
	if err == nil {
		err = find(o, z)
		z.Forget()
	}
	if err != nil {
		content.Close()
		return nil, nil, nil, c.zipError(err)
	}
	return o, z, content, nil
}

// zipError gives what is wrong with an archive, which is the client's, its code.
func (c *call) zipError(err error) error {
	switch {
	case errors.Is(err, archive.ErrNoEntry):
		return errorf("NoSuchKey", "The specified key does not exist.").with("Key", c.key+"/"+c.inner)
	case errors.Is(err, archive.ErrMethod):
		return errorf("NotImplemented", "The file in the archive has a compression or encryption that is not implemented. Those that are: none, and deflate.")
	case errors.Is(err, archive.ErrLimit):
		return errorf("InvalidRequest", "The archive is not looked into: %v.", err)
	case errors.Is(err, archive.ErrFormat):
		return errorf("InvalidRequest", "The object is no zip archive that can be read.")
	}
	return err
}

// readInner answers GetObject and HeadObject of a file in an archive.
func (c *call) readInner() error {
	b, ref, err := c.objectRef()
	if err != nil {
		return err
	}
	if err := refuseSealing(c.r.Header); err != nil {
		return err
	}
	var f *archive.File
	o, z, content, err := c.openArchive(b, ref, func(_ *storage.Object, z *archive.Zip) (err error) {
		f, err = z.File(c.inner)
		return err
	})
	if err != nil {
		return err
	}
	defer content.Close()
	inner := innerObject(o, f)
	s, done, err := c.describeInner(b, inner)
	if done || err != nil {
		return err
	}
	name := events.AccessedGet
	if c.r.Method == http.MethodHead {
		name = events.AccessedHead
	}
	c.happened(name, b, inner)
	if c.r.Method == http.MethodHead {
		c.ev.Status = statusOfRead(s)
		c.w.WriteHeader(c.ev.Status)
		return nil
	}
	return c.sendInner(z, f, s)
}

// innerObject describes a file of an archive. Its ETag changes with the archive and with the file, and has a form that
// nobody takes for an MD5.
func innerObject(o *storage.Object, f *archive.File) *storage.Object {
	sum := md5.Sum([]byte(o.ETag + "/" + f.Name + "/" + strconv.FormatUint(uint64(f.CRC), 16) + "/" + strconv.FormatInt(f.Size, 10)))
	return &storage.Object{Key: o.Key + "/" + f.Name, VersionID: o.VersionID, Latest: o.Latest, Size: f.Size, ETag: hex.EncodeToString(sum[:]) + "-1",
		Modified: o.Modified, Owner: o.Owner, Class: o.Class}
}

// describeInner is describe for a file of an archive. Of the archive's headers it has those that tell versions apart.
func (c *call) describeInner(b *storage.Bucket, o *storage.Object) (s span, done bool, err error) {
	h := newHeaders(c.w.Header(), 12)
	s, overrides, done, err := c.represent(&h, b, o)
	if done || err != nil {
		return s, true, err
	}
	h.sealing(c, c.sealed.sealing)
	c.override(&h, overrides)
	return s, false, nil
}

// sendInner writes the answer. Headers go out with the first bytes, so that what can't be read is still an error.
func (c *call) sendInner(z *archive.Zip, f *archive.File, s span) error {
	out := &answer{c: c, status: statusOfRead(s)}
	r, err := z.Range(f, s.off, s.n)
	var n int64
	if err == nil {
		n, err = c.copyContent(out, r)
	}
	if err == nil && n != s.n {
		err = io.ErrUnexpectedEOF
	}
	if err == nil && s.n == 0 {
		out.start()
	}
	if err != nil && !out.started {
		c.forgetHeaders()
		return c.zipError(err)
	}
	return sent(err)
}

// listOrLookInto lists objects, or the files of an archive when the prefix leads into one and the request asks for that.
// Who looks into an archive needs the right to read it as well. metadata tells whether objects are to be listed with theirs.
func (c *call) listOrLookInto(in storage.ListInput) (page *storage.ListPage, metadata bool, err error) {
	zip, inner, ok := cutArchive(in.Prefix)
	if !ok || !c.asksToLookInto() {
		page, err = c.s.Backend.ListObjects(c.ctx, in)
		return page, c.wantsMetadata(), err
	}
	if err := c.lookIsSigned(); err != nil {
		return nil, false, err
	}
	ref := storage.Ref{Bucket: c.bucket, Key: zip}
	c.judged, c.tagged = nil, nil // the list's own decision was about the bucket
	if err := c.authorizeRef("s3:GetObject", c.b, ref); err != nil {
		return nil, false, err
	}
	_, _, content, err := c.openArchive(c.b, ref, func(o *storage.Object, z *archive.Zip) error {
		page = pageOf(o, filesOf(z, inner), in)
		return nil
	})
	if err != nil {
		return nil, false, err
	}
	content.Close()
	return page, false, nil
}

// filesOf lists the files of an archive whose names begin with a prefix, in order, of several of one name the last.
func filesOf(z *archive.Zip, prefix string) []archive.File {
	list := z.Files(prefix)
	slices.SortStableFunc(list, func(a, b archive.File) int { return strings.Compare(a.Name, b.Name) })
	slices.Reverse(list) // so that of several of one name the last stays
	list = slices.CompactFunc(list, func(a, b archive.File) bool { return a.Name == b.Name })
	slices.Reverse(list)
	return list
}

// pageOf makes a page of the files of the archive o, which are in order and have the prefix, by the rules of
// storage.ListInput.
func pageOf(o *storage.Object, list []archive.File, in storage.ListInput) *storage.ListPage {
	page := new(storage.ListPage)
	common := func(key string) string {
		i := -1
		if in.Delimiter != "" && strings.HasPrefix(key, in.Prefix) {
			i = strings.Index(key[len(in.Prefix):], in.Delimiter)
		}
		if i < 0 {
			return ""
		}
		return key[:len(in.Prefix)+i+len(in.Delimiter)]
	}
	rolledUp := in.After != "" && common(in.After) == in.After
	for i := range list {
		key := o.Key + "/" + list[i].Name
		p := common(key)
		switch {
		case key <= in.After, rolledUp && strings.HasPrefix(key, in.After):
			continue
		case p != "" && len(page.Prefixes) > 0 && page.Prefixes[len(page.Prefixes)-1] == p:
			continue
		case len(page.Objects)+len(page.Prefixes) >= in.Limit:
			page.Truncated = in.Limit > 0
			return page
		case p != "":
			page.Prefixes, page.NextAfter = append(page.Prefixes, p), p
		default:
			page.Objects, page.NextAfter = append(page.Objects, *innerObject(o, &list[i])), key
		}
	}
	page.NextAfter = ""
	return page
}
