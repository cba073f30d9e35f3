// Package httpd is the outermost layer of the server: listeners, TLS, limits and
// deadlines of connections, the request event, the choice of a face, drain. It knows
// HTTP and nothing of S3, identities or storage; it imports reqlog only. What it
// serves is handed to it as http.Handlers.
//
// HTTP/1.1 and HTTP/1.0 are served, HTTP/2 is not: S3 clients speak HTTP/1.1, and one
// connection per request in flight keeps a slow reader from holding up others.
//
// # Connections
//
// Accepted connections are wrapped (conn.go) for two reasons. Deadlines: a request
// header has an absolute deadline, a body and an answer have one that moves with
// progress, and setting them must cost nothing while data flows. Coalescing: net/http
// writes an answer through a buffer of 4 KiB and thus needs two system calls for an
// object of 4 KiB; the wrapper collects what belongs to one answer and writes it at
// once when the answer ends.
package httpd
