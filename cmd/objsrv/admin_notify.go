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
	return group("notify", "Look at the targets of events", newNotifyTargetsCommand(f), newNotifyTestCommand(f), newNotifyRefusedCommand(f),
		newNotifyMoveCommand(f, "retry", "Send the events again that a target has refused",
			"Put the events that a target has refused behind those that wait for it, as far as there is room.", "POST", "refused/retry", "wait for the target again"),
		newNotifyMoveCommand(f, "discard", "Forget the events that a target has refused", "Forget the events that a target has refused. Nobody gets them.", "DELETE", "refused", "are forgotten"))
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
				fmt.Fprintln(w, "TARGET\tARN\tSTATE\tWAITING\tSENT\tFAILURES\tDROPPED\tREFUSED\tLAST ERROR")
				for _, t := range out.Targets {
					fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%s\n", printable(t.Name), printable(t.ARN), t.State, t.Waiting, t.Sent, t.Failures, t.Dropped, t.Refused, orDash(printable(t.LastError)))
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
			raw, err := f.call(cmd, "POST", notificationPath(args[0])+"/test", nil)
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

func newNotifyRefusedCommand(f *adminFlags) *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use:   "refused TARGET",
		Short: "List the events that a target has refused for good",
		Long: `List the events that a target has refused for good, the oldest first, with what it said. They stay until ` + "`retry` or `discard`" + `.
Needs admin:ConfigUpdate.`,
		Example: "  objsrv admin notify refused webhook:PRIMARY",
		Args:    argCount(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var out adminapi.RefusedNotifications
			return f.show(cmd, "GET", fmt.Sprintf("%s/refused?limit=%d", notificationPath(args[0]), limit), nil, &out, func(w io.Writer) {
				fmt.Fprintln(w, "REFUSED\tEVENT\tOBJECT\tVERSION\tERROR")
				for _, e := range out.Events {
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", moment(e.Refused), printable(e.Event), printable(e.Bucket+"/"+e.Key), orDash(printable(e.Version)), printable(e.Error))
				}
				if more := out.Count - len(out.Events); more > 0 {
					fmt.Fprintf(w, "and %d more\n", more)
				}
			})
		},
	}
	cmd.Flags().IntVar(&limit, "limit", 100, "list at most so `many`, up to 1000")
	return cmd
}

// newNotifyMoveCommand makes a command that does something to all events that a target has refused; done says what.
func newNotifyMoveCommand(f *adminFlags, name, short, long, method, path, done string) *cobra.Command {
	return &cobra.Command{
		Use:     name + " TARGET",
		Short:   short,
		Long:    long + " Needs admin:ConfigUpdate.",
		Example: "  objsrv admin notify " + name + " webhook:PRIMARY",
		Args:    argCount(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var out adminapi.MovedNotifications
			return f.show(cmd, method, notificationPath(args[0])+"/"+path, nil, &out, func(w io.Writer) {
				fmt.Fprintf(w, "%d events %s.\n", out.Count, done)
			})
		},
	}
}

func notificationPath(target string) string { return "notifications/" + url.PathEscape(target) }
