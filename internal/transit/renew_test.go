package transit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/objsrv/objsrv/internal/keyring"
)

// tokens is a server that knows one token, by the clock of the test.
type tokens struct {
	made, ends time.Time
	whole      time.Duration // what a renewal asks for must be this
	most       time.Duration // of life since made; 0 means any
	renewable  bool
	down       func() bool // nil means never
	looked     int
	renewed    []time.Duration // since made
	missed     int             // requests while it was down
}

// RoundTrip implements http.RoundTripper.
func (s *tokens) RoundTrip(r *http.Request) (*http.Response, error) {
	if s.down != nil && s.down() {
		s.missed++
		return nil, errors.New("no route to it")
	}
	answer := func(status int, body string, args ...any) (*http.Response, error) {
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(fmt.Sprintf(body, args...))), Request: r}, nil
	}
	now := time.Now()
	switch {
	case r.Header.Get("X-Vault-Token") != "t" || !s.ends.IsZero() && !now.Before(s.ends):
		return answer(403, `{"errors":["permission denied"]}`)
	case r.Method == "GET" && r.URL.Path == "/v1/auth/token/lookup-self":
		s.looked++
		ttl := time.Duration(0)
		if !s.ends.IsZero() {
			ttl = s.ends.Sub(now)
		}
		return answer(200, `{"data":{"ttl":%d,"creation_ttl":%d,"renewable":%v,"type":"service"}}`, int(ttl.Seconds()), int(s.whole.Seconds()), s.renewable)
	case r.Method == "POST" && r.URL.Path == "/v1/auth/token/renew-self" && s.renewable:
		var in struct{ Increment string }
		if json.NewDecoder(r.Body).Decode(&in) != nil || in.Increment != fmt.Sprintf("%ds", int(s.whole.Seconds())) {
			return answer(400, `{"errors":["increment %q"]}`, in.Increment)
		}
		s.renewed = append(s.renewed, now.Sub(s.made))
		s.ends = now.Add(s.whole)
		if limit := s.made.Add(s.most); s.most > 0 && s.ends.After(limit) {
			s.ends = limit
		}
		return answer(200, `{"data":null,"auth":{"client_token":"t","lease_duration":%d,"renewable":true}}`, int(s.ends.Sub(now).Seconds()))
	}
	return answer(400, `{"errors":["not now"]}`)
}

