package s3api

import (
	"encoding/xml"
	"net/http"
	"unicode/utf8"

	"github.com/objsrv/objsrv/s3api/s3xml"
	"github.com/objsrv/objsrv/storage"
)

// docTagging names the tagging document among a bucket's documents: the Tagging XML as
// it is answered.
const docTagging = "tagging"

// maxBucketTags is the limit of tags on a bucket (S3 user guide, "Using cost allocation S3 bucket tags").
const maxBucketTags = 50

// xmlTag is a tag as documents have it.
type xmlTag struct {
	Key   string `xml:"Key"`
	Value string `xml:"Value"`
}

// notConfigured answers a read of a setting that no bucket here has, with AWS's code for it.
func notConfigured(code string) func(*call) error {
	return func(c *call) error {
		if _, err := c.needBucket(); err != nil {
			return err
		}
		return errorf(code, "%s", notConfiguredText[code]).with("BucketName", c.bucket)
	}
}

var notConfiguredText = map[string]string{
	"NoSuchBucketPolicy":                             "The bucket policy does not exist",
	"NoSuchConfiguration":                            "The specified configuration does not exist.",
	"NoSuchCORSConfiguration":                        "The CORS configuration does not exist",
	"NoSuchLifecycleConfiguration":                   "The lifecycle configuration does not exist",
	"NoSuchPublicAccessBlockConfiguration":           "The public access block configuration was not found",
	"NoSuchTagSet":                                   "The TagSet does not exist",
	"NoSuchWebsiteConfiguration":                     "The specified bucket does not have a website configuration",
	"ObjectLockConfigurationNotFoundError":           "Object Lock configuration does not exist for this bucket",
	"OwnershipControlsNotFoundError":                 "The bucket ownership controls were not found",
	"ReplicationConfigurationNotFoundError":          "The replication configuration was not found",
	"ServerSideEncryptionConfigurationNotFoundError": "The server side encryption configuration was not found",
}

// emptyDocument answers a read of a setting whose unset form is an empty document.
func emptyDocument(root string) func(*call) error {
	return func(c *call) error {
		if _, err := c.needBucket(); err != nil {
			return err
		}
		var doc s3xml.Writer
		doc.Start(root, true)
		return c.replyXML(http.StatusOK, doc.End(root))
	}
}

// emptyList answers a list of configurations of which there are none.
func emptyList(root string) func(*call) error {
	return func(c *call) error {
		if _, err := c.needBucket(); err != nil {
			return err
		}
		var doc s3xml.Writer
		doc.Start(root, true)
		doc.Bool("IsTruncated", false)
		return c.replyXML(http.StatusOK, doc.End(root))
	}
}

// nothingToDelete answers the removal of a setting that is never set: S3 says 204.
func nothingToDelete(c *call) error {
	if _, err := c.needBucket(); err != nil {
		return err
	}
	return c.reply(http.StatusNoContent)
}

func getBucketRequestPayment(c *call) error {
	if _, err := c.needBucket(); err != nil {
		return err
	}
	var doc s3xml.Writer
	doc.Start("RequestPaymentConfiguration", true)
	doc.Elem("Payer", "BucketOwner")
	return c.replyXML(http.StatusOK, doc.End("RequestPaymentConfiguration"))
}

func getBucketVersioning(c *call) error {
	b, err := c.needBucket()
	if err != nil {
		return err
	}
	var doc s3xml.Writer
	doc.Start("VersioningConfiguration", true)
	switch b.Versioning {
	case storage.VersioningEnabled:
		doc.Elem("Status", "Enabled")
	case storage.VersioningSuspended:
		doc.Elem("Status", "Suspended")
	}
	return c.replyXML(http.StatusOK, doc.End("VersioningConfiguration"))
}

