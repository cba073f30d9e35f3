package s3api

// level is what a request's path names.
type level uint8

const (
	serviceLevel level = iota
	accountLevel       // S3 Control
	bucketLevel
	objectLevel
	controlLevel // the rest of S3 Control, of which there is nothing
)

// op is one row of the operation table: how the operation is recognised, which
// IAM action it takes, and what it understands.
type op struct {
	name   string // operation name of the AWS model
	method string
	level  level
	sub    string // query name that selects the row; "" for the plain request
	header string // header that selects the row among those with the same sub
	param  string // query name that must be there too ("id" of analytics and fellows)
	action string // IAM action; the version action is named in versionAction
	// params are the further query names that it understands, headers the x-amz-*
	// headers. Any other one that could change the meaning is refused with 501.
	params  []string
	headers []string
	many    bool              // sub may be given more than once
	handle  func(*call) error // nil: 501 NotImplemented
	unset   bool              // handle answers for a setting that can't be made here
}

// Headers that several operations take.
var (
	writeHeaders = []string{"x-amz-acl", "x-amz-grant-full-control", "x-amz-grant-read", "x-amz-grant-read-acp",
		"x-amz-grant-write-acp", "x-amz-storage-class", "x-amz-tagging", "x-amz-website-redirect-location", "x-amz-meta-",
		"x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date", "x-amz-object-lock-legal-hold"}
	// What a write asks of encryption, the customer's key of a request that reads or goes on writing, and that of
	// the source of a copy.
	sseHeaders = []string{"x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id", "x-amz-server-side-encryption-context",
		"x-amz-server-side-encryption-bucket-key-enabled"}
	customerHeaders       = []string{"x-amz-server-side-encryption-customer-algorithm", "x-amz-server-side-encryption-customer-key", "x-amz-server-side-encryption-customer-key-md5"}
	sourceCustomerHeaders = []string{"x-amz-copy-source-server-side-encryption-customer-algorithm", "x-amz-copy-source-server-side-encryption-customer-key",
		"x-amz-copy-source-server-side-encryption-customer-key-md5"}
	checksumHeaders  = []string{"x-amz-checksum-", "x-amz-sdk-checksum-algorithm", "x-amz-trailer", "x-amz-decoded-content-length"}
	lifecycleHeaders = []string{"x-amz-checksum-", "x-amz-sdk-checksum-algorithm", "x-amz-trailer", "x-amz-decoded-content-length", "x-amz-transition-default-minimum-object-size"}
	copyHeaders      = []string{"x-amz-copy-source", "x-amz-copy-source-if-match", "x-amz-copy-source-if-modified-since",
		"x-amz-copy-source-if-none-match", "x-amz-copy-source-if-unmodified-since", "x-amz-source-expected-bucket-owner"}
	responseParams = []string{"versionId", "partNumber", "response-cache-control", "response-content-disposition",
		"response-content-encoding", "response-content-language", "response-content-type", "response-expires"}
	listParams = []string{"prefix", "delimiter", "encoding-type", "max-keys"}
)

