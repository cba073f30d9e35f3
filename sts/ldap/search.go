package ldap

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-ldap/ldap/v3"

	"github.com/objsrv/objsrv/sts"
)

// noAttributes asks for names of entries only (RFC 4511, section 4.5.1.8).
const noAttributes = "1.1"

// search asks for at most n entries below base. Referrals are not followed: they name servers that
// nobody has chosen to trust with a password.
func search(c *conn, base string, scope, n int, filter string, attributes []string) ([]*ldap.Entry, error) {
	if len(attributes) == 0 {
		attributes = []string{noAttributes}
	}
	r := ldap.NewSearchRequest(base, scope, ldap.NeverDerefAliases, n, int(limit.Seconds()), false, filter, attributes, nil)
	r.EnforceSizeLimit = true
	found, err := c.Search(r)
	if err != nil {
		return nil, fmt.Errorf("search below %s with %s: %w", base, filter, err)
	}
	return found.Entries, nil
}

// tooMany tells whether a search ended because there is more than was asked for.
func tooMany(err error) bool {
	return ldap.IsErrorWithCode(err, ldap.LDAPResultSizeLimitExceeded) || errors.Is(err, ldap.ErrSizeLimitExceeded)
}

// findPerson returns the one entry that the name finds. Two would be a choice of ours (S-215).
func (d *Directory) findPerson(c *conn, name string) (*ldap.Entry, error) {
	var one *ldap.Entry
	var known string // its name in one spelling
	for _, base := range d.UserBases {
		list, err := search(c, base, ldap.ScopeWholeSubtree, 2, fill(d.UserFilter, name, ""), d.Attributes)
		if err != nil && !tooMany(err) {
			return nil, err
		}
		for _, e := range list {
			dn, derr := ldap.ParseDN(e.DN)
			if derr != nil || len(dn.RDNs) == 0 {
				return nil, wrong("the search below %s finds an entry without a name: %q", base, e.DN)
			}
			if one != nil && dn.String() != known {
				return nil, wrong("the search finds several people: %s and %s", one.DN, e.DN)
			}
			one, known = e, dn.String()
		}
		if err != nil {
			return nil, wrong("the search below %s finds several people", base)
		}
	}
	if one == nil {
		return nil, wrong("the search finds nobody")
	}
	return one, nil
}

// entry is what policies may know of a person. Distinguished names are written as MinIO has them in
// conditions: types in small letters, values as in the directory.
func (d *Directory) entry(e *ldap.Entry, name string) (*sts.DirectoryEntry, error) {
	dn, err := ldap.ParseDN(e.DN)
	if err != nil {
		return nil, fmt.Errorf("the name of the entry %q: %w", e.DN, err)
	}
	out := &sts.DirectoryEntry{DN: dn.String(), Name: name, Attributes: map[string][]string{}}
	for _, want := range d.Attributes {
		var values []string
		for _, v := range e.GetEqualFoldAttributeValues(want) {
			if utf8.ValidString(v) && !strings.ContainsRune(v, 0) { // pictures and such are for nobody here
				values = append(values, v)
			}
		}
		if len(values) > 0 {
			out.Attributes[want] = values
		}
	}
	return out, nil
}

// findGroups returns the names of the groups of a person, sorted. Whether groups in groups count the filter
// says; what contains itself ends nowhere here, since each filter is asked once (S-215).
func (d *Directory) findGroups(c *conn, name, dn string) ([]string, error) {
	if d.GroupFilter == "" {
		return nil, nil
	}
	var out []string
	seen := map[string]bool{}
	for _, base := range d.GroupBases {
		list, err := search(c, base, ldap.ScopeWholeSubtree, maxGroups, fill(d.GroupFilter, name, dn), nil)
		if err != nil && !tooMany(err) {
			return nil, err
		}
		if err != nil || len(out)+len(list) > maxGroups {
			return nil, fmt.Errorf("%w: %s is in more than %d groups: narrow GROUP_SEARCH_BASE_DN or GROUP_SEARCH_FILTER", sts.ErrTooManyGroups, dn, maxGroups)
		}
		for _, e := range list {
			parsed, err := ldap.ParseDN(e.DN)
			if err != nil || len(parsed.RDNs) == 0 {
				return nil, fmt.Errorf("the search for groups below %s finds an entry without a name: %q", base, e.DN)
			}
			if s := parsed.String(); !seen[s] {
				seen[s] = true
				out = append(out, s)
			}
		}
	}
	slices.Sort(out)
	return out, nil
}

// Review implements sts.Directory.
func (d *Directory) Review(ctx context.Context, people []sts.DirectoryEntry, each func(i int, now *sts.DirectoryEntry) error) error {
	for start := 0; start < len(people); start += reviewed {
		end := min(start+reviewed, len(people))
		if err := d.reviewSome(ctx, people[start:end], func(i int, now *sts.DirectoryEntry) error { return each(start+i, now) }); err != nil {
			return err
		}
	}
	return nil
}

// reviewed is how many people are asked for on one connection.
const reviewed = 100

func (d *Directory) reviewSome(ctx context.Context, people []sts.DirectoryEntry, each func(int, *sts.DirectoryEntry) error) error {
	ctx, cancel := context.WithTimeout(ctx, 6*limit)
	defer cancel()
	c, err := d.lookupConn(ctx)
	if err != nil {
		return err
	}
	defer c.close()
	// An account that has lost its right to read finds nobody, too. Then nobody is known to have gone.
	for _, base := range d.UserBases {
		if _, err := search(c, base, ldap.ScopeBaseObject, 1, "(objectClass=*)", nil); err != nil {
			return err
		}
	}
	for i := range people {
		p := &people[i]
		list, err := search(c, p.DN, ldap.ScopeBaseObject, 1, fillAny(d.UserFilter, p.Name), nil)
		switch {
		case err != nil && !ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject):
			return err
		case err != nil || len(list) == 0:
			if err := each(i, nil); err != nil {
				return err
			}
			continue
		}
		now := &sts.DirectoryEntry{DN: p.DN, Name: p.Name}
		if p.Name == "" && strings.Contains(d.GroupFilter, "%s") {
			now.Groups = p.Groups // nobody can tell
		} else if now.Groups, err = d.findGroups(c, p.Name, list[0].DN); err != nil {
			return err
		}
		if err := each(i, now); err != nil {
			return err
		}
	}
	return nil
}

// fillAny is fill for somebody whose login name may be unknown: then any will do, and where a filter
// has no way to say that, any entry.
func fillAny(filter, name string) string {
	switch {
	case name != "":
		return fill(filter, name, "")
	case strings.Contains(filter, ":=%s"):
		return "(objectClass=*)"
	}
	return strings.ReplaceAll(filter, "%s", "*")
}
