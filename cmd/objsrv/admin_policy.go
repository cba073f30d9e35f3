package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/iam/adminapi"
)

func newAdminPolicyCommand(f *adminFlags) *cobra.Command {
	return group("policy", "Show and manage policies",
		newPolicyLsCommand(f), newPolicyInfoCommand(f), newPolicySetCommand(f), newPolicyRmCommand(f),
		newPolicyValidateCommand(f), newPolicyEntitiesCommand(f))
}

func newPolicyLsCommand(f *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "ls",
		Short:   "List the policies",
		Example: "  objsrv admin policy ls",
		Args:    argCount(0, 0),
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
		Use:     "info NAME",
		Short:   "Print a policy's document",
		Example: "  objsrv admin policy info readonly",
		Args:    argCount(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var p iam.Policy
			return f.show(cmd, "GET", policyPath(args[0]), nil, &p, func(w io.Writer) {
				if p.Damaged != "" {
					fmt.Fprintf(w, "%s\n", printable(p.Damaged))
					return
				}
				printDocument(w, p.Document)
			})
		},
	}
}

func newPolicySetCommand(f *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "set NAME FILE",
		Short:   `Create or replace a policy; FILE "-" is standard input`,
		Example: "  objsrv admin policy set uploads-only uploads-only.json",
		Args:    argCount(2, 2),
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
		Use:     "rm NAME",
		Short:   "Delete a policy that no user and no group has",
		Example: "  objsrv admin policy rm uploads-only",
		Args:    argCount(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.show(cmd, "DELETE", policyPath(args[0]), nil, nil, func(w io.Writer) {
				fmt.Fprintf(w, "Policy %s is deleted.\n", printable(args[0]))
			})
		},
	}
}

// printDocument prints a policy over several lines, in the order of its author.
func printDocument(w io.Writer, document json.RawMessage) {
	var b bytes.Buffer
	if json.Indent(&b, document, "", "  ") != nil {
		b.Reset()
		b.WriteString("it can't be shown: it is not JSON")
	}
	for line := range strings.Lines(b.String() + "\n") {
		fmt.Fprintln(w, printable(strings.TrimRight(line, "\n")))
	}
}

func newPolicyValidateCommand(f *adminFlags) *cobra.Command {
	var bucket bool
	cmd := &cobra.Command{
		Use:   "validate FILE",
		Short: `Check a policy without storing it; FILE "-" is standard input`,
		Long: "Check a policy without storing it. What is wrong is told with its place in the document, and the exit\n" +
			"code is 1.",
		Example: "  objsrv admin policy validate uploads-only.json\n  objsrv admin policy validate --bucket public.json",
		Args:    argCount(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			document, err := readDocument(cmd, args[0])
			if err != nil {
				return err
			}
			path := "policies/validate?kind=user"
			if bucket {
				path = "policies/validate?kind=bucket"
			}
			raw, err := f.call(cmd, "POST", path, rawBody(document))
			if err != nil {
				return err
			}
			var out adminapi.Validation
			if err := json.Unmarshal(raw, &out); err != nil {
				return fmt.Errorf("read answer: %w", err)
			}
			switch w := cmd.OutOrStdout(); {
			case f.json:
				w.Write(raw)
			case out.Valid:
				fmt.Fprintf(w, "%s is a valid policy (statements: %d).\n", args[0], out.Statements)
			}
			if out.Valid {
				return nil
			}
			if f.json || out.Error == nil {
				return quietError{}
			}
			return fmt.Errorf("%s:%d:%d: %s: %s", args[0], out.Error.Line, out.Error.Column, orDocument(out.Error.Path), printable(out.Error.Reason))
		},
	}
	cmd.Flags().BoolVar(&bucket, "bucket", false, "it is a bucket's policy")
	return cmd
}

func orDocument(path string) string {
	if path == "" {
		return "document"
	}
	return printable(path)
}

func newPolicyEntitiesCommand(f *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "entities NAME",
		Short:   "List the users and groups that have a policy",
		Example: "  objsrv admin policy entities readwrite",
		Args:    argCount(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var out adminapi.PolicyEntities
			return f.show(cmd, "GET", policyPath(args[0])+"/entities", nil, &out, func(w io.Writer) {
				fmt.Fprintf(w, "Users:\t%s\nGroups:\t%s\n", names(out.Users), names(out.Groups))
			})
		},
	}
}
