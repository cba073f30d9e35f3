package httpd

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// Names of a certificate's files, as MinIO has them.
const (
	certFile = "public.crt"
	keyFile  = "private.key"
)

// lookEvery is how often handshakes look whether certificate files have changed. No
// timer does, so that an idle server sleeps.
const lookEvery = time.Second

// Certs are the certificates of a directory: DIR/public.crt with DIR/private.key, the
// default, and the same in subdirectories, chosen by the server name a client asks for.
// They are loaded anew when the files have changed; files that do not load leave the
// old ones in use.
type Certs struct {
	dir string
	log *slog.Logger
	now func() time.Time
	ask bool // for certificates of clients, of
	// anyone, whoever has issued them.
	anyone bool

	current atomic.Pointer[certSet]
	looked  atomic.Int64 // time of the last look, Unix nanoseconds
	mu      sync.Mutex   // held while loading
	failed  string       // print of the files that did not load
}

// certSet is what was loaded, with a print of the files it came from.
type certSet struct {
	print   string
	list    []*tls.Certificate // the default first
	clients *ClientCAs         // nil when clients are not asked
	asking  *tls.Config        // of handshakes that ask the client; nil likewise
}

// LoadCerts loads the certificates of dir. The default pair must be there.
func LoadCerts(dir string, log *slog.Logger) (*Certs, error) {
	c := &Certs{dir: dir, log: log, now: time.Now}
	set, err := c.load()
	if err != nil {
		return nil, err
	}
	c.current.Store(set)
	c.looked.Store(c.now().UnixNano())
	return c, nil
}

// Config returns a configuration for servers: TLS 1.2 or newer, HTTP/1.1.
func (c *Certs) Config() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"http/1.1"},
		GetCertificate: c.choose,
	}
}

// Reload loads the files now, whatever their times say, and returns why it can't.
func (c *Certs) Reload() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	set, err := c.load()
	if err != nil {
		return err
	}
	c.failed = ""
	c.current.Store(set)
	return nil
}

func (c *Certs) choose(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.look()
	set := c.current.Load()
	if hello.ServerName != "" {
		for _, cert := range set.list {
			if cert.Leaf.VerifyHostname(hello.ServerName) == nil {
				return cert, nil
			}
		}
	}
	return set.list[0], nil
}

// look loads the files when they have changed since the last time.
func (c *Certs) look() {
	now, last := c.now().UnixNano(), c.looked.Load()
	if now-last < int64(lookEvery) || !c.looked.CompareAndSwap(last, now) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	_, _, print, err := c.files()
	if err != nil || print == c.current.Load().print || print == c.failed {
		return
	}
	set, err := c.load()
	if err != nil {
		// Often a file is being replaced right now; the next look tells.
		c.failed = print
		c.log.Error("new certificates not loaded, the old ones stay in use", "error", err)
		return
	}
	c.failed = ""
	c.current.Store(set)
	c.log.Info("certificates reloaded", "dir", c.dir, "count", len(set.list))
}

// files returns what pairs and caFiles do, with a print of all.
func (c *Certs) files() (dirs, cas []string, print string, err error) {
	if dirs, print, err = c.pairs(); err != nil || !c.ask {
		return dirs, nil, print, err
	}
	cas, more, err := c.caFiles()
	return dirs, cas, print + more, err
}

// pairs returns the directories that hold a certificate, the default first, and a
// print of their files.
func (c *Certs) pairs() (dirs []string, print string, err error) {
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return nil, "", fmt.Errorf("read certificate directory: %w", err)
	}
	candidates := []string{c.dir}
	for _, e := range entries {
		if e.Name() == casDir {
			continue
		}
		sub := filepath.Join(c.dir, e.Name())
		if info, err := os.Stat(sub); err == nil && info.IsDir() {
			candidates = append(candidates, sub)
		}
	}
	for _, dir := range candidates {
		for _, name := range []string{certFile, keyFile} {
			info, err := os.Stat(filepath.Join(dir, name))
			if errors.Is(err, fs.ErrNotExist) {
				if dir == c.dir {
					return nil, "", fmt.Errorf("%s has no %s: put the server's certificate and key there as %s and %s", dir, name, certFile, keyFile)
				}
				continue
			}
			if err != nil {
				return nil, "", fmt.Errorf("read certificate: %w", err)
			}
			print += fmt.Sprintf("%s/%s %d %d\n", dir, name, info.Size(), info.ModTime().UnixNano())
			if name == keyFile {
				dirs = append(dirs, dir)
			}
		}
	}
	return dirs, print, nil
}

func (c *Certs) load() (*certSet, error) {
	dirs, cas, print, err := c.files()
	if err != nil {
		return nil, err
	}
	set := &certSet{print: print}
	for _, dir := range dirs {
		cert, err := tls.LoadX509KeyPair(filepath.Join(dir, certFile), filepath.Join(dir, keyFile))
		if err != nil {
			return nil, fmt.Errorf("load certificate of %s: %w", dir, err)
		}
		set.list = append(set.list, &cert)
	}
	if c.ask {
		if set.clients, err = loadClientCAs(cas); err != nil {
			return nil, err
		}
		set.asking = c.asking(set.clients)
	}
	return set, nil
}
