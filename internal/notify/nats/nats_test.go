package nats

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/objsrv/objsrv/internal/events"
	"github.com/objsrv/objsrv/internal/notify"
	"github.com/objsrv/objsrv/internal/notify/notifytest"
)

// TestNATS publishes to a real server, plainly and to a stream, which drops what comes twice.
func TestNATS(t *testing.T) {
	address := notifytest.Server(t, "OBJSRV_TEST_NATS")
	conn, err := nats.Connect("nats://"+address, nats.UserInfo("test", "secret"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	sub, err := conn.SubscribeSync("objsrv.plain")
	if err != nil || conn.Flush() != nil {
		t.Fatal(err)
	}
	values := map[string]string{"ADDRESS": address, "SUBJECT": "objsrv.plain", "USERNAME": "test", "PASSWORD": "secret"}
	plain := notifytest.New(t, Kind(), values)
	if err := plain.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	one, two := notifytest.Message(t, events.CreatedPut, "one"), notifytest.Message(t, events.RemovedDelete, "two")
	notifytest.Send(t, plain, one, two)
	for _, want := range []string{"b/one", "b/two"} {
		msg, err := sub.NextMsg(10 * time.Second)
		var log events.Log
		if err != nil || json.Unmarshal(msg.Data, &log) != nil || log.Key != want {
			t.Fatalf("%v %+v, want %s", err, log, want)
		}
	}
	large := notifytest.Message(t, events.CreatedPut, "large")
	large.Body = make([]byte, conn.MaxPayload()+1)
	refused := (*notify.Refusal)(nil)
	if n, err := plain.Send(t.Context(), []notify.Message{one, large, two}); n != 1 || !errors.As(err, &refused) {
		t.Errorf("sent %d, %v", n, err)
	}
	plain.(*target).conn.Close()
	notifytest.Send(t, plain, one) // over another connection

	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	values["SUBJECT"], values["JETSTREAM"] = "objsrv.stream", "on"
	stream := notifytest.New(t, Kind(), values)
	if n, err := stream.Send(t.Context(), []notify.Message{one}); err == nil {
		t.Errorf("%d sent, and there is no stream", n)
	}
	if stream.Check(t.Context()) == nil {
		t.Error("checked, and there is no stream")
	}
	made, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "OBJSRV", Subjects: []string{"objsrv.stream"}, Storage: jetstream.MemoryStorage, MaxMsgSize: 4000})
	if err != nil {
		t.Fatal(err)
	}
	defer js.DeleteStream(t.Context(), "OBJSRV")
	if err := stream.Check(t.Context()); err != nil {
		t.Error(err)
	}
	notifytest.Send(t, stream, one, two)
	notifytest.Send(t, stream, two)
	if info, err := made.Info(t.Context()); err != nil || info.State.Msgs != 2 {
		t.Errorf("%+v %v", info, err)
	}
	for _, size := range []int64{4000, conn.MaxPayload()} {
		large.Body = make([]byte, size+1)
		if n, err := stream.Send(t.Context(), []notify.Message{one, large, two}); n != 1 || !errors.As(err, &refused) {
			t.Errorf("sent %d, %v", n, err)
		}
	}
	notifytest.Guarded(t, Kind(), values)
	values["PASSWORD"] = "wrong"
	if notifytest.New(t, Kind(), values).Check(t.Context()) == nil {
		t.Error("a wrong password is taken")
	}
}

// TestServerTLS publishes over TLS to a server that wants client certificates, and a password or a key.
func TestServerTLS(t *testing.T) {
	values := map[string]string{"ADDRESS": notifytest.Server(t, "OBJSRV_TEST_NATS_TLS"), "SUBJECT": "objsrv.secured", "TLS": "on", "USERNAME": "test", "PASSWORD": "secret"}
	notifytest.Secured(t, Kind(), values, "CERT_AUTHORITY", "CLIENT_CERT", "CLIENT_KEY")
	values["USERNAME"], values["PASSWORD"], values["NKEY_SEED"] = "", "", notifytest.Certificate("user.nk")
	notifytest.Secured(t, Kind(), values, "CERT_AUTHORITY", "CLIENT_CERT", "CLIENT_KEY")
	values["NKEY_SEED"], values["CERT_AUTHORITY"] = "", notifytest.Certificate("ca.crt")
	values["CLIENT_CERT"], values["CLIENT_KEY"] = notifytest.Certificate("client.crt"), notifytest.Certificate("client.key")
	if err := notifytest.New(t, Kind(), values).Check(t.Context()); !errors.Is(err, nats.ErrAuthorization) {
		t.Errorf("nobody logs in: %v", err)
	}
}

// TestDown: that a server can't be reached is said as it is, by the guard too (S-249).
func TestDown(t *testing.T) {
	values := map[string]string{"ADDRESS": "127.0.0.1:1", "SUBJECT": "s"}
	if err := notifytest.New(t, Kind(), values).Check(t.Context()); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Error(err)
	}
	guarded, err := Kind().New(&notify.Settings{Values: values, Dial: (&notify.Guard{}).Dial})
	if err != nil {
		t.Fatal(err)
	}
	defer guarded.Close()
	if err := guarded.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "OBJSRV_NOTIFY_ALLOW") {
		t.Error(err)
	}
}

func TestSettings(t *testing.T) {
	const address = "nats.example.com:4222"
	notifytest.Refused(t, Kind(), map[string]string{"SUBJECT": "s"}, map[string]string{"ADDRESS": "nats://x", "SUBJECT": "s"}, map[string]string{"ADDRESS": address},
		map[string]string{"ADDRESS": address, "SUBJECT": "s", "STREAMING": "on"}, map[string]string{"ADDRESS": address, "SUBJECT": "s", "USERNAME": "u", "TOKEN": "t"},
		map[string]string{"ADDRESS": address, "SUBJECT": "s", "PING_INTERVAL": "soon"}, map[string]string{"ADDRESS": address, "SUBJECT": "s", "NKEY_SEED": "/none"},
		map[string]string{"ADDRESS": address, "SUBJECT": "s", "TLS": "perhaps"})
	notifytest.New(t, Kind(), map[string]string{"ADDRESS": address, "SUBJECT": "s", "PING_INTERVAL": "30", "TLS": "on", "JETSTREAM": "on"})
}
