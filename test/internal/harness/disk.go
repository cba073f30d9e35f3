//go:build linux

package harness

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"golang.org/x/sys/unix"
)

// Disk is an ext4 file system in an image file, mounted at will.
type Disk struct {
	Dir, Mount string // Mount is below Dir, as is the image
	image      string
	options    string
	attached   bool
}

// NewDisk makes and formats an image of a size, such as 1G, to be mounted with the options. The error says what this machine lacks.
func NewDisk(size, options string) (*Disk, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("needs root, to mount a loop device")
	}
	for _, tool := range []string{"mkfs.ext4", "mount", "umount"} {
		if _, err := exec.LookPath(tool); err != nil {
			return nil, fmt.Errorf("needs %s", tool)
		}
	}
	dir, err := os.MkdirTemp("", "objsrv-disk.")
	if err != nil {
		return nil, err
	}
	d := &Disk{Dir: dir, image: dir + "/image", Mount: dir + "/mount", options: options}
	if err := errors.Join(os.Mkdir(d.Mount, 0o700), command("truncate", "-s", size, d.image), command("mkfs.ext4", "-q", "-F", d.image), d.Attach()); err != nil {
		d.Remove()
		return nil, fmt.Errorf("needs a loop device with ext4: %w", err)
	}
	return d, d.Detach()
}

// Remove unmounts it and removes the image.
func (d *Disk) Remove() { d.Detach(); os.RemoveAll(d.Dir) }

// Attach mounts it, unless it is.
func (d *Disk) Attach() error {
	if d.attached {
		return nil
	}
	err := command("mount", "-t", "ext4", "-o", "loop,"+d.options, d.image, d.Mount)
	d.attached = err == nil
	return err
}

// Detach unmounts it, unless it is.
func (d *Disk) Detach() error {
	if !d.attached {
		return nil
	}
	d.attached = false
	return command("umount", d.Mount)
}

// Sync writes all of it to the image.
func (d *Disk) Sync() error {
	f, err := os.Open(d.Mount)
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.Syncfs(int(f.Fd()))
}

func command(name string, args ...string) error {
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, bytes.TrimSpace(out))
	}
	return nil
}
