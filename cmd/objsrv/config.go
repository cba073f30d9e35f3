package main

import (
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/internal/httpd"
	"github.com/objsrv/objsrv/internal/keyring"
	"github.com/objsrv/objsrv/s3api"
	"github.com/objsrv/objsrv/sts/ldap"
	"github.com/objsrv/objsrv/sts/oidc"
	"github.com/objsrv/objsrv/sts/plugin"
)

// Config is everything that can be set about a server. Each field names its flag and its
// variable OBJSRV_NAME; where MinIO has one too, that works as well. A flag wins over
// a variable. Setting both variables of one thing to different values is refused.
type Config struct {
	// Dir holds the data, and is made when missing. One directory: the argument of
	// `server`, OBJSRV_VOLUMES or MINIO_VOLUMES. Of a gateway without etcd it holds the identities:
	// --iam-dir, OBJSRV_IAM_DIR.
	Dir string
	// Address to serve S3 on, host:port; ":9000" by default, port 0 for any free one.
	// --address, OBJSRV_ADDRESS, MINIO_ADDRESS.
	Address string
	// ConsoleAddress of the web console beside S3's, which has it too; empty by default: no listener.
	// --console-address, OBJSRV_CONSOLE_ADDRESS, MINIO_CONSOLE_ADDRESS.
	ConsoleAddress string
	// CertsDir holds public.crt and private.key, and subdirectories with further pairs
	// that are chosen by server name. Empty: plain HTTP. --certs-dir, OBJSRV_CERTS_DIR.
	CertsDir string
	// Domains are base domains of virtual-host-style requests (bucket.DOMAIN).
	// --domain, several times or with commas, OBJSRV_DOMAIN, MINIO_DOMAIN.
	Domains []string
	// Region that signatures must name; "us-east-1" by default.
	// --region, OBJSRV_REGION, MINIO_REGION, MINIO_SITE_REGION, MINIO_REGION_NAME.
	Region string
	// SiteName labels the server in what it tells when it starts; none by default.
	// OBJSRV_SITE_NAME, MINIO_SITE_NAME.
	SiteName string
	// RootUser and RootPassword are the access key and the secret key that may do
	// everything. Without a password the one in DIR/root.json is used, which the first
	// start makes. The user is "admin" by default. OBJSRV_ROOT_USER, OBJSRV_ROOT_PASSWORD, the same as MINIO_*, and each
	// with _FILE for a file that holds the value. No flags: others can read a command line.
	RootUser, RootPassword string
	// SessionDuration, when it is set, is that of every session, whatever its client asks for.
	// --sts-duration, OBJSRV_STS_DURATION, MINIO_STS_DURATION.
	SessionDuration time.Duration
	// OpenID are the OpenID Connect providers whose users log in. OBJSRV_IDENTITY_OPENID_SETTING,
	// MINIO_IDENTITY_OPENID_SETTING, and _NAME behind it for further ones; docs/openid.md.
	OpenID []oidc.Config
	// LDAP is the directory whose people log in, nil without one. OBJSRV_IDENTITY_LDAP_SETTING,
	// MINIO_IDENTITY_LDAP_SETTING; docs/ldap.md.
	LDAP *ldap.Config
	// ClientCerts has the listeners ask clients for certificates, for which there are sessions, and
	// ClientCertsUnverified takes them whoever has issued them, which is for tests alone; both off by
	// default. OBJSRV_IDENTITY_TLS_ENABLE, OBJSRV_IDENTITY_TLS_SKIP_VERIFY, the same as MINIO_*.
	ClientCerts, ClientCertsUnverified bool
	// Plugin is a program that knows whose the tokens are that others don't understand; none without
	// its URL. OBJSRV_IDENTITY_PLUGIN_URL, _AUTH_TOKEN (or _AUTH_TOKEN_FILE), _ROLE_POLICY, _ROLE_ID, the
	// same as MINIO_*, and OBJSRV_IDENTITY_PLUGIN_CA_FILE.
	Plugin plugin.Config
	// identities are the settings of identity providers as they were given.
	identities map[string][]identitySetting
	// Etcd holds the identities instead of the file in Dir, for several servers. OBJSRV_ETCD_ENDPOINTS,
	// _PATH_PREFIX, _USERNAME, _PASSWORD (or _PASSWORD_FILE), _CA_FILE, _CLIENT_CERT, _CLIENT_CERT_KEY, MinIO's of the same
	// names, and OBJSRV_ETCD_TRUST: how long what is in memory counts while etcd can't be reached.
	Etcd etcdConfig
	// RootKey is the key that other keys of encryption are sealed with, and the default one, as NAME:KEY with the base64
	// of 32 bytes; without one the keys lie in DIR/keys.json in the clear. No flag: others can read a command line.
	// OBJSRV_KMS_SECRET_KEY, MINIO_KMS_SECRET_KEY, and each with _FILE for a file that holds the value; docs/encryption.md.
	RootKey *keyring.Root
	// Vault keeps the keys of encryption instead of DIR/keys.json: HashiCorp Vault or OpenBao with its transit engine.
	// OBJSRV_KMS_VAULT_ENDPOINT, _MOUNT, _NAMESPACE, _KEY, _TOKEN (or _TOKEN_FILE), or _ROLE_ID and _SECRET_ID (or
	// _SECRET_ID_FILE), _CA_FILE.
	Vault vaultConfig
	// KES keeps them: MinIO KES. OBJSRV_KMS_KES_ENDPOINT (several with commas), _KEY_NAME, _API_KEY (or _API_KEY_FILE), or
	// _CERT_FILE, _KEY_FILE and _KEY_PASSWORD (or _KEY_PASSWORD_FILE), _CAPATH, MinIO's of the same names.
	KES kesConfig
	// AutoEncrypt encrypts (SSE-S3) what neither a request nor the bucket's default says anything of; off by default.
	// OBJSRV_KMS_AUTO_ENCRYPTION, MINIO_KMS_AUTO_ENCRYPTION.
	AutoEncrypt bool
	// Compression of objects that shrink, off by default: of keys with these extensions, or content of these types. Encrypted
	// objects are left out unless it says so. OBJSRV_COMPRESSION_ENABLE, _EXTENSIONS,
	// _MIME_TYPES, _ALLOW_ENCRYPTION, the same as MINIO_*.
	Compression s3api.Compression
	// LifecycleDay is how long a day of lifecycle rules is, 24h by default; shorter ones are for tests.
	// --lifecycle-day, OBJSRV_LIFECYCLE_DAY.
	LifecycleDay time.Duration
	// Gateway says what a gateway stands before: the argument of `gateway s3` or OBJSRV_GATEWAY_ENDPOINT, AWS by default;
	// OBJSRV_GATEWAY_ACCESS_KEY and _SECRET_KEY (or _FILE; AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY work, too), root's by
	// default; --gateway-region, OBJSRV_GATEWAY_REGION; --gateway-ca-file, OBJSRV_GATEWAY_CA_FILE; --bucket-map, OBJSRV_GATEWAY_BUCKETS.
	Gateway gatewayConfig
	// Migrate says which S3 server is moved from: --migrate-from, OBJSRV_MIGRATE_FROM; OBJSRV_MIGRATE_ACCESS_KEY and _SECRET_KEY (or
	// _FILE), root's by default; --migrate-region, --migrate-ca-file, --migrate-rate, --migrate-workers, --migrate-abandon, and the
	// variables behind them; docs/migration.md.
	Migrate migrateConfig
	// Notify are the targets that buckets may send events to. OBJSRV_NOTIFY_KIND_SETTING, MINIO_NOTIFY_KIND_SETTING, and
	// _ID behind it for further ones; docs/events.md. NotifyAllow are networks of this machine, or link-local, in which
	// they may be all the same; none by default. --notify-allow, several times or with commas, OBJSRV_NOTIFY_ALLOW.
	Notify      []*notifyTarget
	NotifyAllow []netip.Prefix
	// SigV2 takes what is signed with version 2: presigned URLs and POST forms, which boto3 and version 1 of
	// the aws command line make unless told signature_version = s3v4, and the headers of old clients; off by
	// default. --sigv2, OBJSRV_SIGV2.
	SigV2 bool
	// ObjectOwnership of buckets that have no setting of their own: BucketOwnerEnforced (the
	// default: no access control lists), BucketOwnerPreferred or ObjectWriter.
	// --object-ownership, OBJSRV_OBJECT_OWNERSHIP.
	ObjectOwnership string
	// CORSOrigins may read what is answered about buckets that have no CORS configuration of their own: "*"
	// or origins such as https://app.example.com, with one wildcard at most; none by default, where MinIO has all.
	// --cors-allow-origin, several times or with commas, OBJSRV_CORS_ALLOW_ORIGIN, MINIO_API_CORS_ALLOW_ORIGIN.
	CORSOrigins []string
	// Browser tells whether there is a web console; on by default. OBJSRV_BROWSER, MINIO_BROWSER.
	Browser bool
	// Console is what can be set about it.
	Console consoleConfig
	// MetricsPublic serves metrics without authentication.
	// --metrics-public, OBJSRV_METRICS_PUBLIC, MINIO_PROMETHEUS_AUTH_TYPE=public.
	MetricsPublic bool
	// AccessLog gets one JSON line for each request: "stdout", "stderr", or a file, which
	// is appended to and opened anew on SIGHUP; "off" by default.
	// --access-log, OBJSRV_ACCESS_LOG.
	AccessLog string
	// TrustedProxies are addresses and networks whose X-Forwarded-For and
	// X-Forwarded-Proto are believed; none by default. --trusted-proxies, OBJSRV_TRUSTED_PROXIES.
	TrustedProxies httpd.Proxies
	// MaxConnections per listener; further ones wait. 20000 by default.
	// --max-connections, OBJSRV_MAX_CONNECTIONS.
	MaxConnections int
	// Limits bound how many S3 requests are served at once; none by default. Further ones of all clients wait up to a
	// deadline, 10s by default, those of one client address are refused at once.
	// --api-requests-max, OBJSRV_API_REQUESTS_MAX, MINIO_API_REQUESTS_MAX; --api-requests-deadline,
	// OBJSRV_API_REQUESTS_DEADLINE, MINIO_API_REQUESTS_DEADLINE; --api-requests-per-address, OBJSRV_API_REQUESTS_PER_ADDRESS.
	Limits s3api.Limits
	// DrainTimeout is how long running requests may take to finish after SIGTERM; 20s by
	// default. --drain-timeout, OBJSRV_DRAIN_TIMEOUT.
	DrainTimeout time.Duration

	given  map[string]given  // what was given at the start, by the setting's name
	stored map[string]string // what administrators have stored and is in force, by setting.stored
}

