package adminapi

import (
	"net/http"
)

// Usage is the answer to GET usage without a bucket.
type Usage struct {
	Objects       int64         `json:"objects"`
	Versions      int64         `json:"versions"`
	DeleteMarkers int64         `json:"deleteMarkers"`
	Bytes         int64         `json:"bytes"`
	Buckets       []BucketUsage `json:"buckets"`
}

// Quota is the answer to the requests about a bucket's quota.
type Quota struct {
	Bucket string `json:"bucket"`
	Quota  int64  `json:"quota"` // bytes; 0 is none
	Used   int64  `json:"used"`
	// Objects bounds the number of versions with content, 0 is no bound; UsedObjects is how many there are.
	Objects     int64 `json:"objects"`
	UsedObjects int64 `json:"usedObjects"`
}

// SetQuota is the body of PUT buckets/{name}/quota. What it does not name stays.
type SetQuota struct {
	Quota   *int64 `json:"quota,omitempty"`
	Objects *int64 `json:"objects,omitempty"`
}

// usage answers with the counters of all buckets, or with what a bucket holds by prefix.
func (c *call) usage() error {
	if bucket := c.query.Get("bucket"); bucket != "" {
		out, err := c.config.Host.PrefixUsage(c.r.Context(), bucket, c.query.Get("prefix"))
		if err != nil {
			return err
		}
		return c.reply(http.StatusOK, out)
	}
	if c.query.Has("bucket") || c.query.Has("prefix") {
		return badArgument("The parameter bucket names a bucket, and prefix goes with it.")
	}
	list, err := c.config.Host.Usage(c.r.Context())
	if err != nil {
		return err
	}
	out := Usage{Buckets: list}
	if list == nil {
		out.Buckets = []BucketUsage{}
	}
	for i := range list {
		out.Objects += list[i].Objects
		out.Versions += list[i].Versions
		out.DeleteMarkers += list[i].DeleteMarkers
		out.Bytes += list[i].Bytes
	}
	return c.reply(http.StatusOK, out)
}

func (c *call) getQuota() error {
	q, err := c.config.Host.Quota(c.r.Context(), c.name)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, q)
}

func (c *call) setQuota() error {
	var in SetQuota
	if err := parse(c.body, &in); err != nil {
		return err
	}
	if in.Quota == nil && in.Objects == nil || in.Quota != nil && *in.Quota < 1 || in.Objects != nil && *in.Objects < 1 {
		return badArgument("A quota is a number of bytes, or of objects, above 0; DELETE removes both, and with of=quota or of=objects one.")
	}
	if err := c.config.Host.SetQuota(c.r.Context(), c.name, in); err != nil {
		return err
	}
	return c.getQuota()
}

// deleteQuota removes both bounds, or the one that the query names.
func (c *call) deleteQuota() error {
	var q SetQuota
	switch of := c.query.Get("of"); {
	case of == "quota":
		q.Quota = new(int64)
	case of == "objects":
		q.Objects = new(int64)
	case c.query.Has("of"):
		return badArgument("of is quota or objects.")
	default:
		q = SetQuota{new(int64), new(int64)}
	}
	if err := c.config.Host.SetQuota(c.r.Context(), c.name, q); err != nil {
		return err
	}
	return c.getQuota()
}
