package main

import (
	"fmt"
	"io"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/objsrv/objsrv/iam/adminapi"
)

func newAdminSessionCommand(f *adminFlags) *cobra.Command {
	cmd := group("session", "List and revoke temporary credentials",
		newSessionLsCommand(f), newSessionRevokeCommand(f))
	cmd.Long = `List and revoke the temporary credentials that the Security Token Service has issued. Everybody
manages their own; those of others need admin:ListTemporaryAccounts and
admin:RemoveServiceAccount.`
	return cmd
}

func newSessionLsCommand(f *adminFlags) *cobra.Command {
	var whose whoseFlags
	var provider string
	cmd := &cobra.Command{
		Use:     "ls",
		Aliases: []string{"list"},
		Short:   "List live sessions",
		Example: "  objsrv admin session ls --all\n  objsrv admin session ls --provider keycloak",
		Args:    argCount(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			query, err := whose.query()
			if err != nil {
				return err
			}
			if provider != "" {
				if query != "" {
					return usagef("--provider stands without --user and --all")
				}
				query = "?" + url.Values{"provider": {provider}}.Encode()
			}
			var list adminapi.SessionList
			return f.show(cmd, "GET", "sessions"+query, nil, &list, func(w io.Writer) {
				fmt.Fprintln(w, "ACCESS KEY\tUSER\tPROVIDER\tEXPIRES\tRESTRICTED\tFROM\tNAME")
				for i := range list.Sessions {
					s := &list.Sessions[i]
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", printable(s.AccessKey), printable(s.Parent), orDash(s.Provider), moment(s.Expires), yes(s.Restricted), printable(s.Remote), printable(s.Name))
				}
			})
		},
	}
	whose.add(cmd)
	cmd.Flags().StringVar(&provider, "provider", "", "those of people of this `provider`: ldap, tls, custom, openid for all of OpenID Connect, or the name of one")
	return cmd
}

func newSessionRevokeCommand(f *adminFlags) *cobra.Command {
	var in adminapi.RevokeSessions
	var mine bool
	cmd := &cobra.Command{
		Use:     "revoke [ACCESS-KEY]",
		Short:   "End one session, or all of a user or of a provider, at once",
		Example: "  objsrv admin session revoke STSKEY\n  objsrv admin session revoke --user alice\n  objsrv admin session revoke --mine",
		Args:    argCount(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			chosen := len(args)
			for _, set := range []bool{in.User != "", in.Provider != "", mine} {
				if set {
					chosen++
				}
			}
			if chosen != 1 || (len(args) == 1 || in.Provider != "") && in.Type != "" {
				return usagef("give an access key, or --user NAME, or --mine, or --provider NAME; --type goes with --user and --mine")
			}
			if len(args) == 1 {
				return f.show(cmd, "DELETE", "sessions/"+url.PathEscape(args[0]), nil, nil, func(w io.Writer) {
					fmt.Fprintf(w, "Session %s has ended.\n", printable(args[0]))
				})
			}
			var out adminapi.RevokedSessions
			return f.show(cmd, "POST", "sessions/revoke", in, &out, func(w io.Writer) {
				fmt.Fprintf(w, "%d sessions have ended.\n", out.Revoked)
			})
		},
	}
	cmd.Flags().StringVar(&in.User, "user", "", "all of this `user`")
	cmd.Flags().StringVar(&in.Provider, "provider", "", "all of the people of this `provider`: ldap, tls, custom, openid for all of OpenID Connect, or the name of one")
	cmd.Flags().BoolVar(&mine, "mine", false, "all of your own")
	cmd.Flags().StringVar(&in.Type, "type", "", "only those that were issued with this TokenRevoke`Type`")
	return cmd
}
