// Package amqp publishes events over AMQP 0.9.1, as RabbitMQ speaks it. It imports internal/notify and is the only user of
// amqp091-go. Settings and messages are MinIO's; confirms are always asked for, since an event must arrive.
package amqp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/rabbitmq/amqp091-go"

	"github.com/objsrv/objsrv/internal/notify"
)

const callTimeout = 10 * time.Second

// Kind describes AMQP.
func Kind() notify.Kind {
	return notify.Kind{Name: "amqp", Variable: "AMQP", Secrets: []string{"URL"}, New: newTarget,
		Keys: []string{"URL", "EXCHANGE", "EXCHANGE_TYPE", "ROUTING_KEY", "DELIVERY_MODE", "MANDATORY", "DURABLE", "INTERNAL", "NO_WAIT", "AUTO_DELETED", "PUBLISHER_CONFIRMS", "CA_FILE", "CLIENT_CERT", "CLIENT_KEY"}}
}

type target struct {
	url                                    *url.URL
	exchange, kind, key                    string
	mode                                   uint8
	mandatory                              bool
	durable, autoDeleted, internal, noWait bool
	config                                 amqp091.Config
	conn                                   *amqp091.Connection // nil without a connection
	channel                                *amqp091.Channel
	returned                               chan amqp091.Return
}

func newTarget(s *notify.Settings) (notify.Target, error) {
	t := &target{exchange: s.Get("EXCHANGE"), kind: s.Get("EXCHANGE_TYPE"), key: s.Get("ROUTING_KEY")}
	var err error
	if t.url, err = s.URL("URL", "amqp", "amqps"); err != nil {
		return nil, err
	}
	if _, err := amqp091.ParseURI(t.url.String()); err != nil { // whose text may have the password
		return nil, errors.New("URL is no URL of AMQP, such as amqps://USER:PASSWORD@HOST:PORT/VHOST")
	}
	for key, to := range map[string]*bool{"MANDATORY": &t.mandatory, "DURABLE": &t.durable, "AUTO_DELETED": &t.autoDeleted, "INTERNAL": &t.internal, "NO_WAIT": &t.noWait} {
		if *to, err = s.Bool(key); err != nil {
			return nil, err
		}
	}
	if confirms := s.Get("PUBLISHER_CONFIRMS"); confirms != "" {
		if on, err := s.Bool("PUBLISHER_CONFIRMS"); err != nil || !on {
			return nil, errors.New("PUBLISHER_CONFIRMS can only be on: without them events may be lost")
		}
	}
	switch t.kind {
	case "", "direct", "fanout", "topic", "headers", "x-consistent-hash":
	default:
		return nil, fmt.Errorf("EXCHANGE_TYPE is none of direct, fanout, topic, headers and x-consistent-hash: %q", t.kind)
	}
	if t.exchange == "" && t.key == "" {
		return nil, errors.New("EXCHANGE and ROUTING_KEY are both missing: without an exchange the routing key names a queue")
	}
	mode, err := s.Int("DELIVERY_MODE", int(amqp091.Persistent), 0, int(amqp091.Persistent))
	if err != nil {
		return nil, err
	}
	t.mode = uint8(mode)
	tc, err := s.TLS("CA_FILE", "CLIENT_CERT", "CLIENT_KEY")
	if err != nil {
		return nil, err
	}
	dial := s.Dial
	t.config = amqp091.Config{TLSClientConfig: tc, Heartbeat: callTimeout, Properties: amqp091.Table{"connection_name": "objsrv"},
		Dial: func(network, address string) (net.Conn, error) {
			ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
			defer cancel()
			conn, err := dial(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return conn, conn.SetDeadline(time.Now().Add(callTimeout)) // of the handshake; the library ends it
		}}
	return t, nil
}

// connect makes sure that there are a connection, a channel with confirms, and the exchange.
func (t *target) connect() (err error) {
	if t.conn != nil && !t.conn.IsClosed() && !t.channel.IsClosed() {
		return nil
	}
	t.drop()
	if t.conn, err = amqp091.DialConfig(t.url.String(), t.config); err != nil {
		t.conn = nil
		return err
	}
	defer func() {
		if err != nil {
			t.drop()
		}
	}()
	if t.channel, err = t.conn.Channel(); err != nil {
		return err
	}
	if t.exchange != "" && t.kind != "" {
		if err := t.channel.ExchangeDeclare(t.exchange, t.kind, t.durable, t.autoDeleted, t.internal, t.noWait, nil); err != nil {
			return err
		}
	}
	t.returned = t.channel.NotifyReturn(make(chan amqp091.Return, 1024))
	return t.channel.Confirm(false)
}

func (t *target) drop() {
	if t.conn != nil {
		t.conn.Close() // with its channels; it may be closed already
	}
	t.conn, t.channel = nil, nil
}

// Send implements notify.Target.
func (t *target) Send(ctx context.Context, list []notify.Message) (n int, err error) {
	if err := t.connect(); err != nil {
		return 0, err
	}
	defer func() {
		if err != nil {
			t.drop()
		}
	}()
	confirms := make([]*amqp091.DeferredConfirmation, len(list))
	for i := range list {
		m := &list[i]
		confirms[i], err = t.channel.PublishWithDeferredConfirmWithContext(ctx, t.exchange, t.key, t.mandatory, false, amqp091.Publishing{
			Headers: amqp091.Table{"minio-bucket": m.Event.Bucket, "minio-event": string(m.Event.Name)}, ContentType: "application/json", DeliveryMode: t.mode, Body: m.Body})
		if err != nil {
			return 0, err
		}
	}
	for i, c := range confirms {
		ok, err := c.WaitContext(ctx)
		if err == nil && !ok {
			err = errors.New("the broker did not confirm a message")
		}
		if err != nil {
			return i, err
		}
	}
	select {
	case r := <-t.returned: // which comes before its confirm
		return 0, fmt.Errorf("the broker has no queue for what is published to exchange %q with routing key %q: %s", t.exchange, t.key, r.ReplyText)
	default:
		return len(list), nil
	}
}

// Check implements notify.Target: it connects, and declares the exchange if its type is set.
func (t *target) Check(context.Context) error {
	probe := *t
	probe.conn, probe.channel = nil, nil
	if err := probe.connect(); err != nil {
		return err
	}
	return probe.conn.Close()
}

// Addresses implements notify.Target.
func (t *target) Addresses() []string {
	return []string{notify.HostPort(t.url.Host, map[string]string{"amqp": "5672", "amqps": "5671"}[t.url.Scheme])}
}

// Close implements notify.Target.
func (t *target) Close() error {
	t.drop()
	return nil
}
