package targets

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/objsrv/objsrv/test/internal/harness"
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
				"CA_FILE=" + filepath.Join(os.Getenv("TARGETS_PKI"), "ca.crt"), "PRODUCER_COMPRESSION_CODEC=zstd"}
		},
		read: func(t *testing.T, _ int) []told { return readTopic(t, topic) }}
}

// readTopic returns all that a topic has.
func readTopic(t *testing.T, topic string) (got []told) {
	t.Helper()
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
}

// TestKafkaPassword: a wrong password stops no request, and all events come once it is right.
func TestKafkaPassword(t *testing.T) {
	p := kafkaPlace()
	o := start(t, 0, p.kind, append(p.settings(t), "SASL_PASSWORD=wrong")) // the last one counts
	puts := func(names ...string) {
		for _, key := range names {
			if _, err := o.Client(harness.Access, harness.Secret).PutObject(t.Context(), bucket, key, strings.NewReader(key), int64(len(key)), minio.PutObjectOptions{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	puts("one", "two")
	is := o.until("the target fails", func(s state) bool { return s.State == "failing" })
	if !strings.Contains(is.LastError, "SASL_AUTHENTICATION_FAILED") || is.Waiting != 2 {
		t.Errorf("%+v", is)
	}
	puts("three")
	if err := o.Stop(); err != nil {
		t.Fatal(err)
	}
	o.set(p.kind, p.settings(t))
	if _, err := o.Start(); err != nil {
		t.Fatal(err)
	}
	o.until("nothing waits", func(s state) bool { return s.Waiting == 0 })
	if got := distinct(p.read(t, 3)); len(got) != 3 {
		t.Errorf("%v", got)
	}
}

// TestKafkaHangs: a broker that takes connections and does not answer stops no request, and gets all events once it does.
func TestKafkaHangs(t *testing.T) {
	p := kafkaPlace()
	o := start(t, 0, p.kind, p.settings(t))
	s := find(t, p.server)
	l := &load{client: o.Client(harness.Access, harness.Secret), events: map[string][]string{}, etags: map[string]string{}}
	l.run(t.Context())
	o.until("the first events are sent", func(s state) bool { return s.Sent >= 50 })
	must(t, syscall.Kill(s.pid, syscall.SIGSTOP))
	t.Cleanup(func() { _ = syscall.Kill(s.pid, syscall.SIGCONT) })
	is := o.until("the target fails", func(s state) bool { return s.State == "failing" })
	l.more(t, 100)
	must(t, syscall.Kill(s.pid, syscall.SIGCONT))
	l.halt(t)
	o.until("nothing waits", func(s state) bool { return s.Waiting == 0 && s.Expected == 0 })
	t.Logf("%d waited: %s", is.Waiting, is.LastError)
	judge(t, l, p.read(t, int(l.count.Load())))
}

// TestKafkaTooLarge: an event that is larger than the topic takes holds up no other, and is sent once the topic takes it.
func TestKafkaTooLarge(t *testing.T) {
	topic := fmt.Sprintf("large-%d", time.Now().UnixNano())
	plain := listener(t, "plain")
	admin, err := kgo.NewClient(kgo.SeedBrokers(plain))
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	bound := "2000"
	create, made, setting := kmsg.NewPtrCreateTopicsRequest(), kmsg.NewCreateTopicsRequestTopic(), kmsg.NewCreateTopicsRequestTopicConfig()
	setting.Name, setting.Value = "max.message.bytes", &bound
	made.Topic, made.NumPartitions, made.ReplicationFactor, made.Configs = topic, 3, 1, append(made.Configs, setting)
	create.Topics = append(create.Topics, made)
	if answer, err := create.RequestWith(t.Context(), admin); err != nil || answer.Topics[0].ErrorCode != 0 {
		t.Fatalf("%+v %v", answer, err)
	}
	o := start(t, 0, "kafka", []string{"BROKERS=" + plain, "TOPIC=" + topic})
	long := strings.Repeat("long/", 200)
	for _, key := range []string{"one", long, "two"} {
		if _, err := o.Client(harness.Access, harness.Secret).PutObject(t.Context(), bucket, key, strings.NewReader(key), int64(len(key)), minio.PutObjectOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	is := o.until("the others are sent", func(s state) bool { return s.Refused == 1 && s.Waiting == 0 })
	if is.State != "ok" || is.Dropped != 0 || len(distinct(readTopic(t, topic))) != 2 {
		t.Errorf("%+v", is)
	}
	bound = "100000"
	alter, of, to := kmsg.NewPtrIncrementalAlterConfigsRequest(), kmsg.NewIncrementalAlterConfigsRequestResource(), kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
	to.Name, to.Value, to.Op = "max.message.bytes", &bound, kmsg.IncrementalAlterConfigOpSet
	of.ResourceType, of.ResourceName, of.Configs = kmsg.ConfigResourceTypeTopic, topic, append(of.Configs, to)
	alter.Resources = append(alter.Resources, of)
	if answer, err := alter.RequestWith(t.Context(), admin); err != nil || answer.Resources[0].ErrorCode != 0 {
		t.Fatalf("%+v %v", answer, err)
	}
	if err := o.Admin(t.Context(), "", "notify", "retry", "kafka:T"); err != nil {
		t.Fatal(err)
	}
	o.until("it is sent as well", func(s state) bool { return s.Refused == 0 && s.Waiting == 0 && s.Sent == 3 })
	if got := distinct(readTopic(t, topic)); len(got) != 3 {
		t.Errorf("%v", got)
	}
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
