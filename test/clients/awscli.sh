#!/usr/bin/env bash
# awscli.sh   session of the AWS command line; started by run.sh
. "$(dirname "$0")/session.sh"
a() { "$AWS" --endpoint-url "$ENDPOINT" "$@"; }
api() { a s3api "$@"; }
q() { api "$@" --output text; } # with --query
b=awscli-$$ b2=awscli-$$-2

# --- s3 ---
check "s3 mb" a s3 mb "s3://$b"
for size in $SIZES; do
  check "s3 cp up and down, $size bytes" eval 'a s3 cp --no-progress "$FILES/$size" "s3://$b/size/$size" && a s3 cp --no-progress "s3://$b/size/$size" "$TMP/back" && same "$FILES/$size" "$TMP/back"'
done
check "s3 cp from and to a stream" eval 'a s3 cp - "s3://$b/stream" <"$FILES/5242881" && a s3 cp "s3://$b/stream" - | cmp - "$FILES/5242881"'
for key in 'ünïcode/日本語 ☃ 😀' 'a+b&c=d?e#f%25' "q'uo\"te" 'dots/./and/../x' 'double//slash'; do
  check "key '$key'" eval 'a s3 cp --no-progress "$FILES/1" "s3://$b/k/$key" && a s3 cp --no-progress "s3://$b/k/$key" - | cmp - "$FILES/1" && a s3api head-object --bucket "$b" --key "k/$key"'
done
check "s3 sync up" eval 'a s3 sync --no-progress "$FILES/tree" "s3://$b/tree"'
check "s3 sync again does nothing" eval 'equal "$(a s3 sync --no-progress "$FILES/tree" "s3://$b/tree")" ""'
check "s3 sync down gives the same tree" eval 'a s3 sync --no-progress "s3://$b/tree" "$TMP/tree" && diff -r "$FILES/tree" "$TMP/tree"'
check "s3 sync between buckets, with --delete" eval 'a s3 mb "s3://$b2" && a s3 cp --no-progress "$FILES/1" "s3://$b2/tree/stray" && a s3 sync --no-progress --delete "s3://$b/tree" "s3://$b2/tree" && ! a s3 ls "s3://$b2/tree/stray" && a s3 sync --no-progress "s3://$b2/tree" "$TMP/tree2" && diff -r "$FILES/tree" "$TMP/tree2"'
check "s3 cp within the server, multipart size" eval 'a s3 cp --no-progress "s3://$b/size/67108864" "s3://$b2/copy" && a s3 cp --no-progress "s3://$b2/copy" "$TMP/back" && same "$FILES/67108864" "$TMP/back"'
check "s3 mv" eval 'a s3 mv --no-progress "s3://$b2/copy" "s3://$b2/moved" && ! a s3 ls "s3://$b2/copy" && a s3 ls "s3://$b2/moved"'
check "s3 ls" eval 'a s3 ls | grep -q "$b2" && a s3 ls --recursive --summarize "s3://$b/size/" | grep -q "Total Objects: 6" && a s3 ls "s3://$b/" | grep -q "PRE tree/"'
# version 1 of the cli makes URLs of Signature V2 for us-east-1 unless its configuration says s3v4; version 2 always makes V4
printf '[default]\ns3 =\n  signature_version = s3v4\n' >"$TMP/v4"
v4() { AWS_CONFIG_FILE=$TMP/v4 a "$@"; }
check "s3 presign GET with curl" eval 'curl -fsS "$(v4 s3 presign "s3://$b/size/5242881")" | cmp - "$FILES/5242881"'
check "presigned GET that is changed is refused" eval 'equal "$(curl -s -o /dev/null -w "%{http_code}" "$(v4 s3 presign "s3://$b/size/1")0")" 403'
check "presigned GET of Signature V2 is refused and says why" eval 'url=$(a s3 presign "s3://$b/size/1"); [[ $url == *X-Amz-Signature* ]] || curl -s "$url" | grep -q "AWS4-HMAC-SHA256"'
check "s3 rm --recursive" eval 'a s3 rm --recursive "s3://$b2/tree" && ! a s3 ls "s3://$b2/tree/"'
check "s3 rb --force" a s3 rb --force "s3://$b2"
if big; then
  check "5 GiB by multipart" eval 'a s3 cp --no-progress "$FILES/5G" "s3://$b/5G" && a s3 cp --no-progress "s3://$b/5G" - | cmp - "$FILES/5G" && a s3 rm "s3://$b/5G"'
