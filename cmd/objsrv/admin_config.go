package main

import (
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/objsrv/objsrv/iam/adminapi"
)

func configPath(name string) string { return "config/" + url.PathEscape(name) }

func newConfigLsCommand(f *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "ls",
		Short:   "List the settings that can be stored",
		Long:    "List the settings that can be stored, with what is stored and what overrides it. Needs admin:ConfigUpdate.",
		Example: "  objsrv admin config ls",
		Args:    argCount(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var list adminapi.SettingsList
			return f.show(cmd, "GET", "config", nil, &list, func(w io.Writer) {
				for i := range list.Subsystems {
					printSubsystem(w, &list.Subsystems[i])
				}
			})
		},
	}
}

func newConfigGetCommand(f *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "get NAME",
		Short:   "Show the settings of one sub-system",
		Example: "  objsrv admin config get api",
		Args:    argCount(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var s adminapi.Subsystem
			return f.show(cmd, "GET", configPath(args[0]), nil, &s, func(w io.Writer) { printSubsystem(w, &s) })
		},
	}
}

func printSubsystem(w io.Writer, s *adminapi.Subsystem) {
	fmt.Fprintf(w, "%s\t%s\t\t\n", printable(s.Name), printable(s.Description))
	for _, k := range s.Keys {
		over := ""
		if k.Override != nil {
			over = "overridden by " + k.Override.From + ": " + k.Override.Value
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", printable(k.Key), orDash(k.Value), printable(over), printable(k.Description))
	}
}

func newConfigSetCommand(f *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "set NAME KEY=VALUE...",
		Short:   "Store settings, for the next start",
		Long:    "Store settings of one sub-system; they are in force when the server starts the next time. KEY= unsets one. Needs admin:ConfigUpdate.",
		Example: "  objsrv admin config set site region=eu-central-1 name=archive",
		Args:    argCount(2, 100),
		RunE: func(cmd *cobra.Command, args []string) error {
			in := adminapi.SetConfig{Values: map[string]string{}}
			for _, arg := range args[1:] {
				key, value, ok := strings.Cut(arg, "=")
				if _, twice := in.Values[key]; !ok || key == "" || twice {
					return usagef("%q is not KEY=VALUE, or its key is given twice", arg)
				}
				in.Values[key] = value
			}
			return f.changeConfig(cmd, "PUT", configPath(args[0]), in)
		},
	}
}

func newConfigResetCommand(f *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "reset NAME [KEY]",
		Short:   "Unset a stored setting, or all of a sub-system",
		Example: "  objsrv admin config reset api cors_allow_origin",
		Args:    argCount(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			path := configPath(args[0])
			if len(args) == 2 {
				path += "?" + url.Values{"key": {args[1]}}.Encode()
			}
			return f.changeConfig(cmd, "DELETE", path, nil)
		},
	}
}

func (f *adminFlags) changeConfig(cmd *cobra.Command, method, path string, in any) error {
	var out adminapi.ChangedConfig
	return f.show(cmd, method, path, in, &out, func(w io.Writer) {
		printSubsystem(w, &out.Subsystem)
		if out.Restart {
			fmt.Fprintln(w, "In force at the next start: objsrv admin server restart")
		}
	})
}

func newProviderLsCommand(f *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "ls",
		Short:   "List identity providers and how they do",
		Long:    "List identity providers and how they do. Needs admin:ConfigUpdate.",
		Example: "  objsrv admin provider ls",
		Args:    argCount(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var list adminapi.ProviderList
			return f.show(cmd, "GET", "providers", nil, &list, func(w io.Writer) {
				fmt.Fprintln(w, "ID\tSTATE\tSESSIONS\tPOLICIES FROM\tERROR")
				for i := range list.Providers {
					p := &list.Providers[i]
					fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\n", printable(p.ID), printable(p.State), p.Sessions, printable(p.PolicySource), orDash(p.Error))
				}
			})
		},
	}
}

func newProviderInfoCommand(f *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "info ID",
		Short:   "Show an identity provider and its settings",
		Example: "  objsrv admin provider info openid:keycloak",
		Args:    argCount(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var p adminapi.Provider
			return f.show(cmd, "GET", "providers/"+url.PathEscape(args[0]), nil, &p, func(w io.Writer) { printProvider(w, &p) })
		},
	}
}

