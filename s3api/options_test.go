package s3api

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/objsrv/objsrv/internal/keyring"
	"github.com/objsrv/objsrv/storage"
	"github.com/objsrv/objsrv/storage/mem"
)

// step is one request of a long random list.
type step struct {
	method, target, body string
	headers              []string
}

// randomSteps makes a list of requests about a few keys of three buckets: "bkt", "ver" with versions, and "lck" with
// object lock. It goes by what it believes to be there; where that is wrong, the answers are still the same everywhere.
func randomSteps(t *testing.T, rng *rand.Rand, n int) (list []step) {
	sizes := map[string]int{}
	text := lines(400_000)
	pick := func() string {
		return fmt.Sprintf("%s/%s%d%s", []string{"bkt", "bkt", "ver", "lck"}[rng.IntN(4)], []string{"a/", "b/", ""}[rng.IntN(3)], rng.IntN(4), []string{"", ".txt"}[rng.IntN(2)])
	}
	content := func() string {
		size := []int{0, 1, 100, 4000, 65_536, 65_537, 150_000}[rng.IntN(7)]
		from := rng.IntN(len(text) - size)
		return text[from : from+size]
	}
	add := func(method, target, body string, headers ...string) {
		list = append(list, step{method, "/" + target, body, headers})
	}
	for range n {
		key, other := pick(), pick()
		bucket, name, _ := strings.Cut(key, "/")
		switch rng.IntN(19) {
		case 0, 1, 2, 3:
			c := content()
			add("PUT", key, c, "X-Amz-Meta-N: "+fmt.Sprint(rng.IntN(5)), "X-Amz-Tagging: a="+fmt.Sprint(rng.IntN(3)))
			sizes[key] = len(c)
		case 4, 5:
			c := content()
			add("PUT", key, c, atOffset(sizes[key]))
			sizes[key] += len(c)
		case 6, 7:
			add("PUT", bucket+"/"+strings.SplitN(other, "/", 2)[1]+"?renameObject", "", renameFrom+name)
		case 8:
			add("PUT", other, "", "X-Amz-Copy-Source: "+key)
		case 9:
			add("DELETE", key, "")
		case 10:
			from := rng.IntN(100_000)
			add("GET", key, "", fmt.Sprintf("Range: bytes=%d-%d", from, from+rng.IntN(100_000)))
		case 11:
			add("GET", key+"?partNumber="+fmt.Sprint(1+rng.IntN(3)), "", "X-Amz-Checksum-Mode: ENABLED")
		case 12:
			add("GET", bucket+"?list-type=2&metadata=true&delimiter=/&max-keys="+fmt.Sprint(1+rng.IntN(5)), "")
		case 13:
			add("GET", bucket+"?versions", "")
		case 14:
			add("GET", key+"?attributes", "", "X-Amz-Object-Attributes: ETag,Checksum,ObjectParts,StorageClass,ObjectSize")
		case 15:
			add("PUT", bucket+"/x.tar", packed(t, "a/0", content(), name, content()), extract)
		case 16:
			add("PUT", bucket+"/z.zip", zipOf(t, "one", content(), "d/two", content()))
			add("GET", bucket+"/z.zip/d/two", "", lookInto)
		case 17:
			add("PUT", key+"?tagging", tagBody)
			add("PUT", key+"?legal-hold", []string{holdBody, "<LegalHold><Status>OFF</Status></LegalHold>"}[rng.IntN(2)])
		case 18:
			add("GET", key, "", "If-Match: x")
			add("HEAD", key, "")
		}
		if rng.IntN(3) == 0 {
			add("GET", key, "")
		}
	}
	return list
}

// Parts of an answer that may differ: what encryption says of itself, and what is of the request.
var (
	ownHeaders = regexp.MustCompile(`^(Date|X-Amz-Request-Id|X-Amz-Id-2|X-Amz-Server-Side-Encryption.*)$`)
	ownXML     = regexp.MustCompile(`<RequestId>[^<]*</RequestId>|<X-Amz-Server-Side-Encryption>AES256</X-Amz-Server-Side-Encryption>`)
)

