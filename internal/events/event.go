package events

import (
	"cmp"
	"fmt"
	"net/textproto"
	"net/url"
	"time"
)

// Event is one thing that happened to one object.
type Event struct {
	Name      Name
	Time      time.Time
	Region    string
	Principal string // unique id of who did it; "" for anonymous
	Remote    string // address of the client
	RequestID string
	UserAgent string // as the client calls itself
	Bucket    string
	Owner     string // account of the bucket
	Key       string
	Version   string // "" where the bucket has no versions
	Size      int64  // of what was created; else 0
	ETag      string // without quotes; "" when nothing is left to have one
	Sequence  uint64 // grows with each event of the server
	// ContentType and Metadata (x-amz-meta-*, lower case) are of an object that is there.
	ContentType string            `json:",omitempty"`
	Metadata    map[string]string `json:",omitempty"`
	Deployment  string            `json:",omitempty"` // id of the server
	Origin      string            `json:",omitempty"` // URL at which the client reached it
	Rule        string            `json:",omitempty"` // Id of the rule that sends it to a target
}

// Record is an Event in the form of the event message structure 2.1.
type Record struct {
	EventVersion string    `json:"eventVersion"`
	EventSource  string    `json:"eventSource"`
	Region       string    `json:"awsRegion"`
	Time         string    `json:"eventTime"`
	Name         string    `json:"eventName"`
	User         Principal `json:"userIdentity"`
	Request      struct {
		Principal string `json:"principalId"`
		Region    string `json:"region"`
		Remote    string `json:"sourceIPAddress"`
	} `json:"requestParameters"`
	Response struct {
		RequestID  string `json:"x-amz-request-id"`
		HostID     string `json:"x-amz-id-2"`
		Deployment string `json:"x-minio-deployment-id,omitempty"`
		Origin     string `json:"x-minio-origin-endpoint,omitempty"`
	} `json:"responseElements"`
	S3 struct {
		Version       string `json:"s3SchemaVersion"`
		Configuration string `json:"configurationId"`
		Bucket        struct {
			Name  string    `json:"name"`
			Owner Principal `json:"ownerIdentity"`
			ARN   string    `json:"arn"`
		} `json:"bucket"`
		Object Object `json:"object"`
	} `json:"s3"`
	Source struct { // MinIO's
		Host      string `json:"host"`
		Port      string `json:"port"` // empty, as in MinIO
		UserAgent string `json:"userAgent"`
	} `json:"source"`
}

// Principal names who did something or owns it.
type Principal struct {
	ID string `json:"principalId"`
}

// Object is the object of a Record.
type Object struct {
	Key         string            `json:"key"` // as it is to listeners, escaped as in a query to targets
	Size        int64             `json:"size,omitempty"`
	ETag        string            `json:"eTag,omitempty"`
	ContentType string            `json:"contentType,omitempty"`
	Metadata    map[string]string `json:"userMetadata,omitempty"`
	Version     string            `json:"versionId,omitempty"`
	Sequencer   string            `json:"sequencer"` // larger, as text, for what happened later
}

// Message is what a listener gets for one event; Records has that one.
type Message struct {
	Records []Record `json:"Records"`
}

// Message returns e as listeners get it. The name keeps its "s3:", as in MinIO's streams.
func (e *Event) Message() Message { return Message{Records: []Record{e.record(e.Key)}} }

// Log is a Message as targets get it, with what MinIO puts before its records.
type Log struct {
	Name    string   `json:"EventName"`
	Key     string   `json:"Key"` // BUCKET/KEY, as it is
	Records []Record `json:"Records"`
}

// Log returns e as targets get it: in the record the key is escaped as in a query, as S3 has it.
func (e *Event) Log() Log {
	return Log{Name: string(e.Name), Key: e.Bucket + "/" + e.Key, Records: []Record{e.record(url.QueryEscape(e.Key))}}
}

// Sequencer is Sequence as records have it.
func (e *Event) Sequencer() string { return fmt.Sprintf("%016X", e.Sequence) }

func (e *Event) record(key string) Record {
	r := Record{EventVersion: "2.1", EventSource: "aws:s3", Region: e.Region, Time: e.Time.UTC().Format("2006-01-02T15:04:05.000Z"), Name: string(e.Name)}
	r.User.ID = e.Principal
	r.Request.Principal, r.Request.Region, r.Request.Remote = e.Principal, e.Region, e.Remote
	r.Source.Host, r.Source.UserAgent = e.Remote, e.UserAgent
	r.Response.RequestID, r.Response.HostID, r.Response.Deployment, r.Response.Origin = e.RequestID, "objsrv", e.Deployment, e.Origin
	r.S3.Version = "1.0"
	r.S3.Configuration = cmp.Or(e.Rule, "Config")
	r.S3.Bucket.Name, r.S3.Bucket.Owner.ID, r.S3.Bucket.ARN = e.Bucket, e.Owner, "arn:aws:s3:::"+e.Bucket
	r.S3.Object = Object{Key: key, Size: e.Size, ETag: e.ETag, ContentType: e.ContentType, Version: e.Version, Sequencer: e.Sequencer()}
	if len(e.Metadata) > 0 || e.ContentType != "" {
		r.S3.Object.Metadata = e.userMetadata()
	}
	return r
}

// userMetadata spells metadata as MinIO does, which has the content type among it.
func (e *Event) userMetadata() map[string]string {
	out := make(map[string]string, len(e.Metadata)+1)
	for name, v := range e.Metadata {
		out[textproto.CanonicalMIMEHeaderKey(name)] = v
	}
	if e.ContentType != "" {
		out["content-type"] = e.ContentType
	}
	return out
}
