package storagetest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/objsrv/objsrv/storage"
	"github.com/objsrv/objsrv/storage/mem"
)

// exec runs programs on two stores at once.
type exec struct {
	ctx     context.Context
	impl    storage.Backend
	model   *mem.Store
	reopen  func(storage.Backend) (storage.Backend, error) // nil when the store keeps nothing
	machine Machine                                        // nil when there are no power cuts
	cuts    *cutCounts                                     // counts them
	ids     idPairs
	seen    []string               // ids of versions, of the model, in the order they appeared
	ups     []storage.UploadRef    // all uploads, of the model
	done    map[string]completedBy // completions that succeeded, by the model's upload id
	trace   []string
}

// completedBy is what a successful completion was asked with, to ask it again.
type completedBy struct {
	parts []storage.CompletePart
	min   int64
}

// idPairs says which id of the implementation stands for which of the model.
type idPairs struct {
	toImpl, toModel map[string]string
}

// newExec makes an exec for two empty stores.
func newExec(impl storage.Backend, model *mem.Store) *exec {
	return &exec{
		ctx: context.Background(), impl: impl, model: model,
		ids:  idPairs{map[string]string{}, map[string]string{}},
		done: map[string]completedBy{},
	}
}

// clone copies p.
func (p idPairs) clone() idPairs { return idPairs{maps.Clone(p.toImpl), maps.Clone(p.toModel)} }

// bind notes that two ids mean the same, or tells that they can't.
func (p idPairs) bind(impl, model string) error {
	special := func(id string) bool { return id == "" || id == storage.NullVersion }
	if special(impl) || special(model) {
		if impl != model {
			return fmt.Errorf("id %q, want %q", impl, model)
		}
		return nil
	}
	i, known := p.toImpl[model]
	m, used := p.toModel[impl]
	switch {
	case !known && !used:
		p.toImpl[model], p.toModel[impl] = impl, model
	case i != impl || m != model:
		return fmt.Errorf("id %q, which stood for %q before, is now given for %q, which was %q", impl, m, model, i)
	}
	return nil
}

// answer is what a call gave, as text that two stores must agree about, with the ids
// taken out of it.
type answer struct {
	text string
	ids  []string
	err  error
	// lenient: there may be several things wrong with the call, and which of them is
	// told is not part of the contract.
	lenient bool
}

// add appends to the text.
func (a *answer) add(format string, args ...any) { a.text += fmt.Sprintf(format, args...) }

// id appends an id.
func (a *answer) id(id string) {
	a.text += " <id>"
	a.ids = append(a.ids, id)
}

// fail appends an error, and tells whether there is one.
func (a *answer) fail(err error) bool {
	if err == nil {
		return false
	}
	a.err = err
	a.add(" error: %s", errorName(err))
	var m *storage.MarkerError
	if asMarker(err, &m) {
		a.add(" named %t", m.Named)
		a.id(m.VersionID)
	}
	return true
}

// object appends the description of a version.
func (a *answer) object(o *storage.Object) {
	timeless := normal(o)
	timeless.Modified, timeless.VersionID, timeless.UploadID = time.Time{}, "", ""
	a.add(" %s", describeObject(&timeless))
	if o.Modified.IsZero() {
		a.add(" without a time")
	}
	a.id(o.VersionID)
	a.id(o.UploadID)
}

// compare checks the implementation's answer against the model's, and learns new ids.
func (p idPairs) compare(impl, model answer) error {
	if model.lenient && impl.err != nil && model.err != nil {
		return nil
	}
	if impl.text != model.text {
		return fmt.Errorf("answered %s (%v)\nthe model  %s (%v)", impl.text, impl.err, model.text, model.err)
	}
	for i := range model.ids {
		if err := p.bind(impl.ids[i], model.ids[i]); err != nil {
			return err
		}
	}
	return nil
}

// call is an operation ready to be made on either store. The ids in it are the
// model's; id translates them for the store at hand.
type call struct {
	text string
	do   func(b storage.Backend, id func(string) string) answer
	// alternatives are calls of which each may be what an interrupted call has done,
	// besides all and nothing.
	alternatives []call
	// ended is called when the call has succeeded on the model.
	ended func(a answer)
}

