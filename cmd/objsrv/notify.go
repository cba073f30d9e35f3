package main

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/objsrv/objsrv/internal/notify"
	"github.com/objsrv/objsrv/internal/notify/amqp"
	"github.com/objsrv/objsrv/internal/notify/elasticsearch"
	"github.com/objsrv/objsrv/internal/notify/kafka"
	"github.com/objsrv/objsrv/internal/notify/mqtt"
	"github.com/objsrv/objsrv/internal/notify/mysql"
	"github.com/objsrv/objsrv/internal/notify/nats"
	"github.com/objsrv/objsrv/internal/notify/postgresql"
	"github.com/objsrv/objsrv/internal/notify/redis"
	"github.com/objsrv/objsrv/internal/notify/webhook"
	"github.com/objsrv/objsrv/storage"
)

// notifyVariable begins the names of the variables of targets of events, behind OBJSRV_ or MINIO_. The kind follows, a
// setting of it, and for every target of the kind but one _ID.
const notifyVariable = "NOTIFY_"

// Settings that all targets have.
const (
	notifyEnable  = "ENABLE"
	notifyDir     = "QUEUE_DIR"
	notifyLimit   = "QUEUE_LIMIT"
	notifyComment = "COMMENT"
)

const (
	// notifyFolder, in the data directory, has the queues of targets without QUEUE_DIR.
	notifyFolder       = "notify"
	defaultNotifyLimit = 100_000
	maxNotifyLimit     = 10_000_000
	// noID is how MinIO calls a target whose variables have no ID.
	noID = "_"
)

// notifyKinds are the kinds of targets that there are.
func notifyKinds() []notify.Kind {
	return []notify.Kind{webhook.Kind(), redis.Kind(), postgresql.Kind(), mysql.Kind(), nats.Kind(), kafka.Kind(), amqp.Kind(), mqtt.Kind(), elasticsearch.Kind()}
}

// notifyTarget is a target as it was set.
type notifyTarget struct {
	kind   notify.Kind
	id     string
	prefix string // of its variables, such as OBJSRV_NOTIFY_WEBHOOK_
	values map[string]string
	dir    string // QUEUE_DIR
	limit  int
}

func (t *notifyTarget) name() string { return t.kind.Name + ":" + t.id }

// variable is the name of a setting of the target.
func (t *notifyTarget) variable(key string) string {
	if t.id == noID {
		return t.prefix + key
	}
	return t.prefix + key + "_" + t.id
}

func notifySettings() []setting {
	return []setting{{name: "NOTIFY_ALLOW", flag: "notify-allow", list: true,
		usage: "`networks` that targets of events may be in although they are of this machine or link-local, such as 127.0.0.0/8", set: setNotifyAllow}}
}

