package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/objsrv/objsrv/internal/events"
	"github.com/objsrv/objsrv/internal/notify"
	"github.com/objsrv/objsrv/internal/notify/notifytest"
)

// server is a real Kafka: its listeners by name.
type server struct {
	listeners map[string]string
	admin     *kgo.Client
}

func realServer(t *testing.T) *server {
	t.Helper()
	s := &server{listeners: map[string]string{}}
	for pair := range strings.SplitSeq(notifytest.Server(t, "OBJSRV_TEST_KAFKA"), ",") {
		name, address, _ := strings.Cut(pair, "=")
		s.listeners[name] = address
	}
	var err error
	if s.admin, err = kgo.NewClient(kgo.SeedBrokers(s.listeners["plain"])); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.admin.Close)
	return s
}

// topic makes a topic with settings, each NAME=VALUE, and returns its name.
func (s *server) topic(t *testing.T, partitions int, settings ...string) string {
	t.Helper()
	r := kmsg.NewPtrCreateTopicsRequest()
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = fresh(), int32(partitions), 1
	for _, v := range settings {
		c := kmsg.NewCreateTopicsRequestTopicConfig()
		name, value, _ := strings.Cut(v, "=")
		c.Name, c.Value = name, &value
		topic.Configs = append(topic.Configs, c)
	}
	r.Topics = append(r.Topics, topic)
	resp, err := r.RequestWith(t.Context(), s.admin)
	if err == nil {
		err = kerr.ErrorForCode(resp.Topics[0].ErrorCode)
	}
	if err != nil {
		t.Fatal(err)
	}
	return topic.Topic
}

// fresh is the name of a topic that is not there.
func fresh() string { return fmt.Sprintf("objsrv-%d", time.Now().UnixNano()) }

// read returns the first n records of a topic.
func (s *server) read(t *testing.T, topic string, n int) (got []*kgo.Record) {
	t.Helper()
	c, err := kgo.NewClient(kgo.SeedBrokers(s.listeners["plain"]), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for len(got) < n {
		fetches := c.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("%d of %d records: %v", len(got), n, err)
		}
		got = append(got, fetches.Records()...)
	}
	return got
}

// settings of a target at a listener; more has NAME=VALUE.
func (s *server) settings(listener, topic string, more ...string) map[string]string {
	v := map[string]string{"BROKERS": s.listeners[listener], "TOPIC": topic}
	if listener == "sasl" || listener == "sasltls" {
		maps.Copy(v, map[string]string{"SASL": "on", "SASL_USERNAME": "test", "SASL_PASSWORD": "secret"})
	}
	if listener == "tls" || listener == "mtls" || listener == "sasltls" {
		maps.Copy(v, map[string]string{"TLS": "on", "CA_FILE": notifytest.Certificate("ca.crt")})
	}
	if listener == "mtls" {
		maps.Copy(v, map[string]string{"CLIENT_TLS_CERT": notifytest.Certificate("client.crt"), "CLIENT_TLS_KEY": notifytest.Certificate("client.key")})
	}
	for _, m := range more {
		name, value, _ := strings.Cut(m, "=")
		v[name] = value
	}
	return v
}

// TestServer sends to a real Kafka in every way that the settings have, and reads what has come.
func TestServer(t *testing.T) {
	s := realServer(t)
	for _, row := range [][]string{{"plain"}, {"plain", "PRODUCER_COMPRESSION_CODEC=gzip"}, {"plain", "PRODUCER_COMPRESSION_CODEC=snappy"}, {"plain", "PRODUCER_COMPRESSION_CODEC=lz4"},
		{"plain", "PRODUCER_COMPRESSION_CODEC=zstd", "VERSION=3.9.0"}, {"plain", "VERSION=2.1"}, {"sasl"}, {"sasl", "SASL_MECHANISM=sha256"}, {"sasl", "SASL_MECHANISM=sha512"}, {"tls"},
		{"tls", "CA_FILE=", "TLS_SKIP_VERIFY=on"}, {"mtls"}, {"sasltls", "SASL_MECHANISM=sha512", "PRODUCER_COMPRESSION_CODEC=zstd"}} {
		t.Run(strings.Join(row, " "), func(t *testing.T) {
			topic := s.topic(t, 3)
			target := notifytest.New(t, Kind(), s.settings(row[0], topic, row[1:]...))
			if err := target.Check(t.Context()); err != nil {
				t.Fatal(err)
			}
			notifytest.Send(t, target, notifytest.Message(t, events.CreatedPut, "a b 🪣"), notifytest.Message(t, events.CreatedPut, "two"), notifytest.Message(t, events.RemovedDelete, "a b 🪣"))
			got := slices.DeleteFunc(s.read(t, topic, 3), func(r *kgo.Record) bool { return string(r.Key) != "b/a b 🪣" })
			if len(got) != 2 || got[0].Partition != got[1].Partition || !strings.HasPrefix(string(got[0].Value), `{"EventName":"s3:ObjectCreated:Put",`) || !strings.HasPrefix(string(got[1].Value), `{"EventName":"s3:ObjectRemoved:Delete",`) {
				t.Errorf("%v", got)
			}
		})
	}
}

