package iam

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Sources of identities. A local user's qualified name is its name; that of an external one
// begins with the source and a colon, which no local name contains.
const (
	SourceLocal  = ""
	SourceLDAP   = "ldap"   // the distinguished name follows, as NormalDN writes it
	SourceOpenID = "openid" // the hash of subject and issuer
	SourceTLS    = "tls"    // the certificate's common name
	SourceCustom = "custom" // the name that the plugin gave
)

// maxQualified bounds a qualified name, in bytes: a record's name has room for it.
const maxQualified = 768

// QualifiedName joins a source and a name. A distinguished name gets its normal form; what is
// none stays as it is, and no user or group can have it.
func QualifiedName(source, name string) string {
	switch source {
	case SourceLocal:
		return name
	case SourceLDAP:
		if dn, err := NormalDN(name); err == nil {
			name = dn
		}
	}
	return source + ":" + name
}

// SplitName splits a qualified name. A name with an unknown source is local.
func SplitName(qualified string) (source, name string) {
	source, name, ok := strings.Cut(qualified, ":")
	if ok && isSource(source) {
		return source, name
	}
	return SourceLocal, qualified
}

func isSource(s string) bool {
	switch s {
	case SourceLDAP, SourceOpenID, SourceTLS, SourceCustom:
		return true
	}
	return false
}

// CheckUserName returns an error that Is ErrInvalid unless s can be a qualified user name: a
// local one is an access key, an external one has printable characters after its source.
func CheckUserName(s string) error {
	source, name := SplitName(s)
	if source == SourceLocal {
		return CheckAccessKey(s)
	}
	return checkExternal(s, name)
}

// CheckGroupName returns an error that Is ErrInvalid unless s can be a qualified group name.
// A local one follows the rule of policy names.
func CheckGroupName(s string) error {
	source, name := SplitName(s)
	if source != SourceLocal {
		return checkExternal(s, name)
	}
	if err := CheckPolicyName(s); err != nil {
		return fmt.Errorf("%w: a group name consists of 1 to 128 letters, digits and _ . @ + = -", ErrInvalid)
	}
	return nil
}

func checkExternal(qualified, name string) error {
	if name == "" || len(qualified) > maxQualified || !utf8.ValidString(name) || name != strings.TrimSpace(name) {
		return fmt.Errorf("%w: the name of an external identity has up to %d bytes of UTF-8", ErrInvalid, maxQualified)
	}
	for _, r := range name {
		if !unicode.IsPrint(r) {
			return fmt.Errorf("%w: the name of an external identity has printable characters only", ErrInvalid)
		}
	}
	if source, _ := SplitName(qualified); source == SourceLDAP {
		dn, err := NormalDN(name)
		if err == nil && dn != name {
			err = fmt.Errorf("%w: a distinguished name is written in its normal form here: %s", ErrInvalid, dn)
		}
		return err
	}
	return nil
}

func groupARN(account, name string) string { return "arn:aws:iam::" + account + ":group/" + name }
