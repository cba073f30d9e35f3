#!/usr/bin/env bash
# run.sh   runs minio-go's own functional tests, from the module cache, over TLS and compares with expected.txt
#
#   SCHEME=http    without TLS (then the tests leave SSE-C out)
#   LIMIT=S        of the whole run (900)
#   REPORT=DIR     where log.jsonl and results.tsv are put (a temporary directory)
#   PEER=minio, or ENDPOINT= ACCESS= SECRET=   against another server; see lib.sh. Expectations are of ours only.
# A test that does not pass (the suite calls what was answered with 501 "NA") and is not listed, or is listed and passes,
# makes the run fail.
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
begin
REPORT=${REPORT:-$TMP/report}; mkdir -p "$REPORT"
module=$(cd "$ROOT" && go mod download github.com/minio/minio-go/v7 && go list -m -f '{{.Dir}}' github.com/minio/minio-go/v7) ||
  { fail "minio-go" "the module can't be had"; finish; }
(cd "$ROOT" && go build -mod=mod -modfile="$(cp go.mod go.sum "$TMP/" && echo "$TMP/go.mod")" -o "$TMP/functional" "$module/functional_tests.go") >"$TMP/build.log" 2>&1 ||
  { fail "build of functional_tests.go" "$(tail -n 3 "$TMP/build.log")"; finish; }

if [ -z "${ENDPOINT:-}" ]; then
  certs=
  [ "${SCHEME:-https}" = http ] || { certificate "$TMP/certs" || exit 1; certs=$TMP/certs; }
  # signatures of version 2 and ACLs, which the tests use, are off by default
  OBJSRV_SIGV2=on OBJSRV_OBJECT_OWNERSHIP=ObjectWriter start_server "$TMP/data" "$certs"
  [ -z "$certs" ] || export SSL_CERT_FILE=$certs/ca.crt
fi
https=0; [ "${ENDPOINT%%:*}" = http ] || https=1
# HOME, TMPDIR and the working directory: the tests leave files behind
mkdir -p "$TMP/home" "$TMP/tmp"; REPORT=$(cd "$REPORT" && pwd); cd "$TMP/tmp" || exit 1
HOME=$TMP/home TMPDIR=$TMP/tmp MINT_MODE=full RUN_ON_FAIL=1 ENABLE_HTTPS=$https ENABLE_KMS=1 SERVER_ENDPOINT=${ENDPOINT#*://} ACCESS_KEY=$ACCESS SECRET_KEY=$SECRET \
  timeout "${LIMIT:-900}" "$TMP/functional" >"$REPORT/log.jsonl" 2>"$REPORT/stderr.log"
rc=$?
expected=$TESTS/functional/expected.txt; [ "$PEER" = minio ] && expected=/dev/null
python3 "$TESTS/functional/results.py" "$REPORT/log.jsonl" "$rc" "$expected" "$REPORT/results.tsv"
result=$?
[ "$rc" = 0 ] || tail -n 5 "$REPORT/stderr.log"
[ "$PEER" = minio ] && exit 0
exit $result
