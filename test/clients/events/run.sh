#!/usr/bin/env bash
# run.sh   notifications of buckets by mc and the aws cli, compared with a real MinIO step by step, and what its webhook
# and ours get
#
#   MC= MINIO= AWS= programs, else found on PATH; without them it says so and does nothing
. "$(dirname "${BASH_SOURCE[0]}")/../../lib.sh"
begin
HERE=$TESTS/clients/events
for p in mc minio aws; do
  v=${p^^}; found=$(command -v "${!v:-$p}") || { skip events "$p is not installed (on PATH, or ${v}=)"; exit 0; }
  case $found in */shims/*) found=$(pyenv which "$p" 2>/dev/null || echo "$found") ;; esac # a shim costs seconds at each start
  printf -v "$v" %s "$found"
done
m() { "$MC" --config-dir "$TMP/mc-$SIDE" --quiet --disable-pager "$@"; }
a() { AWS_ACCESS_KEY_ID=$ACCESS AWS_SECRET_ACCESS_KEY=$SECRET "$AWS" --endpoint-url "$ENDPOINT" s3api "$@"; }

# step NAME COMMAND...   keeps what a command says, and how it ends
step() { local name=$1; shift; { "$@" 2>&1; echo "exit $?"; } >"$TMP/$SIDE/$name" </dev/null; }

# conf NAME JSON   sets a configuration by the aws cli, and reads it
conf() {
  step "aws-$1" a put-bucket-notification-configuration --bucket second --notification-configuration "$2"
  step "aws-$1-read" a get-bucket-notification-configuration --bucket second
}
got() { [ "$(wc -l <"$TMP/$SIDE/hook")" -ge "$1" ]; }

steps() {
  local arn=arn:minio:sqs::T:webhook q
  q() { printf '{"QueueConfigurations":[{"QueueArn":"%s","Events":[%s]%s}]}' "${3:-$arn}" "$1" "${2:-}"; }
  step mc-alias m alias set t "$ENDPOINT" "$ACCESS" "$SECRET"
  m mb t/first >/dev/null; m mb t/second >/dev/null
  step mc-ls-none m event ls t/first
  step mc-add m event add t/first $arn
  step mc-add-filter m event add t/first $arn --event put --prefix in/ --suffix .jpg
  step mc-add-again m event add t/first $arn
  step mc-add-ignore m event add t/first $arn --ignore-existing
  step mc-add-unknown m event add t/first arn:minio:sqs::NONE:webhook
  step mc-add-region m event add t/second arn:minio:sqs:eu-west-1:T:webhook
  step mc-add-malformed m event add t/first arn:minio:sqs
  step mc-ls m event ls t/first
  step mc-ls-json m event ls t/first --json
  step mc-ls-arn m event ls t/first $arn
  step mc-rm-filter m event rm t/first $arn --event put --prefix in/ --suffix .jpg
  step mc-ls-after-rm m event ls t/first
  step mc-info eval 'm admin info t --json | python3 -c "import json,sys; i=json.load(sys.stdin)[\"info\"]; print(i[\"services\"].get(\"notifications\"), i.get(\"sqsARN\"))"'
  a put-bucket-notification-configuration --bucket second --notification-configuration '{}'
  conf queue "$(q '"s3:ObjectCreated:*","s3:ObjectRemoved:Delete"' ',"Id":"one","Filter":{"Key":{"FilterRules":[{"Name":"prefix","Value":"a b/ü"},{"Name":"suffix","Value":"&<"}]}}')"
  conf unknown-arn "$(q '"s3:ObjectCreated:*"' '' arn:minio:sqs::NONE:webhook)"
  conf aws-arn "$(q '"s3:ObjectCreated:*"' '' arn:aws:sqs:us-east-1:123456789012:q)"
  conf unknown-event "$(q '"s3:Bogus:*"')"
  conf two-prefixes "$(q '"s3:ObjectCreated:*"' ',"Filter":{"Key":{"FilterRules":[{"Name":"prefix","Value":"a"},{"Name":"prefix","Value":"b"}]}}')"
  conf bad-filter "$(q '"s3:ObjectCreated:*"' ',"Filter":{"Key":{"FilterRules":[{"Name":"infix","Value":"a"}]}}')"
  conf same-event "$(q '"s3:ObjectCreated:Put","s3:ObjectCreated:Put"')"
  # what differs leaves no trace
  for n in 'topic {"TopicConfigurations":[{"TopicArn":"'$arn'","Events":["s3:ObjectCreated:*"]}]}' 'function {"LambdaFunctionConfigurations":[{"LambdaFunctionArn":"'$arn'","Events":["s3:ObjectCreated:*"]}]}' \
    'eventbridge {"EventBridgeConfiguration":{}}' 'never-sent {"QueueConfigurations":[{"QueueArn":"'$arn'","Events":["s3:Replication:*"]}]}' \
    'same-id {"QueueConfigurations":[{"Id":"x","QueueArn":"'$arn'","Events":["s3:ObjectCreated:Put"]},{"Id":"x","QueueArn":"'$arn'","Events":["s3:ObjectRemoved:*"]}]}' \
    'twice {"QueueConfigurations":[{"QueueArn":"'$arn'","Events":["s3:ObjectCreated:*"]},{"QueueArn":"'$arn'","Events":["s3:ObjectCreated:Put"]}]}'; do
    step "aws-${n%% *}" a put-bucket-notification-configuration --bucket second --notification-configuration "${n#* }"
  done
  a put-bucket-notification-configuration --bucket second --notification-configuration '{}'
  # what is sent: each step waits for its events, since a target of MinIO without a queue may mix them up
  local file=$TMP/file n=0
  echo hello >"$file"
  m cp --attr 'X=y' "$file" "t/first/a dir/f ü+.txt" >/dev/null; n=$((n + 1)); wait_until 20 got $n
  a put-object --bucket first --key source --body "$file" >/dev/null; n=$((n + 1)); wait_until 20 got $n
  a copy-object --bucket first --key copy --copy-source first/source >/dev/null; n=$((n + 1)); wait_until 20 got $n
  a get-object --bucket first --key copy "$TMP/back" >/dev/null; n=$((n + 1)); wait_until 20 got $n
  a head-object --bucket first --key copy >/dev/null; n=$((n + 1)); wait_until 20 got $n
  a delete-object --bucket first --key copy >/dev/null; n=$((n + 1)); wait_until 20 got $n
  a delete-objects --bucket first --delete 'Objects=[{Key=a dir/f ü+.txt}]' >/dev/null; n=$((n + 1)); wait_until 20 got $n
  a put-bucket-versioning --bucket first --versioning-configuration Status=Enabled
  a put-object --bucket first --key v --body "$file" >/dev/null; n=$((n + 1)); wait_until 20 got $n
  a delete-object --bucket first --key v >/dev/null; n=$((n + 1)); wait_until 20 got $n
  step mc-rm m event rm t/first --force
  step mc-ls-end m event ls t/first
  echo hello | m pipe t/first/silent >/dev/null
}

for SIDE in minio ours; do
  mkdir -p "$TMP/$SIDE"; : >"$TMP/$SIDE/hook"
  port=$(free_port)
  python3 "$HERE/hook.py" "$port" "$TMP/$SIDE/hook" & PIDS+=("$!"); disown "$!"
  wait_until 10 eval "(exec 3<>/dev/tcp/127.0.0.1/$port)" || { fail "events" "the webhook did not start"; exit 1; }
  export MINIO_NOTIFY_WEBHOOK_ENABLE_T=on MINIO_NOTIFY_WEBHOOK_ENDPOINT_T=http://127.0.0.1:$port/x MINIO_NOTIFY_WEBHOOK_AUTH_TOKEN_T=tok
  if [ "$SIDE" = minio ]; then
    PEER=minio start_server "$TMP/data-$SIDE"
    SERVER_BIN=
  else
    export OBJSRV_NOTIFY_ALLOW=127.0.0.0/8
    PEER= start_server "$TMP/data-$SIDE"
  fi
  steps
  stop_servers
done
python3 "$HERE/compare.py" "$TMP" | tee -a "$RESULTS"
! grep -q ^FAIL "$RESULTS"
