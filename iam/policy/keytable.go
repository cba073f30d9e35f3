package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// origin tells who answers a condition key. A key that is always absent would make a Deny
// void, so that a document which names a key of no origin is refused.
type origin uint8

const (
	fromNobody origin = iota // not a key of this server
	fromQuery                // from the fields of Query, by this package
	fromCaller               // from Caller.Attributes
	fromFace                 // from Query.Conditions
	neverSet                 // known, and absent in truth: see absentKeys
)

// queryKeys are answered by Query itself: whatever a face of the server says about them is
// never looked at, nor about the keys of the caller (S-036). Their values for each kind of
// principal are those of the IAM user guide, "Principal key values".
var queryKeys = set("aws:username", "aws:userid", "aws:principaltype", "aws:principalarn", "aws:principalaccount",
	"aws:principalisawsservice", "aws:viaawsservice", "aws:currenttime", "aws:epochtime")

// callerKeys come from Caller.Attributes.
var callerKeys = set(
	"aws:groups",                 // MinIO's: names of the caller's groups, several values
	"aws:federatedprovider",      // sessions of identity providers
	"aws:sourceidentity",         // sessions made with one
	"aws:tokenissuetime",         // sessions
	"aws:multifactorauthpresent", // "false" in sessions, absent with long-term keys: nobody shows a second factor
)

// callerFamilies are the prefixes of caller keys whose rest names a tag, or what a token or
// a directory says. Which names there are is known to the identity provider alone. Of the
// directory MinIO knows ldap:user, ldap:username and ldap:groups.
var callerFamilies = []string{"aws:principaltag/", "jwt:", "ldap:"}

// absentKeys are never present, and that is the truth: on AWS, too, they are absent unless
// a service of AWS makes the call, or unless a second factor was shown (IAM user guide, "AWS
// global condition context keys"). Policies that except such calls mean the same here.
var absentKeys = set("aws:calledvia", "aws:calledviafirst", "aws:calledvialast", "aws:multifactorauthage",
	"aws:principalservicename", "aws:principalservicenameslist", "aws:sourceaccount", "aws:sourcearn")

// faceKeys are the keys that a face of the server must answer from Query.Conditions for
// every request that has them, by the service of its actions. "*" holds for every face. One
// that ends in "/" is a family, whose rest names a tag. s3 is from AWS's Service
// Authorization Reference and the S3 user guide, sts from the same reference, svc: and
// sts:DurationSeconds also from MinIO.
var faceKeys = map[string][]string{
	"*": {
		"aws:referer", "aws:securetransport", "aws:sourceip", "aws:useragent",
	},
	"s3": {
		"aws:resourceaccount", // the owner of the bucket, as s3:resourceaccount
		"aws:requesttag/",     // tags of a bucket that are in the request
		"aws:tagkeys",
		"s3:authtype",
		"s3:delimiter",
		"s3:existingobjecttag/",
		"s3:if-match",
		"s3:if-none-match",
		"s3:locationconstraint", // of CreateBucket
		"s3:max-keys",
		"s3:object-lock-legal-hold",
		"s3:object-lock-mode",
		"s3:object-lock-remaining-retention-days",
		"s3:object-lock-retain-until-date",
		"s3:objectcreationoperation", // of s3:PutObject: "false" where it makes no object, as UploadPart
		"s3:prefix",
		"s3:requestobjecttag/",
		"s3:requestobjecttagkeys",
		"s3:resourceaccount",
		"s3:signatureage",
		"s3:signatureversion",
		"s3:tlsversion", // "1.2", "1.3"; absent without TLS
		"s3:versionid",
		"s3:x-amz-acl",
		"s3:x-amz-content-sha256",
		"s3:x-amz-copy-source",
		"s3:x-amz-grant-full-control",
		"s3:x-amz-grant-read",
		"s3:x-amz-grant-read-acp",
		"s3:x-amz-grant-write",
		"s3:x-amz-grant-write-acp",
		"s3:x-amz-metadata-directive",
		"s3:x-amz-object-ownership",
		"s3:x-amz-server-side-encryption",
		"s3:x-amz-server-side-encryption-aws-kms-key-id",
		"s3:x-amz-server-side-encryption-customer-algorithm",
		"s3:x-amz-storage-class",
		"s3:x-amz-website-redirect-location",
	},
	"sts": {
		"aws:requesttag/", "aws:tagkeys", // session tags in the request
		"sts:durationseconds", "sts:externalid", "sts:rolesessionname", "sts:sourceidentity", "sts:transitivetagkeys",
	},
	"admin": {
		"svc:durationseconds", // lifetime of an access key that is made or changed
	},
}