func newProviderCheckCommand(f *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "check ID",
		Short:   "Ask an identity provider whether it is there",
		Long:    "Ask an identity provider whether it is there and answers as it should: an OpenID Connect provider for its keys, the directory for a connection.",
		Example: "  objsrv admin provider check ldap",
		Args:    argCount(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var p adminapi.Provider
			return f.show(cmd, "POST", "providers/"+url.PathEscape(args[0])+"/check", struct{}{}, &p, func(w io.Writer) { printProvider(w, &p) })
		},
	}
}

func printProvider(w io.Writer, p *adminapi.Provider) {
	fmt.Fprintf(w, "ID:\t%s\nTitle:\t%s\nRole:\t%s\nPolicies from:\t%s\nState:\t%s\nError:\t%s\nSessions:\t%d\n", printable(p.ID), printable(p.Title), orNone(p.RoleARN),
		printable(p.PolicySource), printable(p.State), orNone(p.Error), p.Sessions)
	if p.Checked != nil {
		fmt.Fprintf(w, "Answered:\t%s\n", moment(*p.Checked))
	}
	for _, s := range p.Settings {
		fmt.Fprintf(w, "%s:\t%s\n", printable(s.Key), printable(s.Value))
	}
}

func quotaPath(bucket string) string { return "buckets/" + url.PathEscape(bucket) + "/quota" }

// showQuota sends a request about a quota.
func (f *adminFlags) showQuota(cmd *cobra.Command, method, bucket string, in any) error {
	var q adminapi.Quota
	return f.show(cmd, method, quotaPath(bucket), in, &q, func(w io.Writer) {
		bound := "none"
		if q.Quota > 0 {
			bound = size(q.Quota)
		}
		objects := "none"
		if q.Objects > 0 {
			objects = strconv.FormatInt(q.Objects, 10)
		}
		fmt.Fprintf(w, "Bucket:\t%s\nQuota:\t%s\nUsed:\t%s\nObjects:\t%s\nUsed objects:\t%d\n", printable(q.Bucket), bound, size(q.Used), objects, q.UsedObjects)
	})
}

func newQuotaGetCommand(f *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use: "get BUCKET", Short: "Show the quota of a bucket", Example: "  objsrv admin quota get photos", Args: argCount(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.showQuota(cmd, "GET", args[0], nil) },
	}
}

func newQuotaSetCommand(f *adminFlags) *cobra.Command {
	var objects int64
	cmd := &cobra.Command{
		Use: "set BUCKET [SIZE]", Short: "Bound the bytes of a bucket, or its objects",
		Long:    "Bound the content bytes of a bucket, or the number of its objects, or both. All versions are counted. Needs admin:SetBucketQuota.",
		Example: "  objsrv admin quota set photos 100GiB\n  objsrv admin quota set photos --objects 1000000", Args: argCount(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			var q adminapi.SetQuota
			if len(args) > 1 {
				n, err := parseSize(args[1])
				if err != nil {
					return err
				}
				q.Quota = &n
			}
			if cmd.Flags().Changed("objects") {
				q.Objects = &objects
			}
			if q.Quota == nil && q.Objects == nil {
				return usagef("name a size, or --objects, or both")
			}
			return f.showQuota(cmd, "PUT", args[0], q)
		},
	}
	cmd.Flags().Int64Var(&objects, "objects", 0, "`number` of objects, all versions counted")
	return cmd
}

func newQuotaRmCommand(f *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use: "rm BUCKET", Short: "Take the quota of a bucket away", Example: "  objsrv admin quota rm photos", Args: argCount(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.showQuota(cmd, "DELETE", args[0], nil) },
	}
}

// parseSize reads a number of bytes with a unit: KB and its kind are thousands, KiB and its kind 1024s.
func parseSize(s string) (int64, error) {
	digits := strings.TrimRight(s, "BKMGTPEbkmgtpei")
	n, err := strconv.ParseFloat(digits, 64)
	factor, ok := map[string]float64{"": 1, "b": 1, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12, "pb": 1e15,
		"kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40, "pib": 1 << 50}[strings.ToLower(s[len(digits):])]
	if err != nil || !ok || !(n*factor >= 1 && n*factor < 1<<62) {
		return 0, usagef("a size is a number of bytes, or one with a unit such as 500MB or 1.5TiB, not %q", s)
	}
	return int64(n * factor), nil
}
