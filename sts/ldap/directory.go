package ldap

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-ldap/ldap/v3"

	"github.com/objsrv/objsrv/sts"
)

// Further limits.
const (
	maxLogins     = 32 // at the same time; each has two connections
	maxName       = 256
	maxGroups     = 1000 // of one person; Active Directory answers with no more at once
	maxAttributes = 20
	// refusalTime is how long a refusal takes at least: what was wrong does not show in it (S-029).
	refusalTime = 300 * time.Millisecond
)

// Directory asks the servers of one directory. Each login has connections of its own. It
// implements sts.Directory. Safe for concurrent use.
type Directory struct {
	Config
	tls      *tls.Config
	resolver resolver
	logins   chan struct{}
}

// resolver finds SRV records.
type resolver interface {
	LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error)
}

// New makes a Directory. Nothing is asked of it yet. Errors are of CA_FILE.
func New(c Config) (*Directory, error) {
	t, err := loadTLS(&c)
	if err != nil {
		return nil, err
	}
	return &Directory{Config: c, tls: t, resolver: net.DefaultResolver, logins: make(chan struct{}, maxLogins)}, nil
}

// Login implements sts.Directory.
func (d *Directory) Login(ctx context.Context, name, password string) (*sts.DirectoryEntry, error) {
	soonest := time.NewTimer(refusalTime)
	defer soonest.Stop()
	e, err := d.login(ctx, name, password)
	if errors.Is(err, sts.ErrWrongLogin) {
		select {
		case <-soonest.C:
		case <-ctx.Done():
		}
	}
	return e, err
}

// wrong is the error for a login that is wrong, with the reason for administrators.
func wrong(format string, args ...any) error {
	return fmt.Errorf("%w: %s", sts.ErrWrongLogin, fmt.Sprintf(format, args...))
}

func (d *Directory) login(ctx context.Context, name, password string) (*sts.DirectoryEntry, error) {
	// Many servers take a bind without a password for an anonymous one, and say that it has
	// succeeded (RFC 4513, section 5.1.2); some end a password at a zero byte (S-210).
	if strings.TrimSpace(password) == "" || strings.ContainsRune(password, 0) {
		return nil, wrong("the password is empty")
	}
	if !plainName(name) {
		return nil, wrong("the name is not printable, has spaces around it, or is longer than %d bytes", maxName)
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	select {
	case d.logins <- struct{}{}:
		defer func() { <-d.logins }()
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for other logins: %w", ctx.Err())
	}
	lookup, err := d.lookupConn(ctx)
	if err != nil {
		return nil, err
	}
	defer lookup.close()
	found, unknown := d.findPerson(lookup, name)
	if unknown != nil && !errors.Is(unknown, sts.ErrWrongLogin) {
		return nil, unknown
	}
	dn := ""
	if unknown == nil {
		dn = found.DN
	}
	// For nobody, too, a bind is tried, which takes as long.
	if err := d.prove(ctx, dn, password); err != nil {
		if unknown != nil && errors.Is(err, sts.ErrWrongLogin) {
			err = unknown
		}
		return nil, err
	}
	if unknown != nil {
		return nil, unknown
	}
	e, err := d.entry(found, name)
	if err != nil {
		return nil, err
	}
	e.Groups, err = d.findGroups(lookup, name, found.DN)
	return e, err
}

// Find returns what the directory knows of somebody, who has proven nothing: for administrators who act for
// the person. Errors are those of Login.
func (d *Directory) Find(ctx context.Context, name string) (*sts.DirectoryEntry, error) {
	if !plainName(name) {
		return nil, wrong("the name is not printable, has spaces around it, or is longer than %d bytes", maxName)
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	c, err := d.lookupConn(ctx)
	if err != nil {
		return nil, err
	}
	defer c.close()
	found, err := d.findPerson(c, name)
	if err != nil {
		return nil, err
	}
	e, err := d.entry(found, name)
	if err != nil {
		return nil, err
	}
	e.Groups, err = d.findGroups(c, name, found.DN)
	return e, err
}

// plainName tells whether somebody could have the name.
func plainName(s string) bool {
	if s == "" || len(s) > maxName || !utf8.ValidString(s) || s != strings.TrimSpace(s) {
		return false
	}
	return strings.IndexFunc(s, func(r rune) bool { return r != ' ' && !unicode.IsPrint(r) }) < 0
}

// prove binds as dn, on a connection that is used for nothing else. For dn "" it binds as somebody
// who does not exist, and not with the person's password.
func (d *Directory) prove(ctx context.Context, dn, password string) error {
	c, err := d.connect(ctx)
	if err != nil {
		return err
	}
	defer c.close()
	if dn == "" {
		dn, password = "cn="+strings.ToLower(rand.Text())+","+d.UserBases[0], rand.Text()
	}
	return bindError(c.Bind(dn, password))
}

// bindError tells the answers that are about the person from those that are about the directory.
func bindError(err error) error {
	var le *ldap.Error
	if err == nil || !errors.As(err, &le) {
		return err
	}
	switch le.ResultCode {
	case ldap.LDAPResultInvalidCredentials, // a wrong password; in Active Directory a disabled account, too
		ldap.LDAPResultInappropriateAuthentication, ldap.LDAPResultNoSuchObject, ldap.LDAPResultInsufficientAccessRights,
		ldap.LDAPResultUnwillingToPerform, ldap.LDAPResultConstraintViolation, // locked accounts
		ldap.LDAPResultInvalidDNSyntax,
		ldap.LDAPResultReferral: // it is somebody of another server, which is not asked
		return wrong("the directory refuses the bind: %v", err)
	}
	return fmt.Errorf("bind: %w", err)
}

// Check connects to the directory and binds as the account that searches, and returns why that fails.
func (d *Directory) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	c, err := d.connect(ctx)
	if err != nil {
		return err
	}
	defer c.close()
	if d.LookupDN == "" {
		return nil
	}
	return d.bindLookup(c)
}
