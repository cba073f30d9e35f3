package iam

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// attributeNames are other spellings of the attribute types of RFC 4514, section 3, by their
// lower-case form.
var attributeNames = map[string]string{
	"2.5.4.3": "cn", "commonname": "cn", "2.5.4.6": "c", "countryname": "c", "2.5.4.7": "l", "localityname": "l",
	"2.5.4.8": "st", "stateorprovincename": "st", "2.5.4.9": "street", "streetaddress": "street",
	"2.5.4.10": "o", "organizationname": "o", "2.5.4.11": "ou", "organizationalunitname": "ou",
	"0.9.2342.19200300.100.1.1": "uid", "userid": "uid", "0.9.2342.19200300.100.1.25": "dc", "domaincomponent": "dc",
}

// NormalDN returns the one spelling that distinguished names have here (RFC 4514): what differs in
// the case of types or values, in spaces around separators, in escapes or in the order within a
// part of several values is one name (S-212). Values are compared without regard to case, as
// directories do with the attributes that name people and groups. ErrInvalid when dn is none.
func NormalDN(dn string) (string, error) {
	var out strings.Builder
	var part []string
	for rest, more := dn, true; more; {
		kind, value, after, err := cutAttribute(rest)
		if err != nil {
			return "", fmt.Errorf("%w: %.200q is no distinguished name: %w", ErrInvalid, dn, err)
		}
		part = append(part, kind+"="+value)
		if more = after != ""; more {
			rest = after[1:]
			if after[0] == '+' {
				continue
			}
		}
		slices.Sort(part)
		out.WriteString(strings.Join(part, "+"))
		if more {
			out.WriteByte(',')
		}
		part = part[:0]
	}
	return out.String(), nil
}

// cutAttribute reads one type=value in front of s and returns both in their normal form, and what
// follows: "", or a separator and more.
func cutAttribute(s string) (kind, value, rest string, err error) {
	kind, s, ok := strings.Cut(s, "=")
	if kind = strings.ToLower(strings.Trim(kind, " ")); !ok || kind == "" {
		return "", "", "", errors.New("a part is not of the form type=value")
	}
	for _, c := range []byte(kind) {
		if !isWord(c) && c != '-' && c != '.' {
			return "", "", "", fmt.Errorf("%.64q is no attribute type", kind)
		}
	}
	if name, ok := attributeNames[kind]; ok {
		kind = name
	}
	s = strings.TrimLeft(s, " ")
	if strings.HasPrefix(s, "#") {
		value, rest, err = cutHexValue(s[1:])
		return kind, value, rest, err
	}
	raw, rest, err := cutValue(s)
	if err == nil && len(raw) == 0 {
		err = fmt.Errorf("the value of %.64q is empty", kind)
	}
	return kind, escapeValue(raw), rest, err
}

// cutValue undoes the escapes of a value (RFC 4514, section 2.4). Spaces at its end count only
// when they are escaped.
func cutValue(s string) (raw, rest string, err error) {
	var b []byte
	end := 0 // of b, without spaces that do not count
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case ',', '+':
			return string(b[:end]), s[i:], nil
		case '"', ';', '<', '>', 0:
			return "", "", fmt.Errorf("%q is not escaped", c)
		case '\\':
			if i++; i == len(s) {
				return "", "", errors.New("it ends in a backslash")
			}
			if strings.IndexByte(` "#+,;<=>\`, s[i]) >= 0 {
				b = append(b, s[i])
			} else {
				if i+2 > len(s) {
					return "", "", errors.New("an escape is not complete")
				}
				one, err := hex.DecodeString(s[i : i+2])
				if err != nil {
					return "", "", fmt.Errorf("%.3q is no escape", s[i-1:])
				}
				b = append(b, one...)
				i++
			}
			end = len(b)
		default:
			if b = append(b, c); c != ' ' {
				end = len(b)
			}
		}
	}
	return string(b[:end]), "", nil
}

// stringTags are the ASN.1 types whose encoding is the text itself: UTF8String, PrintableString,
// IA5String, and OCTET STRING.
const stringTags = "\x0c\x13\x16\x04"

// cutHexValue reads a value in its BER encoding. One that is text is the same as that text.
func cutHexValue(s string) (value, rest string, err error) {
	end := strings.IndexAny(s, ",+")
	if end < 0 {
		end = len(s)
	}
	b, err := hex.DecodeString(strings.TrimRight(s[:end], " "))
	if err != nil || len(b) < 2 {
		return "", "", errors.New("what follows # is not the encoding of a value")
	}
	if n := int(b[1]); strings.IndexByte(stringTags, b[0]) >= 0 && n < 0x80 && n == len(b)-2 && n > 0 {
		return escapeValue(string(b[2:])), s[end:], nil
	}
	return "#" + hex.EncodeToString(b), s[end:], nil
}

// escapeValue writes a value with no more escapes than needed and without what can't be printed.
func escapeValue(raw string) string {
	var b strings.Builder
	for i := 0; i < len(raw); {
		r, size := utf8.DecodeRuneInString(raw[i:])
		switch {
		case r == utf8.RuneError && size == 1, r != ' ' && !unicode.IsPrint(r):
			for _, c := range []byte(raw[i : i+size]) {
				fmt.Fprintf(&b, `\%02x`, c)
			}
		case strings.ContainsRune(`"+,;<>\`, r), i == 0 && (r == '#' || r == ' '), i == len(raw)-1 && r == ' ':
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(foldRune(r))
		}
		i += size
	}
	return b.String()
}

// foldRune maps all runes that strings.EqualFold takes for equal to the same one.
func foldRune(r rune) rune {
	least := r
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		least = min(least, f)
	}
	// The least of an orbit is its capital letter, if it has one.
	for low, f := unicode.ToLower(least), unicode.SimpleFold(least); f != least; f = unicode.SimpleFold(f) {
		if f == low {
			return low
		}
	}
	return least
}
