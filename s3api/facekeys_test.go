package s3api

import (
	"slices"
	"strings"
	"testing"

	"github.com/objsrv/objsrv/iam/policy"
)

// TestFaceKeys: every condition key that policies may name of S3 has something here that answers it.
func TestFaceKeys(t *testing.T) {
	tags := []string{"aws:requesttag/", "aws:tagkeys", "s3:existingobjecttag/", "s3:requestobjecttag/", "s3:requestobjecttagkeys"}
	keys := policy.FaceKeys("s3")
	for _, key := range keys {
		if conditionKeys[key] == nil && !strings.HasPrefix(key, "s3:x-amz-") && !slices.Contains(tags, key) {
			t.Errorf("nothing answers %s", key)
		}
	}
	for key := range conditionKeys {
		if !policy.KnownKey(key) {
			t.Errorf("no policy can name %s", key)
		}
	}
	for _, key := range tags {
		if !slices.Contains(keys, key) {
			t.Errorf("no policy can name %s", key)
		}
	}
}