func join(lists ...[]string) []string {
	var all []string
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

// operations is the table of every S3 operation: the 111 of the AWS model, PostObject,
// the CORS preflight and MinIO's streams of events. Routing, metric names, the compatibility table and the test that walks all
// operations as a stranger are made from it.
func operations() []op {
	list := join(listParams, []string{"marker"})
	return []op{
		// Service.
		{name: "ListBuckets", method: "GET", level: serviceLevel, action: "s3:ListAllMyBuckets", params: []string{"prefix", "max-buckets", "continuation-token", "bucket-region"}, handle: listBuckets},
		{name: "ListDirectoryBuckets", method: "GET", level: serviceLevel, param: "max-directory-buckets", action: "s3express:ListAllMyDirectoryBuckets"},
		{name: "WriteGetObjectResponse", method: "POST", level: serviceLevel, header: "x-amz-request-route", action: "s3-object-lambda:WriteGetObjectResponse"},

		// S3 Control, see controlPath. The names are those of CloudTrail; the model's are taken by the bucket's operations.
		{name: "GetAccountPublicAccessBlock", method: "GET", level: accountLevel, action: "s3:GetAccountPublicAccessBlock", headers: []string{accountHeader}, handle: getAccountPublicAccessBlock},
		{name: "PutAccountPublicAccessBlock", method: "PUT", level: accountLevel, action: "s3:PutAccountPublicAccessBlock", headers: join(checksumHeaders, []string{accountHeader}), handle: putAccountPublicAccessBlock},
		{name: "DeleteAccountPublicAccessBlock", method: "DELETE", level: accountLevel, action: "s3:PutAccountPublicAccessBlock", headers: []string{accountHeader}, handle: deleteAccountPublicAccessBlock},

		// Buckets.
		{name: "CreateBucket", method: "PUT", level: bucketLevel, action: "s3:CreateBucket", headers: []string{"x-amz-acl", "x-amz-bucket-object-lock-enabled", "x-amz-grant-full-control", "x-amz-grant-read", "x-amz-grant-read-acp", "x-amz-grant-write", "x-amz-grant-write-acp", "x-amz-object-ownership", "x-amz-bucket-namespace"}, handle: createBucket},
		{name: "HeadBucket", method: "HEAD", level: bucketLevel, action: "s3:ListBucket", handle: headBucket},
		{name: "DeleteBucket", method: "DELETE", level: bucketLevel, action: "s3:DeleteBucket", handle: deleteBucket},
		{name: "GetBucketLocation", method: "GET", level: bucketLevel, sub: "location", action: "s3:GetBucketLocation", handle: getBucketLocation},
		{name: "ListObjects", method: "GET", level: bucketLevel, action: "s3:ListBucket", params: list, headers: []string{"x-amz-optional-object-attributes"}, handle: listObjects},
		{name: "ListObjectsV2", method: "GET", level: bucketLevel, sub: "list-type", action: "s3:ListBucket", params: join(listParams, []string{"continuation-token", "start-after", "fetch-owner", "metadata"}), headers: []string{"x-amz-optional-object-attributes"}, handle: listObjectsV2},
		{name: "ListObjectVersions", method: "GET", level: bucketLevel, sub: "versions", action: "s3:ListBucketVersions", params: join(listParams, []string{"key-marker", "version-id-marker", "metadata"}), headers: []string{"x-amz-optional-object-attributes"}, handle: listObjectVersions},
		{name: "ListMultipartUploads", method: "GET", level: bucketLevel, sub: "uploads", action: "s3:ListBucketMultipartUploads", params: []string{"prefix", "delimiter", "encoding-type", "key-marker", "max-uploads", "upload-id-marker"}, handle: listMultipartUploads},
		{name: "DeleteObjects", method: "POST", level: bucketLevel, sub: "delete", action: perObject, headers: join(checksumHeaders, []string{"x-amz-mfa", "x-amz-bypass-governance-retention"}), handle: deleteObjects},
		{name: "PostObject", method: "POST", level: bucketLevel, action: perObject, handle: postObject},
		{name: "Preflight", method: "OPTIONS", level: bucketLevel, action: noAction, handle: preflight},
		{name: "Preflight", method: "OPTIONS", level: objectLevel, action: noAction, handle: preflight},
		// MinIO's streams of events.
		{name: "ListenNotification", method: "GET", level: serviceLevel, sub: "events", many: true, action: "s3:ListenNotification", params: []string{"ping", "prefix", "suffix"}, handle: listen},
		{name: "ListenBucketNotification", method: "GET", level: bucketLevel, sub: "events", many: true, action: "s3:ListenBucketNotification", params: []string{"ping", "prefix", "suffix"}, handle: listen},
		{name: "CreateSession", method: "GET", level: bucketLevel, sub: "session", action: "s3express:CreateSession"},

		// Bucket settings.
		{name: "GetBucketVersioning", method: "GET", level: bucketLevel, sub: "versioning", action: "s3:GetBucketVersioning", handle: getBucketVersioning},
		{name: "PutBucketVersioning", method: "PUT", level: bucketLevel, sub: "versioning", action: "s3:PutBucketVersioning", headers: join(checksumHeaders, []string{"x-amz-mfa"}), handle: putBucketVersioning},
		{name: "GetBucketTagging", method: "GET", level: bucketLevel, sub: "tagging", action: "s3:GetBucketTagging", handle: getBucketTagging},
		{name: "PutBucketTagging", method: "PUT", level: bucketLevel, sub: "tagging", action: "s3:PutBucketTagging", headers: checksumHeaders, handle: putBucketTagging},
		{name: "DeleteBucketTagging", method: "DELETE", level: bucketLevel, sub: "tagging", action: "s3:PutBucketTagging", handle: deleteBucketTagging},
		{name: "GetBucketAbac", method: "GET", level: bucketLevel, sub: "abac", action: "s3:GetBucketAbac"},
		{name: "PutBucketAbac", method: "PUT", level: bucketLevel, sub: "abac", action: "s3:PutBucketAbac"},
		{name: "GetBucketAccelerateConfiguration", method: "GET", level: bucketLevel, sub: "accelerate", action: "s3:GetAccelerateConfiguration", handle: emptyDocument("AccelerateConfiguration"), unset: true},
		{name: "PutBucketAccelerateConfiguration", method: "PUT", level: bucketLevel, sub: "accelerate", action: "s3:PutAccelerateConfiguration"},
		{name: "GetBucketAcl", method: "GET", level: bucketLevel, sub: "acl", action: "s3:GetBucketAcl", handle: getBucketACL},
		{name: "PutBucketAcl", method: "PUT", level: bucketLevel, sub: "acl", action: "s3:PutBucketAcl", headers: join(checksumHeaders, []string{"x-amz-acl", "x-amz-grant-full-control", "x-amz-grant-read", "x-amz-grant-read-acp", "x-amz-grant-write", "x-amz-grant-write-acp"}), handle: putBucketACL},
		{name: "GetBucketAnalyticsConfiguration", method: "GET", level: bucketLevel, sub: "analytics", param: "id", action: "s3:GetAnalyticsConfiguration", handle: notConfigured("NoSuchConfiguration"), unset: true},
		{name: "ListBucketAnalyticsConfigurations", method: "GET", level: bucketLevel, sub: "analytics", action: "s3:GetAnalyticsConfiguration", params: []string{"continuation-token"}, handle: emptyList("ListBucketAnalyticsConfigurationResult"), unset: true},
		{name: "PutBucketAnalyticsConfiguration", method: "PUT", level: bucketLevel, sub: "analytics", action: "s3:PutAnalyticsConfiguration"},
		{name: "DeleteBucketAnalyticsConfiguration", method: "DELETE", level: bucketLevel, sub: "analytics", action: "s3:PutAnalyticsConfiguration", params: []string{"id"}, handle: notConfigured("NoSuchConfiguration"), unset: true},
		{name: "GetBucketCors", method: "GET", level: bucketLevel, sub: "cors", action: "s3:GetBucketCORS", handle: getBucketCORS},
		{name: "PutBucketCors", method: "PUT", level: bucketLevel, sub: "cors", action: "s3:PutBucketCORS", headers: checksumHeaders, handle: putBucketCORS},
		{name: "DeleteBucketCors", method: "DELETE", level: bucketLevel, sub: "cors", action: "s3:PutBucketCORS", handle: deleteDoc(docCORS)},
		{name: "GetBucketEncryption", method: "GET", level: bucketLevel, sub: "encryption", action: "s3:GetEncryptionConfiguration", handle: getBucketEncryption},
		{name: "PutBucketEncryption", method: "PUT", level: bucketLevel, sub: "encryption", action: "s3:PutEncryptionConfiguration", headers: checksumHeaders, handle: putBucketEncryption},
		{name: "DeleteBucketEncryption", method: "DELETE", level: bucketLevel, sub: "encryption", action: "s3:PutEncryptionConfiguration", handle: deleteDoc(docEncryption)},
		{name: "GetBucketIntelligentTieringConfiguration", method: "GET", level: bucketLevel, sub: "intelligent-tiering", param: "id", action: "s3:GetIntelligentTieringConfiguration", handle: notConfigured("NoSuchConfiguration"), unset: true},
		{name: "ListBucketIntelligentTieringConfigurations", method: "GET", level: bucketLevel, sub: "intelligent-tiering", action: "s3:GetIntelligentTieringConfiguration", params: []string{"continuation-token"}, handle: emptyList("ListBucketIntelligentTieringConfigurationsOutput"), unset: true},
		{name: "PutBucketIntelligentTieringConfiguration", method: "PUT", level: bucketLevel, sub: "intelligent-tiering", action: "s3:PutIntelligentTieringConfiguration"},
		{name: "DeleteBucketIntelligentTieringConfiguration", method: "DELETE", level: bucketLevel, sub: "intelligent-tiering", action: "s3:PutIntelligentTieringConfiguration", params: []string{"id"}, handle: notConfigured("NoSuchConfiguration"), unset: true},
		{name: "GetBucketInventoryConfiguration", method: "GET", level: bucketLevel, sub: "inventory", param: "id", action: "s3:GetInventoryConfiguration", handle: notConfigured("NoSuchConfiguration"), unset: true},
		{name: "ListBucketInventoryConfigurations", method: "GET", level: bucketLevel, sub: "inventory", action: "s3:GetInventoryConfiguration", params: []string{"continuation-token"}, handle: emptyList("ListInventoryConfigurationsResult"), unset: true},
		{name: "PutBucketInventoryConfiguration", method: "PUT", level: bucketLevel, sub: "inventory", action: "s3:PutInventoryConfiguration"},
		{name: "DeleteBucketInventoryConfiguration", method: "DELETE", level: bucketLevel, sub: "inventory", action: "s3:PutInventoryConfiguration", params: []string{"id"}, handle: notConfigured("NoSuchConfiguration"), unset: true},
		{name: "GetBucketLifecycle", method: "GET", level: bucketLevel, sub: "lifecycle", action: "s3:GetLifecycleConfiguration", params: []string{updatedParam}, handle: getBucketLifecycle},
		{name: "GetBucketLifecycleConfiguration", method: "GET", level: bucketLevel, sub: "lifecycle", action: "s3:GetLifecycleConfiguration", params: []string{updatedParam}, handle: getBucketLifecycle},
		{name: "PutBucketLifecycle", method: "PUT", level: bucketLevel, sub: "lifecycle", action: "s3:PutLifecycleConfiguration", headers: lifecycleHeaders, handle: putBucketLifecycle},
		{name: "PutBucketLifecycleConfiguration", method: "PUT", level: bucketLevel, sub: "lifecycle", action: "s3:PutLifecycleConfiguration", headers: lifecycleHeaders, handle: putBucketLifecycle},
		{name: "DeleteBucketLifecycle", method: "DELETE", level: bucketLevel, sub: "lifecycle", action: "s3:PutLifecycleConfiguration", handle: deleteBucketLifecycle},
		{name: "GetBucketLogging", method: "GET", level: bucketLevel, sub: "logging", action: "s3:GetBucketLogging", handle: emptyDocument("BucketLoggingStatus"), unset: true},
		{name: "PutBucketLogging", method: "PUT", level: bucketLevel, sub: "logging", action: "s3:PutBucketLogging"},
		{name: "CreateBucketMetadataConfiguration", method: "POST", level: bucketLevel, sub: "metadataConfiguration", action: "s3:CreateBucketMetadataTableConfiguration"},
		{name: "GetBucketMetadataConfiguration", method: "GET", level: bucketLevel, sub: "metadataConfiguration", action: "s3:GetBucketMetadataTableConfiguration"},
		{name: "DeleteBucketMetadataConfiguration", method: "DELETE", level: bucketLevel, sub: "metadataConfiguration", action: "s3:DeleteBucketMetadataTableConfiguration"},
		{name: "CreateBucketMetadataTableConfiguration", method: "POST", level: bucketLevel, sub: "metadataTable", action: "s3:CreateBucketMetadataTableConfiguration"},
		{name: "GetBucketMetadataTableConfiguration", method: "GET", level: bucketLevel, sub: "metadataTable", action: "s3:GetBucketMetadataTableConfiguration"},
		{name: "DeleteBucketMetadataTableConfiguration", method: "DELETE", level: bucketLevel, sub: "metadataTable", action: "s3:DeleteBucketMetadataTableConfiguration"},
		{name: "UpdateBucketMetadataInventoryTableConfiguration", method: "PUT", level: bucketLevel, sub: "metadataInventoryTable", action: "s3:UpdateBucketMetadataInventoryTableConfiguration"},
		{name: "UpdateBucketMetadataJournalTableConfiguration", method: "PUT", level: bucketLevel, sub: "metadataJournalTable", action: "s3:UpdateBucketMetadataJournalTableConfiguration"},
		{name: "GetBucketMetricsConfiguration", method: "GET", level: bucketLevel, sub: "metrics", param: "id", action: "s3:GetMetricsConfiguration", handle: notConfigured("NoSuchConfiguration"), unset: true},
		{name: "ListBucketMetricsConfigurations", method: "GET", level: bucketLevel, sub: "metrics", action: "s3:GetMetricsConfiguration", params: []string{"continuation-token"}, handle: emptyList("ListMetricsConfigurationsResult"), unset: true},
		{name: "PutBucketMetricsConfiguration", method: "PUT", level: bucketLevel, sub: "metrics", action: "s3:PutMetricsConfiguration"},
		{name: "DeleteBucketMetricsConfiguration", method: "DELETE", level: bucketLevel, sub: "metrics", action: "s3:PutMetricsConfiguration", params: []string{"id"}, handle: notConfigured("NoSuchConfiguration"), unset: true},
		{name: "GetBucketNotification", method: "GET", level: bucketLevel, sub: "notification", action: "s3:GetBucketNotification", handle: getBucketNotification},
		{name: "GetBucketNotificationConfiguration", method: "GET", level: bucketLevel, sub: "notification", action: "s3:GetBucketNotification", handle: getBucketNotification},
		{name: "PutBucketNotification", method: "PUT", level: bucketLevel, sub: "notification", action: "s3:PutBucketNotification", headers: join(checksumHeaders, []string{"x-amz-skip-destination-validation"}), handle: putBucketNotification},
		{name: "PutBucketNotificationConfiguration", method: "PUT", level: bucketLevel, sub: "notification", action: "s3:PutBucketNotification", headers: join(checksumHeaders, []string{"x-amz-skip-destination-validation"}), handle: putBucketNotification},
		{name: "GetObjectLockConfiguration", method: "GET", level: bucketLevel, sub: "object-lock", action: "s3:GetBucketObjectLockConfiguration", handle: getObjectLockConfiguration},
		{name: "PutObjectLockConfiguration", method: "PUT", level: bucketLevel, sub: "object-lock", action: "s3:PutBucketObjectLockConfiguration", headers: join(checksumHeaders, []string{"x-amz-bucket-object-lock-token"}), handle: putObjectLockConfiguration},
		{name: "GetBucketOwnershipControls", method: "GET", level: bucketLevel, sub: "ownershipControls", action: "s3:GetBucketOwnershipControls", handle: getBucketOwnershipControls},
		{name: "PutBucketOwnershipControls", method: "PUT", level: bucketLevel, sub: "ownershipControls", action: "s3:PutBucketOwnershipControls", headers: checksumHeaders, handle: putBucketOwnershipControls},
		{name: "DeleteBucketOwnershipControls", method: "DELETE", level: bucketLevel, sub: "ownershipControls", action: "s3:PutBucketOwnershipControls", handle: deleteDoc(docOwnership)},
		{name: "GetBucketPolicy", method: "GET", level: bucketLevel, sub: "policy", action: "s3:GetBucketPolicy", handle: getBucketPolicy},
		{name: "PutBucketPolicy", method: "PUT", level: bucketLevel, sub: "policy", action: "s3:PutBucketPolicy", headers: join(checksumHeaders, []string{"x-amz-confirm-remove-self-bucket-access"}), handle: putBucketPolicy},
		{name: "DeleteBucketPolicy", method: "DELETE", level: bucketLevel, sub: "policy", action: "s3:DeleteBucketPolicy", handle: deleteBucketPolicy},
		{name: "GetBucketPolicyStatus", method: "GET", level: bucketLevel, sub: "policyStatus", action: "s3:GetBucketPolicyStatus", handle: getBucketPolicyStatus},
		{name: "GetPublicAccessBlock", method: "GET", level: bucketLevel, sub: "publicAccessBlock", action: "s3:GetBucketPublicAccessBlock", handle: getPublicAccessBlock},
		{name: "PutPublicAccessBlock", method: "PUT", level: bucketLevel, sub: "publicAccessBlock", action: "s3:PutBucketPublicAccessBlock", headers: checksumHeaders, handle: putPublicAccessBlock},
		{name: "DeletePublicAccessBlock", method: "DELETE", level: bucketLevel, sub: "publicAccessBlock", action: "s3:PutBucketPublicAccessBlock", handle: deleteDoc(docPublicAccess)},
		{name: "GetBucketReplication", method: "GET", level: bucketLevel, sub: "replication", action: "s3:GetReplicationConfiguration", handle: notConfigured("ReplicationConfigurationNotFoundError"), unset: true},
		{name: "PutBucketReplication", method: "PUT", level: bucketLevel, sub: "replication", action: "s3:PutReplicationConfiguration"},
		{name: "DeleteBucketReplication", method: "DELETE", level: bucketLevel, sub: "replication", action: "s3:PutReplicationConfiguration", handle: nothingToDelete, unset: true},
		{name: "GetBucketRequestPayment", method: "GET", level: bucketLevel, sub: "requestPayment", action: "s3:GetBucketRequestPayment", handle: getBucketRequestPayment},
		{name: "PutBucketRequestPayment", method: "PUT", level: bucketLevel, sub: "requestPayment", action: "s3:PutBucketRequestPayment"},
		{name: "GetBucketWebsite", method: "GET", level: bucketLevel, sub: "website", action: "s3:GetBucketWebsite", handle: notConfigured("NoSuchWebsiteConfiguration"), unset: true},
		{name: "PutBucketWebsite", method: "PUT", level: bucketLevel, sub: "website", action: "s3:PutBucketWebsite"},
		{name: "DeleteBucketWebsite", method: "DELETE", level: bucketLevel, sub: "website", action: "s3:DeleteBucketWebsite", handle: nothingToDelete, unset: true},

		// Objects.
		{name: "GetObject", method: "GET", level: objectLevel, action: "s3:GetObject", params: responseParams, headers: join(sseHeaders, customerHeaders, []string{"x-amz-checksum-mode"}), handle: getObject},
		{name: "HeadObject", method: "HEAD", level: objectLevel, action: "s3:GetObject", params: responseParams, headers: join(sseHeaders, customerHeaders, []string{"x-amz-checksum-mode"}), handle: headObject},
		{name: "PutObject", method: "PUT", level: objectLevel, action: "s3:PutObject", headers: join(writeHeaders, sseHeaders, customerHeaders, checksumHeaders), handle: putObject},
		{name: "PutObject", method: "PUT", level: objectLevel, header: "x-amz-write-offset-bytes", action: "s3:PutObject", headers: join(writeHeaders, sseHeaders, customerHeaders, checksumHeaders, []string{"x-amz-write-offset-bytes"}), handle: appendObject},
		{name: "CopyObject", method: "PUT", level: objectLevel, header: "x-amz-copy-source", action: "s3:PutObject", headers: join(writeHeaders, copyHeaders, sseHeaders, customerHeaders, sourceCustomerHeaders, []string{"x-amz-checksum-algorithm", "x-amz-metadata-directive", "x-amz-tagging-directive"}), handle: copyObject},
		{name: "DeleteObject", method: "DELETE", level: objectLevel, action: "s3:DeleteObject", params: []string{"versionId"}, headers: []string{"x-amz-mfa", "x-amz-bypass-governance-retention", "x-amz-if-match-last-modified-time", "x-amz-if-match-size"}, handle: deleteObject},
		{name: "GetObjectAttributes", method: "GET", level: objectLevel, sub: "attributes", action: "s3:GetObjectAttributes", params: []string{"versionId"}, headers: join(customerHeaders, []string{"x-amz-max-parts", "x-amz-object-attributes", "x-amz-part-number-marker"}), handle: getObjectAttributes},
		{name: "GetObjectTagging", method: "GET", level: objectLevel, sub: "tagging", action: "s3:GetObjectTagging", params: []string{"versionId"}, handle: getObjectTagging},
		{name: "PutObjectTagging", method: "PUT", level: objectLevel, sub: "tagging", action: "s3:PutObjectTagging", params: []string{"versionId"}, headers: checksumHeaders, handle: putObjectTagging},
		{name: "DeleteObjectTagging", method: "DELETE", level: objectLevel, sub: "tagging", action: "s3:DeleteObjectTagging", params: []string{"versionId"}, handle: deleteObjectTagging},
		{name: "GetObjectAcl", method: "GET", level: objectLevel, sub: "acl", action: "s3:GetObjectAcl", params: []string{"versionId"}, handle: getObjectACL},
		{name: "PutObjectAcl", method: "PUT", level: objectLevel, sub: "acl", action: "s3:PutObjectAcl", params: []string{"versionId"}, headers: join(checksumHeaders, []string{"x-amz-acl", "x-amz-grant-full-control", "x-amz-grant-read", "x-amz-grant-read-acp", "x-amz-grant-write", "x-amz-grant-write-acp"}), handle: putObjectACL},
		{name: "GetObjectLegalHold", method: "GET", level: objectLevel, sub: "legal-hold", action: "s3:GetObjectLegalHold", params: []string{"versionId"}, handle: getObjectLegalHold},
		{name: "PutObjectLegalHold", method: "PUT", level: objectLevel, sub: "legal-hold", action: "s3:PutObjectLegalHold", params: []string{"versionId"}, headers: checksumHeaders, handle: putObjectLegalHold},
		{name: "GetObjectRetention", method: "GET", level: objectLevel, sub: "retention", action: "s3:GetObjectRetention", params: []string{"versionId"}, handle: getObjectRetention},
		{name: "PutObjectRetention", method: "PUT", level: objectLevel, sub: "retention", action: "s3:PutObjectRetention", params: []string{"versionId"}, headers: join(checksumHeaders, []string{"x-amz-bypass-governance-retention"}), handle: putObjectRetention},
		{name: "GetObjectTorrent", method: "GET", level: objectLevel, sub: "torrent", action: "s3:GetObjectTorrent"},
		{name: "RenameObject", method: "PUT", level: objectLevel, sub: "renameObject", action: "s3:PutObject", headers: join(renameHeaders, customerHeaders), handle: renameObject},
		{name: "RestoreObject", method: "POST", level: objectLevel, sub: "restore", action: "s3:RestoreObject", params: []string{"versionId"}},
		{name: "SelectObjectContent", method: "POST", level: objectLevel, sub: "select", action: "s3:GetObject", params: []string{"select-type"}},
		{name: "UpdateObjectEncryption", method: "PUT", level: objectLevel, sub: "encryption", action: "s3:UpdateObjectEncryption", params: []string{"versionId"}},

		// Multipart uploads.
		{name: "CreateMultipartUpload", method: "POST", level: objectLevel, sub: "uploads", action: "s3:PutObject", headers: join(writeHeaders, sseHeaders, customerHeaders, []string{"x-amz-checksum-algorithm", "x-amz-checksum-type"}), handle: createMultipartUpload},
		{name: "UploadPart", method: "PUT", level: objectLevel, sub: "uploadId", action: "s3:PutObject", params: []string{"partNumber"}, headers: join(sseHeaders, customerHeaders, checksumHeaders), handle: uploadPart},
		{name: "UploadPartCopy", method: "PUT", level: objectLevel, sub: "uploadId", header: "x-amz-copy-source", action: "s3:PutObject", params: []string{"partNumber"}, headers: join(copyHeaders, sseHeaders, customerHeaders, sourceCustomerHeaders, []string{"x-amz-copy-source-range"}), handle: uploadPartCopy},
		{name: "CompleteMultipartUpload", method: "POST", level: objectLevel, sub: "uploadId", action: "s3:PutObject", headers: join(sseHeaders, customerHeaders, checksumHeaders, []string{"x-amz-mp-object-size"}), handle: completeMultipartUpload},
		{name: "AbortMultipartUpload", method: "DELETE", level: objectLevel, sub: "uploadId", action: "s3:AbortMultipartUpload", headers: []string{"x-amz-if-match-initiated-time"}, handle: abortMultipartUpload},
		{name: "ListParts", method: "GET", level: objectLevel, sub: "uploadId", action: "s3:ListMultipartUploadParts", params: []string{"max-parts", "part-number-marker", "encoding-type"}, headers: customerHeaders, handle: listParts},
	}
}

// Actions that are no action: perObject rows authorise each object in their handler,
// noAction rows (the preflight) need no right.
const (
	perObject = "per object"
	noAction  = "none"
)

// versionAction is the action that an operation takes instead when the request names a
// version (S3 user guide, "Policy actions for Amazon S3"); missing ones keep their action.
var versionAction = map[string]string{
	"s3:GetObject":           "s3:GetObjectVersion",
	"s3:DeleteObject":        "s3:DeleteObjectVersion",
	"s3:GetObjectAttributes": "s3:GetObjectVersionAttributes",
	"s3:GetObjectTagging":    "s3:GetObjectVersionTagging",
	"s3:PutObjectTagging":    "s3:PutObjectVersionTagging",
	"s3:DeleteObjectTagging": "s3:DeleteObjectVersionTagging",
	"s3:GetObjectAcl":        "s3:GetObjectVersionAcl",
	"s3:PutObjectAcl":        "s3:PutObjectVersionAcl",
}
