package s3api

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/storage"
)

// importer is an administrator of the account of tests.
func importer() *iam.Identity {
	return &iam.Identity{Account: testAccount, ID: "AKadmin", Name: "AKadmin", ARN: "arn:aws:iam::" + testAccount + ":user/AKadmin", AccessKey: "AKadmin"}
}

// TestBucketFiles: everything that can be set of a bucket comes back from its files in another server.
func TestBucketFiles(t *testing.T) {
	e, ctx := newSealedEnv(t), context.Background()
	e.s.Lifecycle = &ruled{}
	e.bucket("full", storage.VersioningEnabled)
	for _, set := range [][2]string{
		{"tagging", tagDoc("a=b")},
		{"policy", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::full/*"}]}`},
		{"cors", "<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule></CORSConfiguration>"},
		{"object-lock", "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention><Mode>GOVERNANCE</Mode><Days>1</Days></DefaultRetention></Rule></ObjectLockConfiguration>"},
		{"encryption", "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>"},
		{"lifecycle", lifecycleDoc(rule("<ID>r</ID>", anyKey, enabled, oneDay))},
		{"ownershipControls", "<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>"},
	} {
		if a := e.do("PUT", "/full?"+set[0], set[1], "Content-Md5: "+sumOf("MD5", set[1])); a.status/100 != 2 {
			t.Fatalf("%s: %d %s", set[0], a.status, a.body)
		}
	}
	if a := e.do("PUT", "/full?acl", "", "X-Amz-Acl: public-read"); a.status != 200 {
		t.Fatalf("acl: %d %s", a.status, a.body)
	}
	block := "<PublicAccessBlockConfiguration><BlockPublicPolicy>true</BlockPublicPolicy><BlockPublicAcls>true</BlockPublicAcls></PublicAccessBlockConfiguration>"
	if a := e.do("PUT", "/full?publicAccessBlock", block, "Content-Md5: "+sumOf("MD5", block)); a.status != 200 {
		t.Fatalf("block: %d %s", a.status, a.body)
	}
	files, err := e.s.BucketFiles(ctx, importer(), "full")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		names = append(names, f.Name)
	}
	if want := slices.DeleteFunc(BucketFileNames(), func(n string) bool { return n == "bucket-targets.json" }); !slices.Equal(names, want) {
		t.Errorf("files %v, want %v", names, want)
	}
	other := newSealedEnv(t)
	other.s.Lifecycle = &ruled{}
	if err := other.s.EnsureBucket(ctx, testAccount, "full", true); err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if err := other.s.SetBucketFile(ctx, importer(), "full", f); err != nil {
			t.Errorf("%s: %v\n%s", f.Name, err, f.Data)
		}
	}
	was, _ := e.s.Backend.Bucket(ctx, "full")
	is, _ := other.s.Backend.Bucket(ctx, "full")
	if is.Versioning != was.Versioning || is.ObjectLock != was.ObjectLock || is.Owner != was.Owner || !maps.EqualFunc(is.Docs, was.Docs, slices.Equal) {
		t.Errorf("%+v\nwas %+v", is, was)
	}
	if files, err := e.s.BucketFiles(ctx, importer(), "bkt"); err != nil || len(files) != 1 || files[0].Name != "notification.xml" {
		t.Errorf("a bucket without settings: %v, %v", files, err)
	}
	if _, err := e.s.BucketFiles(ctx, importer(), "nothing"); !errors.Is(err, storage.ErrNoSuchBucket) {
		t.Errorf("no bucket: %v", err)
	}
}

// TestSetBucketFile: files are under the rules of the operations, and what is refused leaves the bucket as it was.
func TestSetBucketFile(t *testing.T) {
	e, ctx := newEnv(t), context.Background()
	e.bucket("lock", storage.VersioningEnabled)
	if err := e.s.SetBucketFile(ctx, importer(), "lock", BucketFile{"object-lock.xml", []byte("<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>")}); err != nil {
		t.Fatal(err)
	}
	before, _ := e.s.Backend.Bucket(ctx, "bkt")
	for _, tt := range []struct{ bucket, name, data, code string }{
		{"bkt", "versioning.xml", "<VersioningConfiguration><Status>Perhaps</Status></VersioningConfiguration>", "IllegalVersioningConfigurationException"},
		{"bkt", "versioning.xml", "<VersioningConfiguration><Status>Enabled</Status><ExcludedPrefixes><Prefix>tmp/</Prefix></ExcludedPrefixes></VersioningConfiguration>", "NotImplemented"},
		{"bkt", "versioning.xml", "<VersioningConfiguration><Status>Enabled</Status><ExcludeFolders>true</ExcludeFolders></VersioningConfiguration>", "NotImplemented"},
		{"bkt", "versioning.xml", "", "MalformedXML"},
		{"lock", "versioning.xml", "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>", "InvalidBucketState"},
		{"bkt", "object-lock.xml", "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>", "InvalidBucketState"},
		{"bkt", "tagging.xml", "<Tagging/>", "MalformedXML"},
		{"bkt", "tagging.xml", "<!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><Tagging><TagSet><Tag><Key>&a;</Key><Value>v</Value></Tag></TagSet></Tagging>", "MalformedXML"},
		{"bkt", "policy.json", "{}", "MalformedPolicy"},
		{"bkt", "policy.json", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::other/*"}]}`, "MalformedPolicy"},
		{"bkt", "cors.xml", "<CORSConfiguration></CORSConfiguration>", "MalformedXML"},
		{"bkt", "notification.xml", "<NotificationConfiguration><QueueConfiguration><Id>1</Id></QueueConfiguration></NotificationConfiguration>", "InvalidArgument"},
		{"bkt", "notification.xml", "<NotificationConfiguration><TopicConfiguration></TopicConfiguration></NotificationConfiguration>", "NotImplemented"},
		{"bkt", "lifecycle.xml", "<LifecycleConfiguration/>", "MalformedXML"},
		{"bkt", "lifecycle.xml", lifecycleDoc(rule(anyKey, enabled, oneDay)), "NotImplemented"},
		{"bkt", "bucket-encryption.xml", "<ServerSideEncryptionConfiguration/>", "MalformedXML"},
		{"bkt", "bucket-encryption.xml", "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>", "NotImplemented"}, // without keys
		{"bkt", "replication.xml", "<ReplicationConfiguration/>", "NotImplemented"},
		{"bkt", "bucket-targets.json", "<BucketTargets><Targets><arn>a</arn></Targets></BucketTargets>", "NotImplemented"},
		{"bkt", "bucket-targets.json", "{}", "MalformedXML"},
		{"bkt", "../policy.json", "{}", "NotImplemented"},
		{"bkt", "tagging.xml", strings.Repeat(" ", maxXML+1), "EntityTooLarge"},
	} {
		err := e.s.SetBucketFile(ctx, importer(), tt.bucket, BucketFile{tt.name, []byte(tt.data)})
		var refused *Error
		if !errors.As(err, &refused) || refused.Code != tt.code {
			t.Errorf("%s %.80q: %v, want %s", tt.name, tt.data, err, tt.code)
		}
	}
	if after, _ := e.s.Backend.Bucket(ctx, "bkt"); after != before {
		t.Errorf("a refused file changed the bucket: %+v", after)
	}
	if err := e.s.SetBucketFile(ctx, importer(), "bkt", BucketFile{"notification.xml", []byte("<NotificationConfiguration></NotificationConfiguration>")}); err != nil {
		t.Errorf("the empty notification: %v", err)
	}
	if err := e.s.SetBucketFile(ctx, importer(), "bkt", BucketFile{"bucket-targets.json", []byte("<BucketTargets></BucketTargets>")}); err != nil {
		t.Errorf("no targets: %v", err)
	}
	// A policy that takes the right to change it from the importer is set all the same.
	e.iam.deny = denyActions("s3:PutBucketPolicy")
	if err := e.s.SetBucketFile(ctx, importer(), "bkt", BucketFile{"policy.json", []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:PutBucketPolicy","Resource":"arn:aws:s3:::bkt"}]}`)}); err != nil {
		t.Errorf("policy: %v", err)
	}
	for _, name := range []string{"Upper", "a", "minio", "../x", "a/b", ""} {
		var refused *Error
		if err := e.s.EnsureBucket(ctx, testAccount, name, false); !errors.As(err, &refused) || refused.Code != "InvalidBucketName" {
			t.Errorf("bucket %q: %v", name, err)
		}
	}
	if err := e.s.EnsureBucket(ctx, testAccount, "bkt", true); err != nil {
		t.Errorf("a bucket that is there: %v", err)
	}
}
