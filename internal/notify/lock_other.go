//go:build !unix

package notify

import "os"

// lockFile does not lock: the server does not run here.
func lockFile(name string) (*os.File, error) { return os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600) }
