package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/objsrv/objsrv/iam/store"
	"github.com/objsrv/objsrv/iam/store/bolt"
	"github.com/objsrv/objsrv/iam/store/etcd"
)

// etcdTrust is how long identities in memory count by default while etcd can't be reached.
const etcdTrust = time.Hour

// etcdConfig says where identities are that several servers share. Without endpoints they
// are in a file.
type etcdConfig struct {
	etcd.Options
	trust time.Duration
}

// used tells whether identities are in etcd.
func (e *etcdConfig) used() bool { return len(e.Endpoints) > 0 }

// where describes the cluster to people, without secrets.
func (e *etcdConfig) where() string {
	prefix := e.Prefix
	if prefix == "" {
		prefix = "objsrv"
	}
	return fmt.Sprintf("etcd at %s, prefix %s", strings.Join(e.Endpoints, ", "), prefix)
}

// etcdSettings are those of the cluster that holds the identities.
func etcdSettings() []setting {
	text := func(name string, minio []string, secret bool, field func(*etcd.Options) *string) setting {
		return setting{name: "ETCD_" + name, minio: minio, secret: secret, set: func(c *Config, v string) error {
			*field(&c.Etcd.Options) = v
			return nil
		}}
	}
	return []setting{
		{name: "ETCD_ENDPOINTS", minio: []string{"MINIO_ETCD_ENDPOINTS"}, set: func(c *Config, v string) error {
			c.Etcd.Endpoints = nil
			for e := range strings.SplitSeq(v, ",") {
				if e = strings.TrimSpace(e); e != "" {
					c.Etcd.Endpoints = append(c.Etcd.Endpoints, e)
				}
			}
			return nil
		}},
		text("PATH_PREFIX", []string{"MINIO_ETCD_PATH_PREFIX"}, false, func(o *etcd.Options) *string { return &o.Prefix }),
		text("USERNAME", nil, false, func(o *etcd.Options) *string { return &o.Username }),
		text("PASSWORD", nil, true, func(o *etcd.Options) *string { return &o.Password }),
		text("CA_FILE", nil, false, func(o *etcd.Options) *string { return &o.CAFile }),
		text("CLIENT_CERT", []string{"MINIO_ETCD_CLIENT_CERT"}, false, func(o *etcd.Options) *string { return &o.CertFile }),
		text("CLIENT_CERT_KEY", []string{"MINIO_ETCD_CLIENT_CERT_KEY"}, false, func(o *etcd.Options) *string { return &o.KeyFile }),
		{name: "ETCD_TRUST", def: etcdTrust.String(), set: func(c *Config, v string) (err error) {
			if c.Etcd.trust, err = time.ParseDuration(v); err != nil || c.Etcd.trust < 10*time.Second {
				return fmt.Errorf("%q is not a duration of 10s or more", v)
			}
			return nil
		}},
	}
}

// check refuses settings of etcd that say nothing without endpoints.
func (e *etcdConfig) check() error {
	if !e.used() && (e.Prefix != "" || e.Username != "" || e.Password != "" || e.CAFile != "" || e.CertFile != "" || e.KeyFile != "") {
		return usagef("settings of etcd are given, but no OBJSRV_ETCD_ENDPOINTS")
	}
	return nil
}

// openIdentities opens the store of identities: etcd when there are endpoints, else a file in dir.
func (c *Config) openIdentities(dir string) (store.Store, error) {
	if c.Etcd.used() {
		st, err := etcd.Open(context.Background(), c.Etcd.Options)
		if err != nil {
			return nil, err
		}
		return st, nil
	}
	st, err := bolt.Open(filepath.Join(dir, iamFile))
	if err != nil {
		return nil, fmt.Errorf("open identity store: %w", err)
	}
	return st, nil
}

// trust is how long what is in memory of the identity store counts without a word from it; 0 for
// ever, where nobody else writes it.
func (c *Config) trust() time.Duration {
	if c.Etcd.used() {
		return c.Etcd.trust
	}
	return 0
}
