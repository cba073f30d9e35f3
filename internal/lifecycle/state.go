package lifecycle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"github.com/objsrv/objsrv/storage"
)

// docState names the document in which the runner keeps how far it is with a bucket.
const docState = "lifecycle-state"

// state is how far the runner is with a bucket. The zero state has everything before it.
type state struct {
	Day    time.Duration // length of the days that are counted here
	Walked bool          // the bucket has been walked through since its rules changed
	Walk   *judge        `json:",omitempty"` // where the walk stands; nil before its first page
	Stage  int           // of the walk: 0 versions, 1 uploads
	Key    place         // where the walk through the uploads stands
	ID     string
	Start  int64     // the day on which the walk began
	Done   int64     // the last day of which all is done that was due
	Seen   time.Time // when this was written
	Last   time.Time // when something was last done
	Rules  map[string]*Counts
}

// Counts says what a rule has done since the rules were changed last.
type Counts struct {
	Actions map[Action]int64 `json:"actions,omitempty"`
	Bytes   int64            `json:"bytes,omitempty"`   // content of versions that went for good
	Kept    int64            `json:"kept,omitempty"`    // deletions that a retention or a legal hold refused
	Changed int64            `json:"changed,omitempty"` // what had changed before it could be deleted, and stays
	Failed  int64            `json:"failed,omitempty"`
}

// of returns the counts of a rule.
func (s *state) of(r *Rule) *Counts {
	if s.Rules == nil {
		s.Rules = map[string]*Counts{}
	}
	c := s.Rules[r.ID]
	if c == nil {
		c = &Counts{Actions: map[Action]int64{}}
		s.Rules[r.ID] = c
	}
	return c
}

func (c *Counts) clone() *Counts {
	d := *c
	d.Actions = maps.Clone(c.Actions)
	return &d
}

// loadState reads the state of a bucket. One that can't be read, or that counts other days, is begun anew.
func loadState(b *storage.Bucket, day time.Duration) state {
	var s state
	if json.Unmarshal(b.Docs[docState], &s) != nil || s.Day != day {
		return state{Day: day}
	}
	return s
}

// save stores the state of a bucket whose rules are still doc; errChanged when they are not.
func (s *state) save(b *storage.Bucket, doc []byte) error {
	if !bytes.Equal(b.Docs[storage.DocLifecycle], doc) {
		return errChanged
	}
	data, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("write state: %w", err)
	}
	b.Docs[docState] = data
	return nil
}

// SetRules gives a bucket the document of its rules; nil takes it away. To be called by the change of an UpdateBucket;
// then tell Runner.Changed.
func SetRules(b *storage.Bucket, doc []byte) {
	switch {
	case doc == nil:
		delete(b.Docs, storage.DocLifecycle)
		delete(b.Docs, docState)
		return
	case b.Docs == nil:
		b.Docs = map[string][]byte{}
	case bytes.Equal(b.Docs[storage.DocLifecycle], doc):
		return
	}
	b.Docs[storage.DocLifecycle] = doc
	delete(b.Docs, docState)
}
