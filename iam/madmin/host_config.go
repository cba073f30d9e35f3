package madmin

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/objsrv/objsrv/iam/config"
)

// maxConfig is what a body of settings may have; its package has limits of its own.
const maxConfig = 256 << 10

// Settings are what `mc admin config` changes.
type Settings interface {
	// Settings returns the service of the server's settings. What it stores is in force when the
	// server starts the next time.
	Settings() *config.Service
}

// configError says a mistake of the client in MinIO's codes.
func configError(err error) error {
	switch {
	case errors.Is(err, config.ErrValue):
		return &Refusal{http.StatusBadRequest, "XMinioAdminConfigBadJSON", err.Error()}
	case errors.Is(err, config.ErrInvalid):
		return &Refusal{http.StatusBadRequest, "XMinioConfigError", err.Error()}
	case errors.Is(err, config.ErrNoHistory):
		return &Refusal{http.StatusNotFound, "XMinioConfigError", err.Error()}
	}
	return err
}

// configDone answers a change. Without the header x-minio-config-applied clients tell people to start
// the server anew, which is so of all settings here.
func (c *call) configDone(err error) error {
	if err != nil {
		return configError(err)
	}
	return c.replyEmpty(http.StatusOK)
}

// replySealedText sends a text, encrypted for the caller.
func (c *call) replySealedText(text string) error {
	body, err := c.sealer.seal(c.ctx, c.cred.Secret, []byte(text))
	if err != nil {
		return err
	}
	return c.send(http.StatusOK, "application/octet-stream", body)
}

func (c *call) getConfigKV() error {
	name := c.param("key")
	if name == "" {
		return &Refusal{http.StatusBadRequest, "XMinioConfigError", "The parameter key names a sub-system."}
	}
	if kind, target, ok := providerSettings(name); ok {
		text, err := c.providerText(kind, target)
		if err != nil {
			return err
		}
		return c.replySealedText(text)
	}
	text, err := c.Host.Settings().Text(c.ctx, name)
	if err != nil {
		return configError(err)
	}
	return c.replySealedText(text)
}

func (c *call) setConfigKV() error {
	if _, _, ok := providerSettings(firstWord(c.body)); ok {
		return errByEnviron
	}
	return c.configDone(c.Host.Settings().Set(c.ctx, string(c.body)))
}

func (c *call) delConfigKV() error {
	if _, _, ok := providerSettings(firstWord(c.body)); ok {
		return errByEnviron
	}
	return c.configDone(c.Host.Settings().Reset(c.ctx, string(c.body)))
}

// getConfig exports all settings.
func (c *call) getConfig() error {
	text, err := c.Host.Settings().Text(c.ctx, "")
	if err != nil {
		return configError(err)
	}
	return c.replySealedText(text)
}

// setConfig imports all settings: what the text does not have is unset.
func (c *call) setConfig() error {
	return c.configDone(c.Host.Settings().Replace(c.ctx, string(c.body)))
}

// configHelp is the description of a sub-system.
type configHelp struct {
	SubSys          string    `json:"subSys"`
	Description     string    `json:"description"`
	MultipleTargets bool      `json:"multipleTargets"`
	Keys            []keyHelp `json:"keysHelp"`
}

type keyHelp struct {
	Key             string `json:"key"`
	Type            string `json:"type"`
	Description     string `json:"description"`
	Optional        bool   `json:"optional"`
	MultipleTargets bool   `json:"multipleTargets"`
}

func (c *call) helpConfigKV() error {
	help, err := c.Host.Settings().Help(c.param("subSys"), c.param("key"), c.query.Has("env"))
	if err != nil {
		return configError(err)
	}
	out := configHelp{SubSys: help.Name, Description: help.Description, Keys: []keyHelp{}}
	for _, k := range help.Keys {
		out.Keys = append(out.Keys, keyHelp{Key: k.Name, Type: k.Type, Description: k.Description, Optional: help.Name != ""})
	}
	return c.reply(out)
}

func (c *call) listConfigHistory() error {
	n, err := strconv.Atoi(c.param("count"))
	if err != nil || n < 0 {
		return invalid("The parameter count is a number; 0 is all.")
	}
	list, err := c.Host.Settings().History(c.ctx, n)
	if err != nil {
		return configError(err)
	}
	return c.replySealed(list)
}

func (c *call) clearConfigHistory() error {
	return c.configDone(c.Host.Settings().Clear(c.ctx, c.param("restoreId")))
}

func (c *call) restoreConfigHistory() error {
	return c.configDone(c.Host.Settings().Restore(c.ctx, c.param("restoreId")))
}
