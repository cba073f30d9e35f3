#!/usr/bin/env bash
# run.sh [client ...]   scripted sessions of S3 clients: awscli boto3 gosdk jssdk mc rclone restic s3cmd (all)
#
#   AWS= PYTHON= NODE= NPM= MC= RCLONE= RESTIC= S3CMD=   programs, else found on PATH; what is missing is named and skipped
#   BIG=clients    who also moves 5 GiB by multipart ("gosdk mc" when 30 GiB are free, else nobody; BIG= for nobody)
#   LIMIT=seconds  of one client (600; 1200 with BIG)
#   SCHEMES=       "http https": over plain HTTP and then over TLS, where SDKs use other signatures
#   UPSTREAM=weed  through a gateway before SeaweedFS (WEED=, its program), with objsrv before a server of this tree, with a URL before
#                  that server (UPSTREAM_ACCESS= UPSTREAM_SECRET=)
#   PEER=minio, or ENDPOINT= ACCESS= SECRET=             against another server; see lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
begin
if [ -z "${BIG+set}" ]; then
  BIG="gosdk mc"
  [ "$(df -Pk "$TMP" | awk 'NR==2 {print $4}')" -gt $((30 << 20)) ] || BIG=
fi
npm_ca=${NODE_EXTRA_CA_CERTS:-}
export BIG FILES=$TMP/files

# the files that all clients move: sizes around the edges of a part, and names that are hard
mkdir -p "$FILES/tree/empty"
for size in 0 1 5242879 5242880 5242881 67108864; do head -c "$size" /dev/urandom >"$FILES/$size"; done
names=(plain.txt 'with space' 'ünïcode/日本語 ☃ 😀.txt' 'a+b&c=d?e#f.txt' '100%25.txt' "quote'd (1) [2] {3}" '~tilde!$@;:,' 'sub dir/deep.txt')
for n in "${names[@]}"; do mkdir -p "$(dirname "$FILES/tree/$n")"; printf 'content of %s' "$n" >"$FILES/tree/$n"; done
cp "$FILES/5242881" "$FILES/tree/big file"; : >"$FILES/tree/empty/zero"
[ -z "$BIG" ] || truncate -s $((5 << 30)) "$FILES/5G"

# program NAME VARIABLE   sets VARIABLE to the program, or reports it as not installed
program() {
  local found=${!2:-$1}
  found=$(command -v "$found") || { skip "$CLIENT" "$1 is not installed (on PATH, or $2=)"; return 1; }
  # a pyenv shim costs seconds at each start: take what it stands for
  case $found in */shims/*) found=$(pyenv which "$1" 2>/dev/null || echo "$found") ;; esac
  printf -v "$2" %s "$found"; export "${2?}"
}

session() {
  case $1 in
    awscli) program aws AWS && env ${CA:+AWS_CA_BUNDLE="$CA"} bash "$TESTS/clients/awscli.sh" ;;
    boto3) program python3 PYTHON && if "$PYTHON" -c 'import boto3' 2>/dev/null; then env ${CA:+AWS_CA_BUNDLE="$CA"} "$PYTHON" "$TESTS/clients/boto3_session.py"; else skip boto3 "python has no boto3"; fi ;;
    gosdk) program go GO && (cd "$TESTS/clients/go" && { [ -x "$TMP/gosdk" ] || "$GO" build -o "$TMP/gosdk" .; } && "$TMP/gosdk") ;;
    jssdk) program node NODE && program npm NPM && mkdir -p "$TMP/js" && cp -r "$TESTS/clients/js/." "$TMP/js" && cd "$TMP/js" &&
      { [ -d node_modules ] || NODE_EXTRA_CA_CERTS=$npm_ca SSL_CERT_FILE=$npm_ca "$NPM" ci --no-audit --no-fund >"$TMP/npm.log" 2>&1 || { fail jssdk "npm ci: $(tail -n 2 "$TMP/npm.log")"; return 0; }; } && "$NODE" session.mjs ;;
    mc) program mc MC && HOME=$TMP/home bash "$TESTS/clients/mc.sh" ;;
    rclone) program rclone RCLONE && HOME=$TMP/home bash "$TESTS/clients/rclone.sh" ;;
    restic) program restic RESTIC && HOME=$TMP/home bash "$TESTS/clients/restic.sh" ;;
    s3cmd) program s3cmd S3CMD && HOME=$TMP/home bash "$TESTS/clients/s3cmd.sh" ;;
    *) fail "$1" "no such client" ;;
  esac
}

# run_client LIMIT   runs the session of CLIENT in a process group of its own, so that one that waits for ever can be ended
run_client() {
  local began=$SECONDS log=$TMP/$CLIENT.log lines=$TMP/lines job rc
  cp "$RESULTS" "$TMP/before"
  set -m; (session "$CLIENT") >"$log" 2>&1 & job=$!; set +m
  wait_until "$1" eval "! alive $job" || { kill -KILL -- "-$job"; echo "FAIL $CLIENT: not done after $1 s" >>"$log"; }
  wait "$job" 2>/dev/null; rc=$?
  grep -E '^(ok  |FAIL|skip) ' "$log" >"$lines"
  if [ "$rc" != 0 ] && ! grep -Eq "^FAIL |^skip $CLIENT:" "$lines"; then
    echo "FAIL $CLIENT: ended with $rc: $(tail -n 2 "$log" | tr '\n' ' ')" >>"$lines"
  fi
  [ -s "$lines" ] || echo "FAIL $CLIENT: no check ran" >>"$lines"
  if [ ${#except[@]} != 0 ]; then
    awk -F'|' 'FNR == 1 { file++ } file < files && NF > 1 && !/^#/ { why[$1] = $2 } file < files { next }
    { name = substr($0, 6); sub(/: .*/, "", name); if (/^FAIL/ && name in why) print "skip " name ": " why[name]; else print }' \
    files=$((${#except[@]} + 1)) "${except[@]}" "$lines" >"$lines.judged" && mv "$lines.judged" "$lines"
  fi
  [ "$scheme" = http ] || sed -i -E "s/^(.{4}) $CLIENT/\\1 $CLIENT+tls/" "$lines"
  cat "$lines"; cat "$TMP/before" "$lines" >"$RESULTS"
  echo "     $CLIENT over $scheme took $((SECONDS - began)) s"
}

