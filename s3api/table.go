package s3api

// Operation describes one row of the operation table to metrics and documentation.
type Operation struct {
	Name        string // of the AWS model
	Method      string
	Resource    string // "service", "account", "bucket" or "object"
	SubResource string // the query name that selects it, or ""
	Header      string // the header that selects it among those of the same sub-resource, or ""
	Action      string // IAM action, or "per object" or "none"
	State       State
	Limits      string // what it does at most, in words; "" for none that is known
}

// State tells how far an operation is built.
type State uint8

// The states of an operation.
const (
	NotImplemented State = iota // answers 501 NotImplemented
	NeverSet                    // answers as AWS does when the setting has never been made
	Implemented
)

// String returns the word that the documentation uses.
func (s State) String() string {
	return [...]string{"501 NotImplemented", "answers \"not configured\"", "yes"}[s]
}

// Operations returns the operation table in its order.
func Operations() []Operation {
	ops := operations()
	out := make([]Operation, len(ops))
	for i, o := range ops {
		out[i] = Operation{Name: o.name, Method: o.method, Resource: [...]string{"service", "account", "bucket", "object"}[o.level],
			SubResource: o.sub, Header: o.header, Action: o.action, State: o.state(), Limits: o.limits()}
	}
	return out
}

func (o *op) state() State {
	switch {
	case o.handle == nil:
		return NotImplemented
	case o.unset:
		return NeverSet
	}
	return Implemented
}
