package redis

import (
	"strings"
	"testing"

	"github.com/gomodule/redigo/redis"

	"github.com/objsrv/objsrv/internal/events"
	"github.com/objsrv/objsrv/internal/notify"
	"github.com/objsrv/objsrv/internal/notify/notifytest"
)

// TestRedis stores events in a real server in both formats, and goes on after a connection was lost.
func TestRedis(t *testing.T) {
	address := notifytest.Server(t, "OBJSRV_TEST_REDIS")
	conn, err := redis.Dial("tcp", address, redis.DialPassword("secret"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Do("DEL", "hash", "list"); err != nil {
		t.Fatal(err)
	}
	values := map[string]string{"ADDRESS": address, "PASSWORD": "secret", "KEY": "hash"}
	hash := notifytest.New(t, Kind(), values)
	if err := hash.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	created, removed := notifytest.Message(t, events.CreatedPut, "a \x00b"), notifytest.Message(t, events.RemovedDelete, "gone")
	notifytest.Send(t, hash, created, notifytest.Message(t, events.CreatedPut, "gone"), removed)
	fields, err := redis.StringMap(conn.Do("HGETALL", "hash"))
	if err != nil || len(fields) != 1 || !strings.HasPrefix(fields["b/a \x00b"], `{"Records":[{"eventVersion":"2.1",`) {
		t.Errorf("%q %v", fields, err)
	}
	if _, err := conn.Do("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"); err != nil {
		t.Fatal(err)
	}
	if n, err := hash.Send(t.Context(), nil); n != 0 || err != nil { // nothing to send is no reason to connect
		t.Error(n, err)
	}
	if n, err := hash.Send(t.Context(), []notify.Message{removed}); err == nil {
		t.Errorf("sent %d over a connection that is cut", n)
	}
	notifytest.Send(t, hash, removed)

	list := notifytest.New(t, Kind(), map[string]string{"ADDRESS": address, "PASSWORD": "secret", "KEY": "list", "FORMAT": "access"})
	notifytest.Send(t, list, created, removed)
	entries, err := redis.Strings(conn.Do("LRANGE", "list", 0, -1))
	if err != nil || len(entries) != 2 || !strings.HasPrefix(entries[1], `[{"Event":[{"eventVersion":"2.1",`) || !strings.HasSuffix(entries[1], `,"EventTime":"2030-01-02T03:04:05.000Z"}]`) {
		t.Errorf("%q %v", entries, err)
	}
	if err := notifytest.New(t, Kind(), map[string]string{"ADDRESS": address, "PASSWORD": "secret", "KEY": "list"}).Check(t.Context()); err == nil {
		t.Error("a list is taken for a hash")
	}
	if err := notifytest.New(t, Kind(), map[string]string{"ADDRESS": address, "PASSWORD": "wrong", "KEY": "x"}).Check(t.Context()); err == nil {
		t.Error("a wrong password is taken")
	}
	notifytest.Guarded(t, Kind(), values)
}

// TestServerTLS stores events over TLS.
func TestServerTLS(t *testing.T) {
	values := map[string]string{"ADDRESS": notifytest.Server(t, "OBJSRV_TEST_REDIS_TLS"), "PASSWORD": "secret", "KEY": "secured", "TLS": "on"}
	notifytest.Secured(t, Kind(), values, "CA_FILE", "", "")
}

func TestSettings(t *testing.T) {
	notifytest.Refused(t, Kind(), map[string]string{"KEY": "k"}, map[string]string{"ADDRESS": "host", "KEY": "k"}, map[string]string{"ADDRESS": "host:1"},
		map[string]string{"ADDRESS": "host:1", "KEY": "k", "FORMAT": "set"}, map[string]string{"ADDRESS": "host:1", "KEY": "k", "TLS": "perhaps"})
}