// onModel and onImpl make the call on one of the stores.
func (x *exec) onModel(c call) answer {
	return c.do(x.model, func(id string) string { return id })
}

func (x *exec) onImpl(c call) answer {
	return c.do(x.impl, func(id string) string {
		if i, ok := x.ids.toImpl[id]; ok {
			return i
		}
		return id
	})
}

// run runs a program; the error is a *difference.
func (x *exec) run(program []op) error {
	for _, o := range append(slices.Clone(program), op{kind: "snapshot"}, op{kind: "reopen"}) {
		if err := x.step(o); err != nil {
			return &difference{x.trace, err.Error()}
		}
	}
	return nil
}

// step runs one operation.
func (x *exec) step(o op) error {
	switch o.kind {
	case "snapshot":
		x.trace = append(x.trace, "snapshot")
		return x.compareStates()
	case "reopen":
		if x.reopen == nil {
			return nil
		}
		x.trace = append(x.trace, "reopen")
		b, err := x.reopen(x.impl)
		if err != nil {
			return fmt.Errorf("reopen: %w", err)
		}
		x.impl = b
		return x.compareStates()
	}
	if o.cut {
		return x.cutStep(o)
	}
	c := x.build(o)
	x.trace = append(x.trace, c.text)
	impl := x.onImpl(c)
	model := x.onModel(c)
	if err := x.ids.compare(impl, model); err != nil {
		return err
	}
	x.learn(c, model)
	return nil
}

// learn notes what the model answered, for later operations to pick from.
func (x *exec) learn(c call, model answer) {
	for _, id := range model.ids {
		if id != "" && id != storage.NullVersion && !slices.Contains(x.seen, id) {
			x.seen = append(x.seen, id)
		}
	}
	if model.err == nil && c.ended != nil {
		c.ended(model)
	}
}

// compareStates compares everything that is stored.
func (x *exec) compareStates() error {
	impl, err := snapshot(x.ctx, x.impl)
	if err != nil {
		return fmt.Errorf("the store contradicts itself: %w", err)
	}
	return x.sameState(impl, x.model, x.ids)
}

// sameState compares a state with the model's, learning ids.
func (x *exec) sameState(impl *state, m *mem.Store, ids idPairs) error {
	model, err := snapshot(x.ctx, m)
	if err != nil {
		return fmt.Errorf("the model contradicts itself: %w", err)
	}
	for i := range max(len(impl.lines), len(model.lines)) {
		switch {
		case i >= len(impl.lines):
			return fmt.Errorf("not stored: %s: %s", model.lines[i].what, model.lines[i].text)
		case i >= len(model.lines):
			return fmt.Errorf("should not be stored: %s: %s", impl.lines[i].what, impl.lines[i].text)
		}
		a, b := impl.lines[i], model.lines[i]
		if a.what != b.what || a.text != b.text {
			return fmt.Errorf("stored    %s: %s\nthe model %s: %s", a.what, a.text, b.what, b.text)
		}
		for _, pair := range [][2]string{{a.id, b.id}, {a.upload, b.upload}} {
			if err := ids.bind(pair[0], pair[1]); err != nil {
				return fmt.Errorf("%s: %w", a.what, err)
			}
		}
	}
	return nil
}

// liveVersions are the model's ids of a key's versions, newest first.
func (x *exec) liveVersions(bucket, key string) (ids []string) {
	page, err := x.model.ListVersions(x.ctx, storage.ListInput{Bucket: bucket, Prefix: key, Limit: 10000})
	if err != nil {
		return nil
	}
	for _, o := range page.Objects {
		if o.Key == key {
			ids = append(ids, o.VersionID)
		}
	}
	return ids
}

// liveUploads are the model's open uploads of a bucket.
func (x *exec) liveUploads(bucket string) (refs []storage.UploadRef) {
	page, err := x.model.ListUploads(x.ctx, storage.ListInput{Bucket: bucket, Limit: 10000})
	if err != nil {
		return nil
	}
	for _, u := range page.Uploads {
		refs = append(refs, u.UploadRef)
	}
	return refs
}

// oneLine makes a text fit for a trace.
func oneLine(s string) string {
	s = strings.ReplaceAll(s, "\n", " ")
	if len(s) > 300 {
		s = s[:300] + "..."
	}
	return s
}
