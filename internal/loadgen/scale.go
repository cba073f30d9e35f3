package loadgen

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Scale asks whether the number of objects matters: for the price of a page of a listing, and for
// the time of a start.
type Scale struct {
	Server   *Server
	Keys     int // of the large bucket
	Conns    int // for measuring; loading uses four times as many
	Rounds   int
	Duration time.Duration
	Progress io.Writer
	Proc     Proc
}

// Buckets of a Scale: one with exactly a page of keys, and one with Keys.
const (
	fewBucket  = "objsrv-bench-few"
	manyBucket = "objsrv-bench-many"
)

// tiny is the size of the objects: what is asked is about their number.
const tiny = 64

// loadBatch is how many requests are prepared at a time: their signatures must not
// grow old while they wait.
const loadBatch = 50_000

// Load fills both buckets.
func (s *Scale) Load(ctx context.Context) error {
	for bucket, keys := range map[string]int{fewBucket: pageKeys, manyBucket: s.Keys} {
		if _, err := s.Server.One(ctx, http.MethodPut, "/"+bucket, nil, Payload{}); err != nil {
			return fmt.Errorf("load: %w", err)
		}
		body := NewPayload(noise(9, tiny))
		perm := order(keys)
		begin := time.Now()
		for first := 0; first < keys; first += loadBatch {
			n := min(loadBatch, keys-first)
			requests := build(n, func(i int) Request {
				return s.Server.Request(http.MethodPut, "/"+bucket+"/"+dataKey(perm[first+i]), nil, body, -1)
			})
			l := Load{Addr: s.Server.Addr, Conns: 4 * s.Conns, Requests: requests}
			if _, err := l.Run(ctx); err != nil {
				return fmt.Errorf("load: %w", err)
			}
			fmt.Fprintf(s.Progress, "%s: %d of %d objects after %s\n", bucket, first+n, keys, round(time.Since(begin)))
		}
	}
	return nil
}

// PageCost is what a page of a listing costs.
type PageCost struct {
	PerSecond float64
	CPU       time.Duration // of the server, per page
	P50       time.Duration
}

// ListCost compares pages of the two buckets.
type ListCost struct {
	Few, Many             PageCost // 1000 keys a page; of Many at random places
	FewPrefix, ManyPrefix PageCost // the top level with a delimiter: one common prefix that stands for all keys
}

// List measures pages of both buckets, interleaved, after the server has become quiet.
func (s *Scale) List(ctx context.Context) (*ListCost, error) {
	if err := Settle(ctx, s.Proc, s.Server.PIDs, time.Minute); err != nil {
		return nil, err
	}
	if err := verifyPage(ctx, &s.Server.Target, manyBucket, s.Keys-pageKeys-1); err != nil {
		return nil, err
	}
	top := url.Values{"list-type": {"2"}, "delimiter": {"/"}, "max-keys": {strconv.Itoa(pageKeys)}}
	whole := url.Values{"list-type": {"2"}, "prefix": {"d/"}, "max-keys": {strconv.Itoa(pageKeys)}}
	kinds := []struct {
		name    string
		prepare func() []Request
	}{
		{"few keys", func() []Request { return s.pages(fewBucket, whole) }},
		{"many keys", func() []Request { return listPages(&s.Server.Target, manyBucket, s.Keys, 5000) }},
		{"few keys, delimiter", func() []Request { return s.pages(fewBucket, top) }},
		{"many keys, delimiter", func() []Request { return s.pages(manyBucket, top) }},
	}
	samples := make([][]Sample, len(kinds))
	for range s.Rounds {
		for i, kind := range kinds {
			requests := kind.prepare()
			sample, err := s.measure(ctx, requests)
			if err != nil {
				return nil, fmt.Errorf("list %s: %w", kind.name, err)
			}
			sample.Target = kind.name
			fmt.Fprintf(s.Progress, "%s\n", sample)
			samples[i] = append(samples[i], *sample)
		}
	}
	return &ListCost{
		Few: pageCost(samples[0]), Many: pageCost(samples[1]),
		FewPrefix: pageCost(samples[2]), ManyPrefix: pageCost(samples[3]),
	}, nil
}

func (s *Scale) pages(bucket string, query url.Values) []Request {
	return build(1, func(int) Request {
		return s.Server.Request(http.MethodGet, "/"+bucket, query, Payload{}, -1)
	})
}

func (s *Scale) measure(ctx context.Context, requests []Request) (*Sample, error) {
	l := Load{Addr: s.Server.Addr, Conns: s.Conns, Requests: requests, Loop: true, Duration: s.Duration}
	var sample Sample
	if _, err := l.timed(ctx, s.Proc, s.Server.PIDs, &sample); err != nil {
		return nil, err
	}
	return &sample, nil
}

func pageCost(of []Sample) PageCost {
	return PageCost{
		PerSecond: median(of, func(s Sample) float64 { return s.PerSecond }),
		CPU:       time.Duration(median(of, func(s Sample) float64 { return float64(s.ServerCPU) })),
		P50:       time.Duration(median(of, func(s Sample) float64 { return float64(s.P50) })),
	}
}

// Starts is how long a start took until the first successful GET of an object.
type Starts struct {
	AfterStop, AfterKill time.Duration
}

// Restart stops the server with SIGTERM and starts it again, and the same with SIGKILL, rounds
// times each; the slowest count.
func (s *Scale) Restart(ctx context.Context) (*Starts, error) {
	path := "/" + manyBucket + "/" + dataKey(s.Keys/2)
	var worst Starts
	for range s.Rounds {
		if err := s.Server.Stop(); err != nil {
			return nil, fmt.Errorf("restart: %w", err)
		}
		if err := s.up(ctx, "SIGTERM", path, &worst.AfterStop); err != nil {
			return nil, err
		}
		// Something must be in the log that the next start has to replay.
		if _, err := s.Server.One(ctx, http.MethodPut, path, nil, NewPayload(noise(8, small))); err != nil {
			return nil, fmt.Errorf("restart: %w", err)
		}
		s.Server.Kill()
		if err := s.up(ctx, "SIGKILL", path, &worst.AfterKill); err != nil {
			return nil, err
		}
	}
	return &worst, nil
}

// up starts the server after how it was ended, and raises worst to the time that it took.
func (s *Scale) up(ctx context.Context, how, path string, worst *time.Duration) error {
	d, err := s.Server.Up(ctx, http.MethodGet, path)
	if err != nil {
		return fmt.Errorf("restart after %s: %w", how, err)
	}
	used, err := s.Proc.Usage(s.Server.PIDs)
	if err != nil {
		return fmt.Errorf("restart after %s: %w", how, err)
	}
	fmt.Fprintf(s.Progress, "first GET after %s: %s, with %s of CPU\n", how, round(d), used.CPU)
	*worst = max(*worst, d)
	return nil
}
