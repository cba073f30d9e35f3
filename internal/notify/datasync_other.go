//go:build !linux

package notify

import "os"

func datasync(f *os.File) error { return f.Sync() }
