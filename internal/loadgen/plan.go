package loadgen

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"
)

// Plan is a comparison: the same phases on every target, interleaved.
type Plan struct {
	Targets  []*Target // the first is the one that is compared with the others
	Phases   []Phase
	Rounds   int
	Conns    int
	Duration time.Duration // of one phase on one target in one round
	Objects  int           // 4 KiB objects that are read and listed; more than 1000
	Bucket   string        // made for the run and removed afterwards; one with settings has the target's name behind it
	Progress io.Writer     // a line per measurement
	Proc     Proc
}

// Sample is one measurement: one phase on one target in one round.
type Sample struct {
	Phase, Target string
	Round         int
	Ops           int
	PerSecond     float64       // operations
	BytesPerSec   float64       // payload
	P50, P99      time.Duration // from sending a request to the end of its answer
	ServerCPU     time.Duration // per operation
	ClientCPU     time.Duration // per operation, of this process
	Written       int64         // bytes that the server sent to the disk, per operation
}

// maxPrepared bounds the payload of the requests prepared for one measurement, in bytes
// that they take on the target's disk.
const maxPrepared = 8 << 30

// Run measures. The targets are left as they were found, also after an
// error as far as they answer.
func (p *Plan) Run(ctx context.Context) (report *Report, err error) {
	if p.Objects <= pageKeys+1 {
		return nil, fmt.Errorf("run plan: %d objects are too few for a full page of %d", p.Objects, pageKeys)
	}
	report = newReport(p)
	bodies := newBodies()
	sessions := make([]*session, len(p.Targets))
	defer func() {
		for _, s := range sessions {
			if s == nil {
				continue
			}
			if clearErr := s.clear(context.WithoutCancel(ctx)); err == nil && clearErr != nil {
				err = fmt.Errorf("clean %s: %w", s.target.Name, clearErr)
			}
		}
	}()
	for i, t := range p.Targets {
		if len(t.PIDs) == 0 {
			if t.PIDs, err = p.Proc.Listeners(t.Addr); err != nil {
				return nil, fmt.Errorf("target %s: %w", t.Name, err)
			}
		}
		p.progress("%-12s storing %d objects\n", t.Name, p.Objects+largeKeys)
		sessions[i] = &session{target: t, bucket: p.bucket(t), objects: p.Objects, conns: p.Conns, bodies: bodies}
		if err := sessions[i].fill(ctx); err != nil {
			return nil, fmt.Errorf("fill %s: %w", t.Name, err)
		}
	}
	for round := range p.Rounds {
		for i := range p.Phases {
			for _, s := range sessions {
				if s.target.Static() && !p.Phases[i].Static {
					continue
				}
				sample, err := p.measure(ctx, &p.Phases[i], s)
				if err != nil {
					return nil, fmt.Errorf("%s on %s: %w", p.Phases[i].Name, s.target.Name, err)
				}
				sample.Round = round + 1
				report.Samples = append(report.Samples, *sample)
				p.progress("round %d  %-15s %s\n", sample.Round, sample.Phase, sample)
			}
		}
		for _, s := range sessions {
			if err := s.tidy(ctx); err != nil {
				return nil, fmt.Errorf("tidy %s: %w", s.target.Name, err)
			}
		}
	}
	for _, t := range p.Targets {
		u, err := p.Proc.Usage(t.PIDs)
		if err != nil {
			return nil, fmt.Errorf("target %s: %w", t.Name, err)
		}
		report.Peak[t.Name] = u.Peak
	}
	return report, nil
}

// bucket returns the name of t's bucket.
func (p *Plan) bucket(t *Target) string {
	if len(t.Settings) == 0 {
		return p.Bucket
	}
	return p.Bucket + "-" + strings.ToLower(t.Name)
}

func (p *Plan) progress(format string, args ...any) {
	if p.Progress != nil {
		fmt.Fprintf(p.Progress, format, args...)
	}
}

