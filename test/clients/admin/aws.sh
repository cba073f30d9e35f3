#!/usr/bin/env bash
# aws.sh   bucket policies, public access blocks and ownership controls by aws s3api, and users with the keys of users;
# sourced by run.sh, which has started a server and set AWS
a() { "$AWS" --endpoint-url "$ENDPOINT" "$@"; }
api() { a s3api "$@"; }
# as NAME COMMAND...   with the key of a user
as() { AWS_ACCESS_KEY_ID=$1 AWS_SECRET_ACCESS_KEY=$1-secret-1 "${@:2}"; }
anonymous() { curl -s -o "$TMP/answer" -w '%{http_code}' "$@"; }

# admin WORDS...   objsrv's own administration; by_mc WORDS... MinIO's
admin() { OBJSRV_URL=$ENDPOINT OBJSRV_ACCESS_KEY=$ACCESS OBJSRV_SECRET_KEY=$SECRET "$SERVER_BIN" admin "$@"; }
by_mc() { "$MC" --config-dir "$TMP/aws-mc" "$@"; }

# user NAME [POLICY FILE]   a user, with a policy of its own
user() {
  if [ "$PEER" = minio ]; then
    by_mc alias set t "$ENDPOINT" "$ACCESS" "$SECRET" && by_mc admin user add t "$1" "$1-secret-1" || return 1
    [ -z "${2:-}" ] || { by_mc admin policy create t "$2" "$FILES/$3" && by_mc admin policy attach t "$2" --user "$1"; }
  else
    [ -z "${2:-}" ] || admin policy set "$2" "$FILES/$3" || return 1
    echo "$1-secret-1" | admin user add "$1" --secret-stdin ${2:+--policy "$2"}
  fi
}

# arn NAME   the user's ARN
arn() { admin user info "$1" --json | sed -n 's/.*"arn": *"\([^"]*\)".*/\1/p'; }

# policy STATEMENT...   writes a policy of these statements, and its name
policy() {
  local IFS=,
  printf '{"Version":"2012-10-17","Statement":[%s]}' "$*" >"$TMP/policy.json"
  echo "file://$TMP/policy.json"
}
# allow PRINCIPAL ACTION RESOURCE [MORE]
allow() { printf '{"Effect":"Allow","Principal":%s,"Action":%s,"Resource":"arn:aws:s3:::%s"%s}' "$1" "$2" "$3" "${4:-}"; }
deny() { allow "$@" | sed 's/"Allow"/"Deny"/'; }
put_policy() { api put-bucket-policy --bucket "$b" --policy "$(policy "$@")"; }
is_public() { equal "$(api get-bucket-policy-status --bucket "$b" --query PolicyStatus.IsPublic)" "$1"; }
block() { api put-public-access-block --bucket "$b" --public-access-block-configuration "BlockPublicAcls=$1,IgnorePublicAcls=$2,BlockPublicPolicy=$3,RestrictPublicBuckets=$4"; }
# owned_by RULE   sets the ownership of the bucket's objects, and sees it
owned_by() {
  api put-bucket-ownership-controls --bucket "$b" --ownership-controls "Rules=[{ObjectOwnership=$1}]" &&
    equal "$(api get-bucket-ownership-controls --bucket "$b" --query 'OwnershipControls.Rules[0].ObjectOwnership' --output text)" "$1"
}

