package lifecycle

import (
	"context"
	"encoding/hex"
	"errors"
	"time"

	"github.com/objsrv/objsrv/storage"
)

// judge applies rules to versions in the order in which they are listed. Its exported fields are where it stands, so
// that a walk can go on from there in another process.
type judge struct {
	Key   place
	ID    string    // of the version judged last
	Since time.Time // when that was made
	Newer int       // noncurrent versions with content so far
	All   string    // the rule by which all versions of the key go
	Due   int64     // and since when

	rules *Rules
	day   time.Duration
	until int64 // what is due later does not happen
}

// place is a key in JSON, whatever its bytes are.
type place string

// MarshalText implements encoding.TextMarshaler.
func (p place) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString([]byte(p))), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *place) UnmarshalText(text []byte) error {
	raw, err := hex.DecodeString(string(text))
	*p = place(raw)
	return err
}

// next judges the next version; more tells whether its key has another.
func (j *judge) next(o *storage.Object, more bool) (Verdict, bool) {
	if o.Key != string(j.Key) {
		j.Key, j.Newer, j.All = place(o.Key), 0, ""
	}
	v := Version{Object: o, Newer: j.Newer, Alone: o.Latest && !more}
	if !o.Latest {
		v.Since = j.Since
	}
	out, ok := j.rules.Decide(&v, j.day)
	if j.All != "" && !o.Latest {
		if r := j.rules.byID(j.All); r != nil {
			out, ok = Verdict{ExpireAll, r, j.Due}, true
		}
	}
	if ok && o.Latest && out.Action == ExpireAll && out.Due <= j.until {
		j.All, j.Due = out.Rule.ID, out.Due
	}
	if !o.Latest && !o.DeleteMarker {
		j.Newer++
	}
	j.ID, j.Since = o.VersionID, o.Modified
	return out, ok
}

func (rs *Rules) byID(id string) *Rule {
	for i := range rs.List {
		if rs.List[i].ID == id {
			return &rs.List[i]
		}
	}
	return nil
}

// versions calls use for each version that in selects, with its tags when the rules ask for them, until use returns
// false. more tells whether the next version is of the same key.
func (rs *Rules) versions(ctx context.Context, b storage.Backend, in storage.ListInput, use func(o *storage.Object, more bool) (bool, error)) error {
	var held *storage.Object
	give := func(more bool) (bool, error) {
		if held == nil {
			return true, nil
		}
		if err := rs.fill(ctx, b, in.Bucket, held); err != nil {
			return false, err
		}
		return use(held, more)
	}
	for {
		page, err := b.ListVersions(ctx, in)
		if err != nil {
			return err
		}
		for i := range page.Objects {
			o := &page.Objects[i]
			if on, err := give(held != nil && held.Key == o.Key); err != nil || !on {
				return err
			}
			held = o
		}
		if !page.Truncated {
			_, err := give(false)
			return err
		}
		in.After, in.AfterID, in.Limit = page.NextAfter, page.NextID, pageSize
	}
}

// fill reads the tags of a version when a rule asks for them. One that is gone, or can't be read, which the store has
// told by then, has none that a rule could ask for.
func (rs *Rules) fill(ctx context.Context, b storage.Backend, bucket string, o *storage.Object) error {
	if o.DeleteMarker || !rs.asksTags(o.Key) {
		return nil
	}
	full, err := b.StatObject(ctx, storage.Ref{Bucket: bucket, Key: o.Key, Version: o.VersionID})
	switch {
	case err == nil:
		o.Tags = full.Tags
	case !errors.Is(err, storage.ErrNoSuchVersion) && !errors.Is(err, storage.ErrNoSuchKey) && !errors.Is(err, storage.ErrDamaged):
		return err
	}
	return nil
}

const (
	pageSize = 1000 // of listings, and of deletions in one commit
	fewFirst = 3    // versions asked for first when one key is looked at: most have no more
)

// ofKey is versions for those of one key.
func (rs *Rules) ofKey(ctx context.Context, b storage.Backend, bucket, key string, use func(o *storage.Object, more bool) error) error {
	in := storage.ListInput{Bucket: bucket, Prefix: key, Limit: fewFirst}
	return rs.versions(ctx, b, in, func(o *storage.Object, more bool) (bool, error) {
		if o.Key != key {
			return false, nil
		}
		return true, use(o, more)
	})
}
