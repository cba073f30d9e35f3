#!/usr/bin/env bash
# quickstart.sh [gateway]   what docs/quickstart.md shows, with a real Keycloak and nobody at the keyboard: a server configured by MinIO's
# variables, a login with the sample client, its credentials used within their policy and beyond, and refused once they are over.
# With gateway the same of two gateways over one etcd, before a server of ours or the one that UPSTREAM names (a URL, for which
# MINIO_ROOT_USER and MINIO_ROOT_PASSWORD are the keys): who logs in at the first uses what he got at the second.
#
#   AWS= MVN= JAVA= KEYCLOAK=   as of providers.sh; OBJSRV=binary as of lib.sh; curl is needed, the aws cli is not
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
. "$TESTS/identity/providers.sh"
begin
MODE=${1:-server}
export CLIENT=quickstart
[ "$MODE" = server ] || CLIENT=quickstart-gateway
for pair in aws:AWS mvn:MVN java:JAVA; do found "${pair%:*}" "${pair#*:}"; done
curl --help all 2>/dev/null | grep -q -- --aws-sigv4 || { skip "$CLIENT" "curl with --aws-sigv4 (7.75) is not installed"; finish; }

KEY='' SECRET_KEY='' TOKEN='' ENDS=0

# s3 METHOD /BUCKET/KEY[?QUERY] [FILE]   asks with the credentials KEY, SECRET_KEY and TOKEN; prints the body, or fails and prints the error
s3() {
  local args=(-sS --fail-with-body --max-time 60 -X "$1" --aws-sigv4 aws:amz:us-east-1:s3 -u "$KEY:$SECRET_KEY" -H "x-amz-content-sha256: UNSIGNED-PAYLOAD")
  [ -z "$TOKEN" ] || args+=(-H "x-amz-security-token: $TOKEN")
  [ $# -lt 3 ] || args+=(-T "$3")
  curl "${args[@]}" "$ENDPOINT$2"
}
as_root() { KEY=$MINIO_ROOT_USER SECRET_KEY=$MINIO_ROOT_PASSWORD TOKEN= "$@"; }
field() { sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p" "$TMP/printed"; }

# login [FLAGS]   the sample client, with curl as the browser in which alice logs in at Keycloak's page; sets KEY, SECRET_KEY, TOKEN and ENDS,
# or fails and prints what the client said
login() {
  local port action pid jar=(-b "$TMP/jar" -c "$TMP/jar" -sS -L --max-time 60)
  rm -f "$TMP/jar"; port=$(PORT_BASE=8888 free_port); rm -r "$TMP/port.$port"
  "$SERVER_BIN" web-identity -cid objsrv -csec objsrv-secret -config-ep "$MINIO_IDENTITY_OPENID_CONFIG_URL" -sts-ep "$STS" -port "$port" "$@" \
    >"$TMP/printed" 2>"$TMP/said" </dev/null &
  pid=$!; PIDS+=("$pid"); disown "$pid"
  wait_until 60 eval "! alive $pid || grep -q '^listening on http://localhost:$port/' '$TMP/said'"
  action=$(curl "${jar[@]}" "http://localhost:$port/" | grep -o 'action="[^"]*"' | head -n 1 | cut -d'"' -f2 | sed 's/&amp;/\&/g')
  [ -n "$action" ] || { echo "Keycloak shows no form"; cat "$TMP/said"; return 1; }
  curl "${jar[@]}" -o "$TMP/shown" --data-urlencode username=alice --data-urlencode password=alice-secret "$action" || return 1
  wait_until 60 eval "! alive $pid"
  same "$TMP/printed" "$TMP/shown" || { cat "$TMP/said" "$TMP/shown"; return 1; }
  KEY=$(field AccessKeyID) SECRET_KEY=$(field SecretAccessKey) TOKEN=$(field SessionToken)
  ENDS=$(date -d "$(field Expiration)" +%s) && [ -n "$KEY" ] && [ -n "$SECRET_KEY" ] && [ -n "$TOKEN" ]
}

# printed   what the sample client of MinIO's quickstart prints, too
printed() { grep -q '"photos"' "$TMP/printed" && equal "$(field SignerType)" SignatureV4; }

round_trip() { s3 PUT /photos/one "$TMP/object" && s3 GET /photos/one >"$TMP/back" && same "$TMP/object" "$TMP/back"; }
listing() { s3 GET '/photos?list-type=2' | grep -o '<Key>[^<]*</Key>' | tr '\n' ' ' >"$TMP/listing"; equal "$(cat "$TMP/listing")" "<Key>one</Key> "; }
whole_buckets() { s3 GET / | grep -o '<Name>[^<]*</Name>' >"$TMP/listing"; equal "$(cat "$TMP/listing")" '<Name>photos</Name>'; }

# sts_says CODE   GetCallerIdentity with the credentials answers so
sts_says() {
  curl -sS --max-time 60 --aws-sigv4 aws:amz:us-east-1:sts -u "$KEY:$SECRET_KEY" -H "x-amz-security-token: $TOKEN" \
    -d Action=GetCallerIdentity -d Version=2011-06-15 "$ENDPOINT/" | grep -q -- "$1"
}

# until_the_end   reads until it is refused: nothing that is asked after ENDS may work, and nothing may be refused before it, however slow
# the machine is. All times are in whole seconds.
until_the_end() {
  local asked limit=$(($(date +%s) + 300))
  while asked=$(date +%s) && s3 GET /photos/one >"$TMP/answer" 2>&1; do
    [ "$asked" -le "$ENDS" ] || { echo "at $asked it still works, though it ended at $ENDS"; return 1; }
    [ "$asked" -lt "$limit" ] || { echo "it has no end within 5 minutes"; return 1; }
    sleep 0.2
  done
  [ "$(date +%s)" -ge "$ENDS" ] || { echo "refused before $ENDS:"; cat "$TMP/answer"; return 1; }
  grep -q '<Code>ExpiredToken</Code>' "$TMP/answer" || { cat "$TMP/answer"; return 1; }
}

# by_aws   the same by the aws cli, with an hour that was asked for instead of the token's minute
by_aws() {
  local aws=(env AWS_ENDPOINT_URL="$ENDPOINT" AWS_ACCESS_KEY_ID="$KEY" AWS_SECRET_ACCESS_KEY="$SECRET_KEY" AWS_SESSION_TOKEN="$TOKEN" "$AWS")
  "${aws[@]}" s3 cp "$TMP/object" s3://photos/two && "${aws[@]}" s3 cp s3://photos/two "$TMP/back2" && same "$TMP/object" "$TMP/back2" &&
    refused AccessDenied "${aws[@]}" s3 ls s3://private && refused AccessDenied "${aws[@]}" s3 rm s3://photos/two
}
an_hour() { [ $((ENDS - $(date +%s))) -gt 3000 ] || { echo "ends at $ENDS"; return 1; }; }

keycloak quickstart || finish
server_binary
PORT=$(free_port); ENDPOINT=http://127.0.0.1:$PORT STS=$ENDPOINT
export MINIO_ROOT_USER=${MINIO_ROOT_USER:-minio} MINIO_ROOT_PASSWORD=${MINIO_ROOT_PASSWORD:-minio-secret-0815}
export MINIO_IDENTITY_OPENID_CONFIG_URL=$KEYCLOAK_URL/realms/quickstart/.well-known/openid-configuration
export MINIO_IDENTITY_OPENID_CLIENT_ID=objsrv MINIO_IDENTITY_OPENID_CLIENT_SECRET=objsrv-secret

# spawn NAME COMMAND...   runs a program whose output is NAME.log
spawn() { local name=$1; shift; "$@" >"$TMP/$name.log" 2>&1 </dev/null & pid=$!; PIDS+=("$pid"); disown "$pid"; }
# ready NAME URL   waits until the program that was spawned last answers, or prints why it has ended
ready() { wait_until 60 eval "! alive $pid || curl -fsS '$2'" && alive "$pid" || { tail -n 3 "$TMP/$1.log"; return 1; }; }

if [ "$MODE" = server ]; then
  spawn server "$SERVER_BIN" server "$TMP/data" --address "127.0.0.1:$PORT"
  check "the server starts with MinIO's variables" ready server "$ENDPOINT/minio/health/ready"
else
  etcd=$("$TESTS/etcd/get.sh" 2>"$TMP/said") || { skip "$CLIENT" "$(cat "$TMP/said")"; finish; }
  ETCD_PORT=$(free_port) PEER_PORT=$(free_port)
  spawn etcd "$etcd" --data-dir "$TMP/etcd" --listen-client-urls "http://127.0.0.1:$ETCD_PORT" --advertise-client-urls "http://127.0.0.1:$ETCD_PORT" \
    --listen-peer-urls "http://127.0.0.1:$PEER_PORT"
  check "etcd starts" ready etcd "http://127.0.0.1:$ETCD_PORT/health"
  if [ -z "${UPSTREAM:-}" ]; then
    UPSTREAM=http://127.0.0.1:$(free_port)
    spawn upstream env -u MINIO_IDENTITY_OPENID_CONFIG_URL -u MINIO_IDENTITY_OPENID_CLIENT_ID -u MINIO_IDENTITY_OPENID_CLIENT_SECRET \
      "$SERVER_BIN" server "$TMP/data" --address "${UPSTREAM#http://}"
    check "the upstream starts" ready upstream "$UPSTREAM/minio/health/ready"
  fi
  STS_PORT=$(free_port); STS=http://127.0.0.1:$STS_PORT
  export MINIO_ETCD_ENDPOINTS=http://127.0.0.1:$ETCD_PORT
  spawn first "$SERVER_BIN" gateway s3 "$UPSTREAM" --address "127.0.0.1:$STS_PORT"
  check "a gateway starts with MinIO's variables" ready first "$STS/minio/health/ready"
  spawn second "$SERVER_BIN" gateway s3 "$UPSTREAM" --address "127.0.0.1:$PORT"
  check "and another" ready second "$ENDPOINT/minio/health/ready"
fi
export OBJSRV_URL=$ENDPOINT OBJSRV_ACCESS_KEY=$MINIO_ROOT_USER OBJSRV_SECRET_KEY=$MINIO_ROOT_PASSWORD

echo 'a photo' >"$TMP/object"
cat >"$TMP/photos.json" <<'POLICY'
{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::photos"},
  {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "arn:aws:s3:::photos/*"}
]}
POLICY
prepare() {
  as_root s3 PUT /photos && as_root s3 PUT /private && as_root s3 PUT /private/secret "$TMP/object" && "$SERVER_BIN" admin policy set photos "$TMP/photos.json"
}
check "two buckets, and the policy that Keycloak's claim names" prepare

check "a login at Keycloak's page, by the sample client" login
check "the credentials are printed with the buckets that they open" printed
check "the session ends with the token" test "$((ENDS - $(date +%s)))" -le 60
check "put and get" round_trip
check "list" listing
check "only the bucket of the policy shows" whole_buckets
check "delete is not in the policy" refused '<Code>AccessDenied</Code>' s3 DELETE /photos/one
check "another bucket is not in the policy: get" refused '<Code>AccessDenied</Code>' s3 GET /private/secret
check "another bucket is not in the policy: put" refused '<Code>AccessDenied</Code>' s3 PUT /private/two "$TMP/object"
check "another bucket is not in the policy: list" refused '<Code>AccessDenied</Code>' s3 GET '/private?list-type=2'
check "S-187: a key without its token is nobody's" eval 'TOKEN= refused "<Code>InvalidAccessKeyId</Code>" s3 GET /photos/one'
check "GetCallerIdentity" sts_says :assumed-role/
check "S-188: the credentials work until they end, and no request longer: ExpiredToken" until_the_end
check "put is refused then" refused '<Code>ExpiredToken</Code>' s3 PUT /photos/three "$TMP/object"
check "and so is GetCallerIdentity" sts_says '<Code>ExpiredToken</Code>'
check "a login for an hour" login --duration 1h
check "the hour outlives the token" an_hour
if [ -n "$AWS" ]; then check "the same with the aws cli" by_aws; else skip "$CLIENT aws cli" "aws is not installed (on PATH, or AWS=)"; fi
finish
