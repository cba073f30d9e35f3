package main

import (
	"os"
	"strconv"
	"strings"
)

// residentMemory returns the bytes that the process has in memory, 0 when the kernel does not tell.
func residentMemory() int64 {
	data, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	f := strings.Fields(string(data)) // size, resident, ... in pages
	if len(f) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(f[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}
