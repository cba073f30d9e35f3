#!/usr/bin/env bash
# run.sh [pytest arguments]   runs ceph/s3-tests (test_s3.py, test_headers.py) over TLS and compares with expected-failures.txt.
#
#   S3TESTS=DIR    a checkout of ceph/s3-tests (required)
#   WORKERS=N      N servers and N test processes, each with a server of its own (2): the suite lists all buckets of
#                  a user and so can't share one
#   TIMEOUT=S      of one test (120)
#   VENV=DIR       a python environment with the suite's requirements, pytest-xdist and pytest-timeout; made when absent
#   REPORT=DIR     where results.tsv and junit.xml are put (a temporary directory)
#   PEER=minio     runs against the binary MINIO instead, with expectations of nothing: prints its figures only
# A test that fails and is not listed, or is listed and passes, makes the run fail.
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
here=$TESTS/s3tests
begin
[ -f "${S3TESTS:-}/s3tests/functional/test_s3.py" ] ||
  { skip s3tests "S3TESTS names no checkout of ceph/s3-tests (https://github.com/ceph/s3-tests)"; finish; }
REPORT=${REPORT:-$TMP/report}; mkdir -p "$REPORT"
VENV=${VENV:-$TMP/venv}
[ -x "$VENV/bin/pytest" ] || { python3 -m venv "$VENV" && "$VENV/bin/pip" install -q -r "$S3TESTS/requirements.txt" pytest-xdist pytest-timeout; } >"$TMP/venv.log" 2>&1 ||
  { fail "python environment" "$(tail -n 2 "$TMP/venv.log")"; finish; }

certificate "$TMP/certs" || exit 1
# The suite makes buckets as they were before AWS changed its defaults in 2023: with ACLs, and with forms of Signature V2.
export OBJSRV_OBJECT_OWNERSHIP=ObjectWriter OBJSRV_SIGV2=on
# The suite waits for days of 10 s (config.py), and not for the midnight after them: with days of 9 s what is due after one is
# gone before two of its days are over, and what is due after five is there when four are.
export OBJSRV_LIFECYCLE_DAY=9s
workers=${WORKERS:-2}

# config FILE   writes a configuration for the server started last, with three accounts of its own, whose roots the suite is
config() {
  local u
  for u in main alt tenant; do
    add_account "s3tests-$u" "s3tests-$u-secret" "$TMP/certs/ca.crt"
  done
  add_keys testkey-1 testkey-2 # the names that the suite uses unless it is told others
  "$VENV/bin/python" "$here/config.py" "$S3TESTS/s3tests.conf.SAMPLE" "$ENDPOINT" "$TMP/certs/ca.crt" >"$1"
}

# add_keys NAME...   makes keys of encryption on the server started last; MinIO has none but that of its setting
add_keys() {
  local k
  [ "$PEER" != minio ] || return 0
  for k; do
    OBJSRV_URL=$ENDPOINT OBJSRV_ACCESS_KEY=$ACCESS OBJSRV_SECRET_KEY=$SECRET OBJSRV_CA_FILE=$TMP/certs/ca.crt \
      "$SERVER_BIN" admin encryption key add "$k" >>"$TMP/admin.log" 2>&1 || { echo "FAIL add key $k: $(tail -n 3 "$TMP/admin.log")"; exit 1; }
  done
}

for ((w = 0; w < workers; w++)); do
  start_server "$TMP/data$w" "$TMP/certs"
  config "$TMP/gw$w.conf" || { fail "configuration $w" "see above"; finish; }
done
cp "$TMP/gw0.conf" "$TMP/master.conf"; cp "$TMP/gw0.conf" "$TMP/main.conf"

markers="not fails_on_aws and not cloud_transition and not cloud_restore"
parallel=(); [ "$workers" = 1 ] || parallel=(-n "$workers" --dist worksteal)
cd "$S3TESTS" && SSL_CERT_FILE=$TMP/certs/ca.crt REQUESTS_CA_BUNDLE=$TMP/certs/ca.crt S3TESTS_CONF_DIR=$TMP PYTHONPATH=$here PYTHONDONTWRITEBYTECODE=1 \
  "$VENV/bin/pytest" -p s3tests_worker -p no:cacheprovider -q --no-header --tb=short -m "$markers" \
  --timeout "${TIMEOUT:-120}" --junitxml "$REPORT/junit.xml" ${parallel[@]+"${parallel[@]}"} "$@" \
  s3tests/functional/test_s3.py s3tests/functional/test_headers.py >"$REPORT/pytest.log" 2>&1
[ -s "$REPORT/junit.xml" ] || { fail pytest "$(tail -n 5 "$REPORT/pytest.log")"; finish; }
python3 "$here/results.py" table "$REPORT/junit.xml" >"$REPORT/results.tsv"
expected=$here/expected-failures.txt; [ "$PEER" = minio ] && expected=/dev/null
python3 "$here/results.py" compare "$REPORT/results.tsv" "$expected" "$([ $# -gt 0 ] && echo partial)"
rc=$?
echo "per test: $REPORT/results.tsv (results.py groups TSV prints the failures by error)"
[ "$PEER" = minio ] && exit 0
exit $rc
