package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/objsrv/objsrv/iam"
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
		Short: "Manage the users and policies of a running server",
		Long: `Manage the users and policies of a running server.

The endpoint is --endpoint, OBJSRV_ENDPOINT, OBJSRV_URL or AWS_ENDPOINT_URL. The
credentials are --access-key with --secret-key, or the first complete pair of
OBJSRV_ACCESS_KEY and OBJSRV_SECRET_KEY, OBJSRV_ROOT_USER and OBJSRV_ROOT_PASSWORD,
MINIO_ROOT_USER and MINIO_ROOT_PASSWORD, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.`,
		Args: noCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	p := cmd.PersistentFlags()
	p.StringVar(&f.endpoint, "endpoint", "", "URL of the server (default "+defaultEndpoint+")")
	p.StringVar(&f.accessKey, "access-key", "", "access key to sign with")
	p.StringVar(&f.secretKey, "secret-key", "", `its secret; "-" reads it from standard input`)
	p.StringVar(&f.caFile, "ca-file", "", "PEM file of certificates to trust, beside the system's [OBJSRV_CA_FILE]")
	p.BoolVar(&f.json, "json", false, "print the server's JSON")
	cmd.AddCommand(newAdminUserCommand(f), newAdminPolicyCommand(f), newAdminWhoamiCommand(f))
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
		Use:   "whoami",
		Short: "Show the identity behind the credentials",
		Args:  argCount(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var me adminapi.WhoAmI
			return f.show(cmd, "GET", "whoami", nil, &me, func(w io.Writer) {
				fmt.Fprintf(w, "Name:\t%s\nARN:\t%s\nID:\t%s\nAccount:\t%s\nAccess key:\t%s\nPolicies:\t%s\n",
					printable(me.Name), me.ARN, me.ID, me.Account, me.AccessKey, rights(me.Root, me.Policies))
			})
		},
	}
}

func rights(root bool, policies []string) string {
	if root {
		return "everything (root)"
	}
	if len(policies) == 0 {
		return "none"
	}
	return strings.Join(policies, ", ")
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
			"Without --secret-stdin the server makes a secret, which is shown once and can't be asked for again.",
		Example: "  objsrv admin user add backup --policy readwrite\n  pass show s3/backup | objsrv admin user add backup --secret-stdin",
		Args:    argCount(1, 1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if in.Secret, err = secret.read(cmd); err != nil {
				return err
			}
			var u adminapi.CreatedUser
			return f.show(cmd, "PUT", userPath(args[0]), in, &u, func(w io.Writer) {
				fmt.Fprintf(w, "Access key:\t%s\n", u.AccessKey)
				if in.Secret == "" {
					fmt.Fprintf(w, "Secret key:\t%s\n", u.Secret)
				}
				fmt.Fprintf(w, "Policies:\t%s\n", rights(false, u.Policies))
			})
		},
	}
	secret.add(cmd)
	cmd.Flags().StringSliceVar(&in.Policies, "policy", nil, "policy to attach; may be repeated")
	cmd.Flags().StringVar(&in.Account, "account", "", "`account` that the user belongs to, 12 digits (default the deployment's)")
	cmd.Flags().BoolVar(&in.Disabled, "disabled", false, "create the user disabled")
	return cmd
}

func newUserSecretCommand(f *adminFlags) *cobra.Command {
	var secret secretFlags
	cmd := &cobra.Command{
		Use:   "secret NAME",
		Short: "Give a user another secret; the old one is refused at once",
		Args:  argCount(1, 1),
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
		Use:   "rm NAME",
		Short: "Delete a user and its keys for ever",
		Args:  argCount(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.show(cmd, "DELETE", userPath(args[0]), nil, nil, func(w io.Writer) {
				fmt.Fprintf(w, "User %s is deleted.\n", printable(args[0]))
			})
		},
	}
}

func newUserLsCommand(f *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "ls",
		Short: "List the users",
		Args:  argCount(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var list adminapi.UserList
			return f.show(cmd, "GET", "users", nil, &list, func(w io.Writer) {
				fmt.Fprintln(w, "NAME\tSTATUS\tPOLICIES\tCREATED")
				for i := range list.Users {
					u := &list.Users[i]
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", printable(u.Name), status(u), rights(false, u.Policies), u.Created.Format("2006-01-02"))
				}
			})
		},
	}
}

