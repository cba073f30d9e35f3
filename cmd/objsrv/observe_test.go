package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"testing"
)

// TestClientsFault: what a client does to its own connection is not logged as a failure, what a
// server does that was asked on its behalf is.
func TestClientsFault(t *testing.T) {
	_, refused := http.Get("http://127.0.0.1:1/") // a port that nobody serves
	for name, tt := range map[string]struct {
		err  error
		want bool
	}{
		"client gone":       {fmt.Errorf("write: %w", &net.OpError{Op: "write", Err: syscall.EPIPE}), true},
		"reset":             {syscall.ECONNRESET, true},
		"client gave up":    {&url.Error{Op: "Get", Err: context.Canceled}, true},
		"provider refuses":  {fmt.Errorf("ask provider: %w", refused), false},
		"directory refuses": {&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, false},
		"ours":              {errors.New("disk"), false},
	} {
		if got := clientsFault(tt.err); got != tt.want {
			t.Errorf("%s: %v (%v)", name, got, tt.err)
		}
	}
}
