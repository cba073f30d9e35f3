package main

import (
	"context"
	"fmt"

	"github.com/objsrv/objsrv/test/internal/harness"
)

// renaming is a key whose object was being given another's name.
type renaming struct {
	from, to *key
	what     content
}

// settle makes sure that, once both keys have been settled, it has happened wholly or not at all.
func (r *renaming) settle() error {
	if r == nil {
		return nil
	}
	if moved := r.to.acked == r.what; moved != (r.from.acked.seed == 0) {
		return fmt.Errorf("half of a renaming: %s holds %v, %s holds %v", r.from.name, r.from.acked, r.to.name, r.to.acked)
	}
	return nil
}

func (w *writer) rename(ctx context.Context, s *harness.Server, from, to *key) error {
	w.renamed = &renaming{from, to, from.acked}
	from.inFlight, to.inFlight = &content{}, &w.renamed.what
	from.touched, to.touched = true, true
	if err := s.Rename(ctx, bucket, from.name, to.name); err != nil {
		return err
	}
	to.acked, from.acked = from.acked, content{}
	from.inFlight, to.inFlight, w.renamed = nil, nil, nil
	w.ops++
	return nil
}
