package madmin

import (
	"net/http"
	"os"
	"runtime"
	"strconv"
	"time"
)

// The states of a server and of a drive, as clients of MinIO read them.
const (
	stateOnline  = "online"
	stateOK      = "ok"
	stateOffline = "offline"
	// backendErasure is what clients show drives and capacity of. One drive without parity, EC:0, is the
	// truth of a server that keeps its data in one directory, and what MinIO says of one drive.
	backendErasure     = "Erasure"
	backendErasureType = 2
)

// infoMessage is the answer to ServerInfo.
type infoMessage struct {
	Mode          string                           `json:"mode"`
	Domain        []string                         `json:"domain,omitempty"`
	Region        string                           `json:"region,omitempty"`
	DeploymentID  string                           `json:"deploymentID"`
	Buckets       count                            `json:"buckets"`
	Objects       count                            `json:"objects"`
	Versions      count                            `json:"versions"`
	DeleteMarkers count                            `json:"deletemarkers"`
	Usage         sizeInfo                         `json:"usage"`
	SQSARN        []string                         `json:"sqsARN,omitempty"`
	Services      servicesInfo                     `json:"services"`
	Backend       backendInfo                      `json:"backend"`
	Servers       []serverInfo                     `json:"servers"`
	Pools         map[string]map[string]setSummary `json:"pools"`
}

// servicesInfo has the targets of events by kind and id, each in a list of one, as MinIO has them.
type servicesInfo struct {
	Notifications []map[string][]map[string]targetStatus `json:"notifications,omitempty"`
}

type targetStatus struct {
	Status string `json:"status"`
}

// targets tells of the targets of events, as the answer to ServerInfo has them.
func (m *infoMessage) targets(list []Target) {
	for i, t := range list {
		m.SQSARN = append(m.SQSARN, t.ARN)
		state := stateOffline
		if t.Online {
			state = stateOnline
		}
		if i == 0 || list[i-1].Kind != t.Kind {
			m.Services.Notifications = append(m.Services.Notifications, map[string][]map[string]targetStatus{t.Kind: nil})
		}
		kind := m.Services.Notifications[len(m.Services.Notifications)-1]
		kind[t.Kind] = append(kind[t.Kind], map[string]targetStatus{t.ID: {state}})
	}
}

type count struct {
	Count int64  `json:"count"`
	Error string `json:"error,omitempty"`
}

type sizeInfo struct {
	Size  int64  `json:"size"`
	Error string `json:"error,omitempty"`
}

type backendInfo struct {
	Type             string `json:"backendType"`
	OnlineDisks      int    `json:"onlineDisks"`
	OfflineDisks     int    `json:"offlineDisks"`
	StandardSCParity int    `json:"standardSCParity"`
	RRSCParity       int    `json:"rrSCParity"`
	TotalSets        []int  `json:"totalSets"`
	DrivesPerSet     []int  `json:"totalDrivesPerSet"`
}

type serverInfo struct {
	State          string            `json:"state"`
	Endpoint       string            `json:"endpoint"`
	Scheme         string            `json:"scheme"`
	Uptime         int64             `json:"uptime"`
	Version        string            `json:"version"`
	CommitID       string            `json:"commitID"`
	Network        map[string]string `json:"network"`
	Drives         []driveInfo       `json:"drives"`
	PoolNumber     int               `json:"poolNumber"`
	PoolNumbers    []int             `json:"poolNumbers"`
	MemStats       memStats          `json:"mem_stats"`
	GoMaxProcs     int               `json:"go_max_procs"`
	NumCPU         int               `json:"num_cpu"`
	RuntimeVersion string            `json:"runtime_version"`
	PID            int               `json:"pid"`
}

// memStats has the names of the Go runtime.
type memStats struct {
	Alloc, TotalAlloc, Mallocs, Frees, HeapAlloc uint64
}

