package targets

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// elasticsearchPlace is an index of OpenSearch.
func elasticsearchPlace(format string) *place {
	index := fmt.Sprintf("outage-%s-%d", format, time.Now().UnixNano())
	url := os.Getenv("TARGETS_ELASTICSEARCH")
	return &place{kind: "elasticsearch", format: format, server: "opensearch",
		settings: func(t *testing.T) []string {
			if url == "" {
				t.Skip("there is no OpenSearch to test against: make targets starts one")
			}
			list := []string{"URL=" + url, "INDEX=" + index, "FORMAT=" + format}
			if strings.HasPrefix(url, "https:") {
				list = append(list, "USERNAME=test", "PASSWORD=secret", "CA_FILE="+filepath.Join(os.Getenv("TARGETS_PKI"), "ca.crt"))
			}
			return list
		},
		read: func(t *testing.T, _ int) (got []told) {
			var answer struct {
				Hits struct {
					Hits []struct {
						Source json.RawMessage `json:"_source"`
					}
				}
			}
			ask(t, url+"/"+index+"/_refresh", nil)
			// An index answers with 10 000 at most, which is more than this test makes.
			ask(t, url+"/"+index+"/_search?size=10000&sort=Records.s3.object.sequencer.keyword:asc", &answer)
			for _, h := range answer.Hits.Hits {
				got = append(got, parse(t, h.Source))
			}
			return got
		}}
}

// ask sends a POST without a body, and reads the answer into out unless that is nil.
func ask(t *testing.T, url string, out any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth("test", "secret")
	c := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	if strings.HasPrefix(url, "https:") {
		ca, err := os.ReadFile(filepath.Join(os.Getenv("TARGETS_PKI"), "ca.crt"))
		if err != nil {
			t.Fatal(err)
		}
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(ca)
		c.Transport = &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: pool}}
	}
	resp, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && out != nil {
		err = json.Unmarshal(text, out)
	}
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %s %v", url, resp.Status, text, err)
	}
}
