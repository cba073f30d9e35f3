package sts

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/objsrv/objsrv/iam"
)

// Directory proves who somebody is by a name and a password.
type Directory interface {
	// Login returns the entry of the person. Errors: ErrWrongLogin, which takes the same time whatever
	// was wrong; ErrTooManyGroups; others say that the directory can't be asked.
	Login(ctx context.Context, name, password string) (*DirectoryEntry, error)
	// Review asks for people that were there once: their DN, and Name unless it is "". It tells each
	// of the place in the list and of what the person is now, nil for somebody who has gone; what
	// each returns ends it. An error says that the directory can't be asked, or gives no answer that
	// can be relied on.
	Review(ctx context.Context, people []DirectoryEntry, each func(i int, now *DirectoryEntry) error) error
}

// DirectoryEntry is a person as the directory knows it.
type DirectoryEntry struct {
	DN         string              // of the entry
	Name       string              // with which the person has logged in
	Groups     []string            // distinguished names
	Attributes map[string][]string // those that are set for policies, by their names
}

// Errors of Directory.
var (
	ErrWrongLogin    = errors.New("user name or password wrong")
	ErrTooManyGroups = errors.New("too many groups")
)

// actionLDAP is MinIO's name for it. A policy that denies it refuses the session.
const actionLDAP = "sts:AssumeRoleLDAPIdentity"

type ldapIdentityResponse struct {
	XMLName xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ AssumeRoleWithLDAPIdentityResponse"`
	Result  struct {
		AssumedRoleUser  assumedRoleUser
		Credentials      credentials
		PackedPolicySize *int `xml:",omitempty"`
	} `xml:"AssumeRoleWithLDAPIdentityResult"`
	Metadata metadata `xml:"ResponseMetadata"`
}

// assumeRoleWithLDAPIdentity issues a session to who has proven to be a person of the directory.
// Who has not learns nothing else: not whether there is such a person, and not what is wrong with
// the rest of the request's rights.
func (c *call) assumeRoleWithLDAPIdentity() error {
	i, err := c.issueByDirectory()
	if err != nil {
		return err
	}
	var out ldapIdentityResponse
	out.Result.AssumedRoleUser = assumedRoleUser{Arn: i.n.ARN, AssumedRoleID: i.cred.Identity.ID + ":" + i.n.Name}
	out.Result.Credentials, out.Result.PackedPolicySize = shown(&i.cred, &i.session), packedSize(&i.n)
	out.Metadata.RequestID = c.ev.ID
	c.write(http.StatusOK, out)
	return nil
}

// issueByDirectory proves the login and issues a session.
func (c *call) issueByDirectory() (i issued, err error) {
	if i.n, err = c.ldapRequest(); err != nil {
		return i, err
	}
	e, err := c.login()
	if err != nil {
		return i, err
	}
	i.n.External = iam.QualifiedName(iam.SourceLDAP, e.DN)
	c.ev.Principal = i.n.External
	if i.n.Grants, err = c.directoryGrants(i.n.External, e); err != nil {
		return i, err
	}
	i.n.Name = "session"
	if sessionName.MatchString(e.Name) {
		i.n.Name = e.Name
	}
	i.n.ARN = "arn:aws:sts::" + c.IAM.Account() + ":assumed-role/ldap/" + i.n.Name
	if i.session, i.cred, err = c.IAM.CreateSession(c.r.Context(), i.n); err == nil {
		c.ev.Principal = i.n.ARN
	}
	return i, err
}

// ldapRequest reads what the request says of the session.
func (c *call) ldapRequest() (n iam.NewSession, err error) {
	if err = c.check(); err != nil {
		return n, err
	}
	if c.form.Get("LDAPUsername") == "" {
		return n, invalid("The parameter LDAPUsername is missing or empty.")
	}
	// A directory may take a bind without a password for a successful one (S-210).
	if p := c.form.Get("LDAPPassword"); strings.TrimSpace(p) == "" || strings.ContainsRune(p, 0) {
		return n, invalid("The parameter LDAPPassword is missing, blank or not a password.")
	}
	n = iam.NewSession{RevokeType: c.form.Get("TokenRevokeType"), Remote: c.ev.Remote}
	if n.Policy, n.Policies, err = c.sessionPolicy(); err != nil {
		return n, err
	}
	n.Duration, err = c.duration(defaultDuration, iam.MaxSession)
	return n, err
}

// login asks the directory. Wrong logins of an address are limited (S-029).
func (c *call) login() (*DirectoryEntry, error) {
	if c.Directory == nil {
		return nil, errDenied("This server has no LDAP directory.")
	}
	name := c.form.Get("LDAPUsername")
	if !c.logins.Take(c.ev.Remote) {
		c.w.Header().Set("Retry-After", "10")
		return nil, &Error{http.StatusTooManyRequests, "Throttling", "Too many wrong logins came from this address. Wait and try again."}
	}
	e, err := c.Directory.Login(c.r.Context(), name, c.form.Get("LDAPPassword"))
	if !errors.Is(err, ErrWrongLogin) {
		c.logins.Give(c.ev.Remote)
	}
	switch {
	case err == nil:
		return e, nil
	case errors.Is(err, ErrWrongLogin):
		c.refuseLogin(printable(name), err.Error())
		return nil, fmt.Errorf("%w: %w", ErrWrongLogin, errDenied("The user name or the password is wrong."))
	case errors.Is(err, ErrTooManyGroups):
		c.refuseLogin(printable(name), err.Error())
		return nil, errDenied("The person is in more groups than this server takes. An administrator finds the limit under the id of this request.")
	}
	c.refuseLogin(printable(name), err.Error())
	// Not wrapped: an error of the connection to the directory is not one of the client's.
	return nil, fmt.Errorf("%w: %v", &Error{http.StatusServiceUnavailable, "ServiceUnavailable", "The LDAP directory can't be asked now. Try again."}, err)
}

