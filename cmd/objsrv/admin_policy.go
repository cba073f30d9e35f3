package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/iam/adminapi"
)

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