type driveInfo struct {
	Endpoint   string `json:"endpoint"`
	Path       string `json:"path"`
	State      string `json:"state"`
	UUID       string `json:"uuid"`
	Major      uint32 `json:"major"`
	Minor      uint32 `json:"minor"`
	Total      uint64 `json:"totalspace"`
	Used       uint64 `json:"usedspace"`
	Free       uint64 `json:"availspace"`
	UsedInodes uint64 `json:"used_inodes"`
	FreeInodes uint64 `json:"free_inodes"`
	Local      bool   `json:"local"`
	PoolIndex  int    `json:"pool_index"`
	SetIndex   int    `json:"set_index"`
	DiskIndex  int    `json:"disk_index"`
}

type setSummary struct {
	ID            int    `json:"id"`
	RawUsage      uint64 `json:"rawUsage"`
	RawCapacity   uint64 `json:"rawCapacity"`
	Usage         int64  `json:"usage"`
	Objects       int64  `json:"objectsCount"`
	Versions      int64  `json:"versionsCount"`
	DeleteMarkers int64  `json:"deleteMarkersCount"`
	HealDisks     int    `json:"healDisks"`
}

// drive describes the one drive.
func (s *Server) drive() driveInfo {
	d := driveInfo{
		Endpoint: s.Drive.Path, Path: s.Drive.Path, State: stateOK, UUID: s.Deployment, Major: s.Drive.Major, Minor: s.Drive.Minor,
		Total: s.Drive.Total, Used: s.Drive.Used, Free: s.Drive.Free, UsedInodes: s.Drive.UsedInodes, FreeInodes: s.Drive.FreeInodes, Local: true,
	}
	if !s.Drive.Writable {
		d.State = stateOffline
	}
	return d
}

// drives tells how many of the drives are online and how many offline.
func (s *Server) drives() (online, offline int) {
	if s.Drive.Writable {
		return 1, 0
	}
	return 0, 1
}

// total adds up counters.
func total(list []BucketUsage) (t BucketUsage) {
	for _, b := range list {
		t.Objects += b.Objects
		t.Versions += b.Versions
		t.DeleteMarkers += b.DeleteMarkers
		t.Bytes += b.Bytes
		t.Unknown = t.Unknown || b.Unknown
	}
	return t
}

// serverInfo answers `mc admin info`. Its parameters choose how much and how fresh MinIO's answer
// is; here it is always whole and of now.
func (c *call) serverInfo() error {
	for _, name := range []string{"metrics", "no-cache"} {
		if _, err := c.flag(name); err != nil {
			return err
		}
	}
	s, err := c.Host.Server(c.ctx)
	if err != nil {
		return err
	}
	list, err := c.Host.Usage(c.ctx)
	if err != nil {
		return err
	}
	sum := total(list)
	unknown := ""
	if sum.Unknown {
		unknown = "not known in a gateway"
	}
	online, offline := s.drives()
	info := infoMessage{
		Mode: stateOnline, Domain: s.Domains, Region: s.Region, DeploymentID: s.Deployment,
		Buckets: count{Count: int64(len(list))}, Objects: count{sum.Objects, unknown}, Versions: count{sum.Versions, unknown}, DeleteMarkers: count{sum.DeleteMarkers, unknown},
		Usage:   sizeInfo{sum.Bytes, unknown},
		Backend: backendInfo{Type: backendErasure, OnlineDisks: online, OfflineDisks: offline, TotalSets: []int{1}, DrivesPerSet: []int{1}},
		Servers: []serverInfo{nodeInfo(&s)},
		Pools: map[string]map[string]setSummary{"0": {"0": {
			RawUsage: s.Drive.Used, RawCapacity: s.Drive.Total, Usage: sum.Bytes, Objects: sum.Objects, Versions: sum.Versions, DeleteMarkers: sum.DeleteMarkers,
		}}},
	}
	info.targets(c.Host.Targets(c.ctx))
	return c.reply(info)
}

func nodeInfo(s *Server) serverInfo {
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	return serverInfo{
		State: stateOnline, Endpoint: s.Node, Scheme: s.Scheme, Uptime: int64(time.Since(s.Started) / time.Second),
		Version: s.Version, CommitID: s.Commit, Network: map[string]string{s.Node: stateOnline}, Drives: []driveInfo{s.drive()},
		PoolNumber: 1, PoolNumbers: []int{1},
		MemStats:   memStats{mem.Alloc, mem.TotalAlloc, mem.Mallocs, mem.Frees, mem.HeapAlloc},
		GoMaxProcs: runtime.GOMAXPROCS(0), NumCPU: runtime.NumCPU(), RuntimeVersion: runtime.Version(), PID: os.Getpid(),
	}
}

