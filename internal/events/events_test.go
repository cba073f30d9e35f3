package events

import "testing"

func TestPatterns(t *testing.T) {
	for _, row := range []struct {
		pattern string
		ok      bool
		name    Name
		match   bool
	}{
		{"s3:ObjectCreated:*", true, CreatedPut, true},
		{"s3:ObjectCreated:*", true, RemovedDelete, false},
		{"s3:ObjectCreated:Put", true, CreatedPut, true},
		{"s3:ObjectCreated:Put", true, CreatedPost, false},
		{"s3:ObjectRemoved:*", true, RemovedDeleteMarker, true},
		{"s3:ObjectAccessed:*", true, AccessedHead, true},
		{"s3:ObjectTagging:*", true, TaggingDelete, true},
		{"s3:*", false, CreatedPut, false},
		{"*", false, CreatedPut, false},
		{"", false, CreatedPut, false},
		{"s3:ObjectCreated", false, CreatedPut, false},
		{"s3:objectcreated:*", false, CreatedPut, false},
		{"s3:Replication:*", false, CreatedPut, false},
	} {
		p, ok := ParsePattern(row.pattern)
		if ok != row.ok || p.Match(row.name) != row.match {
			t.Errorf("%q: parsed %t, matches %s %t", row.pattern, ok, row.name, p.Match(row.name))
		}
	}
}

func TestFilter(t *testing.T) {
	e := Event{Name: CreatedPut, Bucket: "b", Key: "in/x.jpg"}
	all := []Pattern{"s3:ObjectCreated:*"}
	for i, row := range []struct {
		Filter
		want bool
	}{
		{Filter{}, false},
		{Filter{Names: all}, true},
		{Filter{Bucket: "b", Prefix: "in/", Suffix: ".jpg", Names: all}, true},
		{Filter{Bucket: "a", Names: all}, false},
		{Filter{Prefix: "out/", Names: all}, false},
		{Filter{Suffix: ".png", Names: all}, false},
		{Filter{Names: []Pattern{"s3:ObjectRemoved:*"}}, false},
	} {
		if row.Match(&e) != row.want {
			t.Errorf("row %d: %t", i, !row.want)
		}
	}
}
