package webui

import (
	"fmt"
	"io"
	"net/http"
	"testing"
)

// TestStreamsEnd: S-202 and S-209, a stream of the administration flows through the console, and ends with the session.
func TestStreamsEnd(t *testing.T) {
	ended := make(chan struct{})
	s := newSite(t, options{change: func(c *Config) {
		c.Admin = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintln(w, `{"first":1}`)
			http.NewResponseController(w).Flush()
			<-r.Context().Done()
			close(ended)
		})
	}})
	s.user("ann", annPassword)
	b := s.browser().login("ann", annPassword)
	resp, err := b.Get(s.at("admin/trace"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	line := make([]byte, 12)
	if _, err := io.ReadFull(resp.Body, line); err != nil || string(line) != "{\"first\":1}\n" {
		t.Fatalf("%q: %v", line, err)
	}
	other := s.browser().login(rootUser, rootPassword) // a change that does not concern the stream
	other.want(200, other.do("POST", "logout", ""))
	select {
	case <-ended:
		t.Fatal("it has ended with somebody else's session")
	default:
	}
	if _, err := s.iam.SetStatus(t.Context(), "ann", false); err != nil {
		t.Fatal(err)
	}
	<-ended
	if rest, err := io.ReadAll(resp.Body); err != nil || len(rest) > 0 {
		t.Errorf("%q: %v", rest, err)
	}
}
