package madmin

import (
	"errors"
	"strings"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/iam/iamzip"
)

// root returns the access key of the root of the caller's account, the server's in the deployment's.
func (c *call) root() string { return c.IAM.RootUser() }

// self returns the user that the caller acts for: a qualified name, or root's access key.
func (c *call) self() string {
	if c.IAM.ByRoot() {
		return c.root()
	}
	return c.id.Name
}

// mayOrOwns asks for an action, which the owner of a thing needs only not to be denied: a
// decision that no statement made is not one against him. A credential with restrictions of its
// own is not the owner: it could make itself a better one.
func (c *call) mayOrOwns(action string, owns bool) error {
	d := c.decide(action)
	if d.Allowed || owns && !c.id.Restricted() && d.Statement == "" {
		return nil
	}
	return c.refuse(action, d)
}

// mayTouch asks for an action on what belongs to a user or to root. Root's own is root's alone.
func (c *call) mayTouch(action, parent string, owns bool) error {
	if parent == c.root() && !c.IAM.ByRoot() {
		return c.refuse(action, iam.Decision{Statement: "what is root's is changed and read by root only"})
	}
	return c.mayOrOwns(action, owns)
}

// findUser returns the user of a name as clients write it: one of ours, root by its access key,
// or an external one, whose source they do not know. A name in more than one source is the local
// user's. The answer to an unknown one is ErrNoSuchUser.
func (c *call) findUser(name string) (string, error) {
	if name == c.root() {
		return name, nil
	}
	_, err := c.IAM.User(name)
	if !errors.Is(err, iam.ErrNoSuchUser) {
		return name, err
	}
	for _, source := range sources() {
		qualified := iam.QualifiedName(source, name)
		if _, err := c.IAM.User(qualified); err == nil {
			return qualified, nil
		}
	}
	return "", iam.ErrNoSuchUser
}

func sources() []string {
	return []string{iam.SourceLDAP, iam.SourceOpenID, iam.SourceTLS, iam.SourceCustom}
}

// plainName is a qualified name as clients of MinIO know it.
func plainName(qualified string) string { return iamzip.PlainName(qualified) }

// plainNames is plainName of several.
func plainNames(qualified []string) []string {
	out := make([]string, len(qualified))
	for i, q := range qualified {
		out[i] = plainName(q)
	}
	return out
}

// localName refuses names of external users and groups, which requests about our own ones do not
// take.
func localName(name string) error {
	if source, _ := iam.SplitName(name); source != iam.SourceLocal {
		return invalid("The name is that of an external identity (" + strings.ToUpper(source) + ").")
	}
	return nil
}