// refuseLogin keeps the reason for administrators.
func (c *call) refuseLogin(principal, why string) {
	c.IAM.Refuse(iam.Refusal{RequestID: c.ev.ID, Principal: principal, Remote: c.ev.Remote, Action: actionLDAP, Statement: why})
}

// directoryGrants returns what the directory gives user, unless no policy comes of it, or the user
// may not have a session.
func (c *call) directoryGrants(user string, e *DirectoryEntry) (*iam.Grants, error) {
	if err := iam.CheckUserName(user); err != nil {
		c.refuseLogin(printable(e.DN), err.Error())
		return nil, errDenied("The person's distinguished name can't be that of a user on this server: %v.", err)
	}
	u, err := c.IAM.User(user)
	if err != nil && !errors.Is(err, iam.ErrNoSuchUser) {
		return nil, err
	}
	if err == nil && !u.Enabled {
		c.refuseLogin(user, "the user is disabled")
		return nil, errDenied("The user is disabled on this server.")
	}
	g, err := GrantsOf(c.IAM, e)
	if err != nil {
		return nil, err
	}
	reached := len(u.Policies) > 0
	for _, name := range slices.Concat(u.Groups, g.Groups) {
		group, err := c.IAM.Group(name)
		switch {
		case errors.Is(err, iam.ErrNoSuchGroup):
		case err != nil:
			return nil, err
		case !group.Enabled:
			c.refuseLogin(user, "the group "+name+" is disabled")
			return nil, errDenied("A group of the user is disabled on this server: %s.", printableDN(name))
		case len(group.Policies) > 0:
			reached = true
		}
	}
	if !reached {
		why := fmt.Sprintf("No policy is attached to %s or to one of its groups in the directory: %s.", printableDN(e.DN), printableDNs(e.Groups))
		if len(e.Groups) == 0 {
			why = fmt.Sprintf("No policy is attached to %s, and it is in no group that the directory's search finds.", printableDN(e.DN))
		}
		c.refuseLogin(user, why)
		return nil, errDenied("%s", why)
	}
	d, err := c.IAM.AuthorizeExternal(user, g, iam.Request{Action: actionLDAP, NoAllow: true, Conditions: conditions{c}, RequestID: c.ev.ID, Remote: c.ev.Remote})
	if err != nil {
		return nil, err
	}
	if d.Explicit {
		return nil, errDenied("A policy denies %s.", actionLDAP)
	}
	return g, nil
}

// GrantsOf returns what the directory says of a person as a credential has it: those groups that
// exist here, and claims for policies: ldap:user, ldap:username, ldap:groups, and
// ldap:attrib_NAME for each attribute, as MinIO's claims ldapAttrib_NAME. Errors are of groups whose
// records can't be read.
func GrantsOf(service *iam.Service, e *DirectoryEntry) (*iam.Grants, error) {
	g := &iam.Grants{Claims: map[string][]string{"ldap:user": {e.DN}}}
	if e.Name != "" {
		g.Claims["ldap:username"] = []string{e.Name}
	}
	if len(e.Groups) > 0 {
		g.Claims["ldap:groups"] = e.Groups
	}
	for name, values := range e.Attributes {
		g.Claims["ldap:attrib_"+strings.ToLower(name)] = values
	}
	for _, dn := range e.Groups {
		name := iam.QualifiedName(iam.SourceLDAP, dn)
		_, err := service.Group(name)
		switch {
		case err == nil:
			g.Groups = append(g.Groups, name)
		case !errors.Is(err, iam.ErrNoSuchGroup):
			return nil, err // what can't be read might have denied
		}
	}
	slices.Sort(g.Groups)
	g.Groups = slices.Compact(g.Groups)
	return g, nil
}

// printableDN is a distinguished name in a message, which may be long.
func printableDN(dn string) string {
	if len(dn) > 256 {
		dn = dn[:256] + "..."
	}
	if strings.ContainsFunc(dn, func(r rune) bool { return r < ' ' || r > '~' }) {
		return strconv.QuoteToASCII(dn)
	}
	return dn
}

// printableDNs are several, but not without end.
func printableDNs(names []string) string {
	var b strings.Builder
	for i, n := range names {
		if i > 0 {
			b.WriteString(", ")
		}
		if b.Len() > 1500 {
			return b.String() + fmt.Sprintf("and %d more", len(names)-i)
		}
		b.WriteString(printableDN(n))
	}
	return b.String()
}