// setting connects a field of Config with its names.
type setting struct {
	name   string   // OBJSRV_ + name
	minio  []string // MinIO's variables for it
	flag   string   // "" for none
	usage  string
	def    string // default, as it would be typed
	list   bool   // several flags add up
	yes    bool   // a flag without value means "on"
	secret bool   // may come from a file named by the variable + _FILE, and is not shown
	set    func(*Config, string) error
	stored string // "SUBSYSTEM KEY" by which `mc admin config` sets it; "" when it can't
	only   string // the command that has it; "" for all that serve
	kind   string // of a stored one, as its help tells: string, boolean
}

// settings returns all of them, in the order of help and documentation.
func settings() []setting {
	return append([]setting{
		{name: "VOLUMES", minio: []string{"MINIO_VOLUMES"}, set: setDir, only: serverMode},
		{name: "ADDRESS", minio: []string{"MINIO_ADDRESS"}, flag: "address", def: ":9000",
			usage: "`host:port` to serve S3 on", set: func(c *Config, v string) (err error) {
				c.Address, err = parseAddress(v)
				return err
			}},
		{name: "CONSOLE_ADDRESS", minio: []string{"MINIO_CONSOLE_ADDRESS"}, flag: "console-address",
			usage: "`host:port` for the web console, which is on the S3 address as well", set: func(c *Config, v string) (err error) {
				c.ConsoleAddress, err = parseAddress(v)
				return err
			}},
		{name: "CERTS_DIR", minio: []string{"MINIO_CERTS_DIR"}, flag: "certs-dir",
			usage: "`directory` with public.crt and private.key; serves HTTPS", set: func(c *Config, v string) error {
				c.CertsDir = v
				return nil
			}},
		{name: "DOMAIN", minio: []string{"MINIO_DOMAIN"}, flag: "domain", list: true,
			usage: "base `domain` of requests to bucket.DOMAIN; may be repeated", set: setDomains},
		{name: "REGION", minio: []string{"MINIO_REGION", "MINIO_SITE_REGION", "MINIO_REGION_NAME"}, flag: "region", def: "us-east-1",
			usage: "`region` that clients must sign for", set: setRegion, stored: "site region", kind: "string"},
		{name: "SITE_NAME", minio: []string{"MINIO_SITE_NAME"}, usage: "name of the server, which it tells when it starts", set: setSiteName, stored: "site name", kind: "string"},
		{name: "ROOT_USER", minio: []string{"MINIO_ROOT_USER", "MINIO_ACCESS_KEY"}, secret: true, set: setRootUser},
		{name: "ROOT_PASSWORD", minio: []string{"MINIO_ROOT_PASSWORD", "MINIO_SECRET_KEY"}, secret: true, set: setRootPassword},
		{name: "OBJECT_OWNERSHIP", flag: "object-ownership", def: s3api.OwnerEnforced,
			usage:  "`setting` of buckets without one: BucketOwnerEnforced, BucketOwnerPreferred or ObjectWriter",
			stored: "api object_ownership", kind: "string", set: func(c *Config, v string) error {
				if v != s3api.OwnerEnforced && v != s3api.OwnerPreferred && v != s3api.ObjectWriter {
					return fmt.Errorf("%q is none of BucketOwnerEnforced, BucketOwnerPreferred and ObjectWriter", v)
				}
				c.ObjectOwnership = v
				return nil
			}},
		{name: "STS_DURATION", minio: []string{"MINIO_STS_DURATION"}, flag: "sts-duration",
			usage: "`time` that every session lasts, such as 12h, whatever is asked for", set: func(c *Config, v string) (err error) {
				c.SessionDuration, err = time.ParseDuration(v)
				if err != nil || c.SessionDuration < iam.MinSession || c.SessionDuration > iam.MaxSession {
					return fmt.Errorf("%q is not a duration from 15m to 8760h", v)
				}
				return nil
			}},
		{name: "SIGV2", flag: "sigv2", def: "off", yes: true,
			usage:  "take requests, presigned URLs and POST forms of signature version 2",
			stored: "api sigv2", kind: "on|off", set: func(c *Config, v string) (err error) {
				c.SigV2, err = parseSwitch(v)
				return err
			}},
		{name: "CORS_ALLOW_ORIGIN", minio: []string{"MINIO_API_CORS_ALLOW_ORIGIN"}, flag: "cors-allow-origin", list: true,
			usage:  "`origins` whose pages may use buckets that have no CORS configuration; * for all",
			stored: "api cors_allow_origin", kind: "csv", set: setCORSOrigins},
		{name: "BROWSER", minio: []string{"MINIO_BROWSER"}, def: "on", set: func(c *Config, v string) (err error) {
			c.Browser, err = parseSwitch(v)
			return err
		}},
		{name: "METRICS_PUBLIC", minio: []string{"MINIO_PROMETHEUS_AUTH_TYPE"}, flag: "metrics-public", def: "off", yes: true,
			usage: "serve metrics without authentication", set: func(c *Config, v string) (err error) {
				switch v {
				case "public":
					v = "on"
				case "jwt":
					v = "off"
				}
				c.MetricsPublic, err = parseSwitch(v)
				return err
			}},
		{name: "ACCESS_LOG", flag: "access-log", def: "off",
			usage: "`where` to write a JSON line for each request: stdout, stderr or a file", set: func(c *Config, v string) error {
				c.AccessLog = v
				return nil
			}},
		{name: "TRUSTED_PROXIES", flag: "trusted-proxies", list: true,
			usage: "`networks` whose X-Forwarded-For is believed, such as 10.0.0.0/8", set: func(c *Config, v string) (err error) {
				c.TrustedProxies, err = httpd.ParseProxies(v)
				return err
			}},
		{name: "MAX_CONNECTIONS", flag: "max-connections", def: "20000",
			usage: "`number` of connections served at once", set: func(c *Config, v string) (err error) {
				if c.MaxConnections, err = strconv.Atoi(v); err != nil || c.MaxConnections < 1 {
					return fmt.Errorf("%q is not a number above 0", v)
				}
				return nil
			}},
		{name: "DRAIN_TIMEOUT", flag: "drain-timeout", def: "20s",
			usage: "`time` that running requests have to finish after SIGTERM", set: func(c *Config, v string) (err error) {
				if c.DrainTimeout, err = time.ParseDuration(v); err != nil || c.DrainTimeout < 0 {
					return fmt.Errorf("%q is not a duration such as 20s", v)
				}
				return nil
			}},
	}, slices.Concat(consoleSettings(), identitySettings(), etcdSettings(), ofServer(encryptionSettings()), ofServer(vaultSettings()), ofServer(kesSettings()), ofServer(migrateSettings()), ofServer(lifecycleSettings()), limitSettings(), gatewaySettings(), notifySettings())...)
}