func setNotifyAllow(c *Config, v string) error {
	c.NotifyAllow = nil
	for n := range strings.SplitSeq(v, ",") {
		if n = strings.TrimSpace(n); n == "" {
			continue
		}
		p, err := netip.ParsePrefix(n)
		if a, aerr := netip.ParseAddr(n); err != nil && aerr == nil {
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil {
			return fmt.Errorf("%q is no network such as 127.0.0.0/8", n)
		}
		c.NotifyAllow = append(c.NotifyAllow, p.Masked())
	}
	return nil
}

// notifyID is what may name a target in variables, ARNs and directories.
var notifyID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// readNotify reads the targets from the environment, and notes the names it has.
func (c *Config) readNotify(env environ, known map[string]bool) error {
	targets := map[string]*notifyTarget{}
	from := map[[2]string]string{}
	for _, variable := range slices.Sorted(maps.Keys(env)) {
		prefix, rest, _ := strings.Cut(variable, "_")
		rest, ours := strings.CutPrefix(rest, notifyVariable)
		if !ours || prefix != "OBJSRV" && prefix != "MINIO" || known[variable] || env[variable] == "" {
			continue
		}
		kind, key, id, err := notifyNames(rest)
		if err != nil {
			return usagef("%s: %v", variable, err)
		}
		known[variable] = true
		value := env[variable]
		if secret, ok := strings.CutSuffix(key, "_FILE"); ok && slices.Contains(kind.Secrets, secret) {
			if value, err = readSecretFile(variable, value); err != nil {
				return err
			}
			key = secret
		}
		t := targets[kind.Name+":"+id]
		if t == nil {
			t = &notifyTarget{kind: kind, id: id, prefix: prefix + "_" + notifyVariable + kind.Variable + "_", values: map[string]string{}}
			targets[t.name()] = t
		}
		at := [2]string{t.name(), key}
		if old := from[at]; old != "" && t.values[key] != value {
			return usagef("%s and %s are both set and differ: unset one of them", old, variable)
		}
		t.values[key], from[at] = value, variable
	}
	for _, name := range slices.Sorted(maps.Keys(targets)) {
		if err := c.addNotify(targets[name]); err != nil {
			return err
		}
	}
	return nil
}

// addNotify checks a target and takes it, unless it is switched off.
func (c *Config) addNotify(t *notifyTarget) error {
	s := notify.Settings{Values: t.values}
	on, err := s.Bool(notifyEnable)
	switch {
	case err != nil:
		return usagef("%s%v", t.prefix, err)
	case t.values[notifyEnable] == "":
		return usagef("%s is not set: the target %s is set up, and this must say on or off", t.variable(notifyEnable), t.name())
	case !on:
		return nil
	}
	if t.limit, err = s.Int(notifyLimit, defaultNotifyLimit, 1, maxNotifyLimit); err != nil {
		return usagef("target of events %s: %s%v", t.name(), t.prefix, err)
	}
	t.dir = filepath.Join(c.Dir, notifyFolder, t.kind.Name+"-"+t.id)
	if v := t.values[notifyDir]; v != "" {
		t.dir = filepath.Join(v, "objsrv-"+t.kind.Name+"-"+t.id)
	} else if c.Dir == "" {
		return usagef("%s is not set: a gateway whose identities are in etcd has no directory, and events must outlive it", t.variable(notifyDir))
	}
	target, err := c.newNotify(t)
	if err != nil {
		return usagef("target of events %s: %s%v", t.name(), t.prefix, err)
	}
	defer target.Close()
	guard := notify.Guard{Allow: c.NotifyAllow}
	for _, address := range target.Addresses() { // those that are names are judged when they have been looked up
		host, port, err := net.SplitHostPort(address)
		if host == "localhost" {
			host = "127.0.0.1"
		}
		if _, perr := netip.ParseAddr(host); err == nil && perr == nil {
			if err := guard.Check(net.JoinHostPort(host, port)); err != nil {
				return usagef("target of events %s: %v", t.name(), err)
			}
		}
	}
	c.Notify = append(c.Notify, t)
	return nil
}

func (c *Config) newNotify(t *notifyTarget) (notify.Target, error) {
	guard := notify.Guard{Allow: c.NotifyAllow}
	return t.kind.New(&notify.Settings{Values: t.values, Dial: guard.Dial})
}

// notifyNames splits KIND_KEY_ID; the longest key that fits is meant.
func notifyNames(rest string) (kind notify.Kind, key, id string, err error) {
	for _, kind := range notifyKinds() {
		after, ok := strings.CutPrefix(rest, kind.Variable+"_")
		if !ok {
			continue
		}
		keys := append([]string{notifyEnable, notifyDir, notifyLimit, notifyComment}, kind.Keys...)
		for _, s := range kind.Secrets {
			keys = append(keys, s+"_FILE")
		}
		for _, k := range keys {
			if tail, ok := strings.CutPrefix(after, k); ok && len(k) > len(key) && (tail == "" || strings.HasPrefix(tail, "_")) {
				key, id = k, strings.TrimPrefix(tail, "_")
			}
		}
		if key == "" {
			return kind, "", "", fmt.Errorf("there is no such setting; those of %s are %s", kind.Name, strings.Join(keys, ", "))
		}
		if id == "" {
			id = noID
		}
		if !notifyID.MatchString(id) {
			return kind, "", "", fmt.Errorf("the name of a target consists of at most 64 letters, digits and _ -")
		}
		return kind, key, id, nil
	}
	var names []string
	for _, kind := range notifyKinds() {
		names = append(names, kind.Variable)
	}
	return kind, "", "", fmt.Errorf("events go to %s; this kind of target is not implemented: unset it, and see docs/events.md", strings.Join(names, ", "))
}

// openNotify opens the targets; without any nothing runs.
func (s *services) openNotify() error {
	var list []notify.Config
	for _, t := range s.config.Notify {
		target, err := s.config.newNotify(t)
		if err != nil {
			for _, c := range list {
				c.Target.Close()
			}
			return fmt.Errorf("target of events %s: %w", t.name(), err)
		}
		list = append(list, notify.Config{Kind: t.kind.Name, ID: t.id, Target: target, Dir: t.dir, Limit: t.limit})
	}
	if len(list) == 0 {
		return nil
	}
	var err error
	s.notify, err = notify.Open(list, s.log)
	return err
}

// startNotify sends what waits, and what is to come. Buckets whose targets are gone are named once.
func (s *services) startNotify(h *host) error {
	ctx := context.Background()
	if s.notify != nil {
		s.notify.Start(ctx, s.s3.Expected)
		s.metrics.AddFigures("objsrv_notify_", s.notifyFigures)
	}
	if s.disk == nil {
		return nil // the upstream may be down, and is not needed for a start
	}
	return h.eachBucket(ctx, func(b *storage.Bucket) error {
		for _, target := range s.s3.NotificationTargets(b) {
			if s.notify == nil || !s.notify.Known(target) {
				s.log.Warn("a bucket sends events to a target that is not set: nobody gets them", "bucket", b.Name, "target", target)
			}
		}
		return nil
	})
}
