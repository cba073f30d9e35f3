package s3api

import (
	"encoding/xml"
	"net/http"
	"time"

	"github.com/objsrv/objsrv/s3api/s3xml"
	"github.com/objsrv/objsrv/storage"
)

// docLock names the object lock configuration among a bucket's documents.
const docLock = "object-lock"

// Names of the facts about a version's lock among its Props.
const (
	propLockMode  = storage.PropLockMode
	propLockUntil = storage.PropLockUntil
	propLegalHold = storage.PropLegalHold
)

const (
	governance = "GOVERNANCE"
	compliance = "COMPLIANCE"
)

// lockConfiguration is the ObjectLockConfiguration document (S3 user guide, "Locking objects with
// Object Lock").
type lockConfiguration struct {
	XMLName xml.Name `xml:"ObjectLockConfiguration"`
	Enabled string   `xml:"ObjectLockEnabled"`
	Rule    *struct {
		Default *struct {
			Mode  string `xml:"Mode"`
			Days  *int   `xml:"Days"`
			Years *int   `xml:"Years"`
		} `xml:"DefaultRetention"`
	} `xml:"Rule"`
	unreadable bool
}

func (l *lockConfiguration) check() error {
	if l.Enabled != "Enabled" {
		return errMalformedXML()
	}
	if l.Rule == nil {
		return nil
	}
	d := l.Rule.Default
	if d == nil || (d.Mode != governance && d.Mode != compliance) || (d.Days == nil) == (d.Years == nil) {
		return errMalformedXML()
	}
	if d.Days != nil && (*d.Days <= 0 || *d.Days > 36500) || d.Years != nil && (*d.Years <= 0 || *d.Years > 100) {
		return errorf("InvalidRetentionPeriod", "The retention period must be 1 to 36500 days or 1 to 100 years.")
	}
	return nil
}

func (l *lockConfiguration) write(doc *s3xml.Writer) []byte {
	doc.Start("ObjectLockConfiguration", true)
	doc.Elem("ObjectLockEnabled", "Enabled")
	if l.Rule != nil {
		d := l.Rule.Default
		doc.Open("Rule")
		doc.Open("DefaultRetention")
		doc.Elem("Mode", d.Mode)
		if d.Days != nil {
			doc.Int("Days", int64(*d.Days))
		} else {
			doc.Int("Years", int64(*d.Years))
		}
		doc.Close("DefaultRetention")
		doc.Close("Rule")
	}
	return doc.End("ObjectLockConfiguration")
}

func getObjectLockConfiguration(c *call) error {
	b, err := c.needBucket()
	if err != nil {
		return err
	}
	if !b.ObjectLock {
		return notConfigured("ObjectLockConfigurationNotFoundError")(c)
	}
	if doc, ok := b.Docs[docLock]; ok {
		return c.replyXML(http.StatusOK, doc)
	}
	var doc s3xml.Writer
	return c.replyXML(http.StatusOK, new(lockConfiguration).write(&doc))
}

// putObjectLockConfiguration also enables object lock on an existing bucket with versioning.
func putObjectLockConfiguration(c *call) error {
	if _, err := c.needBucket(); err != nil {
		return err
	}
	var conf lockConfiguration
	if err := c.readXML(maxXML, false, &conf); err != nil {
		return err
	}
	if err := conf.check(); err != nil {
		return err
	}
	var doc s3xml.Writer
	data := conf.write(&doc)
	err := c.s.Backend.UpdateBucket(c.ctx, c.bucket, func(b *storage.Bucket) error {
		if b.Versioning != storage.VersioningEnabled {
			return errorf("InvalidBucketState", "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration")
		}
		if b.Docs == nil {
			b.Docs = map[string][]byte{}
		}
		b.ObjectLock, b.Docs[docLock] = true, data
		return nil
	})
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK)
}

// lock is the lock of one version.
type lock struct {
	mode  string // "" when there is no retention
	until time.Time
	hold  bool
}

// lockOf reads the lock of a version. A fact that can't be understood locks for ever.
func lockOf(o *storage.Object) lock {
	l := lock{mode: o.Props[propLockMode], hold: o.Props[propLegalHold] == "ON"}
	if l.mode == "" {
		return l
	}
	t, err := time.Parse(time.RFC3339Nano, o.Props[propLockUntil])
	if err != nil {
		return lock{mode: compliance, until: time.Unix(1<<40, 0), hold: true}
	}
	l.until = t
	return l
}

