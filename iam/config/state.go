package config

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// State is a sub-system with the values that its keys have.
type State struct {
	Name, Description string
	Keys              []KeyState
}

// KeyState is one key of a State.
type KeyState struct {
	Name, Type, Description string
	Default                 string    // "" for none
	Value                   string    // that is stored; "" for none
	Override                *Override // wins over Value; nil for none
}

// State returns all sub-systems with their values, in the order of the table.
func (s *Service) State(ctx context.Context) ([]State, error) {
	v, _, err := s.load(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]State, len(s.table))
	for i := range s.table {
		sub := &s.table[i]
		out[i] = State{Name: sub.Name, Description: sub.Description}
		for _, k := range sub.keys() {
			st := KeyState{Name: k.Name, Type: k.Type, Description: k.Description, Default: k.Default, Value: v[sub.Name][k.Name]}
			if o, ok := s.overrides[sub.Name+" "+k.Name]; ok {
				st.Override = &o
			}
			out[i].Keys = append(out[i].Keys, st)
		}
	}
	return out, nil
}

// SetValues sets keys of one sub-system; "" unsets one, and keys that are not named stay. It is kept in the history
// as Set is. Errors: ErrInvalid, ErrValue.
func (s *Service) SetValues(ctx context.Context, name string, values map[string]string) error {
	sub, err := s.find(name)
	if err != nil {
		return err
	}
	l := line{subsystem: sub.Name}
	text := sub.Name
	for _, key := range slices.Sorted(maps.Keys(values)) {
		p := pair{key, values[key]}
		if sub.key(key) == nil {
			return unknownKey(sub, cut(key))
		}
		if err := sub.check(p); err != nil {
			return err
		}
		l.pairs = append(l.pairs, p)
		text += " " + key + `="` + p.value + `"`
	}
	if len(l.pairs) == 0 {
		return fmt.Errorf("%w: nothing is set", ErrInvalid)
	}
	return s.update(ctx, text, "", func(v Values) { v.apply([]line{l}) })
}
