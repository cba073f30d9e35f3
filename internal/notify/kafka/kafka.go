// Package kafka produces events to a topic of Kafka. It imports internal/notify and is the only user of franz-go. Settings
// and messages are MinIO's; MECHANISM words are those of SASL.
package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/objsrv/objsrv/internal/notify"
)

const (
	callTimeout = 10 * time.Second
	sendTimeout = 15 * time.Second
)

var errSilent = fmt.Errorf("no broker has said within %v that it has the events", sendTimeout)

// Kind describes Kafka.
func Kind() notify.Kind {
	return notify.Kind{Name: "kafka", Variable: "KAFKA", Secrets: []string{"SASL_PASSWORD"}, New: newTarget,
		Keys: []string{"BROKERS", "TOPIC", "SASL", "SASL_USERNAME", "SASL_PASSWORD", "SASL_MECHANISM", "TLS", "TLS_SKIP_VERIFY", "CA_FILE", "CLIENT_TLS_CERT", "CLIENT_TLS_KEY",
			"VERSION", "PRODUCER_COMPRESSION_CODEC"}}
}

type target struct {
	brokers []string
	topic   string
	client  *kgo.Client
}

func newTarget(s *notify.Settings) (notify.Target, error) {
	v, err := s.Need("BROKERS")
	if err != nil {
		return nil, err
	}
	t := &target{}
	for b := range strings.SplitSeq(v, ",") {
		if b = strings.TrimSpace(b); b == "" {
			continue
		}
		if _, _, err := net.SplitHostPort(b); err != nil {
			return nil, fmt.Errorf("BROKERS are host:port with commas between: %q", v)
		}
		t.brokers = append(t.brokers, b)
	}
	if len(t.brokers) == 0 {
		return nil, errors.New("BROKERS names none")
	}
	if t.topic, err = s.Need("TOPIC"); err != nil {
		return nil, err
	}
	options := []kgo.Opt{kgo.ClientID("objsrv"), kgo.SeedBrokers(t.brokers...), kgo.DefaultProduceTopic(t.topic), kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.RecordDeliveryTimeout(callTimeout), kgo.ProduceRequestTimeout(callTimeout / 2), kgo.ProducerLinger(0), kgo.DisableClientMetrics(),
		kgo.DisableIdempotentWrite(), // which would wait for ever for a broker that is gone; an event may come twice anyway
		kgo.AllowAutoTopicCreation(), // where the brokers do that
		kgo.UnknownTopicRetries(1)}
	more := []func(*notify.Settings) ([]kgo.Opt, error){login, secure, version, compression}
	for _, f := range more {
		o, err := f(s)
		if err != nil {
			return nil, err
		}
		options = append(options, o...)
	}
	t.client, err = kgo.NewClient(options...)
	return t, err
}

func login(s *notify.Settings) ([]kgo.Opt, error) {
	on, err := s.Bool("SASL")
	if err != nil || !on {
		return nil, err
	}
	user, err := s.Need("SASL_USERNAME")
	if err != nil {
		return nil, err
	}
	password := s.Get("SASL_PASSWORD")
	mechanism, err := s.OneOf("SASL_MECHANISM", "plain", "sha256", "sha512")
	if err != nil {
		return nil, err
	}
	scrammed := scram.Auth{User: user, Pass: password}
	switch mechanism {
	case "sha256":
		return []kgo.Opt{kgo.SASL(scrammed.AsSha256Mechanism())}, nil
	case "sha512":
		return []kgo.Opt{kgo.SASL(scrammed.AsSha512Mechanism())}, nil
	}
	return []kgo.Opt{kgo.SASL(plain.Auth{User: user, Pass: password}.AsMechanism())}, nil
}

