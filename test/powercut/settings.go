//go:build linux

package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/objsrv/objsrv/test/internal/harness"
)

// settingOperations set what harness.Settings has, from one value to the next.
func settingOperations() (all []operation) {
	for _, s := range harness.Settings() {
		all = append(all, operation{name: s.Name,
			setup: func(ctx context.Context, r *run) error {
				if err := s.Prepare(ctx, r.server); err != nil {
					return err
				}
				return s.Set(ctx, r.server, r.nth())
			},
			do: func(ctx context.Context, r *run) error { return s.Set(ctx, r.server, r.nth()+1) },
			check: func(ctx context.Context, r *run) error {
				ok, err := s.Is(ctx, r.server, r.nth()+1)
				if err == nil && !ok {
					err = fmt.Errorf("the setting is not what was acknowledged")
				}
				return err
			}})
	}
	return all
}

// nth is the number of the value that a setting has before the operation: each round sets two.
func (r *run) nth() int {
	n, _ := strconv.Atoi(r.key[strings.IndexByte(r.key, '/')+1:]) // a key ends in the number of its round
	return 2*n + 1
}
