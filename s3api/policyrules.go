package s3api

import (
	"path"
	"slices"
	"strings"

	"github.com/objsrv/objsrv/iam/policy"
)

// What S3 refuses of a bucket policy besides what is wrong in any policy (S3 user guide, "Bucket policies
// for Amazon S3"): resources of another bucket, actions that are not S3's or fit none of the statement's
// resources, conditions that the statement's actions never have, and principals that do not exist.

func errMalformedPolicy(format string, args ...any) *Error {
	return errorf("MalformedPolicy", format, args...)
}

// reach is the kinds of resource that an action or a resource pattern speaks of.
type reach uint8

const (
	onBucket reach = 1 << iota
	onObject
	onService // of an action: no bucket's policy decides about it
)

// policyRules are the actions of S3 with what they are about.
type policyRules map[string]reach

// check refuses a document of policy.Parse that can't be the policy of bucket.
func (r policyRules) check(doc *policy.Document, bucket string) error {
	for i := range doc.Statements {
		s := &doc.Statements[i]
		over, err := resourceReach(s, bucket)
		if err != nil {
			return err
		}
		// NotAction needs no fit: it speaks of all other actions.
		for _, pattern := range s.Actions {
			if err := r.checkAction(s, pattern, over); err != nil {
				return err
			}
		}
	}
	return nil
}

