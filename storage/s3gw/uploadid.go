package s3gw

import (
	"strings"

	"github.com/objsrv/objsrv/storage"
)

// An upstream that does not list the checksums of parts (SeaweedFS) does not tell either which algorithm an upload was begun with, yet
// wants a checksum with each part of one that was. Gateways keep nothing of uploads: the algorithm travels in the id that the client gets,
// behind that of the upstream. Ids in lists of uploads are without it, and are as good for everything but parts.

// markID adds the algorithm and the type of an upload's checksum to its id.
func markID(id, alg, typ string) string {
	if alg == "" {
		return id
	}
	return id + "." + alg + "." + typ
}

// splitID is the reverse: the id of the upstream, and "" for what was not added.
func splitID(id string) (upstream, alg, typ string) {
	rest, typ, ok := cutLast(id)
	if !ok || typ != "" && typ != "FULL_OBJECT" && typ != "COMPOSITE" {
		return id, "", ""
	}
	upstream, alg, ok = cutLast(rest)
	if _, known := algorithms[alg]; !ok || !known || upstream == "" {
		return id, "", ""
	}
	return upstream, alg, typ
}

func cutLast(s string) (before, after string, ok bool) {
	i := strings.LastIndexByte(s, '.')
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

// upstreamID is what the upstream calls an upload.
func upstreamID(id string) string {
	id, _, _ = splitID(id)
	return id
}

// claimed gives parts whose checksums the upstream does not list those that the client names: each was verified when it came, and the
// upstream compares. ok is false when some part has none.
func claimed(u *storage.Upload, parts []storage.Part, named []storage.CompletePart) (ok bool) {
	for i := range parts {
		if p := &parts[i]; p.Checksum.Value == "" {
			if named[i].Checksum == "" {
				return false
			}
			p.Checksum = storage.Checksum{Algorithm: u.ChecksumAlgorithm, Type: "FULL_OBJECT", Value: named[i].Checksum}
		}
	}
	return true
}
