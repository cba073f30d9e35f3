package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/iam/config"
	"github.com/objsrv/objsrv/iam/store"
	"github.com/objsrv/objsrv/internal/httpd"
	"github.com/objsrv/objsrv/internal/lifecycle"
	"github.com/objsrv/objsrv/internal/metrics"
	"github.com/objsrv/objsrv/internal/notify"
	"github.com/objsrv/objsrv/internal/reqlog"
	"github.com/objsrv/objsrv/s3api"
	"github.com/objsrv/objsrv/storage"
	"github.com/objsrv/objsrv/storage/cache"
	"github.com/objsrv/objsrv/storage/fs"
	"github.com/objsrv/objsrv/storage/migrate"
	"github.com/objsrv/objsrv/storage/s3gw"
	"github.com/objsrv/objsrv/sts"
	"github.com/objsrv/objsrv/sts/ldap"
	"github.com/objsrv/objsrv/sts/oidc"
	"github.com/objsrv/objsrv/sts/plugin"
	"github.com/objsrv/objsrv/webui"
)

// iamFile, in the data directory, is the store of identities.
const iamFile = "iam.db"

// programFiles are the entries of the data directory that are not the store's.
var programFiles = []string{notifyFolder, rootFile, rootFile + tempSuffix, iamFile, iamFile + ".new", keysFile, keysFile + tempSuffix}

// services is everything behind the faces, in the order in which it is opened.
type services struct {
	config   *Config
	log      *slog.Logger
	metrics  *metrics.Metrics
	disk     *fs.Store      // nil in a gateway
	upstream *s3gw.Store    // nil but in a gateway
	records  *bucketRecords // of the upstream's buckets
	cache    *cache.Cache   // of the upstream's objects; nil without
	moving   *migrate.Store // nil without a migration
	backend  storage.Backend
	// checkStore tells whether the backend can serve.
	checkStore func(context.Context) error
	root       rootCredentials
	keys       namedKeys // nil in a gateway
	stopToken  func()    // ends what renews the token of a key server; nil in a gateway
	iamDB      store.Store
	iam        *iam.Service
	settings   *config.Service
	notify     *notify.Hub // nil without targets
	s3         *s3api.Server
	admin      http.Handler
	madmin     http.Handler
	sts        *sts.Service
	console    *webui.Console  // nil when it is switched off
	stsConfig  sts.Config      // of sts
	openID     *oidc.Providers // nil without any
	ldapDir    *ldap.Directory // nil without one
	stopLDAP   func()          // ends what asks the directory; nil without one
	plugin     *plugin.Plugin  // nil without one
	certs      *httpd.Certs    // nil without TLS
	// stopAccounts ends what looks accounts of OpenID Connect providers up; nil without.
	stopAccounts func()
	// lifecycle does the work of lifecycle rules; nil in a gateway.
	lifecycle *lifecycle.Runner

	checking sync.Mutex // held while fsck runs
}

// openServices opens the data directory, which it makes when missing.
// fatal is told, from any goroutine, when the store can't be written any more.
func openServices(c *Config, log *slog.Logger, m *metrics.Metrics, fatal func(error), h *host) (s *services, err error) {
	s = &services{config: c, log: log, metrics: m, certs: h.program.certs}
	defer func() {
		if err != nil {
			s.Close()
			s = nil
		}
	}()
	if c.Gateway.Endpoint == "" {
		// The store is first: its lock keeps a second server from everything else.
		if err = s.openDisk(fatal); err != nil {
			return s, err
		}
	}
	if err = s.openIAM(); err != nil {
		return s, err
	}
	c = s.config
	if err = s.openMigration(); err != nil {
		return s, err
	}
	if c.Gateway.Endpoint != "" {
		if err = s.openUpstream(); err != nil {
			return s, err
		}
	}
	conf := s3api.Config{Backend: s.backend, IAM: s.iam, Region: c.Region, Domains: c.Domains, SigV2: c.SigV2, ObjectOwnership: c.ObjectOwnership, CORSOrigins: c.CORSOrigins, Limits: c.Limits, Contained: c.Browser, Events: &h.events}
	if s.keys != nil { // a gateway stores content as it comes
		conf.Keys, conf.AutoEncrypt, conf.Compression = s.keys, c.AutoEncrypt, c.Compression
	}
	if err = s.openNotify(); err != nil {
		return s, err
	}
	if conf.Deployment = s.iam.Account(); s.notify != nil {
		conf.Notifier = s.notify
	}
	if s.disk != nil {
		if err = s.newLifecycle(); err != nil {
			return s, err
		}
		conf.Lifecycle = s.lifecycle
		conf.Capacity = s.capacity
	}
	s.s3 = s3api.New(conf)
	h.services = s
	if err = s.startNotify(h); err != nil {
		return s, err
	}
	s.madmin = newMadmin(s, h)
	if s.sts, err = s.newSTS(); err != nil {
		return s, err
	}
	s.admin = newAdminAPI(s, h)
	if err = s.endOrphans(context.Background()); err != nil {
		return s, err
	}
	if err = s.openConsole(); err != nil {
		return s, err
	}
	if err = s.startMigration(); err != nil {
		return s, err
	}
	if s.disk != nil {
		m.AddStore(s.backend, s.figures)
		s.lifecycle.Start()
	}
	return s, nil
}

