// Package mysql sends events to a table of MySQL or MariaDB: a row for each object, or one for each event. It imports
// internal/notify and is the only user of go-sql-driver. Settings and tables are MinIO's, but that the hash of the key is a
// unique column and not the primary key, which MariaDB would not have.
package mysql

import (
	"context"
	"database/sql"
	"errors"
	"regexp"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/objsrv/objsrv/internal/notify"
)

// Kind describes MySQL.
func Kind() notify.Kind {
	return notify.Kind{Name: "mysql", Variable: "MYSQL", Keys: []string{"DSN_STRING", "TABLE", "FORMAT"}, Secrets: []string{"DSN_STRING"}, New: newTarget}
}

// tableName is what may stand in a statement as it is, with a database before it or without.
var tableName = regexp.MustCompile(`^([A-Za-z0-9_]{1,64}\.)?[A-Za-z0-9_]{1,64}$`)

type target struct {
	db      *sql.DB
	address string
	table   string
	access  bool
	ready   bool // the table is there
}

func newTarget(s *notify.Settings) (notify.Target, error) {
	v, err := s.Need("DSN_STRING")
	if err != nil {
		return nil, err
	}
	c, err := mysql.ParseDSN(v)
	if err != nil { // whose text may have the password
		return nil, errors.New("DSN_STRING is no data source of MySQL, such as USER:PASSWORD@tcp(HOST:PORT)/DATABASE")
	}
	if c.Net != "tcp" {
		return nil, errors.New("DSN_STRING must have tcp(HOST:PORT): nothing else is used")
	}
	c.DialFunc = s.Dial
	c.Timeout, c.ReadTimeout, c.WriteTimeout = 10*time.Second, 20*time.Second, 20*time.Second
	c.Logger = &mysql.NopLogger{}
	t := &target{address: notify.HostPort(c.Addr, "3306")}
	if t.table, err = s.Need("TABLE"); err != nil {
		return nil, err
	}
	if !tableName.MatchString(t.table) {
		return nil, errors.New("TABLE consists of letters, digits and _, with DATABASE. before it or without")
	}
	format, err := s.OneOf("FORMAT", notify.Namespace, notify.Access)
	if err != nil {
		return nil, err
	}
	t.access = format == notify.Access
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return nil, errors.New("DSN_STRING can't be used: " + err.Error())
	}
	t.db = sql.OpenDB(connector)
	t.db.SetMaxOpenConns(2) // one sends, and one may check
	t.db.SetConnMaxIdleTime(time.Minute)
	return t, nil
}

const noSuchTable = 1146

// prepare makes the table if it is missing.
func (t *target) prepare(ctx context.Context) error {
	columns := "key_name, value"
	create := ` (key_name VARCHAR(3072) NOT NULL, key_hash CHAR(64) GENERATED ALWAYS AS (SHA2(key_name, 256)) STORED UNIQUE KEY, value JSON) CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin ROW_FORMAT = Dynamic`
	if t.access {
		columns, create = "event_time, event_data", " (event_time DATETIME NOT NULL, event_data JSON) ROW_FORMAT = Dynamic"
	}
	_, err := t.db.ExecContext(ctx, "SELECT "+columns+" FROM "+t.table+" LIMIT 0")
	if me := (*mysql.MySQLError)(nil); errors.As(err, &me) && me.Number == noSuchTable {
		_, err = t.db.ExecContext(ctx, "CREATE TABLE "+t.table+create)
	}
	return err
}

// Send implements notify.Target. A list is one transaction.
func (t *target) Send(ctx context.Context, list []notify.Message) (int, error) {
	if !t.ready {
		if err := t.prepare(ctx); err != nil {
			return 0, err
		}
		t.ready = true
	}
	at, err := t.send(ctx, list)
	if err == nil {
		return len(list), nil
	}
	t.ready = false
	if !unacceptable(err) {
		return 0, err
	}
	if at > 0 { // what was before it has been rolled back
		if _, err := t.send(ctx, list[:at]); err != nil {
			return 0, err
		}
	}
	return at, &notify.Refusal{Err: err}
}

// unacceptable tells whether the server refuses the data itself: a string that its encoding does not have, or that is
// too long, or is no JSON to it, or more than it takes at once.
func unacceptable(err error) bool {
	if errors.Is(err, mysql.ErrPktTooLarge) {
		return true
	}
	me := (*mysql.MySQLError)(nil)
	if !errors.As(err, &me) {
		return false
	}
	switch me.Number {
	case 1153, 1366, 1406, 3140, 4025:
		return true
	}
	return false
}

// send returns the place of the message that failed.
func (t *target) send(ctx context.Context, list []notify.Message) (at int, err error) {
	tx, err := t.db.BeginTx(ctx, nil)
	if err != nil {
		return 0, err
	}
	for i := range list {
		if err := t.exec(ctx, tx, &list[i]); err != nil {
			return i, errors.Join(err, tx.Rollback())
		}
	}
	return len(list), tx.Commit()
}

func (t *target) exec(ctx context.Context, tx *sql.Tx, m *notify.Message) error {
	value, err := m.Value()
	switch {
	case err != nil:
	case t.access:
		_, err = tx.ExecContext(ctx, "INSERT INTO "+t.table+" (event_time, event_data) VALUES (?, ?)", m.Event.Time.UTC().Format("2006-01-02 15:04:05"), string(value))
	case m.Event.Name.Removes():
		_, err = tx.ExecContext(ctx, "DELETE FROM "+t.table+" WHERE key_hash = SHA2(?, 256)", m.Key())
	default:
		_, err = tx.ExecContext(ctx, "INSERT INTO "+t.table+" (key_name, value) VALUES (?, ?) ON DUPLICATE KEY UPDATE value = VALUES(value)", m.Key(), string(value))
	}
	return err
}

// Check implements notify.Target: it connects and makes the table if it is missing.
func (t *target) Check(ctx context.Context) error { return t.prepare(ctx) }

// Addresses implements notify.Target.
func (t *target) Addresses() []string { return []string{t.address} }

// Close implements notify.Target.
func (t *target) Close() error { return t.db.Close() }
