// Package fs is the embedded store: a storage.Backend over one directory of one
// machine. It may import storage and the index library (Pebble) and nothing else of
// ours. Its rules come from the contract in package storage and from section 5 of
// the design: acknowledged means durable, every byte on disk has a checksum and an
// identity, unreadable is not absent, and nothing is scanned before serving.
//
// # Directory
//
//	format.json          format number and deployment id; a newer format is refused
//	lock                 held while a process uses the directory
//	ballast              space given back to the index when the disk is full
//	index/               the ordered index (Pebble)
//	blobs/SEGMENT/ID     content above the inline limit, one immutable file per object,
//	                     part or manifest; SEGMENT is ID>>12, both in hexadecimal
//
// # Index
//
// The first byte of a key names its range (keys.go); every value starts with a
// version byte and ends with a CRC32C that also covers what the record belongs to.
//
//	b  buckets                      o  current live versions: what a listing reads
//	c  counters of buckets          v  noncurrent versions and delete markers
//	d  content of small objects     n  where a null version lies in v
//	f  reference counts of blobs    u  open uploads
//	p  manifests                    t  their parts
//	x  blobs to reclaim             m  high and low water marks of ids
//	l  days on which keys changed, of buckets with lifecycle rules
//
// The newest version of a key is in o when it is live; when it is a delete marker it
// is the first of its key in v and o has nothing. Buckets that never had versioning
// touch only o. Versions sort by a sequence number, never by the clock.
//
// # Order of durability
//
// A blob file is written and synced, then its directory is synced, then the index
// commit is synced, then the call returns. Concurrent calls share directory and log
// syncs. Pebble makes a commit visible before it is durable; readers of a key wait for
// the key's lock and listings for the commits that they could have seen, so that
// nothing is ever shown that a power cut could take back. A failed sync is never
// retried: a blob is dropped, and after a failed log write every later file
// operation of the index is refused, as if the machine had stopped there (gate.go).
//
// # Damage of the index
//
// A damaged block of a table is an error of each read of it, and one of a file of values
// is found before Pebble sees it (indexfiles.go). Damage in the manifest or a log, which
// Pebble would take for the torn end of a write, keeps the store from opening; only a
// flipped bit in the last write of a log can't be told from that. Check reads all files.
//
// # Locks
//
// In this order: lock of the upload, locks of the keys (sorted stripes), the bucket's
// lock (shared by publications, exclusive for changes of the bucket). Bodies are read
// and blobs written before any lock is taken.
//
// # Reclaiming
//
// Dropping content lowers a reference count and queues the blob in x within the same
// commit; a worker unlinks it afterwards. A content that spans blobs pins its manifest
// while it is open. Files that a crash left behind without a commit lie between the low
// and the high water mark of blob ids, so only those are looked at when the store opens.
package fs
