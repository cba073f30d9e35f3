package s3api

import (
	"encoding/xml"
	"net/http"
	"slices"
	"strings"

	"github.com/objsrv/objsrv/internal/events"
	"github.com/objsrv/objsrv/s3api/s3xml"
	"github.com/objsrv/objsrv/storage"
)

const (
	docNotification      = "notification"
	maxNotificationRules = 100 // S3 user guide, "Amazon S3 Event Notifications"
	maxFilterValue       = 1024
)

// notificationConfiguration is the document of PutBucketNotificationConfiguration (S3 API reference). Queues are what
// MinIO calls every kind of target.
type notificationConfiguration struct {
	XMLName     xml.Name             `xml:"NotificationConfiguration"`
	Queues      []queueConfiguration `xml:"QueueConfiguration"`
	Topics      []struct{}           `xml:"TopicConfiguration"`
	Functions   []struct{}           `xml:"CloudFunctionConfiguration"`
	EventBridge *struct{}            `xml:"EventBridgeConfiguration"`
}

type queueConfiguration struct {
	ID     string   `xml:"Id"`
	ARN    string   `xml:"Queue"`
	Events []string `xml:"Event"`
	Filter struct {
		Rules []filterRule `xml:"S3Key>FilterRule"`
	} `xml:"Filter"`
}

type filterRule struct {
	Name  string `xml:"Name"`
	Value string `xml:"Value"`
}

func getBucketNotification(c *call) error {
	b, err := c.needBucket()
	if err != nil {
		return err
	}
	if doc := b.Docs[docNotification]; doc != nil {
		return c.replyXML(http.StatusOK, doc)
	}
	return emptyDocument("NotificationConfiguration")(c)
}

func putBucketNotification(c *call) error {
	if _, err := c.needBucket(); err != nil {
		return err
	}
	var conf notificationConfiguration
	if err := c.readXML(maxXML, false, &conf); err != nil {
		return err
	}
	rules, err := conf.rules(c.s.Region)
	if err != nil {
		return err
	}
	for i := range rules {
		if c.s.Notifier == nil || !c.s.Notifier.Known(rules[i].Target) {
			return errTargetARN(conf.Queues[i].ARN)
		}
	}
	var doc []byte // none for no rules, which means the same
	if len(rules) > 0 {
		doc = conf.document()
	}
	if err := c.setDoc(docNotification, doc); err != nil {
		return err
	}
	return c.reply(http.StatusOK)
}

func errTargetARN(arn string) *Error {
	return errorf("InvalidArgument", "A specified destination ARN does not exist or is not well-formed. Verify the destination ARN.").
		with("ArgumentName", "Queue").with("ArgumentValue", arn)
}

func errNotification(format string, args ...any) *Error {
	return errorf("InvalidArgument", format, args...)
}

// rules checks the document, whatever targets there are, and returns its rules.
func (n *notificationConfiguration) rules(region string) ([]events.Rule, error) {
	switch {
	case len(n.Topics) > 0 || len(n.Functions) > 0:
		return nil, errorf("NotImplemented", "Topics and functions are not implemented as destinations of notifications: use QueueConfiguration with arn:minio:sqs:REGION:ID:KIND of a target of this server.")
	case n.EventBridge != nil:
		return nil, errorf("NotImplemented", "EventBridgeConfiguration is not implemented.")
	case len(n.Queues) > maxNotificationRules:
		return nil, errorf("MalformedXML", "A notification configuration has at most %d rules.", maxNotificationRules)
	}
	var out []events.Rule
	for i := range n.Queues {
		r, err := n.Queues[i].rule(region)
		if err != nil {
			return nil, err
		}
		for j := range out {
			if r.ID != "" && r.ID == out[j].ID {
				return nil, errNotification("Same ID used for multiple configurations. IDs must be unique.")
			}
			if r.Overlap(&out[j]) { // `mc event add --ignore-existing` knows it by its words
				return nil, errNotification("An object key name filtering rule defined with overlapping prefixes, overlapping suffixes, or overlapping combinations of prefixes and suffixes for the same event types.")
			}
		}
		out = append(out, r)
	}
	return out, nil
}

