package main

import (
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/objsrv/objsrv/iam/adminapi"
)

// newAdminHostCommands returns the commands about the server itself.
func newAdminHostCommands(f *adminFlags) []*cobra.Command {
	return []*cobra.Command{
		group("server", "Look at a running server", newServerInfoCommand(f), newServerHistoryCommand(f), newServerRestartCommand(f)),
		newAdminUsageCommand(f), newAdminTraceCommand(f), newAdminLogCommand(f),
		group("config", "Look at and change settings that are stored", newConfigLsCommand(f), newConfigGetCommand(f), newConfigSetCommand(f), newConfigResetCommand(f)),
		group("provider", "Look at identity providers", newProviderLsCommand(f), newProviderInfoCommand(f), newProviderCheckCommand(f)),
		newAdminLifecycleCommand(f),
		group("migrate", "Look at a migration", newMigrateStatusCommand(f), newMigrateVerifyCommand(f)),
		group("quota", "Bound buckets", newQuotaGetCommand(f), newQuotaSetCommand(f), newQuotaRmCommand(f)),
	}
}

func newServerInfoCommand(f *adminFlags) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:     "info",
		Short:   "Show version, disk, usage and settings",
		Long:    "Show version, disk, usage and settings of the server. Needs admin:ServerInfo.",
		Example: "  objsrv admin server info --settings",
		Args:    argCount(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var s adminapi.Server
			return f.show(cmd, "GET", "server", nil, &s, func(w io.Writer) {
				printServer(w, &s)
				if all {
					printSettings(w, s.Settings)
				}
			})
		},
	}
	cmd.Flags().BoolVar(&all, "settings", false, "and all settings, with where they come from")
	return cmd
}

func printServer(w io.Writer, s *adminapi.Server) {
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "%s:\t%s\n", name, printable(fmt.Sprintf(format, args...)))
	}
	line("Version", "%s %s (%s, %s/%s)", s.Version, s.Commit, s.GoVersion, s.OS, s.Arch)
	line("Node", "%s, region %s, deployment %s", s.Node, s.Region, s.Deployment)
	line("Started", "%s, %s ago", moment(s.Started), (time.Duration(s.UptimeSeconds) * time.Second).String())
	state := "writable"
	if !s.Store.Writable {
		state = "NOT WRITABLE"
	}
	if s.Store.Upstream {
		if state = "reached"; !s.Store.Writable {
			state = "NOT REACHED"
		}
		line("Upstream", "%s, %s", s.Store.Path, state)
	} else {
		line("Data", "%s, %s", s.Store.Path, state)
	}
	if s.Store.TotalBytes > 0 {
		line("Disk", "%s free of %s", size(int64(s.Store.FreeBytes)), size(int64(s.Store.TotalBytes)))
	}
	if s.Store.DamagedReads > 0 {
		line("Damage", "%d reads found stored data damaged; `objsrv fsck` names it", s.Store.DamagedReads)
	}
	if s.Usage == nil {
		line("Holds", "not known in a gateway")
	} else {
		line("Holds", "%d buckets, %d objects, %d versions, %s", s.Usage.Buckets, s.Usage.Objects, s.Usage.Versions, size(s.Usage.Bytes))
	}
	line("Identities", "%d users, %d groups, %d policies, %d access keys, %d sessions", s.Identities.Users, s.Identities.Groups, s.Identities.Policies, s.Identities.Keys, s.Identities.Sessions)
	line("Process", "%s of memory, %d goroutines, %d connections, %d requests now", size(s.Process.MemoryBytes), s.Process.Goroutines, s.Process.Connections, s.Process.RequestsInFlight)
	for _, text := range s.Warnings {
		line("Warning", "%s", text)
	}
}

func printSettings(w io.Writer, list []adminapi.Setting) {
	fmt.Fprintln(w, "\nSETTING\tVALUE\tFROM")
	for _, s := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\n", printable(s.Variable), orDash(s.Value), printable(s.From))
	}
}

// size writes a number of bytes for people.
func size(n int64) string {
	if n < 1024 {
		return strconv.FormatInt(n, 10) + " B"
	}
	v, unit := float64(n)/1024, 0
	for v >= 1024 && unit < 5 {
		v, unit = v/1024, unit+1
	}
	return strconv.FormatFloat(v, 'f', 1, 64) + " " + "KMGTPE"[unit:unit+1] + "iB"
}

