package storagetest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/objsrv/objsrv/storage"
	"github.com/objsrv/objsrv/storage/mem"
)

// Machine is a store on a disk whose power can be cut.
type Machine interface {
	// Open opens the store on the disk as it is: the first time, and after Close.
	Open() (storage.Backend, error)
	// Cut cuts the power at the n-th operation on the disk from now on that changes
	// it, or right now when n is 0: what the disk would hold then is put aside, with
	// everything lost that had not been synced. The store goes on meanwhile and does
	// not notice. A later Cut takes the place of one that has not happened.
	Cut(n int)
	// Happened tells whether the cut has.
	Happened() bool
	// Restart ends the store, which may be waiting or refusing to, puts what the cut
	// has left in place of the disk, and opens the store on that.
	Restart(b storage.Backend) (storage.Backend, error)
}

// Crashes is Programs with power cuts between and amid the operations. After each,
// everything that was acknowledged must be there, and an operation that was under way
// either wholly or not at all (of a batch of deletions, each entry).
func Crashes(t *testing.T, machine func(t *testing.T) Machine, o ProgramOptions) {
	o.fromEnvironment(30, 6)
	t.Logf("seed %d, %d programs", o.Seed, o.Count)
	var cuts cutCounts
	defer func() { t.Logf("power cuts: %+v", cuts) }()
	run := func(program []op) error {
		m := machine(t)
		b, err := m.Open()
		if err != nil {
			return fmt.Errorf("open: %w", err)
		}
		x := newExec(b, mem.New(mem.Options{}))
		x.reopen = func(b storage.Backend) (storage.Backend, error) {
			if err := b.Close(); err != nil {
				return nil, fmt.Errorf("close: %w", err)
			}
			return m.Open()
		}
		x.machine, x.cuts = m, &cuts
		defer func() { x.impl.Close() }()
		return x.run(program)
	}
	for i := range o.Count {
		seed := o.Seed + uint64(i)
		if reportProgram(t, seed, withCuts(generate(seed, o.Length, o.Without), seed), run) {
			return
		}
	}
}

// cutCounts says what power cuts there were: behind a call, or amid one with all,
// nothing or some of it left.
type cutCounts struct{ Behind, All, Nothing, Some int }

// withCuts has the power cut in about every tenth operation of a program, at a place
// that the seed decides. Operations that only read are spared, so that those that
// write get more.
func withCuts(program []op, seed uint64) []op {
	for i := range program {
		o := &program[i]
		switch o.kind {
		case "get", "stat", "parts", "listParts", "listObjects", "listVersions", "listUploads", "bucket", "listBuckets", "snapshot", "reopen":
			continue
		}
		o.cut = uint64(o.n[11])%8 == seed%8 && i >= len(bucketNames)
	}
	return program
}

// cutPlaces are where the power is cut in a call, counted in operations on the disk; 0
// is behind the call. Most calls make but a few.
var cutPlaces = []int{0, 1, 1, 1, 2, 2, 2, 3, 3, 4, 4, 5, 6, 7, 8, 10, 13}

// cutStep runs one operation in which the power is cut.
func (x *exec) cutStep(o op) error {
	c := x.build(o)
	at := pick(cutPlaces, o.n[10]>>3)
	x.trace = append(x.trace, fmt.Sprintf("%s [power cut at %d]", c.text, at))
	before := x.model.Clone()
	if at > 0 {
		x.machine.Cut(at)
	}
	impl := x.onImpl(c)
	amid := x.machine.Happened() && at > 0
	if !amid {
		x.machine.Cut(0)
	}
	b, err := x.machine.Restart(x.impl)
	if err != nil {
		return fmt.Errorf("restart after a power cut: %w", err)
	}
	x.impl = b
	model := x.onModel(c)
	if err := x.ids.clone().compare(impl, model); err != nil {
		return err
	}
	stored, err := snapshot(x.ctx, x.impl)
	if err != nil {
		return fmt.Errorf("after a power cut the store contradicts itself: %w", err)
	}
	return x.survived(c, before, impl, model, stored, amid)
}

// survived finds out which outcome of the call the disk has, and goes on with that.
func (x *exec) survived(c call, before *mem.Store, impl, model answer, stored *state, amid bool) error {
	whole := x.ids.clone()
	if err := whole.compare(impl, model); err != nil {
		return err
	}
	errWhole := x.sameState(stored, x.model, whole)
	if errWhole == nil {
		x.ids = whole
		x.learn(c, model)
		if amid {
			x.cuts.All++
		} else {
			x.cuts.Behind++
		}
		return nil
	}
	if !amid {
		return fmt.Errorf("the power cut lost what was acknowledged:\n%w", errWhole)
	}
	errs := []error{errWhole}
	for _, some := range append([]call{{}}, c.alternatives...) {
		m, ids := before.Clone(), x.ids.clone()
		if some.do != nil {
			x.model = m
			x.onModel(some)
		}
		err := x.sameState(stored, m, ids)
		if err == nil {
			x.model, x.ids = m, ids
			if some.do == nil {
				x.cuts.Nothing++
			} else {
				x.cuts.Some++
			}
			return nil
		}
		errs = append(errs, err)
	}
	return fmt.Errorf("what a power cut amid the operation has left is neither all of it nor nothing:\n%w", errors.Join(errs...))
}