aws_session() {
  local b=team-one FILES=$TESTS/clients/admin/files ours=1
  [ "$PEER" != minio ] || ours=
  export AWS_ACCESS_KEY_ID=$ACCESS AWS_SECRET_ACCESS_KEY=$SECRET
  everyone='"*"' get='"s3:GetObject"' object=$ENDPOINT/$b/there

  # users with their keys
  check "users" eval 'user alice team team.json && user bob own own.json && user mallory'
  check "buckets and objects" eval 'a s3 mb "s3://$b" && a s3 mb s3://home && echo content | a s3 cp - "s3://$b/there" && echo content | a s3 cp - s3://home/bob/there'
  check "a user lists, puts, gets and deletes where his policy says" eval 'as alice a s3 ls "s3://$b" && as alice a s3 cp "$FILES/plain.txt" "s3://$b/by-alice" && equal "$(as alice a s3 cp "s3://$b/by-alice" -)" "plain words" && as alice a s3 rm "s3://$b/by-alice"'
  check "and nowhere else" eval 'refused AccessDenied as alice a s3 cp "$FILES/plain.txt" s3://home/by-alice && refused AccessDenied as alice api get-bucket-policy --bucket "$b" && refused AccessDenied as alice api put-bucket-policy --bucket "$b" --policy "$(policy "$(allow "$everyone" "$get" "$b/*")")" && refused AccessDenied as alice api delete-bucket --bucket "$b"'
  check "a policy with the user's name in it" eval 'as bob api list-objects-v2 --bucket home --prefix bob/ && refused AccessDenied as bob api list-objects-v2 --bucket home --prefix alice/ && as bob api put-object --bucket home --key bob/new --body "$FILES/plain.txt" && refused AccessDenied as bob api put-object --bucket home --key alice/new --body "$FILES/plain.txt"'
  check "a user without a policy may nothing" eval 'refused AccessDenied as mallory api get-object --bucket "$b" --key there "$TMP/out" && refused AccessDenied as mallory api list-objects-v2 --bucket "$b"'
  check "a wrong secret" eval 'AWS_SECRET_ACCESS_KEY=wrong refused SignatureDoesNotMatch api list-buckets'

  # the document
  check "no policy at first" refused NoSuchBucketPolicy api get-bucket-policy --bucket "$b"
  check "policy put and got" eval 'put_policy "$(allow "$everyone" "$get" "$b/pub/*")" && equal "$(api get-bucket-policy --bucket "$b" --query Policy --output text | python3 -c "import json,sys; print(json.load(sys.stdin)[\"Statement\"][0][\"Effect\"])")" Allow'
  check "not JSON" refused MalformedPolicy api put-bucket-policy --bucket "$b" --policy '{"Version":'
  check "an unknown action" eval 'refused MalformedPolicy put_policy "$(allow "$everyone" "\"s3:NoSuchAction\"" "$b/*")"'
  check "the resource of another bucket" eval 'refused MalformedPolicy put_policy "$(allow "$everyone" "$get" "home/*")"'
  check "no principal" eval 'refused MalformedPolicy put_policy "{\"Effect\":\"Allow\",\"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::$b/*\"}"'
  check "what was refused changed nothing" eval 'api get-bucket-policy --bucket "$b" --query Policy --output text | grep -q "$b/pub/"'
  check "policy deleted, twice" eval 'api delete-bucket-policy --bucket "$b" && api delete-bucket-policy --bucket "$b" && refused NoSuchBucketPolicy api get-bucket-policy --bucket "$b"'
  check "of a bucket that is not there" refused NoSuchBucket api get-bucket-policy --bucket nosuch-bucket

  # what it grants
  check "anonymous is refused without a policy" eval 'equal "$(anonymous "$object")" 403'
  check "anonymous reads by a policy" eval 'put_policy "$(allow "$everyone" "$get" "$b/*")" && equal "$(anonymous "$object")" 200 && equal "$(cat "$TMP/answer")" content'
  check "and does nothing else" eval 'equal "$(anonymous -T "$FILES/plain.txt" "$object")" 403 && equal "$(anonymous -X DELETE "$object")" 403 && equal "$(anonymous "$ENDPOINT/$b?policy")" 403'
  check "bucket/* grants nothing on the bucket" eval 'put_policy "$(allow "$everyone" "\"s3:*\"" "$b/*")" && equal "$(anonymous "$object")" 200 && equal "$(anonymous "$ENDPOINT/$b")" 403'
  check "a condition on the source" eval 'put_policy "$(allow "$everyone" "$get" "$b/*" ",\"Condition\":{\"IpAddress\":{\"aws:SourceIp\":\"192.0.2.0/24\"}}")" && equal "$(anonymous "$object")" 403 && put_policy "$(allow "$everyone" "$get" "$b/*" ",\"Condition\":{\"IpAddress\":{\"aws:SourceIp\":\"127.0.0.0/8\"}}")" && equal "$(anonymous "$object")" 200'
  check "a header does not change the source" eval 'put_policy "$(allow "$everyone" "$get" "$b/*" ",\"Condition\":{\"IpAddress\":{\"aws:SourceIp\":\"192.0.2.0/24\"}}")" && equal "$(anonymous -H "X-Forwarded-For: 192.0.2.1" -H "X-Real-Ip: 192.0.2.1" "$object")" 403'
  check "a denial beats the user's policy" eval 'put_policy "$(deny "$everyone" "\"s3:PutObject\"" "$b/*")" && refused AccessDenied as alice api put-object --bucket "$b" --key by-alice --body "$FILES/plain.txt" && as alice api get-object --bucket "$b" --key there "$TMP/out"'
  check "root gets out of a policy that denies everything" eval 'put_policy "$(deny "$everyone" "\"s3:*\"" "$b")" && api get-bucket-policy --bucket "$b" && api delete-bucket-policy --bucket "$b"'
  if [ -z "$ours" ]; then skip "$CLIENT principals, status and blocks" "MinIO has none"; return; fi
  mallory="{\"AWS\":\"$(arn mallory)\"}"
  check "a user as principal" eval 'put_policy "$(allow "$mallory" "$get" "$b/*")" && as mallory api get-object --bucket "$b" --key there "$TMP/out" && refused AccessDenied as bob api get-object --bucket "$b" --key there "$TMP/out" && equal "$(anonymous "$object")" 403'
  check "everyone but one" eval 'put_policy "{\"Effect\":\"Deny\",\"NotPrincipal\":$mallory,\"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::$b/*\"}" "$(allow "$mallory" "$get" "$b/*")" && as mallory api get-object --bucket "$b" --key there "$TMP/out" && refused AccessDenied as alice api get-object --bucket "$b" --key there "$TMP/out"'
  check "a principal who is not there" eval 'refused MalformedPolicy put_policy "$(allow "{\"AWS\":\"$(arn mallory | sed s/mallory/nobody/)\"}" "$get" "$b/*")"'
  check "a user who is made anew is another" eval 'put_policy "$(allow "$mallory" "$get" "$b/*")" && admin user rm mallory && user mallory && refused AccessDenied as mallory api get-object --bucket "$b" --key there "$TMP/out"'
  check "a policy of more than 20 KiB" eval 'refused "PolicyTooLarge\|MalformedPolicy\|InvalidArgument" put_policy "$(allow "$everyone" "$get" "$b/$(printf "%020480d" 0)")"'

  # who is public, and the blocks
  check "status: public" eval 'put_policy "$(allow "$everyone" "$get" "$b/*")" && is_public true'
  check "status: not public by its condition" eval 'put_policy "$(allow "$everyone" "$get" "$b/*" ",\"Condition\":{\"IpAddress\":{\"aws:SourceIp\":\"192.0.2.0/24\"}}")" && is_public false'
  check "status without a policy" eval 'api delete-bucket-policy --bucket "$b" && refused NoSuchBucketPolicy api get-bucket-policy-status --bucket "$b"'
  check "block put, got and deleted" eval 'block true false false true && equal "$(api get-public-access-block --bucket "$b" --query "PublicAccessBlockConfiguration.[BlockPublicAcls,IgnorePublicAcls,BlockPublicPolicy,RestrictPublicBuckets]" --output text | tr "\t" " ")" "True False False True" && api delete-public-access-block --bucket "$b" && refused NoSuchPublicAccessBlockConfiguration api get-public-access-block --bucket "$b"'
  check "BlockPublicPolicy refuses a public policy" eval 'block false false true false && refused AccessDenied put_policy "$(allow "$everyone" "$get" "$b/*")" && put_policy "$(allow "{\"AWS\":\"$(arn alice)\"}" "$get" "$b/*")"'
  check "RestrictPublicBuckets keeps the public out" eval 'block false false false false && put_policy "$(allow "$everyone" "$get" "$b/*")" && equal "$(anonymous "$object")" 200 && block false false false true && equal "$(anonymous "$object")" 403 && as alice api get-object --bucket "$b" --key there "$TMP/out" && api delete-public-access-block --bucket "$b" && equal "$(anonymous "$object")" 200'
  check "a plain user changes none of it" eval 'refused AccessDenied as alice api delete-public-access-block --bucket "$b" && refused AccessDenied as alice api put-bucket-ownership-controls --bucket "$b" --ownership-controls "Rules=[{ObjectOwnership=ObjectWriter}]"'

  # ownership
  check "ownership controls put, got and deleted" eval 'owned_by ObjectWriter && owned_by BucketOwnerPreferred && owned_by BucketOwnerEnforced && api delete-bucket-ownership-controls --bucket "$b" && refused OwnershipControlsNotFoundError api get-bucket-ownership-controls --bucket "$b"'
  check "BucketOwnerEnforced takes no ACL" eval 'api put-bucket-ownership-controls --bucket "$b" --ownership-controls "Rules=[{ObjectOwnership=BucketOwnerEnforced}]" && refused AccessControlListNotSupported api put-bucket-acl --bucket "$b" --acl public-read && refused AccessControlListNotSupported api put-object --bucket "$b" --key acl --body "$FILES/plain.txt" --acl public-read && api put-object --bucket "$b" --key acl --body "$FILES/plain.txt" --acl bucket-owner-full-control && api get-bucket-acl --bucket "$b"'
  check "and BlockPublicAcls no public one" eval 'api put-bucket-ownership-controls --bucket "$b" --ownership-controls "Rules=[{ObjectOwnership=ObjectWriter}]" && block true true false false && refused AccessDenied api put-bucket-acl --bucket "$b" --acl public-read && api put-bucket-acl --bucket "$b" --acl private'
  check "a user is disabled, and his key refused" eval 'admin user disable alice && refused InvalidAccessKeyId as alice api list-objects-v2 --bucket "$b" && admin user enable alice && as alice api list-objects-v2 --bucket "$b"'
}
