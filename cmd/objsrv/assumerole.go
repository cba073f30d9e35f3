package main

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/objsrv/objsrv/internal/stsclient"
	"github.com/objsrv/objsrv/sigv4"
)

// roleFlags name the session.
type roleFlags struct {
	role, session string
}

func (f *roleFlags) add(fs *pflag.FlagSet) {
	fs.StringVar(&f.role, "role-arn", "", "`ARN` of the role to ask for")
	fs.StringVar(&f.session, "session-name", "", "`name` of the session, as policies and lists see it")
}

func (f *roleFlags) set(p url.Values, role string) {
	if role != "" {
		p.Set("RoleArn", role)
	}
	if f.session != "" {
		p.Set("RoleSessionName", f.session)
	}
}

// assumeRole gets a session with an access key.
type assumeRole struct {
	roleFlags
	accessKey string
	secret    loginSecret
}

func assumeRoleKind() loginKind {
	return loginKind{
		use: "assume-role", short: "Get temporary credentials with an access key (AssumeRole)",
		long: `The access key is --access-key with --secret-key or --secret-key-file, or that of the
environment, as for objsrv admin.`,
		example: "  objsrv assume-role --duration 12h --policy-file readonly.json\n  objsrv assume-role --access-key backup --secret-key-file ~/.backup-secret",
		new: func() login {
			return &assumeRole{secret: loginSecret{what: "secret key", variable: "OBJSRV_SECRET_KEY", flag: "secret-key"}}
		},
	}
}

func (a *assumeRole) add(fs *pflag.FlagSet) {
	fs.StringVar(&a.accessKey, "access-key", "", "access key to sign with")
	a.secret.add(fs, "secret-key-file")
	a.roleFlags.add(fs)
}

// signer finds the access key as admin commands do, and its secret in files, too.
func (a *assumeRole) signer(r *loginRun) (*sigv4.Signer, error) {
	access := a.accessKey
	if access == "" {
		access = os.Getenv("OBJSRV_ACCESS_KEY")
	}
	secret, err := a.secret.read(r)
	if err != nil {
		return nil, err
	}
	if access != "" && secret != "" {
		r.accessKey, r.secretKey = access, secret
	} else if a.accessKey != "" || a.secret.value != "" || a.secret.file != "" {
		return nil, usagef("--access-key goes with --secret-key-file or OBJSRV_SECRET_KEY")
	}
	return r.adminFlags.signer(r.cmd)
}

func (a *assumeRole) identity(r *loginRun) ([]string, error) {
	s, err := a.signer(r)
	if err != nil {
		return nil, err
	}
	return []string{s.AccessKey}, nil
}

func (a *assumeRole) assume(ctx context.Context, r *loginRun) (*stsclient.Credentials, error) {
	s, err := a.signer(r)
	if err != nil {
		return nil, err
	}
	p, err := r.params()
	if err != nil {
		return nil, err
	}
	a.set(p, a.role)
	return r.client.Assume(ctx, "AssumeRole", p, s)
}

// ldapLogin gets a session with a password of a directory.
type ldapLogin struct {
	user     string
	password loginSecret
}

func ldapKind() loginKind {
	return loginKind{
		use: "ldap", short: "Get temporary credentials with a name and a password of LDAP (AssumeRoleWithLDAPIdentity)",
		long:    "A person at a terminal is asked for the password when it is nowhere else.",
		example: "  objsrv ldap --user alice\n  OBJSRV_LDAP_PASSWORD_FILE=/run/secrets/ldap objsrv ldap --user alice --sts-ep https://s3.example.com",
		new: func() login {
			return &ldapLogin{password: loginSecret{what: "password", variable: "OBJSRV_LDAP_PASSWORD"}}
		},
	}
}

func (l *ldapLogin) add(fs *pflag.FlagSet) {
	fs.StringVar(&l.user, "user", "", "`name` in the directory")
	l.password.add(fs, "password-file")
}

func (l *ldapLogin) identity(*loginRun) ([]string, error) { return nil, nil }

