// Package bench holds tests of what objsrv uses of the machine. They start the real program,
// built from this module, and read /proc. The figures themselves come from cmd/objsrv-bench.
package bench
