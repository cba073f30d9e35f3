package fs

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/cockroachdb/pebble/v2"

	"github.com/objsrv/objsrv/storage"
)

// Counters and reference counts are changed by adding deltas, which needs neither a
// read nor a lock. A delta, and the sum of deltas, is a list of numbers under a
// checksum that covers the key.

// damagedSum is what adding to or from a damaged sum gives: a merge that returned an
// error would make Pebble repeat the compaction for ever, while this is reported as
// damage to everyone who reads it.
const damagedSum = 0

const maxSum = 4

func encodeSum(key []byte, n ...int64) []byte {
	v := make([]byte, 0, 2+len(n)*binary.MaxVarintLen64+4)
	v = append(v, recordVersion, byte(len(n)))
	for _, x := range n {
		v = binary.AppendVarint(v, x)
	}
	return seal(v, key)
}

func decodeSum(key, value []byte) (sum [maxSum]int64, n int, err error) {
	v, err := unseal(value, key)
	if err != nil {
		return sum, 0, fmt.Errorf("counter: %w", err)
	}
	d := reader{b: v[1:]}
	n = int(d.byte())
	if n > maxSum {
		return sum, 0, fmt.Errorf("counter of %d numbers: %w", n, storage.ErrDamaged)
	}
	for i := range n {
		sum[i] = d.varint()
	}
	return sum, n, d.err("counter")
}

type summer struct {
	key     []byte
	sum     [maxSum]int64
	n       int
	damaged bool
}

func (s *summer) add(value []byte) error {
	sum, n, err := decodeSum(s.key, value)
	if err != nil {
		s.damaged = true
		return nil
	}
	s.n = max(s.n, n)
	for i := range n {
		s.sum[i] += sum[i]
	}
	return nil
}

// MergeNewer implements pebble.ValueMerger.
func (s *summer) MergeNewer(value []byte) error { return s.add(value) }

// MergeOlder implements pebble.ValueMerger.
func (s *summer) MergeOlder(value []byte) error { return s.add(value) }

// Finish implements pebble.ValueMerger.
func (s *summer) Finish(bool) ([]byte, io.Closer, error) {
	if s.damaged {
		return []byte{damagedSum}, nil, nil
	}
	return encodeSum(s.key, s.sum[:s.n]...), nil, nil
}

func newMerger() *pebble.Merger {
	return &pebble.Merger{
		Name: "objsrv.sum.1",
		Merge: func(key, value []byte) (pebble.ValueMerger, error) {
			s := &summer{key: append([]byte{}, key...)}
			return s, s.add(value)
		},
	}
}
