package loadgen

import (
	"strings"
	"testing"
)

func TestParsePeers(t *testing.T) {
	got, err := ParsePeers(" minio=http://127.0.0.1:9100,key,secret/with=signs,and+commas\n\tnginx=http://localhost,dir=/srv/www  v6=http://[::1]:81,a,b")
	if err != nil {
		t.Fatal(err)
	}
	want := []Target{
		{Name: "minio", Addr: "127.0.0.1:9100", AccessKey: "key", SecretKey: "secret/with=signs,and+commas"},
		{Name: "nginx", Addr: "localhost:80", Dir: "/srv/www"},
		{Name: "v6", Addr: "[::1]:81", AccessKey: "a", SecretKey: "b"},
	}
	if len(got) != len(want) {
		t.Fatalf("%d peers, want %d", len(got), len(want))
	}
	for i, w := range want {
		g := got[i]
		if g.Name != w.Name || g.Addr != w.Addr || g.AccessKey != w.AccessKey || g.SecretKey != w.SecretKey || g.Dir != w.Dir {
			t.Errorf("peer %d: %+v, want %+v", i, *g, w)
		}
		if g.Static() != (w.Dir != "") {
			t.Errorf("peer %s: static %v", g.Name, g.Static())
		}
	}
	if got, err := ParsePeers(" \n "); len(got) != 0 || err != nil {
		t.Errorf("no peers: %v, %v", got, err)
	}
}

func TestParsePeersRefuses(t *testing.T) {
	for _, s := range []string{
		"http://127.0.0.1:9100,key,topsecret",
		"=http://127.0.0.1:9100,key,topsecret",
		"m|x=http://127.0.0.1:9100,key,topsecret",
		"minio=127.0.0.1:9100,key,topsecret",
		"minio=https://127.0.0.1:9100,key,topsecret",
		"minio=http://,key,topsecret",
		"minio=http://127.0.0.1:9100/path,key,topsecret",
		"minio=http://127.0.0.1:9100",
		"minio=http://127.0.0.1:9100,key",
		"minio=http://127.0.0.1:9100,key,",
		"minio=http://127.0.0.1:9100,,topsecret",
		"nginx=http://127.0.0.1:9100,dir=",
		"a=http://127.0.0.1:1,key,topsecret a=http://127.0.0.1:2,key,topsecret",
	} {
		_, err := ParsePeers(s)
		if err == nil {
			t.Errorf("%q accepted", s)
		} else if strings.Contains(err.Error(), "topsecret") {
			t.Errorf("%q: the message shows the secret: %v", s, err)
		}
	}
}
