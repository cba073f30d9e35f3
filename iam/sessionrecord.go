package iam

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// sessionRecord is a temporary credential of a user or of root.
type sessionRecord struct {
	Account   string
	AccessKey string
	Secret    string
	TokenHash string // SHA-256 of the session token, 32 bytes
	UserID    string
	UserName  string
	Via       string // the service key that asked for it
	ViaID     string // its id
	Name      string // RoleSessionName
	ARN       string
	Revoke    string
	Remote    string
	Bounds    []bounds
	Grants    *Grants
	Created   time.Time
	Expires   time.Time
}

// Sessions are by far the most records, and a start reads all of them. Theirs are not JSON, which
// would take more than half of the time of a start:
//
//	byte      format, 1
//	varint    time of creation, nanoseconds since 1970
//	varint    expiry, likewise
//	then each of texts, and the JSON of Bounds and of Grants, "" for none:
//	  uvarint length
//	  ...     bytes

// texts are the texts of a session in the order in which its record has them.
func (r *sessionRecord) texts() [12]*string {
	return [...]*string{
		&r.Account, &r.AccessKey, &r.Secret, &r.TokenHash, &r.UserID, &r.UserName,
		&r.Via, &r.ViaID, &r.Name, &r.ARN, &r.Revoke, &r.Remote,
	}
}

// encode makes the value of a session's record.
func (r *sessionRecord) encode() ([]byte, error) {
	b := make([]byte, 0, 512)
	b = append(b, formatVersion)
	b = binary.AppendVarint(b, r.Created.UnixNano())
	b = binary.AppendVarint(b, r.Expires.UnixNano())
	for _, s := range r.texts() {
		b = binary.AppendUvarint(b, uint64(len(*s)))
		b = append(b, *s...)
	}
	for _, part := range []struct {
		v    any
		none bool
	}{{r.Bounds, len(r.Bounds) == 0}, {r.Grants, r.Grants == nil}} {
		var doc []byte
		if !part.none {
			var err error
			if doc, err = encode(part.v); err != nil {
				return nil, err
			}
		}
		b = binary.AppendUvarint(b, uint64(len(doc)))
		b = append(b, doc...)
	}
	return b, nil
}

var errSessionShort = errors.New("decode session: it is too short")

// decode reads the value of a session's record and keeps nothing of it. All texts share one copy.
func (r *sessionRecord) decode(value []byte) error {
	if len(value) == 0 || value[0] != formatVersion {
		return errors.New("decode session: its format is not known")
	}
	rest := string(value[1:])
	for _, t := range []*time.Time{&r.Created, &r.Expires} {
		n, size := binary.Varint([]byte(rest[:min(len(rest), binary.MaxVarintLen64)]))
		if size <= 0 {
			return errSessionShort
		}
		*t, rest = time.Unix(0, n).UTC(), rest[size:]
	}
	var ok bool
	for _, s := range r.texts() {
		if *s, rest, ok = cutText(rest); !ok {
			return errSessionShort
		}
	}
	for _, v := range []any{&r.Bounds, &r.Grants} {
		var doc string
		if doc, rest, ok = cutText(rest); !ok {
			return errSessionShort
		}
		if doc == "" {
			continue
		}
		d := json.NewDecoder(strings.NewReader(doc))
		d.DisallowUnknownFields()
		if err := d.Decode(v); err != nil {
			return fmt.Errorf("decode session: %w", err)
		}
		if d.InputOffset() != int64(len(strings.TrimSpace(doc))) {
			return errors.New("decode session: text follows its restrictions")
		}
	}
	if rest != "" {
		return errors.New("decode session: something follows it")
	}
	return CheckAccount(r.Account)
}

// cutText takes a text with its length off the beginning of s.
func cutText(s string) (text, rest string, ok bool) {
	n, size := binary.Uvarint([]byte(s[:min(len(s), binary.MaxVarintLen64)]))
	if size <= 0 || n > uint64(len(s)-size) {
		return "", "", false
	}
	return s[size : size+int(n)], s[size+int(n):], true
}