fi

# --- s3api: buckets ---
v=awscli-$$-v
check "create-bucket" eval 'api create-bucket --bucket "$v" && refused BucketAlreadyOwnedByYou api create-bucket --bucket "$v" --region us-west-2 --create-bucket-configuration LocationConstraint=us-west-2 || api head-bucket --bucket "$v"'
check "create-bucket with object lock" eval 'api create-bucket --bucket "$v-lock" --object-lock-enabled-for-bucket && equal "$(q get-bucket-versioning --bucket "$v-lock" --query Status)" Enabled && api delete-bucket --bucket "$v-lock"'
check "create-bucket with a bad name" refused InvalidBucketName api create-bucket --bucket "Bad_Name"
check "list-buckets" eval 'q list-buckets --query "Buckets[].Name" | grep -qw "$v"'
check "list-buckets with prefix and pages" eval 'equal "$(q list-buckets --prefix "awscli-$$" --page-size 1 --query "Buckets[].Name" | tr "\n\t" "  " | xargs -n1 | sort | xargs)" "$b $v"'
check "head-bucket" eval 'api head-bucket --bucket "$v" && refused 404 api head-bucket --bucket "$v-none"'
check "get-bucket-location" eval 'equal "$(q get-bucket-location --bucket "$v" --query LocationConstraint)" None'
check "bucket tagging" eval 'api put-bucket-tagging --bucket "$v" --tagging "TagSet=[{Key=a,Value=ü}]" && equal "$(q get-bucket-tagging --bucket "$v" --query "TagSet[0].Value")" ü && api delete-bucket-tagging --bucket "$v" && refused NoSuchTagSet api get-bucket-tagging --bucket "$v"'
check "bucket versioning" eval 'equal "$(q get-bucket-versioning --bucket "$v" --query Status)" None && api put-bucket-versioning --bucket "$v" --versioning-configuration Status=Enabled && equal "$(q get-bucket-versioning --bucket "$v" --query Status)" Enabled'
for pair in get-bucket-cors=NoSuchCORSConfiguration get-bucket-lifecycle-configuration=NoSuchLifecycleConfiguration get-bucket-policy=NoSuchBucketPolicy \
  get-bucket-encryption=ServerSideEncryptionConfigurationNotFoundError get-bucket-website=NoSuchWebsiteConfiguration \
  get-bucket-replication=ReplicationConfigurationNotFoundError get-public-access-block=NoSuchPublicAccessBlockConfiguration \
  get-bucket-ownership-controls=OwnershipControlsNotFoundError get-object-lock-configuration=ObjectLockConfigurationNotFoundError; do
  check "${pair%=*} of a new bucket" refused "${pair#*=}" api "${pair%=*}" --bucket "$v"
done
for op in get-bucket-acl get-bucket-logging get-bucket-accelerate-configuration get-bucket-request-payment get-bucket-notification-configuration; do
  check "$op of a new bucket" api "$op" --bucket "$v"
done

