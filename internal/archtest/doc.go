// Package archtest holds the rules of the project's architecture and style as tests:
// which package may import which, what a package may hold, how long files and
// functions may be, and what must not be among the dependencies. They are made from
// sections 2 and 9 of DESIGN.md and from CONTRIBUTING.md.
//
// It has tests only, reads the sources of the module with go/parser, and imports the
// standard library alone. Exceptions are rows of the tables in tables_test.go, each
// with its reason.
package archtest
