package s3api

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/objsrv/objsrv/internal/events"
	"github.com/objsrv/objsrv/storage"
)

// propRenamed is the prop of an object that got its name by a RenameObject: the client's token, which may be empty, a hash
// of what else was asked, and the time, since that of the last change may stay.
const propRenamed = "renamed"

const (
	renameSourceHeader = "X-Amz-Rename-Source"
	clientTokenHeader  = "X-Amz-Client-Token"
	maxClientToken     = 64
)

// renameConditions are those of the source; those of the new name are getConditions.
var renameConditions = readConditions{"X-Amz-Rename-Source-If-Match", "X-Amz-Rename-Source-If-None-Match",
	"X-Amz-Rename-Source-If-Modified-Since", "X-Amz-Rename-Source-If-Unmodified-Since"}

var renameHeaders = []string{renameSourceHeader, clientTokenHeader, renameConditions.match, renameConditions.noneMatch,
	renameConditions.modified, renameConditions.unmodified}

var (
	errRenamed = errors.New("renamed by this very request before")
	errMoved   = errors.New("the source has changed meanwhile")
)

// renaming is a RenameObject on its way.
type renaming struct {
	c       *call
	b       *storage.Bucket
	source  storage.Ref
	mark    string // the client's token, "" when it gave none
	request string // hash of what else is asked with it
}

// renameObject gives an object another name. AWS has it for directory buckets, where a session's right to write is all
// that it asks for; here it takes what copying and deleting take: to read and delete the source, and to put the new name.
func renameObject(c *call) error {
	b, err := c.needBucket()
	if err != nil {
		return err
	}
	r, err := c.newRenaming(b)
	if err != nil {
		return err
	}
	if err := c.expect(b, aboutTo{name: events.CreatedCopy, key: c.key}, removes(b, &storage.DeleteInput{Key: r.source.Key})); err != nil {
		return err
	}
	for try := 1; ; try++ {
		err := r.run()
		if !errors.Is(err, errMoved) {
			return err
		}
		if try == copyTries {
			return errorf("ConditionalRequestConflict", "The source of the renaming changes all the time. Please try again.").with("Key", r.source.Key)
		}
	}
}

func (c *call) newRenaming(b *storage.Bucket) (*renaming, error) {
	if _, err := c.readBody(0, false); err != nil {
		return nil, err
	}
	bad := func(message string) error {
		return errorf("InvalidArgument", "%s", message).with("ArgumentName", strings.ToLower(renameSourceHeader))
	}
	v := c.r.Header[renameSourceHeader]
	if len(v) != 1 || v[0] == "" {
		return nil, bad("x-amz-rename-source must name the key that is to be renamed.")
	}
	key, err := url.PathUnescape(v[0])
	if err != nil || checkKey(key) != nil {
		return nil, bad("x-amz-rename-source is not the percent-encoded name of a key.")
	}
	if key == c.key {
		return nil, errorf("InvalidRequest", "This rename request is illegal because the source and the new name are the same.")
	}
	r := &renaming{c: c, b: b, source: storage.Ref{Bucket: c.bucket, Key: key}}
	if r.mark, err = clientToken(c.r.Header); err != nil {
		return nil, err
	}
	h := sha256.New()
	for _, name := range slices.Concat(renameHeaders, []string{getConditions.match, getConditions.noneMatch, getConditions.modified, getConditions.unmodified}) {
		if name != clientTokenHeader {
			fmt.Fprintf(h, "%q", c.r.Header[name])
		}
	}
	r.request = hex.EncodeToString(h.Sum(nil)[:16])
	return r, nil
}

// clientToken reads the token by which a client makes its request one that can be repeated.
func clientToken(h http.Header) (string, error) {
	v := h[clientTokenHeader]
	if len(v) == 0 {
		return "", nil
	}
	if len(v) > 1 || v[0] == "" || len(v[0]) > maxClientToken || strings.ContainsFunc(v[0], func(r rune) bool { return r < 33 || r > 126 }) {
		return "", errorf("InvalidArgument", "x-amz-client-token has 1 to %d characters of printable ASCII without spaces.", maxClientToken).with("ArgumentName", strings.ToLower(clientTokenHeader))
	}
	return v[0], nil
}

// what tells the renaming from others, for those who remember tokens.
func (r *renaming) what() string { return r.request + " " + r.c.key }

// before tells whether the token has been used, by what is remembered of it and by what the new name stands for, nil for
// nothing: errRenamed when it was this request.
func (r *renaming) before(to *storage.Object) error {
	if r.mark == "" {
		return nil
	}
	was := r.c.s.tokens.find(r.b, r.mark)
	if was == "" && to != nil {
		if marks := strings.Split(to.Props[propRenamed], " "); len(marks) == 3 && marks[0] == r.mark {
			was = marks[1] + " " + r.c.key
		}
	}
	switch was {
	case "":
		return nil
	case r.what():
		return errRenamed
	}
	return errorf("IdempotencyParameterMismatch", "Parameters on this idempotent request are inconsistent with parameters used in previous request(s).")
}

// renamedAt is when an object got its name by a RenameObject; the zero time for others.
func renamedAt(o *storage.Object) time.Time {
	was := strings.Split(o.Props[propRenamed], " ")
	t, _ := time.Parse(time.RFC3339, was[len(was)-1]) // what can't be read is no time
	return t
}

