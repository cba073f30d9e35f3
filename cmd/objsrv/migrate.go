package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/s3api"
	"github.com/objsrv/objsrv/storage/migrate"
	"github.com/objsrv/objsrv/storage/s3gw"
)

// migrateConfig says which server is moved from.
type migrateConfig struct {
	URL                  string // "" for none
	AccessKey, SecretKey string // those of root unless they are set apart
	Region               string // that of the server by default
	CAFile               string
	Rate                 int64 // bytes a second; 0 for no bound
	Workers              int
	Abandon              bool // forgets a migration that is not complete
}

// migrateSettings are those of a migration.
func migrateSettings() []setting {
	return []setting{
		{name: "MIGRATE_FROM", flag: "migrate-from", usage: "`URL` of the S3 server to move from, MinIO above all, while this one is used already", set: setMigrateFrom},
		{name: "MIGRATE_ACCESS_KEY", secret: true, set: func(c *Config, v string) error {
			c.Migrate.AccessKey = v
			return nil
		}},
		{name: "MIGRATE_SECRET_KEY", secret: true, set: func(c *Config, v string) error {
			c.Migrate.SecretKey = v
			return nil
		}},
		{name: "MIGRATE_REGION", flag: "migrate-region", usage: "`region` that the server moved from wants requests signed for", set: func(c *Config, v string) error {
			if !regionName.MatchString(v) {
				return fmt.Errorf("%q is not a region name", v)
			}
			c.Migrate.Region = v
			return nil
		}},
		{name: "MIGRATE_CA_FILE", flag: "migrate-ca-file", usage: "`file` with the authorities that its certificate is judged by", set: func(c *Config, v string) error {
			c.Migrate.CAFile = v
			return nil
		}},
		{name: "MIGRATE_RATE", flag: "migrate-rate", usage: "`bytes` a second that are copied in the background at most, such as 50MiB", set: func(c *Config, v string) (err error) {
			c.Migrate.Rate, err = parseBytes(v)
			return err
		}},
		{name: "MIGRATE_WORKERS", flag: "migrate-workers", def: "8", usage: "`number` of keys that are copied at once", set: func(c *Config, v string) (err error) {
			if c.Migrate.Workers, err = strconv.Atoi(v); err != nil || c.Migrate.Workers < 1 || c.Migrate.Workers > 256 {
				return fmt.Errorf("%q is not a number from 1 to 256", v)
			}
			return nil
		}},
		{name: "MIGRATE_ABANDON", flag: "migrate-abandon", def: "off", yes: true, usage: "forget a migration that is not complete: what is not here is given up", set: func(c *Config, v string) (err error) {
			c.Migrate.Abandon, err = parseSwitch(v)
			return err
		}},
	}
}

func setMigrateFrom(c *Config, v string) error {
	u, err := url.Parse(v)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("it is not a URL such as https://minio.example.com:9000")
	}
	c.Migrate.URL = u.Scheme + "://" + u.Host
	return nil
}

// parseBytes reads a number of bytes, with KiB, MiB or GiB behind it.
func parseBytes(v string) (int64, error) {
	number, unit := v, 1.0
	for i, suffix := range []string{"KiB", "MiB", "GiB"} {
		if n, ok := strings.CutSuffix(v, suffix); ok {
			number, unit = n, float64(int64(1)<<(10*(i+1)))
		}
	}
	f, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || !(f*unit >= 1024 && f*unit < math.MaxInt64/2) {
		return 0, fmt.Errorf("%q is not a number of bytes from 1024 on, such as 50MiB", v)
	}
	return int64(f * unit), nil
}

// checkMigrate completes the settings of a migration and refuses what does not go together.
func (c *Config) checkMigrate() error {
	m := &c.Migrate
	switch {
	case m.URL != "" && m.Abandon:
		return usagef("--migrate-from goes on with a migration and --migrate-abandon gives it up: choose one")
	case m.URL == "" && (m.AccessKey != "" || m.SecretKey != "" || m.Region != "" || m.CAFile != "" || m.Rate != 0):
		return usagef("settings of a migration without --migrate-from, which says where from")
	case (m.AccessKey == "") != (m.SecretKey == ""):
		return usagef("the keys of the server moved from: set both, OBJSRV_MIGRATE_ACCESS_KEY and OBJSRV_MIGRATE_SECRET_KEY, or none")
	case m.URL != "" && m.AccessKey == "" && (c.RootUser == "" || c.RootPassword == ""):
		return usagef("the keys of the server moved from are not known: set OBJSRV_MIGRATE_ACCESS_KEY and OBJSRV_MIGRATE_SECRET_KEY, or OBJSRV_ROOT_USER and OBJSRV_ROOT_PASSWORD when both have the same")
	}
	if m.AccessKey == "" {
		m.AccessKey, m.SecretKey = c.RootUser, c.RootPassword
	}
	if m.Region == "" {
		m.Region = c.Region
	}
	return nil
}

