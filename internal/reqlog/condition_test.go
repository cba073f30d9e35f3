package reqlog

import "testing"

// TestCondition is S-078 on this side: the keys are answered from the event, and others are not.
func TestCondition(t *testing.T) {
	e := &Event{Remote: "192.0.2.1", TLS: true, UserAgent: "curl"}
	for key, want := range map[string]string{
		"aws:sourceip": "192.0.2.1", "aws:securetransport": "true", "aws:useragent": "curl", "aws:referer": "http://a/", "aws:username": "", "": "",
	} {
		if got := e.Condition(key, "http://a/"); got != want {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
}
