package oidc

import (
	"strings"

	"github.com/objsrv/objsrv/sts"
)

// sessionTags reads what a token says of its session, in either of the shapes that AWS takes: members of the
// claim for tags, or claims of their own. Keycloak's mapper for JSON makes a list with the object in it. What
// is there and can't be read is refused, since policies may rest on it.
func sessionTags(claims map[string]any) (t sts.SessionTags, err error) {
	t.Tags = map[string]string{}
	if v, ok := claims[sts.ClaimTags]; ok {
		if list, ok := v.([]any); ok && len(list) == 1 {
			v = list[0]
		}
		object, ok := v.(map[string]any)
		if !ok {
			return t, invalid("The claim %q is not an object with the members principal_tags and transitive_tag_keys.", sts.ClaimTags)
		}
		if err := addTagMembers(&t, object); err != nil {
			return t, err
		}
	}
	for name, v := range claims {
		rest, ok := strings.CutPrefix(name, sts.ClaimTags+"/")
		key, tag := strings.CutPrefix(rest, "principal_tags/")
		switch {
		case !ok:
		case tag:
			err = addTag(&t, key, v)
		case rest == "transitive_tag_keys":
			err = addTransitive(&t, v)
		}
		if err != nil {
			return t, err
		}
	}
	if v, ok := claims[sts.ClaimSourceIdentity]; ok {
		if t.SourceIdentity, ok = v.(string); !ok || t.SourceIdentity == "" {
			return t, invalid("The claim %q is no string.", sts.ClaimSourceIdentity)
		}
	}
	return t, nil
}

func addTagMembers(t *sts.SessionTags, object map[string]any) error {
	if v, ok := object["principal_tags"]; ok {
		tags, ok := v.(map[string]any)
		if !ok {
			return invalid("The member principal_tags of the claim %q is no object.", sts.ClaimTags)
		}
		for key, v := range tags {
			if err := addTag(t, key, v); err != nil {
				return err
			}
		}
	}
	if v, ok := object["transitive_tag_keys"]; ok {
		return addTransitive(t, v)
	}
	return nil
}

// addTag adds one tag, whose value is a string or a list with one string.
func addTag(t *sts.SessionTags, key string, v any) error {
	values, ok := text(v)
	if !ok || len(values) != 1 {
		return invalid("The session tag %.128q of the token is neither a string nor a list with one string.", key)
	}
	if old, twice := t.Tags[key]; twice && old != values[0] {
		return invalid("The token has the session tag %.128q twice, with different values.", key)
	}
	t.Tags[key] = values[0]
	return nil
}

func addTransitive(t *sts.SessionTags, v any) error {
	keys, ok := text(v)
	if list, empty := v.([]any); !ok && !(empty && len(list) == 0) {
		return invalid("The transitive_tag_keys of the token are no list of strings.")
	}
	t.Transitive = append(t.Transitive, keys...)
	return nil
}