// openDisk opens the embedded store of a server.
func (s *services) openDisk(fatal func(error)) (err error) {
	if s.disk, err = openStore(s.config, s.log, fatal); err != nil {
		return err
	}
	s.backend, s.checkStore = s.disk, s.checkDisk
	if s.keys, err = loadKeys(s.config); err != nil {
		return err
	}
	s.stopToken = s.keepToken()
	return nil
}

// openIAM settles root and opens the identities, with the settings that are stored beside them.
func (s *services) openIAM() (err error) {
	c := s.config
	if c.Dir != "" {
		if err = makeDurably(c.Dir); err != nil {
			return fmt.Errorf("make directory of identities: %w", err)
		}
	}
	if s.root, err = loadRoot(c); err != nil {
		return err
	}
	if s.iamDB, err = c.openIdentities(c.Dir); err != nil {
		return err
	}
	if err = s.takeStored(); err != nil {
		return err
	}
	s.iam, err = iam.Open(s.iamDB, iam.Options{
		RootUser: s.root.User, RootPassword: s.root.Password, Trust: c.trust(),
		Report: func(err error) { s.log.Error("identity store", "error", err) },
	})
	return err
}

// openStore opens the embedded store; fatal is told when it can write no more.
func openStore(c *Config, log *slog.Logger, fatal func(error)) (*fs.Store, error) {
	st, err := fs.Open(fs.Options{
		Dir: c.Dir, Known: programFiles, Day: c.LifecycleDay,
		OnDamage: func(err error) { log.Error("stored data is damaged; `objsrv fsck` names all of it", "error", err) },
		OnFatal:  fatal,
		OnError:  func(err error) { log.Error("store", "error", err) },
	})
	if errors.Is(err, fs.ErrInUse) {
		return nil, fmt.Errorf("%s is in use by another objsrv; stop that one, or give this one a directory of its own", c.Dir)
	}
	return st, err
}

// Close closes what has been opened, last first.
func (s *services) Close() error {
	var err error
	for _, stop := range []func(){s.stopLDAP, s.stopAccounts, s.stopToken} {
		if stop != nil {
			stop()
		}
	}
	if s.lifecycle != nil {
		s.lifecycle.Close()
	}
	if s.notify != nil {
		err = errors.Join(err, s.notify.Close())
	}
	if s.records != nil {
		s.records.close()
	}
	if s.iam != nil {
		err = errors.Join(err, s.iam.Close())
	}
	if s.iamDB != nil {
		err = errors.Join(err, s.iamDB.Close())
	}
	if s.backend != nil {
		if cerr := s.backend.Close(); cerr != nil {
			err = errors.Join(err, fmt.Errorf("close store: %w", cerr))
		}
	}
	if s.cache != nil {
		err = errors.Join(err, s.cache.Close())
	}
	return err
}

// warnings are about the credentials and the identity providers.
func (s *services) warnings() []string {
	return slices.Concat(s.rootWarnings(), s.openIDWarnings(), s.ldapWarnings(), s.identityWarnings(), s.keyWarnings(), s.lifecycleWarnings(), s.gatewayWarnings(), s.migrationWarnings())
}

func (s *services) rootWarnings() []string {
	if s.root.made {
		return nil
	}
	if why := iam.WeakSecret(s.root.User, s.root.Password); why != "" {
		return []string{"the root password is easy to guess: " + why + "; set a better OBJSRV_ROOT_PASSWORD"}
	}
	return nil
}

