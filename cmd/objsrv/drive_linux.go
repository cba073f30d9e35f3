package main

import (
	"golang.org/x/sys/unix"

	"github.com/objsrv/objsrv/iam/madmin"
)

// driveOf asks the kernel about the file system that dir is on. What it does not tell stays 0.
func driveOf(dir string) madmin.Drive {
	var d madmin.Drive
	var st unix.Statfs_t
	if unix.Statfs(dir, &st) == nil {
		size := uint64(st.Bsize)
		d.Total, d.Free = st.Blocks*size, st.Bavail*size
		d.Used = (st.Blocks - st.Bfree) * size
		d.UsedInodes, d.FreeInodes = st.Files-st.Ffree, st.Ffree
	}
	var fi unix.Stat_t
	if unix.Stat(dir, &fi) == nil {
		d.Major, d.Minor = unix.Major(fi.Dev), unix.Minor(fi.Dev)
	}
	return d
}
