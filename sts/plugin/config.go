// Package plugin asks a program of the operator whose a token is: the identity plugin of MinIO. It
// imports sts for the words of its answers, and the standard library; it never sees iam: whether a
// policy exists, and what a user may be called, is not its business. What is sent and answered, and
// how the role is named, are MinIO's.
package plugin

import (
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Config are the settings of the plugin.
type Config struct {
	URL       string   // which is posted to
	AuthToken string   // the Authorization header that proves who asks; "" for none
	Policies  []string // of everybody whom the plugin knows
	RoleID    string   // names the role; "" for a hash of the URL
	CAFile    string   // certificates that vouch for the plugin, in PEM; "" for the system's
}

// Check returns why a plugin can't be asked with these settings. An error names the setting by which
// it stands in variables, behind IDENTITY_PLUGIN_.
func (c *Config) Check() error {
	u, err := url.Parse(c.URL)
	switch {
	case c.URL == "":
		return errors.New("URL is missing: it is where the plugin is asked")
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Fragment != "":
		return errors.New("URL is not a URL of http or https without user and fragment")
	case u.Query().Has("token"):
		return errors.New("URL has the parameter token, where the plugin gets the token of a request")
	case len(c.Policies) == 0:
		return errors.New("ROLE_POLICY is missing: it names the policies of everybody whom the plugin knows, separated by commas")
	case slices.Contains(c.Policies, ""):
		return errors.New("ROLE_POLICY has an empty value between its commas")
	case strings.Trim(c.RoleID, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") != "" || len(c.RoleID) > 64:
		return fmt.Errorf("ROLE_ID consists of at most 64 letters, digits and _ -: %q", c.RoleID)
	case strings.ContainsFunc(c.AuthToken, func(r rune) bool { return r < ' ' || r > '~' }):
		return errors.New("AUTH_TOKEN consists of printable ASCII characters, as a header does")
	}
	return nil
}

// role returns the ARN of the plugin's role. Without an id it comes from the URL, so that it stays
// when the server starts anew.
func (c *Config) role(region string) string {
	id := c.RoleID
	if id == "" {
		sum := sha1.Sum([]byte(c.URL))
		id = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	return "arn:minio:iam:" + region + "::role/idmp-" + id
}
