package adminapi

import (
	"net/http"
	"slices"

	"github.com/objsrv/objsrv/iam"
)

// ProviderList is the answer to GET providers.
type ProviderList struct {
	Providers []Provider `json:"providers"`
}

// providers returns the providers with the counts of their sessions.
func (c *call) providers() []Provider {
	list := c.config.Host.Providers()
	if list == nil {
		list = []Provider{}
	}
	counts := c.config.Service.SessionsByProvider()
	for i := range list {
		for of, n := range counts {
			if iam.FromProvider(of, list[i].ID) {
				list[i].Sessions += n
			}
		}
	}
	return list
}

func (c *call) listProviders() error {
	return c.reply(http.StatusOK, ProviderList{c.providers()})
}

func (c *call) getProvider() error {
	list := c.providers()
	i := slices.IndexFunc(list, func(p Provider) bool { return p.ID == c.name })
	if i < 0 {
		return &Refusal{Status: http.StatusNotFound, Code: "NoSuchProvider", Message: "There is no identity provider of this id."}
	}
	return c.reply(http.StatusOK, list[i])
}

// checkProvider asks the provider, and answers with what has become of it: that it fails is no failure of the
// request.
func (c *call) checkProvider() error {
	if err := c.noBody(); err != nil {
		return err
	}
	if err := c.config.Host.CheckProvider(c.r.Context(), c.name); err != nil {
		return err
	}
	return c.getProvider()
}