func (l *ldapLogin) assume(ctx context.Context, r *loginRun) (*stsclient.Credentials, error) {
	if l.user == "" {
		return nil, usagef("--user is missing")
	}
	p, err := r.params()
	if err != nil {
		return nil, err
	}
	password, err := l.password.read(r)
	if err == nil && password == "" {
		if r.tty == nil {
			return nil, usagef("no password: set OBJSRV_LDAP_PASSWORD or OBJSRV_LDAP_PASSWORD_FILE, give --password-file, or run the command in a terminal")
		}
		password, err = r.tty.ask("Password of " + printable(l.user))
	}
	if err != nil {
		return nil, err
	}
	p.Set("LDAPUsername", l.user)
	p.Set("LDAPPassword", password)
	return r.client.Assume(ctx, "AssumeRoleWithLDAPIdentity", p, nil)
}

// certificateLogin gets a session with a client certificate.
type certificateLogin struct {
	cert, key string
}

func certificateKind() loginKind {
	return loginKind{
		use: "certificate", short: "Get temporary credentials with a client certificate (AssumeRoleWithCertificate)",
		long:    "The server must speak TLS.",
		example: "  objsrv certificate --cert client.crt --key client.key --sts-ep https://s3.example.com",
		new:     func() login { return &certificateLogin{} },
	}
}

func (c *certificateLogin) add(fs *pflag.FlagSet) {
	fs.StringVar(&c.cert, "cert", "", "PEM `file` of the certificate, with those between it and its authority")
	fs.StringVar(&c.key, "key", "", "PEM `file` of its private key")
}

func (c *certificateLogin) identity(*loginRun) ([]string, error) { return nil, nil }

func (c *certificateLogin) assume(ctx context.Context, r *loginRun) (*stsclient.Credentials, error) {
	if c.cert == "" || c.key == "" {
		return nil, usagef("--cert and --key are needed")
	}
	if !strings.HasPrefix(r.client.Endpoint, "https:") {
		return nil, usagef("certificates are shown over TLS only: give --sts-ep https://...")
	}
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return nil, usagef("certificate: %v", err)
	}
	p, err := r.params()
	if err != nil {
		return nil, err
	}
	t := r.transport()
	if t.TLSClientConfig == nil {
		t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	t.TLSClientConfig.Certificates = []tls.Certificate{pair}
	return r.client.Assume(ctx, "AssumeRoleWithCertificate", p, nil)
}

// customToken gets a session with a token that a webhook of the server's understands.
type customToken struct {
	roleFlags
	token loginSecret
}

func customTokenKind() loginKind {
	return loginKind{
		use: "custom-token", short: "Get temporary credentials with a token that the server's plugin understands (AssumeRoleWithCustomToken)",
		long:    "The role's ARN is shown when the server starts.",
		example: "  objsrv custom-token --role-arn arn:minio:iam:::role/idmp-x --token-file token",
		new:     func() login { return &customToken{token: loginSecret{what: "token", variable: "OBJSRV_CUSTOM_TOKEN"}} },
	}
}

func (c *customToken) add(fs *pflag.FlagSet) {
	fs.StringVar(&c.role, "role-arn", "", "`ARN` of the plugin's role")
	c.token.add(fs, "token-file")
}

func (c *customToken) identity(r *loginRun) ([]string, error) { return tokenIdentity(&c.token, r) }

// tokenIdentity is that of a token, which can't be found out from its hash as a password could.
func tokenIdentity(s *loginSecret, r *loginRun) ([]string, error) {
	token, err := s.read(r)
	sum := sha256.Sum256([]byte(token))
	return []string{hex.EncodeToString(sum[:])}, err
}

func (c *customToken) assume(ctx context.Context, r *loginRun) (*stsclient.Credentials, error) {
	token, err := c.token.read(r)
	if err != nil {
		return nil, err
	}
	if token == "" || c.role == "" {
		return nil, usagef("--role-arn and a token are needed: --token-file, OBJSRV_CUSTOM_TOKEN or OBJSRV_CUSTOM_TOKEN_FILE")
	}
	p, err := r.params()
	if err != nil {
		return nil, err
	}
	p.Set("Token", token)
	p.Set("RoleArn", c.role)
	return r.client.Assume(ctx, "AssumeRoleWithCustomToken", p, nil)
}
