package storagetest

import (
	"context"
	"strings"
	"testing"

	"github.com/objsrv/objsrv/storage"
	"github.com/objsrv/objsrv/storage/mem"
)

// memMachine is a Machine whose disk is a store in memory. A cut amid a call comes
// before or behind all of it.
type memMachine struct {
	disk, cut *mem.Store
	behind    bool // the cut is pending, until the call has done all
	lag       bool // wrong: what was done last is not on the disk yet
	tear      bool // wrong: a cut amid a call leaves half of something
	last      *mem.Store
}

// running is a store whose content outlives it.
type running struct{ *mem.Store }

func (running) Close() error { return nil }

func (m *memMachine) Open() (storage.Backend, error) { return running{m.disk}, nil }

func (m *memMachine) Cut(n int) {
	m.cut = nil
	switch {
	case n == 0 && m.lag && m.last != nil:
		m.cut = m.last
	case n == 0, n%3 == 0:
		m.cut = m.disk.Clone()
	}
	if n > 0 {
		m.last = m.disk.Clone()
	}
	m.behind = n%3 == 1
	if m.tear && n > 0 && m.cut != nil {
		list, _, err := m.cut.ListBuckets(context.Background(), "", "", 1)
		if err == nil && len(list) > 0 {
			_, _ = m.cut.CreateUpload(context.Background(), storage.UploadInput{Bucket: list[0].Name, Key: "torn"})
		}
	}
}

func (m *memMachine) Happened() bool {
	if m.behind {
		m.cut = m.disk.Clone()
	}
	return m.cut != nil
}

func (m *memMachine) Restart(storage.Backend) (storage.Backend, error) {
	m.disk, m.cut, m.behind = m.cut, nil, false
	return m.Open()
}

func TestCrashesOfTheModel(t *testing.T) {
	Crashes(t, func(*testing.T) Machine { return &memMachine{disk: mem.New(mem.Options{})} }, ProgramOptions{})
}

// TestCrashesNoticeWrongMachines runs programs on machines that lose or tear.
func TestCrashesNoticeWrongMachines(t *testing.T) {
	for want, machine := range map[string]func() *memMachine{
		"the power cut lost what was acknowledged": func() *memMachine { return &memMachine{disk: mem.New(mem.Options{}), lag: true} },
		"neither all of it nor nothing":            func() *memMachine { return &memMachine{disk: mem.New(mem.Options{}), tear: true} },
	} {
		run := func(program []op) error {
			m := machine()
			x := newExec(m.disk, mem.New(mem.Options{}))
			x.machine, x.cuts = m, new(cutCounts)
			return x.run(program)
		}
		r := new(recorder)
		for seed := uint64(1); seed <= 10 && !reportProgram(r, seed, withCuts(generate(seed, 150, nil), seed), run); seed++ {
		}
		if len(r.failures) == 0 || !strings.Contains(r.failures[0], want) {
			t.Errorf("no failure that says %q: %q", want, r.failures)
		}
	}
}
