package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/pflag"

	"github.com/objsrv/objsrv/internal/stsclient"
	"github.com/objsrv/objsrv/sts/oidc"
)

// clientFlags are of a client registered at an OpenID Connect provider; the names are those of
// MinIO's examples.
type clientFlags struct {
	configURL, id, scopes, caFile string
	secret                        loginSecret
}

func newClientFlags() clientFlags {
	return clientFlags{secret: loginSecret{what: "client's secret", variable: "OBJSRV_CLIENT_SECRET", flag: "csec"}}
}

func (c *clientFlags) add(fs *pflag.FlagSet) {
	fs.StringVar(&c.configURL, "config-ep", "", "`URL` of the provider's discovery document, which ends with /.well-known/openid-configuration")
	fs.StringVar(&c.id, "cid", "", "`ID` of the client at the provider")
	c.secret.add(fs, "csec-file")
	fs.StringVar(&c.scopes, "cscopes", "", "`scopes` to ask for, separated by commas (default openid)")
	fs.StringVar(&c.caFile, "config-ca-file", "", "PEM `file` of the certificates to trust for the provider, instead of the system's")
}

// config judges the flags as the settings of a server's provider.
func (c *clientFlags) config(r *loginRun) (oidc.Config, error) {
	var none oidc.Config
	if c.configURL == "" || c.id == "" {
		return none, usagef("-config-ep and -cid are needed to log in at a provider")
	}
	secret, err := c.secret.read(r)
	if err != nil {
		return none, err
	}
	p, _, err := oidc.Parse("", map[string]string{
		"CONFIG_URL": c.configURL, "CLIENT_ID": c.id, "CLIENT_SECRET": secret, "SCOPES": c.scopes, "CA_FILE": c.caFile,
	})
	if err != nil {
		return none, usagef("provider: %v", err)
	}
	return p, nil
}

// webIdentity gets a session for a person of an OpenID Connect provider.
type webIdentity struct {
	clientFlags
	roleFlags
	port      int
	open      bool
	tokenFile string
}

func webIdentityKind() loginKind {
	return loginKind{
		use: "web-identity", short: "Log in at an OpenID Connect provider and get temporary credentials (AssumeRoleWithWebIdentity)",
		long: `Open the page that the command shows in a browser of this machine, within 10 minutes. The
provider must know http://localhost:PORT/oauth2/callback as a redirect URI of the client.
With a token from elsewhere, --token-file or AWS_WEB_IDENTITY_TOKEN_FILE (and AWS_ROLE_ARN),
nobody has to log in.`,
		example: "  objsrv web-identity -cid app -csec-file secret -config-ep https://idp.example.com/.well-known/openid-configuration -port 8888\n" +
			"  objsrv web-identity --token-file /var/run/secrets/token --sts-ep https://s3.example.com",
		new: func() login { return &webIdentity{clientFlags: newClientFlags()} },
	}
}

func (w *webIdentity) add(fs *pflag.FlagSet) {
	w.clientFlags.add(fs)
	w.roleFlags.add(fs)
	fs.IntVar(&w.port, "port", 8080, "`port` of this machine to which the provider sends the browser back; 0 is any free one")
	fs.BoolVar(&w.open, "open", false, "open the browser")
	fs.StringVar(&w.tokenFile, "token-file", "", "`file` of an ID token, instead of a login [AWS_WEB_IDENTITY_TOKEN_FILE]")
}

// token returns the file of a token, "" when somebody has to log in, and the role: flags come
// before the environment, which is for tokens.
func (w *webIdentity) token() (file, role string) {
	file, role = w.tokenFile, w.role
	if file == "" && w.configURL == "" {
		file = os.Getenv("AWS_WEB_IDENTITY_TOKEN_FILE")
	}
	if file != "" && role == "" {
		role = os.Getenv("AWS_ROLE_ARN")
	}
	return file, role
}

func (w *webIdentity) identity(*loginRun) ([]string, error) {
	file, role := w.token()
	return []string{absolute(file), role}, nil
}

func (w *webIdentity) assume(ctx context.Context, r *loginRun) (*stsclient.Credentials, error) {
	p, err := r.params()
	if err != nil {
		return nil, err
	}
	file, role := w.token()
	w.set(p, role)
	assume := func(ctx context.Context, t *oidc.Tokens) (*stsclient.Credentials, error) {
		p.Set("WebIdentityToken", t.ID)
		if t.Access != "" { // for a server that asks the provider's userinfo endpoint
			p.Set("WebIdentityAccessToken", t.Access)
		}
		return r.client.Assume(ctx, "AssumeRoleWithWebIdentity", p, nil)
	}
	if file != "" {
		if w.tokenFile != "" && w.configURL != "" {
			return nil, usagef("give --token-file or -config-ep, not both")
		}
		token, err := readSecretFile("token file", file)
		if err != nil {
			return nil, err
		}
		return assume(ctx, &oidc.Tokens{ID: token})
	}
	c, err := w.config(r)
	if err != nil {
		return nil, err
	}
	out := r.cmd.ErrOrStderr()
	if r.process {
		if r.tty == nil {
			return nil, errors.New("somebody has to log in, and there is no terminal: run the same command in one, and its credentials are kept for this")
		}
		out = r.tty.out
	}
	b, err := newBrowserLogin(c, w.port)
	if err != nil {
		return nil, err
	}
	b.assume, b.page = assume, r.page
	fmt.Fprintf(out, "listening on %s\n", b.url)
	if w.open {
		if err := openBrowser(b.url); err != nil {
			fmt.Fprintf(out, "objsrv: the browser can't be opened, open the page yourself: %v\n", err)
		}
	}
	return b.run(ctx)
}

// clientGrants gets a session for a program of an OpenID Connect provider.
type clientGrants struct {
	clientFlags
	roleFlags
	token loginSecret
}

func clientGrantsKind() loginKind {
	return loginKind{
		use: "client-grants", short: "Get temporary credentials with a program's access token (AssumeRoleWithClientGrants)",
		long:    "The token is given, or the provider is asked for one with the client's own id and secret.",
		example: "  objsrv client-grants -cid app -csec-file secret -config-ep https://idp.example.com/.well-known/openid-configuration\n  objsrv client-grants --token-file token",
		new: func() login {
			return &clientGrants{clientFlags: newClientFlags(), token: loginSecret{what: "access token", variable: "OBJSRV_CLIENT_TOKEN"}}
		},
	}
}

func (c *clientGrants) add(fs *pflag.FlagSet) {
	c.clientFlags.add(fs)
	c.roleFlags.add(fs)
	c.token.add(fs, "token-file")
}

func (c *clientGrants) identity(r *loginRun) ([]string, error) { return tokenIdentity(&c.token, r) }

func (c *clientGrants) assume(ctx context.Context, r *loginRun) (*stsclient.Credentials, error) {
	p, err := r.params()
	if err != nil {
		return nil, err
	}
	token, err := c.token.read(r)
	if err != nil {
		return nil, err
	}
	if token == "" {
		config, err := c.config(r)
		if err != nil {
			return nil, err
		}
		f, err := oidc.NewFlow(config, "", nil)
		if err != nil {
			return nil, err
		}
		t, err := f.ClientCredentials(ctx)
		if err != nil {
			return nil, err
		}
		token = t.Access
	}
	c.set(p, c.role)
	p.Set("Token", token)
	return r.client.Assume(ctx, "AssumeRoleWithClientGrants", p, nil)
}
