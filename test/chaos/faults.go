package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// fault is the end of a part of the deployment, and its return.
type fault struct {
	name    string
	choose  func(context.Context) (string, error) // of the process
	healthy time.Time                             // when it was seen to be
	killed  time.Time
	started time.Time
	isWell  func(context.Context, string) error
}

func (t *test) faults() []fault {
	named := func(name string) func(context.Context) (string, error) {
		return func(context.Context) (string, error) { return name, nil }
	}
	return []fault{
		{name: "etcd's leader", choose: t.leader, isWell: func(ctx context.Context, name string) error {
			n, err := strconv.Atoi(strings.TrimPrefix(name, "etcd"))
			if err != nil {
				return err
			}
			return get(ctx, t.etcd[n-1]+"/health", nil)
		}},
		{name: "a volume server", choose: named("volume2"), isWell: func(ctx context.Context, _ string) error { return t.volumes(ctx, 3) }},
		{name: "a gateway", choose: named("gateway1"), isWell: func(ctx context.Context, _ string) error { return get(ctx, t.gateways[0]+"/minio/health/ready", nil) }},
	}
}

// inject kills, waits, starts again, waits until all is well, and lets the load go on for a while.
func (t *test) inject(ctx context.Context, f *fault) error {
	name, err := f.choose(ctx)
	if err != nil {
		return fmt.Errorf("choose %s: %w", f.name, err)
	}
	pidFile := filepath.Join(t.run, name+".pid")
	text, err := os.ReadFile(pidFile)
	if err != nil {
		return err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return fmt.Errorf("pid of %s: %w", name, err)
	}
	f.killed = time.Now()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		return fmt.Errorf("kill %s: %w", name, err)
	}
	fmt.Printf("     kill -9 %s (%s)\n", name, f.name)
	time.Sleep(t.down) // the length of the fault, not a wait for something
	cmd := exec.Command("sh", filepath.Join(t.run, name+".sh"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	f.started = time.Now()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	go func() { _ = cmd.Wait() }() // run.sh stops it; how it ended is in its log
	if err := os.WriteFile(pidFile, fmt.Appendln(nil, cmd.Process.Pid), 0o600); err != nil {
		return err
	}
	for {
		if err = f.isWell(ctx, name); err == nil {
			break
		}
		if time.Since(f.started) > time.Minute {
			return fmt.Errorf("%s does not come back: %w", name, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
	f.healthy = time.Now()
	time.Sleep(settle + t.quiet)
	return nil
}

// get asks for a document, and reads it as JSON into v unless that is nil.
func get(ctx context.Context, url string, v any) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	return answer(req, v)
}

func answer(req *http.Request, v any) error {
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %w", req.URL, statusError(resp.StatusCode))
	}
	if v == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(v)
}

// leader names the member of etcd that leads.
func (t *test) leader(ctx context.Context) (string, error) {
	for i, endpoint := range t.etcd {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint+"/v3/maintenance/status", strings.NewReader("{}"))
		if err != nil {
			return "", err
		}
		var v struct {
			Header struct {
				Member string `json:"member_id"`
			} `json:"header"`
			Leader string `json:"leader"`
		}
		if err := answer(req, &v); err != nil {
			return "", err
		}
		if v.Leader != "" && v.Leader == v.Header.Member {
			return fmt.Sprint("etcd", i+1), nil
		}
	}
	return "", errors.New("nobody leads")
}

// volumes is an error while SeaweedFS's master does not know so many volume servers.
func (t *test) volumes(ctx context.Context, n int) error {
	var v struct {
		Topology struct {
			DataCenters []struct {
				Racks []struct {
					DataNodes []struct{} `json:"DataNodes"`
				} `json:"Racks"`
			} `json:"DataCenters"`
		} `json:"Topology"`
	}
	if err := get(ctx, "http://"+t.master+"/dir/status", &v); err != nil {
		return err
	}
	have := 0
	for _, center := range v.Topology.DataCenters {
		for _, rack := range center.Racks {
			have += len(rack.DataNodes)
		}
	}
	if have < n {
		return fmt.Errorf("%d volume servers of %d", have, n)
	}
	return nil
}
