// Command objsrv-bench measures objsrv, other S3 servers and static file servers with the same
// load in the same run; docs/performance.md says how. By default it builds objsrv from the module
// that it is run in and serves a new directory with it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/objsrv/objsrv/internal/loadgen"
)

const usage = `usage: objsrv-bench [flags] [mode ...]

modes (several may be given; they share one server, in this order)
  load       the phases of operations, compared with the peers (default)
  sessions   AssumeRole, and GET with what it gives, compared with the peers
  encryption what objects cost in a bucket with default encryption (SSE-S3) beside one without
  listscale  a page of a listing at 1000 keys and at -keys
  restart    time from the start of the program to the first GET, with -keys objects
  idle       what the server writes and computes while nobody asks

flags
`

type config struct {
	peers, server, data, jsonFile, markdownFile, phases string
	conns, procs, rounds, objects, keys                 int
	duration, idle                                      time.Duration
	keep                                                bool
	modes                                               []string
}

func parse(args []string, stderr io.Writer) (*config, error) {
	var c config
	f := flag.NewFlagSet("objsrv-bench", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.Usage = func() { fmt.Fprint(stderr, usage); f.PrintDefaults() }
	f.StringVar(&c.peers, "peers", os.Getenv("PEERS"), "`servers` to compare with: NAME=http://HOST:PORT,ACCESSKEY,SECRETKEY or, static, NAME=http://HOST:PORT,dir=DOCUMENTROOT (default $PEERS)")
	f.StringVar(&c.server, "server", "build", "the objsrv `binary` to start; \"build\" builds it, \"none\" starts none and measures the peers only")
	f.StringVar(&c.data, "data", "", "`directory` on the disk to measure, in which a new one is made (default: that of temporary files)")
	f.StringVar(&c.jsonFile, "json", "", "`file` for all samples as JSON")
	f.StringVar(&c.markdownFile, "markdown", "", "`file` for the tables (default: standard output)")
	f.StringVar(&c.phases, "phases", "", "comma-separated `parts` of the names of the phases to run, e.g. \"4 KiB,head\" (default: all)")
	f.IntVar(&c.conns, "conns", 16, "concurrent connections")
	f.IntVar(&c.procs, "procs", runtime.NumCPU(), "GOMAXPROCS of this program")
	f.IntVar(&c.rounds, "rounds", 3, "how often everything is measured; medians are reported")
	f.IntVar(&c.objects, "objects", 4000, "4 KiB objects that are read and listed")
	f.IntVar(&c.keys, "keys", 1_000_000, "objects for listscale and restart")
	f.DurationVar(&c.duration, "duration", 5*time.Second, "of one measurement")
	f.BoolVar(&c.keep, "keep", false, "leave the directory of the server's data, and say where it is")
	f.DurationVar(&c.idle, "idle-time", time.Minute, "of idle")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	c.modes = f.Args()
	if len(c.modes) == 0 {
		c.modes = []string{"load"}
	}
	for _, m := range c.modes {
		if !slices.Contains([]string{"load", "sessions", "encryption", "listscale", "restart", "idle"}, m) {
			return nil, fmt.Errorf("unknown mode %q", m)
		}
		if c.server == "none" && m != "load" && m != "sessions" {
			return nil, fmt.Errorf("mode %s needs a server of its own", m)
		}
	}
	if c.conns < 1 || c.procs < 1 || c.rounds < 1 || c.duration <= 0 || c.keys <= 2000 {
		return nil, errors.New("-conns, -procs, -rounds and -duration must be positive, -keys more than 2000")
	}
	return &c, nil
}

func main() {
	c, err := parse(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		os.Exit(0)
	}
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		runtime.GOMAXPROCS(c.procs)
		err = run(ctx, c)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "objsrv-bench:", err)
		os.Exit(1)
	}
}