func (q *queueConfiguration) rule(region string) (r events.Rule, err error) {
	target, ok := events.ParseARN(q.ARN, region)
	if !ok {
		return r, errTargetARN(q.ARN)
	}
	r = events.Rule{ID: q.ID, Target: target}
	if len(q.ID) > 255 || len(q.Events) == 0 {
		return r, errMalformedXML()
	}
	for _, v := range q.Events {
		p, ok := events.ParsePattern(v)
		if !ok {
			return r, errNotification("A specified event is not supported for notifications.").with("ArgumentName", "Event").with("ArgumentValue", v)
		}
		if events.Overlap(r.Names, []events.Pattern{p}) {
			return r, errNotification("Configurations overlap. Configurations on the same bucket cannot share a common event type.")
		}
		r.Names = append(r.Names, p)
	}
	r.Prefix, r.Suffix, err = q.filter()
	return r, err
}

func (q *queueConfiguration) filter() (prefix, suffix string, err error) {
	seen := map[string]bool{}
	for i := range q.Filter.Rules {
		f := &q.Filter.Rules[i]
		f.Name = strings.ToLower(f.Name) // AWS answers with capitals and takes both
		switch {
		case f.Name != "prefix" && f.Name != "suffix":
			return "", "", errNotification("filter rule name must be either prefix or suffix")
		case seen[f.Name]:
			return "", "", errNotification("Cannot specify more than one %s rule in a filter.", f.Name)
		case len(f.Value) > maxFilterValue:
			return "", "", errNotification("Size of filter rule value cannot exceed %d bytes in UTF-8 representation", maxFilterValue)
		case f.Name == "prefix":
			prefix = f.Value
		default:
			suffix = f.Value
		}
		seen[f.Name] = true
	}
	return prefix, suffix, nil
}

// document writes the configuration as it is stored and answered.
func (n *notificationConfiguration) document() []byte {
	var doc s3xml.Writer
	doc.Start("NotificationConfiguration", true)
	for i := range n.Queues {
		q := &n.Queues[i]
		doc.Open("QueueConfiguration")
		doc.Elem("Id", q.ID)
		doc.Elem("Queue", q.ARN)
		for _, e := range q.Events {
			doc.Elem("Event", e)
		}
		if len(q.Filter.Rules) > 0 {
			doc.Open("Filter")
			doc.Open("S3Key")
			for _, f := range q.Filter.Rules {
				doc.Open("FilterRule")
				doc.Elem("Name", f.Name)
				doc.Elem("Value", f.Value)
				doc.Close("FilterRule")
			}
			doc.Close("S3Key")
			doc.Close("Filter")
		}
		doc.Close("QueueConfiguration")
	}
	return doc.End("NotificationConfiguration")
}

// readNotification reads the stored document. The region may have been another when it was stored.
func readNotification(doc []byte, region string) ([]events.Rule, error) {
	var conf notificationConfiguration
	if err := s3xml.Decode(doc, &conf); err != nil {
		return nil, err
	}
	for i := range conf.Queues {
		if p := strings.Split(conf.Queues[i].ARN, ":"); len(p) == 6 {
			p[3] = ""
			conf.Queues[i].ARN = strings.Join(p, ":")
		}
	}
	return conf.rules(region)
}

// NotificationTargets returns the names of the targets to which a bucket sends events, each once.
func (s *Server) NotificationTargets(b *storage.Bucket) (names []string) {
	if b.Docs[docNotification] == nil {
		return nil
	}
	for _, r := range s.settings(b).notify {
		if !slices.Contains(names, r.Target) {
			names = append(names, r.Target)
		}
	}
	return names
}

// notificationRules returns the rules of a bucket, none where nothing could be sent.
func (s *Server) notificationRules(b *storage.Bucket) []events.Rule {
	if s.Notifier == nil || b.Docs[docNotification] == nil {
		return nil
	}
	return s.settings(b).notify
}
