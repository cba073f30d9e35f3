# shellcheck shell=bash
# lib.sh: what the black-box harnesses share. Sourced by the run.sh scripts and by the client sessions.
#
# With UPSTREAM, a URL, what is started is a gateway before that server, with its keys UPSTREAM_ACCESS and UPSTREAM_SECRET.
#
# Without ENDPOINT a fresh server is started: objsrv, built from this tree (or the binary OBJSRV), or with PEER=minio
# the binary MINIO, so that a harness can be tried against another server. With ENDPOINT, ACCESS and SECRET a running
# server is used as it is. Every check prints one line: "ok", "FAIL" or "skip", then its name (and why).
set -u
shopt -s extglob
TESTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(dirname "$TESTS")
PEER=${PEER:-}
PIDS=()

# AWS_CA_BUNDLE and its kind come from the caller's machine and break clients that bring their own transport.
unset AWS_CA_BUNDLE AWS_PROFILE AWS_SESSION_TOKEN AWS_ENDPOINT_URL
export AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1 AWS_EC2_METADATA_DISABLED=true AWS_CONFIG_FILE=/dev/null
export NO_PROXY=127.0.0.1,localhost no_proxy=127.0.0.1,localhost

now_ms() { date +%s%3N; }

# wait_until SECONDS COMMAND...   polls until COMMAND succeeds; 1 when the time is over
wait_until() {
  local end=$(($(now_ms) + $1 * 1000)); shift
  until "$@" >/dev/null 2>&1; do [ "$(now_ms)" -lt "$end" ] || return 1; sleep 0.05; done
}

# begin   makes TMP, removed at the end unless KEEP is set, when servers are stopped too, by pid
begin() {
  TMP=$(mktemp -d "${TMPDIR:-/tmp}/objsrv-test.XXXXXX"); export TMP
  RESULTS=$TMP/results; : >"$RESULTS"
  trap 'stop_servers; [ -n "${KEEP:-}" ] && echo "kept $TMP" || rm -rf "$TMP"' EXIT
  trap 'exit 130' INT TERM
}

alive() { [ -r "/proc/$1/stat" ] && ! grep -q '^[0-9]* (.*) Z ' "/proc/$1/stat"; }

# stop_pid PID [SECONDS]   TERM, then KILL when it lives on after SECONDS (15)
stop_pid() {
  kill -TERM "$1" 2>/dev/null || return 0
  wait_until "${2:-15}" eval "! alive $1" || kill -KILL "$1" 2>/dev/null
}

stop_servers() { local p; for p in "${PIDS[@]+"${PIDS[@]}"}"; do stop_pid "$p"; done; PIDS=(); }

# free_port   prints a port of PORT_BASE..+99 (9300) that nobody listens on and that was not given out before
free_port() {
  local p
  for ((p = ${PORT_BASE:-9300}; p < ${PORT_BASE:-9300} + 100; p++)); do
    mkdir "$TMP/port.$p" 2>/dev/null || continue
    (exec 3<>"/dev/tcp/127.0.0.1/$p") 2>/dev/null || { echo "$p"; return; }
  done
  echo "no free port" >&2; return 1
}

# server_binary   sets SERVER_BIN, building objsrv when it is ours and not given
server_binary() {
  if [ "$PEER" = minio ]; then
    SERVER_BIN=${MINIO:-$(command -v minio)} || { echo "FAIL PEER=minio: no minio on PATH and no MINIO=binary"; exit 1; }
  elif [ -n "${OBJSRV:-}" ]; then SERVER_BIN=$OBJSRV
  else
    SERVER_BIN=$TMP/objsrv
    [ -x "$SERVER_BIN" ] || (cd "$ROOT" && go build -o "$SERVER_BIN" ./cmd/objsrv) || { echo "FAIL build of objsrv"; exit 1; }
  fi
}

# certificate DIR   writes public.crt, private.key and ca.crt for 127.0.0.1 and localhost
certificate() {
  mkdir -p "$1/CAs" && (cd "$1" && umask 077 &&
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj "/CN=objsrv test CA" \
      -addext keyUsage=critical,keyCertSign,cRLSign -keyout ca.key -out ca.crt &&
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost -keyout private.key -out s.csr &&
    printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\n' >s.ext &&
    openssl x509 -req -in s.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -extfile s.ext -out public.crt &&
    rm -f s.csr s.ext ca.srl && cp ca.crt CAs/) 2>"$1.log" || { cat "$1.log"; return 1; }
}

