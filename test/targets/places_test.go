package targets

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	_ "github.com/go-sql-driver/mysql"
	"github.com/gomodule/redigo/redis"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	amqp "github.com/rabbitmq/amqp091-go"
)

// need returns what run.sh says of a server, or leaves the test out.
func need(t *testing.T, variable string) string {
	t.Helper()
	v := os.Getenv(variable)
	if v == "" {
		t.Skipf("%s is not set: there is no server to test against (make targets starts one)", variable)
	}
	return v
}

// fresh is a name that nothing has.
func fresh(word string) string { return fmt.Sprintf("%s_%d", word, time.Now().UnixNano()) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// postgresPlace is a table of PostgreSQL, whose smart shutdown would wait for objsrv.
func postgresPlace(format string) *place {
	table := fresh("outage_" + format)
	column := map[string]string{access: "event_data", namespace: "value"}[format]
	return &place{kind: "postgresql", format: format, server: "postgres", signals: []syscall.Signal{syscall.SIGKILL, syscall.SIGINT},
		settings: func(t *testing.T) []string {
			return []string{"CONNECTION_STRING=" + need(t, "TARGETS_POSTGRES"), "TABLE=" + table, "FORMAT=" + format}
		},
		read: func(t *testing.T, _ int) (got []told) {
			conn, err := pgconn.Connect(t.Context(), need(t, "TARGETS_POSTGRES"))
			must(t, err)
			defer conn.Close(context.Background())
			rows, err := conn.Exec(t.Context(), "SELECT "+column+"::text FROM "+table+" ORDER BY "+column+"#>>'{Records,0,s3,object,sequencer}'").ReadAll()
			must(t, err)
			for _, row := range rows[0].Rows {
				got = append(got, parse(t, row[0]))
			}
			return got
		}}
}

// mysqlPlace is a table of MariaDB.
func mysqlPlace(format string) *place {
	table := fresh("outage_" + format)
	column := map[string]string{access: "event_data", namespace: "value"}[format]
	return &place{kind: "mysql", format: format, server: "mysql",
		settings: func(t *testing.T) []string {
			return []string{"DSN_STRING=" + need(t, "TARGETS_MYSQL"), "TABLE=" + table, "FORMAT=" + format}
		},
		read: func(t *testing.T, _ int) (got []told) {
			db, err := sql.Open("mysql", need(t, "TARGETS_MYSQL"))
			must(t, err)
			defer db.Close()
			rows, err := db.Query("SELECT " + column + " FROM " + table + " ORDER BY JSON_VALUE(" + column + ", '$.Records[0].s3.object.sequencer')")
			must(t, err)
			defer rows.Close()
			for rows.Next() {
				var body []byte
				must(t, rows.Scan(&body))
				got = append(got, parse(t, body))
			}
			must(t, rows.Err())
			return got
		}}
}

// redisPlace is a list or a hash of Redis.
func redisPlace(format string) *place {
	key := fresh("outage_" + format)
	return &place{kind: "redis", format: format, server: "redis",
		settings: func(t *testing.T) []string {
			return []string{"ADDRESS=" + need(t, "TARGETS_REDIS"), "PASSWORD=secret", "KEY=" + key, "FORMAT=" + format}
		},
		read: func(t *testing.T, _ int) (got []told) {
			conn, err := redis.Dial("tcp", need(t, "TARGETS_REDIS"), redis.DialPassword("secret"))
			must(t, err)
			defer conn.Close()
			if format == namespace {
				values, err := redis.ByteSlices(conn.Do("HVALS", key))
				must(t, err)
				for _, v := range values {
					got = append(got, parse(t, v))
				}
				return got
			}
			values, err := redis.ByteSlices(conn.Do("LRANGE", key, 0, -1))
			must(t, err)
			for _, v := range values {
				var entries []struct{ Event json.RawMessage }
				if err := json.Unmarshal(v, &entries); err != nil || len(entries) != 1 {
					t.Fatalf("%v: %s", err, v)
				}
				got = append(got, parse(t, []byte(`{"Records":`+string(entries[0].Event)+`}`)))
			}
			return got
		}}
}

// natsPlace is a stream of JetStream in files.
func natsPlace() *place {
	name := fresh("outage")
	connect := func(t *testing.T) (*nats.Conn, jetstream.JetStream) {
		conn, err := nats.Connect("nats://"+need(t, "TARGETS_NATS"), nats.UserInfo("test", "secret"))
		must(t, err)
		js, err := jetstream.New(conn)
		must(t, err)
		return conn, js
	}
	return &place{kind: "nats", server: "nats",
		settings: func(t *testing.T) []string {
			conn, js := connect(t)
			defer conn.Close()
			_, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: name, Subjects: []string{name}, Storage: jetstream.FileStorage})
			must(t, err)
			return []string{"ADDRESS=" + need(t, "TARGETS_NATS"), "SUBJECT=" + name, "USERNAME=test", "PASSWORD=secret", "JETSTREAM=on"}
		},
		read: func(t *testing.T, _ int) (got []told) {
			conn, js := connect(t)
			defer conn.Close()
			stream, err := js.Stream(t.Context(), name)
			must(t, err)
			consumer, err := stream.OrderedConsumer(t.Context(), jetstream.OrderedConsumerConfig{})
			must(t, err)
			for left := stream.CachedInfo().State.Msgs; left > 0; left-- {
				msg, err := consumer.Next()
				must(t, err)
				got = append(got, parse(t, msg.Data()))
			}
			return got
		}}
}

