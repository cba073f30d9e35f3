package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/iam/adminapi"
)

func newAdminExplainCommand(f *adminFlags) *cobra.Command {
	var last int
	cmd := &cobra.Command{
		Use:   "explain [REQUEST-ID]",
		Short: "Say why a request was refused",
		Long: `Say why a request was refused. A refused client gets AccessDenied and a request id (x-amz-request-id);
under it the server keeps who asked for what, and which statement decided. The last 10 000 refusals are
kept, in memory. Needs admin:Explain.`,
		Example: "  objsrv admin explain 18C0FFEE3B2A1D00\n  objsrv admin explain --last 10",
		Args:    argCount(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			given := cmd.Flags().Changed("last")
			if given == (len(args) == 1) {
				if !given {
					return cmd.Help()
				}
				return usagef("give a request id or --last N, not both")
			}
			var out adminapi.Refusals
			if given {
				return f.show(cmd, "GET", "explain?last="+strconv.Itoa(last), nil, &out, func(w io.Writer) { printRefusalTable(w, out.Refusals) })
			}
			return f.show(cmd, "GET", "explain/"+url.PathEscape(args[0]), nil, &out, func(w io.Writer) { printRefusals(w, out.Refusals) })
		},
	}
	cmd.Flags().IntVar(&last, "last", 0, "list the last `N` refusals, the newest first")
	return cmd
}

func printRefusals(w io.Writer, list []iam.Refusal) {
	for i := range list {
		r := &list[i]
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "Time:\t%s\nPrincipal:\t%s\nAccess key:\t%s\nFrom:\t%s\nAction:\t%s\nResource:\t%s\nDecided by:\t%s\n",
			moment(r.Time), printable(r.Principal), orNone(r.AccessKey), orNone(r.Remote), orNone(r.Action), resource(r), reason(r.Statement, r.Explicit))
	}
}

func printRefusalTable(w io.Writer, list []iam.Refusal) {
	fmt.Fprintln(w, "TIME\tREQUEST ID\tPRINCIPAL\tACTION\tRESOURCE\tDECIDED BY")
	for i := range list {
		r := &list[i]
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", moment(r.Time), printable(r.RequestID), printable(r.Principal), orNone(r.Action), resource(r), reason(r.Statement, r.Explicit))
	}
}

func resource(r *iam.Refusal) string {
	switch {
	case r.Bucket == "":
		return "none"
	case r.Key == "":
		return printable(r.Bucket)
	}
	return printable(r.Bucket + "/" + r.Key)
}

// reason says what decided.
func reason(statement string, explicit bool) string {
	switch {
	case statement == "":
		return "no statement matched"
	case explicit:
		return printable(statement) + " (it denies)"
	}
	return printable(statement)
}

func newAdminSimulateCommand(f *adminFlags) *cobra.Command {
	var in adminapi.Simulate
	var context []string
	var policyFile string
	var noPolicy bool
	cmd := &cobra.Command{
		Use:   "simulate PRINCIPAL ACTION [RESOURCE]",
		Short: "Say whether a request would be allowed, without making it",
		Long: `Say whether a request would be allowed, without making it. PRINCIPAL is a user, an access key, or "*" for
somebody who does not sign; RESOURCE is bucket, bucket/key, or either as an ARN. Policies are decided
with, access control lists and the public access block are not. Needs admin:Explain.`,
		Example: "  objsrv admin simulate alice s3:GetObject photos/2026/a.jpg --trace\n" +
			"  objsrv admin simulate alice s3:ListBucket photos --context s3:prefix=2026/ --context aws:SourceIp=10.0.0.7\n" +
			"  objsrv admin simulate '*' s3:GetObject photos/a.jpg --bucket-policy draft.json",
		Args: simulateArgs,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if len(args) == 0 {
				return cmd.Help()
			}
			in.Principal, in.Action = args[0], args[1]
			if in.Principal == "*" {
				in.Principal = ""
			}
			if len(args) == 3 {
				in.Resource = args[2]
			}
			if in.Context, err = contextKeys(context); err != nil {
				return err
			}
			if in.BucketPolicy, err = simulatedPolicy(cmd, policyFile, noPolicy); err != nil {
				return err
			}
			var out adminapi.Simulation
			return f.show(cmd, "POST", "simulate", in, &out, func(w io.Writer) {
				answer := "denied"
				if out.Allowed {
					answer = "allowed"
				}
				fmt.Fprintf(w, "Answer:\t%s\nDecided by:\t%s\nBucket policy:\t%s\n", answer, reason(out.Statement, out.Explicit), printable(out.BucketPolicy))
				if in.Trace {
					printTrace(w, out.Trace)
				}
			})
		},
	}
	cmd.Flags().BoolVar(&in.Trace, "trace", false, "tell of every statement whether it matches, and why not")
	cmd.Flags().StringArrayVar(&context, "context", nil, "condition `key=value` of the request; may be repeated")
	cmd.Flags().StringVar(&policyFile, "bucket-policy", "", "decide with the bucket policy in this `file` instead of the stored one; \"-\" is standard input")
	cmd.Flags().BoolVar(&noPolicy, "no-bucket-policy", false, "decide as if the bucket had no policy")
	return cmd
}

// printTrace prints one line for each statement. The empty line before it ends the columns above.
func printTrace(w io.Writer, trace []adminapi.TraceStep) {
	fmt.Fprintln(w, "\nPOLICY OF\tSTATEMENT\tEFFECT\tMATCHES")
	for i := range trace {
		st := &trace[i]
		why := "yes"
		if !st.Matched {
			why = "no: " + st.Failed
		}
		if st.Key != "" {
			why += " " + st.Operator + " " + st.Key
		}
		if st.Absent {
			why += " (the request has none)"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", printable(st.Of), printable(st.Statement), printable(st.Effect), printable(why))
	}
}

// simulateArgs takes no arguments, which asks for help, or two or three.
func simulateArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return argCount(2, 3)(cmd, args)
}

func simulatedPolicy(cmd *cobra.Command, file string, none bool) (json.RawMessage, error) {
	switch {
	case none && file != "":
		return nil, usagef("--bucket-policy and --no-bucket-policy exclude each other")
	case none:
		return json.RawMessage("null"), nil
	case file == "":
		return nil, nil
	}
	data, err := readDocument(cmd, file)
	if err != nil {
		return nil, err
	}
	if !json.Valid(data) {
		return nil, usagef("%s is not JSON; `objsrv admin policy validate --bucket %s` says where", file, file)
	}
	return data, nil
}

// contextKeys reads --context; a key that is repeated has several values.
func contextKeys(list []string) (map[string][]string, error) {
	if len(list) == 0 {
		return nil, nil
	}
	out := map[string][]string{}
	for _, kv := range list {
		key, value, ok := strings.Cut(kv, "=")
		if !ok || key == "" {
			return nil, usagef("--context: %q is not key=value", kv)
		}
		out[key] = append(out[key], value)
	}
	return out, nil
}
