//go:build !unix

package cache

import (
	"errors"
	"os"
)

// lockFile has no locks here, and no cache without.
func lockFile(string) (*os.File, error) { return nil, errors.ErrUnsupported }
