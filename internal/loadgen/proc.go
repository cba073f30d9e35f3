package loadgen

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// clockTick is the unit of processor times in /proc/PID/stat: USER_HZ, which is
// 100 on every architecture that Go supports.
const clockTick = 10 * time.Millisecond

// Proc reads a proc file system (proc(5)).
type Proc struct{ Root string }

// DefaultProc is the machine's own.
func DefaultProc() Proc { return Proc{Root: "/proc"} }

// Usage is what processes have used since they began.
type Usage struct {
	CPU     time.Duration // user and system, in steps of 10 ms
	Peak    int64         // bytes of memory at the peak (VmHWM), summed over the processes
	Written int64         // bytes sent to the storage layer (write_bytes)
}

// Sub returns what was used since earlier; Peak stays that of u.
func (u Usage) Sub(earlier Usage) Usage {
	return Usage{CPU: u.CPU - earlier.CPU, Peak: u.Peak, Written: u.Written - earlier.Written}
}

// Usage sums what the processes have used. Reading another user's write_bytes
// needs privileges; without them the error says so.
func (p Proc) Usage(pids []int) (Usage, error) {
	var sum Usage
	for _, pid := range pids {
		dir := filepath.Join(p.Root, strconv.Itoa(pid))
		stat, err := os.ReadFile(filepath.Join(dir, "stat"))
		if err != nil {
			return Usage{}, fmt.Errorf("read usage: %w", err)
		}
		cpu, err := parseStat(stat)
		if err != nil {
			return Usage{}, fmt.Errorf("read usage of %d: %w", pid, err)
		}
		status, err := os.ReadFile(filepath.Join(dir, "status"))
		if err != nil {
			return Usage{}, fmt.Errorf("read usage: %w", err)
		}
		peak, err := parseField(status, "VmHWM:")
		if err != nil {
			return Usage{}, fmt.Errorf("read usage of %d: %w", pid, err)
		}
		counters, err := os.ReadFile(filepath.Join(dir, "io"))
		if err != nil {
			return Usage{}, fmt.Errorf("read usage: %w", err)
		}
		written, err := parseField(counters, "write_bytes:")
		if err != nil {
			return Usage{}, fmt.Errorf("read usage of %d: %w", pid, err)
		}
		sum.CPU += cpu
		sum.Peak += peak << 10
		sum.Written += written
	}
	return sum, nil
}

// parseStat returns utime+stime of a /proc/PID/stat. The second field, the name of the
// program in parentheses, may itself hold spaces and parentheses.
func parseStat(b []byte) (time.Duration, error) {
	end := bytes.LastIndexByte(b, ')')
	if end < 0 {
		return 0, fmt.Errorf("stat: no program name")
	}
	fields := strings.Fields(string(b[end+1:]))
	const utime, stime = 14 - 3, 15 - 3 // numbered as in proc(5), where the state is 3
	if len(fields) <= stime {
		return 0, fmt.Errorf("stat: %d fields", len(fields)+2)
	}
	var ticks int64
	for _, f := range fields[utime : stime+1] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("stat: %w", err)
		}
		ticks += n
	}
	return time.Duration(ticks) * clockTick, nil
}

// parseField returns the number of the line "name number ..." of /proc/PID/status or
// /proc/PID/io.
func parseField(b []byte, name string) (int64, error) {
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) >= 2 && f[0] == name {
			n, err := strconv.ParseInt(f[1], 10, 64)
			if err != nil {
				return 0, fmt.Errorf("%s %w", name, err)
			}
			return n, nil
		}
	}
	return 0, fmt.Errorf("no %s", name)
}

// Listeners returns the processes that hold a socket listening on addr (host:port), sorted: one for
// most servers, several when workers share the socket.
func (p Proc) Listeners(addr string) ([]int, error) {
	tcp, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("find listener: %w", err)
	}
	inodes := map[string]bool{}
	for _, name := range []string{"net/tcp", "net/tcp6"} {
		f, err := os.Open(filepath.Join(p.Root, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("find listener: %w", err)
		}
		err = parseSockets(f, tcp.Port, inodes)
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("find listener: %s: %w", name, err)
		}
	}
	links, err := filepath.Glob(filepath.Join(p.Root, "[0-9]*", "fd", "*"))
	if err != nil {
		return nil, fmt.Errorf("find listener: %w", err)
	}
	var pids []int
	for _, link := range links {
		target, err := os.Readlink(link)
		if err != nil || !inodes[target] { // descriptors come and go meanwhile
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(link))))
		if err == nil {
			pids = append(pids, pid)
		}
	}
	if len(pids) == 0 {
		return nil, fmt.Errorf("find listener: no process of this machine listens on %s", addr)
	}
	slices.Sort(pids)
	return slices.Compact(pids), nil
}

// parseSockets adds the sockets of a /proc/net/tcp table that listen on port to inodes,
// in the form of the links in /proc/PID/fd.
func parseSockets(r io.Reader, port int, inodes map[string]bool) error {
	const listening = "0A"
	s := bufio.NewScanner(r)
	for s.Scan() {
		// sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode
		f := strings.Fields(s.Text())
		if len(f) < 10 || f[3] != listening {
			continue
		}
		_, hexPort, ok := strings.Cut(f[1], ":")
		b, err := hex.DecodeString(hexPort)
		if !ok || err != nil || len(b) != 2 {
			return fmt.Errorf("local address %q", f[1])
		}
		if int(b[0])<<8|int(b[1]) == port {
			inodes["socket:["+f[9]+"]"] = true
		}
	}
	return s.Err()
}
