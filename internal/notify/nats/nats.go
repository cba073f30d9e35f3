// Package nats publishes events to NATS, or to JetStream. It imports internal/notify and is the only user of nats.go.
// Settings and messages are MinIO's; NATS Streaming, which is no longer maintained, is refused.
package nats

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/objsrv/objsrv/internal/notify"
)

const callTimeout = 10 * time.Second

// Kind describes NATS.
func Kind() notify.Kind {
	return notify.Kind{Name: "nats", Variable: "NATS", Secrets: []string{"PASSWORD", "TOKEN"}, New: newTarget,
		Keys: []string{"ADDRESS", "SUBJECT", "USERNAME", "PASSWORD", "TOKEN", "NKEY_SEED", "USER_CREDENTIALS", "TLS", "TLS_SKIP_VERIFY", "TLS_HANDSHAKE_FIRST",
			"CERT_AUTHORITY", "CLIENT_CERT", "CLIENT_KEY", "PING_INTERVAL", "JETSTREAM", "STREAMING"}}
}

type target struct {
	address, subject string
	jetStream        bool
	dial             notify.Dial
	options          []nats.Option
	conn             *nats.Conn // nil without a connection
	stream           jetstream.JetStream
}

func newTarget(s *notify.Settings) (notify.Target, error) {
	t := &target{dial: s.Dial}
	var err error
	if t.address, err = s.Address("ADDRESS"); err != nil {
		return nil, err
	}
	if t.subject, err = s.Need("SUBJECT"); err != nil {
		return nil, err
	}
	if t.jetStream, err = s.Bool("JETSTREAM"); err != nil {
		return nil, err
	}
	if streaming, err := s.Bool("STREAMING"); err != nil || streaming {
		return nil, errors.Join(err, errors.New("STREAMING is not implemented: NATS Streaming is no longer maintained; use JETSTREAM"))
	}
	t.options = []nats.Option{nats.Name("objsrv"), nats.NoReconnect(), nats.IgnoreDiscoveredServers(), nats.Timeout(callTimeout)}
	if err := t.login(s); err != nil {
		return nil, err
	}
	if err := t.secure(s); err != nil {
		return nil, err
	}
	if v := s.Get("PING_INTERVAL"); v != "" && v != "0" {
		d, err := time.ParseDuration(v)
		if n, nerr := s.Int("PING_INTERVAL", 0, 1, 3600); err != nil && nerr == nil { // MinIO has seconds
			d, err = time.Duration(n)*time.Second, nil
		}
		if err != nil || d < time.Second {
			return nil, fmt.Errorf("PING_INTERVAL is no duration such as 30s: %q", v)
		}
		t.options = append(t.options, nats.PingInterval(d))
	}
	return t, nil
}

// login takes the one way to log in that is set.
func (t *target) login(s *notify.Settings) error {
	n := 0
	if user := s.Get("USERNAME"); user != "" {
		t.options = append(t.options, nats.UserInfo(user, s.Get("PASSWORD")))
		n++
	}
	if token := s.Get("TOKEN"); token != "" {
		t.options = append(t.options, nats.Token(token))
		n++
	}
	if file := s.Get("NKEY_SEED"); file != "" {
		o, err := nats.NkeyOptionFromSeed(file)
		if err != nil {
			return fmt.Errorf("NKEY_SEED can't be used: %w", err)
		}
		t.options = append(t.options, o)
		n++
	}
	if file := s.Get("USER_CREDENTIALS"); file != "" {
		t.options = append(t.options, nats.UserCredentials(file))
		n++
	}
	if n > 1 {
		return errors.New("USERNAME, TOKEN, NKEY_SEED and USER_CREDENTIALS exclude each other")
	}
	return nil
}

