package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/objsrv/objsrv/iam/adminapi"
)

func newMigrateStatusCommand(f *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use:     "status",
		Short:   "Show how far a migration is",
		Long:    "Show how far the migration is that the server was started with (--migrate-from), what it could not copy and what it does not carry. Needs admin:ServerInfo.",
		Example: "  objsrv admin migrate status",
		Args:    argCount(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var st adminapi.MigrationStatus
			return f.show(cmd, "GET", "migration", nil, &st, func(w io.Writer) { printMigration(w, &st) })
		},
	}
}

// verifyPoll is how often a comparison is asked how far it is.
const verifyPoll = 500 * time.Millisecond

func newMigrateVerifyCommand(f *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "verify",
		Short: "Compare every version of the old server with what is here",
		Long: `Compare every version of the server that is moved from with what is here: id, order, ETag, size, time, metadata,
tags, lock and checksum. Contents were compared with their ETags when they were copied. The command ends with
the comparison, and fails when there are differences that no request here explains. Needs admin:ConfigUpdate and
admin:ServerInfo.`,
		Example: "  objsrv admin migrate verify",
		Args:    argCount(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			raw, err := f.call(cmd, "POST", "migration/verify", nil)
			for err == nil {
				var st adminapi.MigrationStatus
				if err := json.Unmarshal(raw, &st); err != nil {
					return fmt.Errorf("read answer: %w", err)
				}
				if v := st.Verify; v != nil && !v.Running {
					return f.verified(cmd, v)
				}
				select {
				case <-time.After(verifyPoll):
				case <-cmd.Context().Done():
					return cmd.Context().Err()
				}
				raw, err = f.call(cmd, "GET", "migration", nil)
			}
			return err
		},
	}
}

// verified prints what a comparison has found. Differences are an error.
func (f *adminFlags) verified(cmd *cobra.Command, v *adminapi.MigrationVerify) error {
	out := cmd.OutOrStdout()
	if f.json {
		if err := json.NewEncoder(out).Encode(v); err != nil {
			return err
		}
	} else {
		w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
		printVerify(w, v)
		if err := w.Flush(); err != nil {
			return err
		}
	}
	switch {
	case v.Incomplete != "":
		return errors.New("the comparison did not come to its end: " + printable(v.Incomplete))
	case v.Different > 0:
		return fmt.Errorf("%d versions differ or are missing", v.Different)
	}
	return nil
}

func printVerify(w io.Writer, v *adminapi.MigrationVerify) {
	fmt.Fprintf(w, "Compared:\t%d versions\nSame:\t%d\nChanged here since:\t%d\nNot copied:\t%d\nDifferent:\t%d\n", v.Compared, v.Same, v.Changed, v.NotYet, v.Different)
	for _, p := range v.Problems {
		fmt.Fprintf(w, "Problem:\t%s\n", printable(p))
	}
}

func printMigration(w io.Writer, st *adminapi.MigrationStatus) {
	fmt.Fprintf(w, "From:\t%s, begun %s\n", printable(st.Source), moment(st.Begun))
	switch st.State {
	case "complete":
		fmt.Fprintf(w, "State:\tcomplete since %s; start without --migrate-from to cut over\n", moment(*st.Complete))
	case "waiting":
		fmt.Fprintf(w, "State:\twaiting: %s\n", printable(st.Waiting))
	case "incomplete":
		fmt.Fprintf(w, "State:\tincomplete: %d keys could not be copied; they are tried again when the server starts\n", st.Failed)
	default:
		fmt.Fprintf(w, "State:\tcopying\n")
	}
	total := "being counted"
	if st.Counted {
		total = fmt.Sprintf("%d versions, %s", st.Total.Versions, size(st.Total.Bytes))
	}
	fmt.Fprintf(w, "Done:\t%d versions, %s, of %s\n", st.Done.Versions, size(st.Done.Bytes), total)
	if st.State == "copying" {
		left := ""
		if st.SecondsLeft > 0 {
			left = ", " + (time.Duration(st.SecondsLeft) * time.Second).String() + " left"
		}
		fmt.Fprintf(w, "Speed:\t%.0f versions/s, %s/s%s\n", st.VersionsPerSecond, size(int64(st.BytesPerSecond)), left)
	}
	fmt.Fprintln(w, "\nBUCKET\tSTATE\tDONE\tOF\tFAILED")
	for _, b := range st.Buckets {
		of := "-"
		if b.Counted {
			of = fmt.Sprint(b.Total.Versions)
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%d\n", printable(b.Name), b.State, b.Done.Versions, of, b.Failed)
	}
	for _, b := range st.Buckets {
		for _, note := range b.NotCarried {
			fmt.Fprintf(w, "%s: %s\n", printable(b.Name), printable(note))
		}
		if b.Unproven > 0 {
			fmt.Fprintf(w, "%s: %d contents could not be compared with their ETags, which are no MD5 of them\n", printable(b.Name), b.Unproven)
		}
		if b.InTheClear > 0 {
			fmt.Fprintf(w, "%s: not carried: the encryption of %d versions, which are stored here as the source gives them, in the clear\n", printable(b.Name), b.InTheClear)
		}
		if b.Whole > 0 {
			fmt.Fprintf(w, "%s: %d multipart objects are stored without their parts, which the source does not tell\n", printable(b.Name), b.Whole)
		}
	}
	for _, x := range st.Failures {
		fmt.Fprintf(w, "not copied: %s/%s: %s\n", printable(x.Bucket), printable(x.Key), printable(x.Reason))
	}
	if st.Verify != nil && !st.Verify.Running {
		fmt.Fprintf(w, "\nCompared at %s:\n", moment(st.Verify.Begun))
		printVerify(w, st.Verify)
	}
}
