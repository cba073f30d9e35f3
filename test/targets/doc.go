// Package targets tests what becomes of the events of real S3 requests while the server that they go to is stopped and
// killed, and objsrv is as well. The servers are started by run.sh, without which all tests are left out by name; the
// promises are those of docs/events.md. It imports clients of the servers, and nothing of ours but test/internal/harness.
package targets
