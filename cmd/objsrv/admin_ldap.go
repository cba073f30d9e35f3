package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/objsrv/objsrv/iam/adminapi"
)

func newAdminLDAPCommand(f *adminFlags) *cobra.Command {
	return group("ldap", "Ask the LDAP directory", newLDAPTestCommand(f))
}

func newLDAPTestCommand(f *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "test NAME",
		Short: "Show each step of a login, without the password",
		Long: `Show each step of a login with a name: the connection, the search for the person and for groups,
and the policies that come of them. No password is tried. Needs admin:Explain.`,
		Example: "  objsrv admin ldap test ann",
		Args:    argCount(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var out adminapi.LDAPTest
			return f.show(cmd, "POST", "ldap/test", adminapi.TestLDAP{Name: args[0]}, &out, func(w io.Writer) {
				printSteps(w, out.Steps)
			})
		},
	}
}
