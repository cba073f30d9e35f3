package s3gw

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/url"

	"github.com/objsrv/objsrv/storage"
)

// documentRoots are the settings of buckets that can be read as documents, by the names of their sub-resources, with the root
// elements that they have; a policy is JSON.
var documentRoots = map[string]string{
	"cors": "CORSConfiguration", "encryption": "ServerSideEncryptionConfiguration", "lifecycle": "LifecycleConfiguration", "logging": "BucketLoggingStatus",
	"notification": "NotificationConfiguration", "object-lock": "ObjectLockConfiguration", "ownershipControls": "OwnershipControls", "policy": "",
	"publicAccessBlock": "PublicAccessBlockConfiguration", "replication": "ReplicationConfiguration", "tagging": "Tagging", "versioning": "VersioningConfiguration", "website": "WebsiteConfiguration",
}

// Document returns a setting of a bucket as the upstream itself has it, whatever a gateway keeps of that kind. It is nil when there
// is none, it says nothing, or the upstream knows no such setting and answers something else. Errors: ErrUnavailable,
// ErrNoSuchBucket, ErrNotSupported for a name that is none, or what the upstream answered.
func (s *Store) Document(ctx context.Context, bucket, name string) ([]byte, error) {
	done, err := s.begin()
	if err != nil {
		return nil, err
	}
	defer done()
	what := "read " + name + " of bucket " + bucket
	root, ok := documentRoots[name]
	if !ok {
		return nil, wrap(what, storage.ErrNotSupported)
	}
	resp, err := s.client.read(ctx, &request{method: http.MethodGet, bucket: bucket, query: url.Values{name: {""}}})
	var e *Error
	if errors.As(err, &e) && (e.Status == http.StatusNotFound && e.Code != "NoSuchBucket" || e.sentinel() == storage.ErrNotSupported) {
		return nil, nil
	}
	if err != nil {
		return nil, wrap(what, err)
	}
	defer resp.Body.Close()
	doc, err := io.ReadAll(io.LimitReader(resp.Body, maxDocument))
	if err != nil {
		return nil, wrap(what, err)
	}
	if root == "" && !bytes.HasPrefix(bytes.TrimSpace(doc), []byte("{")) || root != "" && !says(doc, root) {
		return nil, nil
	}
	return doc, nil
}

// says tells whether a document has a root of this name with something in it.
func says(doc []byte, root string) bool {
	var v struct {
		XMLName xml.Name
		Any     []struct {
			XMLName xml.Name
		} `xml:",any"`
	}
	return xml.Unmarshal(doc, &v) == nil && v.XMLName.Local == root && len(v.Any) > 0
}
