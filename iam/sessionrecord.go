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
	UserID    string
	UserName  string
	AccessKey string
	Secret    string
	TokenHash string // SHA-256 of the session token, 32 bytes
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

// texts are the texts of a session in the order in which its record has them; those of its user
// come first.
func (r *sessionRecord) texts() [12]*string {
	return [...]*string{
		&r.Account, &r.UserID, &r.UserName,
		&r.AccessKey, &r.Secret, &r.TokenHash, &r.Via, &r.ViaID, &r.Name, &r.ARN, &r.Revoke, &r.Remote,
	}
}

// ofUser is how many of texts are the user's.
const ofUser = 3

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

// decode reads the value of a session's record and keeps nothing of it. The texts of its user are
// those that known has, the others share one copy.
func (r *sessionRecord) decode(value []byte, known names) error {
	if len(value) == 0 || value[0] != formatVersion {
		return errors.New("decode session: its format is not known")
	}
	head := value[1:]
	for _, t := range []*time.Time{&r.Created, &r.Expires} {
		n, size := binary.Varint(head)
		if size <= 0 {
			return errSessionShort
		}
		*t, head = time.Unix(0, n).UTC(), head[size:]
	}
	texts := r.texts()
	for _, s := range texts[:ofUser] {
		text, rest, ok := take(head)
		if !ok {
			return errSessionShort
		}
		*s, head = known.of(text), rest
	}
	all := string(head)
	next := func() (string, bool) {
		text, rest, ok := take(head)
		if !ok {
			return "", false
		}
		head = rest
		end := len(all) - len(rest)
		return all[end-len(text) : end], true
	}
	for _, s := range texts[ofUser:] {
		var ok bool
		if *s, ok = next(); !ok {
			return errSessionShort
		}
	}
	for _, v := range []any{&r.Bounds, &r.Grants} {
		doc, ok := next()
		if !ok {
			return errSessionShort
		}
		if err := decodeTerms(doc, v); err != nil {
			return err
		}
	}
	if len(head) > 0 {
		return errors.New("decode session: something follows it")
	}
	return CheckAccount(r.Account)
}

// decodeTerms reads a JSON document of a session strictly into v; "" is none.
func decodeTerms(doc string, v any) error {
	if doc == "" {
		return nil
	}
	d := json.NewDecoder(strings.NewReader(doc))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("decode session: %w", err)
	}
	if d.InputOffset() != int64(len(strings.TrimSpace(doc))) {
		return errors.New("decode session: text follows its restrictions")
	}
	return nil
}

// take cuts a text with its length off the beginning of b.
func take(b []byte) (text, rest []byte, ok bool) {
	n, size := binary.Uvarint(b)
	if size <= 0 || n > uint64(len(b)-size) {
		return nil, nil, false
	}
	return b[size : size+int(n)], b[size+int(n):], true
}

// names are texts that many sessions have, each once: for the goroutine that makes snapshots.
type names map[string]string

// maxNames bounds the texts that are remembered, not those that are used.
const maxNames = 16 << 10

func (n names) of(b []byte) string {
	if s, ok := n[string(b)]; ok {
		return s
	}
	if len(n) >= maxNames {
		clear(n)
	}
	s := string(b)
	n[s] = s
	return s
}
