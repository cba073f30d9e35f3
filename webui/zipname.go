package webui

import (
	"fmt"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// safeName makes the name of a file in an archive of a key, which may be any string: it leads nowhere but below
// the folder that somebody unpacks into, on every system (CWE-22, "zip slip"). A key that ends with a slash is a
// folder.
func safeName(key string) string {
	var out []string
	for element := range strings.SplitSeq(key, "/") {
		if element != "" {
			out = append(out, safeElement(element))
		}
	}
	if len(out) == 0 {
		return "_"
	}
	name := strings.Join(out, "/")
	if strings.HasSuffix(key, "/") {
		name += "/"
	}
	return name
}

// reserved are names of devices on Windows.
var reserved = map[string]bool{
	"con": true, "prn": true, "aux": true, "nul": true, "com1": true, "com2": true, "com3": true, "com4": true, "com5": true, "com6": true, "com7": true, "com8": true,
	"com9": true, "lpt1": true, "lpt2": true, "lpt3": true, "lpt4": true, "lpt5": true, "lpt6": true, "lpt7": true, "lpt8": true, "lpt9": true,
}

// maxElement is what file systems take, in bytes, with room for a number.
const maxElement = 240

// safeElement makes the name of one file or folder.
func safeElement(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || strings.ContainsRune(`\:*?"<>|`, r) || !unicode.IsPrint(r) {
			return '_'
		}
		return r
	}, s)
	if len(s) > maxElement {
		ext := path.Ext(s)
		if len(ext) > 16 {
			ext = ""
		}
		s = strings.ToValidUTF8(s[:maxElement-len(ext)], "") + ext
	}
	if trimmed := strings.TrimRight(s, ". "); trimmed != s {
		s = trimmed + strings.Repeat("_", len(s)-len(trimmed))
	}
	if stem, _, _ := strings.Cut(strings.ToLower(s), "."); reserved[strings.TrimSpace(stem)] {
		s = "_" + s
	}
	return s
}

// unique numbers a name that is in the archive already, in whatever case.
func (a *archive) unique(name string) string {
	if strings.HasSuffix(name, "/") {
		return name // a folder may be there twice
	}
	for {
		lower := strings.ToLower(name)
		n := a.names[lower]
		a.names[lower] = n + 1
		if n == 0 {
			return name
		}
		ext := path.Ext(name)
		name = fmt.Sprintf("%s (%d)%s", strings.TrimSuffix(name, ext), n+1, ext)
	}
}