func putBucketVersioning(c *call) error {
	if _, err := c.needBucket(); err != nil {
		return err
	}
	var conf struct {
		XMLName   xml.Name `xml:"VersioningConfiguration"`
		Status    string   `xml:"Status"`
		MFADelete string   `xml:"MfaDelete"`
		// MinIO's exceptions.
		Prefixes []struct {
			Prefix string `xml:"Prefix"`
		} `xml:"ExcludedPrefixes"`
		Folders bool `xml:"ExcludeFolders"`
	}
	if err := c.readXML(maxXML, false, &conf); err != nil {
		return err
	}
	if conf.MFADelete == "Enabled" {
		return errorf("NotImplemented", "MFA delete is not implemented.")
	}
	if len(conf.Prefixes) > 0 || conf.Folders {
		return errorf("NotImplemented", "Prefixes and folders without versioning are not implemented.")
	}
	states := map[string]storage.Versioning{"Enabled": storage.VersioningEnabled, "Suspended": storage.VersioningSuspended}
	state, ok := states[conf.Status]
	if !ok {
		return errorf("IllegalVersioningConfigurationException", "The versioning configuration specified in the request is invalid: Status is Enabled or Suspended.")
	}
	err := c.s.Backend.UpdateBucket(c.ctx, c.bucket, func(b *storage.Bucket) error {
		if b.ObjectLock && state == storage.VersioningSuspended {
			return errorf("InvalidBucketState", "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.")
		}
		b.Versioning = state
		return nil
	})
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK)
}

// bucketTagging is the body of PutBucketTagging.
type bucketTagging struct {
	XMLName xml.Name `xml:"Tagging"`
	TagSet  *struct {
		Tag []xmlTag `xml:"Tag"`
	} `xml:"TagSet"`
}

func getBucketTagging(c *call) error {
	b, err := c.needBucket()
	if err != nil {
		return err
	}
	doc, ok := b.Docs[docTagging]
	if !ok {
		return notConfigured("NoSuchTagSet")(c)
	}
	return c.replyXML(http.StatusOK, doc)
}

func putBucketTagging(c *call) error {
	if _, err := c.needBucket(); err != nil {
		return err
	}
	var conf bucketTagging
	if err := c.readXML(maxXML, false, &conf); err != nil {
		return err
	}
	if conf.TagSet == nil {
		return errMalformedXML()
	}
	doc, err := encodeTags(conf.TagSet.Tag, maxBucketTags)
	if err != nil {
		return err
	}
	if err := c.setDoc(docTagging, doc); err != nil {
		return err
	}
	return c.reply(http.StatusNoContent)
}

func deleteBucketTagging(c *call) error {
	if _, err := c.needBucket(); err != nil {
		return err
	}
	if err := c.setDoc(docTagging, nil); err != nil {
		return err
	}
	return c.reply(http.StatusNoContent)
}

// setDoc stores or removes (nil) one of the bucket's documents.
func (c *call) setDoc(name string, doc []byte) error {
	return c.s.Backend.UpdateBucket(c.ctx, c.bucket, func(b *storage.Bucket) error {
		if doc == nil {
			delete(b.Docs, name)
			return nil
		}
		if b.Docs == nil {
			b.Docs = map[string][]byte{}
		}
		b.Docs[name] = doc
		return nil
	})
}

// encodeTags validates a tag set and returns its Tagging document.
func encodeTags(tags []xmlTag, most int) ([]byte, error) {
	if err := checkTags(tags, most); err != nil {
		return nil, err
	}
	var doc s3xml.Writer
	doc.Start("Tagging", true)
	doc.Open("TagSet")
	for _, t := range tags {
		doc.Open("Tag")
		doc.Elem("Key", t.Key)
		doc.Elem("Value", t.Value)
		doc.Close("Tag")
	}
	doc.Close("TagSet")
	return doc.End("Tagging"), nil
}

// checkTags applies the limits of S3: number, unique keys, 128 and 256 characters.
func checkTags(tags []xmlTag, most int) error {
	if len(tags) > most {
		return errorf("BadRequest", "Object tags cannot be greater than %d", most)
	}
	seen := make(map[string]bool, len(tags))
	for _, t := range tags {
		switch {
		case t.Key == "" || utf8.RuneCountInString(t.Key) > 128 || !utf8.ValidString(t.Key):
			return errorf("InvalidTag", "The TagKey you have provided is invalid").with("TagKey", t.Key)
		case utf8.RuneCountInString(t.Value) > 256 || !utf8.ValidString(t.Value):
			return errorf("InvalidTag", "The TagValue you have provided is invalid").with("TagValue", t.Value)
		case seen[t.Key]:
			return errorf("InvalidTag", "Cannot provide multiple Tags with the same key").with("TagKey", t.Key)
		}
		seen[t.Key] = true
	}
	return nil
}
