package notify

import (
	"os"

	"golang.org/x/sys/unix"
)

// datasync makes what was written to a file durable, with as much of what is known of the file as reading it needs.
func datasync(f *os.File) error {
	for {
		if err := unix.Fdatasync(int(f.Fd())); err != unix.EINTR {
			return os.NewSyscallError("fdatasync", err)
		}
	}
}