// lockProps returns the lock that a new object gets, from the request's values or the bucket's
// default, or nil.
func (c *call) lockProps(b *storage.Bucket, get func(header string) string) (map[string]string, error) {
	mode, until, hold := get("X-Amz-Object-Lock-Mode"), get("X-Amz-Object-Lock-Retain-Until-Date"), get("X-Amz-Object-Lock-Legal-Hold")
	if mode == "" && until == "" && hold == "" && !b.ObjectLock {
		return nil, nil
	}
	if !b.ObjectLock {
		return nil, errorf("InvalidRequest", "Bucket is missing Object Lock Configuration")
	}
	props := map[string]string{}
	if (mode == "") != (until == "") {
		return nil, errorf("InvalidArgument", "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied")
	}
	if mode != "" {
		if err := c.authorize("s3:PutObjectRetention", b, c.bucket, c.key); err != nil {
			return nil, err
		}
		t, err := c.checkRetention(mode, until)
		if err != nil {
			return nil, err
		}
		props[propLockMode], props[propLockUntil] = mode, t.Format(time.RFC3339Nano)
	} else if err := c.defaultRetention(b, props); err != nil {
		return nil, err
	}
	switch hold {
	case "":
	case "ON", "OFF":
		if err := c.authorize("s3:PutObjectLegalHold", b, c.bucket, c.key); err != nil {
			return nil, err
		}
		props[propLegalHold] = hold
	default:
		return nil, errorf("InvalidArgument", "Legal hold must be either of 'ON' or 'OFF'").with("ArgumentName", "x-amz-object-lock-legal-hold").with("ArgumentValue", hold)
	}
	return props, nil
}

// defaultRetention sets what the bucket's configuration says of new objects.
func (c *call) defaultRetention(b *storage.Bucket, props map[string]string) error {
	conf := c.s.settings(b).lock
	if conf.unreadable {
		return errorf("InternalError", "The bucket's Object Lock configuration can't be read; nothing is written without it.")
	}
	if conf.Rule == nil {
		return nil
	}
	d, until := conf.Rule.Default, c.s.locks.most().UTC()
	if d.Days != nil {
		until = until.AddDate(0, 0, *d.Days)
	} else {
		until = until.AddDate(*d.Years, 0, 0)
	}
	props[propLockMode], props[propLockUntil] = d.Mode, until.Format(time.RFC3339Nano)
	return nil
}

func (c *call) checkRetention(mode, until string) (time.Time, error) {
	if mode != governance && mode != compliance {
		return time.Time{}, errorf("InvalidArgument", "Unknown wormMode directive").with("ArgumentName", "x-amz-object-lock-mode").with("ArgumentValue", mode)
	}
	t, err := parseRetainUntil(until)
	if err != nil {
		return t, err
	}
	if !t.After(c.s.Now()) {
		return time.Time{}, errorf("InvalidArgument", "The retain until date must be in the future!").with("ArgumentValue", until)
	}
	return t, nil
}

func parseRetainUntil(until string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, until)
	if err != nil {
		return time.Time{}, errorf("InvalidArgument", "The retain until date must be provided in ISO 8601 format").with("ArgumentValue", until)
	}
	return t.UTC(), nil
}

// setLockHeaders tells a version's lock in the answer of GetObject and HeadObject to those
// who may know it.
func (c *call) setLockHeaders(b *storage.Bucket, o *storage.Object) {
	if len(o.Props) == 0 {
		return
	}
	h := c.w.Header()
	if l := lockOf(o); l.mode != "" && c.may("s3:GetObjectRetention", b, c.ref()) {
		h.Set("X-Amz-Object-Lock-Mode", l.mode)
		h.Set("X-Amz-Object-Lock-Retain-Until-Date", l.until.UTC().Format("2006-01-02T15:04:05.000Z"))
	}
	if v := o.Props[propLegalHold]; v != "" && c.may("s3:GetObjectLegalHold", b, c.ref()) {
		h.Set("X-Amz-Object-Lock-Legal-Hold", v)
	}
}

func errLocked() *Error {
	e := errorf("AccessDenied", "Access Denied because object protected by object lock.")
	e.why = "object lock"
	return e
}

// lockGuard returns the check that a locked version passes before it is removed for good, or nil
// in a bucket without object lock. bypass says that the caller asked to bypass governance
// retention and may.
func (c *call) lockGuard(b *storage.Bucket, bypass bool) func(*storage.Object) error {
	if !b.ObjectLock {
		return nil
	}
	return func(o *storage.Object) error {
		l := lockOf(o)
		if l.hold {
			return errLocked()
		}
		if l.mode == "" || !l.until.After(c.s.locks.least()) || l.mode == governance && bypass {
			return nil
		}
		return errLocked()
	}
}

// mayBypass tells whether the request asks to bypass governance retention and may do so for key.
func (c *call) mayBypass(b *storage.Bucket, key string) bool {
	v := c.r.Header.Get("X-Amz-Bypass-Governance-Retention")
	return (v == "true" || v == "True" || v == "TRUE") && c.authorize("s3:BypassGovernanceRetention", b, c.bucket, key) == nil
}
