package mysql

import (
	"database/sql"
	"strings"
	"testing"

	"github.com/objsrv/objsrv/internal/events"
	"github.com/objsrv/objsrv/internal/notify/notifytest"
)

// TestMySQL stores events in a real server in both formats.
func TestMySQL(t *testing.T) {
	server := notifytest.Server(t, "OBJSRV_TEST_MYSQL")
	db, err := sql.Open("mysql", server)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	query := func(statement string) (out []string) {
		t.Helper()
		rows, err := db.Query(statement)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var s string
			if err := rows.Scan(&s); err != nil {
				t.Fatal(err)
			}
			out = append(out, s)
		}
		return out
	}
	query("DROP TABLE IF EXISTS objsrv_n, objsrv_a")
	values := map[string]string{"DSN_STRING": server, "TABLE": "objsrv_n"}
	rows := notifytest.New(t, Kind(), values)
	if err := rows.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	put, gone := notifytest.Message(t, events.CreatedPut, "a b 🪣"), notifytest.Message(t, events.RemovedDelete, "gone")
	notifytest.Send(t, rows, put, put, notifytest.Message(t, events.CreatedPut, "gone"), gone)
	if got := query("SELECT CONCAT(key_name, ' ', JSON_VALUE(value, '$.Records[0].eventName')) FROM objsrv_n"); len(got) != 1 || got[0] != "b/a b 🪣 s3:ObjectCreated:Put" {
		t.Errorf("%q", got)
	}
	list := notifytest.New(t, Kind(), map[string]string{"DSN_STRING": server, "TABLE": "objsrv_a", "FORMAT": "access"})
	notifytest.Send(t, list, put, gone)
	if got := query("SELECT CONCAT(event_time, ' ', JSON_VALUE(event_data, '$.Records[0].eventName')) FROM objsrv_a"); len(got) != 2 || got[1] != "2030-01-02 03:04:05 s3:ObjectRemoved:Delete" {
		t.Errorf("%q", got)
	}
	if err := notifytest.New(t, Kind(), map[string]string{"DSN_STRING": server, "TABLE": "objsrv_a"}).Check(t.Context()); err == nil {
		t.Error("a table with other columns is taken")
	}
	notifytest.Guarded(t, Kind(), values)
}

// TestServerTLS stores events over TLS. Who vouches for a server is the system's to say.
func TestServerTLS(t *testing.T) {
	server := notifytest.Server(t, "OBJSRV_TEST_MYSQL")
	target := notifytest.New(t, Kind(), map[string]string{"DSN_STRING": server + "?tls=skip-verify", "TABLE": "objsrv_tls"})
	if err := target.Check(t.Context()); err != nil {
		t.Error(err)
	}
	notifytest.Send(t, target, notifytest.Message(t, events.CreatedPut, "secured"))
	err := notifytest.New(t, Kind(), map[string]string{"DSN_STRING": server + "?tls=true", "TABLE": "objsrv_tls"}).Check(t.Context())
	if err == nil || !strings.Contains(err.Error(), "unknown authority") {
		t.Error(err)
	}
}

func TestSettings(t *testing.T) {
	const good = "u:p@tcp(db.example.com:3306)/d"
	notifytest.Refused(t, Kind(), map[string]string{"TABLE": "t"}, map[string]string{"DSN_STRING": good}, map[string]string{"DSN_STRING": "u@unix(/run/s)/d", "TABLE": "t"},
		map[string]string{"DSN_STRING": good, "TABLE": "t;"}, map[string]string{"DSN_STRING": good, "TABLE": "t", "FORMAT": "x"}, map[string]string{"DSN_STRING": "nonsense", "TABLE": "t"})
}
