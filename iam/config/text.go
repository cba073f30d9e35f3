package config

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// line is one line of a text.
type line struct {
	subsystem string
	pairs     []pair
}

type pair struct{ key, value string }

// find returns the sub-system of a name as it stands in texts, with or without the default target,
// which is the only one.
func (s *Service) find(name string) (*Subsystem, error) {
	name, target, _ := strings.Cut(name, ":")
	i := slices.IndexFunc(s.table, func(sub Subsystem) bool { return sub.Name == name })
	switch {
	case name == "":
		return nil, fmt.Errorf("%w: input arguments cannot be empty", ErrInvalid)
	case i < 0:
		return nil, fmt.Errorf("%w: unknown sub-system %q; there are %s", ErrInvalid, name, s.names())
	case target != "" && target != "_":
		return nil, fmt.Errorf("%w: sub-system '%s' only supports single target", ErrInvalid, name)
	}
	return &s.table[i], nil
}

func (s *Service) names() string {
	var names []string
	for _, sub := range s.table {
		names = append(names, sub.Name)
	}
	return strings.Join(names, ", ")
}

// key returns a key of the sub-system, or nil.
func (sub *Subsystem) key(name string) *Key {
	if name == keyComment {
		return &Key{Name: keyComment, Type: "sentence", Description: "a comment on these settings"}
	}
	if i := slices.IndexFunc(sub.Keys, func(k Key) bool { return k.Name == name }); i >= 0 {
		return &sub.Keys[i]
	}
	return nil
}

// keys returns all keys of the sub-system, the comment last.
func (sub *Subsystem) keys() []Key { return append(slices.Clone(sub.Keys), *sub.key(keyComment)) }

func unknownKey(sub *Subsystem, name string) error {
	var names []string
	for _, k := range sub.keys() {
		names = append(names, k.Name)
	}
	return fmt.Errorf("%w: unknown key %q for sub-system '%s'; there are %s", ErrInvalid, name, sub.Name, strings.Join(names, ", "))
}

// parse reads a text of lines; those that are empty or begin with # say nothing.
func (s *Service) parse(text string) ([]line, error) {
	if len(text) > MaxText {
		return nil, fmt.Errorf("%w: the text is longer than %d bytes", ErrInvalid, MaxText)
	}
	if !utf8.ValidString(text) {
		return nil, fmt.Errorf("%w: the text is not UTF-8", ErrInvalid)
	}
	var lines []line
	for t := range strings.Lines(text) {
		t = strings.TrimSpace(t)
		if t == "" || t[0] == '#' {
			continue
		}
		l, err := s.parseLine(t)
		if err != nil {
			return nil, err
		}
		lines = append(lines, l)
	}
	if len(lines) == 0 {
		return nil, fmt.Errorf("%w: nothing is set", ErrInvalid)
	}
	return lines, nil
}

func (s *Service) parseLine(t string) (line, error) {
	name, rest, _ := strings.Cut(t, " ")
	sub, err := s.find(name)
	if err != nil {
		return line{}, err
	}
	l := line{subsystem: sub.Name}
	for rest = strings.TrimSpace(rest); rest != ""; {
		var p pair
		if p, rest, err = sub.parsePair(rest); err != nil {
			return line{}, err
		}
		if slices.ContainsFunc(l.pairs, func(q pair) bool { return q.key == p.key }) {
			return line{}, fmt.Errorf("%w: key '%s' is repeated", ErrInvalid, p.key)
		}
		if err := sub.check(p); err != nil {
			return line{}, err
		}
		l.pairs = append(l.pairs, p)
	}
	if len(l.pairs) == 0 {
		return line{}, fmt.Errorf("%w: sub-system '%s' must have key", ErrInvalid, sub.Name)
	}
	return l, nil
}

// parsePair reads key=value. The value is quoted, or goes on to the next word with a "=" in it:
// the shells of people have taken their quotes away.
func (sub *Subsystem) parsePair(t string) (p pair, rest string, err error) {
	word, _, _ := strings.Cut(t, " ")
	key, _, ok := strings.Cut(word, "=")
	if !ok {
		return p, "", fmt.Errorf("%w: %q is not key=value", ErrInvalid, cut(word))
	}
	if sub.key(key) == nil {
		return p, "", unknownKey(sub, cut(key))
	}
	p.key = key
	value := t[len(key)+1:]
	if value != "" && (value[0] == '"' || value[0] == '\'') {
		end := strings.IndexByte(value[1:], value[0])
		if end < 0 || end+2 < len(value) && value[end+2] != ' ' {
			return p, "", fmt.Errorf("%w: the quotes of key '%s' do not end", ErrInvalid, key)
		}
		p.value = value[1 : end+1]
		return p, strings.TrimSpace(value[end+2:]), nil
	}
	p.value, rest, _ = strings.Cut(value, " ")
	for rest = strings.TrimSpace(rest); rest != ""; {
		word, after, _ := strings.Cut(rest, " ")
		if strings.Contains(word, "=") {
			break
		}
		p.value = strings.TrimSpace(p.value + " " + word)
		rest = strings.TrimSpace(after)
	}
	return p, rest, nil
}

// check holds a value against its key.
func (sub *Subsystem) check(p pair) error {
	switch k := sub.key(p.key); {
	case p.value == "":
	case len(p.value) > maxValue || strings.ContainsFunc(p.value, func(r rune) bool { return r < ' ' || r == 0x7f || r == '"' }):
		return fmt.Errorf("%w: key '%s' takes at most %d bytes without quotes and control characters", ErrValue, p.key, maxValue)
	case k.Check != nil:
		if err := k.Check(p.value); err != nil {
			return fmt.Errorf("%w: %s %s: %w", ErrValue, sub.Name, p.key, err)
		}
	}
	return nil
}

func cut(s string) string {
	if len(s) > 100 {
		return s[:100]
	}
	return s
}

// Text returns a sub-system as one can set it; "" stands for all. Before it stand, as comments, the
// values that win over what is kept.
func (s *Service) Text(ctx context.Context, name string) (string, error) {
	table := s.table
	if name != "" {
		sub, err := s.find(name)
		if err != nil {
			return "", err
		}
		table = []Subsystem{*sub}
	}
	v, _, err := s.load(ctx)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for i := range table {
		s.write(&b, &table[i], v[table[i].Name])
	}
	return b.String(), nil
}

func (s *Service) write(b *strings.Builder, sub *Subsystem, values map[string]string) {
	for _, k := range sub.Keys {
		o, ok := s.overrides[sub.Name+" "+k.Name]
		if !ok {
			continue
		}
		variable := variable(sub.Name, k.Name)
		if o.From != variable {
			fmt.Fprintf(b, "# by %s:\n", o.From)
		}
		// Clients read this one.
		fmt.Fprintf(b, "# %s=%s\n", variable, o.Value)
	}
	b.WriteString(sub.Name)
	b.WriteByte(' ')
	for _, k := range sub.keys() {
		value := values[k.Name]
		if k.Name == keyComment && value == "" {
			continue
		}
		if strings.ContainsAny(value, " '") {
			value = `"` + value + `"`
		}
		b.WriteString(k.Name + "=" + value + " ")
	}
	b.WriteByte('\n')
}

// variable is the name that MinIO's variable of a key has.
func variable(sub, key string) string {
	return "MINIO_" + strings.ToUpper(sub) + "_" + strings.ToUpper(key)
}
