// Package values reads the settings of one thing that are given by name, such as those of an
// identity provider, and keeps the first that is wrong. It imports the standard library only.
package values

import (
	"errors"
	"fmt"
	"strings"
)

// Reader reads settings by their names.
type Reader struct {
	Values map[string]string
	Err    error // the first fault, which begins with the name of the setting
}

// Fail notes a fault of a setting, unless one is noted already.
func (r *Reader) Fail(name, format string, args ...any) {
	if r.Err == nil {
		r.Err = errors.New(name + " " + fmt.Sprintf(format, args...))
	}
}

// Empty tells whether nothing is set. A lone switch is something.
func (r *Reader) Empty() bool {
	for _, v := range r.Values {
		if v != "" {
			return false
		}
	}
	return true
}

// Text returns a setting without the spaces around it, "" when it is not set.
func (r *Reader) Text(name string) string { return strings.TrimSpace(r.Values[name]) }

// Yes returns a switch, or otherwise when it is not set; what is neither on nor off is a fault.
func (r *Reader) Yes(name string, otherwise bool) bool {
	switch strings.ToLower(r.Text(name)) {
	case "":
		return otherwise
	case "on", "true", "1", "yes":
		return true
	case "off", "false", "0", "no":
		return false
	}
	r.Fail(name, "is neither on nor off: %q", r.Text(name))
	return false
}