lifecycle='{"Rules":[{"ID":"r","Status":"Enabled","Filter":{"Prefix":"old/"},"Expiration":{"Days":30},"NoncurrentVersionExpiration":{"NoncurrentDays":2,"NewerNoncurrentVersions":3},"AbortIncompleteMultipartUpload":{"DaysAfterInitiation":7}}]}'
check "lifecycle rules" eval 'api put-bucket-lifecycle-configuration --bucket "$v" --lifecycle-configuration "$lifecycle" && equal "$(q get-bucket-lifecycle-configuration --bucket "$v" --query "Rules[0].[ID,Filter.Prefix,Expiration.Days,NoncurrentVersionExpiration.NewerNoncurrentVersions,AbortIncompleteMultipartUpload.DaysAfterInitiation]" | tr "\t" " ")" "r old/ 30 3 7"'
check "put-object tells when it expires" eval 'q put-object --bucket "$v" --key old/a --query Expiration | grep -q "rule-id=\"r\"" && equal "$(q head-object --bucket "$v" --key old/a --query "Expiration != null")" True && equal "$(q put-object --bucket "$v" --key new --query Expiration)" None'
check "create-multipart-upload tells when it is aborted" eval 'u=$(q create-multipart-upload --bucket "$v" --key old/u --query "[UploadId,AbortRuleId]" | tr "\t" " ") && equal "${u#* }" r && api abort-multipart-upload --bucket "$v" --key old/u --upload-id "${u% *}"'
check "lifecycle rules without their days" refused InvalidArgument api put-bucket-lifecycle-configuration --bucket "$v" --lifecycle-configuration "${lifecycle/30/0}"
check "lifecycle rules removed" eval 'api delete-bucket-lifecycle --bucket "$v" && refused NoSuchLifecycleConfiguration api get-bucket-lifecycle-configuration --bucket "$v"'

