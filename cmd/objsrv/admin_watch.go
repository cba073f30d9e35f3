package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/objsrv/objsrv/iam/adminapi"
)

// maxLine bounds one line of a stream.
const maxLine = 1 << 20

// watch reads an answer of lines and prints each: as it is with --json, else by text, which writes nothing for what is
// none.
func (f *adminFlags) watch(cmd *cobra.Command, path string, text func(w io.Writer, line []byte) error) error {
	resp, err := f.open(cmd, "GET", path, nil, true)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		line := lines.Bytes()
		if len(line) == 0 {
			continue // keeps the connection
		}
		if f.json {
			if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s\n", line); err != nil {
				return err
			}
			continue
		}
		var lost adminapi.Dropped
		if err := json.Unmarshal(line, &lost); err == nil && lost.Dropped > 0 {
			fmt.Fprintf(cmd.ErrOrStderr(), "objsrv: %d entries were lost: they came faster than they were read\n", lost.Dropped)
			continue
		}
		if err := text(cmd.OutOrStdout(), line); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("read answer: %w", err)
	}
	return nil
}

func newAdminTraceCommand(f *adminFlags) *cobra.Command {
	var op, status, bucket, user string
	var failed, internal bool
	var slow float64
	cmd := &cobra.Command{
		Use:   "trace",
		Short: "Watch requests as they end",
		Long: `Watch requests as they end, until the command is interrupted. Secrets are masked. With --json each line has all that
is known of a request. Needs admin:ServerTrace.`,
		Example: "  objsrv admin trace --status 4xx\n  objsrv admin trace --op 'Put*' --bucket photos --slow 100",
		Args:    argCount(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			q := url.Values{}
			for name, v := range map[string]string{"op": op, "status": status, "bucket": bucket, "user": user} {
				if v != "" {
					q.Set(name, v)
				}
			}
			for name, on := range map[string]bool{"errors": failed, "internal": internal, "headers": f.json} {
				if on {
					q.Set(name, "true")
				}
			}
			if slow > 0 {
				q.Set("slow", strconv.FormatFloat(slow, 'f', -1, 64))
			}
			path := "trace"
			if len(q) > 0 {
				path += "?" + q.Encode()
			}
			return f.watch(cmd, path, printRequest)
		},
	}
	p := cmd.Flags()
	p.StringVar(&op, "op", "", "only this `operation`, such as GetObject, or several with a * at the end")
	p.StringVar(&status, "status", "", "only this `status`, such as 404 or 4xx")
	p.StringVar(&bucket, "bucket", "", "only this `bucket`")
	p.StringVar(&user, "user", "", "only who has this `text` in access key or ARN")
	p.BoolVar(&failed, "errors", false, "only requests that failed")
	p.Float64Var(&slow, "slow", 0, "only those that took this many `milliseconds` or more")
	p.BoolVar(&internal, "internal", false, "requests of administration, console and probes as well")
	return cmd
}

func printRequest(w io.Writer, line []byte) error {
	var e adminapi.TraceEntry
	if err := json.Unmarshal(line, &e); err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	if e.ID == "" && e.Op == "" {
		return nil // the first line
	}
	code := ""
	if e.Code != "" {
		code = " " + e.Code
	}
	_, err := fmt.Fprintf(w, "%s %3d%s %s %s %.1f ms in %s out %s %s %s %s\n", e.Time.Format("15:04:05.000"), e.Status, printable(code), orDash(e.Op), printable(e.Method+" "+e.URI),
		e.Milliseconds, size(e.BytesIn), size(e.BytesOut), printable(e.Remote), orDash(e.AccessKey), printable(e.ID))
	return err
}

func newAdminLogCommand(f *adminFlags) *cobra.Command {
	last, level, follow := 100, "info", false
	cmd := &cobra.Command{
		Use:     "log",
		Short:   "Show the last lines of the server's log",
		Long:    "Show the last lines of the server's log, of which 1000 are kept in memory. Needs admin:ConsoleLog.",
		Example: "  objsrv admin log --level warn --follow",
		Args:    argCount(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			q := url.Values{"last": {strconv.Itoa(last)}, "level": {level}}
			if follow {
				q.Set("follow", "true")
			}
			return f.watch(cmd, "log?"+q.Encode(), printLogLine)
		},
	}
	p := cmd.Flags()
	p.IntVar(&last, "last", last, "`number` of lines")
	p.StringVar(&level, "level", level, "from this `level` on: info, warn or error")
	p.BoolVarP(&follow, "follow", "f", false, "and those that follow, until the command is interrupted")
	return cmd
}

func printLogLine(w io.Writer, line []byte) error {
	var l adminapi.LogLine
	if err := json.Unmarshal(line, &l); err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(l.Attrs)) {
		fmt.Fprintf(&b, " %s=%s", name, strconv.Quote(l.Attrs[name]))
	}
	_, err := fmt.Fprintf(w, "%s %-5s %s%s\n", l.Time.Format("2006-01-02 15:04:05"), printable(l.Level), printable(l.Message), printable(b.String()))
	return err
}
