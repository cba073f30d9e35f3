package s3api

import (
	"crypto/md5"
	"encoding/hex"
	"net/http"
	"strings"

	"github.com/objsrv/objsrv/internal/events"
	"github.com/objsrv/objsrv/s3api/s3xml"
	"github.com/objsrv/objsrv/storage"
)

// The documents by which Veeam's software learns that a bucket is on a store that tells its capacity (Veeam Smart Object
// Storage API 1.0). They are in every bucket, in no list, and made when they are read.
const (
	veeamPrefix   = ".system-d26a9498-cb7c-4a87-a44a-8ae204f5ba6c/"
	veeamSystem   = veeamPrefix + "system.xml"
	veeamCapacity = veeamPrefix + "capacity.xml"
)

// Capacity is the room of the disk that buckets without a quota share.
type Capacity struct{ Total, Available int64 }

func isVeeam(key string) bool {
	return strings.HasPrefix(key, veeamPrefix) && (key == veeamSystem || key == veeamCapacity)
}

// refuseOwnKey refuses to write what the server makes by itself. Deleting it does nothing, as for any key that is not there.
func refuseOwnKey(key string) error {
	if !isVeeam(key) {
		return nil
	}
	return &Error{Code: "AccessDenied", Message: "The server makes this document by itself; it can't be written.", why: "a document of the server's own"}
}

// readVeeam answers GetObject and HeadObject of the documents. Who may read objects of these names may read them.
func (c *call) readVeeam() error {
	b, ref, err := c.objectRef()
	if err != nil {
		return err
	}
	if ref.Version != "" {
		return errorf("NoSuchVersion", "The specified version does not exist.").with("Key", ref.Key).with("VersionId", ref.Version)
	}
	room, known, err := c.capacity(b)
	if err != nil {
		return err
	}
	var doc s3xml.Writer
	var data []byte
	if c.key == veeamSystem {
		doc.Start("SystemInfo", false)
		doc.Elem("ProtocolVersion", `"1.0"`) // with quotes, as in the specification
		doc.Elem("ModelName", `"objsrv"`)
		doc.Open("ProtocolCapabilities")
		doc.Bool("CapacityInfo", known)
		doc.Bool("UploadSessions", false)
		doc.Bool("IAMSTS", false)
		doc.Close("ProtocolCapabilities")
		data = doc.End("SystemInfo")
	} else {
		if !known {
			return c.missing(b, ref, storage.ErrNoSuchKey)
		}
		doc.Start("CapacityInfo", false)
		doc.Int("Capacity", room.Total)
		doc.Int("Available", room.Available)
		doc.Int("Used", room.Total-room.Available)
		data = doc.End("CapacityInfo")
	}
	sum := md5.Sum(data)
	now := c.s.Now()
	h := newHeaders(c.w.Header(), 4)
	h.set("Etag", quoteETag(hex.EncodeToString(sum[:])))
	h.set("Last-Modified", httpTime(now))
	h.h["X-Content-Type-Options"] = nosniff
	o := &storage.Object{Key: c.key, Size: int64(len(data)), ETag: hex.EncodeToString(sum[:]), Modified: now}
	if c.r.Method == http.MethodHead {
		h.set("Content-Length", itoa(len(data)))
		h.h["Content-Type"] = xmlType
		c.happened(events.AccessedHead, b, o)
		c.ev.Status = http.StatusOK
		c.w.WriteHeader(http.StatusOK)
		return nil
	}
	c.happened(events.AccessedGet, b, o)
	return c.replyXML(http.StatusOK, data)
}

// capacity is the room of a bucket: its quota, of which no more is available than the disk has, or the disk's.
func (c *call) capacity(b *storage.Bucket) (room Capacity, known bool, err error) {
	if c.s.Capacity != nil {
		room, known = c.s.Capacity()
	}
	if b.Docs[docQuota] == nil {
		return room, known, nil
	}
	limit := c.s.settings(b).quota
	if limit == quotaUnreadable {
		return room, false, errorf("InternalError", "The bucket's quota can't be read.")
	}
	use, err := c.s.Backend.Usage(c.ctx, b.Name)
	if err != nil {
		return room, false, err
	}
	left := max(limit-use.Bytes, 0)
	if known {
		left = min(left, room.Available)
	}
	return Capacity{limit, left}, true, nil
}
