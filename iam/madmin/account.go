package madmin

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/internal/reqlog"
)

// Buckets are what a server has, as far as accounts see them.
type Buckets interface {
	// EachBucket calls f with every bucket in the order of names, until f returns an error, which it
	// returns.
	EachBucket(ctx context.Context, f func(*Bucket) error) error
}

// Bucket describes a bucket.
type Bucket struct {
	BucketUsage
	Created               time.Time
	Owner                 string // account
	Policy                []byte // its policy, or nil
	Versioning, Suspended bool
	Locking, Tagged       bool
	Quota                 int64 // bytes, 0 for none
}

// accountInfo is the answer to accountinfo.
type accountInfo struct {
	AccountName string
	Server      storageBackend
	Policy      json.RawMessage
	Buckets     []accountBucket
}

// storageBackend describes one drive without parity, as MinIO does.
type storageBackend struct {
	Type               int
	GatewayOnline      bool
	OnlineDisks        map[string]int
	OfflineDisks       map[string]int
	StandardSCData     []int
	StandardSCParities []int
	RRSCData           []int
	RRSCParities       []int
	TotalSets          []int
	DrivesPerSet       []int
	StandardSCParity   int
	RRSCParity         int
}

func (c *call) storageBackend() (storageBackend, error) {
	s, err := c.Host.Server(c.ctx)
	if err != nil {
		return storageBackend{}, err
	}
	online, offline := s.drives()
	one := []int{1}
	return storageBackend{
		Type: backendErasureType, OnlineDisks: map[string]int{s.Node: online}, OfflineDisks: map[string]int{s.Node: offline},
		StandardSCData: one, RRSCData: one, StandardSCParities: []int{0}, RRSCParities: []int{0}, TotalSets: one, DrivesPerSet: one,
	}, nil
}

type accountBucket struct {
	Name              string            `json:"name"`
	Size              int64             `json:"size"`
	Objects           int64             `json:"objects"`
	ObjectHistogram   map[string]uint64 `json:"objectHistogram"`
	VersionsHistogram map[string]uint64 `json:"objectsVersionsHistogram"`
	Details           bucketDetails     `json:"details"`
	PrefixUsage       map[string]uint64 `json:"prefixUsage"`
	Created           time.Time         `json:"created"`
	Access            bucketAccess      `json:"access"`
}

type bucketDetails struct {
	Versioning  bool        `json:"versioning"`
	Suspended   bool        `json:"versioningSuspended"`
	Locking     bool        `json:"locking"`
	Replication bool        `json:"replication"`
	Tags        *taggedMark `json:"tags"`
	Quota       bucketQuota `json:"quota"`
}

// taggedMark is all that MinIO tells of a bucket's tags: that there are some.
type taggedMark struct{ TagSet struct{} }

type bucketAccess struct {
	Read  bool `json:"read"`
	Write bool `json:"write"`
}

// accountInfo answers with the caller's rights, and with the buckets of its account, for root of all, that it may list or
// read, or write to, by its policies and the bucket's. Nobody needs an action for it.
func (c *call) accountInfo() error {
	usage, err := c.flag("prefix-usage")
	if err != nil {
		return err
	}
	if usage {
		return &Refusal{http.StatusNotImplemented, "NotImplemented", "AccountInfo with the usage of prefixes is not implemented by this server."}
	}
	self := c.self()
	out := accountInfo{AccountName: plainName(self)}
	if out.Server, err = c.storageBackend(); err != nil {
		return err
	}
	if out.Policy, err = c.rights(self, c.id.Grants()); err != nil {
		return err
	}
	err = c.Host.EachBucket(c.ctx, func(b *Bucket) error {
		if b.Owner != c.id.Account && !c.id.Root {
			return nil // what is let in by its policy is another's still, and so is what it has
		}
		access := bucketAccess{
			Read:  c.mayIn(b, "s3:ListBucket") || c.mayIn(b, "s3:GetBucketLocation"),
			Write: c.mayIn(b, "s3:PutObject"),
		}
		if access.Read || access.Write {
			out.Buckets = append(out.Buckets, newAccountBucket(b, access))
		}
		return nil
	})
	if err != nil {
		return err
	}
	return c.reply(out)
}

// mayIn asks for an action on a bucket; for an object of any name where it is one on objects.
func (c *call) mayIn(b *Bucket, action string) bool {
	r := &iam.Request{Identity: c.id, Action: action, Bucket: b.Name, Policy: b.Policy, Owner: b.Owner, Conditions: listConditions{c.conditions()}}
	if action == "s3:PutObject" {
		r.Key = "*"
	}
	return c.handler.IAM.Authorize(r).Allowed
}

// listConditions are those of a listing of a bucket's top.
type listConditions struct{ reqlog.SignedConditions }

// Values implements iam.Conditions.
func (l listConditions) Values(key string) ([]string, bool) {
	switch key {
	case "s3:prefix":
		return []string{""}, true
	case "s3:delimiter":
		return []string{"/"}, true
	}
	return l.SignedConditions.Values(key)
}

func newBucketQuota(n int64) bucketQuota {
	q := bucketQuota{Quota: uint64(n), Size: uint64(n)}
	if n > 0 {
		q.Type = quotaType
	}
	return q
}

func newAccountBucket(b *Bucket, access bucketAccess) accountBucket {
	out := accountBucket{
		Name: b.Name, Size: b.Bytes, Objects: b.Objects, Created: b.Created, Access: access,
		Details: bucketDetails{Versioning: b.Versioning, Suspended: b.Suspended, Locking: b.Locking, Quota: newBucketQuota(b.Quota)},
	}
	if b.Tagged {
		out.Details.Tags = &taggedMark{}
	}
	return out
}
