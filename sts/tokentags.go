package sts

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/objsrv/objsrv/iam"
)

// SessionTags are what a token says of its session (IAM user guide, "Passing session tags using
// AssumeRoleWithWebIdentity").
type SessionTags struct {
	Tags           map[string]string
	Transitive     []string // keys of Tags
	SourceIdentity string
}

// check judges the tags by the limits of the STS API reference.
func (t *SessionTags) check() error {
	bad := func(message string) error { return &Rejection{InvalidIdentityToken, message, ""} }
	seen := map[string]bool{}
	for key, value := range t.Tags {
		if n := utf8.RuneCountInString(key); n == 0 || n > maxTagKey || utf8.RuneCountInString(value) > maxTagValue {
			return bad("A session tag of the token has a key that is empty or longer than 128 characters, or a value longer than 256.")
		}
		if seen[strings.ToLower(key)] {
			return bad("The token has several session tags with the key " + printable(key) + ".")
		}
		seen[strings.ToLower(key)] = true
	}
	if len(seen) > maxTags {
		return bad("The token has more than 50 session tags.")
	}
	for _, key := range t.Transitive {
		if _, ok := t.Tags[key]; !ok {
			return bad("The token says that the session tag " + printable(key) + " is transitive, and has no such tag.")
		}
	}
	if t.SourceIdentity != "" && !sessionName.MatchString(t.SourceIdentity) {
		return bad("The source identity of the token has the form 2 to 64 letters, digits and _ + = , . @ -.")
	}
	return nil
}

// addTags adds the token's session tags and its source identity to g. The provider vouches for them as it
// does for policies, so they need no Allow; a Deny of sts:TagSession or sts:SetSourceIdentity counts.
func (c *call) addTags(user string, t *SessionTags, g *iam.Grants) error {
	if err := t.check(); err != nil {
		return c.trace.Fail("tags", c.rejected(actionWebIdentity, err))
	}
	c.told = t
	for _, ask := range []struct {
		action string
		there  bool
	}{{actionTagSession, len(t.Tags) > 0}, {actionSetSourceID, t.SourceIdentity != ""}} {
		if !ask.there {
			continue
		}
		if err := c.admit(ask.action, user, g); err != nil {
			return c.trace.Fail("tags", err)
		}
	}
	var keys []string
	for key, value := range t.Tags {
		g.Claims["aws:principaltag/"+strings.ToLower(key)] = []string{value}
		keys = append(keys, key)
	}
	slices.Sort(keys)
	if len(keys) > 0 {
		c.trace.Rule(Rule{Name: "tags", Claim: ClaimTags, Found: true, Values: keys, Used: keys, Result: "policies see them as aws:PrincipalTag/KEY"})
	}
	if t.SourceIdentity != "" {
		g.Claims["aws:sourceidentity"] = []string{t.SourceIdentity}
		c.trace.Rule(Rule{Name: "sourceIdentity", Claim: ClaimSourceIdentity, Found: true, Values: []string{t.SourceIdentity}, Used: []string{t.SourceIdentity},
			Result: "policies see it as aws:SourceIdentity"})
	}
	return nil
}

// Claims of a token that speak of its session (IAM user guide, as above). The members principal_tags and
// transitive_tag_keys of ClaimTags may also be claims of their own, with a slash before their names.
const (
	ClaimTags           = "https://aws.amazon.com/tags"
	ClaimSourceIdentity = "https://aws.amazon.com/source_identity"
)
