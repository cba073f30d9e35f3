package reqlog

import "testing"

func TestInternal(t *testing.T) {
	for name, tt := range map[string]struct {
		op, uri string
		want    bool
	}{
		"S3":                     {"GetObject", "/b/k", false},
		"S3 through the console": {"GetObject", "/-/console/s3/b/k", false},
		"STS":                    {"STS:AssumeRole", "/", false},
		"refused before routing": {"", "/b/k", false},
		"a bucket of the name":   {"", "/minio-backup/k", false},
		"administration":         {"AdminListUsers", "/-/api/v1/users", true},
		"through the console":    {"AdminListUsers", "/-/console/admin/users", true},
		"console":                {"ConsolePage", "/-/console/", true},
		"probe":                  {"Health", "/minio/health/live", true},
		"scrape":                 {"Metrics", "/-/metrics", true},
		"stranger":               {"", "/minio/admin/v3/info", true},
	} {
		if got := (&Event{Op: tt.op, URI: tt.uri}).Internal(); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
