package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/objsrv/objsrv/internal/metrics"
	"github.com/objsrv/objsrv/storage/cache"
	"github.com/objsrv/objsrv/storage/s3gw"
)

// gatewayConfig says which server keeps the objects of a gateway.
type gatewayConfig struct {
	Endpoint string // URL; AWS in the region of the gateway by default
	// AccessKey and SecretKey are those of root unless they are set apart.
	AccessKey, SecretKey string
	Region               string // that the upstream wants signatures for; that of the gateway by default
	CAFile               string // in PEM, instead of the system's authorities
	Buckets              *s3gw.Map
	CacheDir             string // "": no cache
	CacheSize            int64
}

// gatewaySettings are those of `gateway` alone.
func gatewaySettings() []setting {
	list := []setting{
		{name: "GATEWAY_ENDPOINT", set: func(c *Config, v string) error { return c.setEndpoint(v) }},
		{name: "GATEWAY_ACCESS_KEY", minio: []string{"AWS_ACCESS_KEY_ID"}, secret: true, set: func(c *Config, v string) error {
			c.Gateway.AccessKey = v
			return nil
		}},
		{name: "GATEWAY_SECRET_KEY", minio: []string{"AWS_SECRET_ACCESS_KEY"}, secret: true, set: func(c *Config, v string) error {
			c.Gateway.SecretKey = v
			return nil
		}},
		{name: "GATEWAY_REGION", flag: "gateway-region", usage: "`region` that the upstream wants requests signed for", set: func(c *Config, v string) error {
			if !regionName.MatchString(v) {
				return fmt.Errorf("%q is not a region name", v)
			}
			c.Gateway.Region = v
			return nil
		}},
		{name: "GATEWAY_CA_FILE", flag: "gateway-ca-file", usage: "`file` with the authorities that the upstream's certificate is judged by", set: func(c *Config, v string) error {
			c.Gateway.CAFile = v
			return nil
		}},
		{name: "GATEWAY_BUCKETS", flag: "bucket-map", list: true,
			usage: "`LOCAL=UPSTREAM/PREFIX` places a bucket, several with commas; @FILE reads them from a file", set: func(c *Config, v string) (err error) {
				if v, err = readMapFiles(v); err == nil {
					c.Gateway.Buckets, err = s3gw.ParseMap(v)
				}
				return err
			}},
		{name: "GATEWAY_CACHE_DIR", flag: "cache-dir", usage: "`directory` of copies of objects that are read; it is emptied at the start", set: func(c *Config, v string) error {
			c.Gateway.CacheDir = v
			return nil
		}},
		{name: "GATEWAY_CACHE_SIZE", flag: "cache-size", def: "10GiB", usage: "`size` of the copies together", set: func(c *Config, v string) (err error) {
			if c.Gateway.CacheSize, err = parseSize(v); err == nil && c.Gateway.CacheSize < cache.MinTotal {
				err = fmt.Errorf("a cache of %s is too small: %s at least", v, size(cache.MinTotal))
			}
			return err
		}},
		{name: "IAM_DIR", flag: "iam-dir", usage: "`directory` of the identities of a gateway that stands alone, without etcd", set: func(c *Config, v string) error {
			c.Dir = v
			return nil
		}},
	}
	for i := range list {
		list[i].only = gatewayMode
	}
	return list
}

// readMapFiles puts into a map of buckets what the files have that it names.
func readMapFiles(v string) (string, error) {
	var entries []string
	for entry := range strings.SplitSeq(v, ",") {
		if file, ok := strings.CutPrefix(strings.TrimSpace(entry), "@"); ok {
			b, err := os.ReadFile(file)
			if err != nil {
				return "", fmt.Errorf("bucket map: %w", err)
			}
			entry = string(b)
		}
		entries = append(entries, entry)
	}
	return strings.Join(entries, "\n"), nil
}

// gatewayMode is the command whose settings they are; "" in a setting is every command's.
const (
	serverMode  = "server"
	gatewayMode = "gateway"
)

