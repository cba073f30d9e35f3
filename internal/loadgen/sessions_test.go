package loadgen

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const assumed = `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>` +
	`<AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>%s</SessionToken></Credentials></AssumeRoleResult></AssumeRoleResponse>`

// sessionServer answers like a server with a Security Token Service; token is what it issues.
func sessionServer(t *testing.T, token string, assumes, revokes, gets *atomic.Int64) *Target {
	body := smallBody(noise(1, small), 0)
	return served(t, func(w http.ResponseWriter, r *http.Request) {
		scope := "/s3/"
		switch {
		case r.Method == http.MethodPost && r.URL.Path == "/":
			scope = "/sts/"
			form, _ := io.ReadAll(r.Body)
			if !strings.Contains(string(form), "Action=AssumeRole&") || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
				t.Errorf("POST / of %q, %q", form, r.Header.Get("Content-Type"))
			}
			assumes.Add(1)
			fmt.Fprintf(w, assumed, token)
		case r.Method == http.MethodPost:
			revokes.Add(1)
			w.WriteHeader(http.StatusNoContent)
		case r.Method == http.MethodGet:
			if r.Header.Get("X-Amz-Security-Token") != token || !strings.Contains(r.Header.Get("Authorization"), "Credential=ASIA1/") {
				t.Errorf("GET with %q", r.Header)
			}
			gets.Add(1)
			w.Write(body.Data)
		}
		if !strings.Contains(r.Header.Get("Authorization"), scope) {
			t.Errorf("%s %s is signed for another service: %s", r.Method, r.URL, r.Header.Get("Authorization"))
		}
	})
}

func TestSessionPhases(t *testing.T) {
	var assumes, revokes, gets atomic.Int64
	s := &session{target: sessionServer(t, "token", &assumes, &revokes, &gets), bucket: "b", objects: 1, conns: 2, bodies: newBodies()}
	p := &Plan{Conns: 2, Duration: 50 * time.Millisecond}
	for _, ph := range SessionPhases() {
		if ph.Name == phaseGetKeys {
			continue // as in the other plan
		}
		if err := ph.run(t, p, s); err != nil {
			t.Fatalf("%s: %v", ph.Name, err)
		}
	}
	if assumes.Load() < 3 || revokes.Load() == 0 || gets.Load() < 3 {
		t.Errorf("%d AssumeRole, %d revocations, %d GET", assumes.Load(), revokes.Load(), gets.Load())
	}
}

// run is what a Plan does with a phase, without the processes of a server.
func (ph *Phase) run(t *testing.T, p *Plan, s *session) error {
	if _, err := p.stretch(t.Context(), ph, s, 4, p.Duration, nil); err != nil {
		return err
	}
	return ph.verify(t.Context(), s)
}

func TestLoginRefusesNoCredentials(t *testing.T) {
	var assumes, revokes, gets atomic.Int64
	s := &session{target: sessionServer(t, "", &assumes, &revokes, &gets), objects: 1}
	if err := s.login(t.Context()); err == nil || !strings.Contains(err.Error(), "lacks credentials") {
		t.Errorf("error %v", err)
	}
}

func TestSessionCost(t *testing.T) {
	r := &Report{Samples: []Sample{
		{Phase: phaseGetKeys, Target: "a", Round: 1, ServerCPU: 10 * time.Microsecond},
		{Phase: phaseGetSession, Target: "a", Round: 1, ServerCPU: 13 * time.Microsecond},
		{Phase: phaseGetKeys, Target: "a", Round: 2, ServerCPU: 20 * time.Microsecond},
		{Phase: phaseGetSession, Target: "a", Round: 2, ServerCPU: 21500 * time.Nanosecond},
		{Phase: phaseGetKeys, Target: "a", Round: 3, ServerCPU: 20 * time.Microsecond},
		{Phase: phaseGetSession, Target: "a", Round: 3, ServerCPU: 22 * time.Microsecond},
		{Phase: phaseGetSession, Target: "b", Round: 1, ServerCPU: time.Second},
	}}
	if us, ok := r.SessionCost("a"); !ok || us != 2 {
		t.Errorf("%v us, %v; want 2", us, ok)
	}
	if us, ok := r.SessionCost("b"); ok {
		t.Errorf("%v us of a target with half of the phases", us)
	}
}