// amqpPlace is a durable queue of RabbitMQ behind an exchange.
func amqpPlace() *place {
	name := fresh("outage")
	channel := func(t *testing.T) *amqp.Channel {
		conn, err := amqp.Dial(need(t, "TARGETS_AMQP"))
		must(t, err)
		t.Cleanup(func() { conn.Close() })
		c, err := conn.Channel()
		must(t, err)
		return c
	}
	return &place{kind: "amqp", server: "rabbitmq",
		settings: func(t *testing.T) []string {
			c := channel(t)
			must(t, c.ExchangeDeclare(name, "direct", true, false, false, false, nil))
			_, err := c.QueueDeclare(name, true, false, false, false, nil)
			must(t, err)
			must(t, c.QueueBind(name, "objects", name, false, nil))
			return []string{"URL=" + need(t, "TARGETS_AMQP"), "EXCHANGE=" + name, "EXCHANGE_TYPE=direct", "ROUTING_KEY=objects", "DURABLE=on", "MANDATORY=on"}
		},
		read: func(t *testing.T, _ int) (got []told) {
			c := channel(t)
			for {
				msg, ok, err := c.Get(name, true)
				must(t, err)
				if !ok {
					return got
				}
				got = append(got, parse(t, msg.Body))
			}
		}}
}

// mqttPlace is a subscriber of Mosquitto with a session that the broker keeps, also over a stop but not over SIGKILL.
func mqttPlace() *place {
	topic := fresh("outage")
	var mu sync.Mutex
	var got [][]byte
	return &place{kind: "mqtt", server: "mqtt", signals: []syscall.Signal{syscall.SIGTERM},
		settings: func(t *testing.T) []string {
			keep := func(_ mqtt.Client, m mqtt.Message) {
				mu.Lock()
				defer mu.Unlock()
				got = append(got, m.Payload())
			}
			c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(need(t, "TARGETS_MQTT")).SetClientID(topic).SetCleanSession(false).SetMaxReconnectInterval(time.Second).SetDefaultPublishHandler(keep))
			for _, token := range []func() mqtt.Token{c.Connect, func() mqtt.Token { return c.Subscribe(topic, 1, keep) }} {
				done := token()
				done.Wait()
				must(t, done.Error())
			}
			t.Cleanup(func() { c.Disconnect(0) })
			return []string{"BROKER=" + need(t, "TARGETS_MQTT"), "TOPIC=" + topic}
		},
		read: func(t *testing.T, n int) (all []told) {
			await(t, "all messages", func() (bool, error) {
				mu.Lock()
				defer mu.Unlock()
				for _, body := range got[len(all):] {
					all = append(all, parse(t, body))
				}
				return len(distinct(all)) >= n, nil
			})
			return all
		}}
}
