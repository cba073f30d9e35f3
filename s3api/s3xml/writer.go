package s3xml

import (
	"strconv"
	"time"
	"unicode/utf8"
)

const namespace = ` xmlns="http://s3.amazonaws.com/doc/2006-03-01/"`

// Writer builds a document by appending. The zero value is ready; a Writer may be
// reused after Reset.
type Writer struct{ b []byte }

// Reset empties w and keeps its memory.
func (w *Writer) Reset() { w.b = w.b[:0] }

// Grow makes room for n more bytes.
func (w *Writer) Grow(n int) {
	if cap(w.b)-len(w.b) < n {
		b := make([]byte, len(w.b), len(w.b)+n)
		copy(b, w.b)
		w.b = b
	}
}

// Start begins the document with its root element, in S3's namespace when ns is set
// (error documents have none).
func (w *Writer) Start(root string, ns bool) {
	w.b = append(w.b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<"...)
	w.b = append(w.b, root...)
	if ns {
		w.b = append(w.b, namespace...)
	}
	w.b = append(w.b, '>')
}

// StartIn is Start with a namespace of its own.
func (w *Writer) StartIn(root, namespace string) {
	w.Start(root, false)
	w.b = append(w.b[:len(w.b)-1], ` xmlns="`+namespace+`">`...)
}

// End closes the root element and returns the document, valid until the next use of w.
func (w *Writer) End(root string) []byte {
	w.Close(root)
	return w.b
}

// Open begins an element.
func (w *Writer) Open(name string) {
	w.b = append(w.b, '<')
	w.b = append(w.b, name...)
	w.b = append(w.b, '>')
}

// Close ends an element.
func (w *Writer) Close(name string) {
	w.b = append(w.b, '<', '/')
	w.b = append(w.b, name...)
	w.b = append(w.b, '>')
}

// Raw appends text that is XML already.
func (w *Writer) Raw(s string) { w.b = append(w.b, s...) }

// Elem appends an element with text.
func (w *Writer) Elem(name, text string) {
	w.Open(name)
	w.Text(text)
	w.Close(name)
}

// Opt appends an element with text unless the text is empty.
func (w *Writer) Opt(name, text string) {
	if text != "" {
		w.Elem(name, text)
	}
}

// Int appends an element with a number.
func (w *Writer) Int(name string, n int64) {
	w.Open(name)
	w.b = strconv.AppendInt(w.b, n, 10)
	w.Close(name)
}

// Bool appends an element with a truth value.
func (w *Writer) Bool(name string, v bool) {
	w.Open(name)
	w.b = strconv.AppendBool(w.b, v)
	w.Close(name)
}

// Time appends an element with a time in the form 2006-01-02T15:04:05.000Z.
func (w *Writer) Time(name string, t time.Time) {
	w.Open(name)
	w.b = t.UTC().AppendFormat(w.b, "2006-01-02T15:04:05.000Z")
	w.Close(name)
}

// ETag appends an ETag element; the quotes are escaped as S3 does.
func (w *Writer) ETag(etag string) {
	w.Raw("<ETag>&quot;")
	w.Text(etag)
	w.Raw("&quot;</ETag>")
}

// Text appends escaped text; quotes need no escape between tags. Characters that XML 1.0 can't carry are written as character
// references, as S3 does; clients that meet them ask for encoding-type=url.
func (w *Writer) Text(s string) {
	last := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c < utf8.RuneSelf && c != '&' && c != '<' && c != '>' {
			i++
			continue
		}
		var esc string
		size := 1
		switch c {
		case '&':
			esc = "&amp;"
		case '<':
			esc = "&lt;"
		case '>':
			esc = "&gt;"
		default:
			if c < 0x20 {
				esc = "&#x" + strconv.FormatInt(int64(c), 16) + ";"
				break
			}
			r, n := utf8.DecodeRuneInString(s[i:])
			size = n
			switch {
			case r == utf8.RuneError && n == 1:
				esc = "\uFFFD"
			case r == 0xFFFE || r == 0xFFFF:
				esc = "&#x" + strconv.FormatInt(int64(r), 16) + ";"
			default:
				i += size
				continue
			}
		}
		w.b = append(w.b, s[last:i]...)
		w.b = append(w.b, esc...)
		i += size
		last = i
	}
	w.b = append(w.b, s[last:]...)
}

// URLText appends text percent-encoded as encoding-type=url asks: everything but letters, digits
// and "-_.*/". A space becomes "%20", which every client decodes, not the "+" that only some do.
func (w *Writer) URLText(s string) {
	const hex = "0123456789ABCDEF"
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.' || c == '*' || c == '/':
			w.b = append(w.b, c)
		default:
			w.b = append(w.b, '%', hex[c>>4], hex[c&15])
		}
	}
}
