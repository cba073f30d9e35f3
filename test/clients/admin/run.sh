#!/usr/bin/env bash
# run.sh   MinIO's administration by mc, compared with a real MinIO command by command; the move of its identities; and
# policies by the aws cli
#
#   MC= MINIO= AWS= programs, else found on PATH; what needs a missing one is named and left out
#   PARTS=               "compare buckets move aws"
#   ARGS                 of compare.py: -k PATTERN, --keep DIR
#   OBJSRV=binary, or PEER=minio to see that MinIO agrees with itself; see lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../lib.sh"
. "$TESTS/clients/admin/aws.sh"
begin
export CLIENT=admin
MC=$(command -v "${MC:-mc}") || MC=
MINIO=$(command -v "${MINIO:-minio}") || MINIO=
export MC MINIO

# reference DIR   starts a MinIO beside the server under test; sets REFERENCE
reference() {
  local mine=${SERVER_BIN:-}
  PEER=minio start_server "$1"; REFERENCE=$ENDPOINT; export REFERENCE
  SERVER_BIN=$mine
}

# needs NAME   says which program is missing and what is left out without it
needs() {
  [ -n "$MC" ] || { skip "$CLIENT $1" "mc is not installed (on PATH, or MC=)"; return 1; }
  [ -n "$MINIO" ] || { skip "$CLIENT $1" "minio is not installed (on PATH, or MINIO=)"; return 1; }
}

compare() {
  local rc
  needs compare || return 0
  reference "$TMP/reference"
  start_server "$TMP/ours"
  python3 "$TESTS/clients/admin/compare.py" "$@" | tee "$TMP/compare.log"; rc=${PIPESTATUS[0]}
  if [ "$rc" = 0 ]; then ok "$CLIENT compare"; else fail "$CLIENT compare" "$(tail -n 1 "$TMP/compare.log")"; fi
  stop_servers
}

# the same of buckets and objects, and by the aws cli
buckets() {
  local rc
  needs buckets || return 0
  find_aws buckets || return 0
  reference "$TMP/reference-buckets"
  MINIO_KMS_SECRET_KEY=testkey-1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY= start_server "$TMP/ours-buckets"
  python3 "$TESTS/clients/admin/compare.py" --session buckets "$@" | tee "$TMP/buckets.log"; rc=${PIPESTATUS[0]}
  if [ "$rc" = 0 ]; then ok "$CLIENT buckets"; else fail "$CLIENT buckets" "$(tail -n 1 "$TMP/buckets.log")"; fi
  stop_servers
}

# find_aws NAME   sets AWS
find_aws() {
  AWS=$(command -v "${AWS:-aws}") || { skip "$CLIENT $1" "the aws cli is not installed (on PATH, or AWS=)"; return 1; }
  # a pyenv shim costs seconds at each start: take what it stands for
  case $AWS in */shims/*) AWS=$(pyenv which aws) ;; esac
  export AWS
}

# the move of a MinIO's identities, by mc and by objsrv's own command, and back to a MinIO
migrate() { python3 "$TESTS/clients/admin/migrate.py" "$@"; }
import_by_mc() {
  "$MC" --config-dir "$TMP/move-mc" alias set "$1" "$2" "$ACCESS" "$SECRET" &&
    "$MC" --config-dir "$TMP/move-mc" admin cluster iam import "$1" "$3"
}
import_by_objsrv() {
  OBJSRV_URL=$1 OBJSRV_ACCESS_KEY=$ACCESS OBJSRV_SECRET_KEY=$SECRET "$SERVER_BIN" admin import-minio-iam "${@:2}"
}
move() {
  local zip=$TMP/minio-iam.zip by_mc by_objsrv='' targets
  needs move || return 0
  reference "$TMP/move-reference"
  check "move: a MinIO with identities of every kind" migrate fill
  check "move: its export" migrate export "$zip"
  start_server "$TMP/move-by-mc"; by_mc=$ENDPOINT
  check "move: no old key is known before" migrate refused "$by_mc"
  check "move: import by mc" import_by_mc ours "$by_mc" "$zip"
  targets=("by-mc=$by_mc")
  if [ "$PEER" = minio ]; then skip "$CLIENT move: import by objsrv" "PEER=minio has no such command"; else
    start_server "$TMP/move-by-objsrv"; by_objsrv=$ENDPOINT
    check "move: objsrv's import, dry run" eval 'import_by_objsrv "$by_objsrv" --dry-run "$zip" && migrate refused "$by_objsrv"'
    check "move: import by objsrv" import_by_objsrv "$by_objsrv" "$zip"
    stop_pid "$SERVER_PID"; start_server "$TMP/move-by-objsrv"; by_objsrv=$ENDPOINT
    targets+=("by-objsrv=$by_objsrv")
  fi
  check "move: our export" eval '"$MC" --config-dir "$TMP/move-mc" admin cluster iam export ours --output "$TMP/our-iam.zip"'
  check "move: says what MinIO's said" migrate same "$zip" "$TMP/our-iam.zip"
  PEER=minio start_server "$TMP/move-back"
  check "move: back to a MinIO" import_by_mc back "$ENDPOINT" "$TMP/our-iam.zip"
  targets+=("back=$ENDPOINT")
  migrate probe "${targets[@]}" >"$TMP/move.log"; local rc=$?
  cat "$TMP/move.log"
  if [ "$rc" = 0 ]; then ok "$CLIENT move: every key may the same"; else fail "$CLIENT move: every key may the same" "$(grep -c '^FAIL' "$TMP/move.log") differences"; fi
  check "move: the metadata of buckets" migrate buckets ours
  stop_servers
}

# policies of buckets and of users by the aws cli
by_aws() {
  find_aws aws || return 0
  if [ "$PEER" = minio ]; then needs aws || return 0; fi
  start_server "$TMP/aws"
  CLIENT="admin aws" aws_session
  stop_servers
}

for part in ${PARTS:-compare buckets move aws}; do
  case $part in
    aws) by_aws ;;
    buckets) buckets "$@" ;;
    compare) compare "$@" ;;
    move) move ;;
    *) fail "$CLIENT" "no part $part" ;;
  esac
done
finish
