package s3xml

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"reflect"
)

const maxDepth = 16

// ControlNamespace is that of S3 Control's documents, which share elements with S3's.
const ControlNamespace = "http://awss3control.amazonaws.com/doc/2018-08-20/"

// Decode reads one XML document into v, a pointer to a struct with an XMLName. It refuses
// what S3's documents never hold: declarations of types or entities, processing
// instructions behind the first, deep nesting, anything behind the root element, and elements that v has no field for, or
// one field for several. The namespace may be S3's, S3 Control's or none.
func Decode(data []byte, v any) error {
	if err := scan(data, shapeOf(reflect.TypeOf(v))); err != nil {
		return err
	}
	d := xml.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("decode XML: %w", err)
	}
	return checkRoot(v)
}

// scan walks the tokens once, so that the decoder meets only harmless documents that hold what root has.
func scan(data []byte, root *shape) error {
	d := xml.NewDecoder(bytes.NewReader(data))
	depth, roots := 0, 0
	var at [maxDepth + 1]place
	for {
		tok, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("read XML: %w", err)
		}
		switch t := tok.(type) {
		case xml.Directive:
			return errors.New("document type declarations are not allowed")
		case xml.ProcInst:
			if t.Target != "xml" || roots > 0 {
				return errors.New("processing instructions are not allowed")
			}
		case xml.StartElement:
			if depth == 0 {
				roots++
				at[0] = place{t.Name.Local, root, 0}
			}
			if depth++; depth > maxDepth {
				return errors.New("elements nested too deeply")
			}
			if depth > 1 {
				if at[depth-1], err = at[depth-2].enter(t.Name.Local); err != nil {
					return err
				}
			}
		case xml.EndElement:
			if depth--; depth < 0 {
				return errors.New("an element ends that has not begun")
			}
		case xml.CharData:
			if depth == 0 && len(bytes.TrimSpace(t)) > 0 && !bytes.Equal(t, []byte("\xef\xbb\xbf")) {
				return errors.New("text outside the root element")
			}
		}
	}
	if roots != 1 || depth != 0 {
		return errors.New("a document has exactly one root element")
	}
	return nil
}

func checkRoot(v any) error {
	s := reflect.ValueOf(v).Elem()
	f := s.FieldByName("XMLName")
	if !f.IsValid() {
		return nil
	}
	switch name := f.Interface().(xml.Name); name.Space {
	case "", "http://s3.amazonaws.com/doc/2006-03-01/", "http://doc.s3.amazonaws.com/2006-03-01", ControlNamespace:
		return nil
	default:
		return fmt.Errorf("unknown namespace %q", name.Space)
	}
}
