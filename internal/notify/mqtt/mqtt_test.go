package mqtt

import (
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/objsrv/objsrv/internal/events"
	"github.com/objsrv/objsrv/internal/notify/notifytest"
)

// TestMQTT publishes to a real broker, to which another client listens.
func TestMQTT(t *testing.T) {
	broker := notifytest.Server(t, "OBJSRV_TEST_MQTT")
	listener := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(broker).SetClientID("listener"))
	if token := listener.Connect(); token.Wait() && token.Error() != nil {
		t.Fatal(token.Error())
	}
	defer listener.Disconnect(0)
	got := make(chan string, 10)
	if token := listener.Subscribe("objsrv/events", 1, func(_ mqtt.Client, m mqtt.Message) { got <- string(m.Payload()) }); token.Wait() && token.Error() != nil {
		t.Fatal(token.Error())
	}
	values := map[string]string{"BROKER": broker, "TOPIC": "objsrv/events", "RECONNECT_INTERVAL": "1m"}
	target := notifytest.New(t, Kind(), values)
	if err := target.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	one, two := notifytest.Message(t, events.CreatedPut, "one"), notifytest.Message(t, events.RemovedDelete, "two")
	notifytest.Send(t, target, one, two)
	if a, b := <-got, <-got; a != string(one.Body) || b != string(two.Body) {
		t.Errorf("%s %s", a, b)
	}
	notifytest.Guarded(t, Kind(), values)
}

// TestServerTLS publishes over TLS to a broker that wants client certificates.
func TestServerTLS(t *testing.T) {
	values := map[string]string{"BROKER": notifytest.Server(t, "OBJSRV_TEST_MQTT_TLS"), "TOPIC": "objsrv/secured"}
	notifytest.Secured(t, Kind(), values, "CA_FILE", "CLIENT_CERT", "CLIENT_KEY")
}

// TestReconnect: after a failure nobody is called before the interval is over.
func TestReconnect(t *testing.T) {
	m := notifytest.New(t, Kind(), map[string]string{"BROKER": "tcp://127.0.0.1:1", "TOPIC": "t", "RECONNECT_INTERVAL": "1h"}).(*target)
	if m.connect(t.Context()) == nil {
		t.Fatal("somebody is at port 1")
	}
	tried := m.tried
	if m.connect(t.Context()) == nil || m.tried != tried {
		t.Error("tried again at once")
	}
	m.tried = time.Now().Add(-2 * time.Hour)
	if m.connect(t.Context()) == nil || time.Since(m.tried) > time.Hour {
		t.Error("not tried again")
	}
}

func TestSettings(t *testing.T) {
	const broker = "tcp://mqtt.example.com:1883"
	notifytest.Refused(t, Kind(), map[string]string{"TOPIC": "t"}, map[string]string{"BROKER": "ws://x", "TOPIC": "t"}, map[string]string{"BROKER": broker}, map[string]string{"BROKER": broker, "TOPIC": "a/#"},
		map[string]string{"BROKER": broker, "TOPIC": "t", "QOS": "3"}, map[string]string{"BROKER": broker, "TOPIC": "t", "KEEP_ALIVE_INTERVAL": "soon"}, map[string]string{"BROKER": broker, "TOPIC": "t", "CA_FILE": "/none"})
	if a := notifytest.New(t, Kind(), map[string]string{"BROKER": "ssl://mqtt.example.com", "TOPIC": "t"}).Addresses(); a[0] != "mqtt.example.com:8883" {
		t.Error(a)
	}
}
