package adminapi

import (
	"errors"
	"net/http"
	"strings"

	"github.com/objsrv/objsrv/iam/config"
)

// SettingsList is the answer to GET config: the settings that administrators store, as `mc admin config` has them.
type SettingsList struct {
	Subsystems []Subsystem `json:"subsystems"`
}

// Subsystem is the answer to GET config/{name}.
type Subsystem struct {
	Name        string          `json:"name"`
	Description string          `json:"description"`
	Keys        []StoredSetting `json:"keys"`
}

// StoredSetting is one key of a sub-system.
type StoredSetting struct {
	Key         string    `json:"key"`
	Type        string    `json:"type"`
	Description string    `json:"description"`
	Value       string    `json:"value"` // that is stored; "" for none
	Default     string    `json:"default,omitempty"`
	Override    *Override `json:"override,omitempty"` // wins over what is stored
}

// Override is a setting of the command line or the environment.
type Override struct {
	From  string `json:"from"`
	Value string `json:"value"`
}

// SetConfig is the body of PUT config/{name}: keys that are not among Values stay; "" unsets one.
type SetConfig struct {
	Values map[string]string `json:"values"`
}

// ChangedConfig is the answer to a change.
type ChangedConfig struct {
	Restart   bool      `json:"restart"` // it is in force when the server starts the next time
	Subsystem Subsystem `json:"subsystem"`
}

func (c *call) listConfig() error {
	list, err := c.config.Host.Settings().State(c.r.Context())
	if err != nil {
		return err
	}
	out := SettingsList{Subsystems: make([]Subsystem, len(list))}
	for i := range list {
		out.Subsystems[i] = subsystem(&list[i])
	}
	return c.reply(http.StatusOK, out)
}

// subsystem returns a sub-system as it is shown.
func subsystem(s *config.State) Subsystem {
	out := Subsystem{Name: s.Name, Description: s.Description, Keys: make([]StoredSetting, len(s.Keys))}
	for i, k := range s.Keys {
		out.Keys[i] = StoredSetting{Key: k.Name, Type: k.Type, Description: k.Description, Value: k.Value, Default: k.Default}
		if k.Override != nil {
			out.Keys[i].Override = &Override{From: k.Override.From, Value: k.Override.Value}
		}
	}
	return out
}

// named returns the sub-system of the request.
func (c *call) named() (Subsystem, error) {
	list, err := c.config.Host.Settings().State(c.r.Context())
	if err != nil {
		return Subsystem{}, err
	}
	for i := range list {
		if list[i].Name == c.name {
			return subsystem(&list[i]), nil
		}
	}
	return Subsystem{}, &Refusal{Status: http.StatusNotFound, Code: "NoSuchSubsystem", Message: "There are no settings of this name; GET config lists them."}
}

func (c *call) getConfig() error {
	s, err := c.named()
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, s)
}

func (c *call) setConfig() error {
	var in SetConfig
	if err := parse(c.body, &in); err != nil {
		return err
	}
	if _, err := c.named(); err != nil {
		return err
	}
	return c.changed(c.config.Host.Settings().SetValues(c.r.Context(), c.name, in.Values))
}

func (c *call) resetConfig() error {
	if _, err := c.named(); err != nil {
		return err
	}
	text := c.name
	if c.query.Has("key") {
		key := c.query.Get("key")
		if key == "" || strings.ContainsAny(key, " \t\r\n") {
			return badArgument("The parameter key names one key.")
		}
		text += " " + key
	}
	return c.changed(c.config.Host.Settings().Reset(c.r.Context(), text))
}

// changed answers a change that ended with err.
func (c *call) changed(err error) error {
	if errors.Is(err, config.ErrInvalid) || errors.Is(err, config.ErrValue) {
		return badArgument("%v", err)
	}
	if err != nil {
		return err
	}
	s, err := c.named()
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, ChangedConfig{true, s})
}