// ofServer are settings that `server` alone has: content is coded where it is stored.
func ofServer(list []setting) []setting {
	for i := range list {
		list[i].only = serverMode
	}
	return list
}

func setDir(c *Config, v string) error {
	dirs := strings.Fields(v)
	if len(dirs) > 1 {
		return errSeveral
	}
	return c.setDir(v)
}

// errSeveral says what to do instead of giving several directories.
var errSeveral = usagef("one directory is served: put several drives below it with RAID or ZFS, " +
	"and for several machines use a distributed S3 engine (Ceph, SeaweedFS, Garage) behind `objsrv gateway s3`")

// ellipses is MinIO's notation for several drives or machines.
var ellipses = regexp.MustCompile(`\{[0-9A-Za-z]+\.\.\.[0-9A-Za-z]+\}`)

func (c *Config) setDir(dir string) error {
	switch {
	case dir == "":
		return usagef("the directory's name is empty")
	case ellipses.MatchString(dir):
		return errSeveral
	case strings.Contains(dir, "://"):
		return usagef("%s is a URL: objsrv serves one local directory; for several machines use a distributed S3 engine "+
			"(Ceph, SeaweedFS, Garage) behind `objsrv gateway s3`", dir)
	}
	c.Dir = dir
	return nil
}

func setDomains(c *Config, v string) error {
	c.Domains = nil
	for d := range strings.SplitSeq(v, ",") {
		d = strings.ToLower(strings.Trim(strings.TrimSpace(d), "."))
		switch {
		case d == "":
			continue
		case net.ParseIP(d) != nil || strings.ContainsAny(d, ":/ *"):
			return fmt.Errorf("%q is not a domain name", d)
		}
		c.Domains = append(c.Domains, d)
	}
	return nil
}

