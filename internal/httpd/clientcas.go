package httpd

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// casDir, in the directory of certificates, holds the authorities, as MinIO has it.
const casDir = "CAs"

// ClientCAs are the authorities that vouch for clients: the certificates in the files of DIR/CAs,
// and the revocation lists there, in PEM. Those of the system do not count: what a public authority
// certifies is no matter of this server.
type ClientCAs struct {
	Pool  *x509.CertPool // never nil
	Count int            // of the certificates in Pool
	Lists []*x509.RevocationList
}

// AskClients loads the authorities for clients, for AskingConfig. Their names tell clients which
// certificate to show; with anyone set they are not told. It is called once, before that.
func (c *Certs) AskClients(anyone bool) error {
	c.ask, c.anyone = true, anyone
	return c.Reload()
}

// Clients returns the authorities for clients as they are now; without AskClients there are none.
func (c *Certs) Clients() *ClientCAs {
	if !c.ask {
		return &ClientCAs{Pool: x509.NewCertPool()}
	}
	c.look()
	return c.current.Load().clients
}

// AskingConfig is Config for servers that ask for a certificate of the client, which it need not have
// and which the handshake does not verify. Without AskClients nobody is asked.
func (c *Certs) AskingConfig() *tls.Config {
	tc := c.Config()
	if c.ask {
		// Each handshake tells the authorities of its time. Tickets for resumption are tc's all the same.
		tc.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
			c.look()
			return c.current.Load().asking, nil
		}
	}
	return tc
}

// asking is the configuration of handshakes that ask the client.
func (c *Certs) asking(clients *ClientCAs) *tls.Config {
	tc := c.Config()
	tc.ClientAuth = tls.RequestClientCert
	if !c.anyone && clients.Count > 0 {
		tc.ClientCAs = clients.Pool
	}
	return tc
}

// caFiles returns the files of DIR/CAs and a print of them. There need be no such directory.
func (c *Certs) caFiles() (files []string, print string, err error) {
	dir := filepath.Join(c.dir, casDir)
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", fmt.Errorf("read directory of authorities: %w", err)
	}
	for _, e := range entries {
		file := filepath.Join(dir, e.Name())
		if strings.HasPrefix(e.Name(), ".") { // Kubernetes keeps what its links lead to there
			continue
		}
		info, err := os.Stat(file)
		if err != nil {
			return nil, "", fmt.Errorf("read authorities: %w", err)
		}
		if info.IsDir() {
			continue
		}
		files = append(files, file)
		print += fmt.Sprintf("%s %d %d\n", file, info.Size(), info.ModTime().UnixNano())
	}
	return files, print, nil
}

// loadClientCAs reads files in PEM; one that holds something else is an error, since it may be the
// revocation list that matters.
func loadClientCAs(files []string) (*ClientCAs, error) {
	out := &ClientCAs{Pool: x509.NewCertPool()}
	for _, file := range files {
		rest, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read authorities: %w", err)
		}
		found := false
		for {
			var block *pem.Block
			if block, rest = pem.Decode(rest); block == nil {
				break
			}
			if err := out.add(block); err != nil {
				return nil, fmt.Errorf("load authorities of %s: %w", file, err)
			}
			found = true
		}
		if !found {
			return nil, fmt.Errorf("load authorities: %s holds nothing in PEM; certificates of authorities and revocation lists belong there", file)
		}
	}
	return out, nil
}

func (a *ClientCAs) add(block *pem.Block) error {
	switch block.Type {
	case "CERTIFICATE":
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return err
		}
		a.Pool.AddCert(cert)
		a.Count++
	case "X509 CRL":
		list, err := x509.ParseRevocationList(block.Bytes)
		if err != nil {
			return err
		}
		a.Lists = append(a.Lists, list)
	default:
		return fmt.Errorf("%q is neither a CERTIFICATE nor an X509 CRL", block.Type)
	}
	return nil
}
