package adminapi

import (
	"context"
	"time"

	"github.com/objsrv/objsrv/iam/config"
	"github.com/objsrv/objsrv/internal/live"
)

// Host is what the face must know of the server that it administers. Errors are a *Refusal where the client is to
// know why.
type Host interface {
	Machine
	Usages
	Quotas
	Lifecycles
	Providers
	Notifications
	Owners
}

// Machine is the running server.
type Machine interface {
	// Server describes it as it is now, but for the identities.
	Server(ctx context.Context) (Server, error)
	// History is what it keeps of the day.
	History() *live.History
	// Requests is the feed of requests as they end.
	Requests() *live.Feed[live.Trace]
	// Log is the server's log.
	Log() *live.Log
	// Settings are those that administrators store. What is changed is in force when the server starts the
	// next time.
	Settings() *config.Service
	// Restart lets running requests finish and starts the server anew. It returns at once.
	Restart()
}

// Usages count what buckets hold.
type Usages interface {
	// Usage returns the counters of all buckets, in the order of their names.
	Usage(ctx context.Context) ([]BucketUsage, error)
	// PrefixUsage counts the keys of a bucket below a prefix, with bounds on the work.
	PrefixUsage(ctx context.Context, bucket, prefix string) (PrefixUsage, error)
}

// Quotas bound buckets.
type Quotas interface {
	// Quota returns what a bucket may hold, and what it holds.
	Quota(ctx context.Context, bucket string) (Quota, error)
	// SetQuota sets the bounds that are there; 0 removes one.
	SetQuota(ctx context.Context, bucket string, q SetQuota) error
}

// Providers are the identity providers of the server.
type Providers interface {
	// Providers returns them, without secrets and counts of sessions, in the order of their ids.
	Providers() []Provider
	// CheckProvider asks the provider of an id whether it is there and answers as it should.
	CheckProvider(ctx context.Context, id string) error
}

// Server is the answer to GET server.
type Server struct {
	Version       string    `json:"version"`
	Commit        string    `json:"commit,omitempty"`
	GoVersion     string    `json:"goVersion"`
	OS            string    `json:"os"`
	Arch          string    `json:"arch"`
	Deployment    string    `json:"deployment"`
	Region        string    `json:"region"`
	Node          string    `json:"node"` // host:port
	Domains       []string  `json:"domains"`
	TLS           bool      `json:"tls"`
	Started       time.Time `json:"started"`
	UptimeSeconds int64     `json:"uptimeSeconds"`
	Time          time.Time `json:"time"`

	Addresses struct {
		S3      string `json:"s3"`
		Console string `json:"console,omitempty"`
	} `json:"addresses"`
	Store      StoreState   `json:"store"`
	Usage      *TotalUsage  `json:"usage"` // null where it is not known: in a gateway
	Identities Identities   `json:"identities"`
	Process    ProcessState `json:"process"`
	Settings   []Setting    `json:"settings"`
	Warnings   []string     `json:"warnings"` // as they were said when the server started
}

// StoreState is the disk that the data is on, or the upstream of a gateway, of which only the first three are known.
type StoreState struct {
	Path         string `json:"path"`     // or the upstream's URL
	Upstream     bool   `json:"upstream"` // there is no disk
	Writable     bool   `json:"writable"` // the upstream answers, and the identities can be reached
	TotalBytes   uint64 `json:"totalBytes"`
	UsedBytes    uint64 `json:"usedBytes"`
	FreeBytes    uint64 `json:"freeBytes"`
	TotalInodes  uint64 `json:"totalInodes"`
	FreeInodes   uint64 `json:"freeInodes"`
	IndexBytes   int64  `json:"indexBytes"`
	DamagedReads int64  `json:"damagedReads"` // since the server started
}

