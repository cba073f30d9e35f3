package s3api

const notificationLimits = "100 rules; to targets of this server, no topics, functions or EventBridge; see [events.md](events.md)"

// operationLimits are the limits of operations that docs/compatibility.md tells, by their names, or by the name and header of a
// row. What an operation refuses of the headers and parameters of the AWS model is found out from the table, and not told here.
var operationLimits = map[string]string{
	"ListBuckets":                         "10 000 a page",
	"CreateBucket":                        "in the server's region; no directory buckets; one's own bucket again: 200 when it has what is asked for, else 409; its ACL is not reset",
	"ListObjects":                         "1 000 keys a page",
	"ListObjectsV2":                       "1 000 keys a page",
	"ListObjectVersions":                  "1 000 versions a page",
	"ListMultipartUploads":                "1 000 uploads a page",
	"DeleteObjects":                       "1 000 keys",
	"PostObject":                          "5 GiB; 1 000 fields, 20 KiB of them in front of the file",
	"PutBucketVersioning":                 "no MFA delete",
	"PutBucketTagging":                    "50 tags",
	"PutBucketAcl":                        "100 grants; no grantees by e-mail",
	"PutObjectAcl":                        "100 grants; no grantees by e-mail",
	"PutBucketCors":                       "100 rules",
	"PutBucketLifecycle":                  "1 000 rules; no transitions; not in a gateway",
	"PutBucketLifecycleConfiguration":     "1 000 rules; no transitions; not in a gateway",
	"PutBucketEncryption":                 "no aws:kms:dsse",
	"PutBucketNotification":               notificationLimits,
	"PutBucketNotificationConfiguration":  notificationLimits,
	"PutBucketPolicy":                     "20 480 bytes; see [policies.md](policies.md)",
	"PutObjectLockConfiguration":          "36 500 days or 100 years",
	"GetObject":                           "one range, several give the whole object, as on S3",
	"PutObject":                           "5 GiB; 2 KiB of user-defined metadata, 10 tags; a storage class is kept and changes nothing; no aws:kms:dsse",
	"PutObject, x-amz-write-offset-bytes": "appends: 10 000 parts; not where versions are or were kept, not in a gateway; see [objects.md](objects.md)",
	"CopyObject":                          "5 GiB; as PutObject",
	"GetObjectAttributes":                 "1 000 parts a page",
	"RenameObject":                        "in every bucket, not in a gateway; see [objects.md](objects.md)",
	"PutObjectTagging":                    "10 tags",
	"CreateMultipartUpload":               "as PutObject",
	"UploadPart":                          "5 GiB, 10 000 parts",
	"UploadPartCopy":                      "5 GiB, 10 000 parts",
	"CompleteMultipartUpload":             "5 MiB for each part but the last",
	"ListParts":                           "1 000 parts a page",
}

// limits tells an operation's limits in words; "" for none that is known.
func (o *op) limits() string {
	if l := operationLimits[o.name+", "+o.header]; l != "" {
		return l
	}
	return operationLimits[o.name]
}
