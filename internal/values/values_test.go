package values

import "testing"

func TestReader(t *testing.T) {
	r := Reader{Values: map[string]string{"A": " On ", "B": "no", "C": "perhaps", "D": " text "}}
	if !r.Yes("A", false) || r.Yes("B", true) || !r.Yes("E", true) || r.Text("D") != "text" || r.Empty() || r.Err != nil {
		t.Errorf("%+v", r)
	}
	if r.Yes("C", true) || r.Err == nil || r.Err.Error() != `C is neither on nor off: "perhaps"` {
		t.Errorf("%+v", r)
	}
	if r.Fail("D", "is %s", "wrong"); r.Err.Error() != `C is neither on nor off: "perhaps"` {
		t.Errorf("the first fault is lost: %v", r.Err)
	}
	if empty := (&Reader{Values: map[string]string{"A": ""}}); !empty.Empty() {
		t.Error("nothing is set, and is not empty")
	}
}
