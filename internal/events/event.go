package events

import (
	"context"
	"fmt"
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
}

// Sink is who hands events on, to listeners and to the targets of their buckets. *s3api.Server is one.
type Sink interface {
	// Emit tells of something that no request has done, such as an expiry, once it is durable. Name, Bucket and Key
	// are needed; Version, Size and ETag as far as there are any, UserAgent says what has done it. The sink
	// sets the rest. An error means that a target of the bucket will not learn of it.
	Emit(ctx context.Context, e Event) error
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
		Remote string `json:"sourceIPAddress"`
	} `json:"requestParameters"`
	Response struct {
		RequestID string `json:"x-amz-request-id"`
		HostID    string `json:"x-amz-id-2"`
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
		UserAgent string `json:"userAgent"`
	} `json:"source"`
}

// Principal names who did something or owns it.
type Principal struct {
	ID string `json:"principalId"`
}

// Object is the object of a Record.
type Object struct {
	Key       string `json:"key"` // as it is: the streams of MinIO do not escape it
	Size      int64  `json:"size,omitempty"`
	ETag      string `json:"eTag,omitempty"`
	Version   string `json:"versionId,omitempty"`
	Sequencer string `json:"sequencer"` // larger, as text, for what happened later
}

// Message is what a listener gets for one event; Records has that one.
type Message struct {
	Records []Record `json:"Records"`
}

// Message returns e as listeners get it. The name keeps its "s3:", as in MinIO's streams.
func (e *Event) Message() Message {
	r := Record{EventVersion: "2.1", EventSource: "aws:s3", Region: e.Region, Time: e.Time.UTC().Format("2006-01-02T15:04:05.000Z"), Name: string(e.Name)}
	r.User.ID = e.Principal
	r.Request.Remote = e.Remote
	r.Source.Host, r.Source.UserAgent = e.Remote, e.UserAgent
	r.Response.RequestID, r.Response.HostID = e.RequestID, "objsrv"
	r.S3.Version = "1.0"
	r.S3.Configuration = "Config"
	r.S3.Bucket.Name, r.S3.Bucket.Owner.ID, r.S3.Bucket.ARN = e.Bucket, e.Owner, "arn:aws:s3:::"+e.Bucket
	r.S3.Object = Object{Key: e.Key, Size: e.Size, ETag: e.ETag, Version: e.Version, Sequencer: fmt.Sprintf("%016X", e.Sequence)}
	return Message{Records: []Record{r}}
}
