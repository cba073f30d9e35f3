package madmin

import (
	"math"
	"net/http"

	"github.com/objsrv/objsrv/internal/strictjson"
)

// quotaType is the only one that MinIO has left.
const quotaType = "hard"

// bucketQuota is the quota of a bucket as clients of MinIO have it: the older ones read and write
// quota, the newer ones size.
type bucketQuota struct {
	Quota    uint64 `json:"quota"`
	Size     uint64 `json:"size"`
	Rate     uint64 `json:"rate"`
	Requests uint64 `json:"requests"`
	Type     string `json:"quotatype,omitempty"`
}

func (c *call) getBucketQuota() error {
	n, err := c.Host.Quota(c.ctx, c.param("bucket"))
	if err != nil {
		return err
	}
	out := bucketQuota{Quota: uint64(n), Size: uint64(n)}
	if n > 0 {
		out.Type = quotaType
	}
	return c.reply(out)
}

func (c *call) setBucketQuota() error {
	n, err := parseQuota(c.body)
	if err != nil {
		return err
	}
	if err := c.Host.SetQuota(c.ctx, c.param("bucket"), n); err != nil {
		return err
	}
	return c.replyEmpty(http.StatusOK)
}

// parseQuota returns the bytes of a quota; 0 is none.
func parseQuota(doc []byte) (int64, error) {
	var q bucketQuota
	if err := strictjson.Decode(doc, &q); err != nil {
		return 0, &Refusal{http.StatusBadRequest, "XMinioAdminInvalidArgument", "The quota is not what is expected: " + err.Error() + "."}
	}
	n := q.Size
	if n == 0 {
		n = q.Quota
	}
	switch {
	case q.Rate != 0 || q.Requests != 0:
		return 0, &Refusal{http.StatusNotImplemented, "NotImplemented", "Quotas of rate and of requests are not implemented."}
	case q.Size != 0 && q.Quota != 0 && q.Size != q.Quota:
		return 0, invalid("The quota has a size and a quota that differ.")
	case n > math.MaxInt64:
		return 0, invalid("The quota is too large.")
	case n > 0 && q.Type != quotaType, q.Type != "" && q.Type != quotaType:
		return 0, invalid("The type of a quota is hard.")
	}
	return int64(n), nil
}