// storageInfo is the answer to StorageInfo; the members have no other names in MinIO.
type storageInfo struct {
	Disks   []driveInfo
	Backend struct {
		Type               int
		GatewayOnline      bool
		OnlineDisks        map[string]int
		OfflineDisks       map[string]int
		StandardSCData     []int
		StandardSCParities []int
		RRSCData           []int
		RRSCParities       []int
		StandardSCParity   int
		RRSCParity         int
		TotalSets          []int
		DrivesPerSet       []int
	}
}

func (c *call) storageInfo() error {
	s, err := c.Host.Server(c.ctx)
	if err != nil {
		return err
	}
	out := storageInfo{Disks: []driveInfo{s.drive()}}
	online, offline := s.drives()
	b := &out.Backend
	b.Type = backendErasureType
	b.OnlineDisks, b.OfflineDisks = map[string]int{s.Node: online}, map[string]int{s.Node: offline}
	b.StandardSCData, b.StandardSCParities, b.RRSCData, b.RRSCParities = []int{1}, []int{0}, []int{1}, []int{0}
	b.TotalSets, b.DrivesPerSet = []int{1}, []int{1}
	return c.reply(out)
}

// dataUsage is the answer to DataUsageInfo.
type dataUsage struct {
	LastUpdate    time.Time              `json:"lastUpdate"`
	Objects       int64                  `json:"objectsCount"`
	Versions      int64                  `json:"versionsCount"`
	DeleteMarkers int64                  `json:"deleteMarkersCount"`
	Bytes         int64                  `json:"objectsTotalSize"`
	BucketsCount  int                    `json:"bucketsCount"`
	Buckets       map[string]bucketUsage `json:"bucketsUsageInfo"`
	BucketSizes   map[string]int64       `json:"bucketsSizes"` // deprecated in MinIO, and read by old clients
	Total         uint64                 `json:"capacity,omitempty"`
	Free          uint64                 `json:"freeCapacity,omitempty"`
	Used          uint64                 `json:"usedCapacity,omitempty"`
}

type bucketUsage struct {
	Bytes         int64 `json:"size"`
	Objects       int64 `json:"objectsCount"`
	Versions      int64 `json:"versionsCount"`
	DeleteMarkers int64 `json:"deleteMarkersCount"`
}

// dataUsageInfo answers from the store's counters, which are exact and of now: nothing is scanned.
func (c *call) dataUsageInfo() error {
	capacity, err := c.flag("capacity")
	if err != nil {
		return err
	}
	list, err := c.Host.Usage(c.ctx)
	if err != nil {
		return err
	}
	sum := total(list)
	if sum.Unknown {
		return &Refusal{Status: http.StatusNotImplemented, Code: "NotImplemented", Message: "A gateway does not know what the buckets of its upstream hold."}
	}
	out := dataUsage{
		LastUpdate: time.Now().UTC(), Objects: sum.Objects, Versions: sum.Versions, DeleteMarkers: sum.DeleteMarkers, Bytes: sum.Bytes, BucketsCount: len(list),
		Buckets: make(map[string]bucketUsage, len(list)), BucketSizes: make(map[string]int64, len(list)),
	}
	for _, b := range list {
		out.Buckets[b.Name] = bucketUsage{b.Bytes, b.Objects, b.Versions, b.DeleteMarkers}
		out.BucketSizes[b.Name] = b.Bytes
	}
	if capacity {
		s, err := c.Host.Server(c.ctx)
		if err != nil {
			return err
		}
		out.Total, out.Free, out.Used = s.Drive.Total, s.Drive.Free, s.Drive.Used
	}
	return c.reply(out)
}

// topLocks answers with no locks: this server's are held for the time of a commit, and none has a name.
func (c *call) topLocks() error {
	if v := c.param("count"); v != "" {
		if n, err := strconv.Atoi(v); err != nil || n < 0 {
			return invalid("The parameter count is a number.")
		}
	}
	if _, err := c.flag("stale"); err != nil {
		return err
	}
	return c.reply([]struct{}{})
}