// run starts the server if one is wanted, runs the modes and stops it.
func run(ctx context.Context, c *config) (err error) {
	targets, err := loadgen.ParsePeers(c.peers)
	if err != nil {
		return err
	}
	var server *loadgen.Server
	if c.server != "none" {
		var dir string
		if dir, err = os.MkdirTemp(c.data, "objsrv-bench-"); err != nil {
			return err
		}
		defer func() {
			if c.keep {
				fmt.Fprintln(os.Stderr, "kept:", filepath.Join(dir, dataName))
				return
			}
			err = errors.Join(err, os.RemoveAll(dir))
		}()
		if server, err = start(ctx, c, dir); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, server.Stop()) }()
		targets = slices.Insert(targets, 0, &server.Target)
	}
	if len(targets) == 0 {
		return errors.New("nothing to measure: no server and no peers")
	}
	// A mode that exceeds its limit keeps none of the others from its answer.
	var failed error
	if slices.Contains(c.modes, "load") {
		failed = load(ctx, c, targets)
	}
	if slices.Contains(c.modes, "sessions") {
		failed = errors.Join(failed, sessions(ctx, c, server, targets))
	}
	if slices.Contains(c.modes, "encryption") {
		failed = errors.Join(failed, encryption(ctx, c, server))
	}
	if slices.Contains(c.modes, "listscale") || slices.Contains(c.modes, "restart") {
		failed = errors.Join(failed, scale(ctx, c, server))
	}
	if slices.Contains(c.modes, "idle") {
		failed = errors.Join(failed, idle(ctx, c, server))
	}
	return failed
}

// dataName is the directory that the server serves, beside the binary.
const dataName = "data"

func start(ctx context.Context, c *config, dir string) (*loadgen.Server, error) {
	inMemory, err := loadgen.InMemory(dir)
	if err != nil {
		return nil, err
	}
	if inMemory {
		return nil, fmt.Errorf("%s is in memory, not on a disk; choose another directory with -data", dir)
	}
	binary := c.server
	if binary == "build" {
		if binary, err = loadgen.Build(ctx, dir); err != nil {
			return nil, err
		}
	}
	return loadgen.Start(ctx, binary, filepath.Join(dir, dataName))
}

func load(ctx context.Context, c *config, targets []*loadgen.Target) error {
	_, err := compare(ctx, c, targets, loadgen.Phases())
	return err
}

// sessionLimit is what a GET with temporary credentials may cost more than one with a user's keys.
const sessionLimit = 5 // microseconds of CPU

// sessions measures with the keys of a user, not of root, on the server of its own; of the peers the
// keys are those that were given.
func sessions(ctx context.Context, c *config, server *loadgen.Server, targets []*loadgen.Target) error {
	if server != nil {
		user, err := server.User(ctx, "objsrv-bench-user")
		if err != nil {
			return err
		}
		targets = append([]*loadgen.Target{user}, targets[1:]...)
	}
	report, err := compare(ctx, c, targets, loadgen.SessionPhases())
	if err != nil {
		return err
	}
	for i, t := range targets {
		cost, ok := report.SessionCost(t.Name)
		if !ok {
			continue
		}
		fmt.Printf("\nGET with session credentials on %s: %+.1f us of CPU beside one with the user's keys\n", t.Name, cost)
		if i == 0 && cost > sessionLimit {
			err = fmt.Errorf("sessions: %.1f us, at most %d wanted", cost, sessionLimit)
		}
	}
	return err
}

// encryptionLimit is the least share of the plain throughput that large objects have with SSE-S3.
const encryptionLimit = 0.8

// encryption measures one server with two buckets: without and with default encryption.
func encryption(ctx context.Context, c *config, server *loadgen.Server) error {
	encrypted := server.Encrypted()
	report, err := compare(ctx, c, []*loadgen.Target{&server.Target, encrypted}, loadgen.EncryptionPhases())
	if err != nil {
		return err
	}
	for _, phase := range []string{"PUT 16 MiB", "GET 16 MiB"} {
		share, ok := report.Share(phase, encrypted.Name, server.Name)
		if !ok {
			continue
		}
		fmt.Printf("\n%s with SSE-S3: %.0f%% of the throughput without\n", phase, 100*share)
		if share < encryptionLimit {
			err = errors.Join(err, fmt.Errorf("encryption: %s has %.0f%%, at least %.0f%% wanted", phase, 100*share, 100*encryptionLimit))
		}
	}
	return err
}

