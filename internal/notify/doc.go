// Package notify keeps events for the targets that buckets name, and sends them until each target has them: a queue
// on the disk for each target (queue.go), who fills and empties it (hub.go, sender.go), and the addresses that may be called
// (guard.go). It imports internal/events. A package below it for each kind of target knows how to talk to one; which
// kinds there are is said in cmd/objsrv. Names of settings and forms of messages are MinIO's.
//
// An event is sent at least once, and those of one queue in their order. What is about to be done is noted and synced
// before (Expect); that it has happened is written before the request is answered. So a crash between the two leaves
// a note, and the next start looks into the store for what has become of it (Recover).
package notify
