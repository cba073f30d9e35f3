package s3api

import (
	"strings"
	"testing"
)

// TestCreateBucketAgain: one's own bucket is created again without a change, and not when it lacks what is asked for.
func TestCreateBucketAgain(t *testing.T) {
	const exists = "BucketAlreadyOwnedByYou"
	tags := func(pairs ...string) string {
		var b strings.Builder
		for i := 0; i < len(pairs); i += 2 {
			b.WriteString("<Tag><Key>" + pairs[i] + "</Key><Value>" + pairs[i+1] + "</Value></Tag>")
		}
		return `<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Tags>` + b.String() + "</Tags></CreateBucketConfiguration>"
	}
	const public, private, lock, enforced = "x-amz-acl: public-read", "x-amz-acl: private", "x-amz-bucket-object-lock-enabled: true", "x-amz-object-ownership: BucketOwnerEnforced"
	for _, row := range []struct {
		name          string
		first, second []string
		tags, again   string
		differs       string // "" when the second is 200
	}{
		{name: "plain"},
		{name: "of a plain one, public", second: []string{public}, differs: "access control list"},
		{name: "of a plain one, private", second: []string{private}},
		{name: "of a public one, plain", first: []string{public}},
		{name: "of a public one, public", first: []string{public}, second: []string{public}},
		{name: "of a public one, private", first: []string{public}, second: []string{private}, differs: "access control list"},
		{name: "of a public one, with a grant", first: []string{public}, second: []string{`x-amz-grant-write: uri="http://acs.amazonaws.com/groups/global/AllUsers"`}, differs: "access control list"},
		{name: "of one without lock, with it", second: []string{lock}, differs: "object lock"},
		{name: "of one with lock, with it", first: []string{lock}, second: []string{lock}},
		{name: "of one with lock, plain", first: []string{lock}},
		{name: "with another ownership", second: []string{enforced}, differs: "object ownership"},
		{name: "with the same ownership", first: []string{enforced}, second: []string{enforced}},
		{name: "with other tags", tags: tags("a", "b"), again: tags("a", "c"), differs: "tagging"},
		{name: "with the same tags", tags: tags("a", "b", "c", "d"), again: tags("a", "b", "c", "d")},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := newAccounts(t, ObjectWriter)
			a.wants(200, "", "owner", "PUT", "/again", row.tags, row.first...)
			status, code := 200, ""
			if row.differs != "" {
				status, code = 409, exists
			}
			before := a.wants(200, "", "owner", "GET", "/again?acl", "").body
			got := a.wants(status, code, "owner", "PUT", "/again", row.again, row.second...)
			if row.differs != "" && !strings.Contains(got.body, "Its "+row.differs) {
				t.Errorf("does not say that the %s differs: %s", row.differs, got.body)
			}
			if after := a.wants(200, "", "owner", "GET", "/again?acl", "").body; after != before {
				t.Errorf("the list has become %s", after)
			}
		})
	}
}
