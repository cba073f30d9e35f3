package loadgen

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// Target is a server that is measured.
type Target struct {
	Name      string
	Addr      string // host:port
	AccessKey string // "" for a static server
	SecretKey string
	// SessionToken belongs to temporary credentials, else it is "".
	SessionToken string
	Dir          string // document root of a static server, in which files are put for it
	PIDs         []int  // its processes; found by the listening port when empty
	// Settings are the bodies of sub-resources, such as "encryption", that the bucket of the run
	// gets once it is made. A target with settings has a bucket of its own, so that one server can
	// be measured with them and without in one run.
	Settings map[string]string
}

// Static tells whether t serves files only: no signatures, GET and HEAD.
func (t *Target) Static() bool { return t.Dir != "" }

var targetName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

// ParsePeers reads targets, separated by white space, each
//
//	NAME=http://HOST:PORT,ACCESSKEY,SECRETKEY   an S3 server
//	NAME=http://HOST:PORT,dir=DIRECTORY         a static file server and its document root
//
// TLS is not offered: it would measure the client's cipher as much as the server.
func ParsePeers(s string) ([]*Target, error) {
	var list []*Target
	seen := map[string]bool{}
	for field := range strings.FieldsSeq(s) {
		t, err := parsePeer(field)
		if err != nil {
			return nil, err
		}
		if seen[t.Name] {
			return nil, fmt.Errorf("peer %s: named twice", t.Name)
		}
		seen[t.Name] = true
		list = append(list, t)
	}
	return list, nil
}

func parsePeer(field string) (*Target, error) {
	name, rest, ok := strings.Cut(field, "=")
	if !ok || !targetName.MatchString(name) {
		return nil, fmt.Errorf("peer %q: want NAME=http://HOST:PORT,...", redact(field))
	}
	address, secrets, _ := strings.Cut(rest, ",")
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil {
		return nil, fmt.Errorf("peer %s: %q is not http://HOST:PORT", name, address)
	}
	t := &Target{Name: name, Addr: u.Host}
	if u.Port() == "" {
		t.Addr = net.JoinHostPort(u.Hostname(), "80")
	}
	if dir, ok := strings.CutPrefix(secrets, "dir="); ok && dir != "" {
		t.Dir = dir
		return t, nil
	}
	t.AccessKey, t.SecretKey, ok = strings.Cut(secrets, ",")
	if !ok || t.AccessKey == "" || t.SecretKey == "" {
		return nil, fmt.Errorf("peer %s: want http://%s,ACCESSKEY,SECRETKEY or http://%s,dir=DIRECTORY", name, u.Host, u.Host)
	}
	return t, nil
}

// redact cuts what may be credentials from a text that goes into a message.
func redact(s string) string {
	s, _, _ = strings.Cut(s, ",")
	return s
}

// One sends a single request outside any measurement and returns the answer's body. It is for
// preparations and checks, not for load.
func (t *Target) One(ctx context.Context, method, path string, query url.Values, body Payload) ([]byte, error) {
	return t.exchange(ctx, t.Request(method, path, query, body, -1))
}

// exchange sends a single request and returns the answer's body.
func (t *Target) exchange(ctx context.Context, r Request) ([]byte, error) {
	w := &worker{addr: t.Addr, deadline: time.Now().Add(30 * time.Second)}
	defer w.close()
	if err := w.dial(ctx); err != nil {
		return nil, err
	}
	conn := w.conn
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	var kept []byte
	w.answers.Keep = func(p []byte) { kept = append(kept, p...) }
	if _, err := w.exchange(ctx, &r); err != nil {
		return nil, fmt.Errorf("%s: %w", r.line(), err)
	}
	return kept, nil
}
