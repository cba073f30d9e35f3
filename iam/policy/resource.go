package policy

import (
	"errors"
	"strings"
)

// resource is a compiled element of Resource or NotResource.
type resource struct {
	kind resourceKind
	glob glob
}

type resourceKind uint8

const (
	anyResource resourceKind = iota // "*"
	s3Resource                      // the bucket, or bucket/key
	kmsResource                     // the name of a key
)

// partitions are the accepted second parts of an S3 resource; they all mean this server.
var partitions = map[string]bool{"aws": true, "aws-cn": true, "aws-us-gov": true, "*": true}

// kmsPrefix begins the ARN of a key of the KMS, as MinIO writes it.
const kmsPrefix = "arn:minio:kms:::"

var errResource = errors.New(`not a resource: use "*", "arn:aws:s3:::bucket", "arn:aws:s3:::bucket/key" or "` + kmsPrefix + `key"`)

// compileResource compiles "*", the part behind "arn:aws:s3:::" or that behind kmsPrefix.
func compileResource(r string, vars bool) (resource, error) {
	if strings.Contains(r, "${") && !vars {
		return resource{}, errVarVersion
	}
	if r == "*" {
		return resource{glob: glob{kind: globAll}}, nil
	}
	if strings.ContainsAny(r, "\r\n") {
		return resource{}, errResource
	}
	if name, ok := strings.CutPrefix(r, kmsPrefix); ok && name != "" {
		g, err := compileGlob(name, true, vars, false)
		return resource{kind: kmsResource, glob: g}, err
	}
	parts := strings.SplitN(r, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || !partitions[parts[1]] || parts[2] != "s3" ||
		parts[3] != "" && parts[3] != "*" || parts[4] != "" && parts[4] != "*" || parts[5] == "" {
		return resource{}, errResource
	}
	// What precedes the first "/" is a bucket, whose names have no spaces or control
	// characters; one there is a slip of the pen that would match nothing.
	bucket, _, _ := strings.Cut(parts[5], "/")
	if strings.ContainsAny(bucket, " \t\\") && !strings.Contains(bucket, "${") {
		return resource{}, errResource
	}
	g, err := compileGlob(parts[5], true, vars, false)
	return resource{kind: s3Resource, glob: g}, err
}

// resource returns what q is about.
func (q *Query) resource() (resourceKind, text) {
	if a := q.Action; len(a) > 4 && a[3] == ':' && lower(a[0]) == 'k' && lower(a[1]) == 'm' && lower(a[2]) == 's' {
		return kmsResource, text{a: q.KMSKey}
	}
	return s3Resource, text{a: q.Bucket, b: q.Key, joined: q.Key != ""}
}

// matchesResource tells whether the statement is about q's resource. Where all actions are
// of services whose statements need no Resource, one does not count for a request that
// has none, as in MinIO: for a Deny of admin:* on a bucket is meant to deny.
func (s *statement) matchesResource(q *Query) bool {
	if len(s.resources) == 0 {
		return true
	}
	kind, t := q.resource()
	if s.freestanding && t.len() == 0 {
		return true
	}
	for i := range s.resources {
		r := &s.resources[i]
		if r.kind != anyResource && r.kind != kind {
			continue
		}
		switch r.glob.match(&t, q) {
		case yes:
			return !s.notResources
		case missing:
			if s.notResources && s.effect == Allow {
				return false
			}
		}
	}
	return s.notResources
}

// withoutResource tells whether all actions are of services whose statements need no
// Resource, as MinIO's administrative policies have none.
func withoutResource(actions []string) bool {
	for _, a := range actions {
		service, _, _ := strings.Cut(lowerASCII(a), ":")
		if service == "*" || strings.HasPrefix(service, "s3") {
			return false
		}
	}
	return len(actions) > 0
}
