package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/iam/adminapi"
)

func keyPath(accessKey string) string { return "keys/" + url.PathEscape(accessKey) }

func newAdminKeyCommand(f *adminFlags) *cobra.Command {
	cmd := group("key", "Manage access keys: further keys of a user, with policies and expiries of their own",
		newKeyAddCommand(f), newKeyRmCommand(f), newKeyLsCommand(f), newKeyInfoCommand(f), newKeyEditCommand(f),
		newKeyStatusCommand(f, "enable", "Let an access key work again", true),
		newKeyStatusCommand(f, "disable", "Refuse an access key until it is enabled", false))
	cmd.Long = `Manage access keys: what MinIO calls service accounts. A key may what its user may, or, with a
policy of its own, the part of it that the policy allows. Everybody manages the keys of
their own; those of others need admin:CreateServiceAccount, admin:ListServiceAccounts,
admin:UpdateServiceAccount and admin:RemoveServiceAccount.`
	return cmd
}

// whoseFlags say whose credentials a list has.
type whoseFlags struct {
	user string
	all  bool
}

func (wf *whoseFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&wf.user, "user", "", "those of this `user`, instead of your own")
	cmd.Flags().BoolVar(&wf.all, "all", false, "those of everybody")
}

// query returns the query of a list.
func (wf *whoseFlags) query() (string, error) {
	switch {
	case wf.user != "" && wf.all:
		return "", usagef("--user and --all exclude each other")
	case wf.user != "":
		return "?" + url.Values{"user": {wf.user}}.Encode(), nil
	case wf.all:
		return "?all=true", nil
	}
	return "", nil
}

// keyFlags are what is set about a key.
type keyFlags struct {
	name, description, policy, expires string
	secret                             secretFlags
}

func (k *keyFlags) add(cmd *cobra.Command) {
	p := cmd.Flags()
	p.StringVar(&k.name, "name", "", "`name` for people, at most 64 characters")
	p.StringVar(&k.description, "description", "", "`text` for people, at most 256 characters")
	p.StringVar(&k.policy, "policy", "", "`file` with the key's own policy; \"-\" is standard input")
	p.StringVar(&k.expires, "expires", "", "`when` it ends: a time such as 2027-01-31T12:00:00Z, a day, or a span such as 12h or 90d")
	p.BoolVar(&k.secret.stdin, "secret-stdin", false, "read the key's secret from the first line of standard input")
}

// document reads the policy file; nil without one.
func (k *keyFlags) document(cmd *cobra.Command) (json.RawMessage, error) {
	switch {
	case k.policy == "":
		return nil, nil
	case k.policy == "-" && k.secret.stdin:
		return nil, usagef("standard input is the secret or the policy, not both")
	}
	data, err := readDocument(cmd, k.policy)
	if err != nil {
		return nil, err
	}
	if !json.Valid(data) {
		return nil, usagef("%s is not JSON; `objsrv admin policy validate %s` says where", k.policy, k.policy)
	}
	return data, nil
}

// expiry reads --expires against the time now, as RFC 3339.
func expiry(s string, now time.Time) (string, error) {
	if s == "" {
		return "", nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t.Format(time.RFC3339), nil
	}
	if t, err := time.ParseInLocation("2006-01-02", s, time.Local); err == nil {
		return t.Format(time.RFC3339), nil
	}
	var span time.Duration
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil {
			return "", badExpiry(s)
		}
		span = time.Duration(n) * 24 * time.Hour
	} else if d, err := time.ParseDuration(s); err == nil {
		span = d
	}
	if span <= 0 {
		return "", badExpiry(s)
	}
	return now.Add(span).UTC().Format(time.RFC3339), nil
}

func badExpiry(s string) error {
	return usagef("--expires: %q is neither a time such as 2027-01-31T12:00:00Z, nor a day such as 2027-01-31, nor a span such as 12h or 90d", s)
}

func newKeyAddCommand(f *adminFlags) *cobra.Command {
	var in adminapi.CreateKey
	var k keyFlags
	cmd := &cobra.Command{
		Use:   "add [ACCESS-KEY]",
		Short: "Create an access key, of your own or of another user",
		Long: "Create an access key, of your own or, with --user, of another user. What is not given is made by\n" +
			"the server; a secret that it makes is shown once and can't be asked for again.",
		Example: "  objsrv admin key add --name laptop --expires 90d\n  objsrv admin key add CIUPLOADER --user ci --policy uploads-only.json",
		Args:    argCount(0, 1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			in.AccessKey = strings.Join(args, "")
			in.Name, in.Description = k.name, k.description
			if in.Policy, err = k.document(cmd); err != nil {
				return err
			}
			if in.Expires, err = expiry(k.expires, time.Now()); err != nil {
				return err
			}
			if in.Secret, err = k.secret.read(cmd); err != nil {
				return err
			}
			var made adminapi.CreatedKey
			return f.show(cmd, "POST", "keys", in, &made, func(w io.Writer) {
				fmt.Fprintf(w, "Access key:\t%s\n", printable(made.AccessKey.AccessKey))
				if in.Secret == "" {
					fmt.Fprintf(w, "Secret key:\t%s\n", printable(made.Secret))
				}
				fmt.Fprintf(w, "User:\t%s\nExpires:\t%s\n", printable(made.Parent), end(made.Expires))
			})
		},
	}
	k.add(cmd)
	cmd.Flags().StringVar(&in.Parent, "user", "", "the `user` that the key belongs to (default yourself)")
	cmd.Flags().BoolVar(&in.Disabled, "disabled", false, "create the key disabled")
	return cmd
}