// resourceReach tells what the resources of a statement can match, all of which must be of the bucket.
func resourceReach(s *policy.Statement, bucket string) (reach, error) {
	var over reach
	for _, r := range slices.Concat(s.Resources, s.NotResources) {
		name, _ := strings.CutPrefix(r, "arn:aws:s3:::")
		name, _, inside := strings.Cut(name, "/")
		if ok, err := path.Match(name, bucket); err != nil || !ok || strings.ContainsAny(name, `[\`) {
			return 0, errMalformedPolicy("Policy has invalid resource: %s is not of this bucket.", r)
		}
		switch {
		case inside:
			over |= onObject
		case strings.ContainsAny(name, "*?"): // wildcards match "/" as well
			over |= onBucket | onObject
		default:
			over |= onBucket
		}
	}
	if s.Resources == nil {
		over = onBucket | onObject // everything but some
	}
	return over, nil
}

// checkAction refuses an action that is not S3's, that fits no resource of the statement, or for which one of
// the statement's conditions is never known.
func (r policyRules) checkAction(s *policy.Statement, pattern string, over reach) error {
	named, fitting := false, []string(nil)
	for action, on := range r {
		if !matchesAction(pattern, action) || on == onService {
			continue
		}
		named = true
		if on&over != 0 {
			fitting = append(fitting, action)
		}
	}
	switch {
	case !named:
		return errMalformedPolicy("Policy has invalid action: %s", pattern)
	case len(fitting) == 0:
		return errMalformedPolicy("Action does not apply to any resource(s) in statement: %s", pattern)
	}
	for _, cond := range s.Conditions {
		if !slices.ContainsFunc(fitting, func(action string) bool { return r.keyFits(cond.Key, action) }) {
			return errMalformedPolicy("Conditions do not apply to combination of actions and resources in statement: %s is never known for %s", cond.Key, pattern)
		}
	}
	return nil
}

// matchesAction matches an action with a pattern, without regard to case.
func matchesAction(pattern, action string) bool {
	if pattern == "*" {
		return true
	}
	ok, err := path.Match(strings.ToLower(pattern), strings.ToLower(action))
	return err == nil && ok
}

// newPolicyRules takes the actions from the operation table, and adds those that no row is named after.
func newPolicyRules(ops []op) policyRules {
	m := policyRules{}
	for _, o := range ops {
		if strings.HasPrefix(o.action, "s3:") {
			m[o.action] |= [...]reach{serviceLevel: onService, accountLevel: onService, bucketLevel: onBucket, objectLevel: onObject}[o.level]
		}
	}
	for plain, versioned := range versionAction {
		m[versioned] = m[plain]
	}
	// Of those that no operation here asks for there are some that a policy may name all the same.
	for _, action := range []string{"s3:BypassGovernanceRetention", "s3:DeleteObjectAnnotation", "s3:DeleteObjectVersionAnnotation", "s3:GetObjectAnnotation",
		"s3:GetObjectVersionAnnotation", "s3:GetObjectVersionAnnotationForReplication", "s3:GetObjectVersionForReplication", "s3:GetObjectVersionTorrent",
		"s3:InitiateReplication", "s3:ListObjectAnnotations", "s3:ListObjectVersionAnnotations", "s3:ObjectOwnerOverrideToBucketOwner", "s3:PutObjectAnnotation",
		"s3:PutObjectFanOut", "s3:PutObjectVersionAnnotation", "s3:ReplicateDelete", "s3:ReplicateObject", "s3:ReplicateObjectAnnotation", "s3:ReplicateTags"} {
		m[action] = onObject
	}
	for _, action := range []string{"s3:DeleteBucketCors", "s3:ForceDeleteBucket", "s3:GetBucketQOS", "s3:HeadBucket", "s3:ListTagsForResource",
		"s3:ListenBucketNotification", "s3:ListenNotification", "s3:PauseReplication", "s3:PutBucketQOS", "s3:ResetBucketReplicationState", "s3:TagResource",
		"s3:UntagResource", "s3:UpdateBucketMetadataAnnotationTableConfiguration"} {
		m[action] = onBucket
	}
	return m
}

// keyActions are the condition keys that only some actions have, with those actions (Service Authorization
// Reference, "Condition keys for Amazon S3"); what a request has of the others does not depend on its action.
var keyActions = map[string][]string{
	"s3:prefix":                                          {"s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"},
	"s3:delimiter":                                       {"s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"},
	"s3:max-keys":                                        {"s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"},
	"s3:requestobjecttagkeys":                            {"s3:PutObject", "s3:PutObjectTagging", "s3:PutObjectVersionTagging"},
	"s3:x-amz-acl":                                       aclActionNames,
	"s3:x-amz-grant-full-control":                        aclActionNames,
	"s3:x-amz-grant-read":                                aclActionNames,
	"s3:x-amz-grant-read-acp":                            aclActionNames,
	"s3:x-amz-grant-write":                               aclActionNames,
	"s3:x-amz-grant-write-acp":                           aclActionNames,
	"s3:x-amz-copy-source":                               {"s3:PutObject"},
	"s3:x-amz-metadata-directive":                        {"s3:PutObject"},
	"s3:x-amz-storage-class":                             {"s3:PutObject"},
	"s3:x-amz-server-side-encryption":                    {"s3:PutObject"},
	"s3:x-amz-server-side-encryption-aws-kms-key-id":     {"s3:PutObject"},
	"s3:x-amz-server-side-encryption-customer-algorithm": {"s3:PutObject", "s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectAttributes", "s3:GetObjectVersionAttributes"},
	"s3:x-amz-object-ownership":                          {"s3:CreateBucket", "s3:PutBucketOwnershipControls"},
	"s3:locationconstraint":                              {"s3:CreateBucket"},
	"s3:objectcreationoperation":                         {"s3:PutObject"},
}

var aclActionNames = []string{"s3:CreateBucket", "s3:PutBucketAcl", "s3:PutObject", "s3:PutObjectAcl", "s3:PutObjectVersionAcl"}

// keyFits tells whether a request for the action can have the condition key.
func (r policyRules) keyFits(key, action string) bool {
	key = strings.ToLower(key)
	if actions, ok := keyActions[key]; ok {
		return slices.Contains(actions, action)
	}
	switch {
	case strings.HasPrefix(key, "s3:requestobjecttag/"):
		return slices.Contains(keyActions["s3:requestobjecttagkeys"], action)
	case strings.HasPrefix(key, "s3:existingobjecttag/"), key == "s3:versionid", strings.HasPrefix(key, "s3:object-lock-"):
		return r[action]&onObject != 0 || strings.HasPrefix(key, "s3:object-lock-") && action == "s3:PutBucketObjectLockConfiguration"
	}
	return true
}