// TestServerSaysNo checks that a target that can't log in says why, and takes it for no fault of the event.
func TestServerSaysNo(t *testing.T) {
	s := realServer(t)
	for _, row := range []struct {
		why  string
		more []string
	}{
		{"SASL_AUTHENTICATION_FAILED", []string{"sasl", "SASL_PASSWORD=wrong"}},
		{"SASL_AUTHENTICATION_FAILED", []string{"sasl", "SASL_MECHANISM=sha256", "SASL_PASSWORD=wrong"}},
		{"SASL_AUTHENTICATION_FAILED", []string{"sasl", "SASL_MECHANISM=sha512", "SASL_USERNAME=nobody"}},
		{"TOPIC_AUTHORIZATION_FAILED", []string{"sasl", "SASL_USERNAME=nobody"}},
		{"certificate signed by unknown authority", []string{"tls", "CA_FILE="}},
		{"bad certificate", []string{"mtls", "CLIENT_TLS_CERT=", "CLIENT_TLS_KEY="}},
		{"is SASL missing?", []string{"sasl", "SASL=off"}},
		{"tls", []string{"tls", "TLS=off"}},
		{"TLS", []string{"plain", "TLS=on"}},
	} {
		t.Run(strings.Join(row.more, " "), func(t *testing.T) {
			t.Parallel()
			topic := s.topic(t, 1)
			target := notifytest.New(t, Kind(), s.settings(row.more[0], topic, row.more[1:]...))
			err := target.Check(t.Context())
			if err == nil || !strings.Contains(err.Error(), row.why) {
				t.Errorf("check: %v", err)
			}
			n, err := target.Send(t.Context(), []notify.Message{notifytest.Message(t, events.CreatedPut, "k")})
			if n != 0 || err == nil || !strings.Contains(err.Error(), row.why) {
				t.Errorf("sent %d: %v", n, err)
			}
			if refused := (*notify.Refusal)(nil); errors.As(err, &refused) {
				t.Error("the event is refused, though the settings are wrong")
			}
		})
	}
}

// TestServerTopic sends to a topic that is not there, which the broker makes, and to one that takes no large records.
func TestServerTopic(t *testing.T) {
	s := realServer(t)
	topic := fresh()
	target := notifytest.New(t, Kind(), s.settings("plain", topic))
	if err := target.Check(t.Context()); err != nil {
		t.Error(err)
	}
	small := notifytest.Message(t, events.CreatedPut, "small")
	for {
		n, err := target.Send(t.Context(), []notify.Message{small})
		if n == 1 && err == nil {
			break
		}
		if !errors.Is(err, kerr.UnknownTopicOrPartition) && !errors.Is(err, kerr.LeaderNotAvailable) {
			t.Fatal(err)
		}
	}
	s.read(t, topic, 1)

	topic = s.topic(t, 3, "max.message.bytes=1500")
	target = notifytest.New(t, Kind(), s.settings("plain", topic))
	list := []notify.Message{small, small, notifytest.Message(t, events.CreatedPut, strings.Repeat("x", 1000)), small}
	n, err := target.Send(t.Context(), list)
	if refused := (*notify.Refusal)(nil); n != 2 || !errors.As(err, &refused) || !strings.Contains(err.Error(), "MESSAGE_TOO_LARGE") {
		t.Errorf("sent %d: %v", n, err)
	}
	notifytest.Send(t, target, list[3:]...)
	notifytest.Send(t, target, slices.Repeat(list[:1], 64)...) // more than the topic takes at once
	if got := s.read(t, topic, 67); string(got[66].Value) != string(small.Body) {
		t.Errorf("%s", got[66].Value)
	}
	if err := notifytest.New(t, Kind(), s.settings("plain", "no/topic")).Check(t.Context()); !errors.Is(err, kerr.InvalidTopicException) {
		t.Errorf("a name that topics can't have: %v", err)
	}
}
