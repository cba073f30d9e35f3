package madmin

import (
	"context"
	"strconv"
	"time"

	"github.com/objsrv/objsrv/internal/live"
)

// Host is what the face must know of the server that it administers.
type Host interface {
	Machine
	Quotas
	Buckets
	Settings
	Archives
	Providers
	Keys
}

// Machine is the running server.
type Machine interface {
	// Server describes it as it is now.
	Server(ctx context.Context) (Server, error)
	// Usage returns the counters of all buckets, in the order of their names.
	Usage(ctx context.Context) ([]BucketUsage, error)
	// End lets running requests finish and ends the server, or starts it anew. It returns at once, so
	// that the request which asks for it is among those that finish.
	End(restart bool)
	// Requests is the feed of requests as they end.
	Requests() *live.Feed[live.Trace]
	// Log is the server's log.
	Log() *live.Log
	// Targets are those of events, in the order of their kinds and ids.
	Targets(ctx context.Context) []Target
}

// Target is a target of events.
type Target struct {
	Kind, ID string
	ARN      string
	Online   bool // it takes connections
}

// Quotas bound buckets.
type Quotas interface {
	// Quota returns the bytes that a bucket may hold, 0 for no bound. The error is a *Refusal when
	// the client is to know why.
	Quota(ctx context.Context, bucket string) (int64, error)
	// SetQuota sets the bound; 0 removes it. Errors as of Quota.
	SetQuota(ctx context.Context, bucket string, bytes int64) error
}

// Server describes a server of one node.
type Server struct {
	Node            string // host:port that it serves
	Scheme          string // http or https
	Deployment      string // id of the deployment, never ""
	Region          string
	Domains         []string
	Started         time.Time
	Version, Commit string
	Drive           Drive
}

// Drive is the file system that holds the data.
type Drive struct {
	Path                   string
	Writable               bool
	Major, Minor           uint32 // device
	Total, Used, Free      uint64 // bytes
	UsedInodes, FreeInodes uint64
}

// BucketUsage counts what a bucket holds.
type BucketUsage struct {
	Name                                    string
	Objects, Versions, DeleteMarkers, Bytes int64
	Unknown                                 bool // nobody knows the numbers, as of what an upstream holds
}

// flag reads a parameter that is true or false; one that is absent or empty is false.
func (c *call) flag(name string) (bool, error) {
	v := c.param(name)
	if v == "" {
		return false, nil
	}
	on, err := strconv.ParseBool(v)
	if err != nil {
		return false, invalid("The parameter " + name + " is true or false.")
	}
	return on, nil
}
