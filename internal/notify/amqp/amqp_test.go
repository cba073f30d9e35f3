package amqp

import (
	"strings"
	"testing"

	"github.com/rabbitmq/amqp091-go"

	"github.com/objsrv/objsrv/internal/events"
	"github.com/objsrv/objsrv/internal/notify"
	"github.com/objsrv/objsrv/internal/notify/notifytest"
)

// TestAMQP publishes to a real broker: through an exchange that is declared, and to a queue that must be there.
func TestAMQP(t *testing.T) {
	url := notifytest.Server(t, "OBJSRV_TEST_AMQP")
	conn, err := amqp091.Dial(url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	channel, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{"URL": url, "EXCHANGE": "objsrv", "EXCHANGE_TYPE": "direct", "ROUTING_KEY": "objects", "AUTO_DELETED": "on", "MANDATORY": "on"}
	target := notifytest.New(t, Kind(), values)
	one, two := notifytest.Message(t, events.CreatedPut, "one"), notifytest.Message(t, events.RemovedDelete, "two")
	if n, err := target.Send(t.Context(), []notify.Message{one}); err == nil || !strings.Contains(err.Error(), "no queue") {
		t.Errorf("%d published to nobody: %v", n, err)
	}
	queue, err := channel.QueueDeclare("", false, true, true, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := target.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := channel.QueueBind(queue.Name, "objects", "objsrv", false, nil); err != nil {
		t.Fatal(err)
	}
	notifytest.Send(t, target, one, two)
	for i, want := range []notify.Message{one, two} {
		msg, ok, err := channel.Get(queue.Name, true)
		if err != nil || !ok || string(msg.Body) != string(want.Body) || msg.Headers["minio-event"] != string(want.Event.Name) || msg.DeliveryMode != amqp091.Persistent {
			t.Fatalf("%d: %v %t %+v", i, err, ok, msg)
		}
	}
	values["EXCHANGE"], values["EXCHANGE_TYPE"] = "none", ""
	if n, err := notifytest.New(t, Kind(), values).Send(t.Context(), []notify.Message{one}); err == nil {
		t.Errorf("%d published to an exchange that is not there", n)
	}
	notifytest.Guarded(t, Kind(), values)
	values["URL"] = strings.Replace(url, "guest:guest", "guest:wrong", 1)
	if err := notifytest.New(t, Kind(), values).Check(t.Context()); err == nil || strings.Contains(err.Error(), "wrong") {
		t.Errorf("a wrong password: %v", err)
	}
}

// TestServerTLS publishes over TLS to a broker that wants client certificates.
func TestServerTLS(t *testing.T) {
	values := map[string]string{"URL": notifytest.Server(t, "OBJSRV_TEST_AMQP_TLS"), "EXCHANGE": "secured", "EXCHANGE_TYPE": "fanout", "AUTO_DELETED": "on"}
	notifytest.Secured(t, Kind(), values, "CA_FILE", "CLIENT_CERT", "CLIENT_KEY")
}

func TestSettings(t *testing.T) {
	const url = "amqp://u:p@mq.example.com/"
	notifytest.Refused(t, Kind(), map[string]string{"ROUTING_KEY": "k"}, map[string]string{"URL": "http://x/", "ROUTING_KEY": "k"}, map[string]string{"URL": url},
		map[string]string{"URL": url, "EXCHANGE": "e", "EXCHANGE_TYPE": "x"}, map[string]string{"URL": url, "EXCHANGE": "e", "DURABLE": "x"},
		map[string]string{"URL": url, "EXCHANGE": "e", "DELIVERY_MODE": "3"}, map[string]string{"URL": url, "EXCHANGE": "e", "PUBLISHER_CONFIRMS": "off"})
	if a := notifytest.New(t, Kind(), map[string]string{"URL": "amqps://u:p@mq.example.com/v", "EXCHANGE": "e"}).Addresses(); a[0] != "mq.example.com:5671" {
		t.Error(a)
	}
}
