package iam

import (
	"strings"
	"testing"
)

// TestDecodeLengths: a record is read whatever its length, with a decoder that is new and with one that
// is not; what follows a record is refused whatever the length.
func TestDecodeLengths(t *testing.T) {
	used := decoders.New().(*decoder)
	for n := range 5000 {
		value, err := encode(policyRecord{header: header{formatVersion, "123456789012"}, Name: strings.Repeat("x", n)})
		if err != nil {
			t.Fatal(err)
		}
		for name, d := range map[string]*decoder{"new": decoders.New().(*decoder), "used": used} {
			var r policyRecord
			if err := d.decode(value, &r); err != nil || len(r.Name) != n {
				t.Fatalf("%d bytes, %s decoder: %d, %v", len(value), name, len(r.Name), err)
			}
		}
		var r policyRecord
		if err := decoders.New().(*decoder).decode(append(value, "{}"...), &r); err == nil {
			t.Fatalf("%d bytes: text follows, and is not refused", len(value))
		}
	}
}
