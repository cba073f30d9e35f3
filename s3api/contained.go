package s3api

import "strings"

// containedPolicy gives a stored document an origin that is nobody's (Content Security Policy Level 3, "sandbox"):
// its scripts run, and have neither cookies nor storage of the server's own pages, nor leave to ask it for
// anything with them (S-207).
var containedPolicy = []string{"sandbox allow-downloads allow-forms allow-modals allow-popups allow-popups-to-escape-sandbox allow-scripts allow-top-navigation-by-user-activation"}

// inertTypes are types that browsers show without running anything of them in the origin of the answer. A
// viewer of PDF does not start in a sandbox, and runs scripts in an origin of its own.
var inertTypes = map[string]bool{
	defaultType: true, "application/octet-stream": true, "application/json": true, "application/pdf": true, "application/zip": true, "application/gzip": true, "text/plain": true, "text/css": true, "text/csv": true,
}

// inert tells whether a Content-Type is known to be harmless. Any other is taken for a document: that of HTML has
// many names, XML has style sheets with scripts, and a multipart has parts of any type.
func inert(kind string) bool {
	kind, _, _ = strings.Cut(kind, ";")
	kind = strings.ToLower(strings.TrimSpace(kind))
	if inertTypes[kind] {
		return true
	}
	family, sub, _ := strings.Cut(kind, "/")
	switch family {
	case "image", "audio", "video", "font":
		return sub != "" && !strings.Contains(sub, "xml")
	}
	return false
}
