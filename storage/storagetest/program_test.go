package storagetest

import (
	"slices"
	"strings"
	"testing"

	"github.com/objsrv/objsrv/storage"
	"github.com/objsrv/objsrv/storage/mem"
)

// TestProgramsNoticeWrongBackends runs programs on those wrong backends that are wrong
// without a race, and wants a short program that shows it.
func TestProgramsNoticeWrongBackends(t *testing.T) {
	noticed := []string{
		"ignores conditions of puts", "ignores conditions of copies", "lists backwards", "says that there is more on a full last page",
		"repeats a common prefix on the next page", "makes no marker for a missing key", "makes no second marker", "stores what came of a failing body",
		"does not ask the guard", "cleans keys", "stops a batch at the first failure", "takes a named marker for absence",
		"forgets who completed", "takes any part", "drops the metadata of uploads", "aborts whatever it finds",
		"acknowledges writes to a missing bucket", "counts only what was put",
	}
	for _, what := range noticed {
		i := slices.IndexFunc(wrong, func(w struct {
			what     string
			wrap     func(storage.Backend) storage.Backend
			noticing []string
		}) bool {
			return w.what == what
		})
		run := func(program []op) error {
			return newExec(wrong[i].wrap(mem.New(mem.Options{})), mem.New(mem.Options{})).run(program)
		}
		r := new(recorder)
		for seed := uint64(1); seed <= 30 && !reportProgram(r, seed, generate(seed, 150, nil), run); seed++ {
		}
		if len(r.failures) == 0 {
			t.Errorf("no program notices a backend that %s", what)
		} else if n := strings.Count(r.failures[0], "\n"); n > 40 {
			t.Errorf("the program that notices a backend that %s was not made short: %d lines\n%s", what, n, r.failures[0])
		}
	}
}
