package kafka

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/objsrv/objsrv/internal/events"
	"github.com/objsrv/objsrv/internal/notify"
	"github.com/objsrv/objsrv/internal/notify/notifytest"
)

// TestKafka produces to franz-go's fake of a cluster, which speaks the protocol, where there is no real one; those with
// "Server" in their names are for that. It logs in, too.
func TestKafka(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(3, "objects"), kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-256", "test", "secret"))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	brokers := strings.Join(cluster.ListenAddrs(), ",")
	values := map[string]string{"BROKERS": brokers, "TOPIC": "objects", "SASL": "on", "SASL_USERNAME": "test", "SASL_PASSWORD": "secret", "SASL_MECHANISM": "sha256", "PRODUCER_COMPRESSION_CODEC": "zstd"}
	target := notifytest.New(t, Kind(), values)
	if err := target.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	notifytest.Send(t, target, notifytest.Message(t, events.CreatedPut, "one"), notifytest.Message(t, events.RemovedDelete, "one"))
	options, err := login(&notify.Settings{Values: values})
	if err != nil {
		t.Fatal(err)
	}
	reader, err := kgo.NewClient(append(options, kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.ConsumeTopics("objects"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))...)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	var got []*kgo.Record
	for len(got) < 2 {
		fetches := reader.PollFetches(t.Context())
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		got = append(got, fetches.Records()...)
	}
	if string(got[0].Key) != "b/one" || got[0].Partition != got[1].Partition || !strings.HasPrefix(string(got[1].Value), `{"EventName":"s3:ObjectRemoved:Delete","Key":"b/one",`) {
		t.Errorf("%s %s", got[0].Key, got[1].Value)
	}
	notifytest.Guarded(t, Kind(), values)
	reader.Close()
	cluster.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if n, err := target.Send(ctx, []notify.Message{notifytest.Message(t, events.CreatedPut, "two")}); n != 0 || err == nil {
		t.Errorf("%d sent to nobody: %v", n, err)
	}
}

// TestRefusal: a record that is larger than its topic takes is refused alone, in its place; a topic is made when it is missing.
func TestRefusal(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.AllowAutoTopicCreation(), kfake.DefaultNumPartitions(3), kfake.BrokerConfigs(map[string]string{"message.max.bytes": "1500"}))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	target := notifytest.New(t, Kind(), map[string]string{"BROKERS": strings.Join(cluster.ListenAddrs(), ","), "TOPIC": "objects"})
	small, large := notifytest.Message(t, events.CreatedPut, "small"), notifytest.Message(t, events.CreatedPut, strings.Repeat("x", 1000))
	list := []notify.Message{small, small, large, small}
	n, err := target.Send(t.Context(), list)
	for errors.Is(err, kerr.UnknownTopicOrPartition) {
		n, err = target.Send(t.Context(), list)
	}
	if refused := (*notify.Refusal)(nil); n != 2 || !errors.As(err, &refused) || !errors.Is(err, kerr.MessageTooLarge) {
		t.Errorf("sent %d: %v", n, err)
	}
	notifytest.Send(t, target, small)
}

func TestSettings(t *testing.T) {
	const b = "kafka.example.com:9092"
	notifytest.Refused(t, Kind(), map[string]string{"TOPIC": "t"}, map[string]string{"BROKERS": b}, map[string]string{"BROKERS": "host", "TOPIC": "t"}, map[string]string{"BROKERS": ",", "TOPIC": "t"},
		map[string]string{"BROKERS": b, "TOPIC": "t", "SASL": "on"}, map[string]string{"BROKERS": b, "TOPIC": "t", "SASL": "on", "SASL_USERNAME": "u", "SASL_MECHANISM": "gssapi"},
		map[string]string{"BROKERS": b, "TOPIC": "t", "VERSION": "next"}, map[string]string{"BROKERS": b, "TOPIC": "t", "PRODUCER_COMPRESSION_CODEC": "rar"},
		map[string]string{"BROKERS": b, "TOPIC": "t", "CLIENT_TLS_CERT": "/none"})
	notifytest.New(t, Kind(), map[string]string{"BROKERS": b + ", other:9092", "TOPIC": "t", "VERSION": "3.9", "TLS": "on", "TLS_SKIP_VERIFY": "off"})
}
