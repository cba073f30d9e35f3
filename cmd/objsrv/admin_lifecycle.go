package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/objsrv/objsrv/iam/adminapi"
)

func newAdminLifecycleCommand(f *adminFlags) *cobra.Command {
	return group("lifecycle", "Watch what lifecycle rules delete", newLifecycleStatusCommand(f), newLifecycleDryRunCommand(f), newLifecycleRunCommand(f))
}

func lifecyclePath(bucket string) string { return "lifecycle/" + url.PathEscape(bucket) }

// showLifecycle sends a request that is answered with the status of a bucket.
func (f *adminFlags) showLifecycle(cmd *cobra.Command, method, bucket string) error {
	var s adminapi.LifecycleStatus
	return f.show(cmd, method, lifecyclePath(bucket), nil, &s, func(w io.Writer) { printLifecycle(w, &s) })
}

func printLifecycle(w io.Writer, s *adminapi.LifecycleStatus) {
	fmt.Fprintf(w, "Bucket:\t%s\n", printable(s.Bucket))
	switch {
	case s.Walking && s.At != "":
		fmt.Fprintf(w, "Looking at everything:\tup to %s\n", printable(s.At))
	case s.Walking:
		fmt.Fprintln(w, "Looking at everything:\tbegins")
	case s.Next != nil:
		fmt.Fprintf(w, "Next:\t%s\n", moment(*s.Next))
	default:
		fmt.Fprintln(w, "Next:\tnothing is going to be due")
	}
	if s.Last != nil {
		fmt.Fprintf(w, "Last:\t%s\n", moment(*s.Last))
	}
	if s.Day != "" {
		fmt.Fprintf(w, "Length of a day:\t%s\n", printable(s.Day))
	}
	if s.Held {
		fmt.Fprintln(w, "Clock:\thas jumped ahead; nothing goes by it for a while (`objsrv admin lifecycle run` believes it)")
	}
	if s.Error != "" {
		fmt.Fprintf(w, "Last error:\t%s\n", printable(s.Error))
	}
	fmt.Fprintln(w, "\nRULE\tENABLED\tEXPIRED\tALL VERSIONS\tNONCURRENT\tMARKERS\tUPLOADS\tBYTES\tLOCKED\tCHANGED\tFAILED")
	for _, r := range s.Rules {
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%s\t%d\t%d\t%d\n", printable(r.ID), yes(r.Enabled), r.Expired, r.ExpiredAll, r.Noncurrent, r.Markers,
			r.Uploads, size(r.Bytes), r.Locked, r.Changed, r.Failed)
	}
}

func newLifecycleStatusCommand(f *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "status BUCKET",
		Short:   "Show what the rules of a bucket have deleted, and when they act next",
		Long:    "Show what the rules of a bucket have deleted since they were changed last, and when something may be due. Needs admin:DataUsageInfo.",
		Example: "  objsrv admin lifecycle status logs",
		Args:    argCount(1, 1),
		RunE:    func(cmd *cobra.Command, args []string) error { return f.showLifecycle(cmd, "GET", args[0]) },
	}
}

func newLifecycleRunCommand(f *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "run BUCKET",
		Short: "Have everything in a bucket looked at now",
		Long: `Have everything in a bucket looked at now, in the background, and what is due deleted. Nothing goes sooner by that: rules act
by themselves on the day on which something is due. It helps when the clock was wrong. Needs admin:LifecycleRun.`,
		Example: "  objsrv admin lifecycle run logs",
		Args:    argCount(1, 1),
		RunE:    func(cmd *cobra.Command, args []string) error { return f.showLifecycle(cmd, "POST", args[0]) },
	}
}

func newLifecycleDryRunCommand(f *adminFlags) *cobra.Command {
	var days int
	cmd := &cobra.Command{
		Use:   "dry-run BUCKET",
		Short: "Show what the rules of a bucket are going to delete, and when",
		Long: `Show what the rules of a bucket are going to delete when nothing changes any more, in the order of keys, and when. Nothing is
deleted. With --json one entry in a line. Needs admin:DataUsageInfo.`,
		Example: "  objsrv admin lifecycle dry-run logs --days 7",
		Args:    argCount(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			q := url.Values{}
			if days > 0 {
				q.Set("until", time.Now().AddDate(0, 0, days).UTC().Format(time.RFC3339))
			}
			return f.printPlans(cmd, args[0], q)
		},
	}
	cmd.Flags().IntVar(&days, "days", 0, "leave out what is due later than in so many `days`")
	return cmd
}

// printPlans prints a preview as its pages come.
func (f *adminFlags) printPlans(cmd *cobra.Command, bucket string, q url.Values) error {
	out := cmd.OutOrStdout()
	lines := json.NewEncoder(out)
	for first := true; ; first = false {
		raw, err := f.call(cmd, "GET", lifecyclePath(bucket)+"/dry-run?"+q.Encode(), nil)
		if err != nil {
			return err
		}
		var page adminapi.LifecyclePreview
		if err := json.Unmarshal(raw, &page); err != nil {
			return fmt.Errorf("read the answer: %w", err)
		}
		if first && !f.json {
			fmt.Fprintf(out, "%-20s  %-17s  %-20s  %10s  %s\n", "DUE", "ACTION", "RULE", "SIZE", "KEY")
		}
		for i := range page.Planned {
			p := &page.Planned[i]
			if f.json {
				err = lines.Encode(p)
			} else {
				_, err = fmt.Fprintln(out, planLine(p))
			}
			if err != nil {
				return err
			}
		}
		if page.Next == "" {
			return nil
		}
		q.Set("cursor", page.Next)
	}
}

// planLine is one line of a preview.
func planLine(p *adminapi.LifecyclePlan) string {
	line := fmt.Sprintf("%-20s  %-17s  %-20s  %10s  %s", p.Due.UTC().Format(time.RFC3339), p.Action, printable(p.Rule), size(p.Size), printable(p.Key))
	switch {
	case p.UploadID != "":
		line += " upload " + printable(p.UploadID)
	case p.VersionID != "" && p.VersionID != "null":
		line += " version " + printable(p.VersionID)
	}
	if p.Locked {
		line += " (locked now)"
	}
	return line
}
