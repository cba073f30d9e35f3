package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/objsrv/objsrv/iam/adminapi"
)

// adminFlags are those of every admin command.
type adminFlags struct {
	endpoint  string
	accessKey string
	secretKey string
	caFile    string
	json      bool
}

// newAdminCommand returns the commands that manage a running server over its JSON face.
func newAdminCommand() *cobra.Command {
	f := &adminFlags{}
	cmd := &cobra.Command{
		Use:   "admin",
		Short: "Manage a running server: identities, settings, quotas; watch what it does",
		Long: `Manage users, groups, policies, access keys and sessions of a running server, its settings and quotas,
ask why it refuses, and watch what it does.

The endpoint is --endpoint, OBJSRV_ENDPOINT, OBJSRV_URL or AWS_ENDPOINT_URL. The
credentials are --access-key with --secret-key, or the first complete pair of
OBJSRV_ACCESS_KEY and OBJSRV_SECRET_KEY, OBJSRV_ROOT_USER and OBJSRV_ROOT_PASSWORD,
MINIO_ROOT_USER and MINIO_ROOT_PASSWORD, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.`,
		Example: "  objsrv admin user add backup --policy readwrite\n  objsrv admin explain --last 10",
		Args:    noCommand,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	p := cmd.PersistentFlags()
	p.StringVar(&f.endpoint, "endpoint", "", "URL of the server (default "+defaultEndpoint+")")
	p.StringVar(&f.accessKey, "access-key", "", "access key to sign with")
	p.StringVar(&f.secretKey, "secret-key", "", `its secret; "-" reads it from standard input`)
	p.StringVar(&f.caFile, "ca-file", "", "PEM file of certificates to trust, beside the system's [OBJSRV_CA_FILE]")
	p.BoolVar(&f.json, "json", false, "print the server's JSON")
	cmd.AddCommand(newAdminAccountCommand(f), newAdminUserCommand(f), newAdminGroupCommand(f), newAdminPolicyCommand(f), newAdminKeyCommand(f), newAdminSessionCommand(f),
		newAdminWhoamiCommand(f), newAdminExplainCommand(f), newAdminSimulateCommand(f), newAdminLDAPCommand(f), newAdminOpenIDCommand(f),
		newAdminEncryptionCommand(f), newAdminNotifyCommand(f), newAdminImportCommand(f))
	cmd.AddCommand(newAdminHostCommands(f)...)
	return cmd
}

// noCommand refuses an argument where a command is expected.
func noCommand(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("unknown command %q; `%s --help` lists the commands", args[0], cmd.CommandPath())
	}
	return nil
}

// group returns a command that only has others.
func group(use, short string, children ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Args: noCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(children...)
	return cmd
}

func newAdminWhoamiCommand(f *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "whoami",
		Short:   "Show the identity behind the credentials",
		Example: "  objsrv admin whoami --access-key backup --secret-key -",
		Args:    argCount(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var me adminapi.WhoAmI
			return f.show(cmd, "GET", "whoami", nil, &me, func(w io.Writer) {
				fmt.Fprintf(w, "Name:\t%s\nARN:\t%s\nID:\t%s\nAccount:\t%s\nAccess key:\t%s\nCredential:\t%s\nRestricted:\t%s\nPolicies:\t%s\nGroups:\t%s\n",
					printable(me.Name), printable(me.ARN), printable(me.ID), printable(me.Account), printable(me.AccessKey), printable(me.Credential), yes(me.Restricted),
					rights(&me), names(me.Groups))
			})
		},
	}
}

// rights says what an identity may do.
func rights(me *adminapi.WhoAmI) string {
	switch {
	case me.Root && me.Restricted:
		return "of root, what its own policy allows"
	case me.Root:
		return "everything (root)"
	case me.AccountRoot && me.Restricted:
		return "of the account's root, what its own policy allows"
	case me.AccountRoot:
		return "everything in the account (its root)"
	}
	return names(me.Policies)
}

// names prints a list of names, or "none".
func names(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return printable(strings.Join(list, ", "))
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return printable(s)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return printable(s)
}

func yes(v bool) string {
	if v {
		return "yes"
	}
	return "no"
}

// state is the word for the state of an identity.
func state(enabled bool, damaged string) string {
	switch {
	case damaged != "":
		return "damaged"
	case enabled:
		return "enabled"
	}
	return "disabled"
}

func day(t time.Time) string    { return t.Format("2006-01-02") }
func moment(t time.Time) string { return t.Format("2006-01-02 15:04:05 MST") }

// end is the word for an expiry.
func end(t *time.Time) string {
	if t == nil {
		return "never"
	}
	return moment(*t)
}

// show sends a request, and prints its answer as JSON or, decoded into out, by text.
func (f *adminFlags) show(cmd *cobra.Command, method, path string, in, out any, text func(io.Writer)) error {
	raw, err := f.call(cmd, method, path, in)
	if err != nil {
		return err
	}
	if f.json {
		_, err := cmd.OutOrStdout().Write(raw)
		return err
	}
	if out != nil {
		if err := json.Unmarshal(raw, out); err != nil {
			return fmt.Errorf("read answer: %w", err)
		}
	}
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 8, 2, ' ', 0)
	text(w)
	return w.Flush()
}
