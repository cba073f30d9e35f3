package events

import (
	"slices"
	"strings"
)

// Name is the name of an event, with "s3:" before it.
type Name string

// The events that are sent.
const (
	CreatedPut          Name = "s3:ObjectCreated:Put"
	CreatedPost         Name = "s3:ObjectCreated:Post"
	CreatedCopy         Name = "s3:ObjectCreated:Copy"
	CreatedComplete     Name = "s3:ObjectCreated:CompleteMultipartUpload"
	RemovedDelete       Name = "s3:ObjectRemoved:Delete"
	RemovedDeleteMarker Name = "s3:ObjectRemoved:DeleteMarkerCreated"
	AccessedGet         Name = "s3:ObjectAccessed:Get"
	AccessedHead        Name = "s3:ObjectAccessed:Head"
	TaggingPut          Name = "s3:ObjectTagging:Put"
	TaggingDelete       Name = "s3:ObjectTagging:Delete"
	ACLPut              Name = "s3:ObjectAcl:Put"
	CreatedRetention    Name = "s3:ObjectCreated:PutRetention"
	CreatedLegalHold    Name = "s3:ObjectCreated:PutLegalHold"
	AccessedRetention   Name = "s3:ObjectAccessed:GetRetention"
	AccessedLegalHold   Name = "s3:ObjectAccessed:GetLegalHold"
	// What lifecycle rules do: a version is gone, or a delete marker hides it.
	ExpiredDelete       Name = "s3:LifecycleExpiration:Delete"
	ExpiredDeleteMarker Name = "s3:LifecycleExpiration:DeleteMarkerCreated"
)

// known are the names that a listener may ask for and that are sent.
var known = []Name{CreatedPut, CreatedPost, CreatedCopy, CreatedComplete, RemovedDelete, RemovedDeleteMarker, AccessedGet, AccessedHead,
	TaggingPut, TaggingDelete, ACLPut, CreatedRetention, CreatedLegalHold, AccessedRetention, AccessedLegalHold, ExpiredDelete, ExpiredDeleteMarker}

// Reads tells whether the event is of a request that has changed nothing.
func (n Name) Reads() bool { return strings.HasPrefix(string(n), "s3:ObjectAccessed:") }

// Removes tells whether the object, or its current version, is gone with the event.
func (n Name) Removes() bool {
	switch n {
	case RemovedDelete, RemovedDeleteMarker, ExpiredDelete, ExpiredDeleteMarker:
		return true
	}
	return false
}

// minioNames are names that MinIO has for events of AWS. Who asks for one gets it.
var minioNames = map[Pattern]Name{
	"s3:ObjectCreated:PutTagging":    TaggingPut,
	"s3:ObjectCreated:DeleteTagging": TaggingDelete,
}

// Pattern is a Name, or the names of one kind: "s3:ObjectCreated:*".
type Pattern string

// ParsePattern returns the pattern that s is; ok is false when no event that is sent has such a name.
func ParsePattern(s string) (p Pattern, ok bool) {
	p = Pattern(s)
	return p, slices.ContainsFunc(known, p.Match)
}

// Match tells whether p stands for n.
func (p Pattern) Match(n Name) bool {
	if kind, all := strings.CutSuffix(string(p), ":*"); all {
		return strings.Count(kind, ":") == 1 && strings.HasPrefix(string(n), kind+":")
	}
	return string(p) == string(n) || minioNames[p] == n && n != ""
}

// Filter tells which events are wanted. The zero Filter wants none.
type Filter struct {
	Bucket         string // "" means every bucket
	Prefix, Suffix string // of the key
	Names          []Pattern
}

// Match tells whether e is wanted.
func (f *Filter) Match(e *Event) bool {
	_, ok := f.match(e)
	return ok
}

// match is Match, and returns the name by which e is wanted.
func (f *Filter) match(e *Event) (Name, bool) {
	if f.Bucket != "" && f.Bucket != e.Bucket || !strings.HasPrefix(e.Key, f.Prefix) || !strings.HasSuffix(e.Key, f.Suffix) {
		return "", false
	}
	i := slices.IndexFunc(f.Names, func(p Pattern) bool { return p.Match(e.Name) })
	if i < 0 {
		return "", false
	}
	if minioNames[f.Names[i]] != "" {
		return Name(f.Names[i]), true
	}
	return e.Name, true
}
