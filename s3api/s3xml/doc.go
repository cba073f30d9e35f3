// Package s3xml holds the XML bodies of S3: a writer for answers that appends to a
// buffer without reflection, a strict reader for requests, and the request documents.
// It imports the standard library only. Shapes come from the Amazon S3 API reference.
package s3xml
