// Package s3api speaks the Amazon S3 protocol over a storage.Backend. One request goes
// route -> verify -> authorize -> handle -> reply:
//
//   - route (route.go) finds the operation in the one table of ops.go, by method, path,
//     sub-resource and header. What is in no row is refused; nothing falls through.
//   - verify proves the signature (package sigv4). Nothing of the request but its
//     route is interpreted before.
//   - authorize asks package iam for the operation's action.
//   - handle runs the row's handler; a row without one answers 501 NotImplemented.
//   - reply: handlers return errors, one place (errors.go) turns them into S3 codes.
//
// It may import storage, iam, sigv4, internal/checksum, internal/events, internal/live, internal/reqlog and s3xml, no
// implementation of storage. The rules come from the Amazon S3 API reference.
package s3api
