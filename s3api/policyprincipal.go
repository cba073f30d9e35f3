package s3api

import (
	"fmt"
	"strings"

	"github.com/objsrv/objsrv/iam/policy"
)

// A bucket policy names users by ARN and is stored with their unique ids, so that a user who is made anew
// under the name of a deleted one is not meant (IAM user guide, "AWS JSON policy elements: Principal").
// Read again, an id is an ARN while its user exists.

// storePrincipals returns the document as it is stored: data as it was sent when it names no user by ARN.
// A user who does not exist is refused, by ARN and by id.
func (c *call) storePrincipals(doc *policy.Document, data []byte) ([]byte, error) {
	return mapPrincipals(doc, data, func(v string) (string, error) {
		var ok bool
		switch {
		case strings.Contains(v, ":user/"):
			v, ok = c.s.IAM.PrincipalID(v)
		case isUserID(v):
			_, ok = c.s.IAM.PrincipalARN(v)
		default: // an account, or its root
			ok = true
		}
		if !ok {
			return "", errMalformedPolicy("Invalid principal in policy")
		}
		return v, nil
	})
}

// showPrincipals returns a stored document as it is answered.
func (c *call) showPrincipals(data []byte) ([]byte, error) {
	doc, err := policy.ParseStored(data, policy.Resource)
	if err != nil {
		return data, nil // who may read it should see what is wrong
	}
	return mapPrincipals(doc, data, func(v string) (string, error) {
		if arn, ok := c.s.IAM.PrincipalARN(v); isUserID(v) && ok {
			return arn, nil
		}
		return v, nil
	})
}

// mapPrincipals replaces the principals of a document; data, the document's text, is returned when none changes.
func mapPrincipals(doc *policy.Document, data []byte, to func(string) (string, error)) ([]byte, error) {
	changed := false
	for i := range doc.Statements {
		s := &doc.Statements[i]
		for _, p := range []*policy.Principals{s.Principal, s.NotPrincipal} {
			if p == nil {
				continue
			}
			for j, v := range p.AWS {
				got, err := to(v)
				if err != nil {
					return nil, err
				}
				changed = changed || got != v
				p.AWS[j] = got
			}
		}
	}
	if !changed {
		return data, nil
	}
	out, err := doc.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("print bucket policy: %w", err)
	}
	return out, nil
}

// isUserID tells whether a principal is a user's unique id rather than an account or an ARN.
func isUserID(v string) bool { return strings.HasPrefix(v, "AIDA") }
