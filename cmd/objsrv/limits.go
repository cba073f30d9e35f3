package main

import (
	"fmt"
	"strconv"
	"time"
)

// limitSettings bound how many requests are served at once. MinIO computes a bound of its own for "auto" and 0, which
// are no bound here: connections are bounded, and memory is, by what each request may take.
func limitSettings() []setting {
	return []setting{
		{name: "API_REQUESTS_MAX", minio: []string{"MINIO_API_REQUESTS_MAX"}, flag: "api-requests-max", def: "0",
			usage:  "`number` of S3 requests served at once, 0 for any; further ones wait",
			stored: "api requests_max", kind: "number", set: func(c *Config, v string) (err error) {
				if v == "auto" {
					v = "0"
				}
				c.Limits.Requests, err = parseCount(v)
				return err
			}},
		{name: "API_REQUESTS_DEADLINE", minio: []string{"MINIO_API_REQUESTS_DEADLINE"}, flag: "api-requests-deadline", def: "10s",
			usage:  "`time` that S3 requests wait for their turn before they get 503 SlowDown",
			stored: "api requests_deadline", kind: "duration", set: func(c *Config, v string) (err error) {
				if c.Limits.Wait, err = time.ParseDuration(v); err != nil || c.Limits.Wait < 0 {
					return fmt.Errorf("%q is not a duration such as 10s", v)
				}
				return nil
			}},
		{name: "API_REQUESTS_PER_ADDRESS", flag: "api-requests-per-address", def: "0",
			usage:  "`number` of S3 requests of one client address at once, 0 for any; further ones get 503 SlowDown",
			stored: "api requests_per_address", kind: "number", set: func(c *Config, v string) (err error) {
				c.Limits.PerAddress, err = parseCount(v)
				return err
			}},
	}
}

func parseCount(v string) (int, error) {
	n, err := strconv.ParseUint(v, 10, 31)
	if err != nil {
		return 0, fmt.Errorf("%q is not a number from 0 on", v)
	}
	return int(n), nil
}
