package storagetest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/objsrv/objsrv/storage"
	"github.com/objsrv/objsrv/storage/mem"
)

// ProgramOptions tells Programs about an implementation and how much to do. The
// environment has the last word on Count and Seed: OBJSRV_TEST_PROGRAMS and
// OBJSRV_TEST_SEED.
type ProgramOptions struct {
	// Open makes an empty store. It is closed by Programs, and there are many.
	Open func(t *testing.T) storage.Backend
	// Reopen closes a store and opens it again on the same data; nil for a store that
	// keeps nothing.
	Reopen func(t *testing.T, b storage.Backend) storage.Backend
	// Count is the number of programs; 0 for some seconds' worth.
	Count int
	// Length is the number of operations of a program; 0 for 150.
	Length int
	// Seed of the first program, the others count up; 0 for one that is made up.
	Seed uint64
	// Without names kinds of operations that the implementation can't do, with the
	// reason ("setProps": "the gateway has no place for them").
	Without map[string]string
}

// Programs runs random programs of operations on an implementation and on the model
// and compares every answer, and now and then everything that is stored. On a
// difference it prints the seed and the shortest program that it finds.
func Programs(t *testing.T, o ProgramOptions) {
	o.fromEnvironment(40, 8)
	t.Logf("seed %d, %d programs", o.Seed, o.Count)
	for kind := range o.Without {
		if weight(kind) == 0 {
			t.Fatalf("ProgramOptions.Without names %q, which is no operation", kind)
		}
	}
	run := func(program []op) error {
		x := newExec(o.Open(t), mem.New(mem.Options{}))
		if o.Reopen != nil {
			x.reopen = func(b storage.Backend) (storage.Backend, error) { return o.Reopen(t, b), nil }
		}
		defer func() { x.impl.Close() }()
		return x.run(program)
	}
	for i := range o.Count {
		seed := o.Seed + uint64(i)
		if reportProgram(t, seed, generate(seed, o.Length, o.Without), run) {
			return
		}
	}
}

// fromEnvironment fills what is not set; count and short are the default counts.
func (o *ProgramOptions) fromEnvironment(count, short int) {
	if o.Count == 0 {
		o.Count = count
		if testing.Short() {
			o.Count = short
		}
	}
	if o.Length == 0 {
		o.Length = 150
	}
	if o.Seed == 0 {
		o.Seed = uint64(time.Now().UnixNano()) % 1e9
	}
	if n, err := strconv.Atoi(os.Getenv("OBJSRV_TEST_PROGRAMS")); err == nil {
		o.Count = n
	}
	if n, err := strconv.ParseUint(os.Getenv("OBJSRV_TEST_SEED"), 10, 64); err == nil {
		o.Seed = n
	}
}

// reportProgram runs a program and, when it fails, reports the shortest one found.
func reportProgram(t T, seed uint64, program []op, run func([]op) error) (failed bool) {
	t.Helper()
	err := run(program)
	if err == nil {
		return false
	}
	short, shortErr := minimise(program, err, run, 20*time.Second)
	t.Errorf("the implementation differs from the model (repeat with OBJSRV_TEST_SEED=%d OBJSRV_TEST_PROGRAMS=1)\n"+
		"%d operations of %d are enough:\n%v", seed, len(short), len(program), shortErr)
	return true
}

// op is one operation of a program. What it applies to is picked by its numbers when
// it is run, out of what is there by then, so that any part of a program is a program.
type op struct {
	kind string
	n    [12]uint32
	cut  bool // the power is cut in it (Crashes only)
}

// alphabet is the kinds of operations with their weights.
var alphabet = []struct {
	kind   string
	weight int
}{
	{"put", 26}, {"delete", 9}, {"deleteVersion", 9}, {"deleteBatch", 5}, {"copy", 8}, {"rename", 5}, {"append", 8}, {"setTags", 4}, {"setProps", 4},
	{"createUpload", 6}, {"putPart", 14}, {"copyPart", 4}, {"complete", 9}, {"abort", 3}, {"listParts", 2},
	{"get", 7}, {"stat", 4}, {"parts", 2}, {"listObjects", 6}, {"listVersions", 6}, {"listUploads", 3},
	{"createBucket", 2}, {"deleteBucket", 1}, {"versioning", 5}, {"updateBucket", 2}, {"bucket", 1}, {"listBuckets", 1},
	{"reopen", 1}, {"snapshot", 1},
}

// creating is a number for which build picks the first of bucketNames.
const creating = 3 << 8

// weight is that of a kind; 0 for one that does not exist.
func weight(kind string) int {
	for _, a := range alphabet {
		if a.kind == kind {
			return a.weight
		}
	}
	return 0
}

// generate makes the program of a seed.
func generate(seed uint64, length int, without map[string]string) []op {
	rnd := rand.New(rand.NewPCG(seed, 0x0b15c4))
	total := 0
	for _, a := range alphabet {
		if without[a.kind] == "" {
			total += a.weight
		}
	}
	var program []op
	for i := range bucketNames {
		program = append(program, op{kind: "createBucket", n: [12]uint32{creating + uint32(i)}})
	}
	for len(program) < length {
		pick := rnd.IntN(total)
		for _, a := range alphabet {
			if without[a.kind] != "" {
				continue
			}
			if pick -= a.weight; pick < 0 {
				o := op{kind: a.kind}
				for i := range o.n {
					o.n[i] = rnd.Uint32()
				}
				program = append(program, o)
				break
			}
		}
	}
	return program
}

// minimise leaves out operations as long as the program still fails.
func minimise(program []op, err error, run func([]op) error, limit time.Duration) ([]op, error) {
	end := time.Now().Add(limit)
	for chunk := max(len(program)/2, 1); ; chunk /= 2 {
		for again := true; again; {
			again = false
			for i := 0; i < len(program); {
				if time.Now().After(end) {
					return program, err
				}
				less := append(program[:i:i], program[min(i+chunk, len(program)):]...)
				if lessErr := run(less); lessErr != nil {
					program, err, again = less, lessErr, true
				} else {
					i += chunk
				}
			}
			again = again && chunk == 1
		}
		if chunk == 1 {
			return program, err
		}
	}
}

// difference is a failed comparison with the program's trace up to it.
type difference struct {
	trace []string
	what  string
}

// Error implements error.
func (d *difference) Error() string {
	var b strings.Builder
	for i, line := range d.trace {
		fmt.Fprintf(&b, "%3d %s\n", i+1, line)
	}
	b.WriteString(d.what)
	return b.String()
}