// refusedKeys are keys of AWS that can't be answered here, by prefix, with what to do instead.
var refusedKeys = []struct{ prefix, reason string }{
	{"aws:sourcevpc", "this server sees no VPC: use aws:SourceIp"},
	{"aws:vpc", "this server sees no VPC: use aws:SourceIp"},
	{"aws:ec2instance", "this server sees no VPC: use aws:SourceIp"},
	{"aws:principalorg", "accounts here are in no organization: use aws:PrincipalAccount"},
	{"aws:resourceorg", "accounts here are in no organization: use aws:ResourceAccount"},
	{"aws:sourceorg", "accounts here are in no organization: use aws:SourceAccount"},
	{"aws:requestedregion", "this server has one region"},
	{"aws:resourcetag/", "tags of buckets decide nothing here; those of objects are s3:ExistingObjectTag/KEY"},
	{"s3:buckettag/", "tags of buckets decide nothing here; those of objects are s3:ExistingObjectTag/KEY"},
	{"s3:accesspoint", "there are no access points here"},
	{"s3:dataaccesspoint", "there are no access points here"},
	{"s3:accessgrant", "there are no access grants here"},
}

var errKey = errors.New("unknown condition key")

// set makes a set of lower-case keys.
func set(keys ...string) map[string]bool {
	m := make(map[string]bool, len(keys))
	for _, k := range keys {
		m[k] = true
	}
	return m
}

// KnownKey tells whether documents may use a condition key, in any case of letters. FaceKeys
// says which of them a face must answer.
func KnownKey(key string) bool { return originOf(lowerASCII(key)) != fromNobody }

// FaceKeys returns, sorted, the condition keys that a face of the server must answer through
// Query.Conditions whenever a request has them. service is that of its actions: "s3", "sts",
// "admin". Keys are lower-case; one that ends in "/" stands for all keys with that prefix.
func FaceKeys(service string) []string {
	keys := slices.Concat(faceKeys["*"], faceKeys[service])
	slices.Sort(keys)
	return keys
}

// originOf returns who answers a lower-case key.
func originOf(key string) origin {
	switch {
	case queryKeys[key]:
		return fromQuery
	case callerKeys[key] || inFamily(key, callerFamilies):
		return fromCaller
	case absentKeys[key]:
		return neverSet
	}
	for _, keys := range faceKeys {
		if slices.Contains(keys, key) && !strings.HasSuffix(key, "/") || inFamily(key, keys) {
			return fromFace
		}
	}
	return fromNobody
}

// inFamily tells whether key has a prefix of families that ends in "/" or ":", and more.
func inFamily(key string, families []string) bool {
	for _, f := range families {
		if end := f[len(f)-1]; (end == '/' || end == ':') && len(key) > len(f) && strings.HasPrefix(key, f) {
			return true
		}
	}
	return false
}

// keyOrigin returns who answers a lower-case key, or why it is refused.
func keyOrigin(key string) (origin, error) {
	from := originOf(key)
	if from != fromNobody {
		return from, nil
	}
	for _, r := range refusedKeys {
		if strings.HasPrefix(key, r.prefix) {
			return from, fmt.Errorf("%w: %s", errKey, r.reason)
		}
	}
	return from, errKey
}
