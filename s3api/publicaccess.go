package s3api

import (
	"encoding/xml"
	"net/http"
	"sync"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/iam/policy"
	"github.com/objsrv/objsrv/internal/events"
	"github.com/objsrv/objsrv/s3api/s3xml"
	"github.com/objsrv/objsrv/storage"
)

// docPublicAccess names the PublicAccessBlockConfiguration among a bucket's documents.
const docPublicAccess = "publicAccessBlock"

// bucketSettings is what requests need of a bucket's documents, parsed once for each
// state of the bucket.
type bucketSettings struct {
	of     *storage.Bucket
	block  publicAccessBlock
	public bool // the policy is public
	cors   []corsRule
	lock   lockConfiguration
	// ownership is the setting of the bucket's document, when it has one.
	ownership  string
	encryption encryptionConfiguration
	quota      int64 // bytes, or quotaUnreadable; set when there is the document
	objects    int64 // the quota of versions, alike
	notify     []events.Rule
	notifyErr  error // why the rules for events can't be read
	lifecycle  lifecycleRules
	acl        acl // the bucket's list; nil for the default, which grants nothing to others
}

// settingsCache holds the parsed settings by bucket name.
type settingsCache struct{ m sync.Map }

// settings returns the parsed documents of b. A backend hands out another *Bucket after each
// change, by which a stale entry shows.
func (s *Server) settings(b *storage.Bucket) *bucketSettings {
	if len(b.Docs) == 0 {
		return &noSettings
	}
	if v, ok := s.parsed.m.Load(b.Name); ok && v.(*bucketSettings).of == b {
		return v.(*bucketSettings)
	}
	st := &bucketSettings{of: b}
	// The documents were validated when they were stored. One that can't be read any more counts as
	// the strictest: everything public is blocked.
	if d := b.Docs[docPublicAccess]; d != nil && s3xml.Decode(d, &st.block) != nil {
		st.block = publicAccessBlock{BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true}
	}
	if d := b.Docs[docPolicy]; d != nil {
		doc, err := policy.ParseStored(d, policy.Resource)
		st.public = err != nil || isPublic(doc)
	}
	if d := b.Docs[docCORS]; d != nil {
		var conf corsConfiguration
		if s3xml.Decode(d, &conf) == nil {
			st.cors = conf.Rules
		}
	}
	if d := b.Docs[docLock]; d != nil && s3xml.Decode(d, &st.lock) != nil {
		st.lock.unreadable = true
	}
	if d := b.Docs[docEncryption]; d != nil {
		conf, err := parseEncryption(d)
		st.encryption, st.encryption.unreadable = conf, err != nil
	}
	if d := b.Docs[docQuota]; d != nil {
		st.quota = parseQuota(d)
	}
	if d := b.Docs[docObjectQuota]; d != nil {
		st.objects = parseQuota(d)
	}
	if d := b.Docs[docNotification]; d != nil {
		st.notify, st.notifyErr = readNotification(d, s.Region)
	}
	if d := b.Docs[docLifecycle]; d != nil {
		st.lifecycle = readLifecycle(d)
	}
	if d := b.Docs[docOwnership]; d != nil {
		var conf ownershipControls
		if s3xml.Decode(d, &conf) != nil || conf.setting() == "" {
			st.ownership = OwnerEnforced
		} else {
			st.ownership = conf.setting()
		}
	}
	if d := b.Docs[docACL]; d != nil {
		st.acl, _ = decodeACL(string(d), b.Owner) // one that can't be read grants nothing
	}
	s.parsed.m.Store(b.Name, st)
	return st
}

var noSettings bucketSettings

// publicAccessBlock is the PublicAccessBlockConfiguration document.
type publicAccessBlock struct {
	XMLName               xml.Name `xml:"PublicAccessBlockConfiguration"`
	BlockPublicAcls       bool     `xml:"BlockPublicAcls"`
	IgnorePublicAcls      bool     `xml:"IgnorePublicAcls"`
	BlockPublicPolicy     bool     `xml:"BlockPublicPolicy"`
	RestrictPublicBuckets bool     `xml:"RestrictPublicBuckets"`
}

func errPublicPolicy() *Error {
	return errorf("AccessDenied", "The policy grants public access, which the public access block of the bucket or of its account forbids.")
}

func getPublicAccessBlock(c *call) error {
	return c.replyDoc(docPublicAccess, "NoSuchPublicAccessBlockConfiguration")
}

// replyDoc answers with a document as it is stored, or that there is none.
func (c *call) replyDoc(name, missing string) error {
	b, err := c.needBucket()
	if err != nil {
		return err
	}
	doc, ok := b.Docs[name]
	if !ok {
		return notConfigured(missing)(c)
	}
	return c.replyXML(http.StatusOK, doc)
}

func putPublicAccessBlock(c *call) error {
	if _, err := c.needBucket(); err != nil {
		return err
	}
	var p publicAccessBlock
	if err := c.readXML(maxXML, false, &p); err != nil {
		return err
	}
	var doc s3xml.Writer
	doc.Start("PublicAccessBlockConfiguration", true)
	p.write(&doc)
	if err := c.setDoc(docPublicAccess, doc.End("PublicAccessBlockConfiguration")); err != nil {
		return err
	}
	return c.reply(http.StatusOK)
}

// write appends the settings.
func (p *publicAccessBlock) write(doc *s3xml.Writer) {
	doc.Bool("BlockPublicAcls", p.BlockPublicAcls)
	doc.Bool("IgnorePublicAcls", p.IgnorePublicAcls)
	doc.Bool("BlockPublicPolicy", p.BlockPublicPolicy)
	doc.Bool("RestrictPublicBuckets", p.RestrictPublicBuckets)
}

// publicAccess is what is in force for b: of its own block and that of its account the stricter (S3 user guide, "Blocking
// public access to your Amazon S3 storage").
func (s *Server) publicAccess(b *storage.Bucket) iam.PublicAccess {
	p, _ := s.IAM.PublicAccess(b.Owner)
	own := &s.settings(b).block
	p.BlockPublicAcls = p.BlockPublicAcls || own.BlockPublicAcls
	p.IgnorePublicAcls = p.IgnorePublicAcls || own.IgnorePublicAcls
	p.BlockPublicPolicy = p.BlockPublicPolicy || own.BlockPublicPolicy
	p.RestrictPublicBuckets = p.RestrictPublicBuckets || own.RestrictPublicBuckets
	return p
}

// deleteDoc removes a document; S3 answers 204 whether there was one or not.
func deleteDoc(name string) func(*call) error {
	return func(c *call) error {
		if _, err := c.needBucket(); err != nil {
			return err
		}
		if err := c.setDoc(name, nil); err != nil {
			return err
		}
		return c.reply(http.StatusNoContent)
	}
}
