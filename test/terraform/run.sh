#!/usr/bin/env bash
# run.sh   Terraform's aws provider against a server: a bucket with every sub-resource is created, refreshed, imported,
# changed and destroyed, and a bucket beside it must not change; what objsrv does not have must be refused by name.
#
#   TERRAFORM=binary   terraform or tofu (the one on PATH)
#   TF_PLUGINS=DIR     a directory of providers (a filesystem mirror), so that none is downloaded; tested with hashicorp/aws 5.100
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
here=$TESTS/terraform
begin
TERRAFORM=${TERRAFORM:-$(command -v terraform || command -v tofu)} || { skip terraform "neither terraform nor tofu is on PATH, and TERRAFORM names none"; finish; }
printf 'disable_checkpoint = true\n' >"$TMP/cli.tfrc"
[ -z "${TF_PLUGINS:-}" ] || printf 'provider_installation {\n  filesystem_mirror {\n    path = "%s"\n  }\n}\n' "$TF_PLUGINS" >>"$TMP/cli.tfrc"
export TF_CLI_CONFIG_FILE=$TMP/cli.tfrc TF_IN_AUTOMATION=1 TF_INPUT=0 TF_CLI_ARGS=-no-color AWS_MAX_ATTEMPTS=2

# a target of events, which is asked for and gets none
export OBJSRV_NOTIFY_WEBHOOK_ENABLE_TF=on OBJSRV_NOTIFY_WEBHOOK_ENDPOINT_TF=https://192.0.2.1/hook
start_server "$TMP/data"
export AWS_ACCESS_KEY_ID=$ACCESS AWS_SECRET_ACCESS_KEY=$SECRET TF_VAR_endpoint=$ENDPOINT
OBJSRV_URL=$ENDPOINT OBJSRV_ACCESS_KEY=$ACCESS OBJSRV_SECRET_KEY=$SECRET "$SERVER_BIN" admin encryption key add tf-key >"$TMP/admin.log" 2>&1 ||
  { fail "encryption key" "$(cat "$TMP/admin.log")"; finish; }

# old versions of curl sign only queries that have an "="
s3() { curl -fsS --aws-sigv4 aws:amz:us-east-1:s3 --user "$ACCESS:$SECRET" -H "x-amz-content-sha256: UNSIGNED-PAYLOAD" "${@:2}" "$ENDPOINT/$1"; }
put() { s3 "$1" -X PUT --data-binary "$2"; }

# bystander   all of a bucket that Terraform is not told of
bystander() {
  local q
  for q in '?versions=' '?policy=' '?versioning=' '?acl=' '?location=' k; do s3 "tf-bystander/$q"; echo; done
}
tf() { (cd "$TMP/$1" && "$TERRAFORM" "${@:2}"); }
unchanged() { bystander >"$TMP/now" && diff "$TMP/before" "$TMP/now"; }

{
put tf-bystander ""
put tf-bystander/k "content"
put 'tf-bystander?versioning=' '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>'
put tf-bystander/k "other content"
put 'tf-bystander?policy=' '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::tf-bystander/public/*"}]}'
bystander >"$TMP/before"
} || { fail "bystander" "it could not be made"; finish; }

for d in built unbuilt; do
  cp -r "$here/$d" "$TMP/$d"
  tf "$d" init >"$TMP/init.log" 2>&1 || { skip terraform "the provider can't be had (TF_PLUGINS=): $(tail -n 3 "$TMP/init.log" | tr '\n' ' ')"; finish; }
done

CLIENT=terraform
check create tf built apply -auto-approve
check "refresh: nothing differs" tf built plan -detailed-exitcode
import() {
  local r id
  mkdir "$TMP/imported" && cp "$here"/built/*.tf "$TMP/imported/" && tf imported init || return
  for r in bucket.full bucket.plain bucket_versioning.full bucket_object_lock_configuration.full bucket_server_side_encryption_configuration.full \
    bucket_cors_configuration.full bucket_lifecycle_configuration.full bucket_notification.full bucket_ownership_controls.full bucket_public_access_block.full bucket_policy.full; do
    id=tf-full; [ "${r#*.}" = full ] || id=tf-plain
    printf 'import {\n  to = aws_s3_%s\n  id = "%s"\n}\n' "$r" "$id" >>"$TMP/imported/import.tf"
  done
  tf imported plan >"$TMP/import.log" && grep -E "^Plan: 11 to import, 4 to add, [0-9]+ to change, 0 to destroy" "$TMP/import.log"
}
check "import: all is found" import
export TF_VAR_again=true
check change tf built apply -auto-approve
check "change: nothing differs" tf built plan -detailed-exitcode
check "the bystander is as it was" unchanged
check destroy tf built destroy -auto-approve
check "destroyed buckets are gone" eval '! s3 tf-full?location= && ! s3 tf-plain?location='
unset TF_VAR_again

refusals() {
  tf unbuilt apply -auto-approve >"$TMP/unbuilt.log" 2>&1 && { echo "nothing was refused"; return 1; }
  local r n=0
  for r in Accelerate RequestPayment Website Logging Metrics Analytics IntelligentTiering Inventory Replication; do
    grep -q "operation error S3: PutBucket$r.*StatusCode: 501.*NotImplemented" "$TMP/unbuilt.log" || { echo "PutBucket$r is not refused with 501"; n=1; }
  done
  return $n
}
check "what there is not is refused by name" refusals
check "the bystander is as it was, again" unchanged
finish
