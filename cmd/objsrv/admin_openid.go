package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/objsrv/objsrv/iam/adminapi"
)

func newAdminOpenIDCommand(f *adminFlags) *cobra.Command {
	cmd := group("oidc", "Ask about OpenID Connect", newOpenIDTestCommand(f))
	cmd.Aliases = []string{"openid"}
	return cmd
}

func newOpenIDTestCommand(f *adminFlags) *cobra.Command {
	var in adminapi.TestOpenID
	var file, accessFile string
	cmd := &cobra.Command{
		Use:   "test --token-file FILE",
		Short: "Show what would become of a login with a token",
		Long: `Show what would become of a login with a token of an OpenID Connect provider: the claims that are
in it, each check, the rules by which it gives rights, and the policies that come of them, or why it
is refused. It is judged by the code of AssumeRoleWithWebIdentity; no session is issued, and the token
is not shown. Needs admin:Explain.`,
		Example: "  objsrv admin oidc test --token-file token.jwt\n  objsrv admin oidc test --token-file - --provider keycloak --json",
		Args:    argCount(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if file == "" {
				return usagef("give the token's file by --token-file; \"-\" is standard input")
			}
			r := &loginRun{cmd: cmd}
			if in.Token, err = (&loginSecret{what: "token", file: file}).read(r); err != nil {
				return err
			}
			if accessFile != "" {
				if in.AccessToken, err = (&loginSecret{what: "access token", file: accessFile}).read(r); err != nil {
					return err
				}
			}
			var out adminapi.OpenIDTest
			return f.show(cmd, "POST", "openid/test", in, &out, func(w io.Writer) { printOpenIDTest(w, &out) })
		},
	}
	p := cmd.Flags()
	p.StringVar(&file, "token-file", "", "`file` with the token; \"-\" is standard input")
	p.StringVar(&in.Provider, "provider", "", "`name` of the provider that is meant; without it the token decides")
	p.StringVar(&in.RoleARN, "role-arn", "", "`RoleArn` of the login")
	p.StringVar(&accessFile, "access-token-file", "", "`file` with the access token, where claims come from the userinfo endpoint")
	return cmd
}

func printOpenIDTest(w io.Writer, t *adminapi.OpenIDTest) {
	if len(t.Claims) > 0 {
		fmt.Fprintln(w, "CLAIM\t\tVALUE")
		for _, name := range slices.Sorted(maps.Keys(t.Claims)) {
			value, err := json.Marshal(t.Claims[name])
			if err != nil {
				value = []byte(err.Error())
			}
			fmt.Fprintf(w, "%s\t\t%s\n", printable(name), printable(string(value)))
		}
		fmt.Fprintln(w)
	}
	printSteps(w, t.Steps)
	if len(t.Rules) > 0 {
		fmt.Fprintln(w, "\nRULE\tCLAIM\tVALUES\tUSED\tUNKNOWN HERE\tRESULT")
		for _, r := range t.Rules {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", printable(r.Rule), orNone(r.Claim), names(r.Values), names(r.Used), names(r.Unknown), printable(r.Result))
		}
	}
	fmt.Fprintln(w)
	if t.Error != nil {
		fmt.Fprintf(w, "Refused:\t%s: %s\n", printable(t.Error.Code), printable(t.Error.Message))
		if t.Error.Reason != "" {
			fmt.Fprintf(w, "Because:\t%s\n", printable(t.Error.Reason))
		}
		return
	}
	fmt.Fprintf(w, "User:\t%s\nPolicies:\t%s\nGroups:\t%s\nUntil:\t%s\n", printable(t.User), names(t.Policies), names(t.Groups), end(t.Expires))
}

// printSteps prints the steps of a login that was tried.
func printSteps(w io.Writer, steps []adminapi.TestStep) {
	fmt.Fprintln(w, "STEP\t\tRESULT")
	for _, s := range steps {
		mark := "ok"
		if s.Failed {
			mark = "FAILED"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", printable(s.Step), mark, printable(s.Result))
	}
}