# --- s3api: objects ---
check "put-object with everything" eval 'api put-object --bucket "$v" --key o --body "$FILES/5242881" --content-type text/x --cache-control no-cache --content-disposition inline --content-language de --content-encoding gzip --expires 2030-01-02T03:04:05Z --metadata one=1,two=zwei --tagging "t=1&u=2" --checksum-algorithm SHA256'
check "head-object" eval 'equal "$(q head-object --bucket "$v" --key o --checksum-mode ENABLED --query "[ContentType,CacheControl,ContentDisposition,ContentLanguage,ContentEncoding,Metadata.one,Metadata.two,ContentLength]" | tr "\t" " ")" "text/x no-cache inline de gzip 1 zwei 5242881"'
check "checksum SHA256 is kept" eval 'equal "$(q head-object --bucket "$v" --key o --checksum-mode ENABLED --query ChecksumSHA256)" "$(openssl dgst -sha256 -binary "$FILES/5242881" | base64)"'
check "get-object, range" eval 'api get-object --bucket "$v" --key o --range bytes=100-199 "$TMP/part" && tail -c +101 "$FILES/5242881" | head -c 100 | cmp - "$TMP/part"'
check "get-object, conditions" eval 'etag=$(q head-object --bucket "$v" --key o --query ETag) && api get-object --bucket "$v" --key o --if-match "$etag" "$TMP/part" && refused 304 api get-object --bucket "$v" --key o --if-none-match "$etag" "$TMP/part" && refused PreconditionFailed api get-object --bucket "$v" --key o --if-match x "$TMP/part"'
check "get-object of nothing" refused NoSuchKey api get-object --bucket "$v" --key none "$TMP/part"
check "put-object --if-none-match" refused PreconditionFailed api put-object --bucket "$v" --key o --if-none-match '*'
check "get-object-attributes" eval 'equal "$(q get-object-attributes --bucket "$v" --key o --object-attributes ETag Checksum ObjectSize StorageClass --query ObjectSize)" 5242881'
check "object tagging" eval 'equal "$(q get-object-tagging --bucket "$v" --key o --query "TagSet[1].Value")" 2 && api put-object-tagging --bucket "$v" --key o --tagging "TagSet=[{Key=x,Value=y}]" && equal "$(q get-object-tagging --bucket "$v" --key o --query "TagSet[].Key")" x && api delete-object-tagging --bucket "$v" --key o && equal "$(q get-object-tagging --bucket "$v" --key o --query "TagSet")" ""'
check "copy-object" eval 'api copy-object --bucket "$v" --key c --copy-source "$v/o" && equal "$(q head-object --bucket "$v" --key c --query Metadata.two)" zwei && api copy-object --bucket "$v" --key c --copy-source "$v/c" --metadata-directive REPLACE --metadata three=3 && equal "$(q head-object --bucket "$v" --key c --query Metadata.three)" 3'
check "copy-object onto itself without change" refused InvalidRequest api copy-object --bucket "$v" --key c --copy-source "$v/c"
check "delete-object makes a marker, twice" eval 'm1=$(q delete-object --bucket "$v" --key c --query VersionId) && m2=$(q delete-object --bucket "$v" --key c --query VersionId) && [ "$m1" != "$m2" ] && refused 404 api head-object --bucket "$v" --key c && equal "$(q list-object-versions --bucket "$v" --prefix c --query "length(DeleteMarkers)")" 2'
check "delete-object of a version" eval 'for m in $(q list-object-versions --bucket "$v" --prefix c --query "DeleteMarkers[].VersionId"); do api delete-object --bucket "$v" --key c --version-id "$m"; done; api head-object --bucket "$v" --key c'
check "list-objects, delimiter" eval 'equal "$(q list-objects --bucket "$b" --delimiter / --query "CommonPrefixes[].Prefix" | tr "\t" " ")" "k/ size/ tree/"'
check "list-objects-v2, pages and start-after" eval 'equal "$(q list-objects-v2 --bucket "$b" --prefix size/ --page-size 2 --start-after size/0 --query "Contents[].Size" | grep -o "[0-9]\+" | xargs)" "1 5242879 5242880 5242881 67108864"'
check "list-objects-v2 --fetch-owner" eval '[ "$(q list-objects-v2 --bucket "$b" --prefix size/0 --fetch-owner --query "Contents[0].Owner.ID")" != None ]'
check "delete-objects" eval 'api put-object --bucket "$v" --key d1 && api put-object --bucket "$v" --key d2 && equal "$(q delete-objects --bucket "$v" --delete "Objects=[{Key=d1},{Key=d2},{Key=never}]" --query "length(Deleted)")" 3'
check "--expected-bucket-owner that is another" refused "403\|AccessDenied" api head-object --bucket "$v" --key o --expected-bucket-owner 999999999999

# --- s3api: multipart ---
check "create-multipart-upload" eval 'api create-multipart-upload --bucket "$v" --key m --metadata m=1 --query UploadId --output text >"$TMP/id"'
id=$(cat "$TMP/id")
check "upload-part" eval 'q upload-part --bucket "$v" --key m --upload-id "$id" --part-number 1 --body "$FILES/5242881" --query ETag >"$TMP/e1"'
check "upload-part-copy with a range" eval 'q upload-part-copy --bucket "$v" --key m --upload-id "$id" --part-number 2 --copy-source "$b/size/67108864" --copy-source-range bytes=0-9 --query CopyPartResult.ETag >"$TMP/e2"'
check "list-parts" eval 'equal "$(q list-parts --bucket "$v" --key m --upload-id "$id" --page-size 1 --query "Parts[].Size" | xargs)" "5242881 10"'
check "list-multipart-uploads" eval 'equal "$(q list-multipart-uploads --bucket "$v" --prefix m --query "Uploads[].Key")" m && equal "$(q list-multipart-uploads --bucket "$v" --prefix other --query "Uploads")" None'
check "complete-multipart-upload" eval 'api complete-multipart-upload --bucket "$v" --key m --upload-id "$id" --multipart-upload "Parts=[{PartNumber=1,ETag=$(cat "$TMP/e1")},{PartNumber=2,ETag=$(cat "$TMP/e2")}]" && api get-object --bucket "$v" --key m "$TMP/m" && { cat "$FILES/5242881"; head -c 10 "$FILES/67108864"; } | cmp - "$TMP/m"'
check "get-object --part-number" eval 'api get-object --bucket "$v" --key m --part-number 2 "$TMP/m2" && head -c 10 "$FILES/67108864" | cmp - "$TMP/m2"'
check "abort-multipart-upload" eval 'id=$(q create-multipart-upload --bucket "$v" --key n --query UploadId) && api abort-multipart-upload --bucket "$v" --key n --upload-id "$id" && refused NoSuchUpload api list-parts --bucket "$v" --key n --upload-id "$id"'

