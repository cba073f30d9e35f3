// Package postgresql sends events to a table of PostgreSQL: a row for each object, or one for each event. It imports
// internal/notify and is the only user of pgx, of which it takes the connection alone. Settings and tables are MinIO's.
package postgresql

import (
	"context"
	"errors"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/objsrv/objsrv/internal/notify"
)

// Kind describes PostgreSQL.
func Kind() notify.Kind {
	return notify.Kind{Name: "postgresql", Variable: "POSTGRES", Keys: []string{"CONNECTION_STRING", "TABLE", "FORMAT"}, Secrets: []string{"CONNECTION_STRING"}, New: newTarget}
}

// tableName is what may stand in a statement as it is, with a schema before it or without.
var tableName = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_]{0,62}\.)?[A-Za-z_][A-Za-z0-9_]{0,62}$`)

type target struct {
	config *pgconn.Config
	table  string
	access bool
	conn   *pgconn.PgConn // nil without a connection
}

func newTarget(s *notify.Settings) (notify.Target, error) {
	v, err := s.Need("CONNECTION_STRING")
	if err != nil {
		return nil, err
	}
	t := &target{}
	if t.config, err = pgconn.ParseConfig(v); err != nil { // whose text may have the password
		return nil, errors.New("CONNECTION_STRING is no connection string of PostgreSQL, such as host=db.example.com port=5432 dbname=events user=objsrv password=...")
	}
	if strings.HasPrefix(t.config.Host, "/") {
		return nil, errors.New("CONNECTION_STRING names no host: sockets of this machine are not used")
	}
	t.config.DialFunc = pgconn.DialFunc(s.Dial)
	t.config.ConnectTimeout = 10 * time.Second
	for _, f := range t.config.Fallbacks {
		if strings.HasPrefix(f.Host, "/") {
			return nil, errors.New("CONNECTION_STRING names a socket of this machine, which is not used")
		}
	}
	if t.table, err = s.Need("TABLE"); err != nil {
		return nil, err
	}
	if !tableName.MatchString(t.table) {
		return nil, errors.New("TABLE consists of letters, digits and _, with SCHEMA. before it or without")
	}
	format, err := s.OneOf("FORMAT", notify.Namespace, notify.Access)
	t.access = format == notify.Access
	return t, err
}

const undefinedTable = "42P01"

// connect makes sure that there are a connection and the table.
func (t *target) connect(ctx context.Context) error {
	if t.conn != nil && !t.conn.IsClosed() {
		return nil
	}
	conn, err := pgconn.ConnectConfig(ctx, t.config)
	if err != nil {
		return err
	}
	columns, create := "key, value", " (key VARCHAR PRIMARY KEY, value JSONB)"
	if t.access {
		columns, create = "event_time, event_data", " (event_time TIMESTAMP WITH TIME ZONE NOT NULL, event_data JSONB)"
	}
	_, err = conn.Exec(ctx, "SELECT "+columns+" FROM "+t.table+" LIMIT 0").ReadAll()
	if pe := (*pgconn.PgError)(nil); errors.As(err, &pe) && pe.Code == undefinedTable {
		_, err = conn.Exec(ctx, "CREATE TABLE "+t.table+create).ReadAll()
	}
	if err != nil {
		conn.Close(ctx)
		return err
	}
	t.conn = conn
	return nil
}

// Send implements notify.Target. A list is one transaction.
func (t *target) Send(ctx context.Context, list []notify.Message) (int, error) {
	if err := t.connect(ctx); err != nil {
		return 0, err
	}
	err := t.send(ctx, list)
	if err == nil {
		return len(list), nil
	}
	if !unacceptable(err) {
		return 0, err
	}
	for i := range list { // one of them is to blame
		if err := t.send(ctx, list[i:i+1]); unacceptable(err) {
			return i, &notify.Refusal{Err: err}
		} else if err != nil {
			return i, err
		}
	}
	return len(list), nil
}

// unacceptable tells whether the server refuses the data itself: class 22, or a name too long for its index.
func unacceptable(err error) bool {
	pe := (*pgconn.PgError)(nil)
	return errors.As(err, &pe) && (strings.HasPrefix(pe.Code, "22") || pe.Code == "54000")
}

func (t *target) send(ctx context.Context, list []notify.Message) error {
	var batch pgconn.Batch
	for i := range list {
		m := &list[i]
		value, err := m.Value()
		if err != nil {
			return err
		}
		switch {
		case t.access:
			batch.ExecParams("INSERT INTO "+t.table+" (event_time, event_data) VALUES ($1, $2)", [][]byte{[]byte(m.Event.Time.UTC().Format(time.RFC3339Nano)), value}, nil, nil, nil)
		case m.Event.Name.Removes():
			batch.ExecParams("DELETE FROM "+t.table+" WHERE key = $1", [][]byte{[]byte(m.Key())}, nil, nil, nil)
		default:
			batch.ExecParams("INSERT INTO "+t.table+" (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value", [][]byte{[]byte(m.Key()), value}, nil, nil, nil)
		}
	}
	_, err := t.conn.ExecBatch(ctx, &batch).ReadAll()
	return err
}

// Check implements notify.Target: it connects and makes the table if it is missing.
func (t *target) Check(ctx context.Context) error {
	probe := *t
	probe.conn = nil
	if err := probe.connect(ctx); err != nil {
		return err
	}
	return probe.conn.Close(ctx)
}

// Addresses implements notify.Target.
func (t *target) Addresses() []string {
	return []string{net.JoinHostPort(t.config.Host, strconv.Itoa(int(t.config.Port)))}
}

// Close implements notify.Target.
func (t *target) Close() error {
	if t.conn == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return t.conn.Close(ctx)
}
