package policy

// StatementTrace tells what one statement says to a query.
type StatementTrace struct {
	Statement string // its name in decisions: "readwrite[0] Sid"
	Effect    Effect
	Matched   bool
	// Account is set when it matches only because it names the caller's account as a whole.
	Account bool
	// Failed is the first element that does not match, "" when all do. The others are not
	// looked at: "Action", "Principal", "NotPrincipal", "Resource" and so on.
	Failed string
	// Operator and Key name the condition that does not hold when Failed is "Condition".
	Operator string
	Key      string
	// Absent is set when the query has no value for Key.
	Absent bool
}

// Trace tells of each statement, in the order of the document, whether it matches q and
// why not. What it says agrees with Evaluate; it is for explanations and allocates.
func (p *Policy) Trace(q *Query) []StatementTrace {
	out := make([]StatementTrace, len(p.statements))
	for i := range p.statements {
		out[i] = p.statements[i].trace(q)
	}
	return out
}

func (s *statement) trace(q *Query) StatementTrace {
	failed, condition, account := s.check(q)
	t := StatementTrace{Statement: s.label, Effect: s.effect, Matched: failed == matched, Account: account}
	negated := false
	switch failed {
	case matched:
		return t
	case actionStep:
		t.Failed, negated = "Action", s.notActions
	case principalStep:
		t.Failed, negated = "Principal", s.notPrincipal
	case resourceStep:
		t.Failed, negated = "Resource", s.notResources
	case conditionStep:
		c := &s.conditions[condition]
		var buf [1]string
		_, ok := q.values(c.key, c.from, &buf)
		t.Failed, t.Operator, t.Key, t.Absent = "Condition", c.name, c.written, !ok
	}
	if negated {
		t.Failed = "Not" + t.Failed
	}
	return t
}
