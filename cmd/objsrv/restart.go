package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// errRestart ends a program that is to be started anew.
var errRestart = errors.New("the server was asked to start anew")

// again replaces the process by the program as it is on the disk now, with the same arguments,
// environment and process id: it needs no supervisor, and one that there is notices nothing. It
// returns only when that fails. Files and sockets of ours are closed on the way, as Go opens them.
func again(args, env []string, stderr io.Writer) int {
	path, err := os.Executable()
	if err == nil {
		err = syscall.Exec(path, args, env)
	}
	fmt.Fprintln(stderr, "objsrv: the server has stopped and can't be started again:", fmt.Errorf("run %s: %w", path, err))
	return exitFailure
}