// run sends the list to a new server, which is replaced by another over the same store now and then, and returns the
// answers.
func runSteps(t *testing.T, list []step, rng *rand.Rand, configure func(*Config)) []string {
	t.Helper()
	ring, err := keyring.Open(keyring.Options{Save: func([]byte) error { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	e := newSealedEnv(t)
	clock := func() time.Time { return e.now }
	backend := mem.New(mem.Options{Now: clock})
	start := func() {
		c := Config{Backend: backend, IAM: e.iam, Now: clock, Keys: ring}
		configure(&c)
		e.s = New(c)
		e.srv.Config.Handler = e.s
	}
	start()
	e.bucket("bkt", storage.VersioningUnset)
	e.bucket("ver", storage.VersioningEnabled)
	e.must(200, "PUT", "/lck", "", "X-Amz-Bucket-Object-Lock-Enabled: true")
	var answers []string
	for _, s := range list {
		e.now = e.now.Add(time.Second)
		if rng.IntN(20) == 0 {
			start()
		}
		got := e.do(s.method, s.target, s.body, s.headers...)
		var names []string
		for name := range got.Header {
			if !ownHeaders.MatchString(name) {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		var b strings.Builder
		body := ownXML.ReplaceAllString(got.body, "")
		if len(body) > 2000 {
			sum := sha256.Sum256([]byte(body))
			body = fmt.Sprintf("%d bytes %s", len(body), hex.EncodeToString(sum[:]))
		}
		fmt.Fprintf(&b, "%d %s", got.status, body)
		for _, name := range names {
			if name == "Content-Length" && strings.HasPrefix(got.Get("Content-Type"), "application/xml") {
				continue // of a body that says of encryption what may differ
			}
			fmt.Fprintf(&b, "\n%s: %q", name, got.Header[name])
		}
		answers = append(answers, b.String())
	}
	return answers
}

// TestOptionsChangeNoAnswer: one random list of requests has the same answers whether objects are kept as they
// were sent, encrypted, compressed, or both, and whenever the server is started anew.
func TestOptionsChangeNoAnswer(t *testing.T) {
	options := map[string]func(*Config){
		"encrypted":                func(c *Config) { c.AutoEncrypt = true },
		"compressed":               func(c *Config) { c.Compression = Compression{Enabled: true, Encrypted: true} },
		"some compressed":          func(c *Config) { c.Compression = Compression{Enabled: true, Extensions: []string{".txt"}} },
		"encrypted and compressed": func(c *Config) { c.AutoEncrypt, c.Compression = true, Compression{Enabled: true, Encrypted: true} },
	}
	steps := 250
	if testing.Short() {
		steps = 60
	}
	for _, seed := range []uint64{1, rand.Uint64()} {
		list := randomSteps(t, rand.New(rand.NewPCG(seed, 1)), steps)
		want := runSteps(t, list, rand.New(rand.NewPCG(seed, 2)), func(*Config) {})
		codes := map[string]int{}
		for _, answer := range want {
			codes[answer[:3]]++
		}
		if codes["200"] < len(list)/3 || codes["206"]+codes["404"]+codes["204"] == 0 {
			t.Errorf("seed %d: the list does little: %v", seed, codes)
		}
		for name, configure := range options {
			got := runSteps(t, list, rand.New(rand.NewPCG(seed, 3)), configure)
			for i := range want {
				if got[i] != want[i] {
					t.Errorf("seed %d, %s, request %d of %d: %s %s %q of %d bytes\nanswer %.1500s\nplain  %.1500s", seed, name, i, len(list), list[i].method, list[i].target, list[i].headers, len(list[i].body), got[i], want[i])
					break
				}
			}
		}
	}
}