// keep runs Keep beside a server for some time, and returns its error; running tells that it went on.
func (s *tokens) keep(t *testing.T, d time.Duration) (err error, running bool) {
	t.Helper()
	if s.made = time.Now(); s.whole > 0 && s.ends.IsZero() {
		s.ends = s.made.Add(s.whole)
	}
	k, err := New(Options{Endpoint: "https://vault.example.com", Key: "objects", Token: "t", Client: &http.Client{Transport: s, Timeout: 10 * time.Second}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	done := make(chan error, 1)
	go func() { done <- k.Keep(ctx) }()
	time.Sleep(d)
	synctest.Wait()
	select {
	case err := <-done:
		return err, false
	default:
	}
	stop()
	return <-done, true
}

// TestKeep renews tokens of several kinds.
func TestKeep(t *testing.T) {
	hour := time.Hour
	in := func(name string, f func(t *testing.T)) { t.Run(name, func(t *testing.T) { synctest.Test(t, f) }) }
	in("renewable", func(t *testing.T) {
		s := &tokens{whole: hour, renewable: true}
		if err, running := s.keep(t, 9*hour+time.Minute); err != nil || !running {
			t.Fatal(err, running)
		}
		if len(s.renewed) != 13 || s.renewed[0] != 40*time.Minute || s.renewed[12] != 13*40*time.Minute {
			t.Errorf("renewed after %v", s.renewed)
		}
	})
	in("without end", func(t *testing.T) {
		s := &tokens{}
		if err, running := s.keep(t, 100*hour); err != nil || running || s.looked != 1 {
			t.Error(err, running, s.looked)
		}
	})
	in("not renewable", func(t *testing.T) {
		s := &tokens{whole: hour}
		end := time.Now().Add(hour).UTC().Format(time.RFC3339)
		if err, running := s.keep(t, time.Minute); err == nil || running || !strings.Contains(err.Error(), end) || !strings.Contains(err.Error(), "made so") {
			t.Error(err, running)
		}
	})
	in("longest life", func(t *testing.T) {
		s := &tokens{whole: hour, most: 2 * hour, renewable: true}
		end := time.Now().Add(2 * hour).UTC().Format(time.RFC3339)
		err, running := s.keep(t, 90*time.Minute) // half an hour is left to put another one in its place
		if err == nil || running || len(s.renewed) != 2 || !strings.Contains(err.Error(), end) || !strings.Contains(err.Error(), "as old as it may become") {
			t.Error(err, running, s.renewed)
		}
	})
	in("ended", func(t *testing.T) {
		s := &tokens{whole: hour, renewable: true, ends: time.Now().Add(-time.Minute)}
		if err, running := s.keep(t, time.Second); err == nil || running || !strings.Contains(err.Error(), "permission denied") {
			t.Error(err, running)
		}
	})
	in("down for a while", func(t *testing.T) {
		s := &tokens{whole: hour, renewable: true}
		begun := time.Now()
		s.down = func() bool { // at the start, and when it is time to renew
			at := time.Since(begun)
			return at < 10*time.Second || at > 39*time.Minute && at < 50*time.Minute
		}
		if err, running := s.keep(t, 55*time.Minute); err != nil || !running || len(s.renewed) != 1 || s.missed > 30 {
			t.Error(err, running, s.renewed, s.missed)
		}
	})
	in("down for too long", func(t *testing.T) {
		s := &tokens{whole: hour, renewable: true}
		begun := time.Now()
		s.down = func() bool { return time.Since(begun) > 30*time.Minute }
		if err, running := s.keep(t, 61*time.Minute); err == nil || running || !strings.Contains(err.Error(), "no route to it") {
			t.Error(err, running)
		}
	})
}

// renewReal keeps tokens of a real server, which end after some seconds.
func renewReal(t *testing.T, endpoint string, admin *Keys) {
	t.Helper()
	token := func(in map[string]any) string {
		t.Helper()
		b, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.NewRequestWithContext(t.Context(), "POST", endpoint+"/v1/auth/token/create", bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Vault-Token", admin.token)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var out struct {
			Auth struct {
				Token string `json:"client_token"`
			}
		}
		if err := json.NewDecoder(resp.Body).Decode(&out); err != nil || out.Auth.Token == "" {
			t.Fatal(err, resp.Status)
		}
		return out.Auth.Token
	}
	open := func(token string) *Keys {
		t.Helper()
		k, err := New(Options{Endpoint: endpoint, Key: "objects", Token: token})
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	works := func(k *Keys) error {
		_, err := k.Seal(t.Context(), "objects", []byte("secret"), nil)
		return err
	}
	policies := []string{"objsrv", "default"}

	kept := open(token(map[string]any{"ttl": "6s", "policies": policies}))
	left := open(token(map[string]any{"ttl": "6s", "policies": policies}))
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- kept.Keep(ctx) }()
	for deadline := time.Now().Add(time.Minute); works(left) == nil; time.Sleep(200 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("a token of 6 s has not ended after a minute")
		}
	}
	time.Sleep(4 * time.Second) // beyond another life
	if err := works(kept); err != nil {
		t.Error("the token that was to be renewed:", err)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}

	for name, in := range map[string]map[string]any{
		"not renewable":     {"ttl": "1m", "policies": policies, "renewable": false},
		"longest life":      {"ttl": "4s", "explicit_max_ttl": "6s", "policies": policies},
		"no default policy": {"ttl": "1m", "policies": []string{"objsrv"}, "no_default_policy": true},
	} {
		if err := open(token(in)).Keep(t.Context()); err == nil {
			t.Errorf("%s: it is kept", name)
		} else {
			t.Logf("%s: %v", name, err)
		}
	}
	if err := open("root").Keep(t.Context()); err != nil {
		t.Error("root's token:", err)
	}
}

// TestSilentServer asks a server that never answers, where a login has to come first: all who ask are told in time, not one
// after the other.
func TestSilentServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		silent := roundTripper(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		for name, o := range map[string]Options{"token": {Token: "t"}, "role": {RoleID: "r", SecretID: "s"}} {
			o.Endpoint, o.Key, o.Client = "https://vault.example.com", "objects", &http.Client{Transport: silent}
			k, err := New(o)
			if err != nil {
				t.Fatal(err)
			}
			begun := time.Now()
			var all sync.WaitGroup
			for range 50 {
				all.Go(func() {
					_, err := k.Unseal(t.Context(), "objects", []byte("vault:v1:AAAA"), nil)
					if !errors.Is(err, keyring.ErrUnavailable) || !strings.Contains(err.Error(), "no answer within 10s") {
						t.Errorf("%s: %v", name, err)
					}
				})
			}
			all.Wait()
			if d := time.Since(begun); d != 10*time.Second {
				t.Errorf("%s: all were told after %v", name, d)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if _, err := k.Unseal(ctx, "objects", []byte("vault:v1:AAAA"), nil); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: who gives up earlier: %v", name, err)
			}
			cancel()
		}
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
