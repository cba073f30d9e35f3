package s3api

import (
	"encoding/xml"
	"net/http"
	"time"

	"github.com/objsrv/objsrv/internal/events"
	"github.com/objsrv/objsrv/s3api/s3xml"
	"github.com/objsrv/objsrv/storage"
)

// lockable returns the bucket and the version of a request about an object's lock.
func (c *call) lockable() (*storage.Bucket, storage.Ref, error) {
	b, ref, err := c.objectRef()
	if err == nil && !b.ObjectLock {
		err = errorf("InvalidRequest", "Bucket is missing Object Lock Configuration")
	}
	return b, ref, err
}

// locked returns the version itself.
func (c *call) locked() (*storage.Bucket, *storage.Object, error) {
	b, ref, err := c.lockable()
	if err != nil {
		return nil, nil, err
	}
	o, err := c.stat(b, ref)
	return b, o, err
}

func (c *call) ref() storage.Ref {
	return storage.Ref{Bucket: c.bucket, Key: c.key, Version: c.ev.Version}
}

// retention is the Retention document.
type retention struct {
	XMLName xml.Name `xml:"Retention"`
	Mode    string   `xml:"Mode"`
	Until   string   `xml:"RetainUntilDate"`
}

func getObjectRetention(c *call) error {
	b, o, err := c.locked()
	if err != nil {
		return err
	}
	l := lockOf(o)
	if l.mode == "" {
		return errNoLock()
	}
	c.happened(events.AccessedRetention, b, o)
	c.setVersion(b, o.VersionID)
	var doc s3xml.Writer
	doc.Start("Retention", true)
	doc.Elem("Mode", l.mode)
	doc.Time("RetainUntilDate", l.until)
	return c.replyXML(http.StatusOK, doc.End("Retention"))
}

func errNoLock() *Error {
	return &Error{Code: "NoSuchObjectLockConfiguration", Message: "The specified object does not have a ObjectLock configuration"}
}

func putObjectRetention(c *call) error {
	b, ref, err := c.lockable()
	if err != nil {
		return err
	}
	var r retention
	if err := c.readXML(maxXML, false, &r); err != nil {
		return err
	}
	var until time.Time
	if r.Mode != "" || r.Until != "" {
		if r.Mode != governance && r.Mode != compliance || r.Until == "" {
			return errMalformedXML()
		}
		if until, err = c.checkRetention(r.Mode, r.Until); err != nil {
			return err
		}
	}
	bypass := c.mayBypass(b, c.key)
	if err := c.expect(b, aboutTo{events.CreatedRetention, c.key, c.ev.Version}); err != nil {
		return err
	}
	o, err := c.s.Backend.SetProps(c.ctx, ref, func(o *storage.Object) (map[string]string, error) {
		if err := c.mayChange(lockOf(o), r.Mode, until, bypass); err != nil {
			return nil, err
		}
		props := cloneProps(o.Props)
		delete(props, propLockMode)
		delete(props, propLockUntil)
		if r.Mode != "" {
			props[propLockMode], props[propLockUntil] = r.Mode, until.Format(time.RFC3339Nano)
		}
		return props, nil
	})
	if err != nil {
		return err
	}
	c.happened(events.CreatedRetention, b, o)
	c.setVersion(b, o.VersionID)
	return c.reply(http.StatusOK)
}

// mayChange decides on replacing a retention: it can always be made longer; anything else is for
// those who may bypass governance, and never for compliance.
func (c *call) mayChange(old lock, mode string, until time.Time, bypass bool) error {
	if old.mode == "" || !old.until.After(c.s.locks.least()) {
		return nil
	}
	stricter := !until.Before(old.until) && mode == old.mode
	if stricter || old.mode == governance && bypass {
		return nil
	}
	return errLocked()
}

func cloneProps(p map[string]string) map[string]string {
	out := make(map[string]string, len(p)+2)
	for k, v := range p {
		out[k] = v
	}
	return out
}

// legalHold is the LegalHold document.
type legalHold struct {
	XMLName xml.Name `xml:"LegalHold"`
	Status  string   `xml:"Status"`
}

func getObjectLegalHold(c *call) error {
	b, o, err := c.locked()
	if err != nil {
		return err
	}
	status := o.Props[propLegalHold]
	if status == "" {
		return errNoLock()
	}
	c.happened(events.AccessedLegalHold, b, o)
	c.setVersion(b, o.VersionID)
	var doc s3xml.Writer
	doc.Start("LegalHold", true)
	doc.Elem("Status", status)
	return c.replyXML(http.StatusOK, doc.End("LegalHold"))
}

func putObjectLegalHold(c *call) error {
	b, ref, err := c.lockable()
	if err != nil {
		return err
	}
	var h legalHold
	if err := c.readXML(maxXML, false, &h); err != nil {
		return err
	}
	if h.Status != "ON" && h.Status != "OFF" {
		return errMalformedXML()
	}
	if err := c.expect(b, aboutTo{events.CreatedLegalHold, c.key, c.ev.Version}); err != nil {
		return err
	}
	o, err := c.s.Backend.SetProps(c.ctx, ref, func(o *storage.Object) (map[string]string, error) {
		props := cloneProps(o.Props)
		props[propLegalHold] = h.Status
		return props, nil
	})
	if err != nil {
		return err
	}
	c.happened(events.CreatedLegalHold, b, o)
	c.setVersion(b, o.VersionID)
	return c.reply(http.StatusOK)
}