// setEndpoint takes the URL of the upstream.
func (c *Config) setEndpoint(v string) error {
	if !strings.Contains(v, "://") {
		v = "https://" + v
	}
	u, err := url.Parse(v)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("the endpoint is not a URL such as https://s3.example.com:9000")
	}
	c.Gateway.Endpoint = u.Scheme + "://" + u.Host
	return nil
}

func newGatewayCommand(env environ) *cobra.Command {
	gateway := &cobra.Command{
		Use:   "gateway",
		Short: "Stand before another object store",
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("there is no gateway to %q; there is `objsrv gateway s3`", args[0])
			}
			return nil
		},
	}
	s3 := &cobra.Command{
		Use:   "s3 [ENDPOINT]",
		Short: "Serve what another S3 server keeps, with users and sessions of one's own",
		Long: `Serve what another S3 server keeps, with users, policies, sessions and single sign-on of
one's own, until SIGTERM or SIGINT. ENDPOINT is the URL of the server, AWS by default. Its
keys are the root user and password unless OBJSRV_GATEWAY_ACCESS_KEY and
OBJSRV_GATEWAY_SECRET_KEY are set. Identities are in etcd (OBJSRV_ETCD_ENDPOINTS), which any
number of gateways share; one gateway alone can keep them in a directory (--iam-dir).`,
		Example: "  OBJSRV_ETCD_ENDPOINTS=https://etcd:2379 objsrv gateway s3 https://ceph.example.com\n  objsrv gateway s3 http://127.0.0.1:8333 --iam-dir /var/lib/objsrv",
		RunE: func(cmd *cobra.Command, args []string) error {
			c, ignored, err := readGatewayConfig(cmd.Flags(), env, args)
			if err != nil {
				return err
			}
			return runProgram(cmd, env, c, ignored)
		},
	}
	addFlagsOf(s3.Flags(), gatewayMode)
	s3.Flags().SortFlags = false
	gateway.AddCommand(s3)
	return gateway
}

// checkGateway completes the configuration of a gateway and refuses what does not go together.
func (c *Config) checkGateway() error {
	g := &c.Gateway
	if g.Region == "" {
		g.Region = c.Region
	}
	if g.Endpoint == "" {
		g.Endpoint = "https://s3." + g.Region + ".amazonaws.com"
	}
	if (g.AccessKey == "") != (g.SecretKey == "") {
		return usagef("the upstream's access key and secret key: set both, OBJSRV_GATEWAY_ACCESS_KEY and OBJSRV_GATEWAY_SECRET_KEY, or none")
	}
	switch {
	case g.CacheDir == "" && c.given["GATEWAY_CACHE_SIZE"].from != "":
		return usagef("the size of a cache is set and no place for it: set --cache-dir, or unset --cache-size")
	case c.Etcd.used() && c.Dir != "":
		return usagef("identities are either in etcd or in --iam-dir: set one of them")
	case !c.Etcd.used() && c.Dir == "":
		return usagef("no place for identities: set OBJSRV_ETCD_ENDPOINTS, which several gateways can share, or --iam-dir DIR for one gateway alone")
	case c.Etcd.used() && (c.RootUser == "" || c.RootPassword == ""):
		return usagef("set OBJSRV_ROOT_USER and OBJSRV_ROOT_PASSWORD, the same at each gateway")
	case g.AccessKey == "" && (c.RootUser == "" || c.RootPassword == ""):
		return usagef("set OBJSRV_ROOT_USER and OBJSRV_ROOT_PASSWORD to the upstream's keys, or set those apart as OBJSRV_GATEWAY_ACCESS_KEY and OBJSRV_GATEWAY_SECRET_KEY")
	}
	if g.AccessKey == "" {
		g.AccessKey, g.SecretKey = c.RootUser, c.RootPassword
	}
	return nil
}

// tls returns how the upstream's certificate is judged, nil for the system's way.
func (g *gatewayConfig) tls() (*tls.Config, error) {
	if g.CAFile == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(g.CAFile)
	if err != nil {
		return nil, fmt.Errorf("read the upstream's authorities: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s has no certificate", g.CAFile)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool}, nil
}

