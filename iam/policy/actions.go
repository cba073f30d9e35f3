package policy

import (
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

//go:embed actions.txt
var actionsText string

// actionNames are the names of actions.txt by their lower-case forms.
type actionNames map[string]string

func newActionNames() actionNames {
	names := actionNames{}
	for line := range strings.Lines(actionsText) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			names[lowerASCII(line)] = line
		}
	}
	return names
}

// apiNames are operations of the S3 API that are no actions, with the action that lets
// them be done (S3 API reference, "Required permissions for Amazon S3 API operations").
var apiNames = map[string]string{
	"s3:completemultipartupload":         "s3:PutObject",
	"s3:copyobject":                      "s3:PutObject",
	"s3:createmultipartupload":           "s3:PutObject",
	"s3:deletebucketlifecycle":           "s3:PutLifecycleConfiguration",
	"s3:deleteobjects":                   "s3:DeleteObject",
	"s3:getbucketencryption":             "s3:GetEncryptionConfiguration",
	"s3:getbucketlifecycle":              "s3:GetLifecycleConfiguration",
	"s3:getbucketreplication":            "s3:GetReplicationConfiguration",
	"s3:getobjectlockconfiguration":      "s3:GetBucketObjectLockConfiguration",
	"s3:headobject":                      "s3:GetObject",
	"s3:listbuckets":                     "s3:ListAllMyBuckets",
	"s3:listmultipartuploads":            "s3:ListBucketMultipartUploads",
	"s3:listobjects":                     "s3:ListBucket",
	"s3:listobjectsv2":                   "s3:ListBucket",
	"s3:listobjectversions":              "s3:ListBucketVersions",
	"s3:listparts":                       "s3:ListMultipartUploadParts",
	"s3:putbucketencryption":             "s3:PutEncryptionConfiguration",
	"s3:putbucketlifecycle":              "s3:PutLifecycleConfiguration",
	"s3:putbucketreplication":            "s3:PutReplicationConfiguration",
	"s3:putobjectlockconfiguration":      "s3:PutBucketObjectLockConfiguration",
	"s3:uploadpart":                      "s3:PutObject",
	"s3:uploadpartcopy":                  "s3:PutObject",
	"s3:putbucketlifecycleconfiguration": "s3:PutLifecycleConfiguration",
}

var errUnknownAction = errors.New("invalid action")

// Actions returns the names of all actions that policies may name, sorted, for editors
// and checks: those of AWS for s3, sts, kms and iam, and MinIO's with admin.
func Actions() []string {
	return slices.Sorted(maps.Values(newActionNames()))
}

// KnownAction tells whether Parse accepts an action or pattern: "*", a name of Actions in
// any case, a pattern that matches at least one, or anything of a service that is known but not here.
func KnownAction(action string) bool { return newActionNames().check(action) == nil }

// check refuses an action that names nothing, and a pattern that matches nothing.
func (names actionNames) check(action string) error {
	g, err := compileAction(action)
	if err != nil {
		return err
	}
	name := lowerASCII(action)
	if service, _, ok := strings.Cut(name, ":"); ok && !services[service] {
		return nil
	}
	if !strings.ContainsAny(name, "*?") {
		switch _, ok := names[name]; {
		case ok:
			return nil
		case apiNames[name] != "":
			return fmt.Errorf("%w: this operation needs %s", errUnknownAction, apiNames[name])
		}
		return fmt.Errorf("%w: there is none of this name", errUnknownAction)
	}
	for known := range names {
		if g.match(&text{a: known}, nil) == yes {
			return nil
		}
	}
	return fmt.Errorf("%w: the pattern matches none", errUnknownAction)
}
