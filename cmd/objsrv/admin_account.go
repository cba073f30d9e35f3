package main

import (
	"fmt"
	"io"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/objsrv/objsrv/iam/adminapi"
)

func accountPath(name string) string { return "accounts/" + url.PathEscape(name) }

func newAdminAccountCommand(f *adminFlags) *cobra.Command {
	cmd := group("account", "Manage accounts: whom buckets and users belong to",
		newAccountAddCommand(f), newAccountLsCommand(f), newAccountInfoCommand(f), newAccountRmCommand(f))
	cmd.Long = `Manage accounts. Each has a root user, users, groups, policies and buckets of its own; who is of one account gets at the buckets
of another only where both sides allow it. Its root, and users of it with such policies, administer its users, groups, policies,
keys and sessions with the same commands. The server, its accounts and keys of encryption are administered from the deployment's
account, which is always there.`
	return cmd
}

func newAccountAddCommand(f *adminFlags) *cobra.Command {
	var in adminapi.CreateAccount
	var secret secretFlags
	cmd := &cobra.Command{
		Use:   "add NAME",
		Short: "Create an account with its root user",
		Long: "Create an account with its root user, who may do everything with what belongs to the account, and nothing else.\n\n" +
			"The root user adds users with `objsrv admin user add NAME`, the deployment with --account ID.\n" +
			"Without --secret-stdin the server makes a secret, which is shown once and can't be asked for again.",
		Example: "  objsrv admin account add finance\n  objsrv admin account add finance --id 111122223333 --root finance-root",
		Args:    argCount(1, 1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if in.Secret, err = secret.read(cmd); err != nil {
				return err
			}
			if in.Root == "" {
				in.Root = args[0]
			}
			var a adminapi.CreatedAccount
			return f.show(cmd, "PUT", accountPath(args[0]), in, &a, func(w io.Writer) {
				fmt.Fprintf(w, "Account:\t%s\nCanonical ID:\t%s\nRoot user:\t%s\n", printable(a.ID), printable(a.CanonicalID), printable(a.AccessKey))
				if in.Secret == "" {
					fmt.Fprintf(w, "Secret key:\t%s\n", printable(a.Secret))
				}
			})
		},
	}
	secret.add(cmd)
	cmd.Flags().StringVar(&in.ID, "id", "", "`id` of the account, 12 digits (default a random one)")
	cmd.Flags().StringVar(&in.Root, "root", "", "`name` of its root user, which is the access key, too (default NAME)")
	return cmd
}

func newAccountLsCommand(f *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "ls",
		Short:   "List the accounts",
		Example: "  objsrv admin account ls",
		Args:    argCount(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var list adminapi.AccountList
			return f.show(cmd, "GET", "accounts", nil, &list, func(w io.Writer) {
				fmt.Fprintln(w, "ID\tNAME\tROOT USER\tUSERS\tCREATED")
				for i := range list.Accounts {
					a := &list.Accounts[i]
					name, created := printable(a.Name), "-"
					if a.Deployment {
						name = "(deployment)"
					}
					if !a.Created.IsZero() {
						created = day(a.Created)
					}
					fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\n", printable(a.ID), name, printable(a.Root), a.Users, created)
				}
			})
		},
	}
}

func newAccountInfoCommand(f *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "info ID",
		Short:   "Show an account and its buckets",
		Example: "  objsrv admin account info 111122223333",
		Args:    argCount(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var a adminapi.AccountInfo
			return f.show(cmd, "GET", accountPath(args[0]), nil, &a, func(w io.Writer) {
				fmt.Fprintf(w, "Account:\t%s\nName:\t%s\nCanonical ID:\t%s\nRoot user:\t%s\nUsers:\t%d\nBuckets:\t%s\n",
					printable(a.ID), orNone(printable(a.Name)), printable(a.CanonicalID), printable(a.Root), a.Users, names(a.Buckets))
			})
		},
	}
}

func newAccountRmCommand(f *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "rm ID",
		Short:   "Delete an account and its root user for ever; it must have no users, groups and buckets",
		Example: "  objsrv admin account rm 111122223333",
		Args:    argCount(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.show(cmd, "DELETE", accountPath(args[0]), nil, nil, func(w io.Writer) {
				fmt.Fprintf(w, "Account %s is deleted.\n", printable(args[0]))
			})
		},
	}
}
