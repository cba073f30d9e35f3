package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// Exit codes of the program.
const (
	exitOK      = 0
	exitFailure = 1 // it was tried and did not work
	exitUsage   = 2 // the command line or the environment is wrong; nothing was tried
	exitRestart = 3 // main starts the program anew; no one sees it
)

// usageError is a mistake in the command line or the environment.
type usageError struct{ msg string }

// Error implements error.
func (e *usageError) Error() string { return e.msg }

func usagef(format string, args ...any) error {
	return &usageError{fmt.Sprintf(format, args...)}
}

// quietError ends the program with a failure that has been told already.
type quietError struct{}

// Error implements error.
func (quietError) Error() string { return "failed" }

// run executes one command line and returns the exit code.
func run(args, env []string, stdout, stderr io.Writer) int {
	root := newRoot(environment(env))
	root.SetArgs(longFlags(root, args))
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.Execute()
	var usage *usageError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errRestart):
		return exitRestart
	case errors.As(err, new(quietError)):
		return exitFailure
	case errors.As(err, &usage):
		fmt.Fprintln(stderr, "objsrv:", err)
		return exitUsage
	}
	fmt.Fprintln(stderr, "objsrv:", err)
	return exitFailure
}

// newRoot returns the command tree over an environment.
func newRoot(env environ) *cobra.Command {
	root := &cobra.Command{
		Use:           "objsrv",
		Short:         "An S3-compatible object server",
		Long:          "objsrv serves a directory over the S3 protocol. Every write that it acknowledges is on stable storage.",
		Example:       "  objsrv server /mnt/data",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("unknown command %q; `objsrv help` lists the commands", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%v; `%s --help` lists the flags", err, cmd.CommandPath())
	})
	root.AddCommand(newServerCommand(env), newGatewayCommand(env), newVersionCommand(), newHealthcheckCommand(env),
		newFsckCommand(env), newAdminCommand(), newCredentialProcessCommand())
	root.AddCommand(newLoginCommands()...)
	return root
}

// argCount returns a check for the number of positional arguments.
func argCount(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < least || len(args) > most {
			return usagef("%d arguments given; usage: %s", len(args), cmd.UseLine())
		}
		return nil
	}
}
