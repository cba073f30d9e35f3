package sts

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/objsrv/objsrv/iam"
)

// Forms of parameters (STS API reference, AssumeRole).
var (
	sessionName = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)
	roleARN     = regexp.MustCompile(`^arn:[a-z-]+:iam:[a-z0-9-]*:[0-9]*:role/[\x21-\x7e]{1,512}$`)
	policyARN   = regexp.MustCompile(`^arn:[a-z-]+:iam::([0-9]{12}|aws|):policy/(.{1,128})$`)
	externalID  = regexp.MustCompile(`^[\w+=,.@:/-]{2,}$`) // and at most 1224 long
)

// Limits of AssumeRole's lists.
const (
	maxPolicyARNs = 10
	maxTags       = 50
	maxTagKey     = 128
	maxTagValue   = 256
)

// check refuses parameters that the action does not have: what is not known might have narrowed
// what is asked for.
func (c *call) check() error {
	for name := range c.form {
		if name == "Action" || name == "Version" {
			continue
		}
		known := name
		if family := familyOf(name); family != name {
			known = family + ".member"
		}
		switch {
		case slices.Contains(c.op.params, known):
		case slices.Contains(c.op.lacks, known):
			return &Error{http.StatusNotImplemented, "NotImplemented", "This server does not implement " + familyOf(known) + " of " + c.op.name + "."}
		default:
			return invalid("%s takes no parameter %s.", c.op.name, printable(name))
		}
	}
	return nil
}

// familyOf is the name of the list that a parameter is a member of, or the parameter's own.
func familyOf(name string) string {
	family, _, _ := strings.Cut(name, ".member")
	return family
}

// duration reads DurationSeconds. A configured duration wins over what is asked for.
func (c *call) duration(def, longest time.Duration) (time.Duration, error) {
	v := c.form.Get("DurationSeconds")
	if v == "" && !c.form.Has("DurationSeconds") {
		if c.Duration > 0 {
			def = c.Duration
		}
		return def, nil
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n < int64(iam.MinSession/time.Second) || n > int64(longest/time.Second) || strings.HasPrefix(v, "+") {
		return 0, invalid("DurationSeconds is a number from %d to %d.", int(iam.MinSession.Seconds()), int(longest.Seconds()))
	}
	if c.Duration > 0 {
		return c.Duration, nil
	}
	return time.Duration(n) * time.Second, nil
}

// sessionPolicy reads Policy and PolicyArns.
func (c *call) sessionPolicy() (doc json.RawMessage, names []string, err error) {
	if c.form.Has("Policy") {
		doc = json.RawMessage(c.form.Get("Policy"))
		if n := utf8.RuneCount(doc); n == 0 || n > iam.MaxSessionPolicy {
			return nil, nil, invalid("Policy has 1 to %d characters.", iam.MaxSessionPolicy)
		}
	}
	for i := 1; ; i++ {
		name := "PolicyArns.member." + strconv.Itoa(i) + ".arn"
		if !c.form.Has(name) {
			break
		}
		m := policyARN.FindStringSubmatch(c.form.Get(name))
		if m == nil || i > maxPolicyARNs {
			return nil, nil, invalid("%s is not the ARN of a policy, or one of more than %d.", name, maxPolicyARNs)
		}
		names = append(names, m[2][strings.LastIndexByte(m[2], '/')+1:])
	}
	if len(names) != c.members("PolicyArns") {
		return nil, nil, invalid("PolicyArns.member is numbered from 1.")
	}
	return doc, names, nil
}

// members counts the parameters of a list.
func (c *call) members(family string) (n int) {
	for name := range c.form {
		if strings.HasPrefix(name, family+".member.") {
			n++
		}
	}
	return n
}

// sessionTags are those of the form, or of the token.
func (c *call) sessionTags() (map[string]string, error) {
	if c.told != nil {
		return c.told.Tags, nil
	}
	return c.tags()
}

// tags reads Tags. Keys that differ in case only are the same key.
func (c *call) tags() (map[string]string, error) {
	out := map[string]string{}
	seen := map[string]bool{}
	for i := 1; ; i++ {
		prefix := "Tags.member." + strconv.Itoa(i) + "."
		if !c.form.Has(prefix + "Key") {
			break
		}
		key, value := c.form.Get(prefix+"Key"), c.form.Get(prefix+"Value")
		if n := utf8.RuneCountInString(key); n == 0 || n > maxTagKey || utf8.RuneCountInString(value) > maxTagValue || !utf8.ValidString(key+value) {
			return nil, invalid("The key of a tag has 1 to %d characters, its value at most %d.", maxTagKey, maxTagValue)
		}
		if seen[strings.ToLower(key)] || i > maxTags {
			return nil, invalid("Tags has at most %d members with different keys.", maxTags)
		}
		seen[strings.ToLower(key)] = true
		out[key] = value
	}
	given := 0
	for i := 1; i <= len(out); i++ {
		for _, part := range []string{"Key", "Value"} {
			if c.form.Has("Tags.member." + strconv.Itoa(i) + "." + part) {
				given++
			}
		}
	}
	if given != c.members("Tags") {
		return nil, invalid("Tags.member is numbered from 1, with Key and Value.")
	}
	return out, nil
}

// conditions answers the condition keys that a request of STS has (Service Authorization
// Reference, "AWS Security Token Service").
type conditions struct{ c *call }

// Values implements iam.Conditions.
func (cs conditions) Values(key string) ([]string, bool) {
	c := cs.c
	v := c.ev.Condition(key, c.r.Referer())
	switch key {
	case "sts:durationseconds":
		if v = c.form.Get("DurationSeconds"); c.lasts > 0 {
			v = strconv.Itoa(int(c.lasts.Round(time.Second).Seconds()))
		}
	case "sts:rolesessionname":
		v = c.form.Get("RoleSessionName")
	case "sts:externalid":
		v = c.form.Get("ExternalId")
	case "sts:sourceidentity":
		if v = c.form.Get("SourceIdentity"); c.told != nil {
			v = c.told.SourceIdentity
		}
	case "sts:transitivetagkeys":
		if c.told != nil {
			return c.told.Transitive, len(c.told.Transitive) > 0
		}
		var keys []string
		for i := 1; i <= c.members("TransitiveTagKeys"); i++ {
			keys = append(keys, c.form.Get("TransitiveTagKeys.member."+itoa(i)))
		}
		return keys, len(keys) > 0
	case "aws:tagkeys":
		tags, err := c.sessionTags()
		var keys []string
		for k := range tags {
			keys = append(keys, k)
		}
		return keys, err == nil && len(keys) > 0
	default:
		if name, ok := strings.CutPrefix(key, "aws:requesttag/"); ok {
			tags, err := c.sessionTags()
			for k, v := range tags {
				if err == nil && strings.EqualFold(k, name) {
					return []string{v}, true
				}
			}
		}
	}
	return []string{v}, v != ""
}