func newServerHistoryCommand(f *adminFlags) *cobra.Command {
	minutes := 60
	cmd := &cobra.Command{
		Use:     "history",
		Short:   "Show requests, errors and latencies by the minute",
		Long:    "Show the figures of the last minutes that had requests; a day of them is kept in memory. Needs admin:Prometheus.",
		Example: "  objsrv admin server history --minutes 15",
		Args:    argCount(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var h adminapi.History
			return f.show(cmd, "GET", "metrics/history?minutes="+strconv.Itoa(minutes), nil, &h, func(w io.Writer) {
				fmt.Fprintln(w, "MINUTE\tREQUESTS\t4XX\t5XX\tP50\tP99\tIN\tOUT\tMEMORY\tDISK FREE")
				for _, s := range h.Samples {
					fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%.1f ms\t%.1f ms\t%s\t%s\t%s\t%s\n", s.At.Format("01-02 15:04"), s.Requests, s.Errors4xx, s.Errors5xx, s.P50ms, s.P99ms,
						size(s.BytesIn), size(s.BytesOut), size(s.MemoryBytes), size(s.DiskFree))
				}
			})
		},
	}
	cmd.Flags().IntVar(&minutes, "minutes", minutes, "`number` of minutes, at most 1440")
	return cmd
}

func newServerRestartCommand(f *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "restart",
		Short:   "Start the server anew; running requests finish",
		Long:    "Start the server anew, with the settings that are stored. Running requests finish. Needs admin:ServiceRestart.",
		Example: "  objsrv admin server restart",
		Args:    argCount(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.show(cmd, "POST", "restart", struct{}{}, nil, func(w io.Writer) { fmt.Fprintln(w, "The server starts anew.") })
		},
	}
}

func newAdminUsageCommand(f *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "usage [BUCKET[/PREFIX]]",
		Short: "Show what buckets hold, or one bucket by prefix",
		Long: `Show what buckets hold, or what is in one bucket below each child of a prefix. Of prefixes the current
versions are counted, up to 200000 keys or 5 seconds. Needs admin:DataUsageInfo.`,
		Example: "  objsrv admin usage\n  objsrv admin usage photos/2026/",
		Args:    argCount(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				bucket, prefix, _ := strings.Cut(args[0], "/")
				var u adminapi.PrefixUsage
				return f.show(cmd, "GET", "usage?"+url.Values{"bucket": {bucket}, "prefix": {prefix}}.Encode(), nil, &u, func(w io.Writer) { printPrefixUsage(w, &u) })
			}
			var u adminapi.Usage
			return f.show(cmd, "GET", "usage", nil, &u, func(w io.Writer) {
				fmt.Fprintln(w, "BUCKET\tOBJECTS\tVERSIONS\tDELETE MARKERS\tSIZE\tQUOTA")
				for _, b := range u.Buckets {
					quota := "-"
					if b.Quota > 0 {
						quota = size(b.Quota)
					}
					fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%s\t%s\n", printable(b.Name), b.Objects, b.Versions, b.DeleteMarkers, size(b.Bytes), quota)
				}
				fmt.Fprintf(w, "(all)\t%d\t%d\t%d\t%s\t\n", u.Objects, u.Versions, u.DeleteMarkers, size(u.Bytes))
			})
		},
	}
}

func printPrefixUsage(w io.Writer, u *adminapi.PrefixUsage) {
	fmt.Fprintln(w, "PREFIX\tOBJECTS\tSIZE")
	for _, c := range u.Children {
		more := ""
		if c.Partly {
			more = " or more"
		}
		fmt.Fprintf(w, "%s\t%d%s\t%s%s\n", printable(c.Prefix), c.Objects, more, size(c.Bytes), more)
	}
	fmt.Fprintf(w, "(here)\t%d\t%s\n(all)\t%d\t%s\n", u.Here.Objects, size(u.Here.Bytes), u.Objects, size(u.Bytes))
	if u.Cut {
		fmt.Fprintf(w, "\nCounting ended at %s: there is more.\n", printable(u.Last))
	}
}
