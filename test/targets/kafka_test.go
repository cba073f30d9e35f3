package targets

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// listener returns the address of a listener of Kafka, by the name that run.sh gives it.
func listener(t *testing.T, name string) string {
	t.Helper()
	for pair := range strings.SplitSeq(os.Getenv("TARGETS_KAFKA"), ",") {
		if n, address, _ := strings.Cut(pair, "="); n == name {
			return address
		}
	}
	t.Skip("there is no Kafka to test against: make targets starts one")
	return ""
}

// kafkaPlace is a topic of three partitions, over TLS with SCRAM.
func kafkaPlace() *place {
	topic := fmt.Sprintf("outage-%d", time.Now().UnixNano())
	return &place{kind: "kafka", server: "kafka",
		settings: func(t *testing.T) []string {
			return []string{"BROKERS=" + listener(t, "sasltls"), "TOPIC=" + topic, "SASL=on", "SASL_USERNAME=test", "SASL_PASSWORD=secret", "SASL_MECHANISM=sha512", "TLS=on",
				"CA_FILE=" + filepath.Join(os.Getenv("TARGETS_KAFKA_DIR"), "ca.crt"), "PRODUCER_COMPRESSION_CODEC=zstd"}
		},
		read: func(t *testing.T) (got []told) {
			c, err := kgo.NewClient(kgo.SeedBrokers(listener(t, "plain")), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			for left := topicEnd(t, c, topic); left > 0; {
				fetches := c.PollFetches(t.Context())
				if err := fetches.Err(); err != nil {
					t.Fatal(err)
				}
				for _, r := range fetches.Records() {
					left--
					e := parse(t, r.Value)
					if bucket+"/"+e.key != string(r.Key) {
						t.Errorf("the key of the record of %q is %q", e.key, r.Key)
					}
					got = append(got, e)
				}
			}
			return got
		}}
}

// topicEnd returns how many records a topic has.
func topicEnd(t *testing.T, c *kgo.Client, topic string) (n int64) {
	t.Helper()
	r, of := kmsg.NewPtrListOffsetsRequest(), kmsg.NewListOffsetsRequestTopic()
	of.Topic = topic
	for i := range int32(3) {
		p := kmsg.NewListOffsetsRequestTopicPartition()
		p.Partition, p.Timestamp = i, -1 // the end
		of.Partitions = append(of.Partitions, p)
	}
	r.Topics = append(r.Topics, of)
	answer, err := r.RequestWith(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range answer.Topics[0].Partitions {
		if p.ErrorCode != 0 {
			t.Fatalf("partition %d: %v", p.Partition, kerr.ErrorForCode(p.ErrorCode))
		}
		n += p.Offset
	}
	return n
}

// parse reads a message of MinIO's form.
func parse(t *testing.T, body []byte) told {
	t.Helper()
	var m struct {
		EventName string
		Records   []struct {
			EventName string
			S3        struct {
				Object struct{ Key, Sequencer, ETag string }
			}
		}
	}
	if err := json.Unmarshal(body, &m); err != nil || len(m.Records) != 1 {
		t.Fatalf("%v: %s", err, body)
	}
	r := m.Records[0]
	key, err := url.QueryUnescape(r.S3.Object.Key)
	if err != nil {
		t.Fatal(err)
	}
	name := r.EventName
	if !strings.HasPrefix(name, "s3:") {
		name = "s3:" + name
	}
	return told{name, key, r.S3.Object.Sequencer, r.S3.Object.ETag}
}