// openUpstream opens what keeps the objects of a gateway.
func (s *services) openUpstream() error {
	g := &s.config.Gateway
	t, err := g.tls()
	if err != nil {
		return err
	}
	report := func(err error) { s.log.Error("gateway", "error", err) }
	if s.records, err = openBucketRecords(s.iamDB, report); err != nil {
		return err
	}
	if g.CacheDir != "" {
		if s.cache, err = cache.Open(cache.Options{Dir: g.CacheDir, Size: g.CacheSize, Report: report}); err != nil {
			return err
		}
	}
	s.upstream, err = s3gw.Open(s3gw.Options{
		Endpoint: g.Endpoint, Region: g.Region, AccessKey: g.AccessKey, SecretKey: g.SecretKey, TLS: t,
		Owner: s.iam.Account(), Records: s.records, Map: g.Buckets, Cache: s.cache, Report: report,
	})
	if err != nil {
		return err
	}
	s.backend = s.upstream
	s.metrics.AddFigures("objsrv_gateway_", s.gatewayFigures)
	s.checkStore = s.checkUpstream
	// What it can do is learned now rather than by the first request. It need not be up yet.
	go func() {
		if caps, err := s.upstream.Capabilities(context.Background()); err != nil {
			s.log.Warn("the upstream can't be reached; it is asked again when it is needed", "upstream", g.Endpoint, "error", err)
		} else {
			s.log.Info("upstream", "endpoint", g.Endpoint, "abilities", caps)
		}
		if missing, err := s.upstream.Missing(context.Background()); err == nil && len(missing) > 0 { // what can't be asked now shows with the first request
			s.log.Error("the map of buckets names buckets of the upstream that are not there: make them there", "buckets", missing)
		}
	}()
	return nil
}

// gatewayFigures are a gateway's own for the metrics.
func (s *services) gatewayFigures() []metrics.Stat {
	counter := func(name, help string, v int64) metrics.Stat {
		return metrics.Stat{Name: name + "_total", Help: help, Counter: true, Value: float64(v)}
	}
	st := s.upstream.Stats()
	list := []metrics.Stat{
		counter("upstream_requests", "Requests to the upstream.", st.Requests),
		counter("upstream_unanswered", "Requests to the upstream without an answer.", st.Unanswered),
		counter("upstream_failed", "Requests that the upstream answered with a status of 500 and above.", st.Failed),
		counter("upstream_repeated", "Requests to the upstream that were sent once more.", st.Repeated),
	}
	if s.cache == nil {
		return list
	}
	c := s.cache.Stats()
	return append(list,
		counter("cache_hits", "Reads that were given a copy.", c.Hits),
		counter("cache_misses", "Reads of what there was no copy of.", c.Misses),
		counter("cache_stale", "Copies that were no longer what the upstream has.", c.Stale),
		counter("cache_damaged", "Copies that the disk had changed or lost.", c.Damaged),
		counter("cache_evicted", "Copies that had to make room.", c.Evicted),
		counter("cache_hit_bytes", "Bytes that copies gave.", c.HitBytes),
		counter("cache_filled_bytes", "Bytes of copies that were made.", c.FilledBytes),
		metrics.Stat{Name: "cache_entries", Help: "Copies.", Value: float64(c.Entries)},
		metrics.Stat{Name: "cache_bytes", Help: "Bytes of all copies, of those too that are being made.", Value: float64(c.Bytes)},
	)
}

// gatewayWarnings say what people should know of how this gateway keeps identities.
func (s *services) gatewayWarnings() []string {
	if s.upstream == nil || s.config.Etcd.used() {
		return nil
	}
	return []string{"identities are in " + s.config.Dir + ", for this gateway alone; with etcd (OBJSRV_ETCD_ENDPOINTS) several gateways share them"}
}

// checkUpstream tells whether a gateway can serve.
func (s *services) checkUpstream(ctx context.Context) error {
	if err := s.iam.Fresh(); err != nil {
		return err
	}
	return s.upstream.Check(ctx)
}