// TotalUsage counts what all buckets hold.
type TotalUsage struct {
	Buckets       int64 `json:"buckets"`
	Objects       int64 `json:"objects"`
	Versions      int64 `json:"versions"`
	DeleteMarkers int64 `json:"deleteMarkers"`
	Bytes         int64 `json:"bytes"`
}

// Identities counts what the server knows of people; root is none of the users.
type Identities struct {
	Users    int `json:"users"`
	Groups   int `json:"groups"`
	Policies int `json:"policies"`
	Keys     int `json:"keys"`
	Sessions int `json:"sessions"`
}

// ProcessState is what the program takes.
type ProcessState struct {
	PID              int   `json:"pid"`
	CPUs             int   `json:"cpus"`
	Goroutines       int64 `json:"goroutines"`
	MemoryBytes      int64 `json:"memoryBytes"`
	HeapBytes        int64 `json:"heapBytes"`
	Connections      int64 `json:"connections"`
	RequestsInFlight int64 `json:"requestsInFlight"`
}

// Setting is one setting of the server and where it comes from.
type Setting struct {
	Name     string `json:"name"`
	Variable string `json:"variable"`
	Value    string `json:"value"` // "***" for a secret
	From     string `json:"from"`  // "default", "stored", a flag or a variable
}

// BucketUsage counts what a bucket holds.
type BucketUsage struct {
	Name          string    `json:"name"`
	Created       time.Time `json:"created"`
	Objects       int64     `json:"objects"`
	Versions      int64     `json:"versions"`
	DeleteMarkers int64     `json:"deleteMarkers"`
	Bytes         int64     `json:"bytes"` // of all versions
	Quota         int64     `json:"quota,omitempty"`
}

// PrefixUsage counts the current versions below a prefix.
type PrefixUsage struct {
	Bucket   string       `json:"bucket"`
	Prefix   string       `json:"prefix"`
	Objects  int64        `json:"objects"`
	Bytes    int64        `json:"bytes"`
	Children []ChildUsage `json:"children"` // by the next slash, in bytewise order
	Here     KeyUsage     `json:"here"`     // keys without a further slash
	Cut      bool         `json:"cut"`      // counting ended before the last key: the figures are lower bounds
	Last     string       `json:"last,omitempty"`
	Counted  int64        `json:"counted"`
}

// KeyUsage counts keys.
type KeyUsage struct {
	Objects int64 `json:"objects"`
	Bytes   int64 `json:"bytes"`
}

// ChildUsage counts the keys below one child of a prefix.
type ChildUsage struct {
	Prefix  string `json:"prefix"`
	Objects int64  `json:"objects"`
	Bytes   int64  `json:"bytes"`
	Partly  bool   `json:"partly,omitempty"` // counting ended in it
}

// Provider is one identity provider.
type Provider struct {
	ID           string            `json:"id"`   // as iam.ProviderOf calls it
	Kind         string            `json:"kind"` // openid, ldap, tls, custom
	Name         string            `json:"name"`
	Title        string            `json:"title"` // for people
	RoleARN      string            `json:"roleArn,omitempty"`
	PolicySource string            `json:"policySource"` // how its people come by policies
	Settings     []ProviderSetting `json:"settings"`
	State        string            `json:"state"` // ok, unused, failing
	Error        string            `json:"error,omitempty"`
	ErrorAt      *time.Time        `json:"errorAt,omitempty"`
	Checked      *time.Time        `json:"checked,omitempty"` // when it has last answered as it should
	Keys         int               `json:"keys,omitempty"`    // that it has published
	Sessions     int               `json:"sessions"`          // of its people
}

// ProviderSetting is a setting of a provider as it was given.
type ProviderSetting struct {
	Key    string `json:"key"`
	Value  string `json:"value"` // "***" for a secret
	Secret bool   `json:"secret,omitempty"`
}

// The states of a provider.
const (
	ProviderOK      = "ok"      // it has answered as it should
	ProviderUnused  = "unused"  // nobody has asked it since the server started
	ProviderFailing = "failing" // it did not answer as it should
)