func newKeyLsCommand(f *adminFlags) *cobra.Command {
	var whose whoseFlags
	cmd := &cobra.Command{
		Use:     "ls",
		Short:   "List access keys",
		Example: "  objsrv admin key ls\n  objsrv admin key ls --user alice",
		Args:    argCount(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			query, err := whose.query()
			if err != nil {
				return err
			}
			var list adminapi.KeyList
			return f.show(cmd, "GET", "keys"+query, nil, &list, func(w io.Writer) {
				fmt.Fprintln(w, "ACCESS KEY\tUSER\tKIND\tSTATUS\tEXPIRES\tNAME")
				for i := range list.Keys {
					k := &list.Keys[i]
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", printable(k.AccessKey), printable(k.Parent), keyKind(k), state(k.Enabled, k.Damaged), end(k.Expires), printable(k.Name))
				}
			})
		},
	}
	whose.add(cmd)
	return cmd
}

func keyKind(k *iam.AccessKey) string {
	switch {
	case k.Own:
		return "own"
	case len(k.Policy) > 0 || k.Bounded:
		return "restricted"
	}
	return "service"
}

func newKeyInfoCommand(f *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "info ACCESS-KEY",
		Short:   "Show an access key",
		Example: "  objsrv admin key info CIUPLOADER",
		Args:    argCount(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.showKey(cmd, "GET", args[0], nil)
		},
	}
}

func (f *adminFlags) showKey(cmd *cobra.Command, method, accessKey string, in any) error {
	var k iam.AccessKey
	return f.show(cmd, method, keyPath(accessKey), in, &k, func(w io.Writer) {
		fmt.Fprintf(w, "Access key:\t%s\nUser:\t%s\nAccount:\t%s\nKind:\t%s\nStatus:\t%s\nName:\t%s\nDescription:\t%s\nExpires:\t%s\nCreated:\t%s\nUpdated:\t%s\n",
			printable(k.AccessKey), printable(k.Parent), printable(k.Account), keyKind(&k), state(k.Enabled, k.Damaged), printable(k.Name), printable(k.Description),
			end(k.Expires), moment(k.Created), moment(k.Updated))
		switch {
		case len(k.Policy) > 0:
			fmt.Fprintln(w, "Policy:")
			printDocument(w, k.Policy)
		case k.Bounded:
			fmt.Fprintln(w, "Policy:\tthat of the restricted credential which made it")
		default:
			fmt.Fprintln(w, "Policy:\tnone: it may what its user may")
		}
	})
}

func newKeyEditCommand(f *adminFlags) *cobra.Command {
	var k keyFlags
	var noPolicy, noExpiry bool
	cmd := &cobra.Command{
		Use:   "edit ACCESS-KEY",
		Short: "Change an access key's name, description, policy, expiry or secret",
		Long: "Change an access key: what a flag names, and nothing else. The policy is changed by those who may do\n" +
			"admin:UpdateServiceAccount, even when the key is their own.",
		Example: "  objsrv admin key edit CIUPLOADER --expires 2027-12-31 --description 'uploads of the CI'\n" +
			"  objsrv admin key edit CIUPLOADER --no-policy",
		Args: argCount(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			in, err := k.change(cmd, noPolicy, noExpiry)
			if err != nil {
				return err
			}
			return f.showKey(cmd, "PATCH", args[0], in)
		},
	}
	k.add(cmd)
	cmd.Flags().BoolVar(&noPolicy, "no-policy", false, "take the key's own policy away: it may what its user may")
	cmd.Flags().BoolVar(&noExpiry, "no-expiry", false, "let it live for ever")
	return cmd
}

// change makes the body of a change from the flags that are given.
func (k *keyFlags) change(cmd *cobra.Command, noPolicy, noExpiry bool) (in adminapi.UpdateKey, err error) {
	given := cmd.Flags().Changed
	switch {
	case noPolicy && k.policy != "":
		return in, usagef("--policy and --no-policy exclude each other")
	case noExpiry && k.expires != "":
		return in, usagef("--expires and --no-expiry exclude each other")
	}
	if given("name") {
		in.Name = &k.name
	}
	if given("description") {
		in.Description = &k.description
	}
	if in.Policy, err = k.document(cmd); err != nil {
		return in, err
	}
	if noPolicy {
		in.Policy = json.RawMessage("null")
	}
	if k.expires != "" || noExpiry {
		when, err := expiry(k.expires, time.Now())
		if err != nil {
			return in, err
		}
		in.Expires = &when
	}
	if k.secret.stdin {
		secret, err := k.secret.read(cmd)
		if err != nil {
			return in, err
		}
		in.Secret = &secret
	}
	if in.Name == nil && in.Description == nil && in.Policy == nil && in.Expires == nil && in.Secret == nil {
		return in, usagef("there is nothing to change; `%s --help` lists the flags", cmd.CommandPath())
	}
	return in, nil
}

func newKeyStatusCommand(f *adminFlags, use, short string, enabled bool) *cobra.Command {
	return &cobra.Command{
		Use:     use + " ACCESS-KEY",
		Short:   short,
		Example: "  objsrv admin key " + use + " CIUPLOADER",
		Args:    argCount(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.showKey(cmd, "PATCH", args[0], adminapi.UpdateKey{Enabled: &enabled})
		},
	}
}

func newKeyRmCommand(f *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "rm ACCESS-KEY",
		Short:   "Delete an access key for ever, and the sessions it asked for",
		Example: "  objsrv admin key rm CIUPLOADER",
		Args:    argCount(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.show(cmd, "DELETE", keyPath(args[0]), nil, nil, func(w io.Writer) {
				fmt.Fprintf(w, "Access key %s is deleted.\n", printable(args[0]))
			})
		},
	}
}
