package postgresql

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/objsrv/objsrv/internal/events"
	"github.com/objsrv/objsrv/internal/notify"
	"github.com/objsrv/objsrv/internal/notify/notifytest"
)

// TestPostgreSQL stores events in a real server in both formats.
func TestPostgreSQL(t *testing.T) {
	server := notifytest.Server(t, "OBJSRV_TEST_POSTGRES")
	conn, err := pgconn.Connect(t.Context(), server)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	query := func(sql string) (out []string) {
		t.Helper()
		results, err := conn.Exec(t.Context(), sql).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range results[0].Rows {
			out = append(out, string(row[0]))
		}
		return out
	}
	query("DROP TABLE IF EXISTS objsrv_n")
	query("DROP TABLE IF EXISTS objsrv_a")
	values := map[string]string{"CONNECTION_STRING": server, "TABLE": "objsrv_n"}
	rows := notifytest.New(t, Kind(), values)
	if err := rows.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	put, gone := notifytest.Message(t, events.CreatedPut, "a b"), notifytest.Message(t, events.RemovedDelete, "gone")
	notifytest.Send(t, rows, put, put, notifytest.Message(t, events.CreatedPut, "gone"), gone)
	if got := query("SELECT key || ' ' || (value->'Records'->0->'s3'->'object'->>'key') FROM objsrv_n"); len(got) != 1 || got[0] != "b/a b a+b" {
		t.Errorf("%q", got)
	}
	// A key that the server's encoding does not have is refused alone.
	n, err := rows.Send(t.Context(), []notify.Message{notifytest.Message(t, events.CreatedPut, "before"), notifytest.Message(t, events.CreatedPut, "a\xff"), put})
	if refused := (*notify.Refusal)(nil); n != 1 || !errors.As(err, &refused) {
		t.Errorf("%d %v", n, err)
	}
	if got := query("SELECT key FROM objsrv_n ORDER BY key"); len(got) != 2 || got[1] != "b/before" {
		t.Errorf("%q", got)
	}
	query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()")
	if n, err := rows.Send(t.Context(), []notify.Message{put}); err == nil {
		t.Errorf("sent %d over a connection that is cut", n)
	}
	notifytest.Send(t, rows, put)

	list := notifytest.New(t, Kind(), map[string]string{"CONNECTION_STRING": server, "TABLE": "objsrv_a", "FORMAT": "access"})
	notifytest.Send(t, list, put, gone)
	if got := query("SELECT to_char(event_time AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') || ' ' || (event_data->'Records'->0->>'eventName') FROM objsrv_a"); len(got) != 2 || got[1] != "2030-01-02 03:04:05 s3:ObjectRemoved:Delete" {
		t.Errorf("%q", got)
	}
	if err := notifytest.New(t, Kind(), map[string]string{"CONNECTION_STRING": server, "TABLE": "objsrv_a"}).Check(t.Context()); err == nil {
		t.Error("a table with other columns is taken")
	}
	notifytest.Guarded(t, Kind(), values)
}

// TestServerTLS stores events over TLS in a server that wants client certificates: the connection string has the files.
func TestServerTLS(t *testing.T) {
	server := notifytest.Server(t, "OBJSRV_TEST_POSTGRES_TLS") + " sslmode=verify-full"
	ca, certificate := " sslrootcert="+notifytest.Certificate("ca.crt"), " sslcert="+notifytest.Certificate("client.crt")+" sslkey="+notifytest.Certificate("client.key")
	target := notifytest.New(t, Kind(), map[string]string{"CONNECTION_STRING": server + ca + certificate, "TABLE": "objsrv_tls"})
	if err := target.Check(t.Context()); err != nil {
		t.Error(err)
	}
	notifytest.Send(t, target, notifytest.Message(t, events.CreatedPut, "secured"))
	for _, without := range []string{ca, certificate} {
		target := notifytest.New(t, Kind(), map[string]string{"CONNECTION_STRING": server + without, "TABLE": "objsrv_tls"})
		if target.Check(t.Context()) == nil {
			t.Errorf("it goes with%s alone", without)
		}
	}
}

func TestSettings(t *testing.T) {
	const good = "host=db.example.com port=5432 dbname=d user=u password=p"
	notifytest.Refused(t, Kind(), map[string]string{"TABLE": "t"}, map[string]string{"CONNECTION_STRING": good}, map[string]string{"CONNECTION_STRING": "host=/run user=u", "TABLE": "t"},
		map[string]string{"CONNECTION_STRING": good, "TABLE": "t; DROP TABLE x"}, map[string]string{"CONNECTION_STRING": good, "TABLE": "t", "FORMAT": "x"}, map[string]string{"CONNECTION_STRING": "port=x", "TABLE": "t"})
}
