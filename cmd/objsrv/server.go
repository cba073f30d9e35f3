package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/spf13/cobra"
)

func newServerCommand(env environ) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "server DIR",
		Short: "Serve a directory over S3",
		Long: `Serve a directory over S3 until SIGTERM or SIGINT. SIGHUP reloads certificates and
reopens the access log. Each flag can be given as the variable behind it; MinIO's
variables of the same meaning work too. The root user and password come from
OBJSRV_ROOT_USER and OBJSRV_ROOT_PASSWORD (or MINIO_*, or *_FILE for a file); without a
password the first start makes one and shows it.`,
		Example: "  objsrv server /mnt/data\n  objsrv server /mnt/data --address :443 --certs-dir /etc/objsrv/certs --domain s3.example.com",
		RunE: func(cmd *cobra.Command, args []string) error {
			if runtime.GOOS == "windows" {
				return errors.New("the server does not run on Windows, which can't sync a directory; the commands for clients do")
			}
			c, ignored, err := readConfig(cmd.Flags(), env, args)
			if err != nil {
				return err
			}
			return runProgram(cmd, env, c, ignored)
		},
	}
	addFlags(cmd.Flags())
	cmd.Flags().SortFlags = false
	return cmd
}

// runProgram serves until a signal ends it.
func runProgram(cmd *cobra.Command, env environ, c *Config, ignored []string) error {
	tuneMemory(env)
	// The first signal drains; when it has been received the second one kills.
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	context.AfterFunc(ctx, stop)
	reload := make(chan os.Signal, 1)
	signal.Notify(reload, syscall.SIGHUP)
	defer signal.Stop(reload)
	p := &Program{Config: c, Ignored: ignored, Stdout: cmd.OutOrStdout(), Stderr: cmd.ErrOrStderr()}
	return p.Run(ctx, reload)
}