// run makes one attempt; errMoved asks for another.
func (r *renaming) run() error {
	c := r.c
	from, sealed, err := r.openSource()
	if err != nil {
		return r.missing(err)
	}
	in := storage.RenameInput{Bucket: c.bucket, Source: r.source.Key, Key: c.key, Owner: r.b.Owner}
	if in.Props, err = r.props(from, sealed); err != nil {
		return err
	}
	var room claim
	if r.b.Versioning == storage.VersioningEnabled || from.VersionID != storage.NullVersion { // the version renamed stays
		if room, err = c.claim(r.b, from.Size); err != nil {
			return err
		}
	}
	defer room.release()
	in.Check = func(now, to *storage.Object) error {
		if err := r.before(to); err != nil {
			return err
		}
		if now.VersionID != from.VersionID || now.ETag != from.ETag || !now.Modified.Equal(from.Modified) || !slices.Equal(now.Tags, from.Tags) || !maps.Equal(now.Props, from.Props) {
			return errMoved
		}
		return r.hold(now, to)
	}
	o, source, err := c.s.Backend.RenameObject(c.ctx, in)
	if errors.Is(err, storage.ErrPrecondition) {
		err = errMoved
	}
	if err != nil {
		return r.missing(err)
	}
	if r.mark != "" {
		c.s.tokens.add(r.b, r.mark, r.what())
	}
	c.happened(events.CreatedCopy, r.b, o)
	c.removed(r.b, &storage.DeleteInput{Key: in.Source}, &source)
	c.setNewVersion(r.b, o.VersionID)
	return c.reply(http.StatusOK)
}

// missing answers for an attempt that failed. A request that is repeated finds no source: what it is about has its new
// name already.
func (r *renaming) missing(err error) error {
	c := r.c
	if errors.Is(err, storage.ErrNoSuchKey) {
		to, serr := c.s.Backend.StatObject(c.ctx, storage.Ref{Bucket: c.bucket, Key: c.key})
		if serr != nil {
			to = nil
		}
		if before := r.before(to); before != nil {
			err = before
		}
	}
	if errors.Is(err, errRenamed) {
		return c.reply(http.StatusOK)
	}
	return c.missing(r.b, r.source, err)
}

// openSource finds what is to be renamed, with the right to read and to delete that very version.
func (r *renaming) openSource() (*storage.Object, *unsealed, error) {
	c := r.c
	allowed := func() error {
		for _, action := range []string{"s3:GetObject", "s3:DeleteObject"} {
			if err := c.authorizeRef(action, r.b, r.source); err != nil {
				return err
			}
		}
		return nil
	}
	c.judged, c.tagged = nil, nil // what was asked of the new name says nothing of the source
	defer func() { c.judged, c.tagged = nil, nil }()
	if err := allowed(); err != nil {
		return nil, nil, err
	}
	from, err := c.s.Backend.StatObject(c.ctx, r.source)
	if err != nil {
		return nil, nil, err
	}
	if c.judged != nil || c.tagged != nil {
		c.judged, c.tagged = &judged{object: from}, &tagged{ref: r.source, object: from}
		if err := allowed(); err != nil {
			return nil, nil, err
		}
	}
	sealed, err := c.mayOpen(r.source, from, &customerHeader)
	return from, &sealed, err
}

// props are those of the object under its new name. Its key is sealed anew, since that is bound to the name. As in a
// copy its lock is the bucket's default: the version that was locked stays where it is, and locked.
func (r *renaming) props(from *storage.Object, sealed *unsealed) (map[string]string, error) {
	c := r.c
	if len(from.Tags) > 0 {
		if err := c.authorizeRef("s3:GetObjectTagging", r.b, r.source); err != nil {
			return nil, err
		}
		c.copied = from.Tags
		if err := c.mayTake(r.b); err != nil {
			return nil, err
		}
	}
	props := cloneProps(from.Props)
	for _, name := range []string{propRenamed, propLockMode, propLockUntil, propLegalHold} {
		delete(props, name)
	}
	locks, err := c.lockProps(r.b, func(string) string { return "" })
	if err != nil {
		return nil, err
	}
	maps.Copy(props, locks)
	props[propRenamed] = r.mark + " " + r.request + " " + c.s.Now().UTC().Format(time.RFC3339)
	if !sealed.encrypted() {
		return props, nil
	}
	key := sealed.key
	if key == nil {
		if key, err = c.unseal(sealed.sealing, r.source.Bucket, r.source.Key, sealed.customer); err != nil {
			return nil, err
		}
	}
	fresh := *sealed.sealing
	if err := c.seal(&fresh, c.bucket, c.key, key, sealed.customer); err != nil {
		return nil, err
	}
	return fresh.in(props)
}

// hold evaluates the conditions.
func (r *renaming) hold(from, to *storage.Object) error {
	h := r.c.r.Header
	failed, unchanged := renameConditions.check(h, from)
	switch {
	case failed != "":
		return errPrecondition(strings.ToLower(failed))
	case unchanged != "":
		return errPrecondition(strings.ToLower(unchanged))
	case to == nil:
		for _, name := range []string{getConditions.match, getConditions.modified} {
			if len(h[name]) > 0 {
				return errPrecondition(name)
			}
		}
		return nil
	}
	failed, unchanged = getConditions.check(h, to)
	if failed == "" {
		failed = unchanged
	}
	if failed != "" {
		return errPrecondition(failed)
	}
	return nil
}
