// Package events has the record of what happened to an object, the names of such events, and which of
// them a listener wants. Names and the form of a record are those of the S3 user guide, "Event message
// structure" (version 2.1) and "Supported event types"; s3:ObjectAccessed and the names of locks are MinIO's.
// It imports nothing of ours.
package events
