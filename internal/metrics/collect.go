package metrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/objsrv/objsrv/storage"
)

// scrapeTimeout bounds the questions of a scrape to the store.
const scrapeTimeout = 10 * time.Second

// bucketPage is how many buckets are asked for at once.
const bucketPage = 1000

var bucketLabel = []string{"bucket"}

// Descriptions of a bucket's counters.
var (
	descBytes    = prometheus.NewDesc("objsrv_bucket_bytes", "Content bytes of all object versions.", bucketLabel, nil)
	descObjects  = prometheus.NewDesc("objsrv_bucket_objects", "Current objects.", bucketLabel, nil)
	descVersions = prometheus.NewDesc("objsrv_bucket_versions", "Object versions, current ones included.", bucketLabel, nil)
	descMarkers  = prometheus.NewDesc("objsrv_bucket_delete_markers", "Delete markers.", bucketLabel, nil)
	descBuckets  = prometheus.NewDesc("objsrv_buckets", "Buckets.", nil, nil)
)

// usage collects the counters of buckets at a scrape.
type usage struct{ buckets storage.Buckets }

// Describe implements prometheus.Collector.
func (u *usage) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descBytes, descObjects, descVersions, descMarkers, descBuckets} {
		ch <- d
	}
}

// Collect implements prometheus.Collector. A store that can't tell makes the scrape fail.
func (u *usage) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	count, after := 0, ""
	for more := true; more; {
		var list []*storage.Bucket
		var err error
		list, more, err = u.buckets.ListBuckets(ctx, "", after, bucketPage)
		if err != nil {
			ch <- prometheus.NewInvalidMetric(descBuckets, err)
			return
		}
		for _, b := range list {
			after = b.Name
			n, err := u.buckets.Usage(ctx, b.Name)
			if err != nil {
				continue // deleted since it was listed, or the next scrape's ListBuckets tells
			}
			count++
			gauge := func(d *prometheus.Desc, v int64) {
				ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(v), b.Name)
			}
			gauge(descBytes, n.Bytes)
			gauge(descObjects, n.Objects)
			gauge(descVersions, n.Versions)
			gauge(descMarkers, n.Markers)
		}
		more = more && len(list) > 0
	}
	ch <- prometheus.MustNewConstMetric(descBuckets, prometheus.GaugeValue, float64(count))
}

// stats collects figures at a scrape.
type stats struct {
	prefix string
	read   func() []Stat
}

// Describe implements prometheus.Collector: which figures there are is their owner's affair.
func (s *stats) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (s *stats) Collect(ch chan<- prometheus.Metric) {
	for _, v := range s.read() {
		kind := prometheus.GaugeValue
		if v.Counter {
			kind = prometheus.CounterValue
		}
		ch <- prometheus.MustNewConstMetric(prometheus.NewDesc(s.prefix+v.Name, v.Help, nil, nil), kind, v.Value)
	}
}
