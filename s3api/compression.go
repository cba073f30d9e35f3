package s3api

import (
	"strings"

	"github.com/objsrv/objsrv/storage"
)

// minCompressed is the size from which content is compressed; below, a block of the disk is saved at most.
const minCompressed = 4096

// Compression says which objects are compressed, as MinIO's settings do. The zero value compresses none.
type Compression struct {
	Enabled    bool
	Extensions []string // of keys, with their dot
	Types      []string // of Content-Type; a * at the end stands for anything
	// Encrypted takes encrypted objects as well. How much they shrink tells of what they hold.
	Encrypted bool
}

// takes tells whether an object is to be compressed, if it shrinks. Without extensions and types all are.
func (m *Compression) takes(key string, attrs []storage.Attr) bool {
	if !m.Enabled {
		return false
	}
	if len(m.Extensions) == 0 && len(m.Types) == 0 {
		return true
	}
	for _, e := range m.Extensions {
		if strings.HasSuffix(strings.ToLower(key), strings.ToLower(e)) {
			return true
		}
	}
	kind := defaultType
	for _, a := range attrs {
		if a.Name == attrType {
			kind, _, _ = strings.Cut(a.Value, ";")
		}
	}
	for _, t := range m.Types {
		prefix, wild := strings.CutSuffix(strings.ToLower(t), "*")
		if k := strings.ToLower(kind); k == prefix || wild && strings.HasPrefix(k, prefix) {
			return true
		}
	}
	return false
}
