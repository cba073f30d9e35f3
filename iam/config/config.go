// Package config keeps the settings of a deployment beside its identities: what administrators set
// with `mc admin config` and the server reads when it starts. It imports package store only. Words
// and forms are those of MinIO's configuration: a sub-system is a line of its name and of key=value pairs.
//
// Which settings there are the program says, by a table. Nothing else can be set, and nothing is written
// of a text that has a mistake. What the command line or the environment sets wins over what is
// kept here, which Text shows.
package config

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/objsrv/objsrv/iam/store"
)

// Errors that callers branch on, with errors.Is.
var (
	ErrInvalid   = errors.New("invalid configuration")        // of the text: an unknown word, a malformed line
	ErrValue     = errors.New("invalid value")                // of a setting
	ErrNoHistory = errors.New("no such configuration change") // of Restore and Clear
)

// Subsystem is a group of settings.
type Subsystem struct {
	Name, Description string
	Keys              []Key
}

// Key is one setting. Beside those of the table, each sub-system has one named "comment".
type Key struct {
	Name, Description string
	Type              string             // as help tells: string, boolean, ...
	Default           string             // "" for none
	Check             func(string) error // says why a value, which is not "", is none
}

// Override is a value that wins over the one that is kept.
type Override struct {
	From  string // the flag or variable
	Value string
}

// keyComment is a setting that says something to people only.
const keyComment = "comment"

// Limits.
const (
	MaxText    = 64 << 10 // bytes of a text that is set
	MaxHistory = 100      // changes that are kept
	maxValue   = 2048     // bytes of a value
)

// kind of the records in the store, and the name of the one with what holds now; the others are
// of the history.
const (
	kind        = "config"
	nameCurrent = "current"
	format      = 1
)

// Values are settings by sub-system and key. "" is the same as absent.
type Values map[string]map[string]string

// record is what holds now.
type record struct {
	Format  int       `json:"v"`
	Values  Values    `json:"values"`
	Updated time.Time `json:"updated"`
}

// Service changes settings. Safe for concurrent use, also by several servers over one store.
type Service struct {
	store     store.Store
	table     []Subsystem
	overrides map[string]Override
	now       func() time.Time
}

// New returns a service over st, which the caller closes. overrides are by "SUBSYSTEM KEY". It reads
// nothing yet.
func New(st store.Store, table []Subsystem, overrides map[string]Override) *Service {
	return &Service{store: st, table: table, overrides: overrides, now: time.Now}
}

// Values returns what is kept, without what overrides it. Errors are the store's.
func (s *Service) Values(ctx context.Context) (Values, error) {
	v, _, err := s.load(ctx)
	return v, err
}

// load returns what is kept and the revision of its record, 0 when there is none.
func (s *Service) load(ctx context.Context) (Values, uint64, error) {
	r, err := s.store.Get(ctx, kind, nameCurrent)
	if errors.Is(err, store.ErrNotFound) {
		return Values{}, 0, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("read settings: %w", err)
	}
	var rec record
	if err := json.Unmarshal(r.Value, &rec); err != nil {
		return nil, 0, fmt.Errorf("read settings: %w", err)
	}
	if rec.Format != format {
		return nil, 0, fmt.Errorf("read settings: format %d is not known", rec.Format)
	}
	if rec.Values == nil {
		rec.Values = Values{}
	}
	return rec.Values, r.Revision, nil
}

// Set changes what text says and keeps the rest. The change is in the history.
func (s *Service) Set(ctx context.Context, text string) error {
	lines, err := s.parse(text)
	if err != nil {
		return err
	}
	return s.update(ctx, text, "", func(v Values) { v.apply(lines) })
}

// Replace makes text everything that is set. The change is in the history.
func (s *Service) Replace(ctx context.Context, text string) error {
	lines, err := s.parse(text)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, l := range lines {
		if seen[l.subsystem] {
			return fmt.Errorf("%w: sub-system '%s' has more than one line", ErrInvalid, l.subsystem)
		}
		seen[l.subsystem] = true
	}
	return s.update(ctx, text, "", func(v Values) {
		clear(v)
		v.apply(lines)
	})
}

// Reset takes back what text names: a sub-system, or some of its keys behind it.
func (s *Service) Reset(ctx context.Context, text string) error {
	name, keys, _ := strings.Cut(strings.TrimSpace(text), " ")
	sub, err := s.find(name)
	if err != nil {
		return err
	}
	names := strings.Fields(keys)
	for _, k := range names {
		if sub.key(k) == nil {
			return unknownKey(sub, k)
		}
	}
	return s.update(ctx, "", "", func(v Values) {
		if len(names) == 0 {
			delete(v, sub.Name)
		}
		for _, k := range names {
			delete(v[sub.Name], k)
		}
	})
}

// update stores what change makes of the values and, when text is not "", a record of the change;
// it removes the history record named spent. It starts again when somebody else was faster.
func (s *Service) update(ctx context.Context, text, spent string, change func(Values)) error {
	for {
		v, revision, err := s.load(ctx)
		if err != nil {
			return err
		}
		change(v)
		value, err := json.Marshal(record{Format: format, Values: v, Updated: s.now().UTC()})
		if err != nil {
			return err
		}
		changes := []store.Change{{Op: store.Put, Kind: kind, Name: nameCurrent, Value: value, Revision: revision}}
		if spent != "" {
			changes = append(changes, store.Change{Op: store.Delete, Kind: kind, Name: spent, Revision: store.Any})
		}
		if text != "" {
			more, err := s.remember(ctx, text)
			if err != nil {
				return err
			}
			changes = append(changes, more...)
		}
		_, err = s.store.Commit(ctx, changes...)
		if !errors.Is(err, store.ErrConflict) {
			if err != nil {
				return fmt.Errorf("write settings: %w", err)
			}
			return nil
		}
	}
}

// apply sets what lines say.
func (v Values) apply(lines []line) {
	for _, l := range lines {
		if v[l.subsystem] == nil {
			v[l.subsystem] = map[string]string{}
		}
		for _, p := range l.pairs {
			if p.value == "" {
				delete(v[l.subsystem], p.key)
			} else {
				v[l.subsystem][p.key] = p.value
			}
		}
	}
}