func (t *target) secure(s *notify.Settings) error {
	on, err := s.Bool("TLS")
	if err != nil {
		return err
	}
	skip, err := s.Bool("TLS_SKIP_VERIFY")
	if err != nil {
		return err
	}
	first, err := s.Bool("TLS_HANDSHAKE_FIRST")
	if err != nil {
		return err
	}
	c, err := s.TLS("CERT_AUTHORITY", "CLIENT_CERT", "CLIENT_KEY")
	if err != nil {
		return err
	}
	if on || skip || first || c.RootCAs != nil || len(c.Certificates) > 0 {
		c.InsecureSkipVerify = skip
		t.options = append(t.options, nats.Secure(c))
	}
	if first {
		t.options = append(t.options, nats.TLSHandshakeFirst())
	}
	return nil
}

// dialer implements nats.CustomDialer for one connection, and keeps why it has failed, which the library does not tell.
type dialer struct {
	dial notify.Dial
	err  error
}

// Dial implements nats.CustomDialer.
func (d *dialer) Dial(network, address string) (conn net.Conn, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	conn, d.err = d.dial(ctx, network, address)
	return conn, d.err
}

func (t *target) connect() error {
	if t.conn != nil && !t.conn.IsClosed() {
		return nil
	}
	d := &dialer{dial: t.dial}
	conn, err := nats.Connect("nats://"+t.address, append(slices.Clone(t.options), nats.SetCustomDialer(d))...)
	if errors.Is(err, nats.ErrNoServers) && d.err != nil {
		err = d.err
	}
	if err != nil {
		return err
	}
	if t.jetStream {
		if t.stream, err = jetstream.New(conn); err != nil {
			conn.Close()
			return err
		}
	}
	t.conn = conn
	return nil
}

// Send implements notify.Target. NATS has a message when it has answered a ping behind it, JetStream when it says so.
func (t *target) Send(ctx context.Context, list []notify.Message) (int, error) {
	if err := t.connect(); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout) // without a deadline the library refuses to wait
	defer cancel()
	if t.jetStream {
		return t.store(ctx, list)
	}
	var refused error
	for i := range list {
		err := t.conn.Publish(t.subject, list[i].Body)
		if errors.Is(err, nats.ErrMaxPayload) {
			list, refused = list[:i], &notify.Refusal{Err: err}
			break
		}
		if err != nil {
			return 0, err
		}
	}
	if err := t.conn.FlushWithContext(ctx); err != nil {
		return 0, err
	}
	if err := t.conn.LastError(); err != nil { // such as a subject that may not be published to
		t.conn.Close()
		return 0, err
	}
	return len(list), refused
}

// store publishes to JetStream, which drops what comes twice within its window.
func (t *target) store(ctx context.Context, list []notify.Message) (int, error) {
	futures := make([]jetstream.PubAckFuture, 0, len(list))
	var refused error
	for i := range list {
		msg := nats.NewMsg(t.subject)
		msg.Data = list[i].Body
		f, err := t.stream.PublishMsgAsync(msg, jetstream.WithMsgID(list[i].Event.Deployment+"-"+list[i].Event.Sequencer()))
		if errors.Is(err, nats.ErrMaxPayload) {
			refused = &notify.Refusal{Err: err}
			break
		}
		if err != nil {
			return 0, err
		}
		futures = append(futures, f)
	}
	for i, f := range futures {
		select {
		case <-f.Ok():
		case err := <-f.Err():
			if ae := (*jetstream.APIError)(nil); errors.As(err, &ae) && ae.ErrorCode == jetstream.JSErrCodeStreamMessageExceedsMaximum {
				err = &notify.Refusal{Err: err}
			}
			return i, err
		case <-ctx.Done():
			return i, ctx.Err()
		}
	}
	return len(futures), refused
}

// Check implements notify.Target: it connects, and looks for the stream of the subject.
func (t *target) Check(ctx context.Context) error {
	probe := *t
	probe.conn = nil
	if err := probe.connect(); err != nil {
		return err
	}
	defer probe.conn.Close()
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if t.jetStream {
		_, err := probe.stream.StreamNameBySubject(ctx, t.subject)
		return err
	}
	return probe.conn.FlushWithContext(ctx)
}

// Addresses implements notify.Target.
func (t *target) Addresses() []string { return []string{t.address} }

// Close implements notify.Target.
func (t *target) Close() error {
	if t.conn != nil {
		t.conn.Close()
	}
	return nil
}