func status(u *iam.User) string {
	switch {
	case u.Damaged != "":
		return "damaged"
	case u.Enabled:
		return "enabled"
	}
	return "disabled"
}

func newUserInfoCommand(f *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "info NAME",
		Short: "Show a user",
		Args:  argCount(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.showUser(cmd, "GET", args[0], nil)
		},
	}
}

func (f *adminFlags) showUser(cmd *cobra.Command, method, name string, in any) error {
	var u iam.User
	return f.show(cmd, method, userPath(name), in, &u, func(w io.Writer) {
		fmt.Fprintf(w, "Name:\t%s\nAccount:\t%s\nARN:\t%s\nID:\t%s\nStatus:\t%s\nPolicies:\t%s\nAccess keys:\t%s\nCreated:\t%s\nUpdated:\t%s\n",
			printable(u.Name), u.Account, u.ARN, u.ID, status(&u), rights(false, u.Policies), strings.Join(u.AccessKeys, ", "),
			u.Created.Format("2006-01-02 15:04:05 MST"), u.Updated.Format("2006-01-02 15:04:05 MST"))
	})
}

func newUserStatusCommand(f *adminFlags, use, short string, enabled bool) *cobra.Command {
	return &cobra.Command{
		Use:   use + " NAME",
		Short: short,
		Args:  argCount(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.showUser(cmd, "PATCH", args[0], adminapi.UpdateUser{Enabled: &enabled})
		},
	}
}

func newUserPoliciesCommand(f *adminFlags, use, short string) *cobra.Command {
	return &cobra.Command{
		Use:   use + " NAME POLICY...",
		Short: short,
		Args:  argCount(2, iam.MaxPolicies+1),
		RunE: func(cmd *cobra.Command, args []string) error {
			in := adminapi.UpdateUser{Attach: args[1:]}
			if use == "detach" {
				in = adminapi.UpdateUser{Detach: args[1:]}
			}
			return f.showUser(cmd, "PATCH", args[0], in)
		},
	}
}

func newAdminPolicyCommand(f *adminFlags) *cobra.Command {
	return group("policy", "Show and manage policies",
		newPolicyLsCommand(f), newPolicyInfoCommand(f), newPolicySetCommand(f), newPolicyRmCommand(f))
}

func newPolicyLsCommand(f *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "ls",
		Short: "List the policies",
		Args:  argCount(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var list adminapi.PolicyList
			return f.show(cmd, "GET", "policies", nil, &list, func(w io.Writer) {
				fmt.Fprintln(w, "NAME\tKIND")
				for _, p := range list.Policies {
					kind := "custom"
					switch {
					case p.Damaged != "":
						kind = "damaged"
					case p.Canned:
						kind = "canned"
					}
					fmt.Fprintf(w, "%s\t%s\n", printable(p.Name), kind)
				}
			})
		},
	}
}

func newPolicyInfoCommand(f *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "info NAME",
		Short: "Print a policy's document",
		Args:  argCount(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var p iam.Policy
			return f.show(cmd, "GET", policyPath(args[0]), nil, &p, func(w io.Writer) {
				var v any
				if json.Unmarshal(p.Document, &v) != nil {
					fmt.Fprintf(w, "%s\n", printable(p.Damaged))
					return
				}
				enc := json.NewEncoder(w)
				enc.SetEscapeHTML(false)
				enc.SetIndent("", "  ")
				_ = enc.Encode(json.RawMessage(p.Document)) // w is a buffer
			})
		},
	}
}

func newPolicySetCommand(f *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "set NAME FILE",
		Short: `Create or replace a policy; FILE "-" is standard input`,
		Args:  argCount(2, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			document, err := readDocument(cmd, args[1])
			if err != nil {
				return err
			}
			return f.show(cmd, "PUT", policyPath(args[0]), rawBody(document), nil, func(w io.Writer) {
				fmt.Fprintf(w, "Policy %s is set.\n", printable(args[0]))
			})
		},
	}
}

func readDocument(cmd *cobra.Command, name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(io.LimitReader(cmd.InOrStdin(), 1<<20))
	}
	return os.ReadFile(name)
}

func newPolicyRmCommand(f *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "rm NAME",
		Short: "Delete a policy that no user has",
		Args:  argCount(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.show(cmd, "DELETE", policyPath(args[0]), nil, nil, func(w io.Writer) {
				fmt.Fprintf(w, "Policy %s is deleted.\n", printable(args[0]))
			})
		},
	}
}