// capacity is the room of the disk, without what writes leave free.
func (s *services) capacity() (s3api.Capacity, bool) {
	d := driveOf(s.config.Dir)
	return s3api.Capacity{Total: int64(d.Total), Available: max(int64(d.Free)-s.disk.Stats().ReserveBytes, 0)}, d.Total > 0
}

// checkDisk tells whether the embedded store can serve.
func (s *services) checkDisk(ctx context.Context) error {
	if !s.disk.Stats().Available {
		return storage.ErrUnavailable
	}
	_, _, err := s.backend.ListBuckets(ctx, "", "", 1)
	return err
}

// figures are the store's own for the metrics.
func (s *services) figures() []metrics.Stat {
	st := s.disk.Stats()
	available := 0.0
	if st.Available {
		available = 1
	}
	counter := func(name, help string, v int64) metrics.Stat {
		return metrics.Stat{Name: name + "_total", Help: help, Counter: true, Value: float64(v)}
	}
	gauge := func(name, help string, v int64) metrics.Stat {
		return metrics.Stat{Name: name, Help: help, Value: float64(v)}
	}
	var done int64
	rules := s.lifecycle.Totals()
	for _, n := range rules.Actions {
		done += n
	}
	return []metrics.Stat{
		counter("lifecycle_actions", "Versions, delete markers and uploads that lifecycle rules have ended.", done),
		counter("lifecycle_bytes", "Content bytes of versions that lifecycle rules have removed for good.", rules.Bytes),
		counter("lifecycle_failures", "Deletions of lifecycle rules that failed and are tried again.", rules.Failed),
		counter("syncs", "Syncs of files and directories.", st.Syncs),
		counter("commits", "Commits of the index that were waited for.", st.Commits),
		counter("damaged_reads", "Reads that found stored data damaged.", st.Damaged),
		counter("blobs_created", "Blob files made.", st.BlobsCreated),
		gauge("blobs_reclaimable", "Blob files that wait to be unlinked.", st.BlobsReclaim),
		gauge("index_bytes", "Size of the index on the disk.", st.IndexBytes),
		gauge("index_files", "Files of the index.", st.IndexFiles),
		gauge("index_read_levels", "Levels of the index that a read may have to look at.", st.ReadAmp),
		gauge("log_bytes", "Size of the index's log.", st.WALBytes),
		gauge("memtable_bytes", "Memory of the index's newest records.", st.MemTableBytes),
		gauge("cache_bytes", "Block cache in use.", st.CacheBytes),
		counter("cache_hits", "Blocks found in the cache.", st.CacheHits),
		counter("cache_misses", "Blocks read from the disk.", st.CacheMisses),
		counter("compactions", "Compactions of the index.", st.Compactions),
		counter("compacted_bytes", "Bytes that compactions have written.", st.CompactedIn),
		gauge("free_bytes", "Free bytes of the disk, as last asked.", st.FreeBytes),
		gauge("reserved_bytes", "Bytes that writes leave free.", st.ReserveBytes),
		{Name: "available", Help: "1 while the store can be written.", Value: available},
	}
}

// admit answers a request that the sender may not make, and tells whether it may.
func (s *services) admit(w http.ResponseWriter, r *http.Request, action string) bool {
	id, err := s.s3.Authenticate(r)
	if err != nil || id == nil {
		reqlog.From(r.Context()).Code = "AccessDenied"
		httpd.Text(w, http.StatusForbidden, "access denied: sign the request with Signature Version 4 (service s3) as an administrator")
		return false
	}
	return s.allow(w, r, id, action)
}

// allow answers a request of id when the action is not allowed, and tells whether it is.
func (s *services) allow(w http.ResponseWriter, r *http.Request, id *iam.Identity, action string) bool {
	if !s.iam.Authorize(&iam.Request{Identity: id, Action: action, Conditions: requestConditions(r)}).Allowed {
		reqlog.From(r.Context()).Code = "AccessDenied"
		httpd.Text(w, http.StatusForbidden, "access denied: "+action+" is not allowed")
		return false
	}
	return true
}

// serveMetrics answers a scrape.
func (s *services) serveMetrics(w http.ResponseWriter, r *http.Request) {
	reqlog.From(r.Context()).Op = "Metrics"
	if r.Method != http.MethodGet {
		w.Header().Set("Allow", "GET")
		httpd.Text(w, http.StatusMethodNotAllowed, "method not allowed")
		return
	}
	if s.config.MetricsPublic || s.admitScrape(w, r) {
		s.metrics.Handler().ServeHTTP(w, r)
	}
}
