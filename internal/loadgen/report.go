package loadgen

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Report is the outcome of a Plan; it marshals to JSON.
type Report struct {
	Date    time.Time
	Machine string
	Setup   string
	Targets []string // the first is compared with the others
	Phases  []string
	Goals   map[string]float64 // by phase, as multiples of MinIO
	Samples []Sample
	Peak    map[string]int64 // bytes by target, of the processes' whole life

	large map[string]bool
}

func newReport(p *Plan) *Report {
	r := &Report{
		Date: time.Now().UTC().Truncate(time.Second), Machine: Machine(),
		Setup: fmt.Sprintf("%d connections, %d rounds of %s each, median", p.Conns, p.Rounds, p.Duration),
		Goals: map[string]float64{}, Peak: map[string]int64{}, large: map[string]bool{},
	}
	for _, t := range p.Targets {
		r.Targets = append(r.Targets, t.Name)
	}
	for _, ph := range p.Phases {
		r.Phases = append(r.Phases, ph.Name)
		r.large[ph.Name] = ph.Large
		if ph.Goal > 0 {
			r.Goals[ph.Name] = ph.Goal
		}
	}
	return r
}

// Median returns the medians of all rounds of a phase on a target, each figure by itself.
func (r *Report) Median(phase, target string) (Sample, bool) {
	var of []Sample
	for _, s := range r.Samples {
		if s.Phase == phase && s.Target == target {
			of = append(of, s)
		}
	}
	if len(of) == 0 {
		return Sample{}, false
	}
	return Sample{
		Phase: phase, Target: target,
		Ops:         int(median(of, func(s Sample) float64 { return float64(s.Ops) })),
		PerSecond:   median(of, func(s Sample) float64 { return s.PerSecond }),
		BytesPerSec: median(of, func(s Sample) float64 { return s.BytesPerSec }),
		P50:         time.Duration(median(of, func(s Sample) float64 { return float64(s.P50) })),
		P99:         time.Duration(median(of, func(s Sample) float64 { return float64(s.P99) })),
		ServerCPU:   time.Duration(median(of, func(s Sample) float64 { return float64(s.ServerCPU) })),
		ClientCPU:   time.Duration(median(of, func(s Sample) float64 { return float64(s.ClientCPU) })),
		Written:     int64(median(of, func(s Sample) float64 { return float64(s.Written) })),
	}, true
}

func median(of []Sample, value func(Sample) float64) float64 {
	v := make([]float64, len(of))
	for i, s := range of {
		v[i] = value(s)
	}
	slices.Sort(v)
	mid := len(v) / 2
	if len(v)%2 == 1 {
		return v[mid]
	}
	return (v[mid-1] + v[mid]) / 2
}

// Markdown writes the medians as tables for docs/performance.md: one of throughput
// and one of processor time, with the ratios of the first target to each other one, and one of latencies.
func (r *Report) Markdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s; %s; %s.\n", r.Date.Format(time.DateOnly), r.Machine, r.Setup)
	r.table(&b, "Throughput", true, func(s Sample) (float64, string) {
		if r.large[s.Phase] {
			return s.BytesPerSec, fmt.Sprintf("%.0f MiB/s", s.BytesPerSec/(1<<20))
		}
		return s.PerSecond, fmt.Sprintf("%.0f/s", s.PerSecond)
	})
	r.table(&b, "CPU of the server per operation", false, func(s Sample) (float64, string) {
		return float64(s.ServerCPU), fmt.Sprintf("%d us", s.ServerCPU.Microseconds())
	})
	r.plain(&b, "Latency, p50 / p99", func(s Sample) string {
		return fmt.Sprintf("%s / %s", round(s.P50), round(s.P99))
	})
	r.plain(&b, "Written to the disk per operation", func(s Sample) string {
		return fmt.Sprintf("%.1f KiB", float64(s.Written)/1024)
	})
	r.header(&b, "Memory", r.Targets)
	b.WriteString("| peak of the process |")
	for _, t := range r.Targets {
		fmt.Fprintf(&b, " %.0f MiB |", float64(r.Peak[t])/(1<<20))
	}
	b.WriteString("\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// table writes a figure of each phase and target with its ratios. more says that more is better: a
// ratio is then first/other, else other/first; above 1 the first is the better one.
func (r *Report) table(b *strings.Builder, title string, more bool, figure func(Sample) (float64, string)) {
	first := r.Targets[0]
	goals := more && len(r.Goals) > 0 && slices.Contains(r.Targets[1:], "minio")
	columns := []string{first}
	for _, t := range r.Targets[1:] {
		columns = append(columns, t, "ratio")
	}
	if goals {
		columns = append(columns, "goal")
	}
	r.header(b, title, columns)
	for _, ph := range r.Phases {
		own, ok := r.Median(ph, first)
		ownValue, text := figure(own)
		if !ok {
			text = "-"
		}
		fmt.Fprintf(b, "| %s | %s |", ph, text)
		for _, t := range r.Targets[1:] {
			other, found := r.Median(ph, t)
			if !found {
				b.WriteString(" - | - |")
				continue
			}
			value, text := figure(other)
			ratio := ownValue / value
			if !more {
				ratio = value / ownValue
			}
			fmt.Fprintf(b, " %s | %.2f |", text, ratio)
		}
		if goals {
			if g := r.Goals[ph]; g > 0 {
				fmt.Fprintf(b, " %gx |", g)
			} else {
				b.WriteString(" |")
			}
		}
		b.WriteString("\n")
	}
}

func (r *Report) plain(b *strings.Builder, title string, figure func(Sample) string) {
	r.header(b, title, r.Targets)
	for _, ph := range r.Phases {
		fmt.Fprintf(b, "| %s |", ph)
		for _, t := range r.Targets {
			if s, ok := r.Median(ph, t); ok {
				fmt.Fprintf(b, " %s |", figure(s))
			} else {
				b.WriteString(" - |")
			}
		}
		b.WriteString("\n")
	}
}

// header begins a table.
func (r *Report) header(b *strings.Builder, title string, columns []string) {
	fmt.Fprintf(b, "\n| %s | %s |\n|---|%s\n", title, strings.Join(columns, " | "), strings.Repeat("---:|", len(columns)))
}

// Machine describes the machine in one line, without its name.
func Machine() string {
	model := "unknown processor"
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(info)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	var memory int64
	if info, err := os.ReadFile("/proc/meminfo"); err == nil {
		memory, _ = parseField(info, "MemTotal:")
	}
	return fmt.Sprintf("%d CPUs %s, %.0f GiB memory, %s, %s", runtime.NumCPU(), model, float64(memory)/(1<<20), kernel(), runtime.Version())
}