// regionName is what may stand in the scope of a signature.
var regionName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

func setRegion(c *Config, v string) error {
	if !regionName.MatchString(v) {
		return fmt.Errorf("%q is not a region name", v)
	}
	c.Region = v
	return nil
}

func setCORSOrigins(c *Config, v string) error {
	c.CORSOrigins = nil
	for o := range strings.SplitSeq(v, ",") {
		if o = strings.TrimSpace(o); o == "" {
			continue
		}
		if err := s3api.CheckOrigin(o); err != nil {
			return err
		}
		c.CORSOrigins = append(c.CORSOrigins, o)
	}
	return nil
}

// siteName is what MinIO takes for one.
var siteName = regexp.MustCompile(`^[a-z][a-z0-9-]{1,63}$`)

func setSiteName(c *Config, v string) error {
	if !siteName.MatchString(v) {
		return fmt.Errorf("%q is not a site name such as cal-rack0: a small letter, then small letters, digits and hyphens", v)
	}
	c.SiteName = v
	return nil
}

func setRootUser(c *Config, v string) error {
	c.RootUser = v
	return iam.CheckAccessKey(v)
}

func setRootPassword(c *Config, v string) error {
	c.RootPassword = v
	return iam.CheckSecret(v)
}

// parseAddress checks host:port; a bare port number is refused with what was meant.
func parseAddress(v string) (string, error) {
	host, port, err := net.SplitHostPort(v)
	if err != nil {
		if _, err := strconv.ParseUint(v, 10, 16); err == nil {
			return "", fmt.Errorf("%q has no colon: write \":%s\"", v, v)
		}
		return "", fmt.Errorf("%q is not host:port", v)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "", fmt.Errorf("%q: the port is not a number from 0 to 65535", v)
	}
	return net.JoinHostPort(host, port), nil
}

func parseSwitch(v string) (bool, error) {
	switch strings.ToLower(v) {
	case "on", "true", "1", "yes":
		return true, nil
	case "off", "false", "0", "no":
		return false, nil
	}
	return false, fmt.Errorf("%q is neither on nor off", v)
}
