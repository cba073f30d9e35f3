package migrate

import (
	"context"
	"strings"

	"github.com/objsrv/objsrv/storage"
)

// lister lists one side: ListObjects or ListVersions.
type lister func(context.Context, storage.ListInput) (*storage.ListPage, error)

// ListObjects implements storage.Lister.
func (s *Store) ListObjects(ctx context.Context, in storage.ListInput) (*storage.ListPage, error) {
	in.AfterID = ""
	return s.list(ctx, in, false, s.local.ListObjects, s.source.ListObjects)
}

// ListVersions implements storage.Lister.
func (s *Store) ListVersions(ctx context.Context, in storage.ListInput) (*storage.ListPage, error) {
	if in.After == "" {
		in.AfterID = ""
	}
	return s.list(ctx, in, true, s.local.ListVersions, s.source.ListVersions)
}

func (s *Store) list(ctx context.Context, in storage.ListInput, ids bool, local, source lister) (*storage.ListPage, error) {
	if err := s.know(ctx, in.Bucket); err != nil {
		return nil, err
	}
	b := s.of(in.Bucket)
	if b == nil {
		return local(ctx, in)
	}
	if _, err := s.local.Bucket(ctx, in.Bucket); err != nil || in.Limit <= 0 {
		return &storage.ListPage{}, err
	}
	v := b.view()
	m := &merge{s: s, ctx: ctx, b: b, known: v, in: in, ids: ids, local: local, source: source, page: &storage.ListPage{}}
	from := storage.ListInput{Bucket: in.Bucket, Prefix: in.Prefix, Delimiter: in.Delimiter, After: in.After, AfterID: in.AfterID, Limit: min(in.Limit+1, maxPage)}
	m.here = &stream{in: from, list: local}
	if !v.failed && v.cursor > from.After && !endsRolled(&from, v.cursor) && !(endsRolled(&from, from.After) && strings.HasPrefix(v.cursor, from.After)) {
		from.After, from.AfterID = v.cursor, ""
	}
	m.there = &stream{in: from, list: source}
	if err := m.run(); err != nil {
		return nil, err
	}
	return m.page, nil
}

// maxPage is how much is asked of a side at once.
const maxPage = 1000

// endsRolled tells whether a listing behind a key leaves out more than the keys up to it: the key is a common prefix.
func endsRolled(in *storage.ListInput, key string) bool {
	rest, ok := strings.CutPrefix(key, in.Prefix)
	i := strings.Index(rest, in.Delimiter)
	return ok && in.Delimiter != "" && i >= 0 && i+len(in.Delimiter) == len(rest)
}

// entry is an object, a delete marker or a common prefix of one side.
type entry struct {
	name string
	o    *storage.Object // nil for a common prefix
}

// stream gives the entries of one side in order.
type stream struct {
	in    storage.ListInput
	list  lister
	buf   []entry
	ended bool
}

// peek returns the next entry, nil at the end.
func (t *stream) peek(ctx context.Context) (*entry, error) {
	for len(t.buf) == 0 {
		if t.ended {
			return nil, nil
		}
		p, err := t.list(ctx, t.in)
		if err != nil {
			return nil, err
		}
		t.buf = entries(p)
		t.ended = !p.Truncated
		t.in.After, t.in.AfterID, t.in.Limit = p.NextAfter, p.NextID, maxPage
	}
	return &t.buf[0], nil
}

func (t *stream) skip() { t.buf = t.buf[1:] }

// entries brings a page into one order.
func entries(p *storage.ListPage) []entry {
	out := make([]entry, 0, len(p.Objects)+len(p.Prefixes))
	prefixes := p.Prefixes
	for i := range p.Objects {
		o := &p.Objects[i]
		for len(prefixes) > 0 && prefixes[0] < o.Key {
			out, prefixes = append(out, entry{name: prefixes[0]}), prefixes[1:]
		}
		out = append(out, entry{o.Key, o})
	}
	for _, name := range prefixes {
		out = append(out, entry{name: name})
	}
	return out
}

// merge makes a page of both sides. Which one a key is taken from is what was true when the listing began, before either side
// was asked: what was settled then is in the local store, and the rest is in the source whatever settles meanwhile.
type merge struct {
	s             *Store
	ctx           context.Context
	b             *bucket
	known         view
	in            storage.ListInput
	ids           bool // of versions
	local, source lister
	here, there   *stream
	page          *storage.ListPage
	n             int
}

