package main

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/iam/adminapi"
)

func newAdminUserCommand(f *adminFlags) *cobra.Command {
	return group("user", "Manage users",
		newUserAddCommand(f), newUserRmCommand(f), newUserLsCommand(f), newUserInfoCommand(f),
		newUserStatusCommand(f, "enable", "Let a user's keys work again", true),
		newUserStatusCommand(f, "disable", "Refuse a user's keys until it is enabled", false),
		newUserPoliciesCommand(f, "attach", "Attach policies to a user"),
		newUserPoliciesCommand(f, "detach", "Detach policies from a user"),
		newUserSecretCommand(f))
}

// secretFlags say where a user's secret comes from.
type secretFlags struct{ stdin bool }

func (s *secretFlags) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&s.stdin, "secret-stdin", false, "read the user's secret from the first line of standard input; without it one is made")
}

func (s *secretFlags) read(cmd *cobra.Command) (string, error) {
	if !s.stdin {
		return "", nil
	}
	secret, err := firstLine(cmd.InOrStdin())
	if err != nil {
		return "", err
	}
	if err := iam.CheckSecret(secret); err != nil {
		return "", usagef("%v", err)
	}
	return secret, nil
}

// firstLine reads a secret from a stream.
func firstLine(r io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(r, 4096)).ReadString('\n')
	if err != nil && err != io.EOF {
		return "", fmt.Errorf("read secret: %w", err)
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return "", usagef("standard input has no secret")
	}
	return line, nil
}

func newUserAddCommand(f *adminFlags) *cobra.Command {
	var in adminapi.CreateUser
	var secret secretFlags
	cmd := &cobra.Command{
		Use:   "add NAME",
		Short: "Create a user; its name is its access key",
		Long: "Create a user; its name is its access key.\n\n" +
			"Without --secret-stdin the server makes a secret, which is shown once and can't be asked for again.\n" +
			"The name of an external user begins with its source (ldap:, openid:, tls:, custom:): it has no key of its own.",
		Example: "  objsrv admin user add backup --policy readwrite\n  pass show s3/backup | objsrv admin user add backup --secret-stdin",
		Args:    argCount(1, 1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if in.Secret, err = secret.read(cmd); err != nil {
				return err
			}
			var u adminapi.CreatedUser
			return f.show(cmd, "PUT", userPath(args[0]), in, &u, func(w io.Writer) {
				fmt.Fprintf(w, "Access key:\t%s\n", orNone(u.AccessKey))
				if in.Secret == "" && u.Secret != "" {
					fmt.Fprintf(w, "Secret key:\t%s\n", printable(u.Secret))
				}
				fmt.Fprintf(w, "Policies:\t%s\n", names(u.Policies))
			})
		},
	}
	secret.add(cmd)
	cmd.Flags().StringSliceVar(&in.Policies, "policy", nil, "policy to attach; may be repeated")
	cmd.Flags().StringVar(&in.Account, "account", "", "`account` that the user belongs to, 12 digits (default one's own)")
	cmd.Flags().BoolVar(&in.Disabled, "disabled", false, "create the user disabled")
	return cmd
}

func newUserSecretCommand(f *adminFlags) *cobra.Command {
	var secret secretFlags
	cmd := &cobra.Command{
		Use:     "secret NAME",
		Short:   "Give a user another secret; the old one is refused at once",
		Example: "  objsrv admin user secret backup\n  pass show s3/backup | objsrv admin user secret backup --secret-stdin",
		Args:    argCount(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			value, err := secret.read(cmd)
			if err != nil {
				return err
			}
			made := value == ""
			if made {
				value = iam.NewSecret()
			}
			var u iam.User
			if f.json && made {
				return usagef("with --json give the secret by --secret-stdin: the server's answer has none")
			}
			return f.show(cmd, "PATCH", userPath(args[0]), adminapi.UpdateUser{Secret: &value}, &u, func(w io.Writer) {
				fmt.Fprintf(w, "Access key:\t%s\n", printable(u.Name))
				if made {
					fmt.Fprintf(w, "Secret key:\t%s\n", value)
				}
			})
		},
	}
	secret.add(cmd)
	return cmd
}

func newUserRmCommand(f *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "rm NAME",
		Short:   "Delete a user and its keys for ever",
		Example: "  objsrv admin user rm backup",
		Args:    argCount(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.show(cmd, "DELETE", userPath(args[0]), nil, nil, func(w io.Writer) {
				fmt.Fprintf(w, "User %s is deleted.\n", printable(args[0]))
			})
		},
	}
}

func newUserLsCommand(f *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "ls",
		Short:   "List the users",
		Example: "  objsrv admin user ls",
		Args:    argCount(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var list adminapi.UserList
			return f.show(cmd, "GET", "users", nil, &list, func(w io.Writer) {
				showUsers(w, list.Users)
			})
		},
	}
}

// showUsers prints a table, with the accounts where there is more than one.
func showUsers(w io.Writer, users []iam.User) {
	several := slices.ContainsFunc(users, func(u iam.User) bool { return u.Account != users[0].Account && u.Damaged == "" })
	column := func(text string) string {
		if !several {
			return ""
		}
		return printable(text) + "\t"
	}
	fmt.Fprintf(w, "NAME\t%sSTATUS\tPOLICIES\tGROUPS\tCREATED\n", column("ACCOUNT"))
	for i := range users {
		u := &users[i]
		fmt.Fprintf(w, "%s\t%s%s\t%s\t%s\t%s\n", printable(u.Name), column(u.Account), state(u.Enabled, u.Damaged), names(u.Policies), names(u.Groups), day(u.Created))
	}
}

func newUserInfoCommand(f *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "info NAME",
		Short:   "Show a user",
		Example: "  objsrv admin user info backup\n  objsrv admin user info 'ldap:uid=ann,ou=people,dc=example,dc=com'",
		Args:    argCount(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.showUser(cmd, "GET", args[0], nil)
		},
	}
}

func (f *adminFlags) showUser(cmd *cobra.Command, method, name string, in any) error {
	var u iam.User
	return f.show(cmd, method, userPath(name), in, &u, func(w io.Writer) {
		fmt.Fprintf(w, "Name:\t%s\nAccount:\t%s\nARN:\t%s\nID:\t%s\nStatus:\t%s\nPolicies:\t%s\nGroups:\t%s\nAccess keys:\t%s\nCreated:\t%s\nUpdated:\t%s\n",
			printable(u.Name), printable(u.Account), printable(u.ARN), printable(u.ID), state(u.Enabled, u.Damaged), names(u.Policies), names(u.Groups), names(u.AccessKeys),
			moment(u.Created), moment(u.Updated))
	})
}

func newUserStatusCommand(f *adminFlags, use, short string, enabled bool) *cobra.Command {
	return &cobra.Command{
		Use:     use + " NAME",
		Short:   short,
		Example: "  objsrv admin user " + use + " backup",
		Args:    argCount(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.showUser(cmd, "PATCH", args[0], adminapi.UpdateUser{Enabled: &enabled})
		},
	}
}

func newUserPoliciesCommand(f *adminFlags, use, short string) *cobra.Command {
	return &cobra.Command{
		Use:     use + " NAME POLICY...",
		Short:   short,
		Example: "  objsrv admin user " + use + " backup readwrite",
		Args:    argCount(2, iam.MaxPolicies+1),
		RunE: func(cmd *cobra.Command, args []string) error {
			in := adminapi.UpdateUser{Attach: args[1:]}
			if use == "detach" {
				in = adminapi.UpdateUser{Detach: args[1:]}
			}
			return f.showUser(cmd, "PATCH", args[0], in)
		},
	}
}