# --- encryption ---
check "bucket encryption" eval 'api put-bucket-encryption --bucket "$v" --server-side-encryption-configuration "Rules=[{ApplyServerSideEncryptionByDefault={SSEAlgorithm=AES256}}]" && equal "$(q get-bucket-encryption --bucket "$v" --query "ServerSideEncryptionConfiguration.Rules[0].ApplyServerSideEncryptionByDefault.SSEAlgorithm")" AES256 && api put-object --bucket "$v" --key enc --body "$FILES/1" && equal "$(q head-object --bucket "$v" --key enc --query ServerSideEncryption)" AES256 && api delete-bucket-encryption --bucket "$v" && refused ServerSideEncryptionConfigurationNotFoundError api get-bucket-encryption --bucket "$v"'
check "cp --sse, of many parts" eval 'a s3 cp --sse AES256 "$FILES/67108864" "s3://$v/sse" && a s3 cp "s3://$v/sse" "$TMP/back" && same "$FILES/67108864" "$TMP/back" && equal "$(q head-object --bucket "$v" --key sse --query ServerSideEncryption)" AES256'
check "cp --sse aws:kms" eval 'a s3 cp --sse aws:kms "$FILES/5242881" "s3://$v/kms" && a s3 cp "s3://$v/kms" "$TMP/back" && same "$FILES/5242881" "$TMP/back" && equal "$(q head-object --bucket "$v" --key kms --query ServerSideEncryption)" aws:kms'
check "a key that is not there" refused KMS.NotFoundException api put-object --bucket "$v" --key none --server-side-encryption aws:kms --ssekms-key-id none
head -c 32 /dev/urandom >"$TMP/customer"
if [ -n "${CA:-}" ]; then
  check "cp --sse-c, of many parts, and back" eval 'a s3 cp --sse-c AES256 --sse-c-key "fileb://$TMP/customer" "$FILES/67108864" "s3://$v/c" && a s3 cp --sse-c AES256 --sse-c-key "fileb://$TMP/customer" "s3://$v/c" "$TMP/back" && same "$FILES/67108864" "$TMP/back"'
  check "head-object without the customer's key" refused "400\|Bad Request" api head-object --bucket "$v" --key c
  check "copy from SSE-C to none" eval 'a s3 cp --sse-c-copy-source AES256 --sse-c-copy-source-key "fileb://$TMP/customer" "s3://$v/c" "s3://$v/uncovered" && a s3 cp "s3://$v/uncovered" "$TMP/back" && same "$FILES/67108864" "$TMP/back"'
else
  check "no SSE-C over plain HTTP" refused InvalidRequest api put-object --bucket "$v" --key c --body "$FILES/1" --sse-customer-algorithm AES256 --sse-customer-key "fileb://$TMP/customer"
fi
check "delete-bucket that is not empty" refused BucketNotEmpty api delete-bucket --bucket "$v"
check "delete everything, then the buckets" eval 'for x in Versions DeleteMarkers; do q list-object-versions --bucket "$v" --query "$x[].[Key,VersionId]" | while read -r k i; do [ "$k" = None ] || api delete-object --bucket "$v" --key "$k" --version-id "$i"; done; done; api delete-bucket --bucket "$v" && a s3 rb --force "s3://$b"'
