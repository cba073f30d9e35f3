// Package lifecycle decides what the lifecycle rules of a bucket ask for, and does it. Decisions are pure functions of
// the rules and of what is known about a version (rules.go, decide.go); the runner, its preview and the header
// x-amz-expiration share them.
//
// It imports package storage and nothing else of ours. The rules are those of the S3 user guide, "Managing the
// lifecycle of objects" and "Lifecycle configuration elements"; ExpiredObjectAllVersions, DelMarkerExpiration and
// AllVersionsExpiration are MinIO's.
//
// # Days
//
// Days are numbered from 1970-01-01T00:00:00Z (storage.DayOf). What a rule wants done N days after something happened is
// due at the first midnight that is at least N days later, or a day after that when it happened at midnight: on day
// d+N+1 for something of day d.
//
// # Nothing is scanned
//
// A store that is a storage.Calendar notes on which days something was made under a key. All that a rule does to a key is
// due some days after one of those: so on day t the runner looks at the keys noted on day t-N-1, for each N among the
// rules, and at those for which other changes, such as of tags, were noted the day before. The bucket is walked through
// once after its rules have changed, and on the day of a Date.
//
// # What is never deleted
//
// A deletion names the version that was judged; the store asks again, with the key locked, whether it is still as it
// was, still what the rule is about, and not under retention or legal hold. Rules go by a clock that does not believe
// jumps (clock.go).
package lifecycle
