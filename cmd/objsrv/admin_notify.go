package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/objsrv/objsrv/iam/adminapi"
)

func newAdminNotifyCommand(f *adminFlags) *cobra.Command {
	return group("notify", "Look at the targets of events", newNotifyTargetsCommand(f), newNotifyTestCommand(f))
}

func newNotifyTargetsCommand(f *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "targets",
		Short:   "List the targets, and what waits for them",
		Long:    "List the targets of events, how they are, and what waits for them. Needs admin:ServerInfo.",
		Example: "  objsrv admin notify targets",
		Args:    argCount(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var out adminapi.NotificationList
			return f.show(cmd, "GET", "notifications", nil, &out, func(w io.Writer) {
				fmt.Fprintln(w, "TARGET\tARN\tSTATE\tWAITING\tSENT\tFAILURES\tDROPPED\tLAST ERROR")
				for _, t := range out.Targets {
					fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%d\t%d\t%s\n", printable(t.Name), printable(t.ARN), t.State, t.Waiting, t.Sent, t.Failures, t.Dropped, orDash(printable(t.LastError)))
				}
			})
		},
	}
}

func newNotifyTestCommand(f *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "test TARGET",
		Short: "Ask a target whether it would take events",
		Long: `Connect to a target of events, named as ` + "`targets`" + ` has it, and log in; a database makes its table, and a webhook gets a
message without records. Needs admin:ConfigUpdate.`,
		Example: "  objsrv admin notify test webhook:PRIMARY",
		Args:    argCount(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			raw, err := f.call(cmd, "POST", "notifications/"+url.PathEscape(args[0])+"/test", nil)
			if err != nil {
				return err
			}
			var out adminapi.NotificationCheck
			if err := json.Unmarshal(raw, &out); err != nil {
				return fmt.Errorf("read the answer: %w", err)
			}
			if f.json {
				fmt.Fprintf(cmd.OutOrStdout(), "%s\n", raw)
			}
			if !out.OK {
				return errors.New(args[0] + ": " + printable(out.Error))
			}
			if !f.json {
				fmt.Fprintf(cmd.OutOrStdout(), "%s takes events.\n", printable(args[0]))
			}
			return nil
		},
	}
}
