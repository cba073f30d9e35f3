package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/objsrv/objsrv/iam/adminapi"
	"github.com/objsrv/objsrv/iam/iamzip"
)

// importTimeout is what a large archive may take.
const importTimeout = 30 * time.Minute

// progressEvery is how often an import that goes on says so.
const progressEvery = 5 * time.Second

// archiveBody is a zip that is sent as it is.
type archiveBody []byte

func newAdminImportCommand(f *adminFlags) *cobra.Command {
	var dry bool
	cmd := &cobra.Command{
		Use:   "import-minio-iam FILE",
		Short: "Bring in the identities of a MinIO server",
		Long: `Bring in the identities of a MinIO server: FILE is what "mc admin cluster iam export" has written. Users,
groups, policies, what is attached to whom, and access keys come with their secrets; they replace what is
here under the same names, and what is here only stays. Root is not touched. What can't be brought in is
named with the reason, and the exit code is 1. Needs admin:ImportIAM.`,
		Example: "  mc admin cluster iam export oldminio\n  objsrv admin import-minio-iam oldminio-iam-info.zip --dry-run",
		Args:    argCount(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			data, err := readArchive(args[0])
			if err != nil {
				return err
			}
			path := "import-minio-iam"
			if dry {
				path += "?dry-run=true"
			}
			stop := f.progress(cmd, fmt.Sprintf("%s: %d bytes", args[0], len(data)))
			raw, err := f.call(cmd, "POST", path, archiveBody(data))
			stop()
			if err != nil {
				return err
			}
			return f.showImport(cmd.OutOrStdout(), raw)
		},
	}
	cmd.Flags().BoolVar(&dry, "dry-run", false, "only say what would be done")
	return cmd
}

// readArchive reads a file that can be an archive.
func readArchive(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, iamzip.MaxSize+1))
	if err != nil {
		return nil, err
	}
	if len(data) > iamzip.MaxSize {
		return nil, usagef("%s is larger than %d bytes: no archive of identities is", name, iamzip.MaxSize)
	}
	return data, nil
}

// progress says on standard error that an import goes on, until the function that it returns
// is called; nothing with --json.
func (f *adminFlags) progress(cmd *cobra.Command, what string) (stop func()) {
	if f.json {
		return func() {}
	}
	w := cmd.ErrOrStderr()
	fmt.Fprintf(w, "%s are sent to the server.\n", what)
	start, done, ended := time.Now(), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(progressEvery)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				fmt.Fprintf(w, "The server has been at work for %d s.\n", int(time.Since(start).Seconds()))
			}
		}
	}()
	return func() {
		close(done)
		<-ended
	}
}

// showImport prints the report. Entries that failed make the command fail.
func (f *adminFlags) showImport(w io.Writer, raw []byte) error {
	var out adminapi.Import
	if err := json.Unmarshal(raw, &out); err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	if f.json {
		if _, err := w.Write(raw); err != nil {
			return err
		}
	} else if err := printImport(w, &out); err != nil {
		return err
	}
	if out.Report.Failed.Len() > 0 {
		return quietError{}
	}
	return nil
}

func printImport(w io.Writer, out *adminapi.Import) error {
	added := "brought in"
	if out.DryRun {
		added = "would come in"
	}
	r := &out.Report
	rows := slices.Concat(importRows(added, "", &r.Added), importRows("skipped", "it is here already, or has expired", &r.Skipped),
		importRows("left out", "it is empty", &r.Removed))
	for kind, list := range r.Failed.All() {
		for _, e := range list {
			rows = append(rows, importRow{"failed", kind, e.Name, strings.Join(append(slices.Clone(e.Policies), e.Reason), "; ")})
		}
	}
	slices.SortStableFunc(rows, func(a, b importRow) int {
		return strings.Compare(a.kind+"\x00"+a.name, b.kind+"\x00"+b.name)
	})
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(tw, "KIND\tNAME\tRESULT\tDETAIL")
	for _, row := range rows {
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\n", row.kind, printable(row.name), row.result, printable(row.detail))
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	for _, note := range r.Notes {
		fmt.Fprintf(w, "Note: %s.\n", printable(note))
	}
	if out.DryRun {
		fmt.Fprintln(w, "Nothing has been changed: this was a dry run.")
	}
	return nil
}

// importRow is one entry of a report.
type importRow struct{ result, kind, name, detail string }

func importRows(result, detail string, e *iamzip.Entities) (rows []importRow) {
	for _, list := range []struct {
		kind  string
		names []string
	}{{"policy", e.Policies}, {"user", e.Users}, {"group", e.Groups}, {"access key", e.ServiceAccounts}} {
		for _, name := range list.names {
			rows = append(rows, importRow{result, list.kind, name, detail})
		}
	}
	for _, list := range []struct {
		kind     string
		policies []map[string][]string
	}{{"policies of the user", e.UserPolicies}, {"policies of the group", e.GroupPolicies}, {"policies of the external user", e.STSPolicies}} {
		for _, m := range list.policies {
			for name, policies := range m {
				rows = append(rows, importRow{result, list.kind, name, strings.Join(policies, ", ")})
			}
		}
	}
	return rows
}