// secure connects through s.Dial, to whatever address the brokers name, with TLS on top if that is set.
func secure(s *notify.Settings) ([]kgo.Opt, error) {
	on, err := s.Bool("TLS")
	if err != nil {
		return nil, err
	}
	skip, err := s.Bool("TLS_SKIP_VERIFY")
	if err != nil {
		return nil, err
	}
	c, err := s.TLS("CA_FILE", "CLIENT_TLS_CERT", "CLIENT_TLS_KEY")
	if err != nil {
		return nil, err
	}
	c.InsecureSkipVerify = skip
	dial := s.Dial
	return []kgo.Opt{kgo.Dialer(func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil || !on {
			return conn, err
		}
		tc := c.Clone()
		tc.ServerName, _, _ = net.SplitHostPort(address)
		secured := tls.Client(conn, tc)
		if err := secured.HandshakeContext(ctx); err != nil {
			conn.Close()
			return nil, err
		}
		return secured, nil
	})}, nil
}

func version(s *notify.Settings) ([]kgo.Opt, error) {
	v := s.Get("VERSION")
	if v == "" {
		return nil, nil
	}
	versions := kversion.FromString(v)
	if versions == nil {
		return nil, fmt.Errorf("VERSION is no version of Kafka such as 3.9: %q", v)
	}
	return []kgo.Opt{kgo.MaxVersions(versions)}, nil
}

func compression(s *notify.Settings) ([]kgo.Opt, error) {
	codec, err := s.OneOf("PRODUCER_COMPRESSION_CODEC", "none", "gzip", "snappy", "lz4", "zstd")
	return []kgo.Opt{kgo.ProducerBatchCompression(map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	}[codec])}, err
}

// Send implements notify.Target. The key of a record is that of the object, so that its events stay in one partition.
// A broker refuses batches, not records: which one it means is found by sending them one after the other.
func (t *target) Send(ctx context.Context, list []notify.Message) (int, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, sendTimeout, errSilent)
	defer cancel()
	n, err := t.produce(ctx, list)
	if !unacceptable(err) {
		return n, err
	}
	for ; n < len(list); n++ {
		if _, err := t.produce(ctx, list[n:n+1]); unacceptable(err) {
			return n, &notify.Refusal{Err: err}
		} else if err != nil {
			return n, err
		}
	}
	return n, nil
}

// unacceptable tells whether brokers refuse a record itself: it is larger than the topic allows, or what validates records
// there does not want it.
func unacceptable(err error) bool {
	return errors.Is(err, kerr.MessageTooLarge) || errors.Is(err, kerr.RecordListTooLarge) || errors.Is(err, kerr.InvalidRecord)
}

// produce returns how many of the first messages are taken; those behind the first that is not may be as well, and come
// twice. The error is of that first one.
func (t *target) produce(ctx context.Context, list []notify.Message) (int, error) {
	records := make([]*kgo.Record, len(list))
	for i := range list {
		records[i] = &kgo.Record{Key: []byte(list[i].Key()), Value: list[i].Body}
	}
	produced := make(chan kgo.ProduceResults, 1)
	go func() { produced <- t.client.ProduceSync(ctx, records...) }()
	var results kgo.ProduceResults
	select {
	case results = <-produced:
	case <-ctx.Done(): // which the library notices seconds later, where a broker is gone
		return 0, context.Cause(ctx)
	}
	failed := map[*kgo.Record]error{}
	for _, r := range results {
		if r.Err != nil {
			failed[r.Record] = r.Err
		}
	}
	for i, r := range records {
		if err := failed[r]; err != nil {
			return i, err
		}
	}
	return len(list), nil
}

// Check implements notify.Target: it asks a broker whether it is there, and about the topic. One that is missing may be
// made with the first event.
func (t *target) Check(ctx context.Context) error {
	if err := t.client.Ping(ctx); err != nil {
		return err
	}
	r, topic := kmsg.NewPtrMetadataRequest(), kmsg.NewMetadataRequestTopic()
	topic.Topic = kmsg.StringPtr(t.topic)
	r.Topics = append(r.Topics, topic)
	answer, err := r.RequestWith(ctx, t.client)
	if err != nil {
		return err
	}
	for i := range answer.Topics {
		if err := kerr.ErrorForCode(answer.Topics[i].ErrorCode); err != nil && !kerr.IsRetriable(err) {
			return fmt.Errorf("topic %q: %w", t.topic, err)
		}
	}
	return nil
}

// Addresses implements notify.Target.
func (t *target) Addresses() []string { return t.brokers }

// Close implements notify.Target.
func (t *target) Close() error {
	t.client.Close()
	return nil
}
