// Package migrate is a storage.Backend that moves in: a local store in front of an old one, the source, which it empties
// while clients already use it. It imports package storage alone; the source is anything that reads like a Backend.
//
// # Who answers for a key
//
// A key is either settled, and the local store alone answers for it, or not, and then the source does. There is nothing
// in between: what a request wants to change is settled first, with all its versions, so that history keeps its order and a
// version keeps its id without two stores having to be merged below a key. That costs such a request the transfer of what the key
// holds; it is told ErrUnavailable when the source is down. One case needs no transfer and is the most common: where neither
// side has versions, a key has one content, so that a write replaces it, and a deletion leaves a mark (a tombstone) in its place.
//
// The source must not change otherwise while this goes on. It is only ever read.
//
// # What is remembered
//
// A bucket of the local store that no client can name (stateBucket) holds what is known: one record of the migration, one for
// each bucket with its cursor, a mark for each key that was settled before the cursor came there or touched by a request,
// and a record of each key that failed. Keys up to the cursor are settled unless they failed. Cursor and marks are durable before
// they count, and what is copied carries its version's id, so that a copy which is cut off anywhere goes on where it was:
// a version that is there is not copied again, and one that is not there can't be taken for deleted.
//
// # Where rules come from
//
// Listings follow package storage's contract over the union of both sides. What a source says of a version (ETag, times,
// metadata, tags, checksums, parts, lock) is kept as it says; content is compared with an ETag that is an MD5.
package migrate