# what a gateway is known not to do; NAME of a check, "|", the reason. Only a check that fails counts as left out.
except=()
[ -z "${UPSTREAM:-}" ] || except+=("$TESTS/clients/except-gateway.txt")
case ${UPSTREAM:-} in
weed)
  except+=("$TESTS/clients/except-weed.txt")
  . "$TESTS/engine.sh"
  weed_program >"$TMP/said" || { skip clients "$(cat "$TMP/said")"; finish; }
  start_weed ;;
objsrv)
  . "$TESTS/engine.sh"
  server_binary
  UPSTREAM=http://127.0.0.1:$(free_port) UPSTREAM_ACCESS=upstream UPSTREAM_SECRET=upstream-secret-4711
  run upstream env OBJSRV_ROOT_USER=$UPSTREAM_ACCESS OBJSRV_ROOT_PASSWORD=$UPSTREAM_SECRET "$SERVER_BIN" server "$TMP/upstream" --address "${UPSTREAM#http://}"
  answers upstream "$UPSTREAM/minio/health/ready" ;;
esac

mkdir -p "$TMP/home"
given=${ENDPOINT:-}
schemes=${SCHEMES:-http https}
[ -z "$given" ] || schemes=${given%%:*}
for scheme in $schemes; do
  if [ -n "$given" ]; then
    : "${ACCESS:?}" "${SECRET:?}"
  elif [ "$scheme" = https ]; then
    certificate "$TMP/certs" && start_server "$TMP/data-https" "$TMP/certs" || exit 1
    export BIG= CA=$TMP/certs/ca.crt SSL_CERT_FILE=$TMP/certs/ca.crt NODE_EXTRA_CA_CERTS=$TMP/certs/ca.crt CURL_CA_BUNDLE=$TMP/certs/ca.crt
  else
    start_server "$TMP/data-http"
  fi
  export ENDPOINT ACCESS SECRET AWS_ACCESS_KEY_ID=$ACCESS AWS_SECRET_ACCESS_KEY=$SECRET
  clients="awscli boto3 gosdk jssdk mc rclone restic s3cmd"
  # the aws cli takes a second to start, 150 times, and is boto3 below: once is enough
  [ "$scheme" = http ] || clients=${clients#awscli }
  for CLIENT in ${*:-$clients}; do
    export CLIENT
    run_client "${LIMIT:-$([ -n "$BIG" ] && echo 1200 || echo 600)}"
  done
  stop_servers
done
finish