# start_server DIR [CERTS]   starts a server on DIR and waits until it is ready; sets ENDPOINT, PORT, ACCESS, SECRET, SERVER_PID
start_server() {
  local dir=$1 certs=${2:-} ca=() args=() what=(server "$1")
  PORT=$(free_port) && ENDPOINT=http://127.0.0.1:$PORT ACCESS=testroot SECRET=testroot-secret-0815
  [ -z "$certs" ] || { ENDPOINT=https://localhost:$PORT; args+=(--certs-dir "$certs"); ca=(--cacert "$certs/ca.crt"); }
  server_binary; mkdir -p "$dir"
  # what only MinIO reads: a key for SSE, and that a drive on the root file system will do
  local env=(OBJSRV_ROOT_USER="$ACCESS" OBJSRV_ROOT_PASSWORD="$SECRET")
  [ "$PEER" != minio ] || env=(MINIO_ROOT_USER="$ACCESS" MINIO_ROOT_PASSWORD="$SECRET" MINIO_CI_CD=1 MINIO_UPDATE=off MINIO_BROWSER=off
    MINIO_KMS_SECRET_KEY=testkey-1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=)
  if [ -n "${UPSTREAM:-}" ]; then
    what=(gateway s3 "$UPSTREAM" --iam-dir "$dir") env+=(OBJSRV_GATEWAY_ACCESS_KEY="$UPSTREAM_ACCESS" OBJSRV_GATEWAY_SECRET_KEY="$UPSTREAM_SECRET")
  fi
  # The keys of a client session are not the gateway's for its upstream.
  env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY "${env[@]}" "$SERVER_BIN" "${what[@]}" --address "127.0.0.1:$PORT" --console-address "127.0.0.1:$(free_port)" \
    ${args[@]+"${args[@]}"} >>"$TMP/server.log" 2>&1 </dev/null &
  SERVER_PID=$!; PIDS+=("$SERVER_PID"); disown "$SERVER_PID"
  wait_until 30 eval "! alive $SERVER_PID || curl -fsS ${ca[*]+"${ca[*]}"} $ENDPOINT/minio/health/ready"
  alive "$SERVER_PID" || { echo "FAIL the server did not start: $(tail -n 3 "$TMP/server.log")"; exit 1; }
  export ENDPOINT ACCESS SECRET PORT
}

# add_user NAME SECRET [CA]   makes a user with the policy readwrite on the server started last
add_user() {
  if [ "$PEER" = minio ]; then
    mkdir -p "$TMP/mc/certs/CAs"; [ -z "${3:-}" ] || cp "$3" "$TMP/mc/certs/CAs/"
    local mc="${MC:-mc} --config-dir $TMP/mc --quiet"
    $mc alias set t "$ENDPOINT" "$ACCESS" "$SECRET" && $mc admin user add t "$1" "$2" && $mc admin policy attach t readwrite --user "$1"
  else
    local -x OBJSRV_URL=$ENDPOINT OBJSRV_ACCESS_KEY=$ACCESS OBJSRV_SECRET_KEY=$SECRET OBJSRV_CA_FILE=${3:-}
    printf '%s\n' "$2" | "$SERVER_BIN" admin user add "$1" --policy readwrite --secret-stdin
  fi >>"$TMP/admin.log" 2>&1 || { echo "FAIL add user $1: $(tail -n 3 "$TMP/admin.log")"; exit 1; }
}

# add_account NAME SECRET [CA]   makes an account of that name with the root user NAME on the server started last; MinIO has no
# accounts, and gets a user
add_account() {
  [ "$PEER" != minio ] || { add_user "$@"; return; }
  local -x OBJSRV_URL=$ENDPOINT OBJSRV_ACCESS_KEY=$ACCESS OBJSRV_SECRET_KEY=$SECRET OBJSRV_CA_FILE=${3:-}
  printf '%s\n' "$2" | "$SERVER_BIN" admin account add "$1" --root "$1" --secret-stdin >>"$TMP/admin.log" 2>&1 ||
    { echo "FAIL add account $1: $(tail -n 3 "$TMP/admin.log")"; exit 1; }
}

ok() { echo "ok   $1" | tee -a "$RESULTS"; }
fail() { echo "FAIL $1: ${2:-}" | tee -a "$RESULTS"; }
skip() { echo "skip $1: $2" | tee -a "$RESULTS"; }

# check NAME COMMAND...   one line of result; the end of the command's output is the reason of a failure.
# OUT has all of it. NAME gets the prefix CLIENT.
check() {
  local name=${CLIENT:-}${CLIENT:+ }$1; shift
  OUT=$TMP/check.out
  if "$@" >"$OUT" 2>&1 </dev/null; then ok "$name"; else fail "$name" "$(tail -n 4 "$OUT" | tr '\n' ' ' | cut -c1-500)"; fi
}

# refused CODE COMMAND...   succeeds when COMMAND fails and names CODE
refused() {
  local code=$1 out; shift
  if out=$("$@" 2>&1); then echo "not refused, expected $code: $out"; return 1; fi
  grep -q -- "$code" <<<"$out" || { echo "expected $code, got: $out"; return 1; }
}

# same A B   succeeds when both files have the same bytes
same() { cmp "$1" "$2"; }

# equal GOT WANTED
equal() { [ "$1" = "$2" ] || { echo "got '$1', wanted '$2'"; return 1; }; }

# finish   prints the closing line and exits with 1 when a check failed or none ran
finish() {
  local p f s
  p=$(grep -c '^ok ' "$RESULTS"); f=$(grep -c '^FAIL ' "$RESULTS"); s=$(grep -c '^skip ' "$RESULTS")
  echo "$p passed, $f failed, $s skipped"
  [ "$f" = 0 ] && [ "$p" != 0 ]; exit
}