func (m *merge) run() error {
	for {
		e, err := m.next()
		if err != nil || e == nil {
			return err
		}
		if m.n == m.in.Limit {
			m.page.Truncated = true
			return nil
		}
		m.n++
		m.page.NextAfter, m.page.NextID = e.name, ""
		if e.o == nil {
			m.page.Prefixes = append(m.page.Prefixes, e.name)
			continue
		}
		m.page.Objects = append(m.page.Objects, *e.o)
		if m.ids {
			m.page.NextID = e.o.VersionID
		}
	}
}

// next returns the next entry that counts, nil at the end.
func (m *merge) next() (*entry, error) {
	for {
		here, err := m.here.peek(m.ctx)
		if err != nil {
			return nil, err
		}
		there, err := m.there.peek(m.ctx)
		if err != nil {
			return nil, err
		}
		var e *entry
		switch {
		case here == nil && there == nil:
			return nil, nil
		case there == nil || here != nil && here.name <= there.name:
			e, err = m.takeHere(here)
		default:
			e, err = m.takeThere(there)
		}
		if e != nil || err != nil {
			return e, err
		}
	}
}

// takeHere takes an entry of the local store, nil when it does not count.
func (m *merge) takeHere(e *entry) (*entry, error) {
	m.here.skip()
	if e.o == nil {
		there, err := m.dropThere(e.name)
		if err != nil {
			return nil, err
		}
		return m.prefix(e, true, there)
	}
	if !m.known.simple && !m.b.settledAt(e.name, &m.known) {
		return nil, nil // part of a history that is on its way
	}
	// What the source has of the key is here, or has been replaced by what is here.
	_, err := m.dropThere(e.name)
	return e, err
}

// dropThere leaves out what the source has of a name, and tells whether it has it.
func (m *merge) dropThere(name string) (had bool, err error) {
	for {
		e, err := m.there.peek(m.ctx)
		if err != nil || e == nil || e.name != name {
			return had, err
		}
		m.there.skip()
		had = true
	}
}

// takeThere takes an entry of the source, nil when it does not count.
func (m *merge) takeThere(e *entry) (*entry, error) {
	m.there.skip()
	if e.o == nil {
		return m.prefix(e, false, true)
	}
	// Where the source keeps one version of a key, a page that begins behind one of the key's has given or replaced it.
	if m.b.settledAt(e.name, &m.known) || m.known.simple && e.name == m.in.After {
		return nil, nil
	}
	return e, nil
}

// prefix returns a common prefix that something counts below, else nil. here and there say which sides have it: most often that
// is enough. Else the source is asked first: what settles meanwhile leaves it before it is looked for here.
func (m *merge) prefix(e *entry, here, there bool) (*entry, error) {
	if here && m.known.simple {
		return e, nil
	}
	ok, err := false, error(nil)
	switch {
	case there && (m.known.done || m.known.cursor >= e.name && !strings.HasPrefix(m.known.cursor, e.name)):
		ok = m.b.failsBelow(e.name)
	case there:
		if ok, err = m.untouched(e.name); !ok && err == nil {
			ok, err = m.any(e.name, m.source, func(key string) bool { return !m.b.settled(key) })
		}
	}
	if !ok && err == nil {
		simple := m.known.simple
		ok, err = m.any(e.name, m.local, func(key string) bool { return simple || m.b.settled(key) })
	}
	if !ok {
		return nil, err
	}
	return e, err
}

// untouched tells whether nothing below a prefix is settled.
func (m *merge) untouched(prefix string) (bool, error) {
	if m.known.cursor >= prefix {
		return false, nil
	}
	marks, err := m.s.local.ListObjects(m.ctx, storage.ListInput{Bucket: stateBucket, Prefix: markKey(m.b.name, prefix), Limit: 1})
	return err == nil && len(marks.Objects) == 0, err
}

// any tells whether a side has a key that counts below a prefix.
func (m *merge) any(prefix string, list lister, counts func(key string) bool) (bool, error) {
	in := storage.ListInput{Bucket: m.in.Bucket, Prefix: prefix, Limit: 1}
	for {
		p, err := list(m.ctx, in)
		if err != nil {
			return false, err
		}
		for i := range p.Objects {
			if counts(p.Objects[i].Key) {
				return true, nil
			}
		}
		if !p.Truncated {
			return false, nil
		}
		in.After, in.AfterID, in.Limit = p.NextAfter, p.NextID, maxPage
	}
}
