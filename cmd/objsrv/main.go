// Command objsrv is an S3-compatible object server. This package wires the others
// together: it is the only one that names implementations.
package main

import "os"

func main() {
	code := run(os.Args[1:], os.Environ(), os.Stdout, os.Stderr)
	if code == exitRestart {
		code = again(os.Args, os.Environ(), os.Stderr)
	}
	os.Exit(code)
}
