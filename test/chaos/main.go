// Command chaos kills parts of a deployment under load and looks for what is lost: an etcd member (the leader), a
// volume server of SeaweedFS, a gateway, each with SIGKILL, and starts them again. Clients behind the load
// balancer put unique contents, read some of what was acknowledged, and ask for sessions, which they use at another
// gateway than the one that issued them. At the end each acknowledged object is read and compared byte for byte.
// Before that, how many sessions the gateways issue a second is measured beside etcd's own commits.
//
// cluster.sh starts the deployment; run.sh is how this program is called.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/objsrv/objsrv/test/internal/harness"
)

func main() {
	t := &test{}
	var gateways, etcd string
	flag.StringVar(&t.run, "run", "", "`directory` with NAME.sh and NAME.pid of each process")
	flag.StringVar(&t.endpoint, "endpoint", "", "`host:port` of the load balancer")
	flag.StringVar(&gateways, "gateways", "", "`URLs` of the gateways, with commas")
	flag.StringVar(&etcd, "etcd", "", "`URLs` of the members of etcd, with commas")
	flag.StringVar(&t.master, "master", "", "`host:port` of SeaweedFS's master")
	flag.StringVar(&t.access, "access", "", "access `key` of a user with the policy readwrite")
	flag.StringVar(&t.secret, "secret", "", "its secret `key`")
	flag.DurationVar(&t.quiet, "quiet", 10*time.Second, "load without a fault, before the first and after each")
	flag.DurationVar(&t.down, "down", 15*time.Second, "how long what was killed stays away")
	flag.DurationVar(&t.limit, "limit", 30*time.Second, "the longest gap between two successes that is accepted")
	flag.BoolVar(&t.selftest, "selftest", false, "kill nothing; damage what was stored, and succeed only if that is noticed")
	flag.DurationVar(&t.rate, "rate", 5*time.Second, "how long each rate is measured; 0 for not at all")
	flag.Parse()
	t.gateways, t.etcd = strings.Split(gateways, ","), strings.Split(etcd, ",")
	report := &harness.Report{}
	do := t.chaos
	if t.selftest {
		do = t.selfTest
	}
	if err := do(report); err != nil {
		report.Check("chaos", err)
	}
	report.Finish()
}

// test is one run.
type test struct {
	run, endpoint, master, access, secret string
	gateways, etcd                        []string
	quiet, down, limit, rate              time.Duration
	selftest                              bool

	log   log
	acked acked
}

func (t *test) chaos(report *harness.Report) error {
	ctx := context.Background()
	l, err := t.startLoad(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	time.Sleep(t.quiet) // the length of the load, not a wait for something
	faults := t.faults()
	for i := range faults {
		if err := t.inject(ctx, &faults[i]); err != nil {
			l.stop()
			return err
		}
	}
	l.stop()
	ended := time.Now()

	calm := t.log.between(began, faults[0].killed)
	report.Check("no fault: "+calm.String(), calm.failed())
	for i, f := range faults {
		end := ended
		if i+1 < len(faults) {
			end = faults[i+1].killed
		}
		t.judge(report, f, end)
	}
	all := t.log.between(began, ended)
	fmt.Printf("     all of it: %s\n", all)
	report.Check("no session is refused, by whichever gateway", all.refused())
	if t.rate > 0 {
		t.rates(ctx, report)
	}
	n, bytes, err := t.verify(ctx)
	report.Check(fmt.Sprintf("R-041: %d acknowledged objects, %d MB, are there byte for byte", n, bytes/1e6), err)
	return nil
}

// selfTest removes an object that was acknowledged, changes another, and lets a session be refused.
func (t *test) selfTest(report *harness.Report) error {
	ctx := context.Background()
	l, err := t.startLoad(ctx)
	if err != nil {
		return err
	}
	time.Sleep(t.quiet) // the length of the load, not a wait for something
	l.stop()
	c, err := t.client(t.endpoint, nil, "", "", "")
	if err != nil {
		return err
	}
	all := t.acked.all()
	if len(all) < 2 {
		return fmt.Errorf("%d objects were acknowledged", len(all))
	}
	lost, changed := all[0], all[len(all)-1]
	if err := c.RemoveObject(ctx, bucket, lost.key, minio.RemoveObjectOptions{}); err != nil {
		return err
	}
	other := content(1<<40, changed.size)
	if _, err := c.PutObject(ctx, bucket, changed.key, bytes.NewReader(other), int64(len(other)), minio.PutObjectOptions{DisableMultipart: true}); err != nil {
		return err
	}
	_, _, err = t.verify(ctx)
	for _, o := range []stored{lost, changed} {
		name := "an object that is lost or changed is noticed: " + o.key
		if err == nil || !strings.Contains(err.Error(), o.key) {
			report.Check(name, fmt.Errorf("the check says: %v", err))
		} else {
			report.Check(name, nil)
		}
	}
	now := time.Now()
	t.log.add("use elsewhere", statusError(http.StatusForbidden))
	end := time.Now().Add(time.Second)
	if s := t.log.between(now, end); s.refused() == nil || s.failed() == nil || t.log.gap("PUT", now, end) < time.Second {
		return errors.New("a refused session, or a gap, is not noticed")
	}
	report.Check("a refused session and a gap are noticed", nil)
	return nil
}

// judge reports what a fault did, from its kill to the next.
func (t *test) judge(report *harness.Report, f fault, end time.Time) {
	during, after := t.log.between(f.killed, end), t.log.between(f.healthy.Add(settle), end)
	fmt.Printf("     %s: %s; away %v, healthy %v after its start\n", f.name, during, f.started.Sub(f.killed).Round(time.Millisecond), f.healthy.Sub(f.started).Round(time.Millisecond))
	longest := time.Duration(0)
	for _, op := range operations {
		gap, last := t.log.gap(op, f.killed, end), during.lastError(op)
		recovery := "no error"
		if !last.IsZero() {
			recovery = fmt.Sprintf("the last error %v after the kill", last.Sub(f.killed).Round(time.Millisecond))
		}
		fmt.Printf("       %-12s longest gap %v, %s\n", op, gap.Round(time.Millisecond), recovery)
		longest = max(longest, gap)
	}
	var err error
	if longest > t.limit {
		err = fmt.Errorf("more than %v", t.limit)
	}
	report.Check(fmt.Sprintf("kill -9 %s: the longest gap is %v", f.name, longest.Round(time.Millisecond)), err)
	report.Check("kill -9 "+f.name+": no errors when it is back", after.failed())
}

// settle is how long after a part is healthy again errors are still its fault.
const settle = 3 * time.Second

// verify reads everything that was acknowledged.
func (t *test) verify(ctx context.Context) (n int, bytes int64, err error) {
	c, err := t.client(t.endpoint, nil, "", "", "")
	if err != nil {
		return 0, 0, err
	}
	var errs []error
	for _, o := range t.acked.all() {
		if err := o.check(ctx, c); err != nil {
			errs = append(errs, err)
		}
		n, bytes = n+1, bytes+int64(o.size)
	}
	if n == 0 {
		errs = append(errs, errors.New("nothing was acknowledged"))
	}
	if len(errs) > 5 {
		errs = append(errs[:5], fmt.Errorf("and %d more", len(errs)-5))
	}
	return n, bytes, errors.Join(errs...)
}

// busy tells whether others use this machine so much that a rate says nothing, and how much.
func busy() (load float64, yes bool) {
	b, _ := os.ReadFile("/proc/loadavg")
	fmt.Sscan(string(b), &load)
	return load, load > 4*float64(runtime.NumCPU())
}
