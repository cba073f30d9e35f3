// Package mqtt publishes events over MQTT 3.1.1. It imports internal/notify and is the only user of paho. Settings and
// messages are MinIO's; the quality of service is 1 unless it is set, since an event must arrive.
package mqtt

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/objsrv/objsrv/internal/notify"
)

const callTimeout = 10 * time.Second

// Kind describes MQTT.
func Kind() notify.Kind {
	return notify.Kind{Name: "mqtt", Variable: "MQTT", Secrets: []string{"PASSWORD"}, New: newTarget,
		Keys: []string{"BROKER", "TOPIC", "USERNAME", "PASSWORD", "QOS", "KEEP_ALIVE_INTERVAL", "RECONNECT_INTERVAL", "CA_FILE", "CLIENT_CERT", "CLIENT_KEY"}}
}

type target struct {
	broker    *url.URL
	topic     string
	qos       byte
	options   *mqtt.ClientOptions
	reconnect time.Duration // least time between two attempts to connect
	tried     time.Time     // the last one
	failure   error         // of it
	client    mqtt.Client   // nil without a connection
}

func newTarget(s *notify.Settings) (notify.Target, error) {
	t := &target{}
	var err error
	if t.broker, err = s.URL("BROKER", "tcp", "mqtt", "ssl", "tls", "mqtts"); err != nil {
		return nil, err
	}
	if t.topic, err = s.Need("TOPIC"); err != nil {
		return nil, err
	}
	if strings.ContainsAny(t.topic, "#+\x00") {
		return nil, fmt.Errorf("TOPIC has a wildcard: %q", t.topic)
	}
	qos, err := s.Int("QOS", 1, 0, 2)
	if err != nil {
		return nil, err
	}
	t.qos = byte(qos)
	alive, err := interval(s, "KEEP_ALIVE_INTERVAL", 30*time.Second)
	if err != nil {
		return nil, err
	}
	if t.reconnect, err = interval(s, "RECONNECT_INTERVAL", 0); err != nil {
		return nil, err
	}
	tc, err := s.TLS("CA_FILE", "CLIENT_CERT", "CLIENT_KEY")
	if err != nil {
		return nil, err
	}
	tc.ServerName = t.broker.Hostname()
	id := "objsrv-" + rand.Text()[:12]
	t.options = mqtt.NewClientOptions().AddBroker("tcp://" + t.Addresses()[0]).SetClientID(id).SetUsername(s.Get("USERNAME")).SetPassword(s.Get("PASSWORD")).
		SetCleanSession(true).SetAutoReconnect(false).SetConnectRetry(false).SetKeepAlive(alive).SetConnectTimeout(callTimeout).SetWriteTimeout(callTimeout).
		SetCustomOpenConnectionFn(opener(s.Dial, t.Addresses()[0], t.secure(), tc))
	return t, nil
}

func interval(s *notify.Settings, key string, def time.Duration) (time.Duration, error) {
	v := s.Get(key)
	if v == "" || v == "0s" || v == "0" {
		return def, nil
	}
	d, err := time.ParseDuration(v)
	if err != nil || d < time.Second || d > time.Hour {
		return 0, fmt.Errorf("%s is no duration from 1s to 1h: %q", key, v)
	}
	return d, nil
}

// opener connects through dial, with TLS on top if that is asked for.
func opener(dial notify.Dial, address string, secure bool, tc *tls.Config) mqtt.OpenConnectionFunc {
	return func(*url.URL, mqtt.ClientOptions) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
		defer cancel()
		conn, err := dial(ctx, "tcp", address)
		if err != nil || !secure {
			return conn, err
		}
		secured := tls.Client(conn, tc)
		if err := secured.HandshakeContext(ctx); err != nil {
			conn.Close()
			return nil, err
		}
		return secured, nil
	}
}

func (t *target) secure() bool { return t.broker.Scheme != "tcp" && t.broker.Scheme != "mqtt" }

// connect makes sure that there is a connection.
func (t *target) connect(ctx context.Context) error {
	if t.client != nil && t.client.IsConnectionOpen() {
		return nil
	}
	if t.failure != nil && time.Since(t.tried) < t.reconnect {
		return t.failure
	}
	t.tried = time.Now()
	client := mqtt.NewClient(t.options)
	if t.failure = wait(ctx, client.Connect()); t.failure != nil {
		client.Disconnect(0)
		return t.failure
	}
	t.client = client
	return nil
}

func wait(ctx context.Context, token mqtt.Token) error {
	select {
	case <-token.Done():
		return token.Error()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Send implements notify.Target.
func (t *target) Send(ctx context.Context, list []notify.Message) (int, error) {
	if err := t.connect(ctx); err != nil {
		return 0, err
	}
	tokens := make([]mqtt.Token, len(list))
	for i := range list {
		tokens[i] = t.client.Publish(t.topic, t.qos, false, list[i].Body)
	}
	for i, token := range tokens {
		if err := wait(ctx, token); err != nil {
			t.client.Disconnect(0)
			t.client = nil
			return i, err
		}
	}
	if !t.client.IsConnectionOpen() { // what was lost with it counts as published to the library
		t.client = nil
		return 0, errors.New("the connection was lost")
	}
	return len(list), nil
}

// Check implements notify.Target: it connects and logs in.
func (t *target) Check(ctx context.Context) error {
	o := *t.options
	o.ClientID += "-" + strconv.FormatInt(time.Now().UnixNano(), 36) // or the broker would cut the other connection
	client := mqtt.NewClient(&o)
	defer client.Disconnect(0)
	return wait(ctx, client.Connect())
}

// Addresses implements notify.Target.
func (t *target) Addresses() []string {
	port := "1883"
	if t.secure() {
		port = "8883"
	}
	return []string{notify.HostPort(t.broker.Host, port)}
}

// Close implements notify.Target.
func (t *target) Close() error {
	if t.client != nil {
		t.client.Disconnect(250)
	}
	return nil
}
