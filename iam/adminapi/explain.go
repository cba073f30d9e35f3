package adminapi

import (
	"net/http"
	"strconv"

	"github.com/objsrv/objsrv/iam"
)

// Refusals is the answer to GET explain/{request id}: what was refused to that request, the
// first refusal first; and to GET explain, with ?last=N: the last ones, the newest first.
type Refusals struct {
	Refusals []iam.Refusal `json:"refusals"`
}

// Limits of ?last=N.
const (
	usualRefusals = 20
	maxRefusals   = 1000
)

// explain tells why a request was refused. A request without a refusal, and one that is
// forgotten, is NoSuchRequest: the two can't be told apart.
func (c *call) explain() error {
	list := c.config.Service.Refusals(c.name)
	if len(list) == 0 {
		return &Refusal{
			Status: http.StatusNotFound, Code: "NoSuchRequest",
			Message: "No refusal is kept under this request id: nothing was refused to it, it was too long ago, or the server has started since.",
		}
	}
	return c.reply(http.StatusOK, Refusals{list})
}

func (c *call) explainLast() error {
	n := usualRefusals
	if c.query.Has("last") {
		var err error
		if n, err = strconv.Atoi(c.query.Get("last")); err != nil || n < 1 || n > maxRefusals {
			return badArgument("The parameter last is a number from 1 to %d.", maxRefusals)
		}
	}
	return c.reply(http.StatusOK, Refusals{c.config.Service.LastRefusals(n)})
}
