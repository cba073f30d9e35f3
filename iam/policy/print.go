package policy

import (
	"bytes"
	"encoding/json"
)

// MarshalJSON prints the document in AWS's order of elements. What Parse reads from it
// equals the document, whatever way the original was written.
func (d *Document) MarshalJSON() ([]byte, error) {
	var o object
	o.text("Version", d.Version)
	o.text("Id", d.ID)
	o.add("Statement", d.Statements)
	return o.bytes()
}

// MarshalJSON prints one statement.
func (s Statement) MarshalJSON() ([]byte, error) {
	var o object
	o.text("Sid", s.Sid)
	o.text("Effect", s.Effect.String())
	if s.Principal != nil {
		o.add("Principal", s.Principal)
	}
	if s.NotPrincipal != nil {
		o.add("NotPrincipal", s.NotPrincipal)
	}
	o.list("Action", s.Actions)
	o.list("NotAction", s.NotActions)
	o.list("Resource", s.Resources)
	o.list("NotResource", s.NotResources)
	if len(s.Conditions) > 0 {
		o.add("Condition", conditionList(s.Conditions))
	}
	return o.bytes()
}

// MarshalJSON prints "*" or {"AWS": [...]}.
func (p *Principals) MarshalJSON() ([]byte, error) {
	if p.Everyone {
		return []byte(`"*"`), nil
	}
	var o object
	o.list("AWS", p.AWS)
	return o.bytes()
}

type conditionList []Condition

// MarshalJSON groups the conditions by operator. Parse keeps those of one operator
// together, so their order survives.
func (l conditionList) MarshalJSON() ([]byte, error) {
	var o object
	for i := 0; i < len(l); {
		var keys object
		op := l[i].Operator
		for ; i < len(l) && l[i].Operator == op; i++ {
			keys.list(l[i].Key, l[i].Values)
		}
		b, err := keys.bytes()
		if err != nil {
			return nil, err
		}
		o.add(op, json.RawMessage(b))
	}
	return o.bytes()
}

// object prints members in the order they are added.
type object struct {
	buf bytes.Buffer
	err error
}

func (o *object) add(name string, value any) {
	if o.buf.Len() == 0 {
		o.buf.WriteByte('{')
	} else {
		o.buf.WriteByte(',')
	}
	o.encode(name)
	o.buf.WriteByte(':')
	o.encode(value)
}

// encode prints a value without escaping "<", ">" and "&".
func (o *object) encode(v any) {
	enc := json.NewEncoder(&o.buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		o.err = err
		return
	}
	o.buf.Truncate(o.buf.Len() - 1) // the newline of Encode
}

func (o *object) text(name, value string) {
	if value != "" {
		o.add(name, value)
	}
}

func (o *object) list(name string, values []string) {
	if values != nil {
		o.add(name, values)
	}
}

func (o *object) bytes() ([]byte, error) {
	if o.buf.Len() == 0 {
		o.buf.WriteByte('{')
	}
	o.buf.WriteByte('}')
	return o.buf.Bytes(), o.err
}
