package ldap

import (
	"context"
	"crypto/tls"
	"fmt"
	"strings"

	"github.com/objsrv/objsrv/sts"
)

// Step is one step of a login as Trace tells of it.
type Step struct {
	Name   string
	Result string
	Failed bool // and nothing follows
}

// Trace does everything that a login with the name does but for the password, and tells of each
// step. The entry is nil unless all of them succeed. It is for administrators: it tells what a login
// never would.
func (d *Directory) Trace(ctx context.Context, name string) ([]Step, *sts.DirectoryEntry) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var steps []Step
	failed := func(step string, err error) bool {
		if err != nil {
			steps = append(steps, Step{step, err.Error(), true})
		}
		return err != nil
	}
	say := func(step, format string, args ...any) {
		steps = append(steps, Step{step, fmt.Sprintf(format, args...), false})
	}

	c, err := d.connect(ctx)
	if failed("connect", err) {
		return steps, nil
	}
	defer c.close()
	say("connect", "%s", d.connection(c))
	if d.LookupDN == "" {
		say("lookup", "nobody's rights are used")
	} else if failed("lookup", d.bindLookup(c)) {
		return steps, nil
	} else {
		say("lookup", "bound as %s", d.LookupDN)
	}
	if !plainName(name) {
		failed("person", wrong("the name is not printable, has spaces around it, or is longer than %d bytes", maxName))
		return steps, nil
	}
	filter := fill(d.UserFilter, name, "")
	found, err := d.findPerson(c, name)
	if err != nil {
		err = fmt.Errorf("%s below %s: %w", filter, strings.Join(d.UserBases, "; "), err)
	}
	if failed("person", err) {
		return steps, nil
	}
	e, err := d.entry(found, name)
	if failed("person", err) {
		return steps, nil
	}
	say("person", "%s finds %s", filter, e.DN)
	for _, a := range d.Attributes {
		say("attribute", "%s: %s", a, strings.Join(e.Attributes[a], ", "))
	}
	if d.GroupFilter == "" {
		say("groups", "no search for groups is set")
		return steps, e
	}
	if e.Groups, err = d.findGroups(c, name, found.DN); failed("groups", err) {
		return steps, nil
	}
	say("groups", "%s finds %d", fill(d.GroupFilter, name, found.DN), len(e.Groups))
	for _, g := range e.Groups {
		say("group", "%s", g)
	}
	return steps, e
}

// connection tells how a connection is protected.
func (d *Directory) connection(c *conn) string {
	to := d.Address
	if d.SRV != "" {
		to = "a server of " + to
	}
	state, ok := c.TLSConnectionState()
	switch {
	case !ok:
		return to + " without TLS"
	case d.SkipVerify:
		return fmt.Sprintf("%s with %s, the certificate was not looked at", to, tls.VersionName(state.Version))
	}
	return fmt.Sprintf("%s with %s, the certificate is right", to, tls.VersionName(state.Version))
}
