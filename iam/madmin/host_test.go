package madmin

import "testing"

// testHost is a Host with nothing behind it.
type testHost struct{ t *testing.T }

func newTestHost(t *testing.T) Host { return &testHost{t} }
