//go:build !linux

package main

import "github.com/objsrv/objsrv/iam/madmin"

// driveOf knows nothing of file systems elsewhere.
func driveOf(string) madmin.Drive { return madmin.Drive{} }
