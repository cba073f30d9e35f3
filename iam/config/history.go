package config

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/objsrv/objsrv/iam/store"
)

// prefixHistory begins the names of the history's records; the rest is their id, by which they sort.
const prefixHistory = "history/"

// Entry is a change that was made.
type Entry struct {
	ID   string    `json:"restoreId"`
	Time time.Time `json:"createTime"`
	Text string    `json:"data"`
}

// entryRecord is an Entry in the store.
type entryRecord struct {
	Format int       `json:"v"`
	Time   time.Time `json:"time"`
	Text   string    `json:"text"`
}

// History returns the last n changes, the oldest first; 0 is all. One that can't be read is
// left out: nothing depends on it.
func (s *Service) History(ctx context.Context, n int) ([]Entry, error) {
	l, err := s.store.List(ctx, kind)
	if _, partial := store.Damage(err); err != nil && !partial {
		return nil, fmt.Errorf("read history: %w", err)
	}
	entries := []Entry{}
	for _, r := range l.Records {
		id, ok := strings.CutPrefix(r.Name, prefixHistory)
		var rec entryRecord
		if ok && json.Unmarshal(r.Value, &rec) == nil && rec.Format == format {
			entries = append(entries, Entry{ID: id, Time: rec.Time, Text: rec.Text})
		}
	}
	slices.SortStableFunc(entries, func(a, b Entry) int { return a.Time.Compare(b.Time) })
	if n > 0 && len(entries) > n {
		entries = entries[len(entries)-n:]
	}
	return entries, nil
}

// remember returns the changes that put text into the history and take what is too old out of it.
func (s *Service) remember(ctx context.Context, text string) ([]store.Change, error) {
	now := s.now().UTC()
	value, err := json.Marshal(entryRecord{Format: format, Time: now, Text: text})
	if err != nil {
		return nil, err
	}
	id := fmt.Sprintf("%016x-%s", now.UnixNano(), strings.ToLower(rand.Text()[:8]))
	changes := []store.Change{{Op: store.Put, Kind: kind, Name: prefixHistory + id, Value: value}}
	old, err := s.History(ctx, 0)
	if err != nil {
		return nil, err
	}
	for i := 0; len(old)-i >= MaxHistory; i++ {
		changes = append(changes, store.Change{Op: store.Delete, Kind: kind, Name: prefixHistory + old[i].ID, Revision: store.Any})
	}
	return changes, nil
}

// Restore makes the change with this id again and takes it out of the history. ErrNoHistory.
func (s *Service) Restore(ctx context.Context, id string) error {
	r, err := s.entry(ctx, id)
	if err != nil {
		return err
	}
	var rec entryRecord
	if err := json.Unmarshal(r.Value, &rec); err != nil {
		return fmt.Errorf("read history: %w", err)
	}
	lines, err := s.parse(rec.Text)
	if err != nil {
		return err
	}
	return s.update(ctx, "", r.Name, func(v Values) { v.apply(lines) })
}

// Clear takes the change with this id out of the history, or "all". ErrNoHistory.
func (s *Service) Clear(ctx context.Context, id string) error {
	var changes []store.Change
	if id == "all" {
		all, err := s.History(ctx, 0)
		if err != nil {
			return err
		}
		for _, e := range all {
			changes = append(changes, store.Change{Op: store.Delete, Kind: kind, Name: prefixHistory + e.ID, Revision: store.Any})
		}
	} else {
		r, err := s.entry(ctx, id)
		if err != nil {
			return err
		}
		changes = []store.Change{{Op: store.Delete, Kind: kind, Name: r.Name, Revision: store.Any}}
	}
	if len(changes) == 0 {
		return nil
	}
	if _, err := s.store.Commit(ctx, changes...); err != nil {
		return fmt.Errorf("clear history: %w", err)
	}
	return nil
}

func (s *Service) entry(ctx context.Context, id string) (store.Record, error) {
	r, err := s.store.Get(ctx, kind, prefixHistory+id)
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrInvalid) {
		return r, ErrNoHistory
	}
	if err != nil {
		return r, fmt.Errorf("read history: %w", err)
	}
	return r, nil
}

// Help describes a sub-system and its keys, or one of them. For "" it lists the sub-systems. With
// variables the keys are named as MinIO's variables are. ErrInvalid for what there is not.
func (s *Service) Help(name, key string, variables bool) (Subsystem, error) {
	if name == "" {
		var all Subsystem
		for _, sub := range s.table {
			all.Keys = append(all.Keys, Key{Name: sub.Name, Description: sub.Description})
		}
		return all, nil
	}
	sub, err := s.find(name)
	if err != nil {
		return Subsystem{}, err
	}
	out := Subsystem{Name: sub.Name, Description: sub.Description}
	for _, k := range sub.keys() {
		if key != "" && k.Name != key {
			continue
		}
		if variables {
			if k.Name == keyComment {
				continue
			}
			k.Name = variable(sub.Name, k.Name)
		}
		out.Keys = append(out.Keys, k)
	}
	if key != "" && sub.key(key) == nil {
		return Subsystem{}, unknownKey(sub, key)
	}
	return out, nil
}
