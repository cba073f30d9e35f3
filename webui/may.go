package webui

import (
	"regexp"
	"strings"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/iam/policy"
	"github.com/objsrv/objsrv/internal/reqlog"
)

// may answers what pages ask before they offer something. It is no permission: each request is decided anew.
func (v *visit) may(id *iam.Identity) map[string]bool {
	out := make(map[string]bool, len(v.admin)+2)
	ask := func(action, bucket string) bool {
		r := iam.Request{Identity: id, Action: action, Bucket: bucket, Conditions: v.conditions()}
		if strings.HasPrefix(action, "s3:") {
			r.Owner = id.Account // the server is the deployment's, and what is nobody's yet would be the caller's
		}
		return v.IAM.Authorize(&r).Allowed
	}
	for _, action := range v.admin {
		out[action] = ask(action, "")
	}
	out[listBuckets] = ask(listBuckets, "")
	// Who may create no bucket of any name may well create one that a policy speaks of.
	for _, bucket := range append([]string{"any-bucket"}, v.spokenOf(id)...) {
		if out[createBucket] = ask(createBucket, bucket); out[createBucket] {
			break
		}
	}
	return out
}

const (
	listBuckets  = "s3:ListAllMyBuckets"
	createBucket = "s3:CreateBucket"
)

// bucketPattern finds the buckets in a policy's document.
var bucketPattern = regexp.MustCompile(`arn:aws:s3:::([^"/]+)`)

// maxSpokenOf bounds the buckets that are asked about.
const maxSpokenOf = 100

// spokenOf returns a name for each bucket or pattern of buckets in the policies that give somebody rights.
func (v *visit) spokenOf(id *iam.Identity) (names []string) {
	_, own := iam.SplitName(id.Name)
	fill := strings.NewReplacer("${aws:username}", own, "*", "a", "?", "a")
	policies, _ := v.IAM.Held(id)
	for _, name := range policies {
		p, err := v.IAM.Admin(id).Policy(name)
		if err != nil {
			continue // it gives nothing
		}
		for _, m := range bucketPattern.FindAllSubmatch(p.Document, maxSpokenOf) {
			if names = append(names, fill.Replace(string(m[1]))); len(names) == maxSpokenOf {
				return names
			}
		}
	}
	return names
}

// adminActions are all of the administration that policies may name, of the keys of encryption too.
func adminActions() (out []string) {
	for _, name := range policy.Actions() {
		if strings.HasPrefix(name, "admin:") || strings.HasPrefix(name, "kms:") {
			out = append(out, name)
		}
	}
	return out
}

// conditions answers what the listener knows of the request.
func (v *visit) conditions() reqlog.Conditions {
	return reqlog.Conditions{Event: v.ev, Referer: v.r.Referer()}
}
