package etcd_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/objsrv/objsrv/iam"
	server "github.com/objsrv/objsrv/test/etcd"
)

// TestCreatedHereUsedThere creates users and access keys at one gateway and uses each at the other at once.
func TestCreatedHereUsedThere(t *testing.T) {
	c := server.Start(t, server.Options{})
	gateways := []*iam.Service{shared(t, c, time.Hour), shared(t, c, time.Hour)}
	for i := range 50 { // with two keys each, as many as are looked for at once
		here, there := gateways[i%2], gateways[1-i%2]
		name := fmt.Sprintf("user-%d", i)
		_, cred, err := here.CreateUser(t.Context(), iam.NewUser{Name: name, Policies: []string{"readwrite"}})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := there.Credential(cred.AccessKey, ""); err != nil || got.Secret != cred.Secret {
			t.Errorf("the key of user %d is refused by the other gateway: %v", i, err)
		}
		_, cred, err = here.CreateAccessKey(t.Context(), iam.NewAccessKey{Parent: name})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := there.Credential(cred.AccessKey, ""); err != nil || got.Secret != cred.Secret {
			t.Errorf("access key %d is refused by the other gateway: %v", i, err)
		}
	}
}

// TestDisabledHereRefusedThere disables a user at one gateway and measures when the other refuses it. Within maxDelay it has
// to; the watch of etcd brings it, however loaded the machine is, so that this is far from what it takes.
func TestDisabledHereRefusedThere(t *testing.T) {
	const maxDelay = 20 * time.Second
	c := server.Start(t, server.Options{})
	a, b := shared(t, c, time.Hour), shared(t, c, time.Hour)
	_, cred, err := a.CreateUser(t.Context(), iam.NewUser{Name: "alice", Policies: []string{"readwrite"}})
	if err != nil {
		t.Fatal(err)
	}
	var delays []time.Duration
	for i := range 200 {
		enabled := i%2 == 1
		if _, err := a.UpdateUser(t.Context(), "alice", iam.UserUpdate{Enabled: &enabled}); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		for {
			_, err := b.Credential(cred.AccessKey, "")
			if enabled && err == nil || !enabled && errors.Is(err, iam.ErrDisabled) {
				break
			}
			if time.Since(began) > maxDelay {
				t.Fatalf("after %s the other gateway answers %v to a user that is enabled: %v", maxDelay, err, enabled)
			}
			time.Sleep(20 * time.Microsecond)
		}
		delays = append(delays, time.Since(began))
	}
	slices.Sort(delays)
	t.Logf("a change is in force at the other gateway after it was acknowledged: p50 %s, p99 %s, at most %s", delays[100], delays[197], delays[199])
}
