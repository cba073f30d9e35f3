package notify

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"

	"github.com/objsrv/objsrv/internal/events"
)

// BenchmarkEvent is what the queue adds to a request: the synced note before it, and what has happened. The target is
// down, or takes everything at once.
func BenchmarkEvent(b *testing.B) {
	for _, down := range []bool{true, false} {
		name := "up"
		if down {
			name = "down"
		}
		b.Run(name, func(b *testing.B) {
			h, err := Open([]Config{{Kind: "fake", ID: "1", Target: &counting{down: down}, Dir: b.TempDir() + "/q", Limit: 1 << 30}}, slog.New(slog.DiscardHandler))
			if err != nil {
				b.Fatal(err)
			}
			defer h.Close()
			h.Start(b.Context(), nothing)
			e := events.Event{Name: events.CreatedPut, Region: "us-east-1", Principal: "AIDA0123456789ABCDEF", Remote: "192.0.2.1", RequestID: "0123456789ABCDEF", UserAgent: "aws-cli/2.0",
				Bucket: "bucket", Key: "a/key/of/some/length.txt", ETag: "d41d8cd98f00b204e9800998ecf8427e", Size: 4096, Metadata: map[string]string{"content-type": "text/plain"}}
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					p, err := h.Expect([]events.Addressed{{Target: "fake:1", Event: e}})
					if err != nil {
						b.Error(err)
						return
					}
					p.Happened(0, e)
					p.End(false)
				}
			})
		})
	}
}

// counting is a target that costs nothing.
type counting struct {
	down bool
	got  atomic.Int64
}

func (c *counting) Send(_ context.Context, list []Message) (int, error) {
	if c.down {
		return 0, context.DeadlineExceeded
	}
	c.got.Add(int64(len(list)))
	return len(list), nil
}
func (c *counting) Check(context.Context) error { return nil }
func (c *counting) Addresses() []string         { return nil }
func (c *counting) Close() error                { return nil }
