// Package redis sends events to a Redis server: a hash with a field for each object, or a list with an entry for each
// event. It imports internal/notify and is the only user of redigo. Settings and what is stored are MinIO's; TLS and
// CA_FILE are this server's own.
package redis

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/gomodule/redigo/redis"

	"github.com/objsrv/objsrv/internal/events"
	"github.com/objsrv/objsrv/internal/notify"
)

const callTimeout = 10 * time.Second

// Kind describes Redis.
func Kind() notify.Kind {
	return notify.Kind{Name: "redis", Variable: "REDIS", Keys: []string{"ADDRESS", "KEY", "FORMAT", "USER", "PASSWORD", "TLS", "CA_FILE"}, Secrets: []string{"PASSWORD"}, New: newTarget}
}

type target struct {
	address, key string
	access       bool
	options      []redis.DialOption
	conn         redis.Conn // nil without a connection
}

func newTarget(s *notify.Settings) (notify.Target, error) {
	t := &target{}
	var err error
	if t.address, err = s.Address("ADDRESS"); err != nil {
		return nil, err
	}
	if t.key, err = s.Need("KEY"); err != nil {
		return nil, err
	}
	format, err := s.OneOf("FORMAT", notify.Namespace, notify.Access)
	if err != nil {
		return nil, err
	}
	t.access = format == notify.Access
	secure, err := s.Bool("TLS")
	if err != nil {
		return nil, err
	}
	tc, err := s.TLS("CA_FILE", "", "")
	if err != nil {
		return nil, err
	}
	t.options = []redis.DialOption{redis.DialContextFunc(s.Dial), redis.DialReadTimeout(callTimeout), redis.DialWriteTimeout(callTimeout),
		redis.DialUsername(s.Get("USER")), redis.DialPassword(s.Get("PASSWORD")), redis.DialUseTLS(secure), redis.DialTLSConfig(tc)}
	return t, nil
}

// connect makes sure that there is a connection, and that the key has not another type.
func (t *target) connect(ctx context.Context) error {
	if t.conn != nil {
		return nil
	}
	conn, err := redis.DialContext(ctx, "tcp", t.address, t.options...)
	if err != nil {
		return err
	}
	want := "hash"
	if t.access {
		want = "list"
	}
	kind, err := redis.String(conn.Do("TYPE", t.key))
	if err == nil && kind != want && kind != "none" {
		err = fmt.Errorf("the key %q holds a %s, not a %s", t.key, kind, want)
	}
	if err != nil {
		conn.Close()
		return err
	}
	t.conn = conn
	return nil
}

// Send implements notify.Target.
func (t *target) Send(ctx context.Context, list []notify.Message) (n int, err error) {
	if err := t.connect(ctx); err != nil {
		return 0, err
	}
	defer func() {
		if err != nil {
			t.conn.Close()
			t.conn = nil
		}
	}()
	for i := range list {
		if err := t.send(&list[i]); err != nil {
			return 0, err
		}
	}
	if err := t.conn.Flush(); err != nil {
		return 0, err
	}
	for i := range list {
		if _, err := t.conn.Receive(); err != nil {
			return i, err
		}
	}
	return len(list), nil
}

func (t *target) send(m *notify.Message) error {
	switch {
	case t.access:
		record := m.Event.Log().Records[0]
		entry, err := json.Marshal([]accessEntry{{[]events.Record{record}, record.Time}})
		if err != nil {
			return err
		}
		return t.conn.Send("RPUSH", t.key, entry)
	case m.Event.Name.Removes():
		return t.conn.Send("HDEL", t.key, m.Key())
	}
	value, err := m.Value()
	if err != nil {
		return err
	}
	return t.conn.Send("HSET", t.key, m.Key(), value)
}

// accessEntry is what MinIO appends to a list.
type accessEntry struct {
	Event     []events.Record
	EventTime string
}

// Check implements notify.Target: it connects, logs in and looks at the key.
func (t *target) Check(ctx context.Context) error {
	probe := *t
	probe.conn = nil
	if err := probe.connect(ctx); err != nil {
		return err
	}
	return probe.conn.Close()
}

// Addresses implements notify.Target.
func (t *target) Addresses() []string { return []string{t.address} }

// Close implements notify.Target.
func (t *target) Close() error {
	if t.conn == nil {
		return nil
	}
	return t.conn.Close()
}
