package s3api

import (
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"

	"github.com/objsrv/objsrv/internal/keyring"
	"github.com/objsrv/objsrv/s3api/s3xml"
)

// docEncryption names the ServerSideEncryptionConfiguration among a bucket's documents.
const docEncryption = "encryption"

// encryptionConfiguration is the ServerSideEncryptionConfiguration document: the default of what is written from now
// on (S3 user guide, "Setting default server-side encryption behavior for Amazon S3 buckets").
type encryptionConfiguration struct {
	XMLName    xml.Name         `xml:"ServerSideEncryptionConfiguration"`
	Rules      []encryptionRule `xml:"Rule"`
	Rule       *encryptionRule  `xml:"-"` // the one rule, once the document has been read
	unreadable bool
}

type encryptionRule struct {
	Default *struct {
		Algorithm string `xml:"SSEAlgorithm"`
		KeyID     string `xml:"KMSMasterKeyID"`
	} `xml:"ApplyServerSideEncryptionByDefault"`
	BucketKey bool `xml:"BucketKeyEnabled"`
	Blocked   *struct {
		Types []string `xml:"EncryptionType"`
	} `xml:"BlockedEncryptionTypes"`
}

// blockCustomer in BlockedEncryptionTypes keeps SSE-C out of a bucket; blockNone is AWS's word for nothing.
const (
	blockCustomer = "SSE-C"
	blockNone     = "NONE"
)

// blocksCustomer tells whether objects with customers' keys are refused. A document that can't be read refuses.
func (e *encryptionConfiguration) blocksCustomer() bool {
	if e.unreadable {
		return true
	}
	if e.Rule == nil || e.Rule.Blocked == nil {
		return false
	}
	for _, t := range e.Rule.Blocked.Types {
		if t == blockCustomer {
			return true
		}
	}
	return false
}

// parseEncryption reads the document and checks all that does not depend on the keys that there are.
func parseEncryption(data []byte) (e encryptionConfiguration, err error) {
	if err := decodeXML(data, &e); err != nil {
		return e, err
	}
	if len(e.Rules) != 1 {
		return e, errMalformedXML()
	}
	e.Rule = &e.Rules[0]
	d, blocked := e.Rule.Default, e.Rule.Blocked
	if d == nil && blocked == nil {
		return e, errMalformedXML()
	}
	if blocked != nil {
		for _, t := range blocked.Types {
			if t != blockCustomer && t != blockNone || t == blockNone && len(blocked.Types) > 1 {
				return e, errMalformedXML()
			}
		}
	}
	switch {
	case d == nil:
	case d.Algorithm == "aws:kms:dsse":
		return e, errorf("NotImplemented", "Dual-layer encryption (aws:kms:dsse) is not implemented. Use aws:kms.")
	case d.Algorithm != sseS3 && d.Algorithm != sseKMS:
		return e, errMalformedXML()
	case d.Algorithm == sseS3 && d.KeyID != "":
		return e, errorf("InvalidArgument", "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms").with("ArgumentName", "ApplyServerSideEncryptionByDefault")
	}
	return e, nil
}

func (e *encryptionConfiguration) write() []byte {
	var doc s3xml.Writer
	doc.Start("ServerSideEncryptionConfiguration", true)
	doc.Open("Rule")
	if d := e.Rule.Default; d != nil {
		doc.Open("ApplyServerSideEncryptionByDefault")
		doc.Elem("SSEAlgorithm", d.Algorithm)
		doc.Opt("KMSMasterKeyID", d.KeyID)
		doc.Close("ApplyServerSideEncryptionByDefault")
	}
	doc.Bool("BucketKeyEnabled", e.Rule.BucketKey)
	if e.Rule.Blocked != nil {
		doc.Open("BlockedEncryptionTypes")
		for _, t := range e.Rule.Blocked.Types {
			doc.Elem("EncryptionType", t)
		}
		doc.Close("BlockedEncryptionTypes")
	}
	doc.Close("Rule")
	return doc.End("ServerSideEncryptionConfiguration")
}

func getBucketEncryption(c *call) error {
	if _, err := c.needBucket(); err != nil {
		return err
	}
	return c.replyDoc(docEncryption, "ServerSideEncryptionConfigurationNotFoundError")
}

func putBucketEncryption(c *call) error {
	if _, err := c.needBucket(); err != nil {
		return err
	}
	data, err := c.readBody(maxXML, false)
	if err != nil {
		return err
	}
	conf, err := parseEncryption(data)
	if err != nil {
		return err
	}
	if err := c.tryKey(&conf); err != nil {
		return err
	}
	if err := c.setDoc(docEncryption, conf.write()); err != nil {
		return err
	}
	return c.reply(http.StatusOK)
}

// tryKey seals with the key that a configuration names: one that does not is refused now, not by every write.
func (c *call) tryKey(conf *encryptionConfiguration) error {
	d := conf.Rule.Default
	if d == nil {
		return nil
	}
	if c.s.Keys == nil {
		return errNoKeys()
	}
	name := keyName(d.KeyID)
	if name == "" {
		name = c.s.Keys.Default()
	}
	_, err := c.s.Keys.Seal(c.ctx, name, make([]byte, keyring.KeySize), nil)
	switch {
	case errors.Is(err, keyring.ErrNoKey):
		return errNoKey(name, err)
	case err != nil:
		return fmt.Errorf("seal with key %q: %w", name, err)
	}
	return nil
}
