package iam

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/objsrv/objsrv/iam/store"
)

// Kinds of records in the store. Every record carries the account it belongs to and the
// version of its format; a record of a format that this program does not know counts
// as damaged, so that a rule it can't read is never left out.
const (
	kindDeployment = "deployment" // nameDeployment and nameTokenKey
	kindUser       = "user"       // by qualified user name
	kindGroup      = "group"      // by qualified group name
	kindKey        = "key"        // by access key
	kindSession    = "session"    // by access key, with the session's expiry
	kindPolicy     = "policy"     // by policy name
	kindAccount    = "account"    // by account id
	kindConfig     = "config"     // of package iam/config, which alone reads them
	kindBucket     = "bucket"     // settings of a gateway's buckets, which the program alone reads

	nameDeployment = "self"
	nameTokenKey   = "token-key"
	formatVersion  = 1
)

type header struct {
	Format  int    `json:"v"`
	Account string `json:"account"`
}

// deploymentRecord fixes what a deployment is born with.
type deploymentRecord struct {
	header
	Created time.Time `json:"created"`
}

// tokenKeyRecord is the key that signs session tokens, made once for a deployment.
type tokenKeyRecord struct {
	header
	Key []byte `json:"key"`
}

// userRecord is a user. Keys are its own, of which an external user has none; service keys and
// sessions name their user by its unique id.
type userRecord struct {
	header
	ID       string     `json:"id"`
	Name     string     `json:"name"`
	Disabled bool       `json:"disabled,omitempty"`
	Policies []string   `json:"policies,omitempty"`
	Groups   []groupRef `json:"groups,omitempty"`
	Keys     []string   `json:"keys,omitempty"`
	Created  time.Time  `json:"created"`
	Updated  time.Time  `json:"updated"`
}

// isRoot tells whether it is the root of its account, whose unique id is the account's.
func (u *userRecord) isRoot() bool { return u.ID == u.Account }

// groupRef is a membership. It counts only while the group of the name has the id.
type groupRef struct {
	Name string `json:"name"`
	ID   string `json:"id"`
}

// groupRecord is a group. Its members are in the records of the users.
type groupRecord struct {
	header
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Disabled bool      `json:"disabled,omitempty"`
	Policies []string  `json:"policies,omitempty"`
	Created  time.Time `json:"created"`
	Updated  time.Time `json:"updated"`
}

// keyRecord is an access key of the user whose id is UserID, or of root, whose id is the
// account. UserName is there to tell an owner whose record is damaged from one that is gone.
type keyRecord struct {
	header
	AccessKey string    `json:"accessKey"`
	Secret    string    `json:"secret"`
	UserID    string    `json:"userId"`
	UserName  string    `json:"userName"`
	Disabled  bool      `json:"disabled,omitempty"`
	Created   time.Time `json:"created"`
	// The rest belongs to service keys.
	Service     bool      `json:"service,omitempty"`
	ID          string    `json:"id,omitempty"` // tells the key from a later one of its name
	Name        string    `json:"name,omitempty"`
	Description string    `json:"description,omitempty"`
	Policy      document  `json:"policy,omitempty"`
	Bounds      []bounds  `json:"bounds,omitempty"` // of the credential that made it
	Grants      *Grants   `json:"grants,omitempty"`
	Expires     time.Time `json:"expires,omitzero"`
	Updated     time.Time `json:"updated,omitzero"`
}

// document is the text of a policy inside a record.
type document = json.RawMessage

// bounds is one restriction of a credential: what neither the document nor one of the
// policies allows is denied.
type bounds struct {
	Document document `json:"document,omitempty"`
	Policies []string `json:"policies,omitempty"`
}

// policyRecord is a policy made by an administrator.
type policyRecord struct {
	header
	Name     string          `json:"name"`
	Document json.RawMessage `json:"document"`
	Created  time.Time       `json:"created"`
	Updated  time.Time       `json:"updated"`
}

// encode makes the value of a record.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode record: %w", err)
	}
	return b.Bytes(), nil
}

// decode reads the value of a record strictly into v, whose header is h.
func decode(value []byte, v any, h *header) error {
	d := decoders.Get().(*decoder)
	if err := d.decode(value, v); err != nil {
		return fmt.Errorf("decode record: %w", err) // d may be out of step now
	}
	decoders.Put(d)
	if h.Format != formatVersion {
		return fmt.Errorf("decode record: format %d is not known", h.Format)
	}
	return CheckAccount(h.Account)
}

// read reads a record for a change, from the store, into v, whose header is h. The errors are
// absent, ErrDamaged and those of domainError.
func (s *Service) read(ctx context.Context, kind, name string, v any, h *header, absent error) (revision uint64, err error) {
	r, err := s.store.Get(ctx, kind, name)
	if errors.Is(err, store.ErrNotFound) {
		return 0, absent
	}
	if err != nil {
		return 0, domainError(err)
	}
	if err := decode(r.Value, v, h); err != nil {
		return 0, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return r.Revision, nil
}

// decoder decodes one record after the other with one buffer: a json.Decoder of its own would
// take more memory for each record than the record, which counts when 100 000 users are read.
type decoder struct {
	src bytes.Reader
	dec *json.Decoder
}

// decoders keeps decoders for the next record, since each has a buffer.
var decoders = sync.Pool{New: func() any {
	d := &decoder{}
	d.dec = json.NewDecoder(&d.src)
	d.dec.DisallowUnknownFields()
	return d
}}

func (d *decoder) decode(value []byte, v any) error {
	d.src.Reset(value)
	if err := d.dec.Decode(v); err != nil {
		return err
	}
	// The decoder stops at the end of the value, which its buffer may end with as well: then the
	// line end that encode writes is still to be read.
	for _, r := range []io.Reader{d.dec.Buffered(), &d.src} {
		rest, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		if len(bytes.TrimSpace(rest)) > 0 {
			return errors.New("text follows it")
		}
	}
	return nil
}
