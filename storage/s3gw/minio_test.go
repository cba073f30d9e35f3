package s3gw_test

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"testing"
	"time"
)

// freeAddress returns one that nobody listened on a moment ago, below the ports of outgoing connections.
func freeAddress(t testing.TB) string {
	t.Helper()
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", 23000+rand.IntN(1000))
		if l, err := net.Listen("tcp", address); err == nil {
			l.Close()
			return address
		}
	}
	t.Fatal("no port from 23000 to 23999 is free")
	return ""
}

// minioServer runs the program that the variable MINIO names; without one the test is left out.
func minioServer(t testing.TB) (endpoint string) {
	t.Helper()
	program := os.Getenv("MINIO")
	if program == "" {
		t.Skip("MinIO is missing: name its program in the variable MINIO")
	}
	address := freeAddress(t)
	var log bytes.Buffer
	cmd := exec.Command(program, "server", t.TempDir(), "--address", address, "--console-address", freeAddress(t))
	cmd.Env = append(os.Environ(), "MINIO_CI_CD=1", "MINIO_ROOT_USER="+accessKey, "MINIO_ROOT_PASSWORD="+secretKey, "MINIO_BROWSER=off", "MINIO_UPDATE=off")
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	endpoint = "http://" + address
	for began := time.Now(); time.Since(began) < 60*time.Second; time.Sleep(20 * time.Millisecond) {
		if resp, err := http.Get(endpoint + "/minio/health/ready"); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return endpoint
			}
		}
	}
	t.Fatalf("MinIO is not ready after 60 s: %s", log.String())
	return ""
}

func TestConformanceMinIO(t *testing.T) {
	endpoint := minioServer(t)
	skip := apart()
	maps.Copy(skip, map[string]string{})
	conformance(t, endpoint, skip)
}