// openMigration puts the server that is moved from behind the store, or sees to what an earlier start has left.
func (s *services) openMigration() error {
	if s.disk == nil {
		return nil
	}
	m, ctx := &s.config.Migrate, context.Background()
	before, err := migrate.Remembered(ctx, s.disk)
	if err != nil {
		return err
	}
	if m.URL == "" {
		return s.endMigration(ctx, before)
	}
	t, err := (&gatewayConfig{CAFile: m.CAFile}).tls()
	if err != nil {
		return err
	}
	source, err := s3gw.Open(s3gw.Options{
		Endpoint: m.URL, Region: m.Region, AccessKey: m.AccessKey, SecretKey: m.SecretKey, TLS: t, Owner: s.iam.Account(), Records: noRecords{}, ReadOnly: true,
	})
	if err != nil {
		return err
	}
	s.moving, err = migrate.Open(ctx, migrate.Options{
		Local: s.disk, Source: source, URL: m.URL, Owner: s.iam.Account(), Rate: m.Rate, Workers: m.Workers, Report: s.reportMigration,
	})
	if errors.Is(err, migrate.ErrOther) {
		return usagef("%v; go on with that one, or give it up with --migrate-abandon once", err)
	}
	if err != nil {
		return err
	}
	s.backend = s.moving
	return nil
}

// endMigration is of a start without a migration.
func (s *services) endMigration(ctx context.Context, before *migrate.Pending) error {
	switch {
	case before == nil:
		return nil
	case !before.Complete && !s.config.Migrate.Abandon:
		return usagef("the migration from %s is not complete: without it what was not copied yet would be missing. Start with --migrate-from %s to go on, or once with --migrate-abandon to give up what is left",
			before.URL, before.URL)
	}
	s.log.Info("the migration is over", "from", before.URL, "complete", before.Complete)
	return migrate.Forget(ctx, s.disk)
}

func (s *services) reportMigration(message string, err error) {
	if err != nil {
		s.log.Error("migration: "+message, "error", err)
		return
	}
	s.log.Info("migration: " + message)
}

// startMigration copies in the background.
func (s *services) startMigration() error {
	if s.moving == nil {
		return nil
	}
	root, err := s.iam.Credential(s.root.User, "")
	if err != nil {
		return fmt.Errorf("who sets the settings of buckets: %w", err)
	}
	s.moving.Start(bucketSettings{s.s3, root.Identity})
	return nil
}

// migrationWarnings tell at the start that a migration is under way.
func (s *services) migrationWarnings() []string {
	if s.moving == nil {
		return nil
	}
	if st := s.moving.Status(); !st.Complete.IsZero() {
		return []string{"the migration from " + st.Source + " is complete: start without --migrate-from to cut over"}
	}
	return []string{"moving from " + s.config.Migrate.URL + "; `objsrv admin migrate status` tells how far it is. Nothing else may write there"}
}

// bucketSettings sets what the source says of buckets. It implements migrate.Settings.
type bucketSettings struct {
	s3 *s3api.Server
	by *iam.Identity
}

// Apply implements migrate.Settings.
func (b bucketSettings) Apply(ctx context.Context, bucket, file string, document []byte) error {
	err := b.s3.SetBucketFile(ctx, b.by, bucket, s3api.BucketFile{Name: file, Data: document})
	var refused *s3api.Error
	if errors.As(err, &refused) {
		return errors.New(refused.Code + ": " + refused.Message)
	}
	return err
}

// noRecords are the records of a server that is only read: it has none of ours. It implements s3gw.Records.
type noRecords struct{}

// Record implements s3gw.Records.
func (noRecords) Record(string) ([]byte, uint64) { return nil, 0 }

// Names implements s3gw.Records.
func (noRecords) Names() []string { return nil }

// Fetch implements s3gw.Records.
func (noRecords) Fetch(context.Context, string) ([]byte, uint64, error) { return nil, 0, nil }

// Write implements s3gw.Records.
func (noRecords) Write(context.Context, string, []byte, uint64) (bool, error) {
	return false, errors.New("the server that is moved from is only read")
}