// measure runs one phase on one target: a short unmeasured stretch that warms
// caches and tells how many requests the measured one needs, a check of one whole answer,
// and then the measured one.
func (p *Plan) measure(ctx context.Context, ph *Phase, s *session) (*Sample, error) {
	n := s.objects
	if ph.warm > 0 {
		res, err := p.stretch(ctx, ph, s, ph.warm*p.Conns, 0, nil)
		if err != nil {
			return nil, err
		}
		if !ph.loop {
			n = p.Conns + int(2*res.Rate()*p.Duration.Seconds())
			n = max(1, min(n, int(maxPrepared/max(ph.Size, 1))))
		}
	}
	if ph.verify != nil {
		if err := ph.verify(ctx, s); err != nil {
			return nil, err
		}
	}
	sample := &Sample{Phase: ph.Name, Target: s.target.Name}
	res, err := p.stretch(ctx, ph, s, n, p.Duration, sample)
	if err != nil {
		return nil, err
	}
	if res.Ops == 0 {
		return nil, errors.New("no operation within the time")
	}
	return sample, nil
}

// stretch prepares n requests and sends them for at most d (0: each once). With a
// sample, it fills in what was measured.
func (p *Plan) stretch(ctx context.Context, ph *Phase, s *session, n int, d time.Duration, sample *Sample) (*Result, error) {
	requests := ph.prepare(s, n)
	l := Load{Addr: s.target.Addr, Conns: p.Conns, Requests: requests, Loop: ph.loop && d > 0, Duration: d}
	if sample != nil {
		// What another target left to be written must not be paid for now.
		syncDisks()
	}
	res, err := l.timed(ctx, p.Proc, s.target.PIDs, sample)
	if err != nil {
		return nil, err
	}
	if ph.done != nil {
		err = ph.done(ctx, s, res.Ops)
	}
	return res, err
}

// timed runs l and, unless sample is nil, fills in what was measured, by the client and
// by what the processes used meanwhile.
func (l *Load) timed(ctx context.Context, proc Proc, pids []int, sample *Sample) (*Result, error) {
	if sample == nil {
		return l.Run(ctx)
	}
	runtime.GC() // what was allocated for preparing
	before, err := proc.Usage(pids)
	if err != nil {
		return nil, err
	}
	own := ownCPU()
	res, err := l.Run(ctx)
	if err != nil {
		return nil, err
	}
	own = ownCPU() - own
	after, err := proc.Usage(pids)
	if err != nil {
		return nil, err
	}
	sample.fill(res, after.Sub(before), own)
	return res, nil
}

func (s *Sample) fill(r *Result, used Usage, own time.Duration) {
	s.Ops = r.Ops
	s.PerSecond = r.Rate()
	s.BytesPerSec = float64(r.Bytes) / r.Elapsed.Seconds()
	s.P50, s.P99 = r.Latency.Quantile(0.5), r.Latency.Quantile(0.99)
	n := max(r.Ops, 1)
	s.ServerCPU = used.CPU / time.Duration(n)
	s.ClientCPU = own / time.Duration(n)
	s.Written = used.Written / int64(n)
}

// String returns the sample as a line for a person.
func (s *Sample) String() string {
	return fmt.Sprintf("%-12s %9.0f op/s %8.1f MiB/s  p50 %-9s p99 %-9s server %6d us/op  client %5d us/op  written %d B/op",
		s.Target, s.PerSecond, s.BytesPerSec/(1<<20), round(s.P50), round(s.P99),
		s.ServerCPU.Microseconds(), s.ClientCPU.Microseconds(), s.Written)
}

// round keeps about three digits.
func round(d time.Duration) time.Duration {
	switch {
	case d > time.Second:
		return d.Round(10 * time.Millisecond)
	case d > 10*time.Millisecond:
		return d.Round(100 * time.Microsecond)
	default:
		return d.Round(time.Microsecond)
	}
}
