package iam

import (
	"bytes"
	"encoding/json"
	"reflect"
	"sort"
	"strings"
	"testing"
	"time"
)

func sampleSession() sessionRecord {
	at := time.Date(2026, 11, 26, 12, 0, 0, 123, time.UTC)
	return sessionRecord{
		Account: "123456789012", AccessKey: newSessionKey(at), Secret: "secret", TokenHash: strings.Repeat("\xff", 32), UserID: "AIDA1", UserName: "ldap:cn=ä",
		Via: "key", ViaID: "ABIA1", Name: "job", ARN: "arn:aws:sts::123456789012:assumed-role/r/job", Revoke: "type", Remote: "192.0.2.1",
		Bounds:  []bounds{{Document: json.RawMessage(`{"Version":"2012-10-17"}`), Policies: []string{"readonly"}}},
		Grants:  &Grants{Policies: []string{"p"}, Groups: []string{"g"}, Claims: map[string][]string{"jwt:sub": {"s"}}},
		Created: at, Expires: at.Add(time.Hour),
	}
}

func TestSessionRecord(t *testing.T) {
	bare := sampleSession()
	bare.Bounds, bare.Grants, bare.Name, bare.Via, bare.ViaID = nil, nil, "", "", ""
	for name, want := range map[string]sessionRecord{"full": sampleSession(), "bare": bare} {
		value, err := want.encode()
		if err != nil {
			t.Fatal(err)
		}
		var got sessionRecord
		if err := got.decode(value, names{}); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, want)
		}
		for n := range value {
			if err := new(sessionRecord).decode(value[:n], names{}); err == nil {
				t.Errorf("%s: cut after %d of %d bytes and not refused", name, n, len(value))
			}
		}
		if err := new(sessionRecord).decode(append(bytes.Clone(value), 0), names{}); err == nil {
			t.Errorf("%s: a byte follows and is not refused", name)
		}
		other := bytes.Clone(value)
		other[0]++
		if err := new(sessionRecord).decode(other, names{}); err == nil {
			t.Errorf("%s: another format is not refused", name)
		}
	}
}

// TestSessionRecordStrict: a restriction that this program does not know is never left out.
func TestSessionRecordStrict(t *testing.T) {
	value, err := new(sessionRecord).encode()
	if err != nil {
		t.Fatal(err)
	}
	r := sampleSession()
	r.Bounds, r.Grants = nil, nil
	if value, err = r.encode(); err != nil {
		t.Fatal(err)
	}
	none := value[:len(value)-2] // without the lengths of both documents
	for _, docs := range [][2]string{
		{`[{"policies":["p"],"more":1}]`, ""},
		{`[{"policies":["p"]}] {}`, ""},
		{`[`, ""},
		{"", `{"policies":["p"],"more":1}`},
		{"", `{}{}`},
	} {
		v := bytes.Clone(none)
		for _, d := range docs {
			v = append(v, byte(len(d)))
			v = append(v, d...)
		}
		if err := new(sessionRecord).decode(v, names{}); err == nil {
			t.Errorf("%q is not refused", docs)
		}
	}
}

// FuzzSessionRecord: what is read can be written, and is then the same.
func FuzzSessionRecord(f *testing.F) {
	r := sampleSession()
	value, err := r.encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(value)
	f.Add(value[:20])
	f.Add([]byte{formatVersion, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1})
	f.Fuzz(func(t *testing.T, value []byte) {
		var r, again sessionRecord
		if r.decode(value, names{}) != nil {
			return
		}
		written, err := r.encode()
		if err != nil {
			t.Fatal(err)
		}
		if err := again.decode(written, names{}); err != nil {
			t.Fatalf("%+v: %v", r, err)
		}
		rewritten, err := again.encode()
		if err != nil || !bytes.Equal(written, rewritten) {
			t.Fatalf("%q became %q, %v", written, rewritten, err)
		}
	})
}

// TestSessionKeys: the access keys of sessions sort by time, differ at one time, and are access keys.
func TestSessionKeys(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var keys []string
	for _, step := range []time.Duration{0, 20 * time.Microsecond, time.Millisecond, time.Second, time.Hour, 365 * 24 * time.Hour, 100 * 365 * 24 * time.Hour} {
		keys = append(keys, newSessionKey(at.Add(step)))
	}
	if !sort.StringsAreSorted(keys) {
		t.Errorf("not in order: %q", keys)
	}
	for _, k := range keys {
		if err := CheckAccessKey(k); err != nil || len(k) != 20 || !strings.HasPrefix(k, "ASIA") {
			t.Errorf("%q: %v", k, err)
		}
	}
	if a, b := newSessionKey(at), newSessionKey(at); a == b || a[:14] != b[:14] {
		t.Errorf("of one moment: %q, %q", a, b)
	}
}