// compare measures phases on all targets and writes the report.
func compare(ctx context.Context, c *config, targets []*loadgen.Target, phases []loadgen.Phase) (*loadgen.Report, error) {
	if c.phases != "" {
		phases = slices.DeleteFunc(phases, func(p loadgen.Phase) bool {
			return !slices.ContainsFunc(strings.Split(strings.ToLower(c.phases), ","), func(part string) bool {
				return strings.Contains(strings.ToLower(p.Name), strings.TrimSpace(part))
			})
		})
		if len(phases) == 0 {
			return nil, fmt.Errorf("no phase is called like %q", c.phases)
		}
	}
	plan := loadgen.Plan{
		Targets: targets, Phases: phases, Rounds: c.rounds, Conns: c.conns, Duration: c.duration, Objects: c.objects,
		Bucket: fmt.Sprintf("objsrv-bench-%d", time.Now().Unix()), Progress: os.Stderr, Proc: loadgen.DefaultProc(),
	}
	report, err := plan.Run(ctx)
	if err != nil {
		return nil, err
	}
	if c.jsonFile != "" {
		data, err := json.MarshalIndent(report, "", "  ")
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(c.jsonFile, data, 0o644); err != nil {
			return nil, err
		}
	}
	if c.markdownFile == "" {
		return report, report.Markdown(os.Stdout)
	}
	f, err := os.Create(c.markdownFile)
	if err != nil {
		return nil, err
	}
	return report, errors.Join(report.Markdown(f), f.Close())
}

// Limits of the modes listscale and restart.
const (
	listLimit    = 1.5
	restartLimit = time.Second
)

func scale(ctx context.Context, c *config, server *loadgen.Server) error {
	s := loadgen.Scale{
		Server: server, Keys: c.keys, Conns: c.conns, Rounds: c.rounds, Duration: c.duration,
		Progress: os.Stderr, Proc: loadgen.DefaultProc(),
	}
	if err := s.Load(ctx); err != nil {
		return err
	}
	var failed error
	if slices.Contains(c.modes, "listscale") {
		cost, err := s.List(ctx)
		if err != nil {
			return err
		}
		keys := cost.Many.CPU.Seconds() / cost.Few.CPU.Seconds()
		prefix := cost.ManyPrefix.CPU.Seconds() / cost.FewPrefix.CPU.Seconds()
		fmt.Printf("page of 1000 keys:    of 1000 keys %s, of %d keys %s of CPU, ratio %.2f\n", cost.Few.CPU, c.keys, cost.Many.CPU, keys)
		fmt.Printf("page with delimiter:  of 1000 keys %s, of %d keys %s of CPU, ratio %.2f\n", cost.FewPrefix.CPU, c.keys, cost.ManyPrefix.CPU, prefix)
		if ratio := max(keys, prefix); ratio > listLimit {
			failed = fmt.Errorf("listscale: %.2f times the cost, at most %.1f wanted", ratio, listLimit)
		}
	}
	if slices.Contains(c.modes, "restart") {
		starts, err := s.Restart(ctx)
		if err != nil {
			return errors.Join(failed, err)
		}
		fmt.Printf("first GET with %d objects: %s after SIGTERM, %s after SIGKILL (slowest of %d)\n", c.keys, starts.AfterStop, starts.AfterKill, c.rounds)
		if worst := max(starts.AfterStop, starts.AfterKill); worst > restartLimit {
			failed = errors.Join(failed, fmt.Errorf("restart: %s, less than %s wanted", worst, restartLimit))
		}
	}
	return failed
}

func idle(ctx context.Context, c *config, server *loadgen.Server) error {
	proc := loadgen.DefaultProc()
	if err := loadgen.Settle(ctx, proc, server.PIDs, 2*time.Minute); err != nil {
		return err
	}
	used, err := loadgen.Idle(ctx, proc, server.PIDs, c.idle)
	if err != nil {
		return err
	}
	fmt.Printf("idle for %s: %d bytes written, %s of CPU\n", c.idle, used.Written, used.CPU)
	return loadgen.CheckIdle(used, c.idle)
}
